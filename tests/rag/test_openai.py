"""`openai:` against a real OpenAI-compatible server (llama.cpp's), and against servers that misbehave."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.errors import ConfigurationError
from rag.llm import LLMError
from rag.llm_loading import load_llm
from rag.models import find_model
from tests.rag.samples import prompt

PROMPT = prompt("What colour is the sky?", "The sky is blue on a clear day.", "Grass is green in spring.")

pytest.importorskip("langchain_openai", reason="needs the extra: pip install 'pilotfish[openai]'")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def llama_server() -> Iterator[str]:
    """The address of a llama.cpp server that serves SmolLM2 to whoever has the key `sesame`."""
    model = find_model("smollm2")
    if not model.present:
        pytest.skip("needs SmolLM2: rag models pull smollm2")
    xllamacpp = pytest.importorskip("xllamacpp", reason="needs the extra: pip install 'pilotfish[local]'")
    params = xllamacpp.CommonParams()
    params.model.path = str(model.path)
    params.n_ctx = 2048
    params.verbosity = -1
    params.warmup = False
    params.api_keys = ["sesame"]
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


def test_a_real_server_streams_an_answer_and_its_usage(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    llm = load_llm("openai:smollm2", base_url=llama_server)
    assert llm.name == "openai:smollm2"
    with llm.stream(PROMPT, "") as reply:
        pieces = list(reply)
    assert len(pieces) > 1
    assert "blue" in "".join(pieces).lower()
    assert reply.usage.prompt_tokens > 50
    assert reply.usage.completion_tokens >= len(pieces) - 1


def test_the_base_url_may_come_from_the_environment(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    monkeypatch.setenv("OPENAI_BASE_URL", llama_server)
    assert "".join(load_llm("openai:smollm2").stream(PROMPT, ""))


def test_a_refused_key_names_the_variable(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(LLMError, match="401") as caught:
        list(load_llm("openai:smollm2", base_url=llama_server).stream(PROMPT, ""))
    assert "OPENAI_API_KEY" in caught.value.hint
    assert "wrong" not in str(caught.value)


def test_a_real_server_refuses_a_prompt_over_its_window(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    with pytest.raises(LLMError, match="exceeds the available context size"):
        list(load_llm("openai:smollm2", base_url=llama_server).stream(prompt("q", "word " * 3000, budget=9000), ""))


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], str]]:
    """Start a server on loopback that answers every request by the given function."""
    servers: list[ThreadingHTTPServer] = []

    def start(respond: Callable[[BaseHTTPRequestHandler], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                respond(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def status(code: int, body: str = '{"error": {"message": "told so"}}') -> Callable[[BaseHTTPRequestHandler], None]:
    def respond(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(body.encode())

    return respond


CHUNK = (
    'data: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", '
    '"choices": [{"index": 0, "delta": {"role": "assistant", "content": "The sky"}, "finish_reason": null}]}\n\n'
)


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    """Promise a long stream, send one chunk of it, hang up."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(CHUNK.encode())


@pytest.mark.parametrize(
    ("code", "hint"), [(401, "OPENAI_API_KEY"), (403, "key"), (404, "base URL"), (429, "too many requests"), (500, "")]
)
def test_a_status_is_explained(serve, code, hint):
    with pytest.raises(LLMError, match=rf"'openai:m' failed: .*{code}") as caught:
        list(load_llm("openai:m", base_url=serve(status(code))).stream(PROMPT, ""))
    assert hint in caught.value.hint


def test_an_answer_that_is_not_the_protocol_is_an_error(serve):
    with pytest.raises(LLMError, match="'openai:m'"):
        list(load_llm("openai:m", base_url=serve(status(200, "<html>hello</html>"))).stream(PROMPT, ""))


def test_a_stream_that_breaks_off_gives_what_came_and_then_an_error(serve):
    reply = load_llm("openai:m", base_url=serve(cut_off)).stream(PROMPT, "")
    assert next(reply) == "The sky"
    with pytest.raises(LLMError, match="'openai:m'"):
        list(reply)


def test_a_server_that_is_not_there_is_named():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        with pytest.raises(LLMError, match=r"cannot be reached at http://127\.0\.0\.1:\d+/v1") as caught:
            list(load_llm("openai:m", base_url=url).stream(PROMPT, ""))
    assert "running" in caught.value.hint


def test_no_key_and_no_server_is_refused_at_once():
    with pytest.raises(ConfigurationError, match="'openai:gpt-4o-mini' needs a key") as caught:
        load_llm("openai:gpt-4o-mini")
    assert "OPENAI_API_KEY" in caught.value.hint


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-5", "o3"])
def test_every_family_of_models_can_be_asked_for(model, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    assert load_llm(f"openai:{model}").name == f"openai:{model}"


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    with pytest.raises(ConfigurationError, match="'openai:m' needs langchain_openai") as caught:
        load_llm("openai:m", base_url="http://127.0.0.1:1/v1")
    assert caught.value.hint == "pip install 'pilotfish[openai]'"
