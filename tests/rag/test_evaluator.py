import json
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError, SourceError
from connectors.source import Added, Changed, KnownDocument, Removed, Unchanged
from rag.evaluation.collections.beir import BeirCorpus, read_qrels, read_queries
from rag.evaluation.measure import Step
from rag.evaluation.metrics import METRICS
from rag.evaluator import evaluate
from rag.knowledge_base import KnowledgeBase
from rag.retrieval.hit import Mode

CORPUS = {
    "bees": ("Honey bees", "Honey bees dance to tell each other where nectar is. They live in a hive with one queen."),
    "volcano": ("Volcanoes", "Molten rock under a volcano is called magma. Above the ground it is called lava."),
    "bread": ("Bread", "Sourdough bread rises because wild yeast in the starter makes carbon dioxide."),
    "tides": ("Tides", "The gravity of the moon pulls the oceans and causes the tides, twice a day."),
    "chess": ("Chess", "In chess the bishop moves along diagonals, and castling moves the king and a rook at once."),
    "piano": ("Pianos", "A piano has hammers that strike strings when a key is pressed."),
}
FEW = "there are only 6 documents: Recall@100 says nothing about their order"
QUERIES = {
    "q1": "why does sourdough rise?",
    "q2": "how do bees tell where food is?",
    "q3": "what does the moon do to the oceans?",
}
QRELS = [("q1", "bread", 2), ("q2", "bees", 1), ("q2", "volcano", 0), ("q3", "tides", 1)]


def write_beir(home: Path, corpus=CORPUS, queries=QUERIES, qrels=QRELS, split="test") -> Path:
    (home / "qrels").mkdir(parents=True, exist_ok=True)
    documents = [{"_id": key, "title": title, "text": text} for key, (title, text) in corpus.items()]
    (home / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in documents))
    asked = [{"_id": key, "text": text} for key, text in queries.items()]
    (home / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in asked))
    rows = ["query-id\tcorpus-id\tscore", *(f"{query}\t{document}\t{grade}" for query, document, grade in qrels)]
    (home / "qrels" / f"{split}.tsv").write_text("\n".join(rows) + "\n")
    return home


@pytest.fixture
def dataset(tmp_path):
    return write_beir(tmp_path / "tiny")


def test_every_mode_is_measured(dataset):
    steps: list[Step] = []
    result = evaluate(dataset, on_progress=steps.append)
    assert set(result.metrics) == {"hybrid", "sparse", "dense"}
    assert result.metrics["hybrid"] == dict.fromkeys(METRICS, 1.0)
    assert {step.stage for step in steps} == {"index", "hybrid", "sparse", "dense"}
    assert steps[-1] == Step("dense", 3, 3)
    assert result.notices == (FEW,)


def test_json_has_the_promised_shape(dataset):
    found = json.loads(json.dumps(evaluate(dataset, modes=[Mode.SPARSE]).to_json()))
    assert found["dataset"] == "tiny"
    assert found["queries"] == 3
    assert set(found["metrics"]["sparse"]) == set(METRICS)
    assert found["index"]["docs"] == len(CORPUS)
    assert set(found["index"]) == {"docs", "seconds", "docs_per_second"}
    assert set(found["query_ms"]) == {"p50", "p95"}
    assert found["latency_ms"] == {"sparse": found["query_ms"]}


def test_a_kept_folder_is_not_embedded_again(dataset, tmp_path):
    first = evaluate(dataset, folder=tmp_path / "kb")
    again = evaluate(dataset, folder=tmp_path / "kb")
    assert first.index.embedded == len(CORPUS)
    assert again.index.embedded == 0
    assert again.metrics == first.metrics
    assert "6 documents were already indexed" in again.notices[-1]


def test_a_folder_with_other_documents_is_refused(dataset, tmp_path):
    other = tmp_path / "mine.txt"
    other.write_text("My own notes.")
    kb = KnowledgeBase.open(tmp_path / "kb")
    kb.index(other)
    kb.close()
    with pytest.raises(ConfigurationError, match=r"already holds .*mine\.txt"):
        evaluate(dataset, folder=tmp_path / "kb")


def test_a_document_with_the_querys_own_id_is_left_out(tmp_path):
    queries = {"tides": "what causes the tides?"}
    home = write_beir(tmp_path, queries=queries, qrels=[("tides", "tides", 1)])
    assert evaluate(home, modes=[Mode.HYBRID]).metrics["hybrid"]["Recall@100"] == 0.0


def test_a_long_document_scores_as_its_best_chunk(tmp_path):
    filler = "Waves on the beach come and go, and children build castles from wet sand. " * 120
    corpus = {"long": ("Shore", f"{filler} The moon's gravity causes the tides twice a day. {filler}"), **CORPUS}
    del corpus["tides"]
    home = write_beir(tmp_path, corpus=corpus, queries={"q": "moon gravity tides"}, qrels=[("q", "long", 1)])
    result = evaluate(home, depth=3)
    assert {metrics["MRR@10"] for metrics in result.metrics.values()} == {1.0}


def test_depth_counts_documents_not_chunks(tmp_path):
    text = "The moon's gravity causes tides. " * 400
    corpus = {"long": ("Shore", text), "other": ("", "Neap tides come with a half moon.")}
    home = write_beir(tmp_path, corpus=corpus, queries={"q": "moon tides"}, qrels=[("q", "other", 1)])
    result = evaluate(home, depth=2)
    assert {metrics["Recall@100"] for metrics in result.metrics.values()} == {1.0}


def test_judgements_of_what_is_not_there_are_counted(tmp_path):
    qrels = [*QRELS, ("q1", "baking", 1), ("q9", "bees", 1)]
    result = evaluate(write_beir(tmp_path, qrels=qrels), modes=[Mode.HYBRID])
    assert result.queries == 3
    assert "1 judged queries have no text and were left out: q9" in result.notices
    assert "1 relevant documents are not in the corpus and count as missed: baking" in result.notices
    assert result.metrics["hybrid"]["Recall@100"] == pytest.approx((0.5 + 1 + 1) / 3)


def test_a_document_without_text_is_found_by_its_title(tmp_path):
    corpus = {**CORPUS, "bare": ("Supersonic wind tunnels", "")}
    queries = {"q": "supersonic wind tunnel"}
    result = evaluate(write_beir(tmp_path, corpus=corpus, queries=queries, qrels=[("q", "bare", 1)]))
    assert {metrics["MRR@10"] for metrics in result.metrics.values()} == {1.0}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_missing_file_is_named(dataset, name):
    (dataset / name).unlink()
    with pytest.raises(SourceError, match=f"{name} does not exist") as caught:
        evaluate(dataset)
    assert "BEIR" in caught.value.hint


def test_a_missing_split_names_the_ones_there_are(dataset):
    with pytest.raises(SourceError, match=r"train\.tsv does not exist") as caught:
        evaluate(dataset, split="train")
    assert caught.value.hint == "the splits here are: test"


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("corpus.jsonl", "{broken", "not JSON"),
        ("corpus.jsonl", "[1, 2]", "not a JSON object"),
        ("corpus.jsonl", '{"_id": 5, "text": "x"}', "'_id' is 5, not a text"),
        ("corpus.jsonl", '{"_id": "x"}', "'text' is None, not a text"),
        ("corpus.jsonl", '{"_id": "bees", "text": "again"}', "the id 'bees' occurs twice"),
        ("queries.jsonl", '{"_id": "q1", "text": "again"}', "the id 'q1' occurs twice"),
        ("queries.jsonl", '{"_id": "q7", "text": " "}', "the query 'q7' is empty"),
        ("qrels/test.tsv", "q1 bees 1", "is not a judgement"),
        ("qrels/test.tsv", "q1\tbees\tyes", "is not a judgement"),
        ("qrels/test.tsv", "q1\tbread\t1", "'bread' for the query 'q1' is 1 here and 2 earlier"),
    ],
)
def test_a_broken_line_is_named(dataset, name, line, message):
    file = dataset / name
    number = file.read_text().count("\n") + 1
    with file.open("a") as out:
        out.write(line + "\n")
    with pytest.raises(SourceError) as caught:
        read_everything(dataset)
    assert f"{file}, line {number}" in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.hint


def read_everything(home: Path) -> None:
    read_queries(home)
    read_qrels(home, "test")
    list(BeirCorpus(home).events({}))


def test_a_broken_corpus_is_not_measured(dataset):
    with (dataset / "corpus.jsonl").open("a") as out:
        out.write("{broken\n")
    with pytest.raises(SourceError, match=r"corpus\.jsonl, line 7"):
        evaluate(dataset)


def test_a_file_that_is_not_utf8_is_named(dataset):
    (dataset / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "\xff"}\n')
    with pytest.raises(SourceError, match=r"queries\.jsonl, line 1: not UTF-8"):
        read_queries(dataset)


def test_queries_that_no_judgement_names(tmp_path):
    home = write_beir(tmp_path, qrels=[("zz", "bees", 1)])
    with pytest.raises(SourceError, match="none of its queries"):
        evaluate(home)


def test_qrels_with_or_without_a_header(dataset):
    expected = {"q1": {"bread": 2}, "q2": {"bees": 1, "volcano": 0}, "q3": {"tides": 1}}
    assert read_qrels(dataset, "test") == expected
    file = dataset / "qrels" / "test.tsv"
    file.write_text(file.read_text().partition("\n")[2])
    assert read_qrels(dataset, "test") == expected


def test_the_corpus_is_a_source(dataset):
    corpus = BeirCorpus(dataset)
    added = list(corpus.events({}))
    assert corpus.size_hint() == len(added) == len(CORPUS)
    assert all(isinstance(event, Added) for event in added)
    bees = added[0].document
    assert (bees.uri, bees.title, bees.context) == ("bees", "Honey bees", "Honey bees")
    known = {event.document.uri: KnownDocument(event.document.revision) for event in added}
    write_beir(dataset, corpus={**CORPUS, "bees": ("Bees", "Bees hum."), "new": ("", "x")})
    (dataset / "corpus.jsonl").write_text(
        "".join(line for line in (dataset / "corpus.jsonl").read_text().splitlines(True) if '"chess"' not in line)
    )
    events = list(corpus.events(known))
    assert [event.document.uri for event in events if isinstance(event, Changed)] == ["bees"]
    assert [event.document.uri for event in events if isinstance(event, Added)] == ["new"]
    assert [event.uri for event in events if isinstance(event, Removed)] == ["chess"]
    assert len([event for event in events if isinstance(event, Unchanged)]) == 4


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    home = tmp_path_factory.mktemp("questions")
    folder = home / "notes"
    folder.mkdir()
    for key, (title, text) in CORPUS.items():
        (folder / f"{key}.md").write_text(f"# {title}\n\n{text}\n")
    kb = KnowledgeBase.open(home / "kb")
    kb.index(folder)
    yield kb
    kb.close()


def write_questions(kb: KnowledgeBase, *rows: object) -> Path:
    file = kb.path.parent / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_questions_over_ones_own_documents(notes):
    file = write_questions(
        notes,
        {"question": "why does sourdough rise?", "expected": "notes/bread.md"},
        {"question": "what is lava?", "expected": [str(notes.path.parent / "notes" / "volcano.md")]},
    )
    result = evaluate(file, kb=notes)
    assert result.queries == 2
    assert result.metrics["hybrid"]["MRR@10"] == 1.0
    assert result.to_json()["index"] is None
    assert result.to_json()["kind"] == "questions"
    assert not any("missed" in notice for notice in result.notices)


def test_an_expected_source_that_is_not_indexed_is_a_miss_and_said(notes):
    file = write_questions(notes, {"question": "what is lava?", "expected": "notes/geology.md"})
    result = evaluate(file, kb=notes)
    assert result.metrics["hybrid"]["Recall@100"] == 0.0
    assert "1 relevant documents are not in this knowledge base and count as missed: notes/geology.md" in result.notices


def test_questions_without_a_knowledge_base(notes):
    with pytest.raises(ConfigurationError, match="needs a knowledge base"):
        evaluate(write_questions(notes, {"question": "what?", "expected": "a"}))


@pytest.mark.parametrize(
    "row",
    [
        {"question": "", "expected": "a.md"},
        {"question": "what?"},
        {"question": "what?", "expected": [""]},
        {"question": "what is lava?", "expected": []},
        3,
    ],
)
def test_a_broken_question_is_named(notes, row):
    file = write_questions(notes, {"question": "what is lava?", "expected": "notes/volcano.md"}, row)
    with pytest.raises(SourceError, match="line 2") as caught:
        evaluate(file, kb=notes)
    assert caught.value.hint


def test_a_file_without_questions(notes):
    with pytest.raises(SourceError, match="holds no questions"):
        evaluate(write_questions(notes), kb=notes)


def no_index(home: Path, **given: object) -> None:
    """Evaluating fails before a knowledge base is made."""
    with pytest.raises(SourceError):
        evaluate(home, folder=home / "kb", **given)
    assert not (home / "kb").exists()


@pytest.mark.parametrize("name", ["queries.jsonl", "qrels/test.tsv", "corpus.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe broken\n"])
def test_nothing_is_indexed_before_everything_has_been_checked(dataset, name, content):
    (dataset / name).write_bytes(content)
    no_index(dataset)


def test_judgements_that_are_repeated_or_bare_are_counted(tmp_path):
    qrels = [*QRELS, ("q1", "bread", 2)]
    queries = {**QUERIES, "q4": "who plays the piano?"}
    result = evaluate(write_beir(tmp_path, queries=queries, qrels=[*qrels, ("q4", "piano", 0)]), modes=["sparse"])
    assert "1 judgements are repeated and count once" in result.notices
    assert "1 queries have no relevant document and count 0: q4" in result.notices


def test_every_search_for_the_ranking_is_made_once(dataset, monkeypatch):
    asked = []
    search = KnowledgeBase.search

    def counted(kb, query, k, *, mode, **given):
        asked.append((query, mode, k))
        return search(kb, query, k, mode=mode, **given)

    monkeypatch.setattr(KnowledgeBase, "search", counted)
    evaluate(dataset)
    assert len(asked) == len(set(asked)) == 2 * 3 * len(QUERIES), "one for the ranking, one that is timed"


def test_intervals_hold_the_means_and_modes_are_compared(dataset):
    result = evaluate(dataset)
    for mode, intervals in result.intervals.items():
        for name, (low, high) in intervals.items():
            assert low <= result.metrics[mode][name] <= high
    pairs = [(each.first, each.second) for each in result.comparisons]
    assert pairs == [("hybrid", "sparse"), ("hybrid", "dense"), ("sparse", "dense")]
