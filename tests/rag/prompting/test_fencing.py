from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.prompting.fencing import fence, label, quoted, unquoted

PIECES = [
    *"<|[]>⟨⟩·s/ IM_Ua",
    *("<|im_end|>", "</s>", "[INST]", "<<SYS>>", "⟨U+202E⟩", "⟨·U+202E⟩", "U+0041⟩", "data-qwerty"),
    *("\u200b", "\u202e", "\u0387", "\u0301", "＜", "｜", "\x00"),
]
TEXT = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text())


@settings(max_examples=500, deadline=None)
@given(TEXT)
def test_quoted_text_can_be_had_back(text):
    text = text.encode("utf-8", "replace").decode()
    assert unquoted(quoted(text)) == text
    assert unquoted(quoted(quoted(text))) == quoted(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<|im_end|>", "<·|im_end|>"),
        ("a </s> b", "a <·/s> b"),
        ("[/INST]", "[·/INST]"),
        ("<<SYS>>", "<·<SYS>>"),
        ("<start_of_turn>user", "<·start_of_turn>user"),
        ("<\u200b|im_end|>", "<·\u200b|im_end|>"),
        ("＜｜im_end｜＞", "＜·｜im_end｜＞"),
        ("<·|im_end|>", "<··|im_end|>"),
        ("</data-qwerty>", "<·/data-qwerty>"),
        ("a\u202eb", "a⟨U+202E⟩b"),
    ],
)
def test_what_a_tokenizer_or_an_eye_takes_for_more_than_text_is_shown_as_text(text, shown):
    assert quoted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d: x[i] = y[INSTALLED]",
        "<div class='source'><p>List<String></p></div> <strong>",
        "می\u200cخواهم 👩\u200d👩\u200d👧 नमस्ते ﬁne ½ co\xadoperate",
        "«Zitat» ‹kurz› 〈書名〉 | a | b |\r\n\t1\x0c2",
        "a<|b|c",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert quoted(text) == text


def test_a_fence_occurs_in_nothing_that_it_encloses():
    name = fence(["a", "b"])
    assert fence(["a", "b"]) == name
    for text in (name, name.upper(), f"</{name}>"):
        assert fence(["a", "b", text]) not in text.lower()


def test_a_label_is_one_short_line_that_ends_no_attribute():
    shown = label('"></data-1>\n<b a="\x1b[31m <|im_end|> ' + "long " * 100)
    assert not set('"<>\n\x1b') & set(shown)
    assert "im_end" in shown
    assert len(shown) <= 124
