"""Word pieces as Hugging Face's `tokenizers` cuts them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from indexes.encoding.encoder import DATA
from indexes.encoding.wordpiece import WordPieces

ROOT = Path(__file__).parents[3]
TOKENIZER = DATA / "tokenizer.json"
ASTRAL = range(0x10000, 0x20000)
TAGS = range(0xE0000, 0xE0200)


@cache
def ours() -> WordPieces:
    return WordPieces(TOKENIZER)


@cache
def reference() -> Tokenizer:
    return Tokenizer.from_file(str(TOKENIZER))


def expected(text: str) -> tuple[list[int], list[tuple[int, int]]]:
    encoding = reference().encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


def characters() -> Iterator[str]:
    """Every character up to the second plane and the tags; the planes between have ideographs and nothing else."""
    for code in (*range(0xD800), *range(0xE000, 0x10000), *ASTRAL, *TAGS):
        yield chr(code)


@cache
def newer() -> frozenset[str]:
    """The characters that `tokenizers` does not take for what Unicode says they are: its tables are of 2015."""
    every = list(characters())
    found = reference().encode_batch_fast([f"a{character}b" for character in every], add_special_tokens=False)
    return frozenset(
        character
        for character, encoding in zip(every, found, strict=True)
        if ours().ids(f"a{character}b") != encoding.ids
    )


def test_only_characters_newer_than_its_tables_are_cut_in_another_way() -> None:
    in_vocabulary = frozenset("".join(ours().vocabulary))
    assert not newer() & in_vocabulary
    assert len(newer()) < 600  # of 131,584
    assert min(newer()) > "\u0600"  # none of Latin, Greek, Cyrillic, Armenian, Hebrew


TEXTS = st.text(
    st.sampled_from("aZ09 .,-_'\n\t\x00\x1f\x7f\u00ad\u200b\u200d\ufeff\ufffd\u2029éÅßİΣςﬁ\u0301\u0327\u0130")
    | st.sampled_from("≠½²ªŐ中文한국กาสी日本ґ،؟¿«»“”…—€😀👩\u3099が\u3000\xa0\u1680")
    | st.characters(exclude_categories=["Cs"])
)


@given(TEXTS)
@example("")
@example("Ünaffable e\u0301clair, İstanbul—ΣΟΦΟΣ! 中文한국어 \u200b\x00x\x85y")
@example("x" * 100)
@example("x" * 101 + " é" * 101)
@example("é" * 100 + " " + "e\u0301" * 101)
@example("[CLS] a [MASK] b [SEP]")
def test_any_text_is_cut_as_the_reference_cuts_it(text: str) -> None:
    if newer().isdisjoint(text):
        assert ours().encode(text) == expected(text)
        assert ours().ids(text) == expected(text)[0]


def test_the_pages_of_this_project_are_cut_as_the_reference_cuts_them() -> None:
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("indexes/**/*.py")):
        text = path.read_text("utf-8")
        assert ours().encode(text) == expected(text), path


def test_a_line_of_megabytes_is_one_unknown_word() -> None:
    unknown = ours().vocabulary["[UNK]"]
    assert ours().encode("a" * 10_000_000) == ([unknown], [(0, 10_000_000)])
    assert ours().encode("é" * 1_000_000) == ([unknown], [(0, 1_000_000)])


def test_a_word_with_a_part_in_no_piece_is_unknown_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "WordPiece", "vocab": {"[UNK]": 7, "un": 1, "##able": 2}}}))
    assert WordPieces(path).encode("unable unaware") == ([1, 2, 7], [(0, 2), (2, 6), (7, 14)])


def test_texts_in_many_threads_are_cut_alike(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    text = (ROOT / "README.md").read_text("utf-8")
    fresh = WordPieces(TOKENIZER)
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected(text) for found in pool.map(fresh.encode, [text] * 32))
