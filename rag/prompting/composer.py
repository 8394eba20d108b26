"""The composer: turns hits into messages for the LLM, within a token budget, with documents fenced as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from connectors.document import CODE, ROW
from connectors.errors import ConfigurationError
from connectors.sentences import sentence_spans
from rag.prompting.budget import Item, PromptShares, fitted
from rag.prompting.compression import Compressor, Passage, Spans
from rag.prompting.ordering import arranged
from rag.prompting.prompt import Background, Demonstration, LeftOut, Message, Prompt, PromptPart, PromptSource, Turn
from rag.prompting.rendering import PromptRenderer
from rag.prompting.templates import Template, load_template
from rag.retrieval.hit import Hit
from rag.text.near_duplicates import Fingerprint
from rag.text.sentence_encoder import SentenceEncoder

NOT_ANSWERED = "The sources do not answer this question."

# What a chat template puts around one message: roles and separators, 4 to 7 tokens in the templates in use.
_MESSAGE_OVERHEAD = 8
_NO_ROOM = "over the token budget"
_NO_PLACE = "the template has no place for it"


@dataclass(frozen=True, slots=True)
class Composer:
    """Builds prompts of at most `budget` tokens, as counted by `count`.

    Background, demonstrations and history get at most their `shares`, and what the evidence does not need; all else is
    for the evidence. Where the passages do not fit, their sentences compete for the room (`rag.prompting.compression`).
    Near- duplicates, passages below the relevance threshold and whatever finds no room are left out, each with its
    reason. The numbers of the sources ascend; in a long prompt the best stands first and the second best last
    (`rag.prompting.ordering`).

    Attributes:
        budget: in tokens.
        count: the tokens of a text.
        encoder: compares sentences with the question; without one their words do.
        template: how the prompt is worded.
        shares: what may stand beside the evidence.

    Example:
        >>> composer = Composer(budget=400, count=lambda text: len(text.split()))
        >>> composer.compose("How long is the warranty?", []).sources
        ()
    """

    budget: int
    count: Callable[[str], int]
    encoder: SentenceEncoder | None = None
    template: Template = field(default_factory=load_template)
    shares: PromptShares = field(default_factory=PromptShares)

    def compose(
        self,
        question: str,
        hits: Sequence[Hit],
        *,
        min_relevance: float = 0.0,
        unanswered: bool = False,
        background: Sequence[Background] = (),
        demonstrations: Sequence[Demonstration] = (),
        history: Sequence[Turn] = (),
    ) -> Prompt:
        """The prompt for `question`; without a usable hit it has no sources.

        Args:
            question: what is asked.
            hits: what may become a source.
            min_relevance: what a hit needs to be one, unless it was read and counts as an answer.
            unanswered: that no hit answers: none becomes a source.
            background: what cards say and nobody has checked, the most wanted first.
            demonstrations: solved examples, the most similar first.
            history: the questions and answers before this one, the oldest first.

        Raises:
            ConfigurationError: the budget cannot even hold the instructions.
        """
        page = PromptRenderer(
            self.template, question, hits, background, demonstrations, history, not_answered=NOT_ANSWERED
        )
        draft = _Draft(self, page, lru_cache(None)(self.count))
        draft.fit_question()
        usable = _usable(hits, min_relevance, unanswered=unanswered)
        room = self.budget - draft.tokens
        while True:
            draft.fill_beside(room, usable, background, demonstrations, history)
            draft.fill_sources(room, usable)
            overflow = draft.tokens - self.budget
            if overflow <= 0:
                return draft.prompt()
            # Tokens of the whole can exceed the sum of the parts' by a few: try again with that much less.
            room -= max(overflow, room // 50)


@dataclass(frozen=True, slots=True)
class _Usable:
    """The hits that may become sources, by rank; why others may not; for near-duplicates, the hit they repeat."""

    hits: tuple[Hit, ...]
    left_out: tuple[LeftOut, ...]
    twins: tuple[tuple[Hit, Hit], ...]


def _usable(hits: Sequence[Hit], min_relevance: float, *, unanswered: bool) -> _Usable:
    kept: list[Hit] = []
    seen: list[Fingerprint] = []
    left_out, twins = [], []
    for hit in sorted(hits, key=lambda hit: hit.rank):
        if hit.relevance < min_relevance and not (hit.reading is not None and hit.reading.holds):
            left_out.append(_without(hit, f"relevance {hit.relevance:.2f} is below the threshold {min_relevance:.2f}"))
            continue
        if unanswered:
            left_out.append(_without(hit, "it does not answer the question"))
            continue
        fingerprint = Fingerprint(hit.text)
        twin = next((n for n, other in enumerate(seen) if fingerprint.adds_nothing_to(other)), None)
        if twin is not None:
            twins.append((hit, kept[twin]))
            continue
        kept.append(hit)
        seen.append(fingerprint)
    return _Usable(tuple(kept), tuple(left_out), tuple(twins))


class _Draft:
    """A prompt in the making."""

    def __init__(self, composer: Composer, page: PromptRenderer, count: Callable[[str], int]) -> None:
        self._composer = composer
        self._page = page
        self._count = count
        self._sources: list[PromptSource] = []
        self._background: list[Background] = []
        self._demonstrations: list[Demonstration] = []
        self._history: list[Turn] = []
        self._hits_out: list[LeftOut] = []
        self._beside_out: list[LeftOut] = []
        self._compressor: Compressor | None = None
        self._spare = 0

    @property
    def messages(self) -> tuple[Message, Message]:
        return self._page.messages(self._sources, self._background, self._demonstrations, self._history)

    @property
    def tokens(self) -> int:
        return sum(self._count(message.content) + _MESSAGE_OVERHEAD for message in self.messages)

    def prompt(self) -> Prompt:
        return Prompt(
            self.messages,
            tuple(self._sources),
            (*self._hits_out, *self._beside_out),
            self.tokens,
            tuple(self._background),
            tuple(self._demonstrations),
            tuple(self._history),
            self._page.fence,
        )

    def fit_question(self) -> None:
        """Cut an endless question, which may take at most half of what the instructions leave."""
        asked, self._page.question = self._page.question, ""
        budget = self._composer.budget
        spare = budget - self.tokens
        if spare < 0:
            raise ConfigurationError(
                f"a prompt budget of {budget} tokens cannot hold the instructions, which take {self.tokens}",
                hint="allow a larger budget, or use a model with a larger window",
            )
        self._page.question = _cut(asked, spare // 2, self._count)
        while self._page.question and self.tokens > budget:
            self._page.question = self._page.question[: len(self._page.question) // 2]

    def fill_beside(
        self,
        room: int,
        usable: _Usable,
        background: Sequence[Background],
        demonstrations: Sequence[Demonstration],
        history: Sequence[Turn],
    ) -> None:
        """Choose anew what stands beside the evidence, each part within its share of `room` tokens.

        What the evidence is certain of and does not need goes to them, in this order.
        """
        shares, self._beside_out = self._composer.shares, []
        self._spare = max(0, int(shares.evidence * room) - self._whole_cost(usable.hits))
        newest_first = self._part(
            PromptPart.HISTORY, history[::-1], int(shares.history * room), lambda one: one.question, _shorter_turn
        )
        self._history = newest_first[::-1]
        self._background = self._part(
            PromptPart.BACKGROUND, background, int(shares.background * room), lambda one: one.card, _shorter_background
        )
        self._demonstrations = self._part(
            PromptPart.DEMONSTRATION, demonstrations, int(shares.demonstrations * room), lambda one: one.question
        )

    def _part(
        self,
        part: PromptPart,
        items: Sequence[Item],
        share: int,
        name: Callable[[Item], str],
        shortened: Callable[[Item], Sequence[Item]] = lambda _: (),
    ) -> list[Item]:
        """The items that fit into `share` tokens and what is spare; the others are left out, with the reason."""
        if not items:
            return []
        has_place = self._page.has_place(part)
        room = share + self._spare
        kept = fitted(items, room, lambda some: self._cost(part, some), shortened) if has_place else []
        self._spare -= max(0, self._cost(part, [shown for _, shown in kept]) - share)
        reason = f"over its share of the token budget ({room} tokens)" if has_place else _NO_PLACE
        whole = {id(item) for item, _ in kept}
        self._beside_out += [LeftOut(reason, part, text=name(item)) for item in items if id(item) not in whole]
        return [shown for _, shown in kept]

    def _cost(self, part: PromptPart, items: Sequence[object]) -> int:
        return self._count(self._page.beside(part, items) + "\n\n") if items else 0

    def fill_sources(self, room: int, usable: _Usable) -> None:
        """Choose the sources anew, for what `room` tokens leave once the other parts have theirs."""
        for part, items in (
            (PromptPart.BACKGROUND, self._background),
            (PromptPart.DEMONSTRATION, self._demonstrations),
            (PromptPart.HISTORY, self._history),
        ):
            room -= self._cost(part, items)
        shown = self._shown(usable.hits, room)
        tokens = sum(self._count(_text(hit, spans)) for hit, spans in shown)
        self._sources = [
            PromptSource(number, hit, _text(hit, spans), spans)
            for number, (hit, spans) in enumerate(arranged(shown, tokens), 1)
        ]
        numbers = {id(source.hit): source.number for source in self._sources}
        self._hits_out = [
            *usable.left_out,
            *(_without(hit, _repeats(twin, numbers.get(id(twin)))) for hit, twin in usable.twins),
            *(_without(hit, _NO_ROOM) for hit in usable.hits if id(hit) not in numbers),
        ]

    def _shown(self, hits: Sequence[Hit], room: int) -> list[tuple[Hit, Spans]]:
        """The hits with what is shown of them: all of them whole where that fits, else the best of their sentences."""
        whole: list[tuple[Hit, Spans]] = [(hit, ((0, len(hit.text)),)) for hit in hits]
        if self._whole_cost(hits) <= room:
            return whole
        if self._compressor is None:
            passages = [_passage(hit) for hit in hits]
            self._compressor = Compressor(self._page.question, passages, self._count, self._composer.encoder)
        kept = self._compressor.within(room, lambda place: self._source_cost(hits[place], ""))
        return [(hit, spans) for hit, spans in zip(hits, kept, strict=True) if spans]

    def _whole_cost(self, hits: Sequence[Hit]) -> int:
        return sum(self._source_cost(hit, hit.text) for hit in hits)

    def _source_cost(self, hit: Hit, text: str) -> int:
        # The number of a source is not known yet; most have one digit, and the whole is counted in the end.
        return self._count(self._page.source(PromptSource(8, hit, text)) + "\n\n")


def _passage(hit: Hit) -> Passage:
    return Passage(hit.text, hit.relevance, by_line=hit.kind in {CODE, ROW})


def _text(hit: Hit, spans: Spans) -> str:
    return _passage(hit).extract(spans)


def _without(hit: Hit, reason: str) -> LeftOut:
    return LeftOut(reason, PromptPart.SOURCE, hit.uri, hit.location, hit.title)


def _repeats(twin: Hit, number: int | None) -> str:
    if number is None:
        return f"near-duplicate of {twin.location.of(twin.uri)}, which did not fit"
    return f"near-duplicate of source {number}"


def _shorter_background(item: Background) -> list[Background]:
    return [replace(item, text=text) for text in _beginnings(item.text)]


def _shorter_turn(turn: Turn) -> list[Turn]:
    return [replace(turn, answer=text) for text in _beginnings(turn.answer)]


def _beginnings(text: str) -> list[str]:
    """Ever fewer whole sentences of `text` from its beginning, half as many each time."""
    ends = [end for _, end in sentence_spans(text)][:-1]
    found = []
    while ends:
        found.append(text[: ends[-1]] + " […]")
        ends = ends[: len(ends) // 2]
    return found


def _cut(text: str, limit: int, count: Callable[[str], int]) -> str:
    """The longest beginning of `text` (by bisection) of at most `limit` tokens."""
    if count(text) <= limit:
        return text
    fits, over = 0, len(text)
    while over - fits > 1:
        middle = (fits + over) // 2
        if count(text[:middle]) <= limit:
            fits = middle
        else:
            over = middle
    return text[:fits].rstrip()
