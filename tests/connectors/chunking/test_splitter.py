"""Documents into chunks: what always holds, and what a reader would expect."""

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import indexes
from connectors.chunking.splitter import Splitter, Tokenizer
from connectors.document import Block, BlockKind, Chunk, Document
from connectors.errors import ConfigurationError

NEWLINE = re.compile(r"\r\n|\r|\n")
ENCODER_TOKENIZER = Path(next(iter(indexes.__path__))) / "encoding" / "encoder_data" / "tokenizer.json"


class Words:
    """Word pieces of up to six letters; every other sign is a piece, like in the default encoder."""

    pieces = re.compile(r"[\u3040-\u9fff]|\w{1,6}|[^\w\s]")

    def __init__(self) -> None:
        self.characters = 0
        self.calls = 0

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        self.calls += 1
        self.characters += len(text)
        return [found.span() for found in self.pieces.finditer(text)]


class UnknownWords(Words):
    """A word of more than ten letters is one unknown piece: cut, it becomes more pieces than it was."""

    pieces = re.compile(r"\w{11,}|\w{1,2}|[^\w\s\u200b\0]")


def document(text: str, blocks: Sequence[Block] = (), *, context: str = "", pages: tuple[int, ...] = ()) -> Document:
    return Document("file", "file", text, "text", "r1", context=context, blocks=tuple(blocks), pages=pages)


def markdown(text: str, *, context: str = "") -> Document:
    """A document whose headings, fences and pipe tables are marked as blocks."""
    blocks = []
    for found in re.finditer(r"(?ms)^(#+) ([^\n]*)|^```.*?^```|(?:^\|[^\n]*\n)+", text):
        if found[1]:
            blocks.append(Block(BlockKind.HEADING, *found.span(), level=len(found[1]), label=found[2]))
        elif found[0].startswith("|"):
            blocks.append(Block(BlockKind.TABLE, *found.span(), header=found[0].split("\n")[0]))
        else:
            blocks.append(Block(BlockKind.CODE, *found.span()))
    return document(text, blocks, context=context)


def split(source: Document | str, *, window: int = 50, target: int = 30) -> list[Chunk]:
    if isinstance(source, str):
        source = document(source)
    chunks = Splitter(Words(), window=window, target=target).split(source)
    check(source, chunks, Words(), window)
    return chunks


def texts(source: Document | str, *, window: int = 50, target: int = 30) -> list[str]:
    return [chunk.text for chunk in split(source, window=window, target=target)]


def sizes(chunks: list[Chunk]) -> list[int]:
    return [len(Words().spans(chunk.text)) for chunk in chunks]


def check(source: Document, chunks: list[Chunk], tokenizer: Tokenizer, window: int) -> None:
    """Everything that holds for every document and every tokenizer."""
    previous = 0
    covered = bytearray(len(source.text))
    for chunk in chunks:
        place = chunk.location
        assert previous <= place.start < place.end
        assert chunk.text == source.text[place.start : place.end] == chunk.text.rstrip()
        if indentation := chunk.text[: -len(chunk.text.lstrip())]:  # of code alone, and all that its first line has
            assert any(block.kind is BlockKind.DEFINITION for block in source.blocks)
            assert not {"\n", "\r"} & set(indentation)
            assert source.text[place.start - 1 : place.start] in {"", "\n", "\r"}
        assert len(tokenizer.spans(chunk.indexed_text)) <= window
        assert len(chunk.text) <= 16 * (window + 2)
        assert place.line_start == 1 + len(NEWLINE.findall(source.text, 0, place.start))
        assert place.line_end == 1 + len(NEWLINE.findall(source.text, 0, place.end - 1))
        assert (place.page_start, place.page_end) == (source.page_at(place.start), source.page_at(place.end - 1))
        covered[place.start : place.end] = b"x" * len(chunk.text)
        previous = place.end
    for heading in source.blocks:
        line = source.text[heading.start : heading.end]
        if heading.kind is BlockKind.HEADING and line.strip() and not any(covered[heading.start : heading.end]):
            below = next(chunk for chunk in chunks if chunk.location.start >= heading.end)
            assert letters(line) == letters(heading.label)
            assert letters(line) in letters(below.context)
            covered[heading.start : heading.end] = b"x" * len(line)
    assert not [sign for sign, seen in zip(source.text, covered, strict=True) if not (seen or sign.isspace())]


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def sentence(words: int, name: str = "word") -> str:
    """So many words and a period."""
    return " ".join(["The", *[name] * (words - 2), "end."])


class TestProse:
    @pytest.mark.parametrize("text", ["", " \n\t\r\n ", "\u3000\n"])
    def test_nothing_to_see_makes_no_chunk(self, text: str) -> None:
        assert texts(text) == []

    def test_a_short_document_is_one_chunk(self) -> None:
        assert texts("\n\n One.\n\nTwo.  \n") == ["One.\n\nTwo."]

    def test_paragraphs_stay_whole_and_fill_chunks_evenly(self) -> None:
        paragraphs = [sentence(9, f"w{number}") for number in range(8)]  # 10 pieces each
        chunks = split("\n\n".join(paragraphs))
        assert sizes(chunks) == [30, 30, 20]
        assert "\n\n".join(chunk.text for chunk in chunks) == "\n\n".join(paragraphs)

    def test_a_long_paragraph_is_cut_evenly_at_sentences(self) -> None:
        text = " ".join(sentence(4) for _ in range(11))  # 55 pieces
        assert sizes(split(text)) == [30, 25]

    def test_a_sentence_over_the_target_stays_whole_while_it_fits(self) -> None:
        text = f"{sentence(9)} {sentence(44)} {sentence(9)}"
        assert sizes(split(text)) == [10, 45, 10]

    def test_what_is_a_little_over_the_target_needs_no_cut_inside_its_only_sentence(self) -> None:
        assert sizes(split(sentence(39))) == [40]

    def test_an_endless_sentence_is_cut_evenly_between_words(self) -> None:
        assert sizes(split("word " * 100)) == [25, 25, 25, 25]

    def test_an_endless_sentence_is_rather_cut_at_a_clause(self) -> None:
        text = ("one two three four five six seven, " * 20).strip()
        assert all(chunk.endswith("seven,") for chunk in texts(text))

    def test_lines_without_sentences_are_not_cut(self) -> None:
        text = "\n".join(f"10.0.0.{number} get page {number}" for number in range(100))
        assert {line for chunk in texts(text) for line in chunk.split("\n")} == set(text.split("\n"))

    def test_list_items_are_not_cut(self) -> None:
        items = [f"- item {number} is about something" for number in range(30)]
        assert {line for chunk in texts("\n".join(items)) for line in chunk.split("\n")} == set(items)

    @pytest.mark.parametrize(
        "token",
        ["5,120", "1,000.50", "3.14", "v1.22.333-rc.4", "https://example.org/a/b?c=1,2&d=3", "first.last@example.org"],
    )
    @pytest.mark.parametrize("filler", [3, 4, 5])
    def test_numbers_and_addresses_stay_whole(self, token: str, filler: int) -> None:
        text = f"{'x ' * filler}{token} " * 60
        assert sum(chunk.split().count(token) for chunk in texts(text)) == 60

    def test_a_no_break_space_holds_a_number_and_its_unit_together(self) -> None:
        chunks = texts("about 1\u202f000\u00a0km " * 60)
        assert sum(chunk.count("1\u202f000\u00a0km") for chunk in chunks) == 60


class TestScripts:
    def test_chinese_is_cut_at_sentences(self) -> None:
        chunks = texts("这是第一个句子。他们去了北京！真的吗？" * 20)
        assert all(chunk[-1] in "。！？" for chunk in chunks)

    def test_chinese_without_sentences_is_cut_at_clauses(self) -> None:
        assert all(chunk.endswith("，") for chunk in texts("这是第一个句子，" * 40))

    def test_numbers_in_chinese_stay_whole(self) -> None:
        assert sum(chunk.count("5,120.75") for chunk in texts("共有5,120.75元" * 50)) == 50

    def test_a_word_without_end_is_cut_evenly(self) -> None:
        assert {len(chunk) for chunk in texts("a" * 6 * 100)} == {150}

    @pytest.mark.parametrize("cluster", ["e\u0301\u0323", "👩🏽\u200d🚀", "🇫🇷", "ก็", "각"], ids=ascii)
    def test_no_cluster_of_signs_is_cut(self, cluster: str) -> None:
        assert all(len(chunk) % len(cluster) == 0 for chunk in texts(cluster * 400))

    def test_the_seams_of_minified_data_come_before_its_letters(self) -> None:
        chunks = texts('{"name":"abcdefgh","price":5,120},' * 40)
        assert all(not re.search(r"\w$", chunk) for chunk in chunks[:-1])

    def test_a_cluster_without_end_is_cut_all_the_same(self) -> None:
        assert len(texts("a" + "\u0301" * 5_000)) > 1


GUIDE = "# Guide\n\nHello there.\n\n## Install\n\nRun it.\n\n### Windows\n\nClick.\n\n## Use\n\nType."


class TestHeadings:
    def test_every_chunk_has_its_heading_path_as_context(self) -> None:
        chunks = split(markdown(GUIDE))
        assert [(chunk.text, chunk.context, chunk.location.headings) for chunk in chunks] == [
            ("Hello there.", "Guide", ("Guide",)),
            ("Run it.", "Guide > Install", ("Guide", "Install")),
            ("Click.", "Guide > Install > Windows", ("Guide", "Install", "Windows")),
            ("Type.", "Guide > Use", ("Guide", "Use")),
        ]

    def test_the_title_comes_first_and_is_not_said_twice(self) -> None:
        assert split(markdown("# Guide\nHello.", context="Handbook"))[0].context == "Handbook > Guide"
        assert split(markdown("# Guide\nHello.", context="guide"))[0].context == "Guide"
        assert split(document("Hello.", context="Handbook"))[0].context == "Handbook"

    def test_every_piece_of_a_long_section_has_the_path(self) -> None:
        chunks = split(markdown(f"# Guide\n{'word ' * 200}"))
        assert len(chunks) > 5
        assert {chunk.context for chunk in chunks} == {"Guide"}

    def test_a_heading_without_text_stays_with_the_text_that_follows(self) -> None:
        assert [(chunk.text, chunk.context) for chunk in split(markdown("# A\n# B\n## C\ntext\n"))] == [
            ("# A\n# B\n## C\ntext", "B > C")
        ]

    def test_a_heading_that_nothing_follows_is_a_chunk(self) -> None:
        chunks = split(markdown("# A\ntext\n## The end\n"))
        assert [(chunk.text, chunk.context) for chunk in chunks] == [("text", "A"), ("## The end", "A")]

    def test_a_heading_line_that_says_more_than_its_label_stays_in_the_text(self) -> None:
        block = Block(BlockKind.HEADING, 0, 25, level=1, label="Guide")
        assert texts(document("# [Guide](http://a.b/c/d)\ntext", [block])) == ["# [Guide](http://a.b/c/d)\ntext"]

    def test_a_long_path_loses_its_middle_and_leaves_room(self) -> None:
        text = (
            "# Top\n## Very long middle part of it\n### Another quite long part right here\n#### Leaf\n" + "word " * 60
        )
        chunks = split(markdown(text))
        assert {chunk.context for chunk in chunks} == {"Top > Leaf"}
        assert chunks[0].location.headings[1] == "Very long middle part of it"
        assert "## Very long middle" in chunks[0].text  # what no context says is in the text

    def test_an_endless_heading_is_cut_in_the_context_and_whole_in_the_text(self) -> None:
        chunks = split(markdown(f"# {'long ' * 300}\ntext"))
        assert all(chunk.context == "long long long long long long long long long long" for chunk in chunks)
        assert sum(chunk.text.split().count("long") for chunk in chunks) == 300


TABLE = "| name | price |\n|---|---|\n" + "".join(f"| thing {row} | {row},120 |\n" for row in range(40))


class TestTables:
    def test_a_small_table_stays_with_its_text(self) -> None:
        text = "See below.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nAnd so on."
        assert texts(markdown(text), window=60, target=50) == [text]

    def test_a_long_table_is_cut_between_rows_and_repeats_its_header(self) -> None:
        chunks = split(markdown(f"# Prices\nAll of them:\n\n{TABLE}\nAfter that."))
        assert [line for chunk in chunks for line in chunk.text.split("\n") if line] == [
            "All of them:", *TABLE.strip().split("\n"), "After that."
        ]  # fmt: skip
        first, *rest, last = chunks
        assert first.context == last.context == "Prices"
        assert {chunk.context for chunk in rest} == {"Prices\n| name | price |"}

    def test_a_row_longer_than_the_window_is_cut_between_cells(self) -> None:
        row = "| " + " | ".join(f"cell {number} with text" for number in range(40)) + " |"
        chunks = texts(markdown(f"| a | b |\n|---|---|\n{row}\n"))
        assert len(chunks) > 3
        assert all(chunk.endswith("|") for chunk in chunks)

    def test_the_commas_of_a_long_row_separate_cells_and_those_of_its_numbers_do_not(self) -> None:
        row = ",".join(f'3rd cell,{number},"4,{number}50 items"' for number in range(100, 130))
        source = document(row, [Block(BlockKind.TABLE, 0, len(row))])
        chunks = texts(source)
        assert len(chunks) > 3
        assert all(chunk.endswith(",") for chunk in chunks[:-1])
        assert sum(len(re.findall(r"4,\d{3}50 items", chunk)) for chunk in chunks) == 30

    def test_a_quoted_cell_with_line_breaks_is_part_of_its_row(self) -> None:
        rows = [f'{row},"first line\nsecond line, of {row}"' for row in range(30)]
        text = "\n".join(["id,note", *rows])
        source = document(text, [Block(BlockKind.TABLE, 0, len(text), header="id,note")])
        chunks = split(source)
        assert all(chunk.text.count('"') % 2 == 0 for chunk in chunks)
        assert {chunk.context for chunk in chunks[1:]} == {"id,note"}

    def test_a_quote_that_is_never_closed_does_no_harm(self) -> None:
        text = "id,note\n" + '1,"oops\n' + "2,fine and well\n" * 60
        source = document(text, [Block(BlockKind.TABLE, 0, len(text), header="id,note")])
        assert {line for chunk in texts(source) for line in chunk.split("\n")} == set(text.strip().split("\n"))

    def test_a_header_that_is_not_in_the_text_is_context_of_every_piece(self) -> None:
        text = "Intro.\n\n" + "1\t2\n" * 40 + "\nOutro."
        source = document(text, [Block(BlockKind.TABLE, 8, 8 + 160, header="left\tright")])
        contexts = [chunk.context for chunk in split(source)]
        assert contexts[0] == contexts[-1] == ""
        assert set(contexts[1:-1]) == {"left\tright"}

    def test_a_wide_header_leaves_room_for_the_row(self) -> None:
        header = "| " + " | ".join(f"column {number}" for number in range(60)) + " |"
        text = f"{header}\n|---|---|\n" + "| 1 | 2 |\n" * 20
        assert split(markdown(text))[-1].context.startswith("| column 0 | column 1 |")


class TestCode:
    def test_a_fence_stays_whole_while_it_fits(self) -> None:
        fence = "```\n" + "x = 1\n" * 11 + "```"  # 39 pieces: more than the target
        assert fence in texts(markdown(f"{sentence(20)}\n\n{fence}\n\n{sentence(20)}"))

    def test_a_long_fence_is_cut_at_blank_lines(self) -> None:
        function = "def f(x):\n    y = x + 1\n    return y"
        fence = "```\n" + "\n\n\n".join([function] * 12) + "\n```"
        for chunk in texts(markdown(fence)):
            assert chunk.count("def") == chunk.count("return") > 0

    def test_a_long_block_of_it_is_cut_between_lines(self) -> None:
        fence = "```\n" + "call(a, b)\n" * 60 + "```"
        assert {line for chunk in texts(markdown(fence)) for line in chunk.split("\n")} == {"```", "call(a, b)"}


def test_pages_and_lines_are_those_of_the_text() -> None:
    text = "Page one.\r\n\fPage two.\rStill two.\n\n\fPage three."
    source = document(text, pages=(0, text.index("Page two"), text.index("Page three")))
    (place,) = [chunk.location for chunk in split(source)]
    assert (place.line_start, place.line_end, place.page_start, place.page_end) == (1, 5, 1, 3)


@pytest.mark.parametrize(("window", "target"), [(15, 10), (50, 0), (50, 51), (-1, -1)])
def test_an_impossible_size_is_refused(window: int, target: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{target} word pieces.*window of {window}") as caught:
        Splitter(Words(), window=window, target=target)
    assert caught.value.hint


SPACES = ["\n", "\r\n", "\r", "\n\n", " ", "  ", "\t", "\0", "\u3000", "\u2028", "\u200b"]
WORDS = [
    "word ",
    "Dr. ",
    "Yes. ",
    "No! ",
    "5,120",
    "3.14",
    "a@b.cd",
    "http://x.y/z?q=1",
    "antidisestablishmentarianism",
]
SCRIPTS = ["。", "，", "中文字", "한국어", "สวัสดี", "\u0301", "e\u0301", "👩🏽\u200d🚀", "🇫🇷🇩🇪"]
MARKS = ["- item\n", "| a | b |\n", "# ", '"', "```\n"]
REPEATED = st.sampled_from(["a", "word ", "字", "é", "\u0301", " ", "\n", "x.", "🇫🇷"])
PARTS = st.one_of(
    st.sampled_from([*SPACES, *WORDS, *SCRIPTS, *MARKS]),
    st.text(max_size=8),
    st.builds(lambda part, times: part * times, REPEATED, st.integers(20, 400)),
)
TEXTS = st.lists(PARTS, max_size=25).map("".join)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(TEXTS)
    edges = sorted(draw(st.lists(st.integers(0, len(text)), max_size=14)))
    blocks = []
    for start, end in zip(edges[::2], edges[1::2], strict=False):
        kind = draw(st.sampled_from(BlockKind))
        inside = text[start:end]
        line = draw(st.sampled_from([inside, inside[:9], "Label", ""]))
        blocks.append(
            Block(
                kind,
                start,
                end,
                level=draw(st.integers(1, 12)) if kind is BlockKind.HEADING else 0,
                label=line if kind is BlockKind.HEADING else "",
                header=line if kind is BlockKind.TABLE else "",
            )
        )
    pages = (0, *sorted(draw(st.sets(st.integers(1, len(text)), max_size=3)))) if text else ()
    return document(text, blocks, context=draw(st.sampled_from(["", "Title", "long " * 40])), pages=pages)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(documents(), st.sampled_from([Words, UnknownWords]), st.integers(16, 120), st.integers(1, 120))
@example(document("\n\n" + "word " * 20, [Block(BlockKind.TABLE, 0, 30, header="Label")]), UnknownWords, 16, 1)
def test_whatever_the_document(source: Document, tokenizer: Callable[[], Words], window: int, target: int) -> None:
    splitter = Splitter(tokenizer(), window=window, target=min(window, target))
    chunks = splitter.split(source)
    check(source, chunks, tokenizer(), window)
    assert splitter.split(source) == chunks


LONG = {
    "one line": "word " * 100_000,
    "one word": "a" * 500_000,
    "one cluster": "a" + "\u0301" * 300_000,
    "white space": "a" + " " * 500_000 + "b",
    "invisible": "\u200b" * 300_000,
    "short lines": "ab cd\n" * 80_000,
    "short paragraphs": "ab\n\n" * 80_000,
    "sentences": "Ab cd. " * 80_000,
    "chinese": "中文" * 100_000,
    "headings": "## a\n" * 20_000,
    "sections": "## a\nb\n" * 20_000,
    "table": "| a | b |\n" * 30_000,
    "tables": "| a | b |\n| 1 | 2 |\n\n" * 10_000,
    "code": "```\n" + "x = 1\n" * 50_000 + "```",
    "fences": "```\nx\n```\n" * 20_000,
    "quotes": '| "a |\n' * 50_000,
}


@pytest.mark.timeout(60)  # quadratic time would take hours
@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_the_work_grows_with_the_text_and_no_faster(text: str) -> None:
    tokenizer = Words()
    source = markdown(text)
    chunks = Splitter(tokenizer).split(source)
    assert tokenizer.characters < 3 * len(text)
    assert tokenizer.calls < 3 * (len(chunks) + len(source.blocks)) + len(text) / 15_000 + 10
    assert sum(len(chunk.text) for chunk in chunks) <= len(text)


@cache
def word_pieces() -> Tokenizer:
    """The tokenizer of the default encoder, as it is committed."""
    from tokenizers import Tokenizer as HuggingFaceTokenizer

    wordpiece = HuggingFaceTokenizer.from_file(str(ENCODER_TOKENIZER))
    wordpiece.no_truncation()
    wordpiece.no_padding()

    class WordPieces:
        def spans(self, text: str) -> Sequence[tuple[int, int]]:
            return wordpiece.encode(text, add_special_tokens=False).offsets

    return WordPieces()


@pytest.mark.skipif(not ENCODER_TOKENIZER.exists(), reason="the default encoder is not built")
class TestDefaultEncoder:
    @settings(max_examples=100, deadline=None)
    @given(documents())
    def test_no_chunk_exceeds_its_window(self, source: Document) -> None:
        check(source, Splitter(word_pieces()).split(source), word_pieces(), 254)

    def test_prose_is_cut_near_the_target(self) -> None:
        text = " ".join(f"The committee met {number} times to discuss refunds." for number in range(500))
        counts = [len(word_pieces().spans(chunk.text)) for chunk in Splitter(word_pieces()).split(document(text))]
        assert max(counts) <= 200
        assert min(counts) >= 150

    def test_data_on_one_line_fits(self) -> None:
        source = document(json.dumps([{"id": number, "name": "Ünïcode ☃", "price": 5.12} for number in range(500)]))
        check(source, Splitter(word_pieces()).split(source), word_pieces(), 254)
