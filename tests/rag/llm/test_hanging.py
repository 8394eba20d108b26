"""Models that never begin, never go on or never end, whoever runs them; and the reader who leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm.base import complete
from rag.llm.loading import as_llm, load_llm
from rag.llm.reply import EmptyReplyError, LLMError, ReplyLimits, Stop
from rag.llm.worker import HandOver
from rag.prompting.prompt import Message, Prompt

PROMPT = Prompt((Message("user", "What colour is the sky?"),), (), (), 10)
LIMITS = ReplyLimits(first=0.3, silence=0.3, whole=2.0)
PATIENT = ReplyLimits(first=20.0, silence=20.0, whole=1.0)  # a busy machine lets pieces come late
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set at the end of the test, so that what hangs in it comes to an end."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name == "pilotfish-llm":
            thread.join(20)
            assert not thread.is_alive()


def never_returns(over: threading.Event) -> Iterator[str]:
    over.wait()
    return iter(())


def never_goes_on(over: threading.Event) -> Iterator[str]:
    yield "The sky "
    over.wait()


def never_ends(over: threading.Event) -> Iterator[str]:
    count = 0
    while not over.wait(0.05):
        count += 1
        yield f"{count} "


def callable_model(pieces: Callable[[threading.Event], Iterator[str]], over: threading.Event) -> object:
    return lambda messages: pieces(over)


def chat_model(pieces: Callable[[threading.Event], Iterator[str]], over: threading.Event) -> object:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk
    from langchain_core.outputs import ChatGenerationChunk, ChatResult

    class Hanging(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "hanging"

        def _generate(self, *_: object, **__: object) -> ChatResult:
            raise NotImplementedError

        def _stream(self, *_: object, **__: object) -> Iterator[ChatGenerationChunk]:
            for piece in pieces(over):
                yield ChatGenerationChunk(message=AIMessageChunk(piece))

    return Hanging()


@pytest.mark.parametrize("make", [callable_model, chat_model])
@pytest.mark.parametrize(
    ("pieces", "limits", "message"),
    [
        (never_returns, LIMITS, "did not begin to answer within 0.3 s"),
        (never_goes_on, LIMITS, "stopped in the middle of its answer for 0.3 s"),
        (never_ends, PATIENT, "had not finished its answer after 1 s"),
    ],
)
def test_no_model_is_waited_for_longer_than_it_may_take(over, make, pieces, limits, message):
    reply = as_llm(make(pieces, over), limits=limits).stream(PROMPT, "")
    with pytest.raises(LLMError, match=message) as caught:
        list(reply)
    assert caught.value.hint
    assert list(reply) == []


def test_a_generator_that_is_left_is_closed(over):
    closed = threading.Event()

    def talks(messages: object) -> Iterator[str]:
        try:
            yield from never_ends(over)
        finally:
            closed.set()

    with as_llm(talks).stream(PROMPT, "") as reply:
        assert next(reply)
    assert closed.wait(20)


def test_a_generator_that_hangs_in_its_closing_does_not_keep_the_answer(over):
    def stubborn(messages: object) -> Iterator[str]:
        try:
            yield from ["The fish swims in the deep blue sea. "] * 9
        finally:
            over.wait()

    reply = as_llm(stubborn, limits=LIMITS).stream(PROMPT, "")
    assert len(list(reply)) == 3
    assert reply.stopped is Stop.REPETITION


@pytest.mark.parametrize("value", ["", " \n", iter(()), ["", ""]])
def test_a_model_that_says_nothing_is_an_error(value):
    with pytest.raises(EmptyReplyError, match="returned nothing") as caught:
        list(as_llm(lambda messages: value, name="mute").stream(PROMPT, ""))
    assert caught.value.hint


@pytest.mark.slow
def test_an_answer_is_cut_where_it_is_far_too_long():
    reply = as_llm(lambda messages: "word " * 2_000_000, limits=ReplyLimits(tokens=20)).stream(PROMPT, "")
    assert len("".join(reply).split()) == 40
    assert reply.stopped is Stop.LENGTH


@pytest.mark.parametrize("name", ["connect", "first", "silence", "whole", "tokens"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_that_allows_nothing_is_refused(name, value):
    with pytest.raises(ConfigurationError, match=f"'{name}'"):
        ReplyLimits(**{name: value})


def test_a_side_job_has_limits_of_its_own(over):
    with pytest.raises(LLMError, match=r"(within|after) 0\.2 s"):
        complete(as_llm(callable_model(never_returns, over)), PROMPT, timeout=0.2)
    assert complete(as_llm(lambda messages: " Paris\n"), PROMPT.messages) == "Paris"
    assert complete(as_llm(lambda messages: ""), PROMPT) == ""
    with pytest.raises(ConfigurationError, match="only quotes"):
        complete(load_llm("extractive"), PROMPT)


def test_what_came_before_an_error_is_handed_over_first():
    def breaks() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    items = HandOver(breaks)
    assert items.next(20) == 1
    with pytest.raises(ValueError, match="broken"):
        items.next(20)
    with pytest.raises(StopIteration):
        items.next(20)


def test_what_the_reader_set_for_itself_holds_in_the_thread():
    from contextvars import ContextVar

    language: ContextVar[str] = ContextVar("language")
    language.set("de")
    assert list(as_llm(lambda messages: language.get()).stream(PROMPT, "")) == ["de"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_a_process_whose_model_hangs():
    program = """
        import signal, time
        # What a shell runs in the background inherits that interrupts are ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from rag.llm.loading import as_llm
        from rag import Message, Prompt
        def hangs(messages):
            yield "The sky "
            time.sleep(3600)
        with as_llm(hangs).stream(Prompt((Message("user", "?"),), (), (), 1), "") as reply:
            print(next(reply), flush=True)
            next(reply)
    """
    root = str(Path(__file__).parents[3])
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "The sky"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=40)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
