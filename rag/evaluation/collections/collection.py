"""The queries and judgements of an evaluation, read and checked before anything is indexed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection as Sized
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from connectors.errors import ConfigurationError, SourceError
from connectors.source import Source
from rag.evaluation.collections.beir import BeirCorpus, qrels_file, read_queries
from rag.evaluation.collections.qrels import Qrels, read_judgements
from rag.evaluation.collections.trec import TrecCorpus, read_topics

Grades = Mapping[str, Mapping[str, int]]  # query id → document id → relevance


class CollectionKind(StrEnum):
    """Where the questions come from, and so how much the numbers mean."""

    COLLECTION = "collection"
    QUESTIONS = "questions"
    GENERATED = "generated"
    CLOZE = "cloze"


class Corpus(Source, Protocol):
    """The documents of a test collection, as a Source that can be checked before indexing."""

    def ids(self) -> Sized[str]:
        """Every document id; reads and checks everything."""
        ...


@dataclass(frozen=True, slots=True)
class Collection:
    """Queries and judgements.

    Attributes:
        name: what people call it: a folder or a file.
        queries: id → text, of the queries that are asked.
        grades: id → document → relevance.
        identity: a hash of the queries and judgements as they were written.
        split: whose judgements, where there are several.
        kind: where the questions come from.
        corpus: what has to be indexed for it; None for the knowledge base as it is.
        own_ids: leave out a document with the query's own id, as BEIR does.
        notices: what a reader of the numbers must know, a sentence each.
        unanswerable: id → text, of questions that nothing answers. No ranking of them is right, so they are not asked
            for the metrics; a threshold is tuned on them.
    """

    name: str
    queries: Mapping[str, str]
    grades: Grades
    identity: str
    split: str = ""
    kind: CollectionKind = CollectionKind.COLLECTION
    corpus: Corpus | None = None
    own_ids: bool = False
    notices: tuple[str, ...] = ()
    unanswerable: Mapping[str, str] = field(default_factory=dict)


def beir_collection(folder: Path, split: str) -> Collection:
    """A BEIR folder: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

    Raises:
        SourceError: a file is missing or broken, or no judged query has a text.
    """
    queries, file = read_queries(folder), qrels_file(folder, split)
    return _judged(folder.resolve().name, queries, read_judgements(file), file, BeirCorpus(folder), split, own_ids=True)


def trec_collection(documents: Path, topics: Path, qrels: Path) -> Collection:
    """TREC topics and judgements over TREC documents, or over the `corpus.jsonl` of a folder.

    Raises:
        SourceError: a file is missing or broken, or no judged topic has a text.
    """
    queries, judged = read_topics(topics), read_judgements(qrels)
    corpus = BeirCorpus(documents) if (documents / "corpus.jsonl").is_file() else TrecCorpus(documents)
    return _judged(documents.resolve().name, queries, judged, qrels, corpus, qrels.name)


def identity(queries: Mapping[str, str], grades: Grades) -> str:
    """The same for the same queries and judgements, whatever their order."""
    listed = [[key, queries[key], sorted(grades[key].items())] for key in sorted(queries)]
    return hashlib.blake2b(json.dumps(listed).encode(), digest_size=16).hexdigest()


def judged_only(queries: Mapping[str, str], qrels: Qrels, file: Path) -> tuple[dict[str, str], list[str]]:
    """The queries that have judgements, and notices about the judgements.

    Raises:
        SourceError: there is none.
    """
    asked = {key: queries[key] for key in qrels.grades if key in queries}
    if not asked:
        raise SourceError(
            f"{file}: none of its queries is among the {len(queries)} queries", hint="check the query ids"
        )
    return asked, list(_judgement_notices(asked, qrels))


def absent_notice(names: Sized[str], where: str) -> Iterator[str]:
    """That relevant documents are missing."""
    if names:
        yield f"{len(names)} relevant documents are not in {where} and count as missed: {', '.join(sorted(names)[:3])}"


def check_names(topics: Path | None, qrels: Path | None) -> None:
    """Topics and judgements go together.

    Raises:
        ConfigurationError: only one of the two is given.
    """
    if (topics is None) != (qrels is None):
        raise ConfigurationError(
            f"there are {'judgements' if topics is None else 'topics'} ({topics or qrels}) but no "
            f"{'topics' if topics is None else 'judgements'}",
            hint="give both --topics FILE and --qrels FILE",
        )


def _judged(
    name: str, queries: dict[str, str], qrels: Qrels, file: Path, corpus: Corpus, split: str, *, own_ids: bool = False
) -> Collection:
    asked, notices = judged_only(queries, qrels, file)
    grades = {key: qrels.grades[key] for key in asked}
    wanted = {document for judged in grades.values() for document, grade in judged.items() if grade > 0}
    notices += absent_notice(wanted.difference(corpus.ids()), "the corpus")
    return Collection(
        name, asked, grades, identity(asked, grades), split, corpus=corpus, own_ids=own_ids, notices=tuple(notices)
    )


def _judgement_notices(asked: Mapping[str, str], qrels: Qrels) -> Iterator[str]:
    lost = [key for key in qrels.grades if key not in asked]
    if lost:
        yield f"{len(lost)} judged queries have no text and were left out: {', '.join(lost[:3])}"
    bare = [key for key in asked if all(grade <= 0 for grade in qrels.grades[key].values())]
    if bare:
        yield f"{len(bare)} queries have no relevant document and count 0: {', '.join(bare[:3])}"
    if qrels.repeated:
        yield f"{qrels.repeated} judgements are repeated and count once"
