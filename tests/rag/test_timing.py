"""The clock of searches and answers, by a time of our own."""

from __future__ import annotations

from itertools import count

import pytest

from rag.timing import Clock


@pytest.fixture(autouse=True)
def _ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second passes whenever somebody looks at the time."""
    seconds = count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(seconds)))


def test_a_step_that_is_taken_again_adds_to_its_time() -> None:
    clock = Clock()
    for step in ("retrieve", "late", "retrieve"):
        with clock(step):
            pass
    assert clock.timings() == {"retrieve": 2_000, "late": 1_000}
    assert clock.total() == 7_000


def test_a_step_that_fails_has_taken_its_time() -> None:
    clock = Clock("write", "run")
    with pytest.raises(ValueError, match="no SQL"), clock("run"):
        raise ValueError("no SQL")
    assert clock.timings() == {"write": 0, "run": 1_000}
