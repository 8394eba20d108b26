"""A folder of data sheets that words and vectors see differently: what tells them apart is article numbers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

PARTS = ("pump", "valve", "gasket", "bearing", "filter", "spring", "hinge", "nozzle", "gear", "belt")
SHEETS = 40
NUMBERS = [f"{a}{b}{c}{d}" for a in "1234" for b in "1234" for c in "1234" for d in "1234"]
random.Random(5).shuffle(NUMBERS)


def write_sheets(folder: Path) -> Path:
    """Sheets that differ in little but their numbers: vectors of such numbers are all alike, words are not."""
    folder.mkdir(parents=True)
    for number in range(SHEETS):
        one, other = random.Random(number).sample(PARTS, 2)
        (folder / f"{number}.md").write_text(
            f"# Sheet {number}\n\nThe {one} of the machine sits beside the {other}. Open the {other} and take the "
            f"{one} out. Article numbers: {', '.join(NUMBERS[4 * number : 4 * number + 4])}.\n"
        )
    return folder


def about_parts(sheet: int, number: str = "") -> str:
    """A question whose every word but one leads elsewhere."""
    return f"which {PARTS[sheet % len(PARTS)]} is article number {number or NUMBERS[4 * sheet + 1]}?"


def write_questions(file: Path, questions: Iterable[tuple[str, str | list[str]]]) -> Path:
    """A questions file."""
    rows = [{"question": text, "expected": expected} for text, expected in questions]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file
