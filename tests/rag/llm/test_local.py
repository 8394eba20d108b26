"""`local` with the real SmolLM2, where it has been pulled."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm.base import LLM, complete
from rag.llm.loading import load_llm
from rag.llm.local import LocalLLM
from rag.llm.reply import LLMError, Stop
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from rag.prompting.composer import Composer
from rag.prompting.prompt import Message, Prompt
from tests.rag.gguf_files import CHAT, flag, gguf, string
from tests.rag.samples import TEXTS, hits, prompt

PROMPT = prompt("What colour is the sky?", "The sky is blue on a clear day.", "Grass is green in spring.")


@pytest.fixture(scope="module")
def llm(smollm2: Path) -> LocalLLM:
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
    text = "Write a very long story about a fish, with many chapters."
    reply = llm.stream(Prompt((Message("user", text),), (), (), 30), "")
    assert "".join(reply)
    assert reply.stopped is Stop.REPETITION
    assert 0 < reply.usage.completion_tokens < 512


def test_two_threads_take_turns(llm):
    answers: list[str] = []
    workers = [threading.Thread(target=lambda: answers.append("".join(llm.stream(PROMPT, "")))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # Word for word the same they need not be: what llama.cpp keeps of one prompt moves the next one's last bits.
    assert ["blue" in answer.lower() for answer in answers] == [True, True]


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
    with pytest.raises(ConfigurationError, match="is not a GGUF file"):
        load_llm(f"local:{text}")


def test_a_model_file_that_is_cut_off_is_refused_before_it_is_loaded(tmp_path: Path, smollm2: Path):
    cut = tmp_path / "cut.gguf"
    with smollm2.open("rb") as whole:
        cut.write_bytes(whole.read(20_000_000))
    with pytest.raises(
        ConfigurationError, match=r"cut\.gguf' is cut off: [\d,]+ bytes of its tensors are missing"
    ) as caught:
        load_llm(f"local:{cut}")
    assert "download it again" in caught.value.hint


def test_a_file_whose_header_is_fine_and_whose_model_is_not_is_named(tmp_path: Path):
    pytest.importorskip("xllamacpp", reason="needs the extra: pip install 'pilotfish[local]'")
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(CHAT)
    llm = load_llm(f"local:{odd}")
    with pytest.raises(ConfigurationError, match=r"llama\.cpp cannot load .*odd\.gguf"):
        llm.count("x")


def test_an_embedding_model_is_refused(tmp_path: Path):
    path = tmp_path / "embedder.gguf"
    path.write_bytes(gguf(string("general.architecture", "bert"), flag("bert.attention.causal", False)))
    with pytest.raises(ConfigurationError, match=r"embedder\.gguf' is an embedding model"):
        load_llm(f"local:{path}")


def test_a_window_beyond_what_the_model_was_trained_for_is_refused(tmp_path: Path):
    path = tmp_path / "m.gguf"
    path.write_bytes(CHAT)
    with pytest.raises(ConfigurationError, match="a window of 2049 tokens is more than") as caught:
        load_llm(f"local:{path}", window=2049)
    assert caught.value.hint == "choose at most 2048"


@pytest.fixture(scope="module")
def small(llm) -> LLM:
    """SmolLM2 with a window of 512 tokens."""
    return load_llm("local", window=512)


def test_a_small_window_holds_prompt_and_answer(small):
    assert small.window == 512
    passages = hits(*("The sky is blue on a clear day. " * repeats for repeats in (9, 8, 7)))
    composed = Composer(384, small.count).compose("What colour is the sky?", passages)
    assert composed.sources
    reply = small.stream(composed, "")
    assert "".join(reply)
    assert reply.usage.prompt_tokens <= 384
    assert reply.usage.prompt_tokens + reply.usage.completion_tokens <= 512


def test_an_answer_that_outgrows_a_small_window_ends_there(small):
    text = f"Tell me everything about these fish. {'salmon, trout, carp, eel, perch, ' * 44} Begin with the salmon."
    reply = small.stream(Prompt((Message("user", text),), (), (), 453), "")
    assert "".join(reply)
    assert reply.stopped is Stop.LENGTH
    assert reply.usage.prompt_tokens + reply.usage.completion_tokens == 512


def test_side_jobs_are_short(llm):
    story = [Message("user", "Tell me a very long story about a fish.")]
    spent: list[Usage] = []
    assert complete(llm, story, max_tokens=9, on_usage=spent.append)
    assert spent[0].completion_tokens == 9


def test_a_reply_is_kept_and_found_again(tmp_path: Path, llm):
    cache = tmp_path / "replies.sqlite"
    first = load_llm("local", cache=cache).stream(PROMPT, "")
    text = "".join(first)
    again = load_llm("local", cache=cache, prices=(1.0, 2.0)).stream(PROMPT, "")
    assert "".join(again) == text
    assert again.usage == Usage(first.usage.prompt_tokens, first.usage.completion_tokens, cost=0.0, cached=True)
    assert not first.usage.cached


def test_without_the_extra_the_error_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    model = tmp_path / "m.gguf"
    model.write_bytes(CHAT)
    with pytest.raises(ConfigurationError, match="needs xllamacpp") as caught:
        load_llm(f"local:{model}").count("x")
    assert caught.value.hint == "pip install 'pilotfish[local]'"
