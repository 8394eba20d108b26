"""`rag eval` as a process, over a collection of four documents."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Rag, Shop

METRICS = ["nDCG@10", "Recall@10", "Recall@100", "MRR@10"]


def write_collection(folder: Path) -> None:
    texts = {
        "d1": "Refunds are paid within 14 days.",
        "d2": "Parcels to France cost 7 francs.",
        "d3": "The museum is closed on Mondays.",
        "d4": "Bees find their way home by the position of the sun.",
    }
    queries = {"q1": "when is the museum closed?", "q2": "what do parcels cost?"}
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": key, "title": "", "text": text} for key, text in texts.items()]
    asked = [{"_id": key, "text": text} for key, text in queries.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(line) + "\n" for line in corpus))
    (folder / "queries.jsonl").write_text("".join(json.dumps(line) + "\n" for line in asked))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td2\t1\n")


def test_a_collection(rag: Rag, tmp_path: Path) -> None:
    write_collection(tmp_path / "tiny")
    ran = rag("eval", "tiny", "--json", "--mode", "hybrid", "--mode", "sparse")
    assert ran.code == 0
    assert list(ran.json["metrics"]) == ["hybrid", "sparse"]
    assert ran.json["dataset"] == "tiny"
    assert ran.json["queries"] == 2
    assert ran.json["metrics"]["hybrid"] == dict.fromkeys(METRICS, 1.0)
    assert ran.json["index"]["docs"] == 4
    assert set(ran.json["query_ms"]) == {"p50", "p95"}
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"], "the index was temporary"


def test_a_collection_for_people_keeps_its_index_where_it_is_told(rag: Rag, tmp_path: Path) -> None:
    write_collection(tmp_path / "tiny")
    ran = rag("--kb", "kept", "eval", "tiny", "--mode", "dense")
    assert ran.code == 0
    assert all(word in ran.out for word in ["dense", "1.000", "queries 2", *METRICS])
    assert (tmp_path / "kept" / "catalog.sqlite").exists()


def test_questions_over_ones_own_documents(shop: Shop, tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"question": "what does an express parcel cost?", "expected": "docs/shipping.md"}))
    measured = shop.rag("eval", questions, "--json").json
    assert measured["metrics"]["hybrid"]["MRR@10"] == 1.0
    assert measured["index"] is None


def test_a_collection_that_is_not_there(rag: Rag) -> None:
    ran = rag("eval", "nowhere")
    assert ran.code == 1
    assert "nowhere" in ran.err
    assert ran.out == ""


def write_questions(folder: Path, *, more: bool = False) -> Path:
    file = folder / "questions.jsonl"
    rows = [("what does an express parcel cost?", "docs/shipping.md"), ("are sale items refunded?", "docs/refunds.md")]
    rows += [("which colour is the code?", "docs/hostile.md")] if more else []
    file.write_text("".join(json.dumps({"question": text, "expected": path}) + "\n" for text, path in rows))
    return file


def test_a_saved_run_and_what_changed_since(shop: Shop, tmp_path: Path) -> None:
    questions, saved = write_questions(tmp_path), tmp_path / "before.json"
    assert shop.rag("eval", questions, "--save", saved, "--run-out", tmp_path / "run").code == 0
    assert (tmp_path / "run").read_text().startswith("q1 Q0 ")
    data = json.loads(saved.read_text())
    data["per_query"][1]["modes"]["sparse"] |= {"first_relevant": 7}
    data["per_query"][1]["modes"]["sparse"]["metrics"]["nDCG@10"] = 0.25
    saved.write_text(json.dumps(data))
    ran = shop.rag("eval", questions, "--against", saved, "--mode", "sparse", "--html", tmp_path / "page.html")
    assert "0 worse · 1 better · 1 the same" in ran.out
    assert "first at 7 → 1" in ran.out
    assert "are sale items refunded?" in ran.out
    assert "<svg" in (tmp_path / "page.html").read_text()
    [found] = shop.rag("eval", questions, "--against", saved, "--mode", "sparse", "--json").json["against"]
    assert found["changes"][0]["change"] == 0.75


def test_a_saved_run_of_other_queries_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.rag("eval", write_questions(tmp_path), "--save", tmp_path / "before.json")
    ran = shop.rag("eval", write_questions(tmp_path, more=True), "--against", tmp_path / "before.json")
    assert ran.code == 2
    assert "1 are new" in ran.err
    assert ran.out == ""


def test_goals_for_ci(shop: Shop, tmp_path: Path) -> None:
    questions = write_questions(tmp_path, more=True)
    reached = shop.rag("eval", questions, "--fail-under", "recall@100=1", "--fail-under", "sparse:MRR@10=0.1")
    assert reached.code == 0
    questions.write_text(json.dumps({"question": "what does an express parcel cost?", "expected": "gone.md"}))
    ran = shop.rag("eval", questions, "--mode", "dense", "--mode", "sparse", "--fail-under", "nDCG@10=0.5", "--json")
    assert ran.code == 1
    assert "failed: nDCG@10 of dense is 0.0000, below 0.5" in ran.err
    assert ran.json["metrics"]["dense"]["nDCG@10"] == 0.0


def test_generated_questions_are_called_clozes(shop: Shop, tmp_path: Path) -> None:
    ran = shop.rag("eval", "--generate", "2", "--save-questions", tmp_path / "made.jsonl", "--mode", "hybrid")
    assert ran.code == 0
    assert "clozes, weaker than questions" in ran.out
    again = shop.rag("eval", tmp_path / "made.jsonl", "--json", "--mode", "hybrid")
    assert again.json["kind"] == "cloze"


def test_flags_that_do_not_fit_are_wrong_usage_and_name_what_would(shop: Shop, tmp_path: Path) -> None:
    questions = write_questions(tmp_path)
    for flags, message in [
        ([questions, "--fail-under", "P@5=0.5"], "the metrics are nDCG@10, Recall@10, Recall@100, MRR@10"),
        ([questions, "--fail-under", "nDCG@10"], "is not METRIC=VALUE"),
        ([questions, "--fail-under", "nDCG@10=nan"], "not a number from 0 to 1"),
        ([questions, "--fail-under", "sparse:nDCG@10=0.5", "--mode", "dense"], "'sparse' is not measured"),
        ([questions, "--save", tmp_path / "no" / "run.json"], "there is no folder"),
        ([questions, "--generate", "5"], "--generate takes no other questions"),
        ([questions, "--llm", "local"], "--llm needs --generate"),
        ([questions, "--topics", questions], "give both --topics FILE and --qrels FILE"),
        ([], "no data set"),
    ]:
        ran = shop.rag("eval", *flags)
        assert ran.code == 2, ran.err
        assert message in ran.err
        assert ran.out == ""
