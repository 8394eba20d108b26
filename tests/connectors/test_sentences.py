"""Sentence boundaries as character spans."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sentences import paragraph_spans, sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


# Each example is written with `|` where a sentence ends and the next begins.
PROSE = {
    "titles": "Dr. Smith met Mrs. Jones at St. Paul's. | They talked.",
    "initials": "J. R. R. Tolkien wrote it. | A. B. Smith read it.",
    "acronyms": "The U.S. Army came at 5 p.m. | The town was quiet in the U.S. | It rained.",
    "latin": "Use fruit, e.g. Apples, i.e. Red ones, cf. The list, etc. | Then stop.",
    "et al": "Smith et al. (2020) found it. | Others did not.",
    "vitamin": "It has vitamin C. | The rest is water.",
    "figures": "See Fig. 3 and Eqs. 4-5 on p. 12. | No. 7 is best. | No. | It is not.",
    "decimals": "It costs 5,120.50 today. | Pi is 3.14. | The next version is v1.2.3. | Good.",
    "addresses": "See https://a.b.com/x.html?q=1. | Mail a.b@c.de. | Use torch.Tensor or node.js. | End.",
    "marks": "Really?! | Yes! | Wait... what? | Wait... | What?",
    "quotes": '"Is it true?" she said. | He said, "Go." | She went. | (It was late.) | Home.',
    "curly quotes": "“Is it?” | “It is.” | ‘Good.’ | Fine.",
    "guillemets": "Il a dit « Bonjour. » | Puis rien.",
    "footnotes": "It is known.[3] | So is this.[12] | End.",
    "markup": "**Bold.** | Then `code.` | Then *more.* | End.",
    "small letters": "i went home. | then i slept. | ok.",
    "small letters after an amount": "it may be 1.5% (1.5%). | it fell 4%. | it is $3.25. | see it (note 12). | done.",
    "small letters after a date": "Es ist vom 1.5. bis zum 3.6. geöffnet. | Am 24. dezember nicht.",
    "unknown clippings": "El Sr. Pérez dijo que Ud. sabe. | Он умер в 1837 г. в городе. | А. С. Пушкин.",
    "german": "Das ist z.B. gut, d.h. besser als Nr. 5. | Ende.",
    "signs": "It fell, 3.1 vs. -6.2 before. | Good.",
    "comparisons": "It is 20 g/d. | <5 is low.",
    "inline list": "Do this: 1. Wash. | 2. Dry. | 3. Iron.",
    "abbreviated month": "On Jan. 5 we met. | On Mar. 7 we parted.",
    "leaders": "Introduction ........ 5 and Methods ...... 6",
    "chinese": "这是第一句。|这是第二句！|真的吗？|是。",
    "chinese quote": "他说：「是的。」|然后走了。",
    "japanese quote": "「はい。」と言った。|次の文です。",
    "fullwidth decimal": "値は３．１４です．|次です。",
    "hindi": "यह है। | आप कैसे हैं? | ठीक।",
    "arabic": "كيف حالك؟ | انا بخير.",
    "burmese": "ဟုတ်ကဲ့။|ကောင်းပါတယ်။",
    "thai": "สวัสดีครับ ไปไหน",
}


@pytest.mark.parametrize("example", PROSE.values(), ids=PROSE.keys())
def test_ends_sentences_where_a_reader_would(example: str) -> None:
    expected = [part.strip() for part in example.split("|")]
    assert sentences(example.replace("|", "")) == expected


class TestLines:
    def test_a_single_line_break_does_not_end_a_sentence(self) -> None:
        assert sentences("wrapped by\nan old\r\neditor. Next\none.") == ["wrapped by\nan old\r\neditor.", "Next\none."]

    @pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\x85", "\n \t"])
    def test_a_blank_line_always_does(self, newline: str) -> None:
        assert sentences(f"a title{newline}{newline}some text") == ["a title", "some text"]

    def test_a_windows_line_end_is_not_a_blank_line(self) -> None:
        assert paragraph_spans("one\r\ntwo\r\n\r\nthree") == [(0, 8), (12, 17)]

    @pytest.mark.parametrize("mark", ["-", "*", "•", "1.", "12)", "(3)", "a)", "iv."])
    def test_a_list_item_is_a_sentence_of_its_own(self, mark: str) -> None:
        text = f"Buy:\n  {mark} milk\n  {mark} bread. Brown\n"
        assert sentences(text) == ["Buy:", f"{mark} milk", f"{mark} bread.", "Brown"]

    def test_a_heading_and_a_table_row_stand_alone(self) -> None:
        text = "# Dr. Who. And\nHe came. Late\n| a. B | c |\n|---|---|\nEnd"
        assert sentences(text) == ["# Dr. Who. And", "He came.", "Late", "| a. B | c |", "|---|---|", "End"]


def test_spans_are_offsets_of_the_whole_text() -> None:
    text = "Zero. One. Two. Three."
    assert [text[start:end] for start, end in sentence_spans(text, 6, 15)] == ["One.", "Two."]


@pytest.mark.parametrize("text", ["", " \n\t ", "\u3000"])
def test_white_space_holds_no_sentence(text: str) -> None:
    assert sentence_spans(text) == []


AWKWARD = st.text(
    st.one_of(
        st.sampled_from(list("aB1 .!?…\n\r\t\"'”»)([*-#|_。！？「」、と।؟\u0301\u200d\u2028\x85\u3000\xa0\0\ufeff")),
        st.characters(),
    ),
    max_size=80,
)


@given(AWKWARD, st.integers(0, 80), st.integers(0, 80))
def test_spans_are_trimmed_ordered_and_lose_nothing(text: str, start: int, end: int) -> None:
    covered = ""
    previous = start
    for first, last in sentence_spans(text, start, end):
        assert previous <= first < last <= end
        assert text[first:last] == text[first:last].strip()
        covered += text[first:last]
        previous = last
    assert re.sub(r"\s", "", covered) == re.sub(r"\s", "", text[start:end])


@given(AWKWARD)
def test_a_sentence_never_begins_inside_a_letter_with_its_accents(text: str) -> None:
    for start, _ in sentence_spans(text):
        inside_word = start and text[start - 1].isalnum() and unicodedata.combining(text[start])
        assert not inside_word


HOSTILE = {
    "dots": "." * 200_000 + "a",
    "quotes": "." + '"' * 200_000 + "a",
    "notes": "." + "[1]" * 60_000 + "a",
    "stops": ".a" * 100_000,
    "abbreviations": "e.g. " * 40_000,
    "brackets": "(a" * 100_000,
    "quoted cells": ',"' * 100_000,
    "quoted words": '"a, ' * 50_000,
    "cells, then prose": "a,b" * 70_000 + ", c",
    "semicolons": "a;" * 100_000,
    "a quotation and spaces": '"a"' + " " * 200_000 + "b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.timeout(20)
def test_hostile_runs_stay_linear(text: str) -> None:
    assert sentences(text) == [text.strip()]  # quadratic time would run for hours


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["这是第一句。" * 30_000, "A bc. " * 30_000, "a.\n\n" * 30_000, "- a\n" * 30_000])
def test_very_many_sentences_stay_linear(text: str) -> None:
    assert len(sentence_spans(text)) == 30_000


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("name,unit,price\nWool socks,pair,14.90\n", ["name,unit,price", "Wool socks,pair,14.90"]),
        ("a\tb\nc\td", ["a\tb", "c\td"]),
        (
            "Prices:\nSocks | 14.90\nBoots | 179.50\nAll in euros.",
            ["Prices:", "Socks | 14.90", "Boots | 179.50", "All in euros."],
        ),
        ("x;y;z\n1;;3", ["x;y;z", "1;;3"]),
        ('A lamp,"Bright, warm, small. With bulb.",oak', None),
        ('{"name":"a lamp","text":"Bright, warm. Small.","price":5}', None),
        ("They paid 1,000,000 euros\nand 2,000,000 pounds for it.", None),
        ("Red, green and blue\nare colours; so is black.", None),
        ("\tAn indented line\nthat goes on.", None),
    ],
)
def test_table_rows_are_sentences_and_wrapped_prose_is_not(text: str, sentences: list[str] | None) -> None:
    found = [text[start:end] for start, end in sentence_spans(text)]
    assert found == (sentences or [text.strip()])


@pytest.mark.parametrize(
    "text",
    [
        "“It was great,” says Guy. | “It helps,” he adds. | The rest differs.",
        'The words "relevant" and "relevance," and then "true," were explained. | Both attempts fell short.',
        "They tested p,p'-DDE and p,p'-DDT in krill, which were exposed. | Others were not.",
        "It has a membership L(x,y) in U and M(x,y) in T. | The rest follows.",
        "The flies (pdf–GAL4;UAS–CYC;tim) were examined. | They were arrhythmic.",
        "It sold 102 @,@ 779 units , second to none . | Then 152 @,@ 500 more .",
        "The bases were searched,sorted,and read, using no dates. | Two remained.",
    ],
)
def test_prose_with_commas_that_no_space_follows_is_no_table_row(text: str) -> None:
    assert sentences(text.replace("|", "")) == [part.strip() for part in text.split("|")]
