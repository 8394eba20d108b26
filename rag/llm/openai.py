"""`openai:MODEL`: OpenAI, or any server that speaks its protocol (extra `openai`).

A busy server is asked again: a bounded number of times, with jitter, and only before anything was said.
"""

from __future__ import annotations

import importlib
import ipaddress
import os
import re
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.errors import ConfigurationError
from rag.llm.chat_models import ChatModelLLM, failed
from rag.llm.reply import LLMError, Reply, ReplyLimits
from rag.llm.worker import HandOver
from rag.prompting.prompt import Prompt

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI
    from tenacity import RetryCallState

# The SDK insists on a key; servers on the own machine mostly ask for none.
_NO_KEY = "none"
# What a server tells about itself is a convenience: it is not waited for as an answer is.
_FACTS_SECONDS = 5.0
# A reply of 512 tokens is some 150 KB of events; a server that sends a hundred times that is out of order.
_MOST_BYTES = 16_000_000
_ONCE: Any = {"timeout": _FACTS_SECONDS, "max_retries": 0}
ATTEMPTS = 3
# The wait grows from half a second; what a server asks for by Retry-After is honoured up to this.
LONGEST_WAIT_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.5
_MOST_JITTER_SECONDS = 0.5
_BUSY = {408, 429, 500, 502, 503, 504, 529}


class OpenAILLM(ChatModelLLM):
    """A model behind the protocol of OpenAI. What its server tells of the window is used, and where it is llama.cpp
    on this machine, its tokenizer.

    An attempt that fails for a passing reason before its first piece is repeated, here and not by the SDK.
    """

    def __init__(
        self, model: str, base_url: str | None = None, *, window: int | None = None, limits: ReplyLimits | None = None
    ) -> None:
        limits = limits or ReplyLimits()
        self._chat, self._url = _chat_model(model, base_url, limits)
        super().__init__(self._chat, f"openai:{model}", window=window, limits=limits)
        weakref.finalize(self, self._chat.root_client.close)  # connections are kept open from one reply to the next

    @property
    def window(self) -> int | None:
        """As it was given, else as the server tells it; None where it does not, as OpenAI's own."""
        return self._window or self._facts.window

    @property
    def identity(self) -> dict[str, object]:
        """What decides about a reply beside the messages."""
        return {"server": self._url, "model": self._chat.model_name, "temperature": self._chat.temperature}

    def count(self, text: str) -> int:
        """By the server's own tokenizer where it is llama.cpp on this machine, else estimated.

        Another machine is not sent text that may never become a part of a prompt, and would answer too slowly.
        """
        return self._facts.count(text) if self._facts.tokenizer else self._estimate(text)

    @cached_property
    def _facts(self) -> _Facts:
        return _Facts(self._chat, self._url)

    def _texts(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        yield from stream_with_retries(partial(super()._texts, prompt, reply), reply.pause)

    def _parameters(self, prompt: Prompt, reply: Reply) -> dict[str, Any]:
        room = reply.limits.tokens
        if self.window is not None:
            # Some servers refuse a request whose prompt and bound together go beyond the window.
            room = max(1, min(room, self.window - prompt.tokens))
        return {"max_completion_tokens": room}

    def _explained(self, error: Exception) -> LLMError:
        if isinstance(error.__cause__, LLMError):
            return error.__cause__
        return _explained(error, self.name, self._limits)


class CancelledError(Exception):
    """Nobody waits for the reply any longer."""


def stream_with_retries(start: Callable[[], Iterator[str]], pause: Callable[[float], bool]) -> Iterator[str]:
    """The pieces of `start()`, which is called again where it fails for a passing reason before its first piece.

    Args:
        start: begins an attempt.
        pause: waits for so many seconds; False where it was cancelled.

    Raises:
        CancelledError: during a wait.
        Exception: what the last attempt raised, or what came after the first piece: that is never asked for again.
    """
    from tenacity import Retrying, retry_if_exception, stop_after_attempt

    def sleep(seconds: float) -> None:
        if not pause(seconds):
            raise CancelledError

    def begin() -> tuple[str | None, Iterator[str]]:
        pieces = start()
        return next(pieces, None), pieces

    retrying = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        retry=retry_if_exception(is_passing),
        wait=_wait,
        sleep=sleep,
        reraise=True,
    )
    first, rest = retrying(begin)
    if first is not None:
        yield first
    yield from rest


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed a little later: no connection, too many requests, a fault of the server.

    Errors are told by name and status, as SDKs differ. One that ran out of time has had its time; one that is out of
    credit stays so; and a server that wants to be left alone for longer than we wait is left alone.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"APITimeoutError", "TimeoutException"}:
        return False
    if kinds & {"APIConnectionError", "TransportError", "ConnectionError"}:
        return True
    if getattr(error, "code", None) == "insufficient_quota" or retry_after(error) > LONGEST_WAIT_SECONDS:
        return False
    return getattr(error, "status_code", None) in _BUSY


def retry_after(error: BaseException | None) -> float:
    """The seconds that a server asks to wait, by its header Retry-After; 0 where it does not or makes no sense."""
    value = str(getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")).strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError, OverflowError):
        return 0.0
    return max(0.0, when.timestamp() - time.time())


def _wait(state: RetryCallState) -> float:
    from tenacity import wait_exponential, wait_random

    error = state.outcome.exception() if state.outcome is not None else None
    own = wait_exponential(_FIRST_WAIT_SECONDS)(state) + wait_random(0, _MOST_JITTER_SECONDS)(state)
    return max(own, min(retry_after(error), LONGEST_WAIT_SECONDS))


class _Facts:
    """What a server reports about itself, asked once; empty if it does not answer."""

    def __init__(self, chat: ChatOpenAI, url: str) -> None:
        self._client = chat.root_client
        self._root = re.sub(r"/v\d+/?$", "", url)
        self.window: int | None = None
        self.tokenizer = False
        if not url:
            return
        model = _entry(self._told(self._get, "/models"), chat.model_name)
        self.window = _positive(model.get("max_model_len")) or _positive(_mapping(model.get("meta")).get("n_ctx"))
        if "meta" in model:
            # llama.cpp: its models list tells the whole context, which the slots share.
            slot = _mapping(self._told(self._get, f"{self._root}/props")).get("default_generation_settings")
            self.window = _positive(_mapping(slot).get("n_ctx")) or self.window
            self.tokenizer = _is_this_machine(url) and self._tokens("a b") is not None

    def count(self, text: str) -> int:
        tokens = self._tokens(text)
        if tokens is None:
            raise LLMError(f"the tokenizer of {self._root} no longer answers", hint="is the server running?")
        return tokens

    def _tokens(self, text: str) -> int | None:
        tokens = _mapping(self._told(self._post, f"{self._root}/tokenize", {"content": text})).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    def _get(self, path: str) -> object:
        return self._client.get(path, cast_to=object, options=_ONCE)

    def _post(self, path: str, body: dict[str, str]) -> object:
        return self._client.post(path, cast_to=object, body=body, options=_ONCE)

    def _told(self, ask: Callable[..., object], *arguments: object) -> object:
        """What the server answers; None where it does not in time, or that is no answer."""

        def answer() -> Generator[object]:
            yield ask(*arguments)

        asking = HandOver(answer)
        try:
            return asking.next(_FACTS_SECONDS)
        except Exception:  # noqa: BLE001 — a server need not tell anything: whatever is wrong will show in the answer
            return None
        finally:
            asking.close()


def _entry(told: object, model: str) -> dict[str, object]:
    """The entry of `model` in a list of models; the only one, where a server serves one under any name."""
    listed = _mapping(told).get("data")
    entries = [_mapping(entry) for entry in listed] if isinstance(listed, list) else []
    named = [entry for entry in entries if entry.get("id") == model]
    return (named or (entries if len(entries) == 1 else [{}]))[0]


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _positive(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _chat_model(model: str, base_url: str | None, limits: ReplyLimits) -> tuple[ChatOpenAI, str]:
    """The chat model, and the address of its server: empty for OpenAI's own. The key is OPENAI_API_KEY."""
    try:
        import openai
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
    # The reply itself is bounded elsewhere: this ends the thread of one that nobody waits for any longer.
    read = max(limits.first, limits.silence) + 1
    return ChatOpenAI(
        model=model,
        base_url=base_url,
        api_key=lambda: key or _NO_KEY,
        # OpenAI's reasoning models refuse any temperature.
        temperature=None if re.match(r"o\d", model) else 0,
        timeout=openai.Timeout(read, connect=limits.connect),
        max_retries=0,
        stream_usage=True,
        default_headers={"Accept-Encoding": "identity"},
        http_client=openai.DefaultHttpxClient(event_hooks={"response": [_bound]}),
    ), base_url or ""


def _bound(response: Any) -> None:
    """Let a response end after so many bytes: the SDK would keep an endless line, or an endless error, in memory."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise LLMError(
            f"{response.url} sends compressed data, though none was requested", hint="is it the right server?"
        )
    # The SDK speaks through httpx or its successor, by its version.
    byte_stream = importlib.import_module(type(response).__module__.partition(".")[0]).SyncByteStream
    inner = response.stream

    def chunks(_: object) -> Iterator[bytes]:
        room = _MOST_BYTES
        for chunk in inner:
            room -= len(chunk)
            if room < 0:
                raise LLMError(f"{response.url} sent more than {_MOST_BYTES:,} bytes", hint="is it the right server?")
            yield chunk

    bounded = type("BoundedStream", (byte_stream,), {"__iter__": chunks, "close": lambda _: inner.close()})
    response.stream = bounded()


def _explained(error: Exception, name: str, limits: ReplyLimits) -> LLMError:
    """What went wrong, in words. The OpenAI SDK's errors are told by name: other SDKs follow its names and status."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, LLMError):
        return error
    url = getattr(getattr(error, "request", None), "url", "its server")
    if "APITimeoutError" in kinds:
        return LLMError(
            f"the LLM {name!r} at {url} did not accept the connection within {limits.connect:g} s, or fell silent",
            hint="is the server busy, or the URL wrong?",
        )
    if "APIConnectionError" in kinds:
        return LLMError(
            f"the LLM {name!r} cannot be reached at {url}", hint="is the server running, and the URL right?"
        )
    return failed(name, error, _hint(error))


def _hint(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    asked = retry_after(error)
    if asked > LONGEST_WAIT_SECONDS:
        return f"the server asks to wait {asked:.0f} s"
    if getattr(error, "code", None) == "insufficient_quota":
        return "no credit left: add some, or use another model"
    hints = {
        401: "the server refused the key: check OPENAI_API_KEY",
        403: "the key may not use this model",
        404: "check the model's name and the base URL (most servers want it to end in /v1)",
        429: "too many requests or no credit left: wait, or use another model",
    }
    if isinstance(status, int) and status in hints:
        return hints[status]
    if is_passing(error):
        return f"it was asked {ATTEMPTS} times: wait, and look at the server's log"
    return "a smaller --budget, or a model with a larger window" if "context" in str(error) else ""
