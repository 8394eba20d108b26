"""Entity linking: precision, recall and F1 of the names that questions mention, against the literals of gold SQL.

    python -m benchmarks.linking defog_sql_eval/

The folder holds `questions.jsonl` (each with `db`, `question`, and in `sql` every accepted query) and
`database/DB.sqlite`, whose rows get the names that `rag index` gives them. Only the question is linked, never what else
the set says of it.

A *literal* is a string that a query compares with a column by `=`, `<>`, `IN` or `LIKE` (whose outer wildcards do not
count), traced to its table through aliases and subqueries. It is a *name* where that column has it, whatever its case,
and it is no number and no date; all others are counted apart and neither sought nor missed. So are names that the
question does not mention: to the letter, or every word of them by its stem. A question whose queries differ is compared
with the one that is nearest to what was found.

The best link of every mention is compared, once for every value:

    value      the name is the literal
    column     the same, and its table and column are the literal's
    rows       the name is the literal, or names just the rows that the literal selects in the name's own table (of an
               airline its code, say); literals that the question does not mention are sought, too

What is linked and is no literal of the query is wrong, with two exceptions: a name that the query has, though the
question mentions it only in other words, and a value that has a literal in it as a word (LIKE '%martin%').

Rules were made with the databases of `DEVELOPED_ON` before one's eyes; the others are those they were not made for.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.common import command_line
from benchmarks.linking_gold import Database, Literal, Sort, mentioned, variants
from connectors.database.source import DatabaseSource
from connectors.document import Document
from connectors.source import Added
from indexes.catalog.catalog import Catalog
from indexes.catalog.dictionary import Dictionary
from indexes.catalog.rows import DocumentRow
from indexes.encoding.loading import load_encoder
from indexes.terms.names import distinct, normal
from rag.judging.logistic import LogisticModel
from rag.query.entity_linking import EntityLink, Linker
from rag.query.query import Query
from rag.query.spelling import is_general

DEVELOPED_ON = ("academic", "advising", "broker", "car_dealership", "restaurants")
MEASURES = ("value", "column", "rows")

Rows = dict[tuple[str, str], dict[str, set[str]]]  # table and value → column → the rows that have it


@dataclass(slots=True)
class Counts:
    """Names that were linked rightly and wrongly, and those that were missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def add(self, other: Counts) -> None:
        """Count these as well."""
        self.right += other.right
        self.wrong += other.wrong
        self.missed += other.missed

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there was nothing to link and nothing was."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.any else 1.0

    @property
    def any(self) -> bool:
        """Whether anything was counted."""
        return bool(self.right or self.wrong or self.missed)

    def __str__(self) -> str:
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        counts = f"{self.right:>6}{self.wrong:>7}{self.missed:>8}"
        return f"{precision:>11.3f}{recall:>8.3f}{self.f1:>8.3f}{counts}"


@dataclass(slots=True)
class Outcome:
    """What came of some questions: counts by measure, literals by sort, and milliseconds of each question."""

    counts: dict[str, Counts] = field(default_factory=lambda: {measure: Counts() for measure in MEASURES})
    literals: Counter[tuple[Sort, bool]] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Take in what came of other questions."""
        for measure, counts in other.counts.items():
            self.counts[measure].add(counts)
        self.literals += other.literals
        self.milliseconds += other.milliseconds


def main() -> None:
    """Link every question and print."""
    parser = command_line(__doc__)
    parser.add_argument("folder", type=Path, help="a folder with questions.jsonl and database/")
    parser.add_argument(
        "--show", choices=MEASURES, help="print what went wrong by this measure, of the first databases"
    )
    arguments = parser.parse_args()
    encoder = load_encoder()
    questions = defaultdict(list)
    for line in (arguments.folder / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        questions[question["db"]].append(question)
    print(f"{'':<24}{'':<8}{'precision':>11}{'recall':>8}{'F1':>8}{'right':>6}{'wrong':>7}{'missed':>8}")
    groups = {"developed on": Outcome(), "held out": Outcome(), "all": Outcome()}
    for name, asked in sorted(questions.items()):
        database = Database(arguments.folder / "database" / f"{name}.sqlite")
        developed = name in DEVELOPED_ON
        shown = arguments.show if developed else None
        outcome = evaluate(database, asked, lambda word: is_general(word, encoder), shown)
        _print(name, outcome)
        groups["developed on" if developed else "held out"].add(outcome)
        groups["all"].add(outcome)
    for name, outcome in groups.items():
        _print(name, outcome)
    total = groups["all"]
    for (sort, is_mentioned), count in sorted(total.literals.items()):
        print(f"literals: {sort}, {'' if is_mentioned else 'not '}mentioned: {count}")
    median, worst = np.percentile(total.milliseconds, [50, 95])
    print(f"{len(total.milliseconds)} questions; {median:.1f} ms each, p95 {worst:.1f} ms")


def evaluate(
    database: Database,
    questions: Sequence[Mapping[str, str]],
    is_common: Callable[[str], bool],
    show: str | None = None,
    model: LogisticModel | None = None,
) -> Outcome:
    """Link the questions about a database, with the model that is fitted or with another."""
    outcome = Outcome()
    found = documents(database.path)
    rows = _rows(found)
    with named(found) as catalog, catalog.reading() as reading:
        linker = Linker(Dictionary(reading, 1), is_common, model)
        for question in questions:
            text = question["question"]
            start = time.perf_counter()
            links = _best(linker.link(Query.of(text)))
            outcome.milliseconds.append((time.perf_counter() - start) * 1_000)
            accepted = variants(question["sql"], database) or [frozenset()]
            for literal in frozenset().union(*accepted):
                outcome.literals[literal.sort, mentioned(literal, text)] += 1
            for measure in MEASURES:
                compared = [_compare(links, literals, text, rows, measure) for literals in accepted]
                counts, complaint = max(compared, key=lambda each: each[0].f1)
                outcome.counts[measure].add(counts)
                if measure == show and (counts.wrong or counts.missed):
                    print(f"  {text}\n    {complaint}")
    return outcome


def _compare(
    links: Sequence[EntityLink], literals: frozenset[Literal], question: str, rows: Rows, measure: str
) -> tuple[Counts, str]:
    """What of the links is right by a measure, and what is not, in words."""
    names = {_unit(each.text, each.role, measure): each for each in literals if each.sort is Sort.NAME}
    sought = {unit for unit, each in names.items() if measure == "rows" or mentioned(each, question)}
    right, wrong = set(), set()
    for link in links:
        unit = _unit(link.name, link.role, measure)
        found = {unit} & set(names)
        if measure == "rows" and not found:
            found = {other for other, each in names.items() if _selects_the_same(link, each.text, rows)}
        right |= found
        if not found and not any(_has_part(link, each) for each in literals):
            wrong.add(f"{link.text} → {link.role} {link.name}")
    missed = sought - right
    complaint = f"wrong: {', '.join(sorted(wrong)) or '–'}; missed: {', '.join(sorted(map(str, missed))) or '–'}"
    return Counts(len(right & sought), len(wrong), len(missed)), complaint


def _unit(text: str, role: str, measure: str) -> tuple[str, str]:
    return normal(text.replace("%", " ")), role.lower() if measure == "column" else ""


def _selects_the_same(link: EntityLink, text: str, rows: Rows) -> bool:
    """Whether a value, in some column of the linked table, selects just the rows that are linked."""
    table = link.role.rpartition(".")[0]
    return link.is_selective and set(link.uris) in rows[table, normal(text)].values()


def _has_part(link: EntityLink, literal: Literal) -> bool:
    same = literal.role == link.role.lower()
    return literal.sort is Sort.PART and same and normal(literal.text) in normal(link.name).split()


def _best(links: Sequence[EntityLink]) -> list[EntityLink]:
    """The first link of each mention."""
    return list({(link.start, link.end): link for link in reversed(links)}.values())


@contextmanager
def named(found: Sequence[Document]) -> Iterator[Catalog]:
    """A catalog with the names of some documents, and nothing else."""
    rows = [
        DocumentRow(
            id=number,
            source_id=1,
            uri=document.uri,
            title=document.title,
            kind=document.kind,
            language="en",
            revision="",
            stamp="",
            metadata={},
            first_chunk=number,
            chunks=1,
            names=distinct(document.names),
        )
        for number, document in enumerate(found, 1)
    ]
    with tempfile.TemporaryDirectory(prefix="pilotfish-linking-") as folder:
        catalog = Catalog(Path(folder, "catalog.sqlite"), create=True)
        with catalog.writing() as writing:
            writing.add_source("benchmark")
            writing.add_documents(rows, 1)
        with closing(catalog):
            yield catalog


def documents(path: Path) -> list[Document]:
    """The rows of a database as `rag index` makes documents of them."""
    return [event.document for event in DatabaseSource(f"sqlite:///{path}").events({}) if isinstance(event, Added)]


def _rows(found: Sequence[Document]) -> Rows:
    rows: Rows = defaultdict(lambda: defaultdict(set))
    for document in found:
        table = str(document.metadata.get("table", ""))
        for column, value in document.metadata.items():
            rows[table, normal(str(value))][column].add(document.uri)
        for name in document.names:
            rows[table, normal(name.text)][name.role].add(document.uri)
    return rows


def _print(name: str, outcome: Outcome) -> None:
    for measure, counts in outcome.counts.items():
        print(f"{name if measure == MEASURES[0] else '':<24}{measure:<8}{counts}")


if __name__ == "__main__":
    main()
