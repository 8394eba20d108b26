"""The LLM protocol: text in, text out, with limits on replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from connectors.errors import ConfigurationError
from rag.llm.reply import ANSWER_TOKENS, EmptyReplyError, Reply
from rag.llm.usage import Usage
from rag.prompting.prompt import Message, Prompt

_LEAST_WINDOW = 8_192  # tokens, of a model that is no small one


@runtime_checkable
class LLM(Protocol):
    """A large model as a black box."""

    @property
    def name(self) -> str:
        """The spec it was made from, for people."""
        ...

    @property
    def window(self) -> int | None:
        """How many tokens prompt and answer may take together; None when that is not known or has no bound."""
        ...

    @property
    def can_write(self) -> bool:
        """Whether it writes whatever it is asked to; `extractive` only quotes sources."""
        ...

    def count(self, text: str) -> int:
        """The tokens of `text`: exact where the model's own tokenizer is at hand, else an estimate on the safe side."""
        ...

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """Start an answer to `prompt`. Errors while it arrives are `LLMError`s."""
        ...


class DelegatingLLM:
    """Passes everything on to `llm`: the base of classes that change one thing about an LLM."""

    def __init__(self, llm: LLM) -> None:
        self.name = llm.name
        self.can_write = llm.can_write
        self._llm = llm

    @property
    def window(self) -> int | None:
        """The model's, which may only be known once it is loaded."""
        return self._llm.window

    def count(self, text: str) -> int:
        """As the model counts."""
        return self._llm.count(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """The model's reply."""
        return self._llm.stream(prompt, question)


def is_small(llm: LLM) -> bool:
    """Whether `llm` is a small model, as its window tells: it copies an example, and writes no SQL that runs."""
    return llm.window is not None and llm.window < _LEAST_WINDOW


def complete(
    llm: LLM,
    messages: Sequence[Message] | Prompt,
    *,
    max_tokens: int = ANSWER_TOKENS,
    timeout: float | None = None,
    on_usage: Callable[[Usage], None] | None = None,
) -> str:
    """What `llm` writes in reply to `messages`, whole and stripped: for the short jobs beside an answer.

    Args:
        llm: any that can write.
        messages: what it is sent.
        max_tokens: bounds the reply.
        timeout: seconds for the whole reply, where the LLM's own limits are not tighter.
        on_usage: hears what the reply took.

    Returns:
        The text; empty where the model had nothing to say, which is a reply to some jobs.

    Raises:
        ConfigurationError: `llm` only quotes sources.
        LLMError: it failed or took too long.

    Example:
        >>> from rag.llm.loading import as_llm
        >>> complete(as_llm(lambda messages: " Paris "), [Message("user", "The capital of France?")])
        'Paris'
    """
    if not llm.can_write:
        raise ConfigurationError(f"the LLM {llm.name!r} only quotes sources", hint="use local or openai:MODEL")
    if not isinstance(messages, Prompt):
        sent = tuple(messages)
        messages = Prompt(sent, (), (), sum(llm.count(message.content) for message in sent))
    with llm.stream(messages, "") as reply:
        reply.limits = reply.limits.within(tokens=max_tokens, seconds=timeout)
        try:
            text = "".join(reply).strip()
        except EmptyReplyError:
            text = ""
    if on_usage is not None:
        on_usage(reply.usage)
    return text


Complete = Callable[[list[Message], int], str]
"""Has the LLM write a short text: the messages, and how many tokens at most."""
