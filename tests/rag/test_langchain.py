"""The knowledge base as LangChain's parts, by the standard suites of LangChain, and what is ours beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever

from rag import KnowledgeBase
from rag.langchain import (
    KnowledgeBaseEmbeddings,
    KnowledgeBaseIndex,
    KnowledgeBaseRetriever,
    KnowledgeBaseRunnable,
    RerankingCompressor,
    SentenceCompressor,
    SourceLoader,
    from_loader,
)

langchain_tests = pytest.importorskip("langchain_tests", reason="needs langchain-tests (extra: dev)")
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests  # noqa: E402
from langchain_tests.integration_tests.indexer import (  # noqa: E402
    AsyncDocumentIndexTestSuite,
    DocumentIndexerTestSuite,
)

PAGES = {
    "refunds": "Refunds are paid within 14 days of the return.",
    "hours": "The shop is open on weekdays from eight to six.",
    "shipping": "Parcels to Norway are shipped by ferry twice a week.",
    "jobs": "A new employee signs the contract and the rules of the house.",
}
pytestmark = pytest.mark.filterwarnings("ignore:The class `DocumentIndex` is in beta")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("langchain") / "pages"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


@pytest.fixture(scope="session")
def kb(pages: Path) -> Iterator[KnowledgeBase]:
    base = KnowledgeBase.open(pages.parent / "kb")
    base.index(pages)
    yield base
    base.close()


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _opened(self, kb: KnowledgeBase) -> None:
        self._kb = kb

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return KnowledgeBaseRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"kb": self._kb}

    @property
    def retriever_query_example(self) -> str:
        return "refunds, parcels and opening hours of the shop"


class TestEmbeddings(EmbeddingsIntegrationTests):
    @pytest.fixture(autouse=True)
    def _opened(self, kb: KnowledgeBase) -> None:
        self._kb = kb

    @property
    def embeddings_class(self) -> type[Embeddings]:
        return KnowledgeBaseEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"kb": self._kb}


class TestIndex(DocumentIndexerTestSuite):
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[KnowledgeBaseIndex]:
        base = KnowledgeBase.open(tmp_path / "kb")
        yield KnowledgeBaseIndex(kb=base)
        base.close()


class TestIndexAsync(AsyncDocumentIndexTestSuite):
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[KnowledgeBaseIndex]:
        base = KnowledgeBase.open(tmp_path / "kb")
        yield KnowledgeBaseIndex(kb=base)
        base.close()


def test_a_hit_says_where_it_stands_and_how_relevant_it_is(kb: KnowledgeBase) -> None:
    (found,) = KnowledgeBaseRetriever(kb=kb, k=1).invoke("how long do refunds take?")
    assert found.page_content == PAGES["refunds"]
    assert found.metadata["source"].endswith("refunds.txt")
    assert found.metadata["location"] == "line 1"
    assert found.metadata["relevance"] > 0.5


def test_a_retriever_filters_and_leaves_out_what_is_not_relevant(kb: KnowledgeBase) -> None:
    assert KnowledgeBaseRetriever(kb=kb, min_relevance=0.9).invoke("asdf qwer") == []
    only = KnowledgeBaseRetriever(kb=kb, filters={"title": "hours.txt"}).invoke("refunds")
    assert all(document.metadata["title"] == "hours.txt" for document in only)


def test_an_index_finds_its_own_documents_alone(kb: KnowledgeBase, tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(tmp_path) if any(tmp_path.glob("*.txt")) else None
    one, two = KnowledgeBaseIndex(kb=base, name="one"), KnowledgeBaseIndex(kb=base, name="two")
    one.upsert([Document(id="1", page_content="Refunds take 14 days.", metadata={"tags": ["a", "b"], "year": 2024})])
    two.upsert([Document(id="1", page_content="Refunds take 30 days.", metadata={})])
    assert [document.page_content for document in one.invoke("refunds")] == ["Refunds take 14 days."]
    assert one.get(["1"])[0].metadata == {"tags": ["a", "b"], "year": 2024}
    assert base.search("refunds", filters={"year": {">=": 2020}})[0].text == "Refunds take 14 days."
    base.close()


def test_a_long_document_comes_back_whole(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "kb")
    index = KnowledgeBaseIndex(kb=base)
    text = "\n\n".join(
        f"Paragraph {number} says that {number} times {number} is {number**2}. " * 9 for number in range(20)
    )
    index.upsert([Document(id="long", page_content=text.rstrip(), metadata={})])
    (found,) = index.get(["long"])
    assert found.page_content.split() == text.split()
    assert len(found.page_content) == len(text.rstrip())
    base.close()


class Pages(BaseLoader):
    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def lazy_load(self) -> Iterator[Document]:
        for name, text in self.texts.items():
            yield Document(page_content=text, metadata={"source": name})


def test_a_loader_goes_in_and_is_brought_up_to_date(tmp_path: Path) -> None:
    base = KnowledgeBase.open(tmp_path / "kb")
    first = base.index(from_loader(Pages(a="Refunds take 14 days.", b="The shop opens at eight."), "wiki"))
    assert (first.added, first.failures) == (2, ())
    again = base.index(from_loader(Pages(a="Refunds take 14 days.", b="The shop opens at nine."), "wiki"))
    assert (again.unchanged, again.changed, again.embedded) == (1, 1, 1)
    last = base.index(from_loader(Pages(b="The shop opens at nine."), "wiki"))
    assert (last.unchanged, last.removed) == (1, 1)
    assert base.search("when does it open?")[0].uri == "langchain:wiki#b@0"
    base.close()


def test_what_a_connector_reads_comes_out_as_langchains_documents(pages: Path) -> None:
    (pages.parent / "with_broken").mkdir(exist_ok=True)
    (pages.parent / "with_broken" / "broken.pdf").write_bytes(b"%PDF-1.7\nno")
    (pages.parent / "with_broken" / "fine.md").write_text("# Fine\n\nAll is well.")
    loader = SourceLoader(str(pages.parent / "with_broken"))
    (document,) = loader.load()
    assert document.page_content == "# Fine\n\nAll is well."
    assert document.metadata["title"] == "Fine"
    assert [failure.uri.rpartition("/")[2] for failure in loader.failures] == ["broken.pdf"]


class ByLength:
    name = "by length"

    def score(self, query: str, passages: list[str]) -> list[float]:
        return [float(len(passage)) for passage in passages]


def test_a_reranker_as_a_compressor() -> None:
    documents = [Document(page_content=text) for text in ("aa", "a", "aaa")]
    found = RerankingCompressor(reranker=ByLength(), top_n=2).compress_documents(documents, "q")
    assert [(document.page_content, document.metadata["score"]) for document in found] == [("aaa", 3.0), ("aa", 2.0)]
    assert RerankingCompressor(reranker=ByLength()).compress_documents([], "q") == []


def test_sentences_as_a_compressor() -> None:
    text = " ".join(f"Sentence {number} is about nothing at all." for number in range(40))
    document = Document(page_content=f"{text} Refunds take 14 days.", metadata={"source": "a"})
    (found,) = SentenceCompressor(tokens=30).compress_documents([document], "how long do refunds take?")
    assert "Refunds take 14 days." in found.page_content
    assert len(found.page_content) < 200
    assert found.metadata == {"source": "a"}


def test_the_whole_as_a_runnable(kb: KnowledgeBase) -> None:
    model = GenericFakeChatModel(messages=iter([AIMessage("Within 14 days [1].")] * 4))
    runnable = KnowledgeBaseRunnable(kb, model)
    whole = runnable.invoke("How long do refunds take?")
    assert whole["answer"] == "Within 14 days [1]."
    assert whole["citations"][0].supported
    pieces = list(runnable.stream("How long do refunds take?"))
    assert len(pieces) > 2
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    assert total["answer"] == whole["answer"]
    assert total["result"].citations == whole["result"].citations
    assert (runnable | (lambda given: given["answer"].upper())).invoke("How long do refunds take?").startswith("WITHIN")


def test_the_runnable_is_asynchronous_too(kb: KnowledgeBase) -> None:
    async def both() -> tuple[str, str]:
        runnable = KnowledgeBaseRunnable(kb)
        whole = await runnable.ainvoke("How long do refunds take?")
        streamed = [piece async for piece in runnable.astream("How long do refunds take?")]
        return whole["answer"], "".join(piece.get("answer", "") for piece in streamed)

    whole, streamed = asyncio.run(both())
    assert "14 days" in whole
    assert streamed.strip() == whole


def test_an_answer_that_nobody_reads_to_its_end_is_not_written_to_its_end(kb: KnowledgeBase) -> None:
    import time

    written: list[int] = []

    def endless(messages: list[dict[str, str]]) -> Iterator[str]:
        for number in range(100_000):
            written.append(number)
            time.sleep(0.001)
            yield f"word{number} "

    stream = KnowledgeBaseRunnable(kb, endless).stream("How long do refunds take?")
    next(stream)
    stream.close()
    for _ in range(200):
        before = len(written)
        time.sleep(0.02)
        if len(written) == before:
            break
    assert len(written) < 100_000


def test_an_error_of_the_model_reaches_the_reader(kb: KnowledgeBase) -> None:
    def broken(messages: list[dict[str, str]]) -> str:
        raise ValueError("no credit left")

    with pytest.raises(Exception, match="no credit left"):
        list(KnowledgeBaseRunnable(kb, broken).stream("How long do refunds take?"))
