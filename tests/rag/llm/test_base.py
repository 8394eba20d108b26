from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm.base import LLM
from rag.llm.loading import as_llm, load_llm
from rag.llm.reply import LLMError, Reply
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from tests.rag.samples import TEXTS, prompt

PROMPT = prompt("What colour is the sky?", "The sky is blue on a clear day.", "Grass is green in spring.")


def answer(llm: LLM) -> tuple[str, Usage]:
    with llm.stream(PROMPT, "What colour is the sky?") as reply:
        return "".join(reply), reply.usage


def chat_model():
    from langchain_core.language_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    return GenericFakeChatModel(messages=iter([AIMessage("The sky is blue [1].")] * 3))


def stream_words(messages):
    yield from ("The sky ", "is ", "blue [1].")


LLMS = {
    "extractive": load_llm,
    "callable": lambda: as_llm(lambda messages: "The sky is blue [1]."),
    "generator": lambda: as_llm(stream_words),
    "chat model": lambda: as_llm(chat_model()),
}


@pytest.mark.parametrize("make", LLMS.values(), ids=LLMS)
def test_every_llm_answers_streams_counts_and_reports_usage(make):
    llm = make()
    assert isinstance(llm, LLM)
    assert llm.name
    assert llm.window is None or llm.window > 0
    assert llm.count("") == 0
    assert llm.count("one two three") >= 3
    text, usage = answer(llm)
    assert "blue" in text
    assert "[1]" in text
    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0


@pytest.mark.parametrize("make", LLMS.values(), ids=LLMS)
def test_an_answer_can_be_left_in_the_middle(make):
    reply = make().stream(PROMPT, "What colour is the sky?")
    assert isinstance(reply, Reply)
    assert next(reply)
    reply.close()
    assert list(reply) == []


def test_a_callable_gets_the_messages_as_dicts():
    seen: list = []
    answer(as_llm(lambda messages: seen.extend(messages) or "ok"))
    assert [set(message) for message in seen] == [{"role", "content"}] * 2
    assert [message["role"] for message in seen] == ["system", "user"]
    assert "The sky is blue" in seen[1]["content"]


def test_a_callable_that_raises_is_named_without_a_traceback():
    def broken(messages):
        raise ValueError("no credit")

    with pytest.raises(LLMError, match="the LLM 'broken' raised ValueError: no credit") as caught:
        answer(as_llm(broken))
    assert caught.value.hint


@pytest.mark.parametrize("value", [None, 7, {"content": "x"}, b"bytes", [1]])
def test_a_callable_that_returns_no_text_is_told_so(value):
    with pytest.raises(LLMError, match="instead of text"):
        answer(as_llm(lambda messages: value, name="mine"))


@pytest.mark.parametrize("thing", [7, dict, None])
def test_what_is_no_llm_is_refused(thing):
    with pytest.raises(ConfigurationError, match="is not an LLM") as caught:
        as_llm(thing)
    assert "callable" in caught.value.hint


def test_an_llm_stays_itself():
    llm = load_llm("extractive")
    assert as_llm(llm) is llm


@pytest.mark.parametrize("spec", ["gpt-4", "", "openai:", "http://host/v1", "a.b", "one two:three"])
def test_an_unknown_spec_lists_the_known_ones(spec):
    with pytest.raises(ConfigurationError, match="unknown LLM") as caught:
        load_llm(spec)
    assert "package.module:object" in caught.value.hint


def test_a_base_url_for_the_wrong_llm_is_refused():
    with pytest.raises(ConfigurationError, match="does not apply to the LLM 'extractive'"):
        load_llm("extractive", base_url="http://127.0.0.1:1/v1")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return tmp_path


def test_a_spec_finds_an_object_in_the_current_folder(here: Path):
    (here / "my_models_one.py").write_text(
        textwrap.dedent("""
        class Box:
            @staticmethod
            def echo(messages):
                return "The sky is blue [1]."
        """)
    )
    llm = load_llm("my_models_one:Box.echo")
    assert llm.name == "my_models_one:Box.echo"
    assert answer(llm)[0] == "The sky is blue [1]."


def test_the_current_folder_does_not_shadow_what_is_installed(here: Path):
    (here / "json.py").write_text("loads = None")
    with pytest.raises(LLMError, match="json:loads"):
        answer(load_llm("json:loads"))


@pytest.mark.parametrize(
    ("source", "attribute", "message"),
    [
        (None, "f", "cannot import 'my_models_none' .* neither on PYTHONPATH nor in the current folder"),
        ("import missing_dependency_x", "f", "it needs missing_dependency_x"),
        ("1 / 0", "f", "failed: ZeroDivisionError"),
        ("def f(messages): ...", "g", "has no 'g'"),
        ("f = 7", "f", "is not an LLM, but a int"),
        ("class f: ...", "f", "is not an LLM, but a class"),
    ],
)
def test_a_spec_that_cannot_be_loaded_says_why(here: Path, source, attribute, message):
    name = "my_models_none" if source is None else f"my_models_{abs(hash(source))}"
    if source is not None:
        (here / f"{name}.py").write_text(source)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_llm(f"{name}:{attribute}")
    assert caught.value.hint


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_estimate_is_never_absurd(text):
    assert len(text.split()) <= estimate_tokens(text) <= len(text.encode())
