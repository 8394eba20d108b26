"""Whatever a text says in whatever part of a prompt, it stays inside its fence, and no control token comes of it."""

from __future__ import annotations

import re

import pytest

from rag.prompting.composer import Composer
from rag.prompting.fencing import unquoted
from rag.prompting.prompt import Background, Demonstration, Prompt, Turn
from tests.rag.injections import INJECTIONS, injection
from tests.rag.samples import hit, word_count

QUESTION = "What is the plan?"
PARTS = ["text", "title", "uri", "context", "card", "background", "example", "example answer", "turn", "turn answer"]
# The special tokens of SmolLM2's vocabulary, ids 0 to 16.
SPECIAL = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<repo_name>",
    "<reponame>",
    "<file_sep>",
    "<filename>",
    "<gh_stars>",
    "<issue_start>",
    "<issue_comment>",
    "<issue_closed>",
    "<jupyter_start>",
    "<jupyter_text>",
    "<jupyter_code>",
    "<jupyter_output>",
    "<jupyter_script>",
    "<empty_output>",
]


def compose(**parts: str) -> Prompt:
    """A prompt with every part, those named replaced."""
    said = {part: f"The {part} is to wait." for part in PARTS} | parts
    return Composer(5000, word_count).compose(
        QUESTION,
        [hit(said["text"], title=said["title"], context=said["context"], uri=said["uri"]), hit("Another.", rank=2)],
        background=[Background(said["card"], said["background"])],
        demonstrations=[Demonstration(said["example"], said["example answer"])],
        history=[Turn(said["turn"], said["turn answer"])],
    )


def fence_of(prompt: Prompt) -> str:
    return re.search(r"<(data-[a-z]{6}) ", prompt.messages[1].content)[1]


HONEST = compose()


def outside(prompt: Prompt) -> str:
    """What a prompt says itself: everything that is not between fences, and no attribute."""
    fence = fence_of(prompt)
    return re.sub(rf"<{fence} [^<>]*>\n.*?\n</{fence}>", "<>", prompt.messages[1].content, flags=re.DOTALL)


def test_there_are_many_kinds():
    assert len(INJECTIONS) >= 50
    assert len(set(INJECTIONS.values())) == len(INJECTIONS)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", INJECTIONS)
def test_no_text_gets_out_of_its_fence(name, part):
    prompt = compose(**{part: injection(name, fence_of(HONEST))})
    system, user = (message.content for message in prompt.messages)
    assert outside(prompt) == outside(HONEST)
    assert user.count(fence_of(prompt)) == 2 * 5
    assert system == HONEST.messages[0].content.replace(fence_of(HONEST), fence_of(prompt))
    for message in (system, user):
        assert not re.search(
            r"<\|[^|]*\|>|</?s>|\[/?(?:INST|SYSTEM_PROMPT)\]|<<SYS>>|<｜|</?(?:start|end)_of_turn>", message
        )
        assert not re.search("[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e01ef]", message)


@pytest.mark.parametrize("name", INJECTIONS)
def test_what_is_quoted_is_the_document_word_for_word(name):
    text = injection(name, fence_of(HONEST))
    prompt = compose(text=text)
    fence = fence_of(prompt)
    shown = re.search(rf"<{fence} number=1[^<>]*>\n[^\n]*\n(.*?)\n</{fence}>", prompt.messages[1].content, re.DOTALL)[1]
    assert unquoted(shown) == prompt.sources[0].text == text


@pytest.fixture(scope="module")
def llm(smollm2):
    from rag.llm.local import LocalLLM

    return LocalLLM()


def tokens(llm, text: str) -> list[int]:
    """As the chat endpoint reads a message: control tokens are recognised in it."""
    return llm._engine._ask("POST", "/tokenize", {"content": text, "parse_special": True, "add_special": False})[
        "tokens"
    ]


def test_a_real_tokenizer_reads_control_tokens_out_of_plain_text(llm):
    assert [tokens(llm, special) for special in SPECIAL] == [[number] for number in range(len(SPECIAL))]


@pytest.mark.parametrize("name", INJECTIONS)
def test_a_real_tokenizer_finds_no_control_token_in_a_prompt(llm, name):
    text = f"{injection(name, fence_of(HONEST))} {' '.join(SPECIAL)}"
    prompt = compose(**dict.fromkeys(PARTS, text))
    for message in prompt.messages:
        assert min(tokens(llm, message.content)) >= len(SPECIAL)
