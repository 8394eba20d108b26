"""`openai:` against a real OpenAI-compatible server (llama.cpp's), and against servers that misbehave."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.answering.sub_questions import sub_questions
from rag.llm.base import LLM, complete
from rag.llm.loading import load_llm
from rag.llm.reply import LLMError, ReplyLimits, Stop
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from rag.prompting.prompt import Message, Prompt
from tests.rag.misbehaving import (
    Misbehaving,
    cut_off,
    drips,
    endless,
    endless_error,
    endless_line,
    falls_silent,
    hang_up,
    keeps_alive,
    never_closes,
    raw,
    reply_json,
    silent,
    slow_headers,
    status,
    stream,
)
from tests.rag.samples import hit, prompt

PROMPT = prompt("What colour is the sky?", "The sky is blue on a clear day.", "Grass is green in spring.")

pytest.importorskip("langchain_openai", reason="needs the extra: pip install 'pilotfish[openai]'")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[type[Misbehaving]]:
    """Start a server on loopback that answers each request as it is told; see `Misbehaving`."""
    yield Misbehaving
    Misbehaving.close_all()


@pytest.fixture(scope="module")
def llama_server(smollm2: Path) -> Iterator[str]:
    """The address of a llama.cpp server that serves SmolLM2 to whoever has the key `sesame`."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(smollm2)
    params.n_ctx = 512
    params.n_parallel = 1
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


def test_a_real_server_tells_its_window_and_counts_by_its_tokenizer(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    llm = load_llm("openai:smollm2", base_url=llama_server)
    assert llm.window == 512
    assert llm.count("5,120") == 5  # one for every digit, in this vocabulary
    assert load_llm("openai:smollm2", base_url=llama_server, window=300).window == 300


def test_a_real_server_is_told_how_long_a_reply_may_be(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    llm = load_llm("openai:smollm2", base_url=llama_server, prices=(1.0, 1_000.0))
    story = [Message("user", "Tell me a very long story about a fish.")]
    spent: list[Usage] = []
    assert complete(llm, story, max_tokens=9, on_usage=spent.append)
    assert spent[0].completion_tokens == 9
    assert spent[0].cost == pytest.approx(0.009, abs=0.001)


def test_a_real_server_names_the_parts_of_a_question_in_few_words(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    llm = load_llm("openai:smollm2", base_url=llama_server)
    spent: list[Usage] = []

    def write(messages: list[Message], tokens: int) -> str:
        return complete(llm, messages, max_tokens=tokens, on_usage=spent.append)

    passage = hit("Silver Harbour is a comedy film that was directed by Marta Quillon.")
    parts = sub_questions("Where does the director of the comedy film Silver Harbour live?", [passage], write)
    assert 0 < spent[0].completion_tokens <= 128
    assert all(part.question.endswith("?") for part in parts)  # whatever a model of this size writes


def test_a_real_server_is_left_in_the_middle_of_an_answer(llama_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    llm = load_llm("openai:smollm2", base_url=llama_server)
    with llm.stream(Prompt((Message("user", "Tell me a very long story about a fish."),), (), (), 12), "") as reply:
        assert next(reply)
    assert "".join(llm.stream(PROMPT, ""))
    for thread in threading.enumerate():
        if thread.name == "pilotfish-llm":  # a busy machine may take its time
            thread.join(20)
            assert not thread.is_alive()


def test_replies_of_a_real_server_are_kept(llama_server, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sesame")
    cache = tmp_path / "replies.sqlite"
    first = load_llm("openai:smollm2", base_url=llama_server, cache=cache).stream(PROMPT, "")
    text = "".join(first)
    # Nobody answers at once and just the same but the file.
    again = load_llm("openai:smollm2", base_url=llama_server, cache=cache).stream(PROMPT, "")
    assert "".join(again) == text
    assert again.usage.cached
    other = load_llm("openai:smollm3", base_url=llama_server, cache=cache).stream(PROMPT, "")
    assert "".join(other) == text
    assert not other.usage.cached


LIMITS = ReplyLimits(connect=2.0, first=1.0, silence=0.5, whole=3.0, tokens=100)


def loaded(url: str, limits: ReplyLimits = LIMITS) -> LLM:
    return load_llm("openai:m", base_url=url, limits=limits)


@pytest.mark.parametrize(
    ("code", "hint"), [(400, ""), (401, "OPENAI_API_KEY"), (403, "key"), (404, "base URL"), (422, "")]
)
def test_a_status_is_explained_and_not_asked_for_again(serve, code, hint):
    server = serve(status(code))
    with pytest.raises(LLMError, match=rf"'openai:m' failed: .*{code}") as caught:
        list(loaded(server.url).stream(PROMPT, ""))
    assert hint in caught.value.hint
    assert server.asked == 1


@pytest.mark.parametrize(("code", "hint"), [(429, "too many requests"), (500, "3 times"), (503, "3 times")])
def test_a_busy_server_is_asked_a_bounded_number_of_times(serve, code, hint):
    server = serve(status(code))
    with pytest.raises(LLMError, match=rf"'openai:m' failed: .*{code}") as caught:
        list(loaded(server.url, PATIENT).stream(PROMPT, ""))
    assert hint in caught.value.hint
    assert server.asked == 3


PATIENT = ReplyLimits(connect=2.0, first=30.0, silence=1.0, whole=30.0)


@pytest.mark.parametrize("first", [status(429), status(503), hang_up], ids=["429", "503", "hung up"])
def test_a_server_that_was_busy_for_a_moment_is_asked_again(serve, first):
    server = serve(first, stream("The sky ", "is blue."))
    assert "".join(loaded(server.url, PATIENT).stream(PROMPT, "")) == "The sky is blue."
    assert server.asked == 2


def test_a_server_that_wants_to_be_left_alone_for_long_is(serve):
    server = serve(status(429, headers={"Retry-After": "3600"}))
    with pytest.raises(LLMError) as caught:
        list(loaded(server.url).stream(PROMPT, ""))
    assert caught.value.hint == "the server asks to wait 3600 s"
    assert server.asked == 1


def test_a_stream_that_breaks_off_gives_what_came_then_an_error_and_is_not_asked_for_again(serve):
    server = serve(cut_off)
    reply = loaded(server.url).stream(PROMPT, "")
    assert next(reply) == "The sky"
    with pytest.raises(LLMError, match="'openai:m'"):
        list(reply)
    assert server.asked == 1


def test_waiting_to_ask_again_can_be_cancelled(serve):
    server = serve(status(429, headers={"Retry-After": "25"}))
    reply = loaded(server.url).stream(PROMPT, "")
    with pytest.raises(LLMError, match="did not begin to answer within 1 s"):
        next(reply)
    assert not [thread for thread in threading.enumerate() if thread.name == "pilotfish-llm"]
    assert server.asked == 1


OUT_OF_TIME = {
    "never answers": (silent, "did not begin to answer within 1 s"),
    "headers by the byte": (slow_headers, "did not begin to answer within 1 s"),
    "silent after the first piece": (falls_silent, "stopped in the middle of its answer for 0.5 s"),
    "alive, and says nothing": (keeps_alive, "did not begin to answer within 1 s"),
    "one piece now and then for ever": (drips, "had not finished its answer after 3 s"),
    "never closes": (never_closes, "stopped in the middle of its answer"),
}


@pytest.mark.parametrize(("respond", "message"), OUT_OF_TIME.values(), ids=OUT_OF_TIME)
@pytest.mark.timeout(60)
def test_a_server_is_never_waited_for_longer_than_it_may_take(serve, respond, message):
    reply = loaded(serve(respond).url).stream(PROMPT, "")
    with pytest.raises(LLMError, match=message) as caught:
        list(reply)
    assert "'openai:m'" in str(caught.value)
    assert caught.value.hint


NO_PROTOCOL = {
    "a page": status(200, "<html>hello</html>", headers={"Content-Type": "text/html"}),
    "no JSON": raw(b"data: {not json}\n\n"),
    "other JSON": raw(b'data: {"choices": 7}\n\n'),
    "a list": raw(b"data: [1, 2]\n\n"),
    "no UTF-8": raw(b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n'),
    "compressed": raw(b"\x1f\x8b" + bytes(100), {"Content-Encoding": "gzip"}),
    "an error in the stream": raw(b'data: {"error": {"message": "told so"}}\n\n'),
    "nothing": raw(b""),
    "an end and nothing before it": raw(b"data: [DONE]\n\n"),
    "empty pieces": stream("", "", ""),
    "blanks": stream(" ", "\n"),
}


@pytest.mark.parametrize("respond", NO_PROTOCOL.values(), ids=NO_PROTOCOL)
@pytest.mark.timeout(60)
def test_what_is_no_answer_is_an_error(serve, respond):
    with pytest.raises(LLMError, match=r"'openai:m'|none was requested"):
        list(loaded(serve(respond).url).stream(PROMPT, ""))


@pytest.mark.timeout(60)
def test_an_endless_answer_is_ended(serve):
    reply = loaded(serve(endless).url).stream(PROMPT, "")
    assert len("".join(reply)) < 2_000
    assert reply.stopped is Stop.LENGTH


@pytest.mark.parametrize("respond", [endless_line, endless_error], ids=["line", "error"])
@pytest.mark.timeout(60)
def test_an_endless_line_is_not_kept_in_memory(serve, respond):
    with pytest.raises(LLMError, match="sent more than 16,000,000 bytes"):
        list(loaded(serve(respond).url, PATIENT).stream(PROMPT, ""))


def test_a_loop_is_ended(serve):
    reply = loaded(serve(stream(*["The fish swims in the deep blue sea. "] * 9)).url).stream(PROMPT, "")
    assert len(list(reply)) == 3
    assert reply.stopped is Stop.REPETITION


@pytest.mark.parametrize(
    ("listed", "window"),
    [
        ('{"data": [{"id": "m", "max_model_len": 8192}]}', 8192),
        ('{"data": [{"id": "other", "max_model_len": 8192}]}', 8192),
        ('{"data": [{"id": "a", "max_model_len": 1}, {"id": "m", "max_model_len": 4096}]}', 4096),
        ('{"data": [{"id": "a", "max_model_len": 1}, {"id": "b", "max_model_len": 2}]}', None),
        ('{"data": [{"id": "m", "max_model_len": "many"}]}', None),
        ('{"data": [{"id": "m", "max_model_len": -5}]}', None),
        ('{"data": [{"id": "m", "meta": {"n_ctx": 2048}}]}', 2048),
        ('{"data": 7}', None),
        ("[]", None),
        ("nothing of the kind", None),
    ],
)
def test_the_window_is_what_the_server_tells_if_it_makes_sense(serve, listed, window):
    server = serve(
        stream("Blue."), get=lambda handler: None if handler.path != "/v1/models" else reply_json(handler, listed)
    )
    llm = loaded(server.url)
    assert llm.window == window
    assert llm.count("one two three") == estimate_tokens("one two three")
    assert "".join(llm.stream(PROMPT, "")) == "Blue."


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
