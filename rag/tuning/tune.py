"""`rag tune`: fits ranking, relevance and its threshold to your own questions, and keeps what held-out ones confirm.

Every question is searched once. Each of the three is fitted on one part of the questions. On the other part, which had
no influence on the fit, the fit is compared with the current values, question by question. A fit is kept only if the
95% bootstrap interval of the mean difference is on the better side of zero and the paired randomisation test agrees
(p < .05), because the bootstrap's interval is too narrow for few questions. Each of the three is kept or dropped
independently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime

import numpy as np

from connectors.errors import ConfigurationError
from indexes.catalog.reading import Reading
from rag.evaluation.collections.collection import Collection
from rag.evaluation.measure import OnProgress, Step
from rag.evaluation.significance import compare
from rag.judging.calibration import Calibration
from rag.judging.odds import log_odds_of, probability
from rag.retrieval.ranking import RankedCandidates, Ranking
from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE
from rag.retrieval.selection import EVIDENCE_HITS
from rag.retrieval.tuned import TunedPart, Tuning, TuningEvidence
from rag.tuning.fitting import DEPTH, Asked, Judged, fit_calibration, fit_threshold, fit_weights
from rag.tuning.held_out import Split, split
from rag.tuning.verdicts import Measure, TuningReport, TuningVerdict

HELD_OUT = 0.5  # deciding takes as many questions as fitting
FEWEST = 20  # questions with an expected source; with fewer hardly any gain could be shown
FEWEST_UNANSWERABLE = 10
MOST = 1_000  # questions; of more, some are drawn

_SURE = 0.05
_SHARES = (0.2, 0.8)
_ONE_READING = (
    "better only if unjudged passages are never relevant: questions that nothing answers, or judgements of grade 0, "
    "would show whether they are"
)
_NONSENSE_CEILING = 0.1  # the relevance that nothing found for these may reach
_NONSENSE = (
    "asdf qwer zxcv",
    "blorf snarg",
    "xkqv wupt",
    "ratermen consional pregukate",
    "vrrm",
    "oiuqwe lkjhsdf mnbzx",
    "tionce fomi lepugu",
    "zzyx qqw hhnbt rrtu",
)

BRIER_AS_NOW, BRIER_NEVER = "Brier score, unjudged as now", "Brier score, unjudged never"
BALANCE, ANSWERED, REFUSED = "mean of the two", "answerable, answered", "unanswerable, refused"


def tune(
    search: Callable[[str], RankedCandidates],
    collection: Collection,
    now: Tuning,
    *,
    held_out: float = HELD_OUT,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> TuningReport:
    """Fit on a part of the questions, and decide on the others; nothing is stored here.

    Args:
        search: gives every candidate of a question with its signals.
        collection: questions; those whose expected sources are not indexed must have been left out.
        now: what is in use, which a fit has to be better than.
        held_out: the share of the questions that decide.
        seed: of the split, of what is drawn of more than `MOST` questions, and of the intervals.
        on_progress: hears of every question.

    Raises:
        ConfigurationError: there are too few questions, or `held_out` is not from .2 to .8.
    """
    run = _Run(search, collection, now, held_out, seed, on_progress)
    weights, ranking = run.weights()
    calibration, line = run.calibration(ranking)
    return run.report(weights, calibration, run.threshold(ranking, line))


class _Run:
    """One tuning run: the questions in two parts, each with its search results."""

    def __init__(
        self,
        search: Callable[[str], RankedCandidates],
        collection: Collection,
        now: Tuning,
        share: float,
        seed: int,
        on_progress: OnProgress | None,
    ) -> None:
        _check(collection, share)
        self._collection, self._now, self._seed, self._tell = collection, now, seed, on_progress
        self._notices = list(collection.notices)
        questions = {collection.queries[key]: grades for key, grades in collection.grades.items()}
        expected = {text: [uri for uri, grade in grades.items() if grade > 0] for text, grades in questions.items()}
        parts = self._split(expected, share)
        nothing = split({text: [text] for text in collection.unanswerable.values()}, share, seed)
        self._found = dict(self._ask(search, [*parts.fitting, *parts.held_out, *nothing.fitting, *nothing.held_out]))
        self._fitting, self._held = (self._asked(part, questions) for part in (parts.fitting, parts.held_out))
        self._empty, self._empty_held = (self._asked(part, {}) for part in (nothing.fitting, nothing.held_out))
        self._nonsense = max((float(search(text).odds.max(initial=-50.0)) for text in _NONSENSE), default=-50.0)

    def weights(self) -> tuple[TuningVerdict, Ranking]:
        """Whether other weights are better, and the ranking that follows."""
        now = Ranking().weighed(self._now.weights or {})
        fitted = fit_weights(self._fitting, Ranking(), lambda done, total: self._progress("weights", done, total))
        after, before = ([asked.quality(ranking) for asked in self._held] for ranking in (fitted, now))
        measure = self._measure(f"nDCG@{DEPTH}", after, before)
        verdict = _verdict(TunedPart.WEIGHTS, now.weights, fitted.weights, [measure], [_more(measure)])
        return verdict, fitted if verdict.kept else now

    def calibration(self, ranking: Ranking) -> tuple[TuningVerdict, Calibration]:
        """Whether the probabilities are better on another line, and the one that follows."""
        now = self._now.calibration or Calibration()
        fitting, held = (
            [_judged(asked, ranking) for asked in part]
            for part in ([*self._fitting, *self._empty], [*self._held, *self._empty_held])
        )
        ceiling = max(log_odds_of(_NONSENSE_CEILING), now(self._nonsense))
        fitted = fit_calibration(fitting, now, self._nonsense, ceiling)
        measures = [
            self._measure(
                name,
                [_brier(each, fitted, now, share) for each in held],
                [_brier(each, now, now, share) for each in held],
            )
            for name, share in ((BRIER_AS_NOW, 1.0), (BRIER_NEVER, 0.0))
        ]
        verdict = _verdict(TunedPart.CALIBRATION, asdict(now), asdict(fitted), measures, map(_less, measures))
        if not verdict.kept and _less(measures[-1]):
            verdict = replace(verdict, why=_ONE_READING)
        return verdict, fitted if verdict.kept else now

    def threshold(self, ranking: Ranking, calibration: Calibration) -> TuningVerdict:
        """Whether another threshold parts questions with an answer better from questions without one."""
        now = log_odds_of(DEFAULT_MIN_RELEVANCE) if self._now.threshold is None else self._now.threshold
        if (count := len(self._empty) + len(self._empty_held)) < FEWEST_UNANSWERABLE:
            why = f"not fitted: it needs {FEWEST_UNANSWERABLE} questions that nothing answers, but there are {count}"
            return TuningVerdict(TunedPart.THRESHOLD, kept=False, why=why, now=_threshold(now, calibration))
        right, right_held = ([_best(asked, ranking) for asked in part] for part in (self._fitting, self._held))
        none, none_held = ([_best(asked, ranking) for asked in part] for part in (self._empty, self._empty_held))
        fitted = fit_threshold(right, none, now)
        measures = self._trade_off(right_held, none_held, now, fitted)
        before, after = _threshold(now, calibration), _threshold(fitted, calibration)
        return _verdict(TunedPart.THRESHOLD, before, after, measures, [_more(measures[0])])

    def report(self, *verdicts: TuningVerdict) -> TuningReport:
        """All of it, with the tuning that follows."""
        return TuningReport(
            dataset=self._collection.name,
            kind=self._collection.kind,
            fitting=len(self._fitting),
            held_out=len(self._held),
            unanswerable=(len(self._empty), len(self._empty_held)),
            seed=self._seed,
            tuning=self._follows(verdicts),
            verdicts=verdicts,
            notices=tuple(self._notices),
        )

    def _follows(self, verdicts: Iterable[TuningVerdict]) -> Tuning:
        tuning = self._now
        for verdict in verdicts:
            if not verdict.kept or verdict.fitted is None:
                continue
            tuning = replace(tuning, evidence={**tuning.evidence, verdict.part: self._evidence(verdict)})
            match verdict.part:
                case TunedPart.WEIGHTS:
                    tuning = replace(tuning, weights=verdict.fitted)
                case TunedPart.CALIBRATION:
                    tuning = replace(tuning, calibration=Calibration(**verdict.fitted))
                case TunedPart.THRESHOLD:
                    tuning = replace(tuning, threshold=verdict.fitted["log_odds"])
        return tuning

    def _evidence(self, verdict: TuningVerdict) -> TuningEvidence:
        empty, empty_held = (0, 0) if verdict.part is TunedPart.WEIGHTS else (len(self._empty), len(self._empty_held))
        measure = verdict.measures[0]
        return TuningEvidence(
            when=datetime.now(UTC).date().isoformat(),
            fitted=len(self._fitting) + empty,
            held_out=len(self._held) + empty_held,
            metric=measure.name,
            before=measure.before,
            after=measure.after,
            low=measure.low,
            high=measure.high,
        )

    def _split(self, expected: Mapping[str, Sequence[str]], share: float) -> Split:
        drawn = dict(expected)
        if len(drawn) > MOST:
            kept = split({text: [text] for text in drawn}, MOST / len(drawn), self._seed).held_out
            self._notices.append(f"of {len(drawn)} questions {MOST} were drawn")
            drawn = {text: drawn[text] for text in kept}
        parts = split(drawn, share, self._seed)
        if not parts.apart:
            self._notices.append(
                "most questions share expected sources, so the same sources are in both parts: the gain on other "
                "sources may be smaller"
            )
        return parts

    def _ask(
        self, search: Callable[[str], RankedCandidates], texts: Sequence[str]
    ) -> Iterable[tuple[str, RankedCandidates]]:
        for done, text in enumerate(texts, 1):
            yield text, search(text)
            self._progress("questions", done, len(texts))

    def _asked(self, texts: Iterable[str], grades: Mapping[str, Mapping[str, int]]) -> list[Asked]:
        return [Asked(text, grades.get(text), self._found[text]) for text in texts]

    def _progress(self, stage: str, done: int, total: int) -> None:
        if self._tell is not None:
            self._tell(Step(stage, done, total))

    def _trade_off(self, right: Sequence[float], none: Sequence[float], now: float, fitted: float) -> list[Measure]:
        """The shares of answerable and unanswerable questions that are treated right, and first their mean."""
        total = len(right) + len(none)
        answered: dict[float, list[float]] = {}
        refused: dict[float, list[float]] = {}
        both: dict[float, list[float]] = {}
        for odds in (fitted, now):
            answered[odds] = [float(best >= odds) for best in right]
            refused[odds] = [float(best < odds) for best in none]
            # Weighted so that the mean over all questions is the mean of the two shares.
            both[odds] = [ok * total / (2 * len(right)) for ok in answered[odds]]
            both[odds] += [ok * total / (2 * len(none)) for ok in refused[odds]]
        named = ((BALANCE, both), (ANSWERED, answered), (REFUSED, refused))
        measures = [self._measure(name, values[fitted], values[now]) for name, values in named]
        return [measures[0], *(replace(measure, decides=False) for measure in measures[1:])]

    def _measure(self, name: str, after: Sequence[float], before: Sequence[float]) -> Measure:
        paired = compare([(after, before)], self._seed)[0]
        now, then = float(np.mean(before)), float(np.mean(after))
        return Measure(name, now, then, paired.difference, paired.low, paired.high, paired.p)


def answerable(collection: Collection, reading: Reading) -> Collection:
    """The collection without the questions of whose expected sources none is indexed: nothing can be learned of them.

    Raises:
        ConfigurationError: it is not about a knowledge base.
    """
    if collection.corpus is not None:
        raise ConfigurationError(
            f"{collection.name} has its own documents, but tuning fits a knowledge base",
            hint="index its documents, and pass a file of questions about them",
        )
    generation = reading.generation()
    kept = [
        key
        for key, grades in collection.grades.items()
        if any(grade > 0 and reading.find_document(uri, generation) is not None for uri, grade in grades.items())
    ]
    return replace(
        collection,
        queries={key: collection.queries[key] for key in kept},
        grades={key: collection.grades[key] for key in kept},
    )


def _check(collection: Collection, share: float) -> None:
    if not _SHARES[0] <= share <= _SHARES[1]:
        raise ConfigurationError(
            f"holding out {share:g} of the questions leaves too few on one side", hint="from 0.2 to 0.8, e.g. 0.5"
        )
    if len(collection.queries) < FEWEST:
        raise ConfigurationError(
            f"{collection.name} has {len(collection.queries)} questions whose expected source is indexed, but tuning "
            f"needs {FEWEST}",
            hint="collect more real questions, or generate some: rag eval --generate 50 --llm SPEC "
            "--save-questions FILE",
        )


def _verdict(
    part: TunedPart,
    now: Mapping[str, float],
    fitted: Mapping[str, float],
    measures: Sequence[Measure],
    better: Iterable[bool],
) -> TuningVerdict:
    kept = all(better)
    if np.allclose(list(now.values()), list(fitted.values()), rtol=1e-6):
        kept, why = False, "the fit equals the current values"
    else:
        why = "better on the held-out questions" if kept else "not clearly better on the held-out questions"
    return TuningVerdict(part, kept, why, now, fitted, tuple(measures))


def _threshold(odds: float, calibration: Calibration) -> dict[str, float]:
    return {"min_relevance": probability(calibration(odds)), "log_odds": odds}


def _more(measure: Measure) -> bool:
    return measure.low > 0 and measure.p < _SURE


def _less(measure: Measure) -> bool:
    return measure.high < 0 and measure.p < _SURE


def _judged(asked: Asked, ranking: Ranking) -> Judged:
    """The first passages of a question. Of an expected document, only the passage that is ranked first is taken for
    the one that answers: the judgement is of the document, and nobody said where in it the answer is.
    """
    odds, labels = [], []
    seen: set[str] = set()
    for uri, value in asked.hits(ranking, DEPTH):
        grade = None if asked.grades is None else asked.grades.get(uri)
        if asked.grades is None or (grade is not None and grade <= 0):
            labels.append(0.0)
        else:
            labels.append(1.0 if grade is not None and uri not in seen else np.nan)
        odds.append(value)
        seen.add(uri)
    return Judged(np.array(odds), np.array(labels))


def _brier(judged: Judged, calibration: Calibration, now: Calibration, share: float) -> float:
    """The mean squared error over the passages of a question; of a passage that is relevant with some probability,
    the expected one.
    """
    if not len(judged.odds):
        return 0.0
    chances, labels = judged.chances(calibration), judged.assumed(now, share)
    return float(np.mean(labels * (1 - chances) ** 2 + (1 - labels) * chances**2))


def _best(asked: Asked, ranking: Ranking) -> float:
    """The highest log-odds among the passages that an answer may use: of an expected source, if there is one."""
    hits = asked.hits(ranking, EVIDENCE_HITS)
    if asked.grades is not None:
        hits = [(uri, odds) for uri, odds in hits if asked.grades.get(uri, 0) > 0]
    return max((odds for _, odds in hits), default=-np.inf)
