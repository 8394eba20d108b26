"""What any dense index must do, whatever is behind it."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from indexes.catalog.reading import Ids, Vectors
from indexes.errors import DamagedError, StoreError
from indexes.sparse.sparse import Scores
from tests.conformance.damage import damaged_copies

DIMENSIONS = 32
OLD, NEW = 2_500, 60  # vectors; their ids are 1 … 2,560
CLUSTERS = 40
DEAD = np.arange(7, OLD, 11)
LIVE = np.setdiff1d(np.arange(1, OLD + NEW + 1), DEAD)
SHARES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99)


class Dense(Protocol):
    """An open index."""

    def nearest(self, query: Vectors, limit: int, allowed: Ids | None = None) -> tuple[Ids, Scores]: ...
    def cosines(self, query: Vectors, ids: Ids) -> Scores: ...
    def close(self) -> None: ...


class DenseConformance:
    """Subclass it, and say how an index is made in a folder and how it is opened.

    Attributes:
        least_recall: the share of the nearest that must be found on average; 1 for an exact index.
        least_recall_of_the_farthest: the same where a filter allows nothing but the farthest vectors.
        inside: the folder with its files, within the one that it is made in.
    """

    least_recall = 1.0
    least_recall_of_the_farthest = 1.0
    inside = "."

    @classmethod
    @abstractmethod
    def build(cls, folder: Path, old: Vectors, new: Vectors, dead: Ids) -> None:
        """Index the old vectors under the ids 1, 2, …; then add the new ones under the next, and remove the dead."""

    @abstractmethod
    def open(self, folder: Path) -> Dense: ...

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("dense") / "index"
        cls.build(folder, VECTORS[:OLD], VECTORS[OLD:], DEAD)
        return folder

    @pytest.fixture
    def index(self, folder: Path) -> Dense:
        return self.open(folder)

    @pytest.mark.parametrize("limit", [1, 10, 100])
    def test_the_nearest_are_found(self, index: Dense, limit: int) -> None:
        self.assert_nearest(index, limit)

    @pytest.mark.parametrize("share", SHARES)
    def test_the_nearest_of_those_allowed_are_found_as_many_as_there_are(self, index: Dense, share: float) -> None:
        allowed = LIVE[np.random.default_rng(round(share * 1_000)).random(len(LIVE)) < share]
        for limit in (1, 10, 3_000):
            self.assert_nearest(index, limit, allowed)

    @pytest.mark.parametrize("share", [0.01, 0.2, 0.5])
    def test_the_nearest_are_found_when_only_the_farthest_are_allowed(self, index: Dense, share: float) -> None:
        recalls = []
        for query in QUERIES:
            farthest = np.sort(LIVE[np.argsort(VECTORS[LIVE - 1] @ query)[: int(len(LIVE) * share)]])
            recalls.append(recall(index, query, 10, farthest))
        assert np.mean(recalls) >= self.least_recall_of_the_farthest

    def test_cosines_are_exact_and_fall(self, index: Dense) -> None:
        for query in QUERIES:
            ids, cosines = index.nearest(query, 50)
            np.testing.assert_allclose(cosines, VECTORS[ids - 1] @ query, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(index.cosines(query, np.sort(ids)), VECTORS[np.sort(ids) - 1] @ query, atol=1e-6)
            assert (np.diff(cosines) <= 0).all()

    def test_an_id_that_is_not_there_scores_nothing_or_is_said_to_be_missing(self, index: Dense) -> None:
        with suppress(DamagedError):
            cosines = index.cosines(VECTORS[0], np.array([1, 10**6]))
            np.testing.assert_allclose(cosines, [VECTORS[0] @ VECTORS[0], 0], atol=1e-6)

    def test_everything_alive_comes_once_and_nothing_dead(self, index: Dense) -> None:
        ids, _ = index.nearest(QUERIES[0], 10**6)
        assert sorted(ids.tolist()) == LIVE.tolist()

    def test_a_dead_vector_is_not_found_and_a_new_one_is(self, index: Dense) -> None:
        for key in DEAD[:20]:
            assert key not in index.nearest(VECTORS[key - 1], 10)[0]
        for key in range(OLD + 1, OLD + NEW + 1):
            assert key in index.nearest(VECTORS[key - 1], 3)[0]

    def test_nothing_wanted_or_allowed_finds_nothing(self, index: Dense) -> None:
        for limit, allowed in ((0, None), (-1, None), (0, LIVE), (10, np.empty(0, np.int64))):
            ids, cosines = index.nearest(QUERIES[0], limit, allowed)
            assert len(ids) == len(cosines) == 0

    def test_threads_may_share_it(self, index: Dense) -> None:
        alone = [index.nearest(query, 20)[0].tolist() for query in QUERIES]
        with ThreadPoolExecutor(4) as pool:
            for _ in range(3):
                assert list(pool.map(lambda query: index.nearest(query, 20)[0].tolist(), QUERIES)) == alone

    @pytest.mark.parametrize("new", [0, 1])
    def test_an_index_of_almost_nothing(self, tmp_path: Path, new: int) -> None:
        self.build(tmp_path / "index", VECTORS[:0], VECTORS[:new], np.empty(0, np.int64))
        assert self.open(tmp_path / "index").nearest(QUERIES[0], 10)[0].tolist() == [1] * new

    def test_a_damaged_file_is_never_answered_from(self, folder: Path, tmp_path: Path) -> None:
        self.open(folder).close()
        for _, copied in damaged_copies(folder, tmp_path, self.inside):
            try:
                index = self.open(copied)
                self.assert_nearest(index, 10)
                index.close()
            except StoreError:
                pass

    def assert_nearest(self, index: Dense, limit: int, allowed: Ids = LIVE) -> None:
        assert np.mean([recall(index, query, limit, allowed) for query in QUERIES]) >= self.least_recall


def recall(index: Dense, query: Vectors, limit: int, allowed: Ids) -> float:
    """The share of the nearest that are found; what is found must be allowed, and as many as there are."""
    ids, _ = index.nearest(query, limit, None if allowed is LIVE else allowed)
    nearest = allowed[np.argsort(-(VECTORS[allowed - 1] @ query), kind="stable")][:limit]
    assert len(ids) == len(set(ids.tolist())) == len(nearest)
    assert np.isin(ids, allowed).all()
    return float(np.isin(ids, nearest).mean()) if len(ids) else 1.0


def _clustered(count: int, seed: int) -> Vectors:
    """Unit vectors around some centres, as the vectors of record keep them: in 16 bits."""
    centres = np.random.default_rng(0).standard_normal((CLUSTERS, DIMENSIONS))
    generator = np.random.default_rng(seed)
    vectors = centres[generator.integers(CLUSTERS, size=count)] + 0.7 * generator.standard_normal((count, DIMENSIONS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


VECTORS = _clustered(OLD + NEW, seed=1)
QUERIES = _clustered(20, seed=2)
