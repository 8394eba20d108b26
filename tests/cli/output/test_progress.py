"""What a progress bar says."""

from __future__ import annotations

import pytest

from cli.output.progress import pace


@pytest.mark.parametrize(
    ("done", "total", "seconds", "said"),
    [
        (0, None, 5.0, ""),
        (0, 300, 5.0, "0/300 documents"),
        (120, 300, 3.0, "120/300 documents · 40/s · 0:04 left"),
        (120, None, 3.0, "120 documents · 40/s"),
        (120, 120, None, "120/120 documents"),
        (2, 12, 30.0, "2/12 documents · 15 s each · 2:30 left"),
        (1_000, 100_000, 100.0, "1 000/100 000 documents · 10/s · 2:45:00 left"),
        (300, 300, 3.0, "300/300 documents · 100/s"),
        (5, 3, 1.0, "5/3 documents · 5/s"),
    ],
)
def test_pace(done: int, total: int | None, seconds: float | None, said: str) -> None:
    assert pace("documents", done, total, seconds) == said


def test_a_note_stands_after_the_count() -> None:
    assert pace("documents", 120, 300, 3.0, "embedded 57") == "120/300 documents · embedded 57 · 40/s · 0:04 left"
