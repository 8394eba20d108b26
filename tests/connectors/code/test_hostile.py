"""Code that nobody wrote for a parser: it costs little time, ends no run, and is found as text all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.code.languages import LANGUAGES
from connectors.code.source import parse_source
from connectors.document import BlockKind
from connectors.errors import SourceError
from connectors.formats import parse
from connectors.formats.dispatch import parse_file
from tests.connectors.code.checks import chunks_of, sample

DEEP = 100_000


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("brackets", ["()", "[]", "{}", "(", "[", "{", "<?php ([{"])
def test_brackets_without_end_are_lines(language: str, brackets: str) -> None:
    text = "x = " + brackets[:-1] * DEEP + brackets[-1] * DEEP
    parsed = parse_source(text, language)
    assert [block.kind for block in parsed.blocks] == [BlockKind.CODE]
    assert parsed.metadata["unparsed"] in {"nested too deeply", "minified"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thousand_brackets_are_read(language: str) -> None:
    text = ("x = " + "(" * 900 + "1" + ")" * 900 + "\n") * 3
    assert "unparsed" not in parse_source(text, language).metadata
    chunks_of(text, language, window=254, target=200)


def test_definitions_within_definitions_without_end() -> None:
    text = "".join(f"{' ' * depth}def f{depth}():\n" for depth in range(300)) + " " * 300 + "pass\n"
    chunks_of(text, "python")


def test_a_minified_line_of_ten_megabytes_is_kept_as_it_stands() -> None:
    text = "!function(e,t){return e+t}(window,document);" * 230_000
    parsed = parse(text.encode(), Path("app.min.js"))
    assert (parsed.text, parsed.names) == (text, ())
    assert parsed.metadata == {"code_language": "javascript", "unparsed": "too large"}


def test_what_takes_the_parser_too_long_is_kept_as_lines() -> None:
    text = "a" + "\n.b()" * DEEP
    parsed = parse_file(text.encode(), Path("chain.js"), seconds=0.1)
    assert parsed.text == text
    assert parsed.metadata["code_language"] == "javascript"
    assert "longer than" in str(parsed.metadata["unparsed"])
    assert parse(b"def f(): pass", Path("a.py")).names  # the next file has a parser again


def test_names_of_one_file_are_bounded() -> None:
    text = "\n".join(f"call_{number}()" for number in range(20_000))
    assert len(parse_source(text, "python").names) == 5_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_any_encoding(encoding: str) -> None:
    text = "# Größe, naïve, déjà vu und so weiter\n" + sample("cart.py").replace("customer", "Käufer")
    parsed = parse(text.encode(encoding), Path("cart.py"))
    assert parsed.text.removeprefix("\ufeff") == text
    assert {"Cart.total", "main"} <= {name.text for name in parsed.names}
    assert all(parsed.text.startswith(name.text.rpartition(".")[2], name.start) for name in parsed.names)


def test_line_ends_of_every_kind() -> None:
    text = sample("cart.py")
    expected = [name.text for name in parse_source(text, "python").names]
    for end in ("\r\n", "\r"):
        assert [name.text for name in parse_source(text.replace("\n", end), "python").names] == expected


def test_zero_bytes_are_no_code() -> None:
    with pytest.raises(SourceError):
        parse(b"\x00\x01\x02\x03" * 500, Path("a.py"))


@pytest.mark.parametrize("name", ["a.py", "a.sql", "a.go", "a.rb"])
def test_an_empty_file_is_an_empty_document(name: str) -> None:
    assert parse(b"", Path(name)).text == ""
