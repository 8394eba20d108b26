"""What the benchmarks share: their command line, where they keep what they make, and the statistics they print.

Only the standard library is imported here: `benchmarks/peer_worker.py` runs where nothing of this project is
installed.
"""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def command_line(
    doc: str | None, *, collections: str = "", keep: str = "", split: bool = False, as_json: bool = False
) -> ArgumentParser:
    """A parser whose help is the docstring of the benchmark, with the arguments that several of them take.

    Args:
        doc: the docstring of the benchmark, which says what it measures and how to run it.
        collections: how many names follow a folder of BEIR folders: "*" (none means all) or "+"; empty for no folder.
        keep: what `--keep` keeps; empty for no such option.
        split: whether the judgements can be chosen.
        as_json: whether it can print one JSON object.
    """
    parser = ArgumentParser(description=doc, formatter_class=RawDescriptionHelpFormatter)
    if collections:
        parser.add_argument("folder", type=Path, help="a folder of BEIR folders")
        parser.add_argument("names", nargs=collections, help="only these collections")
    if keep:
        parser.add_argument("--keep", type=Path, metavar="FOLDER", help=f"keep {keep} here, and reuse what is there")
    if split:
        what = "whose judgements; `dev` where a collection has no such split"
        parser.add_argument("--split", default="test", help=what)
    if as_json:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def chosen_collections(arguments: Namespace) -> list[Path]:
    """The judged BEIR folders in `folder`, or those of them that `names` names."""
    judged = sorted(path.parent for path in arguments.folder.glob("*/qrels"))
    return [home for home in judged if not arguments.names or home.name in arguments.names]


@contextmanager
def kept_in(folder: Path | None) -> Iterator[Path]:
    """`folder`, or where none is given one that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pilotfish-benchmark-", ignore_cleanup_errors=True) as temporary:
        yield folder or Path(temporary)


def read_json_lines(file: Path) -> list[dict[str, Any]]:
    """The objects of a file that has one in each line."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def interval(values: NDArray[Any], resamples: int) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean."""
    import numpy as np

    picks = np.random.default_rng(0).integers(0, len(values), (resamples, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def auroc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """The probability that one of the `positive` scores above one of the `negative`; ties count half."""
    import numpy as np

    ordered = np.sort(negative)
    below, up_to = (np.searchsorted(ordered, positive, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(negative))


def auroc_interval(positive: NDArray[Any], negative: NDArray[Any], resamples: int = 1_000) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the AUROC."""
    import numpy as np

    chance = np.random.default_rng(0)
    found = [
        auroc(chance.choice(positive, len(positive)), chance.choice(negative, len(negative))) for _ in range(resamples)
    ]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def process_megabytes(key: str) -> float:
    """Memory of this process as Linux counts it, by a `key` of its status: `VmRSS`, or `VmHWM` for the most so far.

    `getrusage` would count the most of its parent, too. NaN where there is no such count.
    """
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except FileNotFoundError:
        return float("nan")
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1_000
