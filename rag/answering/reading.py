"""Reading: the best hits are read with the question; those that answer come first, each with the words that do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from connectors.document import CODE, ROW, with_context
from indexes.terms.analyzer import detect_language
from rag.judging.logistic import LogisticModel
from rag.judging.policy import Policy
from rag.query.abbreviations import Abbreviation, in_words_of
from rag.reader.loading import default_reader
from rag.reader.reader import PassageReading, Reader
from rag.retrieval.hit import Hit, HitReading

READ_HITS = 16
_AT_ONCE = 8  # the time is looked at between two of these
_SUREST = 15.0  # log-odds
_LANGUAGE = "en"  # that the reader was trained in
MODEL_FILE = Path(__file__).with_name("reading.json")
_ANSWERS = LogisticModel.read(MODEL_FILE)
ANSWERED = Policy(wrong=1, missed=2)
"""Below it a passage is no answer. `docs/reader.md` says how many questions without an answer get one."""


@dataclass(frozen=True, slots=True)
class HitsReader:
    """Reads hits within a time.

    Attributes:
        reader: the model; None for the one that comes with the program, which is loaded when it is needed.
        seconds: how long it may take; the first eight are always read, unless it is 0.
        min_relevance: the relevance that makes a hit count as an answer, where one was asked for; else `ANSWERED` does.
    """

    reader: Reader | None
    seconds: float
    min_relevance: float | None = None

    def read(
        self,
        question: str,
        hits: Sequence[Hit],
        abbreviations: Sequence[Abbreviation] = (),
        *,
        reorder: bool = True,
    ) -> tuple[Hit, ...]:
        """The hits in the order in which they are likely to answer `question`, each with its reading.

        A passage that has only the other form of one of `abbreviations` is asked in that form. Rows and code are not
        read, nor is a question in another language than English: the search's order stands. What the question names
        (`Signals.named`) keeps its place. The order stands, too, where `reorder` is False: another model has made it.
        """
        if not self._can_read(question):
            return tuple(hits)
        readable = [hit for hit in hits[:READ_HITS] if hit.kind not in {CODE, ROW}]
        if not readable:
            return tuple(hits)
        reader = self._loaded()
        read: dict[int, HitReading] = {}
        began = time.perf_counter()
        for start in range(0, len(readable), _AT_ONCE):
            batch = readable[start : start + _AT_ONCE]
            if start and 2 * (time.perf_counter() - began) > self.seconds:
                break
            asked: dict[str, list[Hit]] = {}
            for hit in batch:
                asked.setdefault(in_words_of(question, f"{_context(hit)}\n{hit.text}", abbreviations), []).append(hit)
            for wording, several in asked.items():
                passages = [with_context(_context(hit), hit.text) for hit in several]
                for hit, reading in zip(several, reader.read(wording, passages), strict=True):
                    read[hit.chunk_id] = self._of_hit(hit, reading)
        told = [replace(hit, reading=read.get(hit.chunk_id)) for hit in hits]
        if reorder:
            chances = _chances(told)
            others = iter(
                sorted((hit for hit in told if not hit.signals.named), key=lambda hit: -chances[hit.chunk_id])
            )
            told = [hit if hit.signals.named else next(others) for hit in told]
        return tuple(replace(hit, rank=rank) for rank, hit in enumerate(told, 1))

    def answered_by(self, question: str, texts: Sequence[str]) -> bool:
        """Whether any of `texts`, which no search has found, answers `question`; so it is where that cannot be read."""
        if not self._can_read(question):
            return True
        return any(reading.answers > 0 for reading in self._loaded().read(question, texts))

    def _loaded(self) -> Reader:
        return self.reader or default_reader()

    def _can_read(self, question: str) -> bool:
        return self.seconds > 0 and detect_language(question) in {_LANGUAGE, ""}

    def _of_hit(self, hit: Hit, reading: PassageReading) -> HitReading:
        answers = _ANSWERS.probability(features(reading, hit))
        holds = ANSWERED.accepts(answers) if self.min_relevance is None else hit.relevance >= self.min_relevance
        ahead = len(with_context(_context(hit), ""))
        begins = tuple((place - ahead, chance) for place, chance in reading.begins if place >= ahead)
        return HitReading(answers, max(0, reading.start - ahead), max(0, reading.end - ahead), holds, begins)


def _context(hit: Hit) -> str:
    """What stands above a passage; where the question names it, the name of its file does, too."""
    called = Path(hit.title).stem if hit.signals.named and hit.title not in hit.context else ""
    return "\n".join(filter(None, (called, hit.context)))


def is_answered(hits: Sequence[Hit], threshold: float) -> bool:
    """Whether any of `hits` answers: by its reading, or where it was not read or is named, by its relevance."""
    return not threshold or any(
        hit.reading.holds if hit.reading is not None and not hit.signals.named else hit.relevance >= threshold
        for hit in hits
    )


def features(reading: PassageReading, hit: Hit) -> dict[str, float]:
    """What tells whether a hit answers: the reader's log-odds that it does, of its best words, and the search's own.

    Not what tuning or a name added to the latter: these say nothing about the text.
    """
    odds = sum(odds for name, odds in hit.signals.log_odds.items() if name not in {"tuning", "named"})
    return {
        "answers": reading.answers,
        "span": max(-_SUREST, min(_SUREST, reading.span)),
        "relevance": max(-_SUREST, min(_SUREST, odds)),
    }


def _chances(hits: Sequence[Hit]) -> dict[int, float]:
    """How likely each of `hits` answers; those that were not read keep the search's order among themselves."""
    found: dict[int, float] = {}
    least = 0.0
    for hit in reversed(hits):
        if hit.reading is not None:
            found[hit.chunk_id] = hit.reading.answers
        else:
            found[hit.chunk_id] = least = max(least, hit.relevance)
    return found
