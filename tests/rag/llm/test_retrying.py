from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from rag.llm.openai import ATTEMPTS, LONGEST_WAIT_SECONDS, CancelledError, is_passing, retry_after, stream_with_retries


class StatusError(Exception):
    """As the SDKs raise them."""

    def __init__(self, status: int, after: str | None = None, code: str | None = None) -> None:
        super().__init__(status)
        self.status_code = status
        self.code = code
        self.response = SimpleNamespace(headers={} if after is None else {"retry-after": after})


class APITimeoutError(ConnectionError):
    """Named as the SDK's: a kind of its connection error."""


def failing(*errors: Exception):
    """An attempt that fails with each error in turn, and then answers; and the attempts so far."""
    left = iter(errors)
    begun = []

    def start() -> Iterator[str]:
        begun.append(1)
        error = next(left, None)
        if error is not None:
            raise error
        yield from ("The sky ", "is blue.")

    return start, begun


def waits(into: list[float]):
    def pause(seconds: float) -> bool:
        into.append(seconds)
        return True

    return pause


@pytest.mark.parametrize("error", [StatusError(429), StatusError(500), StatusError(503), ConnectionError("refused")])
def test_what_passes_is_asked_again_after_a_wait_that_differs(error):
    seen: list[float] = []
    start, begun = failing(error, error)
    assert list(stream_with_retries(start, waits(seen))) == ["The sky ", "is blue."]
    assert len(begun) == 3
    assert len(seen) == 2
    assert 0.5 <= seen[0] <= 1.0
    assert 1.0 <= seen[1] <= 1.5


def test_two_clients_do_not_come_back_together():
    seen: list[float] = []
    for _ in range(20):
        list(stream_with_retries(failing(StatusError(503))[0], waits(seen)))
    assert len(set(seen)) > 10


def test_attempts_are_bounded():
    start, begun = failing(*[StatusError(429)] * 50)
    with pytest.raises(StatusError):
        list(stream_with_retries(start, waits([])))
    assert len(begun) == ATTEMPTS


@pytest.mark.parametrize(
    "error",
    [
        StatusError(400),
        StatusError(401),
        StatusError(404),
        StatusError(429, code="insufficient_quota"),
        StatusError(429, after="3600"),
        APITimeoutError(),
        ValueError("no JSON"),
    ],
    ids=str,
)
def test_what_does_not_pass_is_not_asked_again(error):
    start, begun = failing(error)
    with pytest.raises(type(error)):
        list(stream_with_retries(start, waits([])))
    assert len(begun) == 1


def test_after_the_first_piece_nothing_is_asked_again():
    begun = []

    def start() -> Iterator[str]:
        begun.append(1)
        yield "The sky"
        raise StatusError(503)

    pieces = stream_with_retries(start, waits([]))
    assert next(pieces) == "The sky"
    with pytest.raises(StatusError):
        next(pieces)
    assert len(begun) == 1


def test_what_a_server_asks_for_is_waited_for():
    seen: list[float] = []
    list(stream_with_retries(failing(StatusError(429, after="7"))[0], waits(seen)))
    assert seen == [7.0]


def test_a_wait_can_be_cancelled():
    start, begun = failing(StatusError(429))
    with pytest.raises(CancelledError):
        list(stream_with_retries(start, lambda seconds: False))
    assert len(begun) == 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "NaN", "٣", "Wed, 99 Foo 2020", "0", "\x00"])
def test_a_header_that_makes_no_sense_asks_for_nothing(value):
    assert retry_after(StatusError(429, after=value)) == 0.0


def test_a_date_is_understood():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    assert 3000 < retry_after(StatusError(429, after=soon)) <= 3600
    assert retry_after(StatusError(429, after="Wed, 21 Oct 2015 07:28:00 GMT")) == 0.0


def test_an_endless_wait_is_not_waited_for():
    for digits in itertools.chain(range(3, 12), [5000]):
        assert retry_after(StatusError(429, after="9" * digits)) > LONGEST_WAIT_SECONDS
        assert not is_passing(StatusError(429, after="9" * digits))
