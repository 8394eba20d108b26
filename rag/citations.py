"""Citations are checked before anyone sees them: the number exists, and the cited passage supports the sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from connectors.document import Location
from rag.results import Citation, Prompt, PromptSource
from rag.sentence_encoder import SentenceEncoder
from rag.statements import Mark, Statement, statements
from rag.support import Support, SupportJudge

UNSUPPORTED = "[unsupported]"


def check(answer: str, prompt: Prompt, *, encoder: SentenceEncoder | None = None) -> tuple[list[Citation], list[str]]:
    """Check every citation of `answer`, and every sentence of it that claims something.

    Returns:
        The citations in order, one for each number a sentence cites; and the sentences, verbatim, that no source
        supports.
    """
    checker = _Checker(prompt, SupportJudge(encoder))
    citations: list[Citation] = []
    unsupported: list[str] = []
    for statement in statements(answer, _texts(prompt)):
        sentence = answer[statement.start : statement.end]
        found = [checker.citation(statement, mark, sentence) for mark in statement.marks]
        citations += found
        if statement.is_factual and not checker.is_supported(statement):
            unsupported.append(sentence)
    return citations, unsupported


def mark(answer: str, unsupported: Collection[str]) -> str:
    """`answer` with every sentence of `unsupported` visibly marked.

    Example:
        >>> mark("It is red [1]. It sings.", ["It sings."])
        'It is red [1]. It sings. [unsupported]'
    """
    pieces: list[str] = []
    done = 0
    for statement in statements(answer):
        if answer[statement.start : statement.end] in unsupported:
            pieces += [answer[done : statement.end], f" {UNSUPPORTED}"]
            done = statement.end
    return "".join([*pieces, answer[done:]])


def confidence(answer: str, prompt: Prompt, unsupported: Collection[str]) -> float:
    """How far to trust an answer, in [0, 1]: the best source's relevance x the share of its sentences supported.

    0 for an answer that claims nothing: "the sources do not say" is no answer to be confident in.
    """
    claims = [statement for statement in statements(answer, _texts(prompt)) if statement.is_factual]
    if not claims or not prompt.sources:
        return 0.0
    bad = sum(answer[claim.start : claim.end] in unsupported for claim in claims)
    best = max(source.hit.relevance for source in prompt.sources)
    return min(1.0, max(0.0, best)) * (1 - bad / len(claims))


class _Checker:
    """Judges the statements of one answer against the sources of its prompt."""

    def __init__(self, prompt: Prompt, judge: SupportJudge) -> None:
        self._sources = {source.number: source for source in prompt.sources}
        self._judge = judge

    def citation(self, statement: Statement, mark: Mark, sentence: str) -> Citation:
        source = self._sources.get(mark.number)
        if source is None:
            return Citation(mark.number, sentence, supported=False)
        support = max(
            (self._support(claim, source) for claim in {statement.claim, mark.claim}), key=lambda s: s.probability
        )
        hit = source.hit
        return Citation(
            mark.number,
            sentence,
            support.holds,
            hit.uri,
            _place(hit.text, hit.location, support),
            hit.text[support.start : support.end],
        )

    def is_supported(self, statement: Statement) -> bool:
        """Whether one source supports the whole sentence, or its cited parts are each supported by their own."""
        if any(self._support(statement.claim, source).holds for source in self._sources.values()):
            return True
        parts = [mark for mark in statement.marks if mark.claim != statement.claim]
        return len(parts) > 1 and all(
            mark.number in self._sources and self._support(mark.claim, self._sources[mark.number]).holds
            for mark in parts
        )

    def _support(self, claim: str, source: PromptSource) -> Support:
        return self._judge.judge(claim, source.hit.text, f"{source.hit.title}\n{source.hit.context}")


def _place(text: str, location: Location, support: Support) -> Location:
    """The exact place of the evidence in its document. Its page is known only where the passage has one page."""
    first = location.line_start + _line_ends(text, 0, support.start)
    return replace(
        location,
        start=location.start + support.start,
        end=location.start + support.end,
        line_start=first,
        line_end=first + _line_ends(text, support.start, support.end),
    )


def _line_ends(text: str, start: int, end: int) -> int:
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def _texts(prompt: Prompt) -> list[str]:
    return [source.hit.text for source in prompt.sources]
