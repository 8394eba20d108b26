"""`extractive`: no model at all. The answer quotes and cites the best sentences of the sources."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from connectors.document import ROW
from connectors.sentences import sentence_spans
from rag.llm.reply import Reply
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from rag.prompting.composer import NOT_ANSWERED
from rag.prompting.prompt import Prompt, PromptSource
from rag.query.query import Query
from rag.text.bm25 import bm25
from rag.text.near_duplicates import Fingerprint
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.words import leans_back, terms

_MOST_SENTENCES = 4
_LONGEST = 400
_FEWEST_TERMS = 3
_LIST_MARK = re.compile(r"^(?:[-*+•◦▪>]|\d{1,2}[.)])\s+")
_HEADING = re.compile(r"^(?:#{1,6}\s|={3,}|-{3,})|[:?？]$")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a source: `source` and `place` are positions, `text` is verbatim except for line breaks.

    Those that the prompt leaves out have a `place` too. It stands at `start` to `end` of the hit's text.
    """

    source: int
    place: int
    text: str
    start: int = 0
    end: int = 0

    @property
    def is_heading(self) -> bool:
        """A heading, a question or an announcement: it matches a question well and answers nothing."""
        return bool(_HEADING.search(self.text))

    @property
    def can_answer(self) -> bool:
        return not self.is_heading and len(self.text) <= _LONGEST and len(terms(self.text)) >= _FEWEST_TERMS


class ExtractiveLLM:
    """Answers with one to four source sentences from the prompt, verbatim, each followed by its `[n]`.

    Sentences are scored by the question's terms (BM25) and, with an encoder, by their cosine with the question.
    """

    name = "extractive"
    window = None
    can_write = False

    def __init__(self, encoder: SentenceEncoder | None = None) -> None:
        self._encoder = encoder

    def count(self, text: str) -> int:
        """Estimated: there is no tokenizer because there is no model."""
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """Yield the answer sentence by sentence."""
        return Reply(partial(self._pieces, prompt, question), self.name)

    def _pieces(self, prompt: Prompt, question: str, reply: Reply) -> Generator[str]:
        sentences = _sentences(prompt.sources)
        chosen = read_out(sentences, prompt.sources) or select(
            sentences, self._scores(question, sentences, prompt.sources)
        )
        written = [f"{sentence.text} [{prompt.sources[sentence.source].number}]" for sentence in chosen]
        pieces = written or [NOT_ANSWERED]
        for position, piece in enumerate(pieces):
            yield f" {piece}" if position else piece
        reply.usage = Usage(prompt.tokens, sum(map(self.count, pieces)))

    def _scores(
        self, question: str, sentences: Sequence[_Sentence], sources: Sequence[PromptSource]
    ) -> NDArray[np.float64]:
        """What each sentence says for itself, and how relevant its source is; 0 where it says nothing for itself."""
        own = sentence_scores(question, [sentence.text for sentence in sentences], self._encoder)
        relevance = np.array([sources[sentence.source].hit.relevance for sentence in sentences])
        return np.where(own >= _FLOOR, own + _SOURCE_SHARE * relevance, 0.0)


_TERMS_SHARE = 0.12
_SOURCE_SHARE = 0.2
# Unrelated sentences have cosines up to 0.2 with a question.
_FLOOR = 0.25
# How far below the best a further sentence may score. On WikiQA and TREC-QA a right sentence is then in the answer for
# 72% and 86% of the questions, with two sentences on average; with the best one alone for 57% and 69%
# (benchmarks/extractive.py).
_MARGIN = 0.1


def sentence_scores(
    question: str, sentences: Sequence[str], encoder: SentenceEncoder | None = None
) -> NDArray[np.float64]:
    """How well each sentence answers `question`, shape [sentences]: its cosine, and its BM25 as a share of the best.

    On WikiQA (327 questions) MRR is .594 for BM25 alone, .719 for the cosine alone and .712 for this sum; on TREC-QA
    (211 questions) .740, .807 and .813: terms help where names and numbers decide.
    """
    if not sentences:
        return np.zeros(0)
    lexical = bm25(Query.of(question).terms, sentences)
    lexical /= max(float(lexical.max()), 1e-9)
    if encoder is None:
        return lexical
    cosines = encoder.encode(sentences).vectors @ encoder.encode_query(question).vector
    return _TERMS_SHARE * lexical + cosines


def read_out(sentences: Sequence[_Sentence], sources: Sequence[PromptSource]) -> list[_Sentence]:
    """The sentences with the words that answer, of the source that answers best.

    Nothing where no source was read, or where the question names what it asks for and that was not: a definition.
    """
    if any(source.hit.signals.named and source.hit.reading is None for source in sources):
        return []
    read = [(source.hit.reading, number) for number, source in enumerate(sources) if source.hit.reading is not None]
    if not read:
        return []
    reading, number = max(read, key=lambda one: one[0].answers)
    found: list[int] = []
    for place, one in enumerate(sentences):
        if one.source == number and one.start < max(reading.end, reading.start + 1) and reading.start < one.end:
            found += [*_antecedent(sentences, place), place]
            if one.is_heading and place + 1 < len(sentences) and sentences[place + 1].source == number:
                found.append(place + 1)
    return [sentences[place] for place in sorted(dict.fromkeys(found))]


def select(sentences: Sequence[_Sentence], scores: NDArray[np.float64]) -> list[_Sentence]:
    """The sentences of the answer, in reading order: source by source, the best one's first, each in its own order."""
    order = [i for i in np.argsort(-scores, kind="stable").tolist() if sentences[i].can_answer and scores[i] > 0]
    chosen: list[int] = []
    seen: list[Fingerprint] = []
    for i in order:
        fingerprint = Fingerprint(sentences[i].text)
        wanted = [*_antecedent(sentences, i), i]
        if scores[i] < scores[order[0]] - _MARGIN or len({*chosen, *wanted}) > _MOST_SENTENCES:
            break
        if i in chosen or any(fingerprint.adds_nothing_to(one) or one.adds_nothing_to(fingerprint) for one in seen):
            continue
        chosen += [j for j in wanted if j not in chosen]
        seen.append(fingerprint)
    sources = list(dict.fromkeys(sentences[i].source for i in chosen))
    return [sentences[i] for i in sorted(chosen, key=lambda i: (sources.index(sentences[i].source), i))]


def _antecedent(sentences: Sequence[_Sentence], i: int) -> list[int]:
    """The sentence before `i`, where `i` begins with a word that leans on it."""
    if i == 0 or not leans_back(sentences[i].text):
        return []
    before, here = sentences[i - 1], sentences[i]
    stands_before = before.source == here.source and before.place == here.place - 1  # nothing left out between them
    return [i - 1] if stands_before and before.can_answer else []


def _sentences(sources: Sequence[PromptSource]) -> list[_Sentence]:
    """The sentences of the sources that the prompt shows whole."""
    return [
        _Sentence(number, place, text, start, end)
        for number, source in enumerate(sources)
        for place, text, start, end in (_row(source) if source.hit.kind == ROW else _prose(source))
    ]


def _prose(source: PromptSource) -> Iterator[tuple[int, str, int, int]]:
    text = source.hit.text
    for place, (start, end) in enumerate(sentence_spans(text)):
        if _is_shown(source, start, end):
            yield place, _LIST_MARK.sub("", " ".join(text[start:end].split())), start, end


def _row(source: PromptSource) -> Iterator[tuple[int, str, int, int]]:
    """A row of a database says one thing; one too long to be quoted says one with each column."""
    columns: list[tuple[str, int, int]] = []
    start = 0
    for line in source.hit.text.splitlines(keepends=True):
        end = start + len(line.rstrip())
        if line.strip() and _is_shown(source, start, end):
            columns.append((" ".join(line.split()), start, end))
        start += len(line)
    whole = "; ".join(text for text, *_ in columns)
    if columns and len(whole) <= _LONGEST:
        columns = [(whole, columns[0][1], columns[-1][2])]
    yield from ((place, *column) for place, column in enumerate(columns))


def _is_shown(source: PromptSource, start: int, end: int) -> bool:
    return any(first <= start and end <= last for first, last in source.spans)
