"""Renders a prompt as text: fills the sections of a template, and fences everything that comes from outside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rag.prompting.fencing import clip, fence, label, quoted
from rag.prompting.prompt import Background, Demonstration, Message, PromptPart, PromptSource, Turn
from rag.prompting.templates import Template
from rag.retrieval.hit import Hit
from rag.text.citation_marks import find_marks

_MOST_CONTEXT = 400
_PLURALS = {
    PromptPart.BACKGROUND: "background",
    PromptPart.DEMONSTRATION: "demonstrations",
    PromptPart.HISTORY: "history",
}


class PromptRenderer:
    """Renders the parts of one prompt. Its fence occurs in none of the texts given to it.

    Attributes:
        question: what is asked; may be cut.
        fence: the name of the tags around what is quoted.
    """

    def __init__(
        self,
        template: Template,
        question: str,
        hits: Sequence[Hit],
        background: Sequence[Background] = (),
        demonstrations: Sequence[Demonstration] = (),
        history: Sequence[Turn] = (),
        *,
        not_answered: str,
    ) -> None:
        # A command line may hold bytes that are no text; a message must be encodable.
        self.question = question.encode("utf-8", "replace").decode()
        self._template = template
        pairs: list[Demonstration | Turn] = [*demonstrations, *history]
        self.fence = fence(
            [
                question,
                *(part for hit in hits for part in (hit.title, hit.context, hit.text)),
                *(part for item in background for part in (item.card, item.text)),
                *(part for item in pairs for part in (item.question, item.answer)),
            ]
        )
        self._not_answered = not_answered

    def messages(
        self,
        sources: Sequence[PromptSource],
        background: Sequence[Background],
        demonstrations: Sequence[Demonstration],
        history: Sequence[Turn],
    ) -> tuple[Message, Message]:
        """The two messages that the model is sent."""
        system = self._template.render("system", {"fence": self.fence, "not_answered": self._not_answered})
        user = self._template.render(
            "user",
            {
                "question": quoted(self.question),
                "sources": "\n\n".join(map(self.source, sources)),
                "background": self._joined(PromptPart.BACKGROUND, background),
                "demonstrations": self._joined(PromptPart.DEMONSTRATION, demonstrations),
                "history": self._joined(PromptPart.HISTORY, history),
            },
        )
        return Message("system", system), Message("user", user)

    def has_place(self, part: PromptPart) -> bool:
        """Whether the template shows this part at all."""
        return _PLURALS[part] in self._template.names("user")

    def beside(self, part: PromptPart, items: Sequence[object]) -> str:
        """What a part takes of the user's message, the words that introduce it among them."""
        empty = dict.fromkeys(("question", "sources", *_PLURALS.values()), "")
        return self._template.render("user", {**empty, _PLURALS[part]: self._joined(part, items)})

    def source(self, source: PromptSource) -> str:
        """A source between its fences, with its title, its place and its context (headings, table header)."""
        hit = source.hit
        context = clip(hit.context.strip(), _MOST_CONTEXT)
        return self._template.render(
            "source",
            {
                "fence": self.fence,
                "number": str(source.number),
                "title": label(hit.title),
                "where": label(str(hit.location)),
                "context": quoted(context) if context != hit.title else "",
                "text": quoted(source.text),
            },
        )

    def _joined(self, part: PromptPart, items: Sequence[object]) -> str:
        if part is PromptPart.BACKGROUND:
            items = _by_card(items)
        return "\n\n".join(self._template.render(part, self._values(item)) for item in items)

    def _values(self, item: object) -> dict[str, str]:
        if isinstance(item, Background):
            return {"fence": self.fence, "card": label(item.card), "text": quoted(item.text)}
        if isinstance(item, Turn):
            return {"fence": self.fence, "question": quoted(item.question), "answer": quoted(_unmarked(item.answer))}
        if isinstance(item, Demonstration):
            return {"fence": self.fence, "question": quoted(item.question), "answer": quoted(item.answer)}
        raise TypeError(f"{item!r} is no part of a prompt")


def _by_card(items: Sequence[object]) -> list[Background]:
    """What each card says in one piece: a fence around every sentence would take more room than the sentence."""
    said = sorted((item for item in items if isinstance(item, Background)), key=lambda one: one.card)
    return [Background(card, " ".join(one.text for one in mine)) for card, mine in groupby(said, lambda one: one.card)]


def _unmarked(answer: str) -> str:
    """An earlier answer without its citations: their numbers mean other sources now."""
    pieces, done = [], 0
    for mark in find_marks(answer):
        if not mark.prose:
            pieces.append(answer[done : mark.start])
            done = mark.end
    return "".join([*pieces, answer[done:]])
