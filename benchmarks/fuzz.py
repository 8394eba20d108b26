"""What becomes of mutated files: outcomes, and the slowest and largest of them by their size.

    nice -n 10 python -m benchmarks.fuzz --files 50000 --seconds 1200 [--seed 0]

Small real files of every format are mutated (bytes flipped, stretches cut, repeated and spliced in from other files,
members of archives mutated and packed again, values and tags of markup replaced) and parsed in one worker. The same
harness runs in the tests (`tests/connectors/formats/test_fuzz.py`). It ends with 1 where a file broke a promise: its
text lost in silence, a file written, more memory or time taken than its size allows; and prints the seed of each.
"""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.common import command_line
from tests.connectors.formats.fuzzing import Outcome, Trial, fuzzer, is_sound

_SHOWN = 5
_NAMED = (Outcome.LATE, Outcome.CRASHED)


def main() -> int:
    """Run, and print one table."""
    parser = command_line(__doc__)
    parser.add_argument("--files", type=int, default=50_000, help="mutated files at the most")
    parser.add_argument("--seconds", type=float, default=1200, help="begin no file after this time")
    parser.add_argument("--seed", type=int, default=0, help="of the first file; the others follow")
    arguments = parser.parse_args()
    trials: list[Trial] = []
    end = time.monotonic() + arguments.seconds
    with fuzzer() as fuzz:
        for seed in range(arguments.seed, arguments.seed + arguments.files):
            if time.monotonic() > end:
                break
            trials.append(fuzz.trial(seed))
            if not is_sound(trials[-1]) or trials[-1].outcome in _NAMED:
                print(_line(trials[-1]), flush=True)
    _print_table(trials)
    return int(not all(map(is_sound, trials)))


def _print_table(trials: list[Trial]) -> None:
    print(f"\n{'files':24}{len(trials):>10,}")
    for outcome, count in Counter(trial.outcome for trial in trials).most_common():
        print(f"{outcome.value:24}{count:>10,}")
    print("\nslowest for their size")
    for trial in sorted(trials, key=lambda trial: -trial.seconds / _kilobytes(trial))[:_SHOWN]:
        print(_line(trial))
    print("\nlargest in memory for their size")
    for trial in sorted(trials, key=lambda trial: -trial.memory / _kilobytes(trial))[:_SHOWN]:
        print(_line(trial))


def _kilobytes(trial: Trial) -> float:
    return max(trial.size, 10_000) / 1000  # of smaller ones the beginning of a parser is measured


def _line(trial: Trial) -> str:
    took = f"{trial.seconds:.2f} s  {trial.memory / 1e6:.0f} MB  {trial.size / 1000:.0f} kB"
    return f"  seed {trial.seed:<8} {trial.name:10} {took}  {trial.outcome.value}: {trial.detail[:100]}"


if __name__ == "__main__":
    raise SystemExit(main())
