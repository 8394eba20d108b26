"""The candidates of a query, and the formula that ranks them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from rag.judging.logistic import fingerprint
from rag.query.named_passages import Claim, Tie
from rag.retrieval.candidates import Pool, Scores
from rag.retrieval.feedback import feedback_similarity, hubness
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE, MODEL_FILE
from rag.retrieval.selection import tiers
from rag.retrieval.tuned import WEIGHTS

# The name of a file stands nowhere in its text, where that of a row does, and brings no likeness to the question.
_SHARES = {Tie.FILE: 2.0, Tie.ROW: 1.0, Tie.PROPERTY: 0.5, Tie.NEIGHBOUR: 0.3}


@dataclass(frozen=True, slots=True)
class CodeWeights:
    """The share of each weight that applies when the candidates are source code.

    Questions share few words with code, and what they share is in much of it; a name that a question has is not left to
    BM25 (`Ranking.defined_weight`). What the best candidates are like says little where one function is the answer.
    """

    sparse: float = 0.2
    late: float = 0.5
    feedback: float = 0.25
    hubness: float = 0.5


@dataclass(frozen=True, slots=True)
class Ranking:
    """The formula of the hybrid mode: a weighted sum of each candidate's own scores and of evidence from the others.

    No score is standardised over the candidates; what only a `k` beyond the pool brings in comes after them and has no
    say. BM25 adds up over the query's terms, and is divided by the root of their idf mass. The last two weights were
    chosen on training splits; `docs/ranking.md` has what they bring to collections that had none.

    Attributes:
        pool: how deep each list is read; every candidate found gets every score.
        sparse_weight: weight of the BM25 score.
        dense_weight: weight of the cosine.
        late_weight: weight of late interaction.
        feedback_weight: weight of the cosine with the best candidates (`rag.retrieval.feedback`).
        hubness_weight: weight, taken off, of the mean cosine with the nearest other candidates.
        on_code: what the weights but the cosine's are multiplied by where the candidates are source code. Candidates of
            both sorts give a mean.
        named_weight: what a row adds that the question names, for certain. Rows with a value that it names get half of
            it, rows tied to a named one by a foreign key a third.
        defined_weight: what the definition of a symbol adds that the question names: no other signal makes up for it.
        exact_weight: what a date, a version, a code or the like adds that the question names and few passages have.
        spelling: whether a word that no passage has is searched as the nearest word that some passage has.
    """

    pool: int = 50
    sparse_weight: float = 0.1
    dense_weight: float = 1.0
    late_weight: float = 1.0
    feedback_weight: float = 0.8
    hubness_weight: float = 0.6
    on_code: CodeWeights = CodeWeights()
    named_weight: float = 0.3
    defined_weight: float = 2.0
    exact_weight: float = 1.0
    spelling: bool = True

    def on(self, code: npt.NDArray[np.bool_]) -> Ranking:
        """The weights for candidates of which these are source code."""
        of_code = float(code.mean() if len(code) else 0)

        def share(on_code: float) -> float:
            return 1 - (1 - on_code) * of_code

        return replace(
            self,
            sparse_weight=share(self.on_code.sparse) * self.sparse_weight,
            late_weight=share(self.on_code.late) * self.late_weight,
            feedback_weight=share(self.on_code.feedback) * self.feedback_weight,
            hubness_weight=share(self.on_code.hubness) * self.hubness_weight,
        )

    def weighed(self, weights: Mapping[str, float]) -> Ranking:
        """The same with other weights, named as in `rag.retrieval.tuned.WEIGHTS`."""
        known = self.weights | dict(weights)
        return replace(
            self,
            sparse_weight=known["sparse"],
            late_weight=known["late"],
            feedback_weight=known["feedback"],
            hubness_weight=known["hubness"],
        )

    def claimed(self, claim: Claim) -> float:
        """What a claim adds to the score of its passage."""
        weights = {Tie.DEFINES: self.defined_weight, Tie.EXACT: self.exact_weight}
        return weights.get(claim.tie, _SHARES.get(claim.tie, 0.0) * self.named_weight) * claim.score

    @property
    def weights(self) -> dict[str, float]:
        """The weights that can be tuned."""
        values = (self.sparse_weight, self.late_weight, self.feedback_weight, self.hubness_weight)
        return dict(zip(WEIGHTS, values, strict=True))


@cache
def basis() -> str:
    """What tells these defaults from others: what was tuned to be better than the ones may be worse than the others."""
    defaults = json.dumps([asdict(Ranking()), fingerprint(MODEL_FILE), DEFAULT_MIN_RELEVANCE])
    return hashlib.blake2b(defaults.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class RankedCandidates:
    """The candidates of one hybrid search, to show how other weights would rank them.

    Attributes:
        uris: the document of each candidate.
        odds: log-odds of relevance of each, before any tuning, [candidates].
    """

    uris: tuple[str, ...]
    odds: Scores
    _pool: Pool
    _keeps_tokens: bool

    def order(self, ranking: Ranking) -> npt.NDArray[np.intp]:
        """The candidates, best first."""
        weigh(self._pool, ranking, keeps_tokens=self._keeps_tokens)
        return best(self._pool, len(self.uris))


def fuse(pool: Pool, ranking: Ranking) -> None:
    """Set `pool.contributions` to what every candidate's own scores add."""
    pool.contributions = {
        "bm25": ranking.sparse_weight * pool.words,
        "cosine": ranking.dense_weight * pool.cosine.astype(np.float64),
        "late": ranking.late_weight * np.nan_to_num(pool.late).astype(np.float64),
    }


def weigh(pool: Pool, ranking: Ranking, *, keeps_tokens: bool) -> None:
    """Set `pool.contributions` of a hybrid search, whose `pool.code`, `pool.words` and `pool.late` are known."""
    ranking = ranking.on(pool.code)
    fuse(pool, ranking)
    within = pool.within(ranking.pool)
    scored = ~np.isnan(pool.late) & within
    # Where late interaction ran out of time, or the encoder has none, it must not part the candidates twice.
    _add_feedback(pool, ranking, within if keeps_tokens or not scored.any() else scored)
    if pool.claims:
        claims = [pool.claims.get(key) for key in pool.ids.tolist()]
        pool.contributions["named"] = np.array([ranking.claimed(claim) if claim else 0.0 for claim in claims])
    if not keeps_tokens:
        _put_last(pool, np.isnan(pool.late), above=~np.isnan(pool.late))
    # Candidates that only a large `k` brought in stay below the others: the first hits stay what they were.
    depth = tiers(pool.place, ranking.pool)
    for tier in range(1, depth.max(initial=0) + 1):
        _put_last(pool, depth == tier, above=depth < tier)


def _add_feedback(pool: Pool, ranking: Ranking, chosen: npt.NDArray[np.bool_]) -> None:
    """Let these candidates tell about each other; nothing is known of the rest."""
    like = np.zeros(len(pool.ids))
    if pool.hubness is None:
        pool.hubness = np.zeros(len(pool.ids))
        if chosen.any():
            pool.hubness[chosen] = hubness(pool.vectors[chosen])
    if chosen.any():
        like[chosen] = ranking.feedback_weight * feedback_similarity(pool.vectors[chosen], pool.score[chosen])
    pool.contributions |= {"feedback": like, "hubness": -ranking.hubness_weight * pool.hubness}


def _put_last(pool: Pool, chosen: npt.NDArray[np.bool_], above: npt.NDArray[np.bool_]) -> None:
    """Lower the scores of some candidates until none is above any of those that shall be `above`."""
    if chosen.any() and above.any():
        score = pool.score
        below = max(0.0, float(score[chosen].max() - score[above].min()))
        pool.contributions["depth"] = pool.contributions.get("depth", np.zeros(len(score))) - below * chosen


def best(pool: Pool, k: int) -> npt.NDArray[np.intp]:
    """The rows of the best `k` candidates, best first; among equals the older chunk."""
    return np.lexsort((pool.ids, -pool.score))[:k]
