"""What sources left out: in words, and as it is remembered with the facts of a source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from connectors.source import LeftOut

LEFT_OUT_FACT = "left_out"  # among the facts of a source
_EXAMPLES_SAID = 2
_MOST_EXAMPLES = 5


def in_words(left_out: Sequence[LeftOut]) -> str:
    """What was left out, in one line.

    >>> in_words([LeftOut("pictures", 3, ("a.png", "b.png", "c.png")), LeftOut("fonts", 1, ("x.ttf",))])
    'left out: pictures 3 (a.png, b.png, …), fonts 1 (x.ttf); `--include PATTERN` reads them'
    """
    said = []
    for each in left_out:
        more = ["…"] if each.count > _EXAMPLES_SAID else []
        examples = ", ".join([*each.examples[:_EXAMPLES_SAID], *more])
        said.append(f"{each.reason} {each.count:,} ({' '.join(examples.split())})")
    return f"left out: {', '.join(said)}; `--include PATTERN` reads them"


def together(first: LeftOut, second: LeftOut) -> LeftOut:
    """What two sources left out for the same reason."""
    examples = (*first.examples, *second.examples)[:_MOST_EXAMPLES]
    return LeftOut(first.reason, first.count + second.count, examples)


def dump_left_out(left_out: Sequence[LeftOut]) -> str:
    """What was left out, as a fact of its source."""
    return json.dumps([[each.reason, each.count, list(each.examples)] for each in left_out], ensure_ascii=False)


def load_left_out(facts: Mapping[str, str]) -> tuple[LeftOut, ...]:
    """What the facts of a source say was left out; nothing where they are not what was written."""
    try:
        rows = json.loads(facts.get(LEFT_OUT_FACT, "[]"))
        return tuple(LeftOut(str(reason), int(count), tuple(map(str, examples))) for reason, count, examples in rows)
    except (ValueError, TypeError, RecursionError):
        return ()
