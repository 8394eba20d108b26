"""Plots an evaluation as inline SVG: intervals by mode, changes by query, search latency."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.errors import ConfigurationError
from rag.evaluation.metrics import METRICS
from rag.evaluation.outcome import COMPARED, Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = ("#1f6f8b", "#d97b29", "#6a4c93")  # of the modes, told apart also without seeing red and green
_WORSE, _BETTER = "#b5483a", "#2f7d4f"
_PROLOGUE = re.compile(r"\A.*?(?=<svg)", re.DOTALL)
_STYLE: Any = {
    "svg.fonttype": "path",  # the page looks the same whatever fonts there are
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a mode is a name, never a formula
}


def require_matplotlib() -> None:
    """Say beforehand what plots need.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise ConfigurationError("the plots of an HTML report need matplotlib", hint="pip install 'pilotfish[plots]'")


def intervals(evaluation: Evaluation) -> str:
    """Every metric of every mode, with its 95% interval."""
    with _plot(7.2, 2.6) as (figure, axes):
        modes = evaluation.modes
        for place, mode in enumerate(modes):
            means = np.array([evaluation.metrics[mode][name] for name in METRICS])
            ends = np.array([evaluation.intervals[mode][name] for name in METRICS])
            where = np.arange(len(METRICS)) + (place - (len(modes) - 1) / 2) * 0.16
            # A mean of skewed values may lie a hair outside of the interval of few resamples.
            reach = np.maximum(0.0, [means - ends[:, 0], ends[:, 1] - means])
            axes.errorbar(where, means, reach, fmt="o", ms=5, capsize=3, color=_colour(place), label=mode)
        axes.set_xticks(range(len(METRICS)), METRICS)
        axes.set_ylim(0, 1.02)
        axes.grid(axis="y", alpha=0.25)
        axes.legend(frameon=False, ncols=len(modes), loc="lower center", bbox_to_anchor=(0.5, 1.0))
        return _svg(figure)


def waterfall(changes: Sequence[float]) -> str:
    """The change of every query, the largest loss first."""
    with _plot(7.2, 2.2) as (figure, axes):
        ordered = np.sort(np.asarray(changes, np.float64))
        colours = np.where(ordered < 0, _WORSE, _BETTER).tolist()
        axes.bar(np.arange(1, len(ordered) + 1), ordered, width=1.0, color=colours)
        axes.axhline(0, color="black", lw=0.6)
        axes.set_xlabel("queries, from the one that got worst")
        axes.set_ylabel(f"change of {COMPARED}")
        return _svg(figure)


def scatter(evaluation: Evaluation, first: str, second: str) -> str:
    """Every query by two modes."""
    with _plot(3.4, 3.4) as (figure, axes):
        horizontal, vertical = (evaluation.values(mode, COMPARED) for mode in (second, first))
        axes.plot([0, 1], [0, 1], color="black", lw=0.6)
        axes.scatter(horizontal, vertical, s=14, alpha=0.35, color=_COLOURS[0], edgecolors="none")
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
        axes.set_xlabel(f"{COMPARED}, {second}")
        axes.set_ylabel(f"{COMPARED}, {first}")
        return _svg(figure)


def latencies(timings: Mapping[str, Sequence[float]]) -> str:
    """The share of searches that took no longer than so many milliseconds."""
    with _plot(7.2, 2.2) as (figure, axes):
        for place, (mode, times) in enumerate(timings.items()):
            axes.ecdf(times, color=_colour(place), label=mode)
        axes.set_xlim(left=0)
        axes.set_xlabel("milliseconds")
        axes.set_ylabel("share of searches")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        return _svg(figure)


@contextmanager
def _plot(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of its own, so that nothing of matplotlib's global state is touched or left behind."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Figure) -> str:
    """The figure as an `<svg>` element without anything that differs from run to run."""
    import matplotlib as mpl

    written = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": f"{figure.get_size_inches()}{len(figure.axes[0].lines)}"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return _PROLOGUE.sub("", written.getvalue())


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]
