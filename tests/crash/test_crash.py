"""`kill -9`, a failing disk and a full disk, at points spread over all that `rag index` does to the disk.

After each, the knowledge base answers from a published generation; the next run completes it, to the same state as
if nothing had happened, and embeds nothing twice. To strike a single point again:
`python -m tests.crash SCENARIO KIND CALL`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from tests.crash.harness import Kind, Trial
from tests.crash.scenarios import SCENARIOS

pytestmark = pytest.mark.process

# Points of each scenario, by kind.
LONG = {Kind.KILL: 60, Kind.TEAR: 12, Kind.FAIL: 16, Kind.FAIL_ON: 8, Kind.FILL: 12}
SHORT = {Kind.KILL: 3, Kind.TEAR: 1, Kind.FAIL: 2, Kind.FILL: 1}
if os.environ.get("PILOTFISH_LONG"):
    POINTS, NAMES = LONG, tuple(scenario.name for scenario in SCENARIOS)
else:
    POINTS, NAMES = SHORT, ("add", "overtaken", "compact", "encoder")


@pytest.mark.parametrize("kind", POINTS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", NAMES)
def test_whatever_interrupts_a_run_the_next_one_completes_it(
    trials: Callable[[str], Trial], name: str, kind: Kind
) -> None:
    trial = trials(name)
    phase = (NAMES.index(name) + 0.5) / len(NAMES)
    outcomes = [trial.strike(kind, call) for call in trial.points(kind, POINTS[kind], phase)]
    wrong = [str(outcome) for outcome in outcomes if outcome.problem]
    assert not wrong, "\n".join(wrong)
    if len(outcomes) > 1:  # the last of them strikes what comes after the last commit
        assert outcomes[-1].published == max(trial.generations)
    # What the threads of tantivy and of a compaction do differs a little from run to run: a last call may not come.
    missed = sum(outcome.struck is None for outcome in outcomes)
    assert missed <= (max(1, len(outcomes) // 10) if len(outcomes) > 1 else 0), f"{missed} points were not reached"


@pytest.mark.parametrize(
    ("kind", "call"),
    [(Kind.FAIL, "ftruncate catalog.sqlite-shm"), (Kind.FILL, "mkdir sparse"), (Kind.FAIL_ON, "write sparse/")],
    ids=lambda value: value.name if isinstance(value, Kind) else value.replace(" ", "-"),
)
def test_a_disk_that_refuses_the_very_first_files_is_named(
    trials: Callable[[str], Trial], kind: Kind, call: str
) -> None:
    trial = trials("add")
    first = next(number for number, seen in enumerate(trial.reference.calls, 1) if seen.startswith(call))
    outcome = trial.strike(kind, first)
    assert outcome.struck
    assert outcome.code == 1
    assert not outcome.problem


def test_the_faults_reach_every_step_of_the_protocol(trials: Callable[[str], Trial]) -> None:
    calls = "\n".join(trials("compact").reference.calls)
    for step in (
        "pwrite catalog.sqlite-wal$",
        "fdatasync catalog.sqlite-wal$",
        "pwrite catalog.sqlite$",
        "fdatasync sparse/.+",
        "rename sparse/.*meta.json$",
        "rename sparse/state.json$",
        "rename dense/.+",
        "unlink dense/.+",
        "unlink sparse/.+",
    ):
        assert re.search(f"^{step}", calls, re.MULTILINE), f"never seen: {step}"
