"""What a reranker decides, how far it comes, and what happens when it fails: with rerankers that need no model."""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag import AskOptions, KnowledgeBase, Reranking, evaluate
from rag.reranking.reranker import BATCH, Reranker, RerankerError
from tests.rag.samples import indexed

QUERY = "what do beginners ask about comets?"
EVERYTHING = 40


class Shortest:
    """Prefers short passages: an order that no other signal gives."""

    name = "shortest"

    def __init__(self) -> None:
        self.judged: list[str] = []

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        self.judged += passages
        return [-float(len(passage)) for passage in passages]


class Longest(Shortest):
    name = "longest"

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        return [-score for score in super().score(query, passages)]


class Slow(Shortest):
    name = "slow"

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        time.sleep(0.2)
        return super().score(query, passages)


class Breaking(Shortest):
    """Fails at its second batch: `how` says how."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.name = how

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        scores = super().score(query, passages)
        if len(self.judged) <= BATCH:
            return scores
        if self.name == "raises":
            raise MemoryError("no memory left\nfor anything")
        return {"nan": [math.nan] * len(scores), "infinite": [math.inf] * len(scores), "short": scores[1:]}[self.name]


FAILURES = {
    "raises": "no memory left",
    "nan": "it gave no number",
    "infinite": "it gave no number",
    "short": "scores for",
}


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    notes = {}
    for number in range(EVERYTHING):
        subject = ("comets", "pianos")[number % 2]
        padding = "More was said on that day. " * (number * 7 % 11)
        notes[f"{number}.txt"] = f"Note {number} on {subject}: what beginners ask about {subject}. {padding}"
    with indexed(tmp_path_factory.mktemp("reranker") / "notes", notes) as base:
        yield base


@pytest.mark.parametrize("mode", ["hybrid", "sparse", "dense"])
def test_the_reranker_alone_orders_what_it_judged_and_the_rest_keeps_its_order(kb: KnowledgeBase, mode: str) -> None:
    depth = 12
    before = kb.search(QUERY, EVERYTHING, mode=mode)
    after = kb.search(QUERY, EVERYTHING, mode=mode, reranker=Reranking(Shortest(), depth=depth))
    assert {hit.uri for hit in after[:depth]} == {hit.uri for hit in before[:depth]}
    scores = [hit.signals.reranker for hit in after[:depth]]
    assert scores == sorted(scores, key=lambda score: -(score or 0.0))
    assert [hit.uri for hit in after[depth:]] == [hit.uri for hit in before[depth:]]
    assert all(hit.signals.reranker is None for hit in after[depth:])


@pytest.mark.parametrize("mode", ["hybrid", "sparse"])
@pytest.mark.parametrize("depth", [1, 12, 500])
def test_the_addends_add_up_and_the_scores_fall(kb: KnowledgeBase, mode: str, depth: int) -> None:
    hits = kb.search(QUERY, EVERYTHING, mode=mode, reranker=Reranking(Shortest(), depth=depth))
    for hit in hits:
        assert sum(hit.signals.contributions.values()) == pytest.approx(hit.score, abs=1e-9)
    assert all(first.score >= second.score for first, second in itertools.pairwise(hits))
    for hit in hits[depth:]:
        assert hit.signals.contributions["not_reranked"] < 0
        assert hit.score < hits[depth - 1].score


@pytest.mark.parametrize("depth", [5, 20, 500])
def test_the_first_hits_do_not_depend_on_k(kb: KnowledgeBase, depth: int) -> None:
    reranking = Reranking(Shortest(), depth=depth)
    many = kb.search(QUERY, EVERYTHING, reranker=reranking)
    for k in (1, 7, 25):
        few = kb.search(QUERY, k, reranker=reranking)
        assert [hit.uri for hit in few] == [hit.uri for hit in many[:k]]
        assert [hit.score for hit in few] == pytest.approx([hit.score for hit in many[:k]], abs=1e-6)


@pytest.mark.parametrize("mode", ["hybrid", "sparse", "dense"])
def test_relevance_is_the_same_probability_as_without_it(kb: KnowledgeBase, mode: str) -> None:
    before = {hit.uri: hit.relevance for hit in kb.search(QUERY, 20, mode=mode)}
    after = kb.search(QUERY, 3, mode=mode, reranker=Reranking(Shortest(), depth=20))
    assert [hit.relevance for hit in after] == pytest.approx([before[hit.uri] for hit in after], abs=1e-6)


def test_it_reads_what_was_indexed_best_first(kb: KnowledgeBase) -> None:
    reranker = Shortest()
    kb.search(QUERY, 1, reranker=Reranking(reranker, depth=10))
    before = kb.search(QUERY, 10)
    assert len(reranker.judged) == 10
    assert [hit.text in passage for hit, passage in zip(before, reranker.judged, strict=True)] == [True] * 10


def test_a_budget_ends_between_batches_and_says_how_far_it_came(kb: KnowledgeBase) -> None:
    # Two batches take 0.4 s or more: that the second would be late can be told from the first.
    found = kb.search(QUERY, EVERYTHING, reranker=Reranking(Slow(), depth=30, seconds=0.3))
    assert found.reranked is not None
    assert (found.reranked.candidates, found.reranked.scored) == (30, BATCH)
    assert [hit.signals.reranker is not None for hit in found.hits] == [rank < BATCH for rank in range(EVERYTHING)]
    before = kb.search(QUERY, EVERYTHING)
    assert {hit.uri for hit in found.hits[:BATCH]} == {hit.uri for hit in before[:BATCH]}
    assert [hit.uri for hit in found.hits[BATCH:]] == [hit.uri for hit in before[BATCH:]]


def test_however_small_the_budget_one_batch_is_judged(kb: KnowledgeBase) -> None:
    found = kb.search(QUERY, reranker=Reranking(Slow(), seconds=1e-9))
    assert found.reranked is not None
    assert found.reranked.scored == BATCH


def test_without_a_budget_all_are_judged(kb: KnowledgeBase) -> None:
    found = kb.search(QUERY, reranker=Reranking(Shortest(), depth=30, seconds=math.inf))
    assert found.reranked is not None
    assert (found.reranked.model, found.reranked.scored, found.reranked.failure) == ("shortest", 30, "")
    assert "rerank" in found.timings_ms


@pytest.mark.parametrize("how", FAILURES)
def test_a_reranker_that_fails_ends_the_search(kb: KnowledgeBase, how: str) -> None:
    with pytest.raises(RerankerError, match=FAILURES[how]) as caught:
        kb.search(QUERY, reranker=Breaking(how))
    assert how in str(caught.value)
    assert "fallback" in caught.value.hint


@pytest.mark.parametrize("how", FAILURES)
def test_with_fallback_it_leaves_the_ranking_as_it_was(kb: KnowledgeBase, how: str) -> None:
    found = kb.search(QUERY, 10, reranker=Reranking(Breaking(how), fallback=True))
    assert found.hits == kb.search(QUERY, 10).hits
    assert found.reranked is not None
    assert found.reranked.scored == 0
    assert FAILURES[how] in found.reranked.failure


@pytest.mark.parametrize(
    "options", [{"depth": 0}, {"depth": -3}, {"seconds": 0.0}, {"seconds": -1.0}, {"seconds": math.nan}]
)
def test_a_budget_without_room_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Reranking("some/model", **options)  # type: ignore[arg-type]
    assert caught.value.hint


def test_nothing_found_is_nothing_to_judge(kb: KnowledgeBase) -> None:
    found = kb.search("zeppelin", mode="sparse", reranker=Shortest())
    assert found.hits == ()
    assert found.reranked is not None
    assert found.reranked.candidates == 0


def test_without_the_extra_the_error_names_it(kb: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if it were not installed
    with pytest.raises(ConfigurationError, match="some/model") as caught:
        kb.search(QUERY, reranker="some/model")
    assert 'pip install "pilotfish[models]"' in caught.value.hint
    found = kb.search(QUERY, reranker=Reranking("some/model", fallback=True))
    assert found.hits == kb.search(QUERY).hits
    assert found.reranked is not None
    assert "sentence-transformers" in found.reranked.failure


def test_answers_rest_on_the_reranked_hits(kb: KnowledgeBase) -> None:
    options = AskOptions(k=3, reranking=Reranking(Shortest(), depth=30))
    answer = kb.ask(QUERY, options=options)
    assert [hit.uri for hit in answer.hits] == [hit.uri for hit in kb.search(QUERY, 3, reranker=options.reranking)]
    assert answer.reranked is not None
    assert answer.reranked.scored == 30


def test_an_evaluation_measures_the_reranked_hits_and_says_how_far_it_came(kb: KnowledgeBase, tmp_path: Path) -> None:
    longest = kb.search(QUERY, 1, reranker=Reranking(Longest(), depth=30))[0]
    questions = tmp_path / "questions.csv"
    questions.write_text(f"question,expected\n{QUERY},{longest.uri}\n")
    before = evaluate(questions, kb=kb, modes=["hybrid"])
    measured = evaluate(questions, kb=kb, modes=["hybrid"], reranking=Reranking(Longest(), depth=30))
    # Several are as long: which of them is first is up to their ids.
    assert measured.metrics["hybrid"]["MRR@10"] >= 0.25 > before.metrics["hybrid"]["MRR@10"]
    assert "reranked by longest: 30.0 of 30.0 candidates a search" in measured.notices
    failing = evaluate(questions, kb=kb, modes=["hybrid"], reranking=Reranking(Breaking("raises"), fallback=True))
    assert any("1 of 1 searches ran without the reranker" in notice for notice in failing.notices)


def test_an_evaluation_refuses_a_reranker_that_cannot_be_loaded_before_it_indexes(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d", "text": "Bees."}\n')
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "bees"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\n")
    kept = tmp_path / "kept"
    with pytest.raises(ConfigurationError):
        evaluate(tmp_path, folder=kept, reranking=Reranking("./no such folder"))
    assert not kept.exists()


def test_objects_of_ones_own_are_rerankers() -> None:
    reranker: Reranker = Shortest()
    assert reranker.score("", ["ab", "a"]) == [-2.0, -1.0]
