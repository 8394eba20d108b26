"""Execution accuracy of the SQL executor on Defog's sql-eval, with a model that writes the gold SQL.

    python benchmarks/sql_execution.py FOLDER

FOLDER holds `questions.jsonl` (`id`, `db`, `question`, `sql`: every accepted statement) and `database/DB.sqlite`. Each
statement takes the whole way that a model's would: schema, prompt, reply, guard, and a process of its own. What comes
back must be what the database gives for the gold statement directly, value for value. The target is 100%: the guard
refuses nothing legitimate. How well a model writes SQL is another question.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.llm.loading import as_llm
from rag.sql.answering import SqlAnswer, answer_from
from rag.sql.databases import Database, open_database
from rag.sql.limits import StatementLimits

LIMITS = StatementLimits(seconds=60.0, rows=1_000_000, size=256 * 2**20)


@dataclass(frozen=True)
class Outcome:
    """One gold statement and what became of it; `wrong` says why it is not what it should be."""

    question: str
    sql: str
    seconds: float
    wrong: str = ""


def main() -> int:
    """Run every statement, print the accuracy and what was wrong; 1 where anything was."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="questions.jsonl and database/")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    outcomes = list(run(arguments.folder))
    figures = summed_up(outcomes)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for outcome in outcomes:
            if outcome.wrong:
                print(f"{outcome.question}: {outcome.wrong}\n    {outcome.sql}")
        for name, value in figures.items():
            print(f"{name:<24}{value:>10}")
    return int(figures["questions right"] != figures["questions"])


def run(folder: Path) -> Iterator[Outcome]:
    """Every accepted statement of every question."""
    opened: dict[str, Database] = {}
    for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        file = folder / "database" / f"{question['db']}.sqlite"
        if question["db"] not in opened:
            opened[question["db"]] = open_database(f"sqlite:///{file.absolute()}")
        database = opened[question["db"]]
        for sql in question["sql"]:
            start = time.perf_counter()
            answer = ask(database, question["question"], sql)
            seconds = time.perf_counter() - start
            yield Outcome(question["id"], sql, seconds, compared(answer, directly(file, sql)))


def ask(database: Database, question: str, sql: str) -> SqlAnswer:
    """The question, to a model that writes `sql`."""
    model = as_llm(lambda _: f"```sql\n{sql}\n```", name="gold")
    return answer_from(database, question, model, limits=LIMITS)


def directly(file: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and rows that the database gives, without anything of ours between."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        cursor = connection.execute(sql)
        return [column[0] for column in cursor.description], cursor.fetchall()
    finally:
        connection.close()


def compared(answer: SqlAnswer, expected: tuple[list[str], list[tuple[Any, ...]]]) -> str:
    """What is wrong with an answer; empty where nothing is. Columns without a name of their own are called anyhow."""
    if answer.error is not None:
        return f"refused: {answer.error}"
    if len(answer.attempts) > 1:
        return f"only at the second attempt: {answer.attempts[0].error}"
    columns, rows = expected
    if len(answer.rows.columns) != len(columns) or list(answer.rows.rows) != rows or answer.rows.truncated:
        found = f"{len(answer.rows.rows)} rows of {len(answer.rows.columns)} columns"
        return f"{found} instead of {len(rows)} of {len(columns)}"
    return ""


def summed_up(outcomes: list[Outcome]) -> dict[str, float]:
    """Counts, and how long a statement took on its way."""
    questions = {outcome.question for outcome in outcomes}
    wrong = {outcome.question for outcome in outcomes if outcome.wrong}
    milliseconds = [outcome.seconds * 1_000 for outcome in outcomes]
    return {
        "questions": len(questions),
        "questions right": len(questions - wrong),
        "statements": len(outcomes),
        "statements right": sum(not outcome.wrong for outcome in outcomes),
        "accuracy": round(100 * (1 - len(wrong) / len(questions)), 2),
        "ms a statement, median": round(statistics.median(milliseconds), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
