"""What the guard lets through of SQL that people wrote, and whether it gives the same rows.

    python -m benchmarks.sql_guard DATA [--limit 1000]

DATA holds spider_train_sql.jsonl.gz and text2sql_classic.jsonl.gz, each with the schema of every database and gold
statements. Each schema becomes a SQLite database, filled with rows made up from what its statements compare; then the
guarded statement must give the rows that the gold one gives. Statements that SQLite itself refuses, of tables that the
schema does not have for instance, are counted apart. Every refusal is printed with its reason.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import command_line
from rag.sql.allowed import AllowedTable, AllowList, SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.guard import guard

_ROWS = 30  # of each table
_STEPS = 2_000_000  # of SQLite's machine that a statement may take
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_SETS = ("spider_train_sql", "text2sql_classic")


@dataclass
class Schema:
    """The tables of a database, each with its columns and their types, and the statements about it."""

    tables: Mapping[str, Mapping[str, str]]
    statements: list[str] = field(default_factory=list)


def main() -> None:
    """Guard every statement, and print what was refused or gave other rows."""
    parser = command_line(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, help="so many statements of each set, drawn at random")
    arguments = parser.parse_args()
    for name in _SETS:
        counts: Counter[str] = Counter()
        for schema in _schemas(arguments.data / f"{name}.jsonl.gz", arguments.limit).values():
            for sql, outcome in _outcomes(schema):
                counts[outcome.partition(":")[0]] += 1
                if outcome.startswith(("refused", "other rows")):
                    print(f"{outcome}\n    {sql}")
        usable = counts.total() - counts["not valid"]
        print(f"{name}: {usable} statements, let through {1 - counts['refused'] / usable:.4f}, {dict(counts)}")


def _schemas(path: Path, limit: int | None) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    statements: set[tuple[str, str]] = set()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["kind"] == "schema":
                found[row["db_id"]] = Schema(_tables(row))
            else:
                statements.add((row["db_id"], row["sql"].strip().removesuffix(";")))
    chosen = sorted(statements)
    chance = random.Random(0)  # noqa: S311 — reproducible, not secret
    for database, sql in chance.sample(chosen, min(limit or len(chosen), len(chosen))):
        found[database].statements.append(sql)
    return found


def _tables(row: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    if "tables" in row:
        return {name: dict(columns) for name, columns in row["tables"].items() if not name.startswith("sqlite_")}
    found: dict[str, dict[str, str]] = {}
    for line in row["schema_csv"].splitlines()[1:]:
        table, column, *_ = (part.strip() for part in line.split(","))
        if table != "-":
            found.setdefault(table.lower(), {})[column] = "text"
    return found


def _outcomes(schema: Schema) -> Iterator[tuple[str, str]]:
    tables = tuple(AllowedTable(name, tuple(columns)) for name, columns in schema.tables.items())
    allowed = AllowList(SqlDialect.SQLITE, tables, "main")
    with closing(_filled(schema)) as connection:
        for sql in schema.statements:
            expected = _rows(connection, sql)
            if isinstance(expected, str):
                yield sql, f"not valid: {expected}"
                continue
            try:
                text = guard(sql, allowed).text
            except RefusedError as error:
                yield sql, f"refused: {error}"
                continue
            got = _rows(connection, text)
            is_same = isinstance(got, list) and sorted(map(repr, got)) == sorted(map(repr, expected))
            yield sql, "same rows" if is_same else f"other rows: {text}"


def _filled(schema: Schema) -> sqlite3.Connection:
    chance = random.Random(0)  # noqa: S311 — reproducible, not secret
    texts = sorted({one or other for sql in schema.statements for one, other in _TEXT.findall(sql)} | {"a", "b"})
    connection = sqlite3.connect(":memory:")
    connection.set_progress_handler(lambda: 1, _STEPS)
    for name, columns in schema.tables.items():
        listed = ", ".join(
            f'"{column}" {"NUMERIC" if kind == "number" else "TEXT"}' for column, kind in columns.items()
        )
        connection.execute(f'CREATE TABLE "{name}" ({listed})')
        rows = [
            [chance.randint(1, 12) if kind == "number" else chance.choice(texts) for kind in columns.values()]
            for _ in range(_ROWS)
        ]
        places = ", ".join("?" * len(columns))
        connection.executemany(f'INSERT INTO "{name}" VALUES ({places})', rows)  # noqa: S608 — names of the schema
    return connection


def _rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]] | str:
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.Error as error:
        return str(error)


if __name__ == "__main__":
    main()
