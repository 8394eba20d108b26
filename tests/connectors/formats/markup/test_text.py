from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.document import Block, BlockKind
from connectors.formats import Parsed, parse
from connectors.formats.dispatch import parse_file


def read(text: str, name: str) -> Parsed:
    return parse(text.encode(), Path(name))


def of(parsed: Parsed, kind: BlockKind) -> list[Block]:
    return [block for block in parsed.blocks if block.kind is kind]


def shown(parsed: Parsed, kind: BlockKind) -> list[str]:
    return [parsed.text[block.start : block.end] for block in of(parsed, kind)]


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(block.level, block.label) for block in of(parsed, BlockKind.HEADING)]


MARKDOWN = """\
---
title: "The handbook"
author: Ann
---
Setext heading
==============

Some prose.\r
\r
## A *styled* [link](http://example.org) and `code`

| name | price |
|------|-------|
| fish | 3     |

- a list

  ```python
  # not a heading
  print("hi")
  ```

> ## not our heading

    indented code
"""


def test_markdown_is_the_file_itself_with_its_blocks() -> None:
    parsed = read(MARKDOWN, "a.md")
    assert parsed.text == MARKDOWN
    assert parsed.kind == "markdown"
    assert (parsed.title, parsed.metadata["author"]) == ("The handbook", "Ann")
    assert headings(parsed) == [(1, "Setext heading"), (2, "A styled link and code")]
    assert shown(parsed, BlockKind.HEADING)[0] == "Setext heading\n=============="
    (table,) = of(parsed, BlockKind.TABLE)
    assert table.header == "| name | price |"
    assert parsed.text[table.start : table.end].endswith("| fish | 3     |")
    fence, indented = shown(parsed, BlockKind.CODE)
    assert fence.splitlines()[0].strip() == "```python"
    assert indented.strip() == "indented code"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("intro\n\n## Second\n\n# First\n", "First"),
        ("## Only second\n", "Only second"),
        ('<h1 align="center">Big <b>name</b></h1>\n\ntext\n', "Big name"),
        ("+++\ntitle = 'From TOML'\n+++\n# Heading\n", "From TOML"),
        ("no title at all\n", ""),
        ("# Project\n\ntext\n\n# Install\n", "Project"),
        ("word " * 100 + "\n\n# One\n\n# Two\n", ""),
        ("# Chapter 1: Beginnings\n\n# Chapter 2\n", ""),
        ("# 2. Method\n", ""),
        ("# Introduction\n\ntext\n", ""),
    ],
)
def test_markdown_title_is_the_one_a_reader_would_name(text: str, title: str) -> None:
    assert read(text, "a.md").title == title


def test_restructured_text_sections_code_and_tables() -> None:
    text = (
        "=====\nTitle\n=====\n\nText::\n\n    literal = 1\n\n    more = 2\n\nSection ``x``\n-----------\n\n"
        "=====  =====\nname   price\n=====  =====\nfish   3\n=====  =====\n\n"
        "+---+---+\n| a | b |\n+===+===+\n| 1 | 2 |\n+---+---+\n\n.. code-block:: python\n\n   pass\n\nDeeper\n~~~~~~\n"
    )
    parsed = read(text, "a.rst")
    assert parsed.text == text
    assert parsed.title == "Title"
    assert headings(parsed) == [(1, "Title"), (2, "Section x"), (3, "Deeper")]
    assert shown(parsed, BlockKind.CODE) == ["    literal = 1\n\n    more = 2", "   pass"]
    assert [table.header for table in of(parsed, BlockKind.TABLE)] == ["name   price", "| a | b |"]


def test_org_headlines_code_and_tables() -> None:
    text = (
        "#+TITLE: Notes\n* TODO Buy fish :shop:\n** Prices\n| kind | price |\n|------+-------|\n| cod  | 3 |\n"
        "#+begin_src python\n* not a headline\n#+end_src\nend\n"
    )
    parsed = read(text, "a.org")
    assert (parsed.text, parsed.title) == (text, "Notes")
    assert headings(parsed) == [(1, "Buy fish"), (2, "Prices")]
    assert shown(parsed, BlockKind.CODE) == ["#+begin_src python\n* not a headline\n#+end_src"]
    assert of(parsed, BlockKind.TABLE)[0].header == "| kind | price |"


@pytest.mark.parametrize("text", [";\n    ", ",\n", "Prices;\n;\n \n", "  ;\n\n"])
def test_a_csv_of_separators_and_blanks_has_no_block_outside_its_text(text: str) -> None:
    for block in parse(text.encode(), Path("a.csv")).blocks:
        assert 0 <= block.start < block.end <= len(text)


@pytest.mark.parametrize(
    ("text", "name", "header"),
    [
        ("name,price\ncod,3\n", "a.csv", "name,price"),
        ("name;price\ncod;3,5\n", "a.csv", "name;price"),
        ("name\tprice\ncod\t3\n", "a.tsv", "name\tprice"),
        ('"name\nin two lines",price\ncod,3\n', "a.csv", '"name\nin two lines",price'),
        ("1,2,3\n4,5,6\n", "a.csv", ""),
        ("Prices of fish,,\nname,price,unit\ncod,3,kg\n", "a.csv", "name,price,unit"),
        ("\ufeffname,price\ncod,3\n", "a.csv", "name,price"),
        ('na"\rme",price\ncod,3\n', "a.csv", 'na"\rme",price'),  # a quote where none may be, with a line end in it
    ],
)
def test_csv_keeps_its_text_and_knows_its_header(text: str, name: str, header: str) -> None:
    parsed = read(text, name)
    assert parsed.text == text.removeprefix("\ufeff")
    (table,) = of(parsed, BlockKind.TABLE)
    assert table.header == header
    assert parsed.text[table.start :].startswith(header)


def test_indented_json_is_kept_and_packed_json_made_readable() -> None:
    indented = '{\n  "name": "cod"\n}\n'
    assert read(indented, "a.json").text == indented
    packed = json.dumps({"fish": [{"name": "größe", "tags": ["a", "b"], "empty": []}, {"name": "x"}], "n": 1.5})
    assert read(packed, "a.json").text.splitlines() == [
        "fish:",
        "  - name: größe",
        "    tags:",
        "      - a",
        "      - b",
        "    empty: []",
        "  - name: x",
        "n: 1.5",
    ]


@pytest.mark.parametrize("text", ['{"a": 1, // comment\n}', '{"cut": "off', "[" * 100_000, "9" * 10_000])
def test_what_is_not_valid_json_is_kept_as_it_stands(text: str) -> None:
    assert read(text, "a.json").text == text


def test_json_with_lone_surrogates_gives_text_that_can_be_stored() -> None:
    assert "\ufffd" in read('{"a": "\\ud800"}', "a.json").text


def test_json_lines_are_rows() -> None:
    text = '{"a": 1}\n{"a": 2}\n'
    parsed = read(text, "a.jsonl")
    assert (parsed.text, parsed.kind) == (text, "jsonl")
    assert of(parsed, BlockKind.TABLE)[0].end == len(text)


def test_xml_reads_as_records_and_paragraphs() -> None:
    text = (
        '<?xml version="1.0" encoding="latin-1"?><shop xmlns="urn:x"><title>Größe</title>'
        '<fish id="7"><name>cod</name><note>very <b>fresh</b> fish</note></fish><fish><name>eel</name></fish></shop>'
    )
    parsed = read(text, "a.xml")
    assert parsed.title == "Größe"
    assert parsed.text == "shop:\ntitle: Größe\n\nfish (id=7):\nname: cod\n\nvery fresh fish\n\nfish:\nname: eel"


@pytest.mark.parametrize("text", ["<a><b></a>", '<!DOCTYPE a SYSTEM "x.dtd"><a>&nbsp;</a><b/>', "<a/>text after"])
def test_xml_that_is_not_well_formed_is_kept_as_it_stands(text: str) -> None:
    assert read(text, "a.xml").text == text


def test_notebook_cells_are_prose_and_code() -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": ["# Study\n", "\n", "Of fish.\n"]},
            {"cell_type": "code", "source": "print('cod')\n", "outputs": [{"text": "cod"}]},
            {"cell_type": "markdown", "source": "## Result\n\nThey swim."},
        ],
        "nbformat": 4,
    }
    parsed = read(json.dumps(notebook), "a.ipynb")
    assert parsed.text == "# Study\n\nOf fish.\n\nprint('cod')\n\ncod\n\n## Result\n\nThey swim."
    assert (parsed.title, parsed.kind) == ("Study", "notebook")
    assert headings(parsed) == [(1, "Study"), (2, "Result")]
    assert shown(parsed, BlockKind.CODE) == ["print('cod')", "cod"]
    assert [(parsed.text[place.start :].split("\n")[0], place.unit, place.first) for place in parsed.places] == [
        ("# Study", "cell", 1),
        ("print('cod')", "cell", 2),
        ("## Result", "cell", 3),
    ]


def test_a_notebook_with_a_merge_conflict_is_kept_as_it_stands() -> None:
    text = '{"cells": [\n<<<<<<< HEAD\n=======\n>>>>>>> other\n]}'
    assert read(text, "a.ipynb").text == text


def test_source_code_is_the_file_itself_as_one_block() -> None:
    text = "function f()\r\n    return 1\r\nend\r\n"
    parsed = read(text, "a.lua")
    assert (parsed.text, parsed.kind, parsed.title) == (text, "code", "")
    assert shown(parsed, BlockKind.CODE) == [text]


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("plain", "notes", "text"),
        ("#!/bin/sh\necho\n", "run", "code"),
        ("<!DOCTYPE html><p>hi</p>", "page", "html"),
        ("<!DOCTYPE html><p>hi</p>", "page.txt", "text"),
        ('<?xml version="1.0"?><a>x</a>', "data", "xml"),
        ("all: build\n", "Makefile", "code"),
        ("just words", "letter.docx", "text"),
        ("<html><table><tr><td>x</td></tr></table></html>", "export.xls", "html"),
    ],
)
def test_the_format_is_told_by_content_where_the_name_says_little(text: str, name: str, kind: str) -> None:
    assert read(text, name).kind == kind


def test_an_empty_file_is_an_empty_text() -> None:
    for name in ("a.txt", "a.md", "a.csv", "a.json", "a.pdf", "a.docx", "a.html", "a.eml", "a.xml", "a.ipynb"):
        assert parse(b"", Path(name)).text == ""


def test_a_single_line_of_20_megabytes_is_kept_whole() -> None:
    line = "word " * 4_000_000
    for name in ("a.txt", "a.md", "a.csv", "a.jsonl", "a.rst", "a.py"):
        assert read(line, name).text == line


@pytest.mark.parametrize("unit", ["[a]: b\n", "[a]:\n"])
@pytest.mark.parametrize("count", [1, 20_000])
def test_link_targets_alone_are_text(unit: str, count: int) -> None:
    assert read(unit * count, "a.md").text == unit * count


@pytest.mark.parametrize("name", ["a.md", "a.rst", "a.org", "a.txt", "a.csv", "a.yaml", "a.toml"])
@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "*",
        "<!--",
        "`",
        "|",
        "> ",
        "- ",
        "![",
        "a\n|-\n",
        "a\n=\n",
        "```\n",
        "* a\n",
        "a::\n\n b\n",
        "+--+\n",
        "`a <",
        '"',
    ],
)
def test_a_pattern_twenty_thousand_times_takes_no_square_of_time(name: str, unit: str) -> None:
    parsed = read(unit * 20_000, name)
    assert parsed.text == unit * 20_000
    assert "unparsed" not in parsed.metadata


@pytest.mark.parametrize("unit", ["[", '{"a":', "[[],", '{"":'])
def test_json_that_nests_without_end_is_kept_as_it_stands(unit: str) -> None:
    text = unit * 100_000
    assert read(text, "a.json").text == text


def test_an_element_of_very_many_attributes_is_kept_as_it_stands() -> None:
    attributes = " ".join(f'a{number}="said"' for number in range(40_000))
    for name in ("a.xml", "a.fb2"):
        text = f'<?xml version="1.0"?><r><a {attributes}>said</a></r>'
        assert read(text, name).text == text


def test_a_line_of_ten_megabytes_and_a_row_of_a_million_cells_are_kept() -> None:
    for text in ("a" * 10_000_000, "a," * 1_000_000 + "\n" + "1," * 1_000_000):
        assert read(text, "a.csv").text == text


def test_what_a_parser_of_text_takes_too_long_for_is_kept_as_lines() -> None:
    text = "# Fish\n\n" * 20_000
    parsed = parse_file(text.encode(), Path("a.md"), seconds=0.001)
    assert (parsed.text, parsed.blocks) == (text, ())
    assert "longer than" in str(parsed.metadata["unparsed"])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('name,note\ncod,"two\nlines"\nhake,x\neel,"a\r\nb\r\nc"\nray,y\n', [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]),
        ('name,note\ncod,x\nhake,"two\nlines"\neel,y\nray,z', [(1, 2), (3, 3), (4, 5)]),
        ('name,note\ncod,"x"\n', []),
        ("name,note\ncod,x\n", []),
        ('name,note\ncod,5" pipe\nhake,x\n', []),
        ('"name\nof fish",note\ncod,x\n', [(1, 1), (2, 2)]),
    ],
)
def test_rows_of_a_csv_are_places_where_its_lines_are_not(text: str, rows: list[tuple[int, int]]) -> None:
    parsed = read(text, "a.csv")
    assert [(place.first, place.last) for place in parsed.places] == rows
    for place in parsed.places:
        assert place.start == 0 or parsed.text[place.start - 1] in "\r\n"
