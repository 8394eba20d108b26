"""Fit the linking model (`rag/query/linking.json`) to questions with gold SQL.

    python -m scripts.fit_linking spider.jsonl.gz wikitables.jsonl.gz

The first file has the schemas, questions and gold SQL of Spider's training databases (Yu et al., 2018), without their
rows. So rows are made. What the queries compare with the columns of one table stands in one row, for each question.
Beside it stands what nobody asked for: values of columns that are called the same, in the other databases and in the
tables of the second file (WikiTableQuestions, Pasupat and Liang, 2015), real ones of tables that people wrote. The
databases then get the names that `rag index` gives them.

A candidate is right if its name and column are compared in the gold SQL. The right name in another column, a mention
that overlaps a right one, and names that a compared value is a part of are left out: they compete with what is right,
and choosing between mentions is not the model's. So are numbers, of which gold SQL says too little. All else is wrong.
Of a mention that has many meanings which are all wrong or all right, each counts for as many times less.

The coefficients are the likeliest that stay near `EXPECTED`, what they were set to by hand before there was a fit: a
feature that the questions do not have keeps it. A sign must not turn. Prints how models fitted on four fifths of the
databases link the questions about the others, before and after (`benchmarks/linking.py` has the measures).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sqlglot
from numpy.typing import NDArray
from sqlglot.errors import SqlglotError

from benchmarks.linking import Counts, documents, evaluate, named
from benchmarks.linking_gold import Database, Literal, Sort, literals
from indexes.catalog.dictionary import Dictionary
from indexes.encoding.loading import load_encoder
from indexes.terms.names import normal
from rag.judging.fitting import fit_logistic
from rag.judging.logistic import LogisticModel
from rag.query.disambiguation import MODEL_FILE, column
from rag.query.entity_linking import Candidate, Linker
from rag.query.spelling import is_general
from rag.query.tokens import TokenizedQuestion

EXPECTED = {
    "intercept": -1.0,
    "quoted": 3.0,
    "several words": 2.5,
    "capital": 1.5,
    "same code": 2.0,
    "rare word": 1.5,
    "common word": -1.2,
    "stop word": -4.0,
    "schema word": -2.0,
    "number": -3.0,
    "numbered": 2.5,
    "beside": 3.0,
    "close": 1.5,
    "somewhere": 0.7,
    "further word": 0.3,
    "category": 0.7,
    "inflected": -0.7,
    "initials": -1.0,
    "two initials": -1.5,
    "part": -0.3,
    "part missing": -4.0,
    "unlike": -10.0,
    "one row": 2.5,
}
PRECISION = 4.0  # one over the variance of what is expected: half a unit of log-odds either way
FOLDS = 5
FOREIGN_ROWS = 60  # of each table, made of values that nobody asked for
FEWEST = 50  # values of columns that are called the same
FIRST_KEY = 10_001
_NAMES = tuple(EXPECTED)
_CELL = re.compile(r"(?:^|; )([^:;\n]{1,40}): ([^;\n]+)", re.MULTILINE)
_LONGEST_CELL = 40
_WILD = "%_"

Floats = NDArray[np.float64]
Pools = Mapping[tuple[str, ...], Sequence[str]]  # what a column is called → values


@dataclass(slots=True)
class Asked:
    """A database of the training file: its schema, and its questions as `benchmarks.linking` takes them."""

    name: str
    tables: Mapping[str, Sequence[tuple[str, str]]]
    references: Sequence[tuple[str, str]]
    questions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Examples:
    """Candidates of the questions about one database: features, labels and weights."""

    design: Floats
    labels: Floats
    weights: Floats


def main() -> None:
    """Make the databases, collect, check fold by fold, fit on all, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("questions", type=Path, help="schemas, questions and SQL, as JSON lines")
    parser.add_argument("tables", type=Path, help="tables as text, as JSON lines")
    arguments = parser.parse_args()
    encoder = load_encoder()
    is_common = partial(is_general, encoder=encoder)
    with tempfile.TemporaryDirectory(prefix="pilotfish-linking-") as folder:
        every = make(Path(folder), read(arguments.questions), cells(arguments.tables))
        examples = {name: collect(database, asked, is_common) for name, (database, asked) in every.items()}
        print(f"{sum(len(each.labels) for each in examples.values())} candidates", flush=True)
        expected = LogisticModel(EXPECTED["intercept"], EXPECTED)
        before, after = Counts(), Counts()
        for fold in range(FOLDS):
            unseen = sorted(every)[fold::FOLDS]
            model = fit([each for name, each in examples.items() if name not in unseen])
            for counts, used in ((before, expected), (after, model)):
                for name in unseen:
                    database, asked = every[name]
                    counts.add(evaluate(database, asked.questions, is_common, model=used).counts["value"])
            print(f"fold {fold}: before {before}, after {after}", flush=True)
    write(fit(list(examples.values())), len(every), before, after)


def read(path: Path) -> list[Asked]:
    """The databases of the training file."""
    found: dict[str, Asked] = {}
    for line in _lines(path):
        if line["kind"] == "schema":
            tables = {
                table: [(name, kind) for name, kind in columns]
                for table, columns in line["tables"].items()
                if not table.startswith("sqlite_")  # SQLite's own
            }
            found[line["db_id"]] = Asked(line["db_id"], tables, [tuple(pair) for pair in line["foreign_keys"]])
    for line in _lines(path):
        if line["kind"] == "question":
            # Their strings stand in double quotes, which SQLite takes for names of columns.
            try:
                sql = sqlglot.parse_one(line["sql"], dialect="mysql").sql("sqlite")
            except SqlglotError:
                continue
            found[line["db_id"]].questions.append({"question": line["question"], "sql": [sql]})
    return list(found.values())


def cells(path: Path) -> Iterator[tuple[tuple[str, ...], str]]:
    """What a column of some table is called, and a value of it."""
    seen = set()
    for line in _lines(path):
        if line["passage"] not in seen:
            seen.add(line["passage"])
            for name, cell in _CELL.findall(line["passage"]):
                if len(cell) <= _LONGEST_CELL and any(map(str.isalpha, cell)):
                    yield _called(name), cell.strip()


def make(
    folder: Path, every: Sequence[Asked], elsewhere: Iterator[tuple[tuple[str, ...], str]]
) -> dict[str, tuple[Database, Asked]]:
    """The databases, with rows for what is asked about and for what is not."""
    asked_for: dict[str, list[list[Literal]]] = {}
    pools: dict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for each in every:
        create(folder / f"{each.name}.empty.sqlite", each, [], {})
        database = Database(folder / f"{each.name}.empty.sqlite")
        asked_for[each.name] = [compared(sql, database) for question in each.questions for sql in question["sql"]]
        for found in asked_for[each.name]:
            for literal in found:
                pools[_called(literal.column)].setdefault(literal.text)
    for name, cell in elsewhere:
        pools[name].setdefault(cell)
    values = {name: list(found) for name, found in pools.items()}
    for each in every:
        create(folder / f"{each.name}.sqlite", each, asked_for[each.name], values)
    return {each.name: (Database(folder / f"{each.name}.sqlite"), each) for each in every}


def compared(sql: str, database: Database) -> list[Literal]:
    """The strings that a query compares with a column, and that may be values of it."""
    wanted = [each for each in gold(sql, database) if each.sort is Sort.ABSENT and set(_WILD).isdisjoint(each.text)]
    return sorted(wanted, key=lambda each: (each.table, each.column, each.text))


def gold(sql: str, database: Database) -> frozenset[Literal]:
    """The strings that a query compares with columns; nothing where it cannot be parsed."""
    if "'" not in sql:  # most have none, and parsing takes long
        return frozenset()
    try:
        return literals(sql, database)
    except SqlglotError:
        return frozenset()


def create(path: Path, asked: Asked, questions: Sequence[Sequence[Literal]], pools: Pools) -> None:
    """A SQLite database: of each table a row for every question that compares something with it, and foreign ones."""
    chance = random.Random(asked.name)  # noqa: S311 (no secret)
    keys = {table: columns[0][0] for table, columns in asked.tables.items() if columns and columns[0][1] == "number"}
    lowered = {table.lower(): table for table in asked.tables}
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for found in questions:
        by_table: dict[str, dict[str, str]] = defaultdict(dict)
        for literal in found:
            columns = {name.lower(): name for name, _ in asked.tables[lowered[literal.table.lower()]]}
            own = by_table[lowered[literal.table.lower()]]
            if columns[literal.column.lower()] in own:  # a second value of the column is another row's
                rows[lowered[literal.table.lower()]].append({columns[literal.column.lower()]: literal.text})
            own.setdefault(columns[literal.column.lower()], literal.text)
        for table, row in by_table.items():
            if row not in rows[table]:
                rows[table].append(row)
    for table, columns in asked.tables.items() if pools else ():
        own = {name: foreign(name, asked, pools, chance) for name, kind in columns if kind == "text"}
        rows[table] += [{name: values[at] for name, values in own.items()} for at in range(FOREIGN_ROWS)]
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in asked.tables.items():
            connection.execute(f"CREATE TABLE {_quoted(table)} ({', '.join(_definitions(asked, table, keys))})")
            for number, row in enumerate(rows[table] if pools else (), FIRST_KEY):
                values = {keys[table]: number, **row} if table in keys else row
                for source, target in asked.references:
                    (own_table, own_column), (other, _) = source.split(".", 1), target.split(".", 1)
                    if own_table == table and _is_key(target, keys) and own_column not in values:
                        values = {**values, own_column: chance.randrange(len(rows[other])) + FIRST_KEY}
                if values:
                    names = ", ".join(map(_quoted, values))
                    marks = ", ".join("?" * len(values))
                    connection.execute(
                        f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})",  # noqa: S608
                        list(values.values()),
                    )
        connection.commit()


def foreign(name: str, asked: Asked, pools: Pools, chance: random.Random) -> list[str]:
    """Values for a column that nobody asked for; those of any other where too few are called the same.

    Half of them are made of words of the questions, as many a value of a large database is.
    """
    pool = pools.get(_called(name), ())
    if len(pool) < FEWEST:
        pool = pools[chance.choice([each for each in sorted(pools) if len(pools[each]) >= FEWEST])]
    said = {word for question in asked.questions for word in normal(question["question"]).split()}
    near = [value for value in pool if said.issuperset(normal(value).split())] or pool
    return [chance.choice((near, pool)[at % 2]) for at in range(FOREIGN_ROWS)]


def _definitions(asked: Asked, table: str, keys: Mapping[str, str]) -> Iterator[str]:
    for name, kind in asked.tables[table]:
        type_ = {"number": "INTEGER", "time": "DATE"}.get(kind, "TEXT")
        yield f"{_quoted(name)} {type_}{' PRIMARY KEY' if keys.get(table) == name else ''}"
    for source, target in asked.references:
        if source.split(".", 1)[0] == table and _is_key(target, keys):
            (_, own), (other, its) = source.split(".", 1), target.split(".", 1)
            yield f"FOREIGN KEY ({_quoted(own)}) REFERENCES {_quoted(other)} ({_quoted(its)})"


def _is_key(role: str, keys: Mapping[str, str]) -> bool:
    table, name = role.split(".", 1)
    return keys.get(table) == name


def _called(name: str) -> tuple[str, ...]:
    """The words of a column's name that tell it from others; all of them where none does."""
    own = column(f"table.{name}").column or column(f"{name}.").table
    return tuple(sorted(own))


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def collect(database: Database, asked: Asked, is_common: Callable[[str], bool]) -> Examples:
    """The candidates of the questions about a database."""
    rows, labels, weights = [], [], []
    with named(documents(database.path)) as catalog, catalog.reading() as reading:
        linker = Linker(Dictionary(reading, 1), is_common)
        for each in asked.questions:
            question = TokenizedQuestion(each["question"])
            judged = list(label(linker.candidates(question), gold(each["sql"][0], database), question))
            alike: dict[tuple[int, int, bool], int] = defaultdict(int)
            for candidate, right in judged:
                alike[candidate.mention.first, candidate.mention.last, right] += 1
            for candidate, right in judged:
                features = {"intercept": 1.0, **candidate.features}
                rows.append([features.get(name, 0.0) for name in _NAMES])
                labels.append(float(right))
                weights.append(1 / alike[candidate.mention.first, candidate.mention.last, right])
    return Examples(
        np.array(rows, dtype=np.float64).reshape(-1, len(_NAMES)), np.array(labels, float), np.array(weights, float)
    )


def label(
    candidates: Sequence[Candidate], found: Collection[Literal], question: TokenizedQuestion
) -> Iterator[tuple[Candidate, bool]]:
    """The candidates of a question that are surely right or wrong."""
    names = {(normal(each.text), each.role) for each in found if each.sort is Sort.NAME}
    texts = {text for text, _ in names}
    parts = {normal(each.text) for each in found if each.sort is not Sort.NAME}
    right = {id(each) for each in candidates if (each.meaning.normal, each.meaning.role.lower()) in names}
    taken = {
        place for each in candidates if id(each) in right for place in range(each.mention.first, each.mention.last)
    }
    for each in candidates:
        places = range(each.mention.first, each.mention.last)
        if all(question.tokens[place].is_number for place in places):
            continue
        if id(each) in right:
            yield each, True
        elif each.meaning.normal not in texts | parts and taken.isdisjoint(places):
            if not any(part and part in each.meaning.normal for part in parts):
                yield each, False


def fit(every: Sequence[Examples]) -> LogisticModel:
    """The likeliest coefficients near what is expected; one whose sign would turn is 0."""
    design = np.concatenate([each.design for each in every])
    labels = np.concatenate([each.labels for each in every])
    weights = np.concatenate([each.weights for each in every])
    expected = np.array(list(EXPECTED.values()))
    kept = np.ones(len(expected), dtype=bool)
    found = np.zeros_like(expected)
    while True:
        found[~kept] = 0.0
        precision = np.full(kept.sum(), PRECISION)
        found[kept] = fit_logistic(design[:, kept], labels, expected[kept], precision, weights)
        turned = kept & (found * expected < 0)
        turned[0] = False
        if not turned.any():
            break
        kept &= ~turned
    return LogisticModel(float(found[0]), dict(zip(_NAMES[1:], found[1:].tolist(), strict=True)))


def write(model: LogisticModel, databases: int, before: Counts, after: Counts) -> None:
    """Write `rag/query/linking.json`."""
    content = {
        "fitted_on": [f"Spider train, {databases} databases"],
        "coefficients": {"intercept": round(model.intercept, 3)}
        | {name: round(value, 3) for name, value in model.coefficients.items()},
        "held_out": {name: figures(counts) for name, counts in (("expected", before), ("fitted", after))},
    }
    MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n")


def figures(counts: Counts) -> dict[str, float]:
    """Precision, recall and F1."""
    return {
        "precision": round(counts.right / (counts.right + counts.wrong), 3),
        "recall": round(counts.right / (counts.right + counts.missed), 3),
        "f1": round(counts.f1, 3),
    }


if __name__ == "__main__":
    main()
