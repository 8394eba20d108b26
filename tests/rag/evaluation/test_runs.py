import json
from html.parser import HTMLParser

import numpy as np
import pytest

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.collections.collection import CollectionKind, identity
from rag.evaluation.metrics import first_relevant, query_metrics
from rag.evaluation.outcome import Evaluation, Outcome
from rag.evaluation.report import write_report
from rag.evaluation.runs import compare_runs, load_run, save_run

HOSTILE = "<script>alert(1)</script> \"'&$x^2$ \x1b[31m \u202e \ud800"
TEXTS = {"q1": "what is lava?", "q2": HOSTILE, "q3": "why do tides come?"}
GOOD = {"q1": ["right", "a"], "q2": ["a", "right"], "q3": ["a", "b"]}
OTHER = {"q1": ["a", "b", "right"], "q2": ["right"], "q3": ["a", "b"]}


def evaluation(ranked=GOOD, texts=TEXTS, dataset="tiny", split="test", grade=1, modes=("hybrid",)) -> Evaluation:
    grades = {key: {"right": grade} for key in texts}
    outcomes = {
        key: Outcome(
            query_metrics(ranked[key], grades[key]),
            first_relevant(ranked[key], grades[key]),
            tuple(ranked[key]),
            np.linspace(1, 0.5, len(ranked[key]), dtype=np.float32),
        )
        for key in texts
    }
    return Evaluation(
        dataset=dataset,
        split=split,
        kind=CollectionKind.CLOZE,
        identity=identity(texts, grades),
        texts=texts,
        outcomes=dict.fromkeys(modes, outcomes),
        timings_ms={mode: [1.0, 2.0, 9.0] for mode in modes},
        documents=3,
        notices=(HOSTILE,),
    )


@pytest.fixture
def saved(tmp_path):
    save_run(evaluation(), tmp_path / "before.json")
    return tmp_path / "before.json"


def test_what_changed_worst_first(saved):
    [compared] = compare_runs(evaluation(OTHER), saved)
    assert [(each.id, each.before, each.after) for each in compared.changes] == [("q1", 1, 3), ("q2", 2, 1)]
    assert [each.change for each in compared.changes] == pytest.approx([-0.5, 1 - 1 / np.log2(3)])
    assert compared.unchanged == 1
    assert compared.paired.difference == pytest.approx((0.5 - 1 / np.log2(3)) / 3)
    assert compared.paired.p == 1.0, "two changes of different sign prove nothing"
    assert json.loads(json.dumps(compared.to_json()))["changes"][0]["first_relevant"] == [1, 3]


def test_a_run_does_not_differ_from_itself(saved):
    [compared] = compare_runs(evaluation(), saved)
    assert (compared.changes, compared.unchanged, compared.paired.difference) == ((), 3, 0.0)
    assert load_run(saved).texts == TEXTS


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (evaluation(texts={"q1": "other?"}, dataset="nfcorpus"), "another data set: tiny, not nfcorpus"),
        (evaluation(texts={"q1": "other?"}, split="dev"), "another split of tiny: test, not dev"),
        (evaluation(texts={"q1": "other?"}), "2 are no longer asked, 0 are new, 1 have another text"),
        (evaluation(grade=2), "other judgements of the same queries"),
        (evaluation(modes=("dense",)), "measured hybrid, not dense"),
    ],
)
def test_a_run_of_something_else_is_refused(saved, now, message):
    with pytest.raises(ConfigurationError, match=message):
        compare_runs(now, saved)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "pilotfish-evaluation", "version": 99}', "\udcff"])
def test_what_is_no_saved_run_is_named(tmp_path, text):
    file = tmp_path / "run.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceError, match=r"run\.json") as caught:
        load_run(file)
    assert caught.value.hint


def test_a_damaged_run_is_named(saved):
    data = json.loads(saved.read_text())
    del data["per_query"][1]["modes"]["hybrid"]["metrics"]["nDCG@10"]
    saved.write_text(json.dumps(data))
    with pytest.raises(SourceError, match="is damaged"):
        load_run(saved)


class Page(HTMLParser):
    """Every tag and every address of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        names = {"src", "href", "xlink:href", "action", "data"}
        self.addresses += [value or "" for name, value in attrs if name in names or name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_nothing_and_obeys_nothing(saved, tmp_path):
    now = evaluation(OTHER, modes=("hybrid", "sparse", "dense"))
    write_report(now, tmp_path / "page.html", compare_runs(now, saved))
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert all(address.startswith("#") for address in page.addresses), "only into the page itself"
    assert page.text.count("<script>alert(1)</script>") == 3
    assert "weaker than real questions" in page.text
    assert page.tags.count("svg") == 6, "intervals, three pairs, changes, times"
    write_report(now, tmp_path / "again.html", compare_runs(now, saved))
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()


def test_a_page_of_one_query_and_one_mode(tmp_path):
    write_report(evaluation(texts={"q1": "what is lava?"}), tmp_path / "page.html")
    assert Page((tmp_path / "page.html").read_text()).tags.count("svg") == 2
