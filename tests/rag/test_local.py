"""`local` with the real SmolLM2, where it has been pulled."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm import LLM, LLMError, estimate_tokens
from rag.llm_loading import load_llm
from rag.local import LocalLLM
from rag.models import find_model
from rag.results import Message, Prompt
from tests.rag.samples import TEXTS, prompt

PROMPT = prompt("What colour is the sky?", "The sky is blue on a clear day.", "Grass is green in spring.")


@pytest.fixture(scope="module")
def llm() -> LocalLLM:
    if not find_model("smollm2").present:
        pytest.skip("needs SmolLM2: rag models pull smollm2")
    pytest.importorskip("xllamacpp", reason="needs the extra: pip install 'pilotfish[local]'")
    return LocalLLM()


def test_the_model_answers_in_pieces_and_reports_its_usage(llm):
    assert isinstance(llm, LLM)
    assert llm.name == "local"
    with llm.stream(PROMPT, "What colour is the sky?") as reply:
        pieces = list(reply)
    assert len(pieces) > 1
    assert "blue" in "".join(pieces).lower()
    assert reply.usage.prompt_tokens >= len(pieces)
    assert reply.usage.completion_tokens >= len(pieces)


def test_the_same_prompt_gives_the_same_answer(llm):
    assert "".join(llm.stream(PROMPT, "")) == "".join(llm.stream(PROMPT, ""))


def test_a_composed_prompt_fits_what_the_template_makes_of_it(llm):
    counted = sum(llm.count(message.content) + 8 for message in PROMPT.messages)
    reply = llm.stream(PROMPT, "")
    list(reply)
    assert counted - 16 <= reply.usage.prompt_tokens <= counted


def test_the_tokenizer_is_the_models_own(llm):
    assert llm.count("") == 0
    assert llm.count("hello") == 1
    assert llm.count("5,120") == 5  # one for every digit, in this vocabulary


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_estimate_for_unknown_tokenizers_holds_for_a_small_english_vocabulary(llm, text):
    assert llm.count(text) <= estimate_tokens(text) * 1.25


def test_an_answer_left_in_the_middle_stops_the_model(llm):
    story = Prompt((Message("user", "Tell me a very long story about a fish."),), (), (), 12)
    threads = threading.active_count()
    reply = llm.stream(story, "")
    assert next(reply)
    reply.close()
    assert threading.active_count() == threads
    assert "".join(llm.stream(PROMPT, ""))


def test_answers_are_bounded(llm):
    endless = Prompt((Message("user", "Count from 1 to 100000, one number a line."),), (), (), 20)
    reply = llm.stream(endless, "")
    list(reply)
    assert 0 < reply.usage.completion_tokens <= 512


def test_a_model_that_repeats_itself_is_stopped(llm):
    text = "Say this sentence again and again for ever: The fish swims in the deep blue sea."
    reply = llm.stream(Prompt((Message("user", text),), (), (), 30), "")
    answer = "".join(reply)
    sentences = [sentence.strip() for sentence in answer.split(".") if len(sentence) > 20]
    assert all(sentences.count(sentence) <= 4 for sentence in sentences)
    assert reply.usage.completion_tokens > 0


def test_two_threads_take_turns(llm):
    answers: list[str] = []
    workers = [threading.Thread(target=lambda: answers.append("".join(llm.stream(PROMPT, "")))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(answers) == 2
    assert answers[0] == answers[1]


def test_a_prompt_over_the_window_is_an_error_with_a_hint(llm):
    assert llm.window == 4096
    huge = Prompt((Message("user", "word " * 6000),), (), (), 6000)
    with pytest.raises(LLMError, match="exceeds the available context size") as caught:
        list(llm.stream(huge, ""))
    assert caught.value.hint


def test_llama_cpp_writes_nothing_to_the_terminal(llm, capfd):
    list(llm.stream(PROMPT, ""))
    assert capfd.readouterr() == ("", "")


def test_its_socket_serves_nobody_else(llm):
    import urllib.error
    import urllib.request

    for path in ("/tokenize", "/props", "/v1/chat/completions"):
        request = urllib.request.Request(f"http://{llm._engine._address}{path}", data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        with caught.value as response:
            assert response.status == 401


def test_a_model_that_is_not_pulled_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PILOTFISH_CACHE", str(tmp_path))
    with pytest.raises(ConfigurationError, match="'smollm2' is not on this machine") as caught:
        load_llm("local")
    assert caught.value.hint == "rag models pull smollm2"


def test_a_path_that_is_no_model_says_why(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="there is no model file"):
        load_llm(f"local:{tmp_path}/none.gguf")
    text = tmp_path / "notes.gguf"
    text.write_text("not a model")
    with pytest.raises(ConfigurationError, match="is no GGUF file"):
        load_llm(f"local:{text}")


def test_a_cut_off_model_file_is_named(tmp_path: Path):
    pytest.importorskip("xllamacpp", reason="needs the extra: pip install 'pilotfish[local]'")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(b"GGUF" + bytes(1000))
    llm = load_llm(f"local:{cut}")
    with pytest.raises(ConfigurationError, match=r"llama\.cpp cannot load .*cut\.gguf"):
        llm.count("x")


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    with pytest.raises(ConfigurationError, match="needs xllamacpp") as caught:
        load_llm(f"local:{model}").count("x")
    assert caught.value.hint == "pip install 'pilotfish[local]'"
