"""Whether the support judge tells a paraphrase of a passage from its contrary in nearly the same words.

Run:  python benchmarks/contrary.py [--half development] [--without-encoder] [--show]

contrary_pairs.jsonl holds short passages of our own, fourteen or more of each kind of contrary (a "not", an exception,
another number or name, an antonym, swapped roles, …), each with a true paraphrase and a false variant of that; and true
paraphrases alone, of a kind that may raise a false alarm. Half of each kind, by hash of the passage, is for
development: rules that read such contraries from words, most of them since deleted, were written with those in view.
The other half is held out. Printed for each half and kind: the share of true ones that count as supported, and of false
ones that do.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import command_line
from indexes.encoding.loading import load_encoder
from rag.verification.support import Support, SupportJudge

_PAIRS = Path(__file__).with_name("contrary_pairs.jsonl")
_HALVES = ("development", "held out")


@dataclass(frozen=True)
class Pair:
    """A passage, the title or headings above it, and what is true and what is false by it, if that was written."""

    passage: str
    true: str
    false: str = ""
    context: str = ""


@dataclass(frozen=True)
class Judged:
    """A pair, and what the judge says of its two claims."""

    pair: Pair
    true: Support
    false: Support | None


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--half", choices=_HALVES, action="append", help="this half alone")
    parser.add_argument("--without-encoder", action="store_true")
    parser.add_argument("--show", action="store_true", help="show what is judged wrong")
    arguments = parser.parse_args()
    encoder = None if arguments.without_encoder else load_encoder()
    judge = SupportJudge(encoder)
    for half in arguments.half or _HALVES:
        print(f"{half:14}supported:     true          false")
        judged = {kind: _judged(judge, pairs) for kind, pairs in read(_PAIRS, half).items()}
        for kind, several in judged.items():
            _report(kind, several)
        _report("all", [one for several in judged.values() for one in several])
        if arguments.show:
            for kind, several in judged.items():
                _show(kind, several)


def read(path: Path, half: str) -> Mapping[str, Sequence[Pair]]:
    """The pairs of each kind that belong to a half: "development" or "held out"."""
    kinds: dict[str, list[Pair]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        kinds[row.pop("kind")].append(Pair(**row))
    first = _HALVES.index(half)
    return {kind: sorted(pairs, key=_by_hash)[first::2] for kind, pairs in kinds.items()}


def _by_hash(pair: Pair) -> str:
    return hashlib.sha256(pair.passage.encode()).hexdigest()


def _judged(judge: SupportJudge, pairs: Iterable[Pair]) -> list[Judged]:
    return [
        Judged(
            pair,
            judge.judge(pair.true, pair.passage, pair.context),
            judge.judge(pair.false, pair.passage, pair.context) if pair.false else None,
        )
        for pair in pairs
    ]


def _report(kind: str, judged: Sequence[Judged]) -> None:
    true, false = [one.true for one in judged], [one.false for one in judged if one.false is not None]
    shares = "".join(
        f"{sum(flags) / len(flags):15.2f}" if flags else f"{'–':>15}"
        for flags in ([one.holds for one in several] for several in (true, false))
    )
    print(f"  {kind:12}{shares}   of {len(judged)}")


def _show(kind: str, judged: Iterable[Judged]) -> None:
    for one in judged:
        for name, claim, support, right in (
            ("true", one.pair.true, one.true, one.true.holds),
            ("false", one.pair.false, one.false, one.false is None or not one.false.holds),
        ):
            if support is not None and not right:
                print(f"{kind}: {name}, {support.probability:.2f}: {claim}")
                print(f"    {one.pair.passage}")


if __name__ == "__main__":
    main()
