"""Questions about a knowledge base: read from JSONL, CSV or TREC topics, and written back to a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.collections.beir import LAYOUT
from rag.evaluation.collections.collection import (
    Collection,
    CollectionKind,
    absent_notice,
    beir_collection,
    check_names,
    identity,
    judged_only,
    trec_collection,
)
from rag.evaluation.collections.lines import read_lines, read_records
from rag.evaluation.collections.qrels import read_judgements
from rag.evaluation.collections.trec import read_topics
from rag.searchable import Searchable

WEAKER = (
    "the questions are clozes, sentences of the documents with a word left out: weaker than real questions, and "
    "flattering to the sparse search, which finds them by their own words"
)
_JSONL = 'each line is {"question": "…", "expected": "path or URI"} (or a list of them; [] if nothing answers it)'
_CSV = (
    "the first line is: question,expected; each further one a question and a path or URI (or - if nothing answers it)"
)
_NOTHING = "-"  # in a CSV, whose empty cells are more often forgotten than meant


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the documents that each answer it (paths or URIs; may be empty), and whether a person asked it."""

    text: str
    expected: tuple[str, ...]
    kind: CollectionKind = CollectionKind.QUESTIONS


def read_collection(
    dataset: str | Path | None,
    *,
    kb: Searchable | None = None,
    topics: str | Path | None = None,
    qrels: str | Path | None = None,
    split: str = "test",
) -> Collection:
    """What `evaluate` would ask and expect, read and checked.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
        ConfigurationError: the arguments do not fit together.
    """
    check_names(_path(topics), _path(qrels))
    if topics is not None and qrels is not None and dataset is not None:
        return trec_collection(Path(dataset), Path(topics), Path(qrels))
    if dataset is not None and not Path(dataset).exists():
        raise SourceError(f"{dataset} does not exist", hint=f"{LAYOUT}; a questions file is JSONL or CSV")
    if dataset is not None and Path(dataset).is_dir():
        return beir_collection(Path(dataset), split)
    if kb is None:
        raise ConfigurationError(f"{dataset or topics or 'nothing'} needs a knowledge base", hint="pass it as `kb`")
    if topics is not None and qrels is not None:
        return topics_collection(kb, Path(topics), Path(qrels))
    if dataset is None:
        raise ConfigurationError("no data set", hint="name a folder, a file of questions, or topics and qrels")
    file = Path(dataset)
    return questions_collection(kb, file.name, read_questions(file), near=file.absolute().parent)


def read_questions(file: Path) -> list[Question]:
    """The questions of a JSONL file, or of a CSV file by the name `.csv`. The same question again adds documents.

    Raises:
        SourceError: for a file that is missing or empty, or a broken line; the message has its name and line.
    """
    records = _csv_records(file) if file.suffix.lower() == ".csv" else read_records(file, _JSONL)
    form = _CSV if file.suffix.lower() == ".csv" else _JSONL
    questions: dict[str, Question] = {}
    for where, record in records:
        question = _question(record, where, form)
        before = questions.get(question.text, question)
        if bool(before.expected) != bool(question.expected):
            raise SourceError(
                f"{where}: nothing answers {question.text[:80]!r} in one line, and a document in another",
                hint="keep one of the two lines",
            )
        expected = tuple(dict.fromkeys((*before.expected, *question.expected)))
        questions[question.text] = Question(question.text, expected, question.kind)
    if not questions:
        raise SourceError(f"{file} holds no questions", hint=form)
    return list(questions.values())


def write_questions(file: Path, questions: Iterable[Question]) -> None:
    """Write questions as the JSONL that `read_questions` reads, to be edited by a person."""
    with file.open("w", encoding="utf-8") as out:
        for question in questions:
            expected = question.expected[0] if len(question.expected) == 1 else list(question.expected)
            record = {"question": question.text, "expected": expected, "kind": str(question.kind)}
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def questions_collection(
    kb: Searchable,
    name: str,
    questions: Iterable[Question],
    *,
    near: Path,
    notices: Iterable[str] = (),
) -> Collection:
    """Questions over what `kb` holds; `near` is a folder that paths may be relative to, besides the current one.

    The collection is labelled by its weakest questions.

    Raises:
        SourceError: nothing answers any of them.
    """
    numbered = {f"q{number}": question for number, question in enumerate(questions, 1)}
    unanswerable = {key: question.text for key, question in numbered.items() if not question.expected}
    asked = {key: question for key, question in numbered.items() if question.expected}
    if not asked:
        raise SourceError(f"{name} contains no question that has an answer", hint=_JSONL)
    queries = {key: question.text for key, question in asked.items()}
    grades = {key: dict.fromkeys(question.expected, 1) for key, question in asked.items()}
    kinds = {question.kind for question in asked.values()}
    kind = next(
        kind for kind in (CollectionKind.CLOZE, CollectionKind.GENERATED, CollectionKind.QUESTIONS) if kind in kinds
    )
    said = (*([WEAKER] if kind is CollectionKind.CLOZE else []), *notices)
    collection = Collection(name, queries, grades, identity(queries, grades), kind=kind, unanswerable=unanswerable)
    return _resolved(kb, collection, near, said)


def _resolved(kb: Searchable, collection: Collection, near: Path, notices: Iterable[str]) -> Collection:
    """The collection with the URIs of `kb` in its judgements; its identity stays that of the names as written."""
    names = {name for judged in collection.grades.values() for name in judged}
    uris = _uris(kb, names, near)
    wanted = {name for judged in collection.grades.values() for name, grade in judged.items() if grade > 0}
    return Collection(
        name=collection.name,
        queries=collection.queries,
        grades={
            key: {uris.get(name, name): grade for name, grade in judged.items()}
            for key, judged in collection.grades.items()
        },
        identity=collection.identity,
        split=collection.split,
        kind=collection.kind,
        unanswerable=collection.unanswerable,
        notices=(*notices, *absent_notice(wanted - uris.keys(), "this knowledge base")),
    )


def _uris(kb: Searchable, names: Iterable[str], near: Path) -> dict[str, str]:
    """Name → URI of the indexed document that it means, where there is one."""
    found: dict[str, str] = {}
    with kb.reading() as reading:
        generation = reading.generation()
        for name in names:
            for uri in (name, str(Path(name).absolute()), str((near.absolute() / name).resolve())):
                if reading.find_document(uri, generation) is not None:
                    found[name] = uri
                    break
    return found


def _question(record: Mapping[str, Any], where: str, form: str) -> Question:
    text, expected = record.get("question"), record.get("expected")
    names = [expected] if isinstance(expected, str) else expected
    if not isinstance(text, str) or not text.strip():
        raise SourceError(f"{where}: 'question' is {text!r}, not a text", hint=form)
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise SourceError(f"{where}: 'expected' is {expected!r}, not a path or URI", hint=form)
    kind = record.get("kind") or CollectionKind.QUESTIONS
    if kind not in set(CollectionKind) - {CollectionKind.COLLECTION}:
        raise SourceError(f"{where}: 'kind' is {kind!r}", hint="leave it out, or write questions, generated or cloze")
    return Question(text, tuple(names), CollectionKind(kind))


def _csv_records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where it ends and the cells by column, for every row of a CSV file with a header."""
    places: list[str] = []

    def lines() -> Iterator[str]:
        for where, line in read_lines(file, _CSV):
            places.append(where)
            yield f"{line}\n"

    rows = csv.DictReader(lines(), strict=True)
    try:
        if not {"question", "expected"} <= set(rows.fieldnames or ()):
            raise SourceError(f"{file}, line 1: the columns are {rows.fieldnames}", hint=_CSV)
        for row in rows:
            yield places[-1], row | ({"expected": []} if row["expected"] == _NOTHING else {})
    except csv.Error as error:
        raise SourceError(f"{places[-1]}: not CSV ({error})", hint=_CSV) from error


def topics_collection(kb: Searchable, topics: Path, qrels: Path) -> Collection:
    """TREC topics over what `kb` holds; the documents of the judgements are URIs, or paths as in a questions file.

    Raises:
        SourceError: a file is missing or broken, or no judged topic has a text.
    """
    judged = read_judgements(qrels)
    queries, notices = judged_only(read_topics(topics), judged, qrels)
    grades = {key: judged.grades[key] for key in queries}
    collection = Collection(topics.name, queries, grades, identity(queries, grades), qrels.name)
    return _resolved(kb, collection, qrels.absolute().parent, notices)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
