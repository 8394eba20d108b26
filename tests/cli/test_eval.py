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
