"""From a question to a checked answer, with models that behave and models that do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from rag import AskOptions, KnowledgeBase
from rag.llm import LLMError

HANDBOOK = """\
# Refunds

Refunds are paid within 14 days of the return. They go back the way the customer paid.

# Opening hours

The shop is open on weekdays from eight to six.
"""


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("asking")
    (folder / "handbook.md").write_text(HANDBOOK)
    base = KnowledgeBase.open(folder / "kb")
    base.index(folder / "handbook.md")
    yield base
    base.close()


def test_without_a_model_the_best_sentence_is_quoted_and_cited(kb: KnowledgeBase) -> None:
    answer = kb.ask("How long do refunds take?")
    assert "Refunds are paid within 14 days of the return. [1]" in answer.text
    assert not answer.abstained
    citation = answer.citations[0]
    assert citation.supported
    assert citation.location is not None
    text = Path(citation.uri).read_text()
    assert text[citation.location.start : citation.location.end] == citation.quote
    assert 0 < answer.confidence <= 1
    assert answer.unsupported == ()


def test_without_evidence_it_says_so_and_names_the_nearest(kb: KnowledgeBase) -> None:
    def model(_messages: Sequence[dict[str, str]]) -> str:
        raise AssertionError("a model must not be asked without evidence")

    answer = kb.ask("Who won the world cup in 1998?", llm=model)
    assert answer.abstained
    assert "handbook.md" in answer.text
    assert answer.citations == ()
    assert answer.prompt is not None
    assert {left.reason.split()[0] for left in answer.prompt.left_out} == {"relevance"}


def test_a_model_that_cites_well_is_believed(kb: KnowledgeBase) -> None:
    answer = kb.ask("How long do refunds take?", llm=lambda _: "Refunds are paid within 14 days [1].")
    assert [citation.supported for citation in answer.citations] == [True]
    assert answer.unsupported == ()


def test_a_model_that_invents_is_caught(kb: KnowledgeBase) -> None:
    invented = "Refunds are paid within 90 days [1]. Elephants write the cheques [7]."
    answer = kb.ask("How long do refunds take?", llm=lambda _: invented)
    assert [citation.supported for citation in answer.citations] == [False, False]
    assert answer.citations[1].uri == ""
    assert len(answer.unsupported) == 2
    assert answer.confidence == 0


def test_a_langchain_chat_model_streams(kb: KnowledgeBase) -> None:
    pieces: list[str] = []
    model = GenericFakeChatModel(messages=iter([AIMessage("Within 14 days of the return [1].")]))
    answer = kb.ask("How long do refunds take?", llm=model, on_text=pieces.append)
    assert "".join(pieces) == answer.text == "Within 14 days of the return [1]."
    assert len(pieces) > 1


def test_a_model_that_says_nothing_is_told(kb: KnowledgeBase) -> None:
    with pytest.raises(LLMError, match="returned nothing"):
        kb.ask("How long do refunds take?", llm=lambda _: "")


def test_the_prompt_holds_numbered_fenced_sources_within_the_budget(kb: KnowledgeBase) -> None:
    answer = kb.ask("How long do refunds take?", options=AskOptions(budget=400))
    assert answer.prompt is not None
    assert answer.prompt.tokens <= 400
    assert "number=1" in answer.prompt.messages[1].content
    assert answer.sources[0].number == 1


def test_filters_narrow_the_evidence(kb: KnowledgeBase) -> None:
    assert kb.ask("How long do refunds take?", options=AskOptions(filters={"kind": "pdf"})).abstained
