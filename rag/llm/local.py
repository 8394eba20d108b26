"""`local`: a GGUF model that llama.cpp runs in this process (extra `local`)."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import threading
from collections.abc import Generator, Iterator
from functools import cached_property, partial
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

from connectors.errors import ConfigurationError
from rag.llm.gguf import check_writes, read_header
from rag.llm.models import MODELS, find_model
from rag.llm.reply import LLMError, Reply, ReplyLimits, Stop
from rag.llm.usage import Usage
from rag.prompting.prompt import Prompt

DEFAULT_MODEL = "smollm2"

# Prompt and answer together, where nothing else is asked for. Two laptop cores read some 300 tokens a second of the
# smallest model: a longer prompt would be waited for, and its key-value cache held in memory.
_CONTEXT = 4096
# A file is loaded, and a prompt read, before the first piece; a model of some billions of weights takes minutes for
# that on a laptop, and works all the while.
_LIMITS = ReplyLimits(first=600.0, silence=120.0, whole=1800.0)
_SILENT = -1
_TIMEOUT_SECONDS = 60.0


class LocalLLM:
    """A chat model in a GGUF file: its own chat template and tokenizer, temperature 0, bounded answers.

    `model` is a path, or the name of a pulled model; `lora` a GGUF file of an adapter that goes on it. The files are
    loaded at the first use. One answer at a time; another thread's waits.

    Raises:
        ConfigurationError: there is no such file, it is no chat model, or `window` is more than it was trained for.
    """

    can_write = True

    def __init__(
        self,
        model: str = "",
        *,
        window: int | None = None,
        limits: ReplyLimits | None = None,
        lora: str | Path | None = None,
    ) -> None:
        self.name = f"local:{model}" if model else "local"
        self._path = model_path(model or DEFAULT_MODEL)
        self._context = _context(self._path, window)
        self._limits = limits or _LIMITS
        self._lora = None if lora is None else adapter_path(lora)

    @property
    def window(self) -> int:
        """The tokens for prompt and answer together: as given, else what the model was trained for, at most 4096."""
        return self._engine.window

    @property
    def identity(self) -> dict[str, object]:
        """What decides about a reply beside the messages. The file is told by size and time, as it may be large."""
        state = self._path.stat()
        return {
            "file": str(self._path.resolve()),
            "size": state.st_size,
            "time": state.st_mtime_ns,
            "window": self._context,
            "llama.cpp": version("xllamacpp"),
        }

    def count(self, text: str) -> int:
        """The tokens of `text`, by the model's own tokenizer."""
        return self._engine.count(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:  # noqa: ARG002 — the prompt carries the question
        """Start an answer; closing the reply stops the model."""
        return Reply(partial(self._pieces, prompt), self.name, self._limits)

    def _pieces(self, prompt: Prompt, reply: Reply) -> Generator[str]:
        request = {
            "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
            "temperature": 0,
            "max_tokens": reply.limits.tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        reply.usage = Usage(prompt.tokens, 0)
        for chunk in self._engine.chat(request):
            if error := chunk.get("error"):
                raise LLMError(
                    f"the LLM {self.name!r} failed: {error.get('message', error)}",
                    hint="a smaller --budget, or a model with a larger window" if "context" in str(error) else "",
                )
            if usage := chunk.get("usage"):
                reply.usage = Usage(usage["prompt_tokens"], usage["completion_tokens"])
            for choice in chunk.get("choices", ()):
                if choice.get("finish_reason") == "length":
                    reply.stopped = Stop.LENGTH
                if text := choice.get("delta", {}).get("content"):
                    reply.usage += Usage(0, 1)
                    yield text

    @cached_property
    def _engine(self) -> _Engine:
        return _Engine(self._path, self._context, self._lora)

    def tokens(self, text: str, *, control: bool = False) -> list[int]:
        """The tokens of `text`; with `control`, the names of control tokens in it are those tokens."""
        return self._engine.tokens(text, control=control)

    def asked(self, message: str) -> str:
        """What stands before the answer to a message of a user, by the model's chat template."""
        return self._engine.templated([{"role": "user", "content": message}])

    @property
    def path(self) -> Path:
        """The model's file."""
        return self._path

    @property
    def end(self) -> int:
        """The token that ends an answer."""
        return int(str(read_header(self._path).metadata["tokenizer.ggml.eos_token_id"]))


class _Engine:
    """llama.cpp's server inside this process. Chat uses function calls; only the tokenizer needs its socket.

    The socket is on loopback, at a free port, and asks for a key that nobody else has.
    """

    def __init__(self, path: Path, context: int, lora: Path | None = None) -> None:
        try:
            import xllamacpp
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"the LLM 'local' needs {error.name}", hint="pip install 'pilotfish[local]'"
            ) from error
        self._key = secrets.token_urlsafe()
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = context
        params.n_parallel = 1
        params.verbosity = _SILENT
        params.warmup = False
        # Its threads wait for each other by spinning: on a busy machine with two cores, two of them wrote 2 tokens a
        # second where one wrote 23. Half of the processors is also how many real cores most laptops have.
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = max(1, (os.cpu_count() or 1) // 2)
        params.ui = False
        params.offline = True
        params.api_keys = [self._key]
        if lora is not None:
            params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(lora), 1.0)]
        try:
            self._server = xllamacpp.Server(params)
        except RuntimeError as error:
            raise ConfigurationError(
                f"llama.cpp cannot load {path}{f' with {lora}' if lora else ''}",
                hint="the file may be cut off, or too new for the installed xllamacpp",
            ) from error
        self._address = urlsplit(self._server.listening_address).netloc
        self._one_at_a_time = threading.Lock()
        self.window: int = self._ask("GET", "/props")["default_generation_settings"]["n_ctx"]

    def count(self, text: str) -> int:
        return len(self.tokens(text, control=True))

    def tokens(self, text: str, *, control: bool) -> list[int]:
        tokens: list[int] = self._ask("POST", "/tokenize", {"content": text, "parse_special": control})["tokens"]
        return tokens

    def templated(self, messages: list[dict[str, str]]) -> str:
        return str(self._ask("POST", "/apply-template", {"messages": messages})["prompt"])

    def chat(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks of an answer. Leaving the iteration early stops the model at its next token."""
        chunks: SimpleQueue[dict[str, Any] | BaseException | None] = SimpleQueue()
        cancelled = threading.Event()

        def hand_over(chunk: dict[str, Any]) -> bool:
            chunks.put(chunk)
            return cancelled.is_set()

        def work() -> None:
            try:
                with self._one_at_a_time:
                    if not cancelled.is_set():
                        self._server.handle_chat_completions(request, hand_over)
            except BaseException as error:  # noqa: BLE001 — raised again where the answer is read
                chunks.put(error)
            chunks.put(None)

        worker = threading.Thread(target=work, name="pilotfish-local-llm", daemon=True)
        worker.start()
        try:
            while (chunk := chunks.get()) is not None:
                if isinstance(chunk, BaseException):
                    raise LLMError(f"llama.cpp failed: {chunk}") from chunk
                yield chunk
        finally:
            cancelled.set()
            worker.join()

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_SECONDS)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LLMError(f"llama.cpp's own server does not answer {path}: {error}") from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise LLMError(f"llama.cpp's own server refused {path}: {answer}")
        return answer


def model_path(model: str) -> Path:
    """The GGUF file that `model` names: a model pulled by `rag models pull`, or a path.

    Raises:
        ConfigurationError: there is none.
    """
    if model in {known.name for known in MODELS}:
        known = find_model(model)
        if not known.present:
            raise ConfigurationError(
                f"the model {model!r} is not on this machine ({known.path})", hint=f"rag models pull {model}"
            )
        return known.path
    path = Path(model).expanduser()
    if not path.is_file():
        raise ConfigurationError(
            f"there is no model file {model!r}", hint="give the path of a GGUF file, or run: rag models pull smollm2"
        )
    return path


def _context(path: Path, window: int | None) -> int:
    """The window to load the model with, once its header says that it is a chat model."""
    header = read_header(path)
    check_writes(header, path)
    trained = header.trained_window
    if window is None:
        return min(_CONTEXT, trained or _CONTEXT)
    if trained is not None and window > trained:
        raise ConfigurationError(
            f"a window of {window} tokens is more than {str(path)!r} was trained for", hint=f"choose at most {trained}"
        )
    return window


def adapter_path(lora: str | Path) -> Path:
    """The GGUF file of a LoRA adapter.

    Raises:
        ConfigurationError: there is no such file, or it is none.
    """
    path = Path(lora).expanduser().absolute()
    if not path.is_file():
        raise ConfigurationError(f"there is no file {str(path)!r}", hint="give the GGUF file of a LoRA adapter")
    if read_header(path).metadata.get("adapter.type") != "lora":
        raise ConfigurationError(f"{str(path)!r} is not a LoRA adapter", hint="give the GGUF file of one")
    return path
