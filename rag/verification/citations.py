"""Checks citations before anyone sees them: the number exists, and the cited passage supports the sentence.

A mark whose source does not support the sentence is moved to the source that does. A sentence that no source supports
is marked. One that rests on a knowledge card is reported as unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from indexes.terms.analyzer import detect_language
from rag.prompting.prompt import Background, Prompt, PromptSource
from rag.text.sentence_encoder import SentenceEncoder
from rag.verification.statements import AnswerSentence, Mark, statements
from rag.verification.support import Evidence, Support, SupportJudge
from rag.verification.verdicts import Citation, Unverified, Verdict

UNSUPPORTED = "[unsupported]"
UNCHECKED = "[not checked]"
UNVERIFIED = "[unverified, from card {card}]"

MOST_CLAIMS = 300
"""Different claims of one answer that are judged. What comes after them is told to be unchecked: time stays bounded."""

_SURER = 0.15  # by how much another source must be likelier to support a sentence before a mark is moved to it
_TELLING = 40  # letters of a text from which its language can be told
_STOPS = ".!?。！？"


@dataclass(frozen=True, slots=True)
class Checked:
    """An answer after the check.

    Attributes:
        text: the answer with the numbers of misattributed marks put right; where it cited nothing at all, with the
            marks of the sources that support it.
        annotated: `text` with every unsupported or unchecked sentence visibly marked.
        citations: one for each number a sentence cites, in order.
        unsupported: the sentences of `text` that neither a source nor a card supports.
        unverified: those that no source supports, and a card does.
        unchecked: those that were not judged: beyond `MOST_CLAIMS`, or in another language than the sources.
        confidence: how far to trust it, in [0, 1]: how likely it answers x the share of its sentences supported;
            0 where it claims nothing, for "the sources do not say" is no answer to be confident in.
    """

    text: str
    annotated: str
    citations: tuple[Citation, ...]
    unsupported: tuple[str, ...]
    unverified: tuple[Unverified, ...]
    unchecked: tuple[str, ...]
    confidence: float


def check(
    answer: str, prompt: Prompt, *, encoder: SentenceEncoder | None = None, chance: float | None = None
) -> Checked:
    """Check every citation of `answer`, and every sentence of it that claims something, against `prompt.sources`.

    What no source supports is compared with `prompt.background`, which is no source and lends no confidence. `chance`
    is how likely the answer is right as far as it is supported, where its writer knows; else its sources tell.
    """
    found = statements(answer, {source.number: source.hit.text for source in prompt.sources})
    checker = _Checker(answer, found, prompt, SupportJudge(encoder))
    results = [checker.result(statement) for statement in found]
    text, marked, done = [], [], 0
    for statement, result in zip(found, results, strict=True):
        between = answer[done : statement.start]
        text += [between, result.sentence]
        marked += [between, _with_flag(result)]
        done = statement.end
    return Checked(
        text="".join([*text, answer[done:]]),
        annotated="".join([*marked, answer[done:]]),
        citations=tuple(citation for result in results for citation in result.citations),
        unsupported=tuple(result.sentence for result in results if result.verdict == Verdict.UNSUPPORTED),
        unverified=tuple(
            Unverified(result.sentence, result.background) for result in results if result.background is not None
        ),
        unchecked=tuple(result.sentence for result in results if result.verdict == Verdict.UNCHECKED),
        confidence=_confidence(prompt, results, chance),
    )


@dataclass(frozen=True, slots=True)
class _Result:
    """The result for a statement; `verdict` is None if it claims nothing.

    `background` is what a card says, where that supports what no source does.
    """

    sentence: str
    citations: tuple[Citation, ...]
    verdict: Verdict | None
    background: Background | None = None


class _Checker:
    """Judges the statements of one answer against the sources of its prompt."""

    def __init__(self, answer: str, found: Sequence[AnswerSentence], prompt: Prompt, judge: SupportJudge) -> None:
        self._answer = answer
        self._sources = {source.number: source for source in prompt.sources}
        self._background = prompt.background
        self._judge = judge
        self._supports: dict[tuple[str, int], Support] = {}
        self._foreign = _is_foreign(answer, prompt.sources)
        self._cites = any(statement.marks for statement in found)
        self._claims = _claims(found)
        self._listed = _listed(found)
        judge.prepare(
            self._claims, [*map(_evidence, prompt.sources), *((one.text, "", "") for one in prompt.background)]
        )

    def result(self, statement: AnswerSentence) -> _Result:
        sentence = self._answer[statement.start : statement.end]
        if statement.listing:
            return _Result(sentence, tuple(self._of_listing(statement, sentence)), None)
        citations = [self._citation(statement, mark) for mark in statement.marks]
        verdict = self._verdict(statement, citations)
        if verdict == Verdict.SUPPORTED and not self._cites:
            citations = [self._added(statement)]
            sentence = _inside(sentence, f" [{citations[0].number}]", len(sentence.rstrip(_STOPS)))
        pairs = zip(statement.marks, citations, strict=False)
        moved = {mark: citation.shown for mark, citation in pairs if citation.moved_to is not None}
        sentence = self._corrected(statement, moved) if moved else sentence
        background = None
        if verdict in {Verdict.UNSUPPORTED, Verdict.UNCHECKED} and statement.claim in self._claims:
            background = self._background_for(statement.claim)
        verdict = Verdict.UNVERIFIED if background is not None else verdict
        return _Result(
            sentence, tuple(replace(citation, sentence=sentence) for citation in citations), verdict, background
        )

    def _background_for(self, claim: str) -> Background | None:
        """What a card says that supports `claim`, if anything does."""
        judged = [(self._judge.judge(claim, one.text), one) for one in self._background]
        support, best = max(judged, key=lambda pair: pair[0].probability, default=(None, None))
        return best if support is not None and support.holds else None

    def _verdict(self, statement: AnswerSentence, citations: Sequence[Citation]) -> Verdict | None:
        if not statement.is_factual:
            return None
        if statement.claim not in self._claims:
            return Verdict.UNCHECKED
        if self._is_supported(statement, citations):
            return Verdict.SUPPORTED
        return Verdict.UNCHECKED if self._foreign else Verdict.UNSUPPORTED

    def _citation(self, statement: AnswerSentence, mark: Mark) -> Citation:
        claims = list(dict.fromkeys([mark.claim, statement.claim]))
        source = self._sources.get(mark.number)
        if not all(claim in self._claims for claim in claims):
            return Citation(mark.number, "", False, verdict=Verdict.UNCHECKED if source else Verdict.NO_SUCH_SOURCE)
        own = self._best(claims, source) if source else None
        if source and own and (own.holds or self._is_joint(mark.claim, _same(statement, mark))):
            return _cited(mark.number, source, own, Verdict.SUPPORTED)
        other = self._other(mark, statement, own.probability if own else 0.0)
        if other is not None:
            verdict = Verdict.MISATTRIBUTED if source else Verdict.NO_SUCH_SOURCE
            support = self._support(mark.claim, other)
            return replace(_cited(mark.number, other, support, verdict), moved_to=other.number)
        if source is None or own is None:
            return Citation(mark.number, "", False, verdict=Verdict.NO_SUCH_SOURCE)
        return _cited(mark.number, source, own, Verdict.UNCHECKED if self._foreign else Verdict.UNSUPPORTED)

    def _other(self, mark: Mark, statement: AnswerSentence, least: float) -> PromptSource | None:
        """The source that does say what a mark's own does not, unless the same words cite it already."""
        cited = set(_same(statement, mark))
        if any(self._support(mark.claim, self._sources[number]).holds for number in cited & self._sources.keys()):
            return None
        free = [source for number, source in self._sources.items() if number not in cited]
        best = max(free, key=lambda source: self._support(mark.claim, source).probability, default=None)
        if best is None:
            return None
        support = self._support(mark.claim, best)
        return best if support.holds and support.probability >= least + _SURER else None

    def _is_supported(self, statement: AnswerSentence, citations: Sequence[Citation]) -> bool:
        """Whether a source supports the whole sentence, or each cited part has its own, or those cited do together."""
        if any(self._support(statement.claim, source).holds for source in self._sources.values()):
            return True
        parts = dict.fromkeys(mark.claim for mark in statement.marks if mark.claim != statement.claim)
        pairs = zip(statement.marks, citations, strict=True)
        sound = {mark.claim for mark, citation in pairs if citation.supported or citation.moved_to}
        return (len(parts) > 1 and all(part in sound for part in parts)) or self._is_joint(
            statement.claim, [mark.number for mark in statement.marks]
        )

    def _is_joint(self, claim: str, numbers: Iterable[int]) -> bool:
        """Whether several sources say together what none of them says alone."""
        cited = [self._sources[number] for number in dict.fromkeys(numbers) if number in self._sources]
        if len(cited) <= 1:
            return False
        spans = [(source, self._support(claim, source)) for source in cited]
        if any(support.holds for _, support in spans):
            return False
        quotes = [source.hit.text[support.start : support.end] for source, support in spans]
        return self._judge.judge(claim, "\n\n".join(quotes), *_evidence(cited[0])[1:]).holds

    def _added(self, statement: AnswerSentence) -> Citation:
        source = max(self._sources.values(), key=lambda each: self._support(statement.claim, each).probability)
        support = self._support(statement.claim, source)
        return replace(_cited(source.number, source, support, Verdict.SUPPORTED), added=True)

    def _of_listing(self, listing: AnswerSentence, sentence: str) -> Iterable[Citation]:
        """The citations of "Sources: [1], [3]": each is to support one of the sentences that it closes."""
        claims = [claim for claim in self._listed[listing.start] if claim in self._claims]
        for mark in listing.marks:
            source = self._sources.get(mark.number)
            if source is None:
                yield Citation(mark.number, sentence, False, verdict=Verdict.NO_SUCH_SOURCE)
            elif claims:
                best = self._best(claims, source)
                unsound = Verdict.UNCHECKED if self._foreign else Verdict.UNSUPPORTED
                cited = _cited(mark.number, source, best, Verdict.SUPPORTED if best.holds else unsound)
                yield replace(cited, sentence=sentence)

    def _best(self, claims: Iterable[str], source: PromptSource) -> Support:
        return max((self._support(claim, source) for claim in claims), key=lambda support: support.probability)

    def _support(self, claim: str, source: PromptSource) -> Support:
        key = (claim, source.number)
        if key not in self._supports:
            self._supports[key] = self._judge.judge(claim, *_evidence(source))
        return self._supports[key]

    def _corrected(self, statement: AnswerSentence, moved: Mapping[Mark, int]) -> str:
        """The sentence with the numbers of its marks put right; a mark that needs none stays as it was written."""
        pieces, done = [], statement.start
        for mark, claim in statement.written:
            numbers = [moved.get(Mark(number, claim), number) for number in mark.numbers]
            if tuple(numbers) != mark.numbers:
                pieces += [self._answer[done : mark.first], mark.digits(numbers)]
                done = mark.last
        return "".join([*pieces, self._answer[done : statement.end]])


def _same(statement: AnswerSentence, mark: Mark) -> list[int]:
    """The sources cited for the same words as a mark's, its own among them."""
    return [other.number for other in statement.marks if other.claim == mark.claim]


def _claims(found: Sequence[AnswerSentence]) -> dict[str, None]:
    """The different claims of the statements, as far as they are judged, in order."""
    claims: dict[str, None] = {}
    for statement in found:
        if statement.marks or statement.is_factual:
            wanted = dict.fromkeys([statement.claim, *(mark.claim for mark in statement.marks)])
            if statement.listing or len(claims.keys() | wanted.keys()) > MOST_CLAIMS:
                continue
            claims |= wanted
    return claims


def _listed(found: Sequence[AnswerSentence]) -> dict[int, list[str]]:
    """For each listing of sources, by where it starts, the claims since the statements of the listing before it."""
    listed: dict[int, list[str]] = {}
    claims: list[str] = []
    before: AnswerSentence | None = None
    for statement in found:
        if not statement.listing and before is not None and before.listing:
            claims = []
        if statement.is_factual:
            claims.append(statement.claim)
        listed[statement.start] = claims if statement.listing else []
        before = statement
    return listed


def _cited(number: int, source: PromptSource, support: Support, verdict: Verdict) -> Citation:
    hit = source.hit
    return Citation(
        number,
        "",
        verdict == Verdict.SUPPORTED,
        hit.uri,
        hit.location.part(hit.text, support.start, support.end),
        hit.text[support.start : support.end],
        verdict,
    )


def _evidence(source: PromptSource) -> Evidence:
    """What a source is judged by: its passage, the title and headings above it, and its kind."""
    hit = source.hit
    return hit.text, f"{hit.title}\n{hit.context}", hit.kind


def _confidence(prompt: Prompt, results: Sequence[_Result], chance: float | None) -> float:
    verdicts = [result.verdict for result in results if result.verdict is not None]
    if not verdicts or not prompt.sources:
        return 0.0
    if chance is None:
        # Of what was read, how likely it answers; of what was not, how likely it is relevant.
        hits = [source.hit for source in prompt.sources]
        chance = max(hit.reading.answers if hit.reading else hit.relevance for hit in hits)
    return min(1.0, max(0.0, chance)) * verdicts.count(Verdict.SUPPORTED) / len(verdicts)


def _is_foreign(answer: str, sources: Sequence[PromptSource]) -> bool:
    """Whether the answer is in a language that none of its sources is in."""
    if not sources or sum(map(str.isalpha, answer[: _TELLING * 4])) < _TELLING:
        return False
    return detect_language(answer) not in {detect_language(source.hit.text) for source in sources}


def _with_flag(result: _Result) -> str:
    flag = {Verdict.UNSUPPORTED: UNSUPPORTED, Verdict.UNCHECKED: UNCHECKED}.get(result.verdict or Verdict.SUPPORTED)
    if result.background is not None:
        flag = UNVERIFIED.format(card=result.background.card)
    return _inside(result.sentence, f" {flag}", len(result.sentence)) if flag else result.sentence


def _inside(sentence: str, added: str, place: int) -> str:
    """The sentence with something added at its end, or at the end of its last cell where it is the row of a table."""
    if sentence.startswith("|") and sentence.endswith("|") and len(sentence) > 1:
        place = len(sentence[:-1].rstrip())
    return sentence[:place] + added + sentence[place:]
