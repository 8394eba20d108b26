"""A progress bar on stderr for anything that takes longer than a second. Only on a terminal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from cli.output.terminal import grouped, one_line, stderr

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, Task

    from rag.indexing import Progress

_PATIENCE_SECONDS = 1.0
_LONGEST_NAME = 18
_BAR_CELLS = 16


class Meter:
    """A bar with counts, rate and time left. Use it as a context manager and `update` it.

    It appears after a second, from a thread of its own, so that also a long first step shows something; it vanishes
    when it is left.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR_CELLS),
            _pace_column(),
            console=stderr(),
            transient=True,
        )
        self._timer = threading.Timer(_PATIENCE_SECONDS, self._bar.start)
        self._timer.daemon = True
        self._name = ""
        self._task = self._bar.add_task("starting", total=None, unit="", note="", paced=True)

    def __enter__(self) -> Meter:
        if stderr().is_terminal:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._timer.is_alive():
            self._timer.join()  # it may be starting the bar this very moment
        if self._bar.live.is_started:
            self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let something else have the terminal."""
        self._timer.cancel()
        if self._timer.is_alive():
            self._timer.join()
        self._bar.stop()
        try:
            yield
        finally:
            if stderr().is_terminal:
                self._bar.start()

    def update(self, name: str, done: int, total: int | None, unit: str, note: str = "", *, paced: bool = True) -> None:
        """Show that of the task `name`, `done` of `total` (None: unknown) are done, and how fast if `paced`."""
        if name != self._name:
            self._name = name
            self._bar.reset(self._task, description=_shortened(name))
        self._bar.update(self._task, completed=done, total=total, unit=unit, note=note, paced=paced)


@contextmanager
def asking_pauses(meter: Meter) -> Iterator[None]:
    """Whoever is asked for a password meanwhile must not be drawn over."""
    from connectors import terminal

    before, terminal.around = terminal.around, meter.paused
    try:
        yield
    finally:
        terminal.around = before


def show_indexing(meter: Meter, progress: Progress) -> None:
    """Show one report of an `index` run."""
    name = progress.source.rstrip("/").rpartition("/")[2]
    done, total, embedded = progress.documents, progress.total, progress.embedded
    if progress.pending:
        meter.update(f"embedding {name}", embedded, embedded + progress.pending, "passages")
    else:
        meter.update(name, done, total, "documents", f"embedded {grouped(embedded)}" if embedded else "")


def pace(unit: str, done: int, total: int | None, seconds: float | None, note: str = "") -> str:
    """How far, how fast and how long still; None where that is not known.

    >>> pace("documents", 120, 300, 3.0, "embedded 57")
    '120/300 documents · embedded 57 · 40/s · 0:04 left'
    """
    of_total = "" if total is None else f"/{grouped(total)}"
    parts = [f"{grouped(done)}{of_total} {unit}".rstrip() if done or total else "", note]
    if done and seconds:
        # The average since the start: embedding comes in bursts that would make any shorter window lie.
        parts.append(f"{done / seconds:.0f}/s" if done >= seconds else f"{seconds / done:.0f} s each")
        if total and done < total:
            parts.append(f"{_clock(seconds * (total - done) / done)} left")
    return " · ".join(part for part in parts if part)


def _shortened(name: str) -> str:
    line = one_line(name)
    return line if len(line) <= _LONGEST_NAME else f"…{line[1 - _LONGEST_NAME :]}"


def _pace_column() -> ProgressColumn:
    from rich.progress import ProgressColumn
    from rich.table import Column
    from rich.text import Text

    class Pace(ProgressColumn):
        """`120/300 documents · embedded 57 · 41/s · 0:12 left`."""

        def render(self, task: Task) -> Text:
            seconds = task.elapsed if task.fields["paced"] else None
            total = None if task.total is None else int(task.total)
            return Text(
                pace(task.fields["unit"], int(task.completed), total, seconds, task.fields["note"]), style="dim"
            )

    return Pace(Column(no_wrap=True))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
