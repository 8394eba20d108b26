"""Code in the cells of notebooks, and what it printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.chunking.splitter import Splitter
from connectors.document import BlockKind
from connectors.formats import Parsed, parse
from tests.connectors.chunking.test_splitter import Words, check
from tests.connectors.code.checks import document


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs)}


def notebook(*cells: dict[str, Any], language: str = "python") -> Parsed:
    content = {"cells": cells, "metadata": {"language_info": {"name": language}}, "nbformat": 4}
    return parse(json.dumps(content).encode(), Path("study.ipynb"))


INTRODUCTION = {"cell_type": "markdown", "source": "# Cod\n\nHow many there are."}
SWIM = """
%matplotlib inline

def swim(fish):
    '''Makes it swim.'''
    return fish.go()

class Cod:
    legs = 0
"""


def test_definitions_in_cells_are_chunks_under_the_headings_of_the_text() -> None:
    parsed = notebook(INTRODUCTION, code(SWIM), code("swim(Cod())"))
    source = document(parsed)
    chunks = Splitter(Words(), window=60, target=48).split(source)
    check(source, chunks, Words(), 60)
    found = {chunk.location.symbol.name: chunk for chunk in chunks if chunk.location.symbol}
    assert found["swim"].location.headings == ("Cod", "swim")
    assert found["swim"].text.startswith("%matplotlib inline\n\ndef swim")
    symbol = found["swim"].location.symbol
    assert symbol is not None
    assert parsed.text[slice(*symbol.signature)] == "def swim(fish):"
    assert parsed.text[slice(*symbol.docstring)] == "'''Makes it swim.'''"
    assert str(found["swim"].location) == "swim, cell 2"
    assert all(parsed.text.startswith(name.text.rpartition(".")[2], name.start) for name in parsed.names)
    assert {"swim", "Cod", "go"} <= {name.text for name in parsed.names}


def test_a_cell_that_defines_nothing_stays_with_the_text_above_it() -> None:
    parsed = notebook(INTRODUCTION, code("count(cod)", {"output_type": "stream", "text": ["1,204\n"]}))
    (chunk,) = Splitter(Words(), window=60, target=48).split(document(parsed))
    assert chunk.text == "How many there are.\n\ncount(cod)\n\n1,204"
    assert str(chunk.location) == "cells 1-2"


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({"output_type": "stream", "text": "10%\r50%\r100%\ndone\n"}, "100%\ndone"),
        ({"output_type": "execute_result", "data": {"text/plain": ["4", "2"], "text/html": "<b>42</b>"}}, "42"),
        ({"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}}, ""),
        (
            {"output_type": "error", "ename": "KeyError", "evalue": "'cod'", "traceback": ["\x1b[31m…"]},
            "KeyError: 'cod'",
        ),
        ({"output_type": "stream", "text": "\x1b[31mred\x1b[0m"}, "red"),
        ({"output_type": "pyout", "text": ["old"]}, "old"),
        ("nonsense", ""),
    ],
)
def test_outputs_are_their_text(output: Any, text: str) -> None:
    assert notebook(code("x = 1", output)).text == f"x = 1\n\n{text}".rstrip()


FRAME = {
    "text/html": [
        "<table><tr><th></th><th>port</th><th>metres</th></tr>",
        "<tr><th>0</th><td>Bergen</td><td>1.84</table>",
    ],
    "text/plain": ["   port  metres\n", "0  Bergen 1.84"],
}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text/html": ["<b>Highest tide 2.31 m</b> on 9 March"]}, "Highest tide 2.31 m on 9 March"),
        ({"text/html": "<p>Shown</p>", "text/plain": "<IPython.core.display.HTML object>"}, "Shown"),
        ({"text/html": "<script>draw()</script>", "text/plain": "Drawn"}, "Drawn"),
        ({"text/markdown": "**Mean** 1.84", "text/plain": "<IPython.core.display.Markdown object>"}, "**Mean** 1.84"),
        ({"text/latex": "$x^2$", "text/plain": "<IPython.core.display.Latex object>"}, "$x^2$"),
        ({"image/png": "iVBORw0KGgo=", "text/plain": "<Figure size 640x480 with 1 Axes>"}, ""),
        ({"text/plain": "<Port object at 0x7f>"}, "<Port object at 0x7f>"),
        ({"text/html": 7, "text/plain": None}, "None"),
    ],
)
def test_what_a_cell_shows_is_read_in_whatever_form_it_has(data: dict[str, Any], text: str) -> None:
    parsed = notebook(code("x = 1", {"output_type": "display_data", "data": data}))
    assert parsed.text == f"x = 1\n\n{text}".rstrip()


def test_a_table_that_a_cell_shows_is_a_table_among_what_it_prints() -> None:
    before, after = {"output_type": "stream", "text": "reading\n"}, {"output_type": "stream", "text": "done\n"}
    parsed = notebook(code("df", before, {"output_type": "execute_result", "data": FRAME}, after))
    assert parsed.text == "df\n\nreading\n\n | port | metres\n0 | Bergen | 1.84\n\ndone"
    (table,) = (block for block in parsed.blocks if block.kind is BlockKind.TABLE)
    assert parsed.text[table.start : table.end].endswith("0 | Bergen | 1.84")


def test_a_long_table_of_a_cell_ends_with_a_whole_row_and_the_rest_is_told() -> None:
    rows = "".join(f"<tr><td>{number}<td>port number {number}</tr>" for number in range(5000))
    parsed = notebook(code("df", {"data": {"text/html": f"<table><tr><th>n<th>port</tr>{rows}</table>"}}))
    assert len(parsed.text) < 11_000
    assert parsed.text.splitlines()[-1].startswith(f"{len(parsed.text.splitlines()) - 4} | port number")
    assert "what a cell shows beyond 10,000 characters" in str(parsed.metadata["left_out"])
    assert all(block.end <= len(parsed.text) for block in parsed.blocks)


def test_a_long_output_keeps_its_beginning_and_its_end() -> None:
    printed = "first\n" + "line\n" * 5_000 + "last"
    text = notebook(code("x", {"output_type": "stream", "text": printed})).text
    assert len(text) < 2_100
    assert "first" in text
    assert text.endswith("line\nlast")


def test_cells_of_a_language_that_is_not_parsed_are_kept_as_they_stand() -> None:
    parsed = notebook(code("x <- c(1, 2)"), language="R")
    assert (parsed.text, parsed.metadata["code_language"]) == ("x <- c(1, 2)", "r")


def test_a_cell_for_another_program_is_no_python() -> None:
    assert notebook(code("%%bash\nls | wc -l")).text == "%%bash\nls | wc -l"


def test_a_long_line_of_output_takes_no_square_of_time() -> None:
    output = {"output_type": "stream", "text": "a" * 500_000 + "\x1b[" * 500_000}
    cell = {"cell_type": "code", "source": "shown()", "outputs": [output]}
    parsed = parse(json.dumps({"cells": [cell]}).encode(), Path("a.ipynb"))
    assert parsed.text.startswith("shown()\n\naaa")


def test_of_a_line_drawn_again_and_again_the_last_is_kept() -> None:
    output = {"output_type": "stream", "text": "10%\r50%\r100%\nready\r\n"}
    cell = {"cell_type": "code", "source": "shown()", "outputs": [output]}
    assert parse(json.dumps({"cells": [cell]}).encode(), Path("a.ipynb")).text == "shown()\n\n100%\nready"
