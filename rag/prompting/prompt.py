"""The Prompt: messages for an LLM, their numbered sources, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.document import Location
from rag.retrieval.hit import Hit


@dataclass(frozen=True, slots=True)
class Message:
    """One message for the LLM: role `system` or `user`, and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class PromptSource:
    """A numbered source in a prompt; `text` is the part of the hit that the LLM sees, in whole sentences.

    `spans` are the stretches of `hit.text` that are shown; `text` is they, with a sign for what is left out between.
    """

    number: int
    hit: Hit
    text: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A question of a conversation as it was asked, and its answer; not `answered` where that says there is none."""

    question: str
    answer: str
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A solved example: shows the LLM how to answer, and is not evidence. `similarity` is its cosine, in [-1, 1]."""

    question: str
    answer: str
    similarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Background:
    """A statement of the card `card` that the knowledge base does not support: never a source.

    `origin` is where that stands, for people, where the card knows.
    """

    card: str
    text: str
    origin: str = ""


class PromptPart(StrEnum):
    """The parts of a prompt besides its instructions and the question."""

    SOURCE = "source"
    BACKGROUND = "background"
    DEMONSTRATION = "demonstration"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something left out of the prompt, and why.

    Attributes:
        reason: why.
        part: what it would have been in the prompt.
        uri: the document of a hit.
        location: where in it.
        text: of a hit its title, of background its card, of a demonstration or an earlier turn the question.
    """

    reason: str
    part: PromptPart
    uri: str = ""
    location: Location | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """The messages for the LLM, their content besides the question, and what was left out and why.

    `fence` is the name of the tags around all that is quoted; it occurs in none of it.
    """

    messages: tuple[Message, ...]
    sources: tuple[PromptSource, ...]
    left_out: tuple[LeftOut, ...]
    tokens: int
    background: tuple[Background, ...] = ()
    demonstrations: tuple[Demonstration, ...] = ()
    history: tuple[Turn, ...] = ()
    fence: str = ""
