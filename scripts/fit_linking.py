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
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.linking import Counts, documents, evaluate, named
from benchmarks.linking_gold import Database, Literal, Sort, variants
from indexes.catalog.dictionary import Dictionary
from indexes.encoding.loading import load_encoder
from indexes.terms.names import normal
from rag.judging.fitting import fit_logistic
from rag.judging.logistic import LogisticModel
from rag.query.disambiguation import MODEL_FILE, column
from rag.query.entity_linking import Candidate, Linker
from rag.query.query import Query
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
# One over the variance of what is expected: a coefficient counts as known to .1. At 10 the logarithmic loss on unseen
# databases of Spider is lower still, but names of the five databases that linking was developed on are more often taken
# for another column's (F1 .864 against .897): nothing here teaches which of two columns is meant.
PRECISION = 100.0
FOLDS = 5
FOREIGN_ROWS = 60  # of each table, made of values that nobody asked for
FEWEST = 50  # values of columns that are called the same
FIRST_KEY = 10_001
_NAMES = tuple(EXPECTED)
_CELL = re.compile(r"(?:^|; )([^:;\n]{1,40}): ([^;\n]+)", re.MULTILINE)
_LONGEST_CELL = 40
_DOUBLE_QUOTED = re.compile(r'"([^"]*)"')
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
    is_common = cache(partial(is_general, encoder=encoder))
    with tempfile.TemporaryDirectory(prefix="pilotfish-linking-") as folder:
        every = make(Path(folder), read(arguments.questions), cells(arguments.tables))
        examples = {name: collect(database, asked, is_common) for name, (database, asked) in every.items()}
        print(f"{sum(len(each.labels) for each in examples.values())} candidates", flush=True)
        expected = LogisticModel(EXPECTED["intercept"], EXPECTED)
        checks = {"expected": Check(), "fitted": Check()}
        for fold in range(FOLDS):
            unseen = sorted(every)[fold::FOLDS]
            fitted = fit([each for name, each in examples.items() if name not in unseen])
            for model, check in zip((expected, fitted), checks.values(), strict=True):
                for name in unseen:
                    database, asked = every[name]
                    links = evaluate(database, asked.questions, is_common, model=model).counts["value"]
                    check.add(model, examples[name], links)
            print(*(f"{name} {check.figures()}" for name, check in checks.items()), sep="\n", flush=True)
    write(fit(list(examples.values())), len(every), checks)


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
            # Strings stand in double quotes, too, which SQLite takes for names of columns.
            sql = _DOUBLE_QUOTED.sub(lambda string: f"'{string[1].replace(chr(39), chr(39) * 2)}'", line["sql"])
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
    return frozenset().union(*variants([sql], database)) if "'" in sql else frozenset()  # parsing takes long


def create(path: Path, asked: Asked, questions: Sequence[Sequence[Literal]], pools: Pools) -> None:
    """A SQLite database: of each table a row for every question that compares something with it, and foreign ones."""
    chance = random.Random(asked.name)
    keys = {table: columns[0][0] for table, columns in asked.tables.items() if columns and columns[0][1] == "number"}
    lowered = {
        table.lower(): (table, {name.lower(): name for name, _ in columns}) for table, columns in asked.tables.items()
    }
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for found in questions:
        together: dict[str, dict[str, str]] = defaultdict(dict)
        for literal in found:
            table, columns_of = lowered[literal.table]
            name = columns_of[literal.column]
            if name in together[table]:  # a second value of the column is another row's
                rows[table].append({name: literal.text})
            else:
                together[table][name] = literal.text
        for table, row in together.items():
            if row not in rows[table]:
                rows[table].append(row)
    for table, columns in asked.tables.items() if pools else ():
        text = {name: foreign(name, asked, pools, chance) for name, kind in columns if kind == "text"}
        rows[table] += [{name: values[at] for name, values in text.items()} for at in range(FOREIGN_ROWS)]
    with closing(sqlite3.connect(path)) as connection:
        for table in asked.tables:
            connection.execute(f"CREATE TABLE {_quoted(table)} ({', '.join(_definitions(asked, table, keys))})")
            for number, row in enumerate(rows[table], FIRST_KEY):
                filled: dict[str, str | int] = {keys[table]: number} if table in keys else {}
                for own, other, _ in _references(asked, table, keys):
                    filled[own] = chance.randrange(max(1, len(rows[other]))) + FIRST_KEY
                filled |= row
                if filled:
                    names, marks = ", ".join(map(_quoted, filled)), ", ".join("?" * len(filled))
                    insert = f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})"  # noqa: S608 (names are quoted)
                    connection.execute(insert, list(filled.values()))
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
    for own, other, its in _references(asked, table, keys):
        yield f"FOREIGN KEY ({_quoted(own)}) REFERENCES {_quoted(other)} ({_quoted(its)})"


def _references(asked: Asked, table: str, keys: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Column, table and key of what a table refers to, where that is by number and no key of its own."""
    for source, target in asked.references:
        (its, own), (other, key) = source.split(".", 1), target.split(".", 1)
        if its == table and keys.get(other) == key and keys.get(table) != own:
            yield own, other, key


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
            query = Query.of(each["question"])
            judged = list(label(linker.candidates(query), gold(each["sql"][0], database), query.tokens))
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
    parts = {normal(each.text) for each in found if each.sort is not Sort.NAME} - {""}
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
        elif (
            each.meaning.normal not in texts
            and taken.isdisjoint(places)
            and not any(part in each.meaning.normal for part in parts)
        ):
            yield each, False


def fit(every: Sequence[Examples]) -> LogisticModel:
    """The likeliest coefficients near what is expected.

    Raises:
        SystemExit: one has turned its sign: its feature is not what it is called, or the examples are wrong.
    """
    design, labels, weights = (
        np.concatenate([getattr(each, part) for each in every]) for part in ("design", "labels", "weights")
    )
    expected = np.array(list(EXPECTED.values()))
    found = fit_logistic(design, labels, expected, np.full(len(expected), PRECISION), weights)
    if turned := [name for name, value in zip(_NAMES, found * expected, strict=True) if value < 0]:
        raise SystemExit(f"these coefficients turned their sign: {', '.join(turned)}")
    intercept, *slopes = found.tolist()
    return LogisticModel(intercept, dict(zip(_NAMES[1:], slopes, strict=True)))


@dataclass(slots=True)
class Check:
    """How a model does on databases that it was not fitted on."""

    links: Counts = field(default_factory=Counts)
    loss: float = 0.0
    candidates: float = 0.0

    def add(self, model: LogisticModel, examples: Examples, links: Counts) -> None:
        """Count a database in."""
        odds = examples.design @ np.array([model.intercept, *(model.coefficients[name] for name in _NAMES[1:])])
        self.links.add(links)
        self.loss += float(examples.weights @ (np.logaddexp(0, odds) - examples.labels * odds))
        self.candidates += float(examples.weights.sum())

    def figures(self) -> dict[str, float]:
        """Of links precision, recall and F1; of candidates the mean logarithmic loss."""
        links = self.links
        return {
            "precision": round(links.right / (links.right + links.wrong), 3),
            "recall": round(links.right / (links.right + links.missed), 3),
            "f1": round(links.f1, 3),
            "log_loss": round(self.loss / self.candidates, 3),
        }


def write(model: LogisticModel, databases: int, checks: Mapping[str, Check]) -> None:
    """Write `rag/query/linking.json`."""
    content = {
        "fitted_on": [f"spider train ({databases} databases)"],
        "coefficients": {"intercept": round(model.intercept, 3)}
        | {name: round(value, 3) for name, value in model.coefficients.items()},
        "held_out": {name: check.figures() for name, check in checks.items()},
    }
    MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
