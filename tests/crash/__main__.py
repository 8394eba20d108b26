"""Strike one point, e.g. `python -m tests.crash add KILL 137`, or as many as the long tests where it is not named.

For each scenario and kind, a line tells how many points there were, how many the run reached, how it ended, and which
generations were left (-1: no knowledge base).
"""

# ruff: noqa: T201 — a command

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.crash.harness import Kind, Outcome, Trial, serving
from tests.crash.scenarios import SCENARIOS
from tests.crash.test_crash import LONG


def main() -> int:
    """Run what the command line asks for; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    kinds = [kind.name for kind in Kind if kind.harms]
    parser.add_argument("scenario", nargs="?", choices=[scenario.name for scenario in SCENARIOS])
    parser.add_argument("kind", nargs="?", choices=kinds)
    parser.add_argument("call", nargs="?", type=int)
    parser.add_argument("--trace", action="store_true", help="only list the calls of the uninterrupted run")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="pilotfish-crash-")).resolve()
    failed = False
    with serving(folder) as server:
        for scenario in SCENARIOS:
            if asked.scenario not in {None, scenario.name}:
                continue
            trial = Trial(scenario, server, folder)
            if asked.trace:
                print(*trial.reference.calls, sep="\n")
                continue
            for name in [asked.kind] if asked.kind else kinds:
                kind = Kind[name]
                points = [asked.call] if asked.call else trial.points(kind, LONG[kind])
                outcomes = [trial.strike(kind, point) for point in points]
                failed |= _tell(scenario.name, kind, len(trial.reference.calls), outcomes)
    if failed:
        print(f"what went wrong is kept in {folder}")
    else:
        shutil.rmtree(folder)
    return int(failed)


def _tell(scenario: str, kind: Kind, calls: int, outcomes: list[Outcome]) -> bool:
    wrong = [outcome for outcome in outcomes if outcome.problem]
    reached = [outcome for outcome in outcomes if outcome.struck]
    ended = sorted({outcome.code for outcome in reached})
    left = sorted({-1 if outcome.published is None else outcome.published for outcome in outcomes})
    asked = [outcome.meanwhile for outcome in outcomes if outcome.meanwhile]
    meanwhile = f"; {asked.count('searched')} of {len(asked)} searched meanwhile" if asked else ""
    print(
        f"{scenario:9}{kind.name:8} {calls:5} calls, {len(outcomes):3} points, {len(reached):3} reached, "
        f"{len(wrong):3} wrong; exit codes {ended}; generations left {left}{meanwhile}",
        *wrong,
        sep="\n  ",
        flush=True,
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
