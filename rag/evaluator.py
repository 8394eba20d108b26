"""Measures retrieval quality and speed through the same KnowledgeBase that users have.

A test collection is indexed into a temporary knowledge base. Questions run against the user's own knowledge base. All
queries and judgements are read and checked before anything is indexed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.collections.beir import BeirCorpus
from rag.evaluation.collections.collection import Collection, Corpus
from rag.evaluation.measure import DEPTH, MODES, MeasuredSearches, OnProgress, Step, measure
from rag.evaluation.outcome import Evaluation, IndexSpeed
from rag.evaluation.questions import read_collection
from rag.indexing.report import IndexReport
from rag.reranking.reranker import Reranking
from rag.retrieval.hit import Mode

if TYPE_CHECKING:
    from rag.indexing.synchroniser import Progress
    from rag.knowledge_base import KnowledgeBase
    from rag.llm.base import LLM


def evaluate(
    dataset: str | Path | Collection | None = None,
    *,
    kb: KnowledgeBase | None = None,
    topics: str | Path | None = None,
    qrels: str | Path | None = None,
    split: str = "test",
    modes: Sequence[Mode | str] = MODES,
    depth: int = DEPTH,
    folder: str | Path | None = None,
    seed: int = 0,
    reranking: Reranking | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Ask queries whose answers are known, and measure what is found.

    A document scores what its best chunk scores. Of a BEIR folder, a document with the query's own id is left out, as
    BEIR does. Nothing is indexed before the queries, judgements and documents have been checked.

    Args:
        dataset: a BEIR folder; with `topics` and `qrels` a file or folder of TREC documents, or None for `kb` itself;
            with `kb` a file of questions (JSONL or CSV); or a collection that was read before.
        kb: the knowledge base to ask, where the questions are about one's own documents.
        topics: TREC topics, or a TSV or JSONL of queries.
        qrels: judgements, TREC's or BEIR's.
        split: whose judgements of a BEIR folder to use.
        modes: the kinds of search to compare.
        depth: how many documents of each ranking count.
        folder: where to keep the knowledge base, so that the next run embeds nothing; a temporary folder if None.
        seed: of the intervals, the tests and the queries that are timed.
        reranking: a reranker to search with, in every mode.
        on_progress: called after every document and query.

    Raises:
        SourceError: for a file that is missing or broken; the message has its name and line.
        ConfigurationError: `folder` holds something else, the reranker cannot be loaded, or the arguments do not fit
            together.
    """
    chosen = [Mode(mode) for mode in modes]
    if not chosen or depth < 1:
        raise ConfigurationError("nothing to measure", hint="name a mode, and a depth of at least 1")
    collection = (
        dataset
        if isinstance(dataset, Collection)
        else read_collection(dataset, kb=kb, topics=topics, qrels=qrels, split=split)
    )
    reranking = reranking and _loaded(reranking)
    if collection.corpus is None:
        if kb is None:
            raise ConfigurationError(f"{collection.name} needs a knowledge base", hint="pass it as `kb`")
        return measure(MeasuredSearches(kb, reranking), collection, chosen, depth, seed, on_progress)
    with _indexed(collection.corpus, folder, on_progress) as (made, report):
        speed = IndexSpeed(report.added + report.changed + report.unchanged, report.seconds, report.embedded)
        measured = measure(MeasuredSearches(made, reranking), collection, chosen, depth, seed, on_progress)
        reused = (
            f"{report.unchanged} documents were already indexed, so docs_per_second is not the speed of embedding",
        )
        return replace(measured, index=speed, notices=measured.notices + (reused if report.unchanged else ()))


def generate_questions(
    kb: KnowledgeBase,
    count: int,
    *,
    llm: LLM | object | str = "extractive",
    seed: int = 0,
    save: str | Path | None = None,
    on_progress: OnProgress | None = None,
) -> Collection:
    """Questions made from passages of `kb`, drawn at random, for `evaluate`.

    Args:
        kb: where the passages come from.
        count: how many questions.
        llm: who writes them, as for `ask`; `extractive` makes clozes, which are weaker and labelled so.
        seed: the same one draws the same passages from the same knowledge base.
        save: a JSONL file to keep them in, to be edited and asked again.
        on_progress: called after every question.

    Raises:
        SourceError: no passage is fit for a question.
        LLMError: the LLM failed.
    """
    from rag.evaluation.question_making import make_questions
    from rag.evaluation.questions import questions_collection, write_questions
    from rag.llm.loading import as_llm, load_llm

    model = load_llm(llm) if isinstance(llm, str) else as_llm(llm)
    writer = model if model.can_write else None
    tell = None if on_progress is None else lambda done: on_progress(Step("questions", done, count))
    made = make_questions(kb, count, writer, seed, tell)
    if save is not None:
        write_questions(Path(save), made.questions)
    notices = [] if writer is None else [f"the questions were written by {model.name}, each from one passage"]
    notices.append(
        f"{made.overlap:.0%} of a question's words are in its passage; another document that answers counts as wrong"
    )
    if len(made.questions) < count:
        notices.append(f"only {len(made.questions)} questions of {count} could be made from {made.tried} passages")
    name = f"{len(made.questions)} {'clozes' if writer is None else 'generated questions'}"
    return questions_collection(kb, name, made.questions, near=Path.cwd(), notices=notices)


@contextmanager
def indexed(
    dataset: Path, folder: str | Path | None = None, on_progress: OnProgress | None = None
) -> Iterator[tuple[KnowledgeBase, IndexReport]]:
    """A knowledge base of a BEIR folder's corpus, in `folder` or in a temporary one, and what indexing it did.

    Raises:
        SourceError: the corpus is missing or broken.
        ConfigurationError: `folder` holds something else.
    """
    with _indexed(BeirCorpus(dataset), folder, on_progress) as made:
        yield made


@contextmanager
def _indexed(
    corpus: Corpus, folder: str | Path | None, on_progress: OnProgress | None
) -> Iterator[tuple[KnowledgeBase, IndexReport]]:
    from rag.knowledge_base import KnowledgeBase

    with tempfile.TemporaryDirectory(prefix="pilotfish-eval-", ignore_cleanup_errors=True) as temporary:
        kb = KnowledgeBase.open(folder or temporary)
        try:
            others = [known.uri for known in kb.status().sources if known.uri != corpus.uri]
            if others:
                raise ConfigurationError(
                    f"the knowledge base in {folder} already holds {others[0]}",
                    hint="name another folder: a collection needs its own",
                )
            report = kb.index(corpus, on_progress=on_progress and _tell_documents(on_progress))
            if report.failures:
                raise SourceError(report.failures[0].error, hint=report.failures[0].hint)
            yield kb, report
        finally:
            kb.close()


def _tell_documents(on_progress: OnProgress) -> Callable[[Progress], None]:
    return lambda progress: on_progress(Step("index", progress.documents, progress.total))


def _loaded(reranking: Reranking) -> Reranking:
    """The same with its model loaded, so that what is wrong with it is said before minutes of indexing."""
    from rag.reranking.models import load_reranker

    if reranking.fallback or not isinstance(reranking.model, str):
        return reranking
    return replace(reranking, model=load_reranker(reranking.model))
