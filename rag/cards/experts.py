"""The experts behind cards: each turns a question into short texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from connectors.errors import PilotfishError
from rag.cards.card import Card, CardError, CardKind
from rag.cards.glossary import Glossary, read_glossary
from rag.prompting.prompt import Message
from rag.searchable import Searchable

if TYPE_CHECKING:
    from connectors.document import Location
    from rag.llm.base import LLM

TERMS_FILE = "terms.jsonl"
_MOST_PASSAGES = 3
_MOST_TERMS = 8
_ANSWER_TOKENS = 160
_SECONDS = 60.0
OpenBase = Callable[[Path], Searchable]
_NOTHING = re.compile(r"[\W_]*(?:nothing|none)?[\W_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """A text that a card offers.

    Attributes:
        text: what it says.
        relevance: the probability that it answers the question, where the card itself can tell; else None.
        whole: whether it is to be judged as one, and not sentence by sentence.
        uri: the document in which it stands; empty where it stands nowhere, as is `location`.
        location: where in it.
    """

    text: str
    relevance: float | None = None
    whole: bool = False
    uri: str = ""
    location: Location | None = None

    def origin(self, start: int, end: int) -> str:
        """Where `text[start:end]` stands, for people; empty where it stands nowhere."""
        return self.location.part(self.text, start, end).of(self.uri) if self.location else ""


class Expert(Protocol):
    """A card that can be asked."""

    def offer(self, question: str) -> list[Offer]:
        """What it has to say to `question`, the best first.

        Raises:
            CardError: it cannot answer.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds open."""
        ...


class GlossaryExpert:
    """Gives the definitions of the terms in a question."""

    def __init__(self, terms: Path) -> None:
        self.glossary = Glossary(read_glossary(terms))

    def offer(self, question: str) -> list[Offer]:
        """The terms with their definitions; a term that is named is relevant."""
        return [Offer(str(term), relevance=1.0, whole=True) for term in self.glossary.mentioned(question)[:_MOST_TERMS]]

    def close(self) -> None:
        """Nothing is held open."""


class KnowledgeBaseExpert:
    """Gives the passages of another knowledge base that pass its own relevance threshold."""

    def __init__(self, base: Searchable) -> None:
        self._base = base

    def offer(self, question: str) -> list[Offer]:
        """The best few passages, each with the place where it stands."""
        found = self._base.search(question, _MOST_PASSAGES)
        return [
            Offer(hit.text, relevance=hit.relevance, uri=hit.uri, location=hit.location)
            for hit in found
            if hit.relevance >= found.min_relevance
        ]

    def close(self) -> None:
        """Close the other knowledge base."""
        self._base.close()


class ModelExpert:
    """A language model that writes what it knows."""

    def __init__(self, card: Card, llm: LLM, asked: Callable[[str], list[Message]] | None = None) -> None:
        self._card = card
        self._llm = llm
        self._asked = asked or self._chat

    def offer(self, question: str) -> list[Offer]:
        """One text; its sentences are judged one by one, as a model says true and false things in one breath."""
        from rag.llm.base import complete
        from rag.llm.reply import LLMError

        try:
            text = complete(self._llm, self._asked(question), max_tokens=_ANSWER_TOKENS, timeout=_SECONDS)
        except LLMError as error:
            raise CardError(f"the card {self._card.name!r} cannot answer: {error}", hint=error.hint) from error
        return [] if _NOTHING.fullmatch(text) else [Offer(text)]

    def close(self) -> None:
        """The model goes with the object."""

    def _chat(self, question: str) -> list[Message]:
        system = (
            f"You are an expert on: {self._card.description}\n"
            "Write down, in at most three short sentences, facts you are sure of that help to answer the question. "
            "Do not mention the question. If you know none, write: nothing"
        )
        return [Message("system", system), Message("user", question)]


def open_expert(card: Card, home: Path, open_base: OpenBase) -> Expert:
    """The expert behind `card`, whose own files lie in the folder `home`; `open_base` opens another knowledge base.

    Raises:
        CardError: it cannot be opened.
    """
    try:
        if card.kind is CardKind.GLOSSARY:
            return GlossaryExpert(home / TERMS_FILE)
        if card.kind is CardKind.KB:
            return KnowledgeBaseExpert(open_base(Path(card.target)))
        return _model(card, home)
    except CardError:
        raise
    except PilotfishError as error:
        raise CardError(f"the card {card.name!r} cannot be opened: {error}", hint=error.hint) from error


def _model(card: Card, home: Path) -> Expert:
    lora = card.settings.get("lora")
    if lora is None:
        from rag.llm.loading import load_llm

        return ModelExpert(card, load_llm(card.target, base_url=card.settings.get("base_url")))
    from rag.llm.local import LocalLLM

    model = LocalLLM(card.target.removeprefix("local:"), lora=home / lora)
    if "trained" not in card.settings:
        return ModelExpert(card, model)
    return ModelExpert(card, model, lambda question: [Message("user", question)])
