"""The candidates of a search, and their scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from indexes.catalog.reading import Ids, Vectors
from rag.query.named_passages import Claim, Tie
from rag.retrieval.selection import Scored

Scores = npt.NDArray[np.float64]
_NOWHERE = 2**62  # the place of what a list has not


@dataclass(slots=True)
class Pool:
    """The candidates, each with every score; `late` is NaN where it was not computed.

    `contributions` are what makes up the score, each [candidates]. Only a hybrid search sets `words`, BM25 as it is
    weighed, and `code`, which of the candidates that have a say are source code. `judged` has the scores of a reranker,
    NaN where it gave none. `claims` are those of passages that the question names.
    """

    ids: Ids
    vectors: Vectors
    bm25: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]
    sparse_rank: Mapping[int, int]
    dense_rank: Mapping[int, int]
    place: Ids = field(init=False)  # in the list that has it further up
    late: npt.NDArray[np.float32] = field(init=False)
    judged: Scores = field(init=False)
    words: Scores = field(init=False)
    code: npt.NDArray[np.bool_] = field(init=False)
    claims: Mapping[int, Claim] = field(default_factory=dict)
    hubness: Scores | None = None  # which no weight changes
    contributions: dict[str, Scores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What the question names is a candidate however deep the lists are read; what only has a value it names is not.
        named = {key: 1 for key, claim in self.claims.items() if claim.tie is not Tie.PROPERTY}
        ranks, keys = (self.sparse_rank, self.dense_rank, named), self.ids.tolist()
        self.place = np.array([min(rank.get(key, _NOWHERE) for rank in ranks) for key in keys], np.int64)
        self.late = np.full(len(self.ids), np.nan, np.float32)
        self.judged = np.full(len(self.ids), np.nan)

    @property
    def score(self) -> Scores:
        """The sum of the contributions."""
        return np.asarray(np.sum(list(self.contributions.values()), axis=0), dtype=np.float64)

    @property
    def scored(self) -> Scored:
        """What the choice of the hits rests on."""
        return Scored(self.ids, self.vectors, self.score, self.place)

    def within(self, depth: int) -> npt.NDArray[np.bool_]:
        """Which candidates are among the best `depth` of a list."""
        return self.place <= depth

    def exhausts(self, depth: int) -> bool:
        """Whether no list has more than was read of it."""
        return max(len(self.sparse_rank), len(self.dense_rank)) < depth
