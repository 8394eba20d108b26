from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.document import LEFT_OUT
from connectors.formats import Parsed, parse


def rich(body: str) -> Parsed:
    source = rf"{{\rtf1\ansi\ansicpg1252{{\fonttbl{{\f0 Times;}}}}{body}}}"
    return parse(source.encode("cp1252"), Path("a.rtf"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"The limit is {\strike 50} 65 dB.", "The limit is 65 dB."),
        (r"Fee \striked1 40\striked0  55 euros", "Fee 55 euros"),
        (r"kept {\deleted gone\par }and {\v hidden \'fc}shown", "kept and shown"),
        (r"10{\super 3} parts", "10^3 parts"),
        (r"10}{\loch{\*\updnprop8000}\up8\loch 3}{ parts", "10^3 parts"),
        (r"10{\*\bkmkstart mark}{\super 3}", "10^3"),
        (r"note{\super 4}; km\super 2\nosupersub  wide", "note⁴; km² wide"),
        (r"CO{\sub 2} and 1010{\dn6 2}", "CO2 and 1010_2"),
        (r"21{\super st}\plain  of May", "21st of May"),
        (r"Text{\super\chftn}{\footnote\pard {\super\chftn} A note.} goes on.", "Text [ A note.] goes on."),
        (r"\'fcber {\strike alt}gr\'f6\'dfer", "über größer"),
        (r"{\super\'b9}", "¹"),
        (r"a\{b\}{\super 2}\par", "a{b}²"),
    ],
)
def test_formatting_that_changes_meaning_is_kept(written: str, read: str) -> None:
    assert rich(f"{{{written}}}").text == read


def test_struck_out_and_hidden_text_is_told() -> None:
    parsed = rich(r"{\strike 50} 65 {\v x}{\deleted gone}{\strike }")
    assert set(str(parsed.metadata[LEFT_OUT]).split("; ")) == {"struck-out text", "text set as hidden"}


def test_paragraphs_between_formatted_words_stay_apart() -> None:
    assert rich("One {\\strike a}b.\\par\nTwo {\\sub 2}.\\par\nThree").text == "One b.\n\nTwo 2.\n\nThree"


WORD = (
    r"\trowd\cellx1000\cellx2000\cellx3000\intbl Route\cell Day\cell Fare\cell\row"
    r"\trowd\clvmgf\cellx1000\cellx2000\cellx3000\intbl Kiel\cell Mon\cell 89\cell\row"
    r"\trowd\clvmrg\cellx1000\cellx2000\cellx3000\intbl\cell Wed\cell 79\cell\row"
    r"\trowd\cellx1000\clmgf\cellx2000\clmrg\cellx3000\intbl Oslo\cell closed\cell\cell\row"
)
LIBRE_OFFICE = WORD.replace(r"\clmgf\cellx2000\clmrg\cellx3000\intbl Oslo\cell closed\cell\cell", "#").replace(
    "#", r"\cellx3000\intbl Oslo\cell closed\cell"
)


@pytest.mark.parametrize("table", [WORD, LIBRE_OFFICE])
def test_cells_that_span_rows_and_columns_stay_in_their_columns(table: str) -> None:
    assert rich(table).text == "Route | Day | Fare\nKiel | Mon | 89\nKiel | Wed | 79\nOslo | closed | closed"


@pytest.mark.parametrize("unit", [r"{\strike ", "}", r"\super 2", r"\trowd", r"\cellx1", r"\cell\row", r"{\footnote "])
def test_hostile_files_cost_little(unit: str) -> None:
    started = time.process_time()
    rich(rf"\super 1 said {unit * (200_000 // len(unit))}")
    assert time.process_time() - started < 10


def test_rows_and_definitions_that_disagree_are_read_without_spans() -> None:
    parsed = rich(r"\trowd\cellx1\cellx2\intbl a\cell b\cell c\cell\row\intbl d\cell e\cell f\cell\row")
    assert parsed.text == "a | b | c\nd | e | f"
    assert LEFT_OUT not in parsed.metadata
