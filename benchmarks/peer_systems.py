"""The systems that `peers.py` compares, each set up as its own documentation does it.

They run in virtual environments of their own, where pilotfish is not installed, so that nothing of ours and nothing of
theirs is imported at the top. What each set-up follows is said at its class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

FUSED_EQUALLY = [0.5, 0.5]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as it is indexed, with its context; `document` is the id of what it was cut from."""

    id: str
    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system finds the encoder's weights and the collection, and keeps its own files."""

    model: Path
    collection: Path
    folder: Path


class System(Protocol):
    """One way to index passages and search them."""

    packages: ClassVar[tuple[str, ...]]  # whose versions matter, beside the encoder's

    def start(self) -> None:
        """Import what indexing needs and load the weights, where that is a step of its own."""
        ...

    def index(self, passages: Sequence[Passage]) -> int:
        """Make the saved index hold these passages, and say how many it holds."""
        ...

    def open(self) -> None:
        """Read what was saved."""
        ...

    def search(self, query: str, k: int) -> list[str]:
        """The documents of the best passages, best first; a list is asked for `k` passages."""
        ...


class Pilotfish:
    """The knowledge base with its defaults. It cuts the documents itself, into the passages that all others are given.

    The encoder is loaded when it is first needed, so indexing includes that here.
    """

    packages: ClassVar[tuple[str, ...]] = ("pilotfish", "openvino", "tantivy", "faiss-cpu")

    def __init__(self, place: Place) -> None:
        self._place = place

    def start(self) -> None:
        """Import."""
        import rag.evaluation.collections.beir
        import rag.knowledge_base  # noqa: F401

    def index(self, _passages: Sequence[Passage]) -> int:
        """Synchronise with the collection's corpus."""
        from rag.evaluation.collections.beir import BeirCorpus

        report = self._base.index(BeirCorpus(self._place.collection))
        if report.failures:
            raise RuntimeError(report.failures[0].error)
        return int(report.chunks_total)

    def open(self) -> None:
        """Open the knowledge base."""
        _ = self._base

    def search(self, query: str, k: int) -> list[str]:
        """Hybrid search."""
        return [hit.uri for hit in self._base.search(query, k)]

    @cached_property
    def _base(self) -> Any:
        from rag import KnowledgeBase

        return KnowledgeBase.open(self._place.folder / "kb")


class LangChain:
    """BM25Retriever and a FAISS store in an EnsembleRetriever, kept up to date by the indexing API.

    https://python.langchain.com/docs/how_to/ensemble_retriever/ (weights of a half each)
    https://docs.langchain.com/oss/python/integrations/vectorstores/faiss (an empty store, saving, loading)
    https://python.langchain.com/docs/how_to/indexing/ (the record manager: what is unchanged is not embedded again)
    https://docs.langchain.com/oss/python/integrations/retrievers/bm25 (no way to save: made from the documents)

    Two documents with the same text are told apart by `id_key`, which its reference offers for that.
    """

    packages: ClassVar[tuple[str, ...]] = (
        "langchain-core",
        "langchain-classic",
        "langchain-community",
        "langchain-huggingface",
        "rank-bm25",
        "faiss-cpu",
    )

    def __init__(self, place: Place) -> None:
        self._model = str(place.model)
        self._saved = place.folder / "faiss"
        self._records = f"sqlite:///{place.folder / 'records.sqlite'}"

    def start(self) -> None:
        """Import, and load the weights."""
        import langchain_classic.indexes  # noqa: F401
        import langchain_community.vectorstores.faiss  # noqa: F401

        _ = self._embeddings

    def index(self, passages: Sequence[Passage]) -> int:
        """Let the indexing API compare the passages with its records."""
        from langchain_classic.indexes import SQLRecordManager, index
        from langchain_core.documents import Document

        store = self._store() if self._saved.exists() else self._empty_store()
        records = SQLRecordManager("faiss/passages", db_url=self._records)
        records.create_schema()
        documents = [
            Document(page_content=passage.text, metadata={"source": passage.document, "passage": passage.id})
            for passage in passages
        ]
        index(documents, records, store, cleanup="full", source_id_key="source", key_encoder="blake2b")
        store.save_local(str(self._saved))
        return len(store.index_to_docstore_id)

    def open(self) -> None:
        """Load the FAISS store, and make the BM25 index from its documents."""
        from langchain_community.retrievers import BM25Retriever

        store = self._store()
        documents = store.get_by_ids(list(store.index_to_docstore_id.values()))
        self._opened = store, BM25Retriever.from_documents(documents)
        self._retriever = lru_cache(self._make_retriever)

    def search(self, query: str, k: int) -> list[str]:
        """Reciprocal rank fusion of both lists."""
        return [found.metadata["source"] for found in self._retriever(k).invoke(query)]

    def _make_retriever(self, k: int) -> Any:
        from langchain_classic.retrievers import EnsembleRetriever

        store, sparse = self._opened
        dense = store.as_retriever(search_kwargs={"k": k})
        sparse = sparse.model_copy(update={"k": k})
        return EnsembleRetriever(retrievers=[sparse, dense], weights=FUSED_EQUALLY, id_key="passage")

    @cached_property
    def _embeddings(self) -> Any:
        from langchain_huggingface import HuggingFaceEmbeddings

        return HuggingFaceEmbeddings(model_name=self._model)

    def _empty_store(self) -> Any:
        import faiss
        from langchain_community.docstore.in_memory import InMemoryDocstore
        from langchain_community.vectorstores import FAISS

        vectors = faiss.IndexFlatL2(len(self._embeddings.embed_query("hello world")))
        return FAISS(self._embeddings, vectors, InMemoryDocstore(), index_to_docstore_id={})

    def _store(self) -> Any:
        from langchain_community.vectorstores import FAISS

        return FAISS.load_local(str(self._saved), self._embeddings, allow_dangerous_deserialization=True)


class LlamaIndex:
    """A VectorStoreIndex and a BM25Retriever in a QueryFusionRetriever, kept up to date by `refresh_ref_docs`.

    https://developers.llamaindex.ai/python/framework/integrations/retrievers/reciprocal_rerank_fusion/
    https://developers.llamaindex.ai/python/framework/integrations/retrievers/bm25_retriever/ (stemmer, saving)
    https://developers.llamaindex.ai/python/framework/understanding/rag/storing/ (saving the index)
    https://developers.llamaindex.ai/python/framework/module_guides/indexing/document_management/ (refresh)

    `num_queries=1`: no LLM rewrites the query. A passage is a Document, which the default splitter leaves whole. Where
    refreshing changed nothing, nothing is saved again and the BM25 index is not made again.
    """

    packages: ClassVar[tuple[str, ...]] = (
        "llama-index-core",
        "llama-index-retrievers-bm25",
        "llama-index-embeddings-huggingface",
        "bm25s",
    )

    def __init__(self, place: Place) -> None:
        self._model = str(place.model)
        self._saved = place.folder / "storage"
        self._sparse = str(place.folder / "bm25")

    def start(self) -> None:
        """Import, and load the weights."""
        import llama_index.core
        import llama_index.retrievers.bm25  # noqa: F401

        _ = self._embedding

    def index(self, passages: Sequence[Passage]) -> int:
        """Make the index from the passages as documents, or refresh it with them."""
        from llama_index.core import Document, VectorStoreIndex

        hidden = ["document"]  # from the encoder, BM25 and the LLM
        documents = [
            Document(
                text=passage.text,
                id_=passage.id,
                metadata={"document": passage.document},
                excluded_embed_metadata_keys=hidden,
                excluded_llm_metadata_keys=hidden,
            )
            for passage in passages
        ]
        if self._saved.exists():
            made = self._index()
            replacing = {"delete_kwargs": {"delete_from_docstore": True}}
            if any(made.refresh_ref_docs(documents, update_kwargs=replacing)):
                self._save(made)
        else:
            made = VectorStoreIndex.from_documents(documents, embed_model=self._embedding)
            self._save(made)
        return len(made.docstore.docs)

    def open(self) -> None:
        """Load both indexes."""
        from llama_index.retrievers.bm25 import BM25Retriever

        self._opened = self._index(), BM25Retriever.from_persist_dir(self._sparse)
        self._retriever = lru_cache(self._make_retriever)

    def search(self, query: str, k: int) -> list[str]:
        """Reciprocal rank fusion of both lists."""
        return [found.node.metadata["document"] for found in self._retriever(k).retrieve(query)]

    def _make_retriever(self, k: int) -> Any:
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever

        index, sparse = self._opened
        sparse.similarity_top_k = k
        return QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=k), sparse],
            similarity_top_k=k,
            num_queries=1,
            mode="reciprocal_rerank",
            use_async=True,
            llm=MockLLM(),  # is never asked, but one must be there
        )

    @cached_property
    def _embedding(self) -> Any:
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        return HuggingFaceEmbedding(model_name=self._model)

    def _index(self) -> Any:
        from llama_index.core import StorageContext, load_index_from_storage

        return load_index_from_storage(
            StorageContext.from_defaults(persist_dir=str(self._saved)), embed_model=self._embedding
        )

    def _save(self, index: Any) -> None:
        import Stemmer
        from llama_index.retrievers.bm25 import BM25Retriever

        index.storage_context.persist(persist_dir=str(self._saved))
        BM25Retriever.from_defaults(
            docstore=index.docstore, stemmer=Stemmer.Stemmer("english"), language="english"
        ).persist(self._sparse)


class Haystack:
    """Both retrievers over an InMemoryDocumentStore and a DocumentJoiner; a CacheChecker finds what is indexed already.

    https://haystack.deepset.ai/tutorials/33_hybrid_retrieval (the pipelines; its cross-encoder is left out)
    https://docs.haystack.deepset.ai/docs/documentjoiner (`reciprocal_rank_fusion`)
    https://docs.haystack.deepset.ai/docs/cachechecker
    https://docs.haystack.deepset.ai/reference/document-stores-api (`save_to_disk`, `load_from_disk`)

    The cache is asked for Haystack's own document ids, which are hashes of the content and its metadata.
    """

    packages: ClassVar[tuple[str, ...]] = ("haystack-ai", "sentence-transformers-haystack")

    def __init__(self, place: Place) -> None:
        self._model = str(place.model)
        self._saved = place.folder / "store.json"

    def start(self) -> None:
        """Import, and load the weights."""
        import haystack.document_stores.in_memory  # noqa: F401
        from haystack_integrations.components.embedders.sentence_transformers import (
            SentenceTransformersDocumentEmbedder,
        )

        self._embedder = SentenceTransformersDocumentEmbedder(model=self._model, progress_bar=False)
        self._embedder.warm_up()

    def index(self, passages: Sequence[Passage]) -> int:
        """Embed and write what the store does not hold yet."""
        from haystack import Document, Pipeline
        from haystack.components.caching import CacheChecker
        from haystack.components.writers import DocumentWriter
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        store = self._store() if self._saved.exists() else InMemoryDocumentStore()
        documents = [
            Document(content=passage.text, meta={"document": passage.document, "passage": passage.id})
            for passage in passages
        ]
        known = CacheChecker(store, cache_field="id").run(items=[document.id for document in documents])
        missing = set(known["misses"])
        pipeline = Pipeline()
        pipeline.add_component("embedder", self._embedder)
        pipeline.add_component("writer", DocumentWriter(document_store=store))
        pipeline.connect("embedder", "writer")
        pipeline.run({"embedder": {"documents": [document for document in documents if document.id in missing]}})
        store.save_to_disk(str(self._saved))
        return int(store.count_documents())

    def open(self) -> None:
        """Load the store, and connect the pipeline."""
        from haystack import Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
        from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersTextEmbedder

        store = self._store()
        self._pipeline = Pipeline()
        embedder = SentenceTransformersTextEmbedder(model=self._model, progress_bar=False)
        self._pipeline.add_component("text_embedder", embedder)
        self._pipeline.add_component("embedding_retriever", InMemoryEmbeddingRetriever(store))
        self._pipeline.add_component("bm25_retriever", InMemoryBM25Retriever(store))
        self._pipeline.add_component("document_joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self._pipeline.connect("text_embedder", "embedding_retriever")
        self._pipeline.connect("bm25_retriever", "document_joiner")
        self._pipeline.connect("embedding_retriever", "document_joiner")

    def search(self, query: str, k: int) -> list[str]:
        """Reciprocal rank fusion of both lists."""
        found = self._pipeline.run(
            {
                "text_embedder": {"text": query},
                "embedding_retriever": {"top_k": k},
                "bm25_retriever": {"query": query, "top_k": k},
            }
        )
        return [document.meta["document"] for document in found["document_joiner"]["documents"]]

    def _store(self) -> Any:
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        return InMemoryDocumentStore.load_from_disk(str(self._saved))


class Txtai:
    """An Embeddings database with `hybrid=True`, which also stores the texts; brought up to date by `upsert`.

    https://neuml.github.io/txtai/embeddings/configuration/general/ (`hybrid`)
    https://neuml.github.io/txtai/embeddings/indexing/ (`index`, `upsert`, `save`, `load`)

    Its documentation has no way to pass over what is unchanged: `upsert` embeds all that it is given.
    """

    packages: ClassVar[tuple[str, ...]] = ("txtai", "faiss-cpu")

    def __init__(self, place: Place) -> None:
        self._model = str(place.model)
        self._saved = str(place.folder / "index")

    def start(self) -> None:
        """Import, and load the weights."""
        from txtai import Embeddings

        self._embeddings = Embeddings(path=self._model, hybrid=True, content=True)

    def index(self, passages: Sequence[Passage]) -> int:
        """Index, or insert again what is saved."""
        rows = [(passage.id, passage.text) for passage in passages]
        if Path(self._saved).exists():
            self._embeddings.load(self._saved)
            self._embeddings.upsert(rows)
        else:
            self._embeddings.index(rows)
        self._embeddings.save(self._saved)
        return int(self._embeddings.count())

    def open(self) -> None:
        """Load what was saved."""
        from txtai import Embeddings

        self._embeddings = Embeddings().load(self._saved)

    def search(self, query: str, k: int) -> list[str]:
        """Its own combination of both scores."""
        return [found["id"].rpartition("#")[0] for found in self._embeddings.search(query, k)]


SYSTEMS: dict[str, Callable[[Place], System]] = {
    "pilotfish": Pilotfish,
    "langchain": LangChain,
    "llamaindex": LlamaIndex,
    "haystack": Haystack,
    "txtai": Txtai,
}
