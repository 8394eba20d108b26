"""Diversity moves hits, tells why, and changes no score."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigurationError
from rag.knowledge_base import KnowledgeBase
from rag.retrieval.diversity import diversify
from rag.retrieval.hit import DiversityShift, Mode

EVENTS = {
    "disk": "The disk of the printing service is full, {} blocks are missing.",
    "memory": "The printing service ran out of memory at {} megabytes.",
    "password": "The printing service refused a wrong password of user {}.",
}
QUESTION = "what is wrong with the disk of the printing service?"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    home = tmp_path_factory.mktemp("diversity")
    (home / "log").mkdir()
    for event, text in EVENTS.items():
        for number in range(100, 106):
            (home / "log" / f"{event}{number}.txt").write_text(text.format(number))
    kb = KnowledgeBase.open(home / "kb")
    kb.index(home / "log")
    yield kb
    kb.close()


def events(kb: KnowledgeBase, k: int, **options: float) -> list[str]:
    return [hit.title[:-7] for hit in kb.search(QUESTION, k, **options)]  # type: ignore[arg-type]


def test_other_events_come_up_where_one_filled_the_hits(log: KnowledgeBase) -> None:
    assert events(log, 5) == ["disk"] * 5
    assert set(events(log, 5, diversity=0.7)) == set(EVENTS)


@pytest.mark.parametrize("mode", list(Mode))
def test_scores_stay_and_every_place_is_explained(log: KnowledgeBase, mode: Mode) -> None:
    plain = log.search(QUESTION, 18, mode=mode)
    hits = log.search(QUESTION, 18, mode=mode, diversity=0.5)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert {hit.uri: hit.score for hit in hits} == pytest.approx({hit.uri: hit.score for hit in plain}, abs=1e-6)
    for rank, hit in enumerate(hits, 1):
        why = hit.signals.diversity
        assert why is not None
        assert plain[why.rank_by_score - 1].uri == hit.uri
        assert why.mmr_score == pytest.approx(0.5 * why.normalized_score - 0.5 * why.cosine)
        assert why.most_similar_rank is None if rank == 1 else 1 <= why.most_similar_rank < rank
        assert sum(hit.signals.contributions.values()) == pytest.approx(hit.score, abs=1e-9)
    assert all(hit.signals.diversity is None for hit in plain)


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_hits_do_not_depend_on_k(log: KnowledgeBase, mode: Mode) -> None:
    few, many = (log.search(QUESTION, k, mode=mode, diversity=0.5) for k in (4, 60))
    assert [hit.uri for hit in few] == [hit.uri for hit in many[:4]]


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(log: KnowledgeBase, diversity: float) -> None:
    with pytest.raises(ConfigurationError, match="diversity") as caught:
        log.search(QUESTION, diversity=diversity)
    assert caught.value.hint


VECTORS = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 1)), min_size=1, max_size=12)


def candidates(drawn: list[tuple[float, float, float]]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    vectors = np.array(drawn, np.float32)
    return np.sort(vectors[:, 0].astype(np.float64))[::-1], vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(VECTORS, st.floats(0, 1))
def test_every_candidate_comes_once_and_none_left_was_worth_more(
    drawn: list[tuple[float, float, float]], weight: float
) -> None:
    scores, vectors = candidates(drawn)
    chosen = list(diversify(scores, vectors, weight))
    order = [place for place, _ in chosen]
    assert sorted(order) == list(range(len(scores)))
    normalized = (scores - scores.min()) / (np.ptp(scores) or 1.0)
    for rank, (place, why) in enumerate(chosen):
        above = vectors[order[:rank]].astype(np.float64)
        worth = [
            (1 - weight) * normalized[left] - weight * max((above @ vectors[left]).tolist(), default=0.0)
            for left in order[rank:]
        ]
        assert why.mmr_score == pytest.approx(worth[0], abs=1e-5)
        assert max(worth) <= why.mmr_score + 1e-5
        assert why.rank_by_score == place + 1


@given(VECTORS)
def test_without_any_weight_the_order_stays(drawn: list[tuple[float, float, float]]) -> None:
    scores, vectors = candidates(drawn)
    assert [place for place, _ in diversify(scores, vectors, 0.0)] == list(range(len(scores)))


def test_nothing_is_made_of_nothing() -> None:
    assert list(diversify(np.empty(0), np.empty((0, 3), np.float32), 0.5)) == []
    assert list(diversify(np.ones(1), np.ones((1, 1), np.float32), 0.5)) == [
        (0, DiversityShift(1, 0.0, None, 0.0, 0.0))
    ]
