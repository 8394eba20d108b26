"""LLMs that the caller provides: LangChain chat models and plain callables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from rag.llm.reply import LLMError, Reply, ReplyLimits, Stop
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from rag.prompting.prompt import Message, Prompt

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage, BaseMessageChunk

_LONGEST_MESSAGE = 500  # characters of what somebody else's error says


def is_chat_model(model: object) -> TypeGuard[BaseChatModel]:
    """Whether `model` is a LangChain chat model; never imports LangChain to find out."""
    module = sys.modules.get("langchain_core.language_models.chat_models")
    return module is not None and isinstance(model, module.BaseChatModel)


class CallableLLM:
    """A callable that takes `[{"role", "content"}, …]` and returns the answer, or an iterable of its pieces.

    It is called in a thread of its own. It is called once: whether it may be called again, only its author knows.
    """

    can_write = True

    def __init__(
        self,
        function: Callable[[list[dict[str, str]]], object],
        name: str = "",
        *,
        window: int | None = None,
        limits: ReplyLimits | None = None,
    ) -> None:
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self.window = window
        self._function = function
        self._limits = limits

    def count(self, text: str) -> int:
        """Estimated: nothing is known of the tokenizer."""
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:  # noqa: ARG002 — the prompt carries the question
        """Call the function; its pieces arrive as it yields them."""
        return Reply(partial(self._pieces, prompt), self.name, self._limits)

    def _pieces(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        reply.usage = Usage(prompt.tokens, 0)
        try:
            result = self._function([{"role": m.role, "content": m.content} for m in prompt.messages])
            for piece in self._checked(result):
                reply.usage += Usage(0, self.count(piece))
                yield piece
        except LLMError:
            raise
        except Exception as error:
            raise LLMError(
                f"the LLM {self.name!r} raised {type(error).__name__}: {error}", hint="the fault is in that callable"
            ) from error

    def _checked(self, result: object) -> Iterator[str]:
        if isinstance(result, str):
            result = (result,)
        if not isinstance(result, Iterable) or isinstance(result, bytes | dict):
            raise self._not_text(result)
        for piece in result:
            if not isinstance(piece, str):
                raise self._not_text(piece)
            yield piece

    def _not_text(self, value: object) -> LLMError:
        return LLMError(
            f"the LLM {self.name!r} returned {type(value).__name__} instead of text",
            hint="return a str, or an iterator of str",
        )


class ChatModelLLM:
    """A LangChain chat model. Its own time-outs and retries apply in addition to the limits here."""

    can_write = True

    def __init__(
        self, model: BaseChatModel, name: str = "", *, window: int | None = None, limits: ReplyLimits | None = None
    ) -> None:
        self.name = name or str(model.name or type(model).__name__)
        self._model = model
        self._window = window
        self._limits = limits or ReplyLimits()

    @property
    def window(self) -> int | None:
        """As it was given: nothing tells it of a chat model in general."""
        return self._window

    def count(self, text: str) -> int:
        """Estimated: LangChain's own counter would fetch a tokenizer from the network."""
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:  # noqa: ARG002 — the prompt carries the question
        """Stream the answer; usage is the model's own where it reports one."""
        return Reply(partial(self._pieces, prompt), self.name, self._limits)

    def _pieces(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        try:
            yield from self._texts(prompt, reply)
        except Exception as error:
            raise self._explained(error) from error

    def _texts(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        """One attempt: the pieces that say something. It may be left before its end, and then closes the connection."""
        asked = written = estimated = 0
        reply.usage = Usage(prompt.tokens, 0)
        chunks = self._model.stream(_as_langchain(prompt.messages), **self._parameters(prompt, reply))
        try:
            for chunk in chunks:
                asked, written = _add_usage(chunk, asked, written)
                text = str(chunk.text)
                estimated += self._estimate(text)
                reply.usage = Usage(asked or prompt.tokens, written or estimated)
                if chunk.response_metadata.get("finish_reason") == "length":
                    reply.stopped = Stop.LENGTH
                if text:
                    yield text
        finally:
            if isinstance(chunks, Generator):
                chunks.close()

    def _estimate(self, text: str) -> int:
        return estimate_tokens(text)

    def _parameters(self, prompt: Prompt, reply: Reply) -> dict[str, Any]:  # noqa: ARG002 — for those that know more
        """What is sent beside the messages: nothing, as models differ in what they understand."""
        return {}

    def _explained(self, error: Exception) -> LLMError:
        return failed(self.name, error)


def failed(name: str, error: Exception, hint: str = "") -> LLMError:
    """What somebody else's error says, at a length that can be read."""
    said = str(error)
    if len(said) > _LONGEST_MESSAGE:
        said = f"{said[:_LONGEST_MESSAGE]}…"
    return LLMError(f"the LLM {name!r} failed: {type(error).__name__}: {said}", hint=hint)


def _as_langchain(messages: Iterable[Message]) -> list[BaseMessage]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](message.content) for message in messages]


def _add_usage(chunk: BaseMessageChunk, asked: int, written: int) -> tuple[int, int]:
    usage = getattr(chunk, "usage_metadata", None)
    if not usage:
        return asked, written
    return asked + usage["input_tokens"], written + usage["output_tokens"]
