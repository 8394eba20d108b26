"""LLMs that somebody else runs: LangChain chat models (OpenAI-compatible servers among them) and plain callables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeGuard

from connectors.errors import ConfigurationError
from rag.llm import ANSWER_TOKENS, LLMError, Reply, estimate_tokens
from rag.results import Prompt, Usage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessageChunk

_TIMEOUT_SECONDS = 120.0
_RETRIES = 1
# The SDK insists on a key; servers on the own machine mostly ask for none.
_NO_KEY = "none"


def is_chat_model(model: object) -> TypeGuard[BaseChatModel]:
    """Whether `model` is a LangChain chat model; never imports LangChain to find out."""
    module = sys.modules.get("langchain_core.language_models.chat_models")
    return module is not None and isinstance(model, module.BaseChatModel)


class CallableLLM:
    """A callable that takes `[{"role", "content"}, …]` and returns the answer, or an iterable of its pieces."""

    window = None

    def __init__(self, function: Callable[[list[dict[str, str]]], object], name: str = "") -> None:
        self.name = name or getattr(function, "__name__", type(function).__name__)
        self._function = function

    def count(self, text: str) -> int:
        """Estimated: nothing is known of the tokenizer."""
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:  # noqa: ARG002 — the prompt carries the question
        """Call the function; its pieces arrive as it yields them."""
        return Reply(partial(self._pieces, prompt))

    def _pieces(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        written = 0
        try:
            result = self._function([{"role": m.role, "content": m.content} for m in prompt.messages])
            for piece in self._checked(result):
                written += self.count(piece)
                yield piece
        except LLMError:
            raise
        except Exception as error:
            raise LLMError(
                f"the LLM {self.name!r} raised {type(error).__name__}: {error}", hint="the fault is in that callable"
            ) from error
        reply.usage = Usage(prompt.tokens, written)

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
    """A LangChain chat model."""

    window = None

    def __init__(self, model: BaseChatModel, name: str = "") -> None:
        self.name = name or str(model.name or type(model).__name__)
        self._model = model

    def count(self, text: str) -> int:
        """Estimated: LangChain's own counter would fetch a tokenizer from the network."""
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:  # noqa: ARG002 — the prompt carries the question
        """Stream the answer; usage is the model's own where it reports one."""
        return Reply(partial(self._pieces, prompt))

    def _pieces(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        from langchain_core.messages import HumanMessage, SystemMessage

        kinds = {"system": SystemMessage, "user": HumanMessage}
        messages = [kinds[message.role](message.content) for message in prompt.messages]
        asked = written = estimated = 0
        try:
            for chunk in self._model.stream(messages):
                asked, written = _add_usage(chunk, asked, written)
                if text := str(chunk.text):
                    estimated += self.count(text)
                    yield text
        except Exception as error:
            raise _explained(error, self.name) from error
        reply.usage = Usage(asked or prompt.tokens, written or estimated)


def openai_chat_model(model: str, base_url: str | None) -> BaseChatModel:
    """A chat model on OpenAI or, with `base_url`, on any server that speaks its protocol; key: OPENAI_API_KEY."""
    try:
        from langchain_openai import ChatOpenAI
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"the LLM 'openai:{model}' needs {error.name}", hint="pip install 'pilotfish[openai]'"
        ) from error
    key = os.environ.get("OPENAI_API_KEY", "")
    base_url = base_url or os.environ.get("OPENAI_BASE_URL") or None
    if not key and base_url is None:
        raise ConfigurationError(
            f"the LLM 'openai:{model}' needs a key", hint="set OPENAI_API_KEY, or name your own server by --base-url"
        )
    return ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=lambda: key or _NO_KEY,
        # OpenAI's reasoning models refuse any temperature.
        temperature=None if re.match(r"o\d", model) else 0,
        max_completion_tokens=ANSWER_TOKENS,
        timeout=_TIMEOUT_SECONDS,
        max_retries=_RETRIES,
        stream_usage=True,
    )


def _add_usage(chunk: BaseMessageChunk, asked: int, written: int) -> tuple[int, int]:
    usage = getattr(chunk, "usage_metadata", None)
    if not usage:
        return asked, written
    return asked + usage["input_tokens"], written + usage["output_tokens"]


def _explained(error: Exception, name: str) -> LLMError:
    """What went wrong, in words. The OpenAI SDK's errors are told by name: other SDKs follow its names and status."""
    status = getattr(error, "status_code", None)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    message = f"the LLM {name!r} failed: {type(error).__name__}: {error}"
    if "APITimeoutError" in kinds:
        return LLMError(f"the LLM {name!r} did not answer within {_TIMEOUT_SECONDS:.0f} s", hint="is the server busy?")
    if "APIConnectionError" in kinds:
        url = getattr(getattr(error, "request", None), "url", "its server")
        return LLMError(
            f"the LLM {name!r} cannot be reached at {url}", hint="is the server running, and the URL right?"
        )
    hints = {
        401: "the server refused the key: check OPENAI_API_KEY",
        403: "the key may not use this model",
        404: "check the model's name and the base URL (most servers want it to end in /v1)",
        429: "too many requests or no credit left: wait, or use another model",
    }
    return LLMError(message, hint=hints.get(status, "") if isinstance(status, int) else "")
