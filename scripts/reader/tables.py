"""Questions made of tables: the cell where a named line and a named column meet, as documents show tables.

People's own questions about tables mostly count and compare, which a reader of words cannot; looking up, it must.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from scripts.reader.pairs import Pair, is_held_out

_ASKED = (
    "what is the {column} of {name}?",
    "what {column} does {name} have?",
    "{column} of {name}",
    "{name} {column}",
    "which {column} is listed for {name}?",
    "how much is the {column} for {name}?",
    "tell me the {column} of the {name}",
)
_MOST_LINES = 14

Table = list[dict[str, str]]


def of_tables(found: Sequence[dict[str, Any]], seed: int) -> Iterator[Pair]:
    """Two questions about each table, and one about a line that another table has."""
    chance = random.Random(f"{seed} tables")
    tables = [table for passage in sorted({row["passage"] for row in found}) if (table := _read(passage))]
    for table in tables:
        start = chance.randint(0, max(0, len(table) - 3))
        lines = table[start : start + chance.randint(3, _MOST_LINES)]
        named = _naming(lines)
        columns = [column for column in lines[0] if column != named]
        if len(lines) < 2 or not named or not columns:
            continue
        other = chance.choice(tables)
        absent = other[0].get(_naming(other), "")
        write = chance.choice((_as_pairs, _as_bars, _as_markdown, _as_commas))
        for line in chance.sample(lines, 2):
            passage, places = write(lines, chance)
            column = chance.choice(columns)
            cell = places[lines.index(line), column]
            asked = chance.choice(_ASKED)
            own = Pair(
                asked.format(column=column.lower(), name=line[named]),
                passage,
                "tables",
                bool(line[column].strip()),
                cell if line[column].strip() else None,
                held_out=is_held_out(passage),
            )
            yield own
            if absent and absent not in passage and chance.random() < 0.5:
                yield Pair(
                    asked.format(column=column.lower(), name=absent), passage, "tables", False, held_out=own.held_out
                )


def _read(passage: str) -> Table:
    """The lines of a table written as "column: value; …"."""
    table = [dict(part.split(": ", 1) for part in line.split("; ") if ": " in part) for line in passage.split("\n")]
    alike = [line for line in table if line.keys() == table[0].keys() and len(line) > 1]
    return alike if len(alike) == len(table) else []


def _naming(lines: Table) -> str:
    """The first column of words that tells all lines apart; nothing where there is none."""
    for column in lines[0]:
        values = [line[column] for line in lines]
        if len(set(values)) == len(lines) and all(any(sign.isalpha() for sign in value) for value in values):
            return column
    return ""


class _Writer:
    """Text, and where the cells stand in it."""

    def __init__(self) -> None:
        self.text = ""
        self.places: dict[tuple[int, str], tuple[int, int]] = {}

    def cell(self, line: int, column: str, value: str) -> None:
        self.places[line, column] = (len(self.text), len(self.text) + len(value))
        self.text += value


def _as_pairs(lines: Table, chance: random.Random) -> tuple[str, dict[tuple[int, str], tuple[int, int]]]:
    between = chance.choice(("; ", ", ", "\n", " | "))
    written = _Writer()
    for number, line in enumerate(lines):
        for place, (column, value) in enumerate(line.items()):
            written.text += f"{between if place else ''}{column}: "
            written.cell(number, column, value)
        written.text += "\n\n" if between == "\n" else "\n"
    return written.text.strip(), written.places


def _as_bars(lines: Table, chance: random.Random) -> tuple[str, dict[tuple[int, str], tuple[int, int]]]:
    return _under_head(lines, chance.choice((" | ", "\t", "  ")), "", "")


def _as_markdown(lines: Table, chance: random.Random) -> tuple[str, dict[tuple[int, str], tuple[int, int]]]:
    rule = "|" + chance.choice(("---|", " --- |", ":--|")) * len(lines[0]) + "\n"
    return _under_head(lines, " | ", "| ", rule)


def _as_commas(lines: Table, chance: random.Random) -> tuple[str, dict[tuple[int, str], tuple[int, int]]]:
    return _under_head(lines, chance.choice((",", ";")), "", "")


def _under_head(lines: Table, between: str, edge: str, rule: str) -> tuple[str, dict[tuple[int, str], tuple[int, int]]]:
    close = edge[::-1]
    written = _Writer()
    written.text = edge + between.join(lines[0]) + close + "\n" + rule
    for number, line in enumerate(lines):
        written.text += edge
        for place, (column, value) in enumerate(line.items()):
            written.text += between if place else ""
            written.cell(number, column, value)
        written.text += close + "\n"
    return written.text.rstrip("\n"), written.places
