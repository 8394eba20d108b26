import json
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import ConfigurationError
from indexes.errors import LockedError
from indexes.seals import seal_derived
from rag.answering.options import AskOptions
from rag.evaluation.collections.collection import CollectionKind
from rag.evaluation.questions import read_collection
from rag.evaluator import evaluate
from rag.judging.calibration import Calibration
from rag.knowledge_base import KnowledgeBase
from rag.retrieval.ranking import Ranking, basis
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE
from rag.retrieval.tuned import TunedPart, Tuning, TuningEvidence, read, written
from rag.tuning.fitting import Asked, fit_weights
from rag.tuning.tune import tune
from tests.indexes.conftest import BagEncoder
from tests.rag.sheets import NUMBERS, SHEETS, about_parts, write_questions, write_sheets

BY_SEARCH = AskOptions(read_seconds=0)  # what is tuned decides
UNKNOWN = [f"{5 + number % 5}{9 - number % 4}{number % 10}7" for number in range(20)]
PARTS = [(about_parts(sheet), f"docs/{sheet}.md") for sheet in range(SHEETS)]
BARE = [(NUMBERS[4 * sheet + 1], f"docs/{sheet}.md") for sheet in range(SHEETS)]
WORDY = [
    (f"sheet {sheet}, article numbers {' and '.join(NUMBERS[4 * sheet : 4 * sheet + 3])}", f"docs/{sheet}.md")
    for sheet in range(SHEETS)
]
NOTHING = [(number, []) for number in UNKNOWN]

EVIDENCE = TuningEvidence("2026-11-25", 20, 20, "nDCG@10", 0.5, 0.75, 0.125, 0.375)
MOVED = Tuning(
    weights={"sparse": 1.6, "late": 0.25, "feedback": 0.2, "hubness": 0.6},
    calibration=Calibration(0.5, -1.0),
    threshold=-0.5,
    evidence=dict.fromkeys(TunedPart, EVIDENCE),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("sheets")
    write_sheets(home / "docs")
    kb = KnowledgeBase.open(home / "kb")
    kb.index(home / "docs")
    kb.close()
    return home


@pytest.fixture
def folder(home, tmp_path):
    """A knowledge base that a test may change."""
    shutil.copytree(home / "kb", tmp_path / "kb")
    return tmp_path / "kb"


@pytest.fixture
def kb(folder):
    kb = KnowledgeBase.open(folder, create=False)
    yield kb
    kb.close()


def questions(home, name, rows):
    return write_questions(home / f"{name}.jsonl", rows)


def put(folder: Path, setting: str) -> None:
    """Write the setting behind everybody's back, as this user's."""
    catalog = sqlite3.connect(folder / "catalog.sqlite")
    with catalog:
        values = {"tuning": setting, "tuning_seal": seal_derived("tuning", {"tuning": setting})}
        catalog.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", values.items())
    catalog.close()


def encoder_of(folder: Path) -> str:
    catalog = sqlite3.connect(folder / "catalog.sqlite")
    [(encoder,)] = catalog.execute("SELECT value FROM settings WHERE key = 'encoder'")
    catalog.close()
    return encoder


def by_name(report):
    return {str(verdict.part): verdict for verdict in report.verdicts}


def order(kb, text=PARTS[3][0]):
    return [hit.chunk_id for hit in kb.search(text)]


@pytest.mark.slow
def test_where_vectors_mislead_words_come_to_count_more(home, kb):
    file = questions(home, "parts", PARTS)
    before = evaluate(file, kb=kb, modes=["hybrid"])
    report = kb.tune(file)
    weights = by_name(report)["weights"]
    assert report.stored
    assert weights.kept
    assert weights.fitted["sparse"] > 4 * weights.now["sparse"]
    after = evaluate(file, kb=kb, modes=["hybrid"])
    assert after.metrics["hybrid"]["nDCG@10"] > before.metrics["hybrid"]["nDCG@10"] + 0.3
    assert any("is tuned" in notice for notice in after.notices)
    assert not any("is tuned" in notice for notice in before.notices)
    [measure] = weights.measures
    shown = kb.status().tuning
    assert shown.weights == weights.fitted
    assert shown.evidence[TunedPart.WEIGHTS].after == measure.after > measure.before
    assert (shown.evidence[TunedPart.WEIGHTS].fitted, shown.evidence[TunedPart.WEIGHTS].held_out) == (20, 20)
    again = by_name(kb.tune(file))["weights"]
    assert not again.kept, "the same questions find the same, and what is in use has to be beaten"
    assert again.now == weights.fitted
    assert kb.status().tuning.weights == weights.fitted


def test_where_there_is_nothing_to_gain_nothing_changes(home, kb):
    report = kb.tune(questions(home, "wordy", WORDY[:24]))
    weights = by_name(report)["weights"]
    assert not weights.kept
    assert weights.measures[0].before == weights.measures[0].after == 1.0
    assert kb.status().tuning.weights is None


@pytest.mark.slow
def test_relevance_and_threshold_are_fitted_too(home, kb):
    said = {text: kb.ask(text, options=BY_SEARCH) for text, _ in (*BARE[:8], *NOTHING[:4])}
    plain = {text: kb.search(text, 3) for text in said}
    report = kb.tune(questions(home, "bare", BARE + NOTHING))
    verdicts = by_name(report)
    assert verdicts["calibration"].kept
    assert verdicts["threshold"].kept
    assert {measure.name: measure.decides for measure in verdicts["threshold"].measures}[
        "unanswerable, refused"
    ] is False
    tuned = kb.status().tuning
    for text, before in said.items():
        hits = kb.search(text, 3)
        assert [hit.relevance > DEFAULT_MIN_RELEVANCE for hit in hits] != [] != plain[text]
        for hit in hits:
            assert 1 / (1 + np.exp(-sum(hit.signals.log_odds.values()))) == pytest.approx(hit.relevance)
            assert sum(hit.signals.contributions.values()) == pytest.approx(hit.score)
            assert "tuning" in hit.signals.log_odds
        answered = max(hit.relevance for hit in kb.search(text, 8)) >= tuned.min_relevance
        assert kb.ask(text, options=BY_SEARCH).abstained is not answered
        assert before.abstained or answered, "no good answer is lost"
    assert sum(not kb.ask(text, options=BY_SEARCH).abstained for text in said) > sum(
        not answer.abstained for answer in said.values()
    )
    assert max(hit.relevance for hit in kb.search("asdf qwer zxcv")) <= 0.1


@pytest.mark.slow
def test_calibration_alone_never_changes_what_is_answered(folder, kb):
    asked = [text for text, _ in (*PARTS[:6], *BARE[:6], *NOTHING[:6])]
    before = [kb.ask(text, options=BY_SEARCH).abstained for text in asked]
    assert {*before} == {True, False}
    only = replace(MOVED, weights=None, threshold=None, evidence={TunedPart.CALIBRATION: EVIDENCE})
    put(folder, written(only, encoder_of(folder), basis()))
    assert kb.status().tuning.min_relevance != DEFAULT_MIN_RELEVANCE
    assert [kb.ask(text, options=BY_SEARCH).abstained for text in asked] == before


@pytest.mark.slow
def test_random_judgements_change_nothing(home, kb):
    search = cache(kb._retriever.candidates)
    near = {text: [hit.uri for hit in kb.search(text)] for text, _ in PARTS[:30]}
    gains = []
    for seed in range(6):
        chance = random.Random(seed)
        rows = [(text, chance.choice(uris)) for text, uris in near.items()]
        collection = read_collection(questions(home, f"chance{seed}", rows), kb=kb)
        report = tune(search, collection, Tuning(), seed=seed)
        assert not report.improved, report.verdicts
        asked = [Asked(text, collection.grades[key], search(text)) for key, text in collection.queries.items()]
        fitted = fit_weights(asked, Ranking())
        gains.append(sum(each.quality(fitted) - each.quality(Ranking()) for each in asked))
    assert sum(gains) > 1, "on the questions it was fitted on, chance looks like a gain: only others can tell"


def test_dry_runs_and_resets(home, folder, kb):
    before, file = order(kb), questions(home, "parts", PARTS)
    report = kb.tune(file, dry_run=True)
    assert report.improved
    assert not report.stored
    assert order(kb) == before
    assert not kb.status().tuning
    assert not kb.reset_tuning()
    put(folder, written(MOVED, encoder_of(folder), basis()))
    assert order(kb) != before
    assert kb.reset_tuning()
    assert order(kb) == before
    assert not kb.status().tuning


@pytest.mark.slow
def test_the_seed_decides_who_decides(home, kb):
    collection = read_collection(questions(home, "parts", PARTS), kb=kb)
    search = cache(kb._retriever.candidates)
    first, again, other = (tune(search, collection, Tuning(), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.verdicts[0].measures != other.verdicts[0].measures


def test_a_reader_that_is_open_sees_it(folder, kb):
    code = (
        "import sys; from rag import KnowledgeBase; kb = KnowledgeBase.open(sys.argv[1], create=False)\n"
        "for line in sys.stdin: print([hit.chunk_id for hit in kb.search(line.strip())], flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:

        def ask():
            reader.stdin.write(PARTS[3][0] + "\n")
            reader.stdin.flush()
            return json.loads(reader.stdout.readline())

        before = ask()
        assert before == order(kb)
        put(folder, written(MOVED, encoder_of(folder), basis()))
        assert ask() == order(kb) != before
        reader.stdin.close()


def test_one_writer_at_a_time(home, folder, kb):
    put(folder, written(MOVED, encoder_of(folder), basis()))
    other = KnowledgeBase.open(folder, create=False)
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with other._store.writer():
            inside.set()
            leave.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert inside.wait(60)
        with pytest.raises(LockedError):
            kb.reset_tuning(lock_timeout=0.1)
    finally:
        leave.set()
        holder.join()
        other.close()
    assert kb.status().tuning == MOVED


def test_indexing_again_keeps_it(home, folder, kb, tmp_path):
    put(folder, written(MOVED, encoder_of(folder), basis()))
    more = tmp_path / "more.md"
    more.write_text("# More\n\nOne more sheet, without numbers.\n")
    kb.index(home / "docs", more)
    assert kb.status().tuning == MOVED
    assert kb.repair() == ()
    assert kb.status().tuning == MOVED


def test_another_encoder_drops_it_with_a_line(tmp_path, monkeypatch):
    encoders = {"bag-2": BagEncoder("bag-2")}
    monkeypatch.setattr("indexes.store.load_encoder", lambda spec: encoders.get(spec, BagEncoder()))
    said: list[str] = []
    (tmp_path / "a.txt").write_text("Refunds are paid within 14 days.")
    kb = KnowledgeBase.open(tmp_path / "kb", notify=said.append)
    kb.index(tmp_path / "a.txt")
    put(tmp_path / "kb", written(MOVED, "bag-1", basis()))
    kb.index(encoder="default")
    assert kb.status().tuning == MOVED, "it is the same encoder"
    kb.index(encoder="bag-2")
    assert said == ["dropped the tuning, which was for another encoder: `rag tune QUESTIONS` tunes anew"]
    assert not kb.status().tuning
    put(tmp_path / "kb", written(MOVED, "bag-1", basis()))
    assert kb.search("refunds")
    assert kb.search("refunds", mode="sparse")
    assert not kb.status().tuning
    assert len(said) == 2, "one line, however often it is searched"
    assert "fitted for another encoder" in said[1]
    kb.close()


GOOD = json.loads(written(MOVED, "here", "now"))


def changed(**values):
    return json.dumps({**GOOD, **values})


def evidence(**values):
    return {**GOOD["evidence"], "weights": {**GOOD["evidence"]["weights"], **values}}


@pytest.mark.parametrize(
    "setting",
    [
        "rubbish",
        "{}",
        "[1]",
        "null",
        "[" * 100_000,
        "{" + '"a":' * 2_000 + "1" + "}" * 2_000,
        changed(padding="x" * 20_000),
        changed(version=2),
        changed(encoder="there"),
        changed(basis="then"),
        changed(basis=["now"]),
        changed(weights=[0.1, 1, 1, 1]),
        changed(weights={"sparse": 0.1}),
        *(
            changed(weights={**GOOD["weights"], "late": bad})
            for bad in (float("nan"), float("inf"), -0.1, 1e6, "1", True)
        ),
        changed(weights={**GOOD["weights"], "late": 10**400}),
        changed(calibration={"slope": 0, "intercept": 0}),
        changed(calibration={"slope": -1, "intercept": 0}),
        changed(calibration={"slope": 1, "intercept": 1e9}),
        changed(calibration=[1, 2]),
        changed(threshold="0.2"),
        changed(threshold=float("-inf")),
        changed(evidence={}),
        changed(evidence={**GOOD["evidence"], "spelling": GOOD["evidence"]["weights"]}),
        changed(evidence=evidence(when="\x1b[31mnow")),
        changed(evidence=evidence(metric="nDCG\n" * 9)),
        changed(evidence=evidence(fitted=-3)),
        changed(evidence=evidence(fitted=1.5)),
        changed(evidence=evidence(after=float("nan"))),
    ],
)
def test_a_setting_that_is_damaged_or_hostile_is_ignored_with_a_line(setting):
    tuning, problem = read(setting, "here", "now")
    assert not tuning
    assert tuning == Tuning()
    assert problem.startswith("the tuning is ignored: ")
    assert "\n" not in problem
    assert read(json.dumps(GOOD), "here", "now") == (MOVED, "")


def test_a_damaged_setting_does_not_stop_a_search(folder):
    said: list[str] = []
    kb = KnowledgeBase.open(folder, create=False, notify=said.append)
    before = order(kb)
    put(folder, written(MOVED, encoder_of(folder), basis()).replace("1.6", "NaN"))
    assert order(kb) == before
    assert kb.ask(BARE[0][0]).text
    assert kb.status().tuning == Tuning()
    assert said == [
        "the tuning is ignored: it is damaged (`rag tune QUESTIONS` tunes again, `rag tune --reset` removes it)"
    ]
    assert kb.reset_tuning(), "there is something to forget, whatever it is"
    kb.close()


def test_too_few_questions_are_refused(home, kb):
    for rows, count in ((PARTS[:19], 19), (PARTS[:12] + [(f"where is {n}?", f"gone/{n}.md") for n in range(30)], 12)):
        with pytest.raises(
            ConfigurationError, match=f"has {count} questions whose expected source is indexed"
        ) as caught:
            kb.tune(questions(home, "few", rows))
        assert "--generate" in caught.value.hint
    with pytest.raises(ConfigurationError, match="too few on one side"):
        kb.tune(questions(home, "parts", PARTS), held_out=0.9)


def test_a_collection_with_documents_of_its_own_is_refused(kb, tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "x"}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "x"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("q\ta\t1\n")
    with pytest.raises(ConfigurationError, match="its own documents"):
        kb.tune(tmp_path)


def test_without_questions_that_nothing_answers_the_threshold_stays_and_it_says_so(home, kb):
    report = kb.tune(questions(home, "wordy", WORDY[:24]), dry_run=True)
    verdict = by_name(report)["threshold"]
    assert not verdict.kept
    assert verdict.fitted is None
    assert "it needs 10 questions that nothing answers, but there are 0" in verdict.why
    assert report.kind is CollectionKind.QUESTIONS
    json.dumps(report.to_json(), allow_nan=False)


def test_topics_and_judgements(home, kb, tmp_path):
    topics = [f"{number}\t{text}\n" for number, (text, _) in enumerate(PARTS[:20])]
    (tmp_path / "topics.tsv").write_text("".join(topics))
    judged = [f"{number} 0 {home}/{source} 1\n" for number, (_, source) in enumerate(PARTS[:20])]
    judged += [f"{number} 0 {home}/docs/{number + 1}.md 0\n" for number in range(20)]
    (tmp_path / "qrels").write_text("".join(judged))
    report = kb.tune(topics=tmp_path / "topics.tsv", qrels=tmp_path / "qrels", dry_run=True)
    assert (report.fitting, report.held_out) == (10, 10)
