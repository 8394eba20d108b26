"""Tags of the prompt that a model repeats are no part of its answer; all other tags are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import KnowledgeBase
from rag.llm.loading import load_llm
from rag.llm.reply import EmptyReplyError
from rag.prompting.composer import Composer
from rag.prompting.fence_filter import FenceFilter
from rag.prompting.prompt import Background, Demonstration, Turn
from tests.rag.samples import hits

FENCE = "data-lwjsbg"


def unfenced(pieces: Iterable[str], fence: str = FENCE) -> str:
    filtered = FenceFilter(fence)
    return "".join([*map(filtered, pieces), filtered.rest()])


ECHOES = {
    f"<{FENCE} earlier>\nIt is blue. [1]\n</{FENCE}>": "It is blue. [1]\n",
    f'<{FENCE} number=1 title="A › b" where="lines 3-6">\nIt is blue. [1]': "It is blue. [1]",
    f"It is blue. [1]\n</{FENCE}>\n\nAlways.": "It is blue. [1]\n\nAlways.",
    f"It is blue. [1]\n</{FENCE}> \nAlways.": "It is blue. [1]\nAlways.",
    f"It is <{FENCE}>blue</{FENCE}>. [1]": "It is blue. [1]",
    f"Blue. [1] </{FENCE}>\nAlways.": "Blue. [1] \nAlways.",
    f"Blue. [1]\n</{FENCE}": "Blue. [1]\n",
    f'Blue. [1]\n<{FENCE} number=1 title="A ': "Blue. [1]\n",
    f"</{FENCE}></{FENCE}>\n": "",
}
OTHERS = [
    "if a < b and c > d: print('<data-x>')",
    "<data-qwerty>\n<div data-lwjsb='1'></div>",
    f"The tag is called {FENCE}, {FENCE}> or < {FENCE}>.",
    f"<{FENCE}s>",
    "List<String> x = a <",
    "</",
    "<data-lwjs",
    "a\n\n  b <p>\n",
]


@pytest.mark.parametrize(("text", "left"), ECHOES.items())
def test_the_tags_of_the_prompt_are_taken_out(text: str, left: str) -> None:
    assert unfenced([text]) == left
    assert unfenced(text) == left  # character by character


@pytest.mark.parametrize("text", OTHERS)
def test_all_else_that_looks_like_a_tag_stays(text: str) -> None:
    assert unfenced([text]) == text
    assert unfenced(text) == text


@pytest.mark.parametrize("text", [*ECHOES, *OTHERS])
def test_without_a_fence_all_stays(text: str) -> None:
    assert unfenced([text], fence="") == text


@given(
    st.lists(
        st.sampled_from(["<", "</", ">", FENCE, FENCE[:7], " a=1", "\n", " ", "blue", f"</{FENCE}>", f"<{FENCE} x>"]),
        max_size=20,
    )
)
def test_where_a_stream_is_cut_makes_no_difference(pieces: list[str]) -> None:
    whole = unfenced(["".join(pieces)])
    assert unfenced(pieces) == unfenced("".join(pieces)) == whole


def test_text_is_not_held_back_longer_than_it_may_be_a_tag() -> None:
    filtered = FenceFilter(FENCE)
    assert filtered("if a <") == "if a "
    assert filtered(" b:") == "< b:"
    held = filtered(f"<{FENCE} " + "x" * 10_000)
    assert len(held) > 9_000


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("echoes")
    (folder / "markup.md").write_text(
        "# Markup\n\nA colour is written as <data-colour>blue</data-colour> in the markup of the shop.\n"
    )
    base = KnowledgeBase.open(folder / "kb")
    base.index(folder / "markup.md")
    yield base
    base.close()


QUESTION = "How is a colour written in the markup of the shop?"
SENTENCE = "A colour is written as <data-colour>blue</data-colour> in the markup of the shop. [1]"


def echo(messages: Sequence[dict[str, str]]) -> Iterator[str]:
    """Repeats the tags it has read, cut in the middle."""
    fence = messages[0]["content"].split("between <")[1].split()[0]
    yield from (f"<{fence[:4]}", f"{fence[4:]} number=1>", f"\n{SENTENCE}", "\n</", f"{fence}", ">")


def test_an_answer_is_heard_and_checked_without_the_tags_and_with_those_of_the_documents(kb: KnowledgeBase) -> None:
    heard: list[str] = []
    answer = kb.ask(QUESTION, llm=echo, on_text=heard.append)
    assert "".join(heard).strip() == answer.raw == answer.text == SENTENCE
    assert len(heard) > 1
    (citation,) = answer.citations
    assert citation.supported
    assert citation.location is not None
    assert Path(citation.uri).read_text()[citation.location.start : citation.location.end] == citation.quote


def test_a_model_that_repeats_nothing_but_tags_has_said_nothing(kb: KnowledgeBase) -> None:
    def tags(messages: Sequence[dict[str, str]]) -> str:
        fence = messages[0]["content"].split("between <")[1].split()[0]
        return f"<{fence}>\n</{fence}>"

    with pytest.raises(EmptyReplyError, match="returned nothing but the tags"):
        kb.ask(QUESTION, llm=tags)


def test_what_smollm2_echoes_is_taken_out(smollm2: Path) -> None:
    llm = load_llm("local")
    prompt = Composer(1_200, llm.count).compose(
        "How long do refunds take?",
        hits("Refunds are paid within 14 days of the return. They go back the way the customer paid."),
        demonstrations=[Demonstration("How long is the warranty?", "Two years. [1]")],
        background=[Background("sky", "The sky looks blue because air scatters blue light.")],
        history=[Turn("How is the weather?", "Fine.")],
    )
    pieces = list(llm.stream(prompt, ""))
    left = unfenced(pieces, prompt.fence)
    assert prompt.fence not in left
    assert left.split() == re.sub(rf"</?{prompt.fence}[^>]*(?:>|\Z)", "", "".join(pieces)).split()
