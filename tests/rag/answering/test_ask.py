"""From a question to a checked answer, with models that behave and models that do not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from rag import AskOptions, KnowledgeBase
from rag.llm.loading import as_llm
from rag.llm.reply import LLMError
from tests.rag.misbehaving import Misbehaving, Respond, cut_off, endless, raw, status, stream

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


# Names in small letters, so that the rules see no bridge.
PAGES = {
    "film": "silver harbour is a 2014 comedy film that was written and directed by marta quillon.",
    "director": "marta quillon is a writer who lives in the small town of aldersund with two dogs.",
    "recipe": "Stir the flour into the butter and add the milk slowly, then season with nutmeg.",
}
QUESTION = "in what town is the home of the person who directed the comedy film silver harbour?"
PART = "where does marta quillon live?"
ANSWER = "Marta Quillon lives in the small town of Aldersund [2]."


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "pages").mkdir()
    for name, text in PAGES.items():
        (folder / "pages" / f"{name}.txt").write_text(text)
    base = KnowledgeBase.open(folder / "kb")
    base.index(folder / "pages")
    yield base
    base.close()


class Writer:
    """Names a part of a question when it is asked to, else answers; `part` may be an error, or take its time."""

    def __init__(self, part: str | Exception = PART, seconds: float = 0.0) -> None:
        self.jobs: list[str] = []
        self._part = part
        self._seconds = seconds

    def __call__(self, messages: Sequence[dict[str, str]]) -> str:
        job = "part" if "to search for" in messages[-1]["content"] else "answer"
        self.jobs.append(job)
        if job == "answer":
            return ANSWER
        time.sleep(self._seconds)
        if isinstance(self._part, Exception):
            raise self._part
        return self._part


def test_a_model_names_the_part_that_the_first_search_leaves_open(pages: KnowledgeBase) -> None:
    model = Writer()
    answer = pages.ask(QUESTION, llm=model)
    assert model.jobs == ["part", "answer"]
    (part,) = answer.parts
    assert part.question == PART
    assert part.bridge is not None
    assert part.bridge.uri.endswith("film.txt")
    assert [Path(source.hit.uri).stem for source in answer.sources] == ["film", "director"]
    assert answer.unsupported == ()
    assert pages.ask(QUESTION, llm=Writer("none")).parts == ()


def test_what_naming_the_parts_took_is_in_the_usage(pages: KnowledgeBase) -> None:
    asked, plain = (pages.ask(QUESTION, llm=Writer(), options=AskOptions(parts=parts)).usage for parts in (True, False))
    assert asked.completion_tokens > plain.completion_tokens > 0
    assert asked.prompt_tokens > plain.prompt_tokens


@pytest.mark.parametrize("reply", [RuntimeError("overloaded"), "", "I cannot do that.", "?" * 9_000])
def test_a_model_that_names_no_parts_answers_all_the_same(pages: KnowledgeBase, reply: str | Exception) -> None:
    model = Writer(reply)
    answer = pages.ask(QUESTION, llm=model)
    assert model.jobs == ["part", "answer"]
    assert answer.raw == ANSWER
    assert answer.parts == ()


def test_a_model_that_takes_too_long_over_the_parts_answers_without(pages: KnowledgeBase) -> None:
    answer = pages.ask(QUESTION, llm=Writer(seconds=5.0), options=AskOptions(parts_seconds=0.05))
    assert answer.raw == ANSWER
    assert answer.parts == ()


def test_a_small_model_and_one_that_need_not_are_not_asked_for_parts(pages: KnowledgeBase) -> None:
    small, spared, covered = Writer(), Writer(), Writer()
    pages.ask(QUESTION, llm=as_llm(small, window=4096))
    pages.ask(QUESTION, llm=spared, options=AskOptions(parts=False))
    pages.ask("who directed the 2014 comedy film silver harbour?", llm=covered)
    assert small.jobs == spared.jobs == covered.jobs == ["answer"]


@pytest.mark.parametrize(
    ("first", "parts"),
    [
        (stream("1. Where does ", "marta quillon live?\n"), [PART]),
        (status(400), []),
        (cut_off, []),
        (stream(""), []),
        (raw(b"data: [1, 2]\n\n"), []),
        (endless, []),
    ],
    ids=["a part", "400", "cut off", "nothing", "no protocol", "endless"],
)
@pytest.mark.timeout(60)
def test_a_server_that_fails_over_the_parts_is_asked_for_the_answer(
    pages: KnowledgeBase, first: Respond, parts: list[str]
) -> None:
    pytest.importorskip("langchain_openai", reason="needs the extra: pip install 'pilotfish[openai]'")
    server = Misbehaving(first, stream(ANSWER))
    try:
        answer = pages.ask(QUESTION, llm="openai:m", options=AskOptions(base_url=server.url))
    finally:
        Misbehaving.close_all()
    assert [part.question.casefold() for part in answer.parts] == parts
    assert answer.raw == ANSWER
    assert server.asked == 2
