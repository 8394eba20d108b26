"""LangChain integration: a knowledge base as retriever, index, embeddings, compressors, loader and runnable.

    from rag.langchain import KnowledgeBaseRetriever

    chain = KnowledgeBaseRetriever(kb=kb, k=4) | prompt | model

Importing this module imports LangChain, which takes a second: `import rag` does not.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun, Callbacks
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.embeddings import Embeddings
from langchain_core.indexing.base import DeleteResponse, DocumentIndex, UpsertResponse
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.utils import AddableDict
from pydantic import ConfigDict

from connectors.memory import AS_JSON, MemorySource, TextRecord
from connectors.registry import open_source
from connectors.source import Added, Failed
from indexes.catalog.rows import StoredChunk
from rag.answering.answer import Answer
from rag.answering.options import AskOptions
from rag.knowledge_base import KnowledgeBase
from rag.llm.tokens import estimate_tokens
from rag.prompting.compression import Compressor, Passage
from rag.reranking.reranker import Rerankers, Reranking
from rag.retrieval.hit import Hit, Mode

_SOURCE = "source"  # where LangChain's own loaders put the place of a document


class KnowledgeBaseRetriever(BaseRetriever):
    """Searches a knowledge base. `relevance` of the metadata is a calibrated probability, `location` says where.

    Attributes:
        kb: the knowledge base.
        k: how many passages at most.
        mode: `hybrid`, `sparse` or `dense`.
        filters: what a document must meet, as for `KnowledgeBase.search`.
        min_relevance: leaves out passages below this probability.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    kb: KnowledgeBase
    k: int = 10
    mode: Mode | str = Mode.HYBRID
    filters: dict[str, Any] | None = None
    min_relevance: float = 0.0

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        hits = self.kb.search(
            query,
            self.k if k is None else k,
            mode=self.mode,
            filters=self.filters,
            min_relevance=self.min_relevance,
        )
        return [as_document(hit) for hit in hits]


class KnowledgeBaseIndex(DocumentIndex):
    """Puts documents into a knowledge base, and finds and removes them, by their ids.

    They are one source of it, called `name`; searching finds them alone. What `get` gives back of a long document has
    other white space between its passages.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    kb: KnowledgeBase
    name: str = "langchain"
    k: int = 10

    def upsert(self, items: Sequence[Document], /, **_: Any) -> UpsertResponse:
        """Add documents, or replace those with the same ids; one without an id gets one."""
        given = [TextRecord(item.id or str(uuid.uuid4()), item.page_content, item.metadata) for item in items]
        report = self.kb.index(self._source(given))
        failed = {failure.uri.partition("#")[2] for failure in report.failures}
        ids = list(dict.fromkeys(item.id for item in given))
        return UpsertResponse(succeeded=[each for each in ids if each not in failed], failed=sorted(failed))

    def delete(self, ids: list[str] | None = None, **_: Any) -> DeleteResponse:
        """Take out the documents with these ids; one that is not there is no failure.

        Raises:
            ValueError: no ids are given.
        """
        if ids is None:
            raise ValueError("which documents? delete(ids) takes a list of ids")
        there = [document.id or "" for document in self.get(ids)]
        self.kb.index(self._source(removed=there))
        return DeleteResponse(num_deleted=len(there), succeeded=there, num_failed=0, failed=[])

    def get(self, ids: Sequence[str], /, **_: Any) -> list[Document]:
        """The documents with these ids, as far as they are there."""
        source = self._source()
        with self.kb.reading() as reading:
            generation = reading.generation()
            found = [record_of(reading.passages(source.document(each), generation)) for each in dict.fromkeys(ids)]
        return [
            Document(id=given.id, page_content=given.text, metadata=dict(given.metadata))
            for given in found
            if given is not None
        ]

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        mine = {"uri": {"prefix": [self._source().document("")]}}
        return [as_document(hit) for hit in self.kb.search(query, self.k if k is None else k, filters=mine)]

    def _source(self, given: Sequence[TextRecord] = (), removed: Sequence[str] = ()) -> MemorySource:
        return MemorySource(f"langchain:{self.name}", given, removed)


class KnowledgeBaseEmbeddings(Embeddings):
    """The encoder of a knowledge base: vectors of unit length."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._encoder = kb.encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector for each passage; of a text beyond the encoder's window, its beginning counts."""
        vectors: list[list[float]] = self._encoder.encode(texts).vectors.tolist() if texts else []
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        vector: list[float] = self._encoder.encode_query(text).vector.tolist()
        return vector


class RerankingCompressor(BaseDocumentCompressor):
    """Orders documents by a reranker, and keeps the best `top_n`.

    `reranker` is a model by name or folder (extra `models`), or an object of one's own; `score` of the metadata is its.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    reranker: Any
    top_n: int = 5
    seconds: float = 5.0

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """The best of `documents`, the best first; what there was no time to judge comes last."""
        if not documents:
            return []
        judge = Rerankers().judge(Reranking(self.reranker, depth=len(documents), seconds=self.seconds))
        scores, _ = judge.judge(query, [document.page_content for document in documents])
        judged = sorted(zip(scores, documents, strict=False), key=lambda pair: -pair[0])
        ordered = [
            document.model_copy(update={"metadata": {**document.metadata, "score": score}})
            for score, document in judged
        ]
        return [*ordered, *documents[len(scores) :]][: self.top_n]


class SentenceCompressor(BaseDocumentCompressor):
    """Shortens documents to the whole sentences most relevant to the question, about `tokens` tokens in total.

    Sentences are compared with the question by the encoder of `kb`, or without one by their words.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    tokens: int = 600
    kb: KnowledgeBase | None = None

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks | None = None
    ) -> Sequence[Document]:
        """`documents` without the sentences that there is no room for; one without any left is gone."""
        if sum(estimate_tokens(document.page_content) for document in documents) <= self.tokens:
            return documents
        passages = [Passage(document.page_content) for document in documents]
        encoder = None if self.kb is None else self.kb.encoder
        kept = Compressor(query, passages, estimate_tokens, encoder).within(self.tokens)
        return [
            document.model_copy(update={"page_content": passage.extract(spans)})
            for document, passage, spans in zip(documents, passages, kept, strict=True)
            if spans
        ]


class SourceLoader(BaseLoader):
    """Loads what a connector reads: a folder, a file, a database or a repository, named as for `rag index`."""

    def __init__(self, source: str) -> None:
        self._source = open_source(source)

    def lazy_load(self) -> Iterator[Document]:
        """A document at a time; one that cannot be read is left out, and named by `failures`."""
        self.failures: list[Failed] = []
        for event in self._source.events({}):
            if isinstance(event, Failed):
                self.failures.append(event)
            elif isinstance(event, Added):
                read = event.document
                metadata = {**read.metadata, _SOURCE: read.uri, "title": read.title, "kind": read.kind}
                yield Document(page_content=read.text, metadata=metadata)


class KnowledgeBaseRunnable(Runnable[str, AddableDict]):
    """Asks a knowledge base: a question in, a dictionary with the checked answer out.

    Streamed, `answer` comes in pieces, and at the end `citations`, `confidence`, `abstained` and `result`, which is the
    whole `rag.Answer`. The pieces add up to what `invoke` returns.
    """

    def __init__(self, kb: KnowledgeBase, llm: object = "extractive", options: AskOptions | None = None) -> None:
        self._kb = kb
        self._llm = llm
        self._options = options

    def invoke(self, input: str, config: RunnableConfig | None = None, **_: Any) -> AddableDict:  # noqa: A002
        """The answer to a question."""
        return self._call_with_config(self._answer, input, config, run_type="chain")

    def stream(self, input: str, config: RunnableConfig | None = None, **_: Any) -> Iterator[AddableDict]:  # noqa: A002
        """The answer as it is written, then what was checked."""
        return self._transform_stream_with_config(iter([input]), self._pieces, config, run_type="chain")

    def _answer(self, question: str) -> AddableDict:
        answer = self._kb.ask(question, llm=self._llm, options=self._options)
        return AddableDict(answer=answer.text, **_checked(answer))

    def _pieces(self, questions: Iterable[str]) -> Iterator[AddableDict]:
        for question in questions:
            for piece in _as_written(self._kb, question, self._llm, self._options):
                yield AddableDict(_checked(piece)) if isinstance(piece, Answer) else AddableDict(answer=piece)


class _NobodyListensError(Exception):
    """Ends an answer that nobody is reading any more."""


def _as_written(kb: KnowledgeBase, question: str, llm: object, options: AskOptions | None) -> Iterator[str | Answer]:
    """The pieces of an answer, then the answer; one that is not read to its end is not written to its end."""
    written: SimpleQueue[str | Answer | BaseException] = SimpleQueue()
    left = threading.Event()

    def hear(piece: str) -> None:
        if left.is_set():
            raise _NobodyListensError
        written.put(piece)

    def work() -> None:
        try:
            written.put(kb.ask(question, llm=llm, options=options, on_text=hear))
        except BaseException as error:  # noqa: BLE001 — raised again where it is read
            written.put(error)

    threading.Thread(target=work, name="pilotfish-answer", daemon=True).start()
    try:
        while not isinstance(piece := written.get(), Answer):
            if isinstance(piece, BaseException):
                raise piece
            yield piece
        yield piece
    finally:
        left.set()


def as_document(hit: Hit) -> Document:
    """A hit as LangChain's document: the passage, and in its metadata where it stands and how relevant it is."""
    metadata = {
        **hit.metadata,
        _SOURCE: hit.uri,
        "title": hit.title,
        "kind": hit.kind,
        "location": str(hit.location),
        "context": hit.context,
        "relevance": hit.relevance,
    }
    return Document(id=f"{hit.uri}@{hit.location.start}", page_content=hit.text, metadata=metadata)


def from_loader(loader: BaseLoader, name: str) -> MemorySource:
    """The documents of any LangChain loader as a source: `kb.index(from_loader(loader, "wiki"))`.

    Loading again brings them up to date: what the loader no longer gives is taken out. A document is known by its id,
    else by its `source` and its place among those of the same source.
    """

    def given() -> Iterator[TextRecord]:
        places: dict[str, int] = {}
        for document in loader.lazy_load():
            source = str(document.metadata.get(_SOURCE, ""))
            places[source] = places.get(source, -1) + 1
            yield TextRecord(document.id or f"{source}@{places[source]}", document.page_content, document.metadata)

    return MemorySource(f"langchain:{name}", given(), only=True)


def _checked(answer: Answer) -> dict[str, Any]:
    return {
        "citations": list(answer.citations),
        "confidence": answer.confidence,
        "abstained": answer.abstained,
        "result": answer,
    }


def record_of(chunks: Sequence[StoredChunk]) -> TextRecord | None:
    """The text that was handed over, from its chunks; None without any.

    Between two chunks the number of characters and of line ends is kept, and nothing else of the white space.
    """
    if not chunks:
        return None
    pieces, end, line = [], 0, 1
    for chunk in chunks:
        ends = chunk.location.line_start - line
        pieces += ["\n" * ends, " " * (chunk.location.start - end - ends), chunk.text]
        end, line = chunk.location.end, chunk.location.line_end
    metadata = dict(chunks[0].metadata)
    encoded = str(metadata.pop(AS_JSON, "")).split("\x1f")
    decoded = {key: json.loads(str(value)) if key in encoded else value for key, value in metadata.items()}
    return TextRecord(chunks[0].uri.partition("#")[2], "".join(pieces), decoded)
