import textwrap
from pathlib import Path

import pytest

from connectors.formats.codelike import looks_like_code

JAVA = """
public class Counter {
    private int count = 0;

    /** Adds one. */
    public void increment() {
        count++;
    }
}
"""
SQL = "SELECT name, price\nFROM products\nWHERE price > 10\nORDER BY price;"
SHELL = 'for file in *.txt; do\n  mv "$file" "${file%.txt}.md";\ndone'
PYTHON = 'def paste(selection="primary"):\n    """Return what the clipboard holds."""\n    return clipboard[selection]'
PROSE = (
    "When a return is accepted, we pay the money back within 14 days; gift cards (and vouchers) are refunded as new "
    "ones. For a damaged parcel, write to the office: if it was insured, the carrier pays. From the third return on, "
    "a fee of 4 euros is kept. Class A goods, let or sold, are static in price. While stocks last, import duties "
    "are ours."
)


@pytest.mark.parametrize("text", [JAVA, SQL, SHELL, PYTHON])
def test_code_looks_like_code(text):
    assert looks_like_code(text)


@pytest.mark.parametrize("width", [30, 50, 72, 100])
def test_prose_does_not_however_its_lines_are_broken(width):
    assert not looks_like_code(textwrap.fill(PROSE, width))


@pytest.mark.parametrize("text", ["", "\n\n", "return the parcel;", "x = 1"])
def test_a_line_alone_is_not_enough(text):
    assert not looks_like_code(text)


def test_the_code_of_this_project_does():
    files = sorted(Path(__file__).parents[3].glob("indexes/**/[a-z]*.py"))
    assert sum(looks_like_code(file.read_text("utf-8")) for file in files) >= 0.9 * len(files)


def test_long_lines_take_no_time():
    assert not looks_like_code("word " * 200_000 + "\n" + "= " * 200_000)
