"""Nothing in a document, a name or a query may reach the terminal as more than text."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cli.output.terminal import encodable, grouped, near, one_line, print_json, printable, put_behind, shortened

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_printable_text_can_be_encoded_and_moves_nothing(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert not [c for c in shown if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]
    assert not set(shown) & set("\u202e\u202d\u2066\u2067")


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert printable(text) == text


def test_line_ends_become_newlines() -> None:
    assert printable("a\r\nb\rc\x0bd\x85e") == "a\nb\nc\nd\ne"


def test_bytes_that_were_no_unicode_are_replaced() -> None:
    assert encodable("caf\udce9") == "caf\ufffd"


@given(ANY_TEXT, st.integers(2, 20))
def test_shortened_text_is_short(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit


def test_a_path_below_the_current_folder_is_written_as_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert near(str(tmp_path / "docs" / "a.md")) == "docs/a.md"
    assert near(str(tmp_path)) == str(tmp_path)
    assert near(f"sqlite:///{tmp_path}/shop.db#orders/7") == "sqlite:///shop.db#orders/7"
    for other in (f"{tmp_path}/", "sqlite:///shop.db", "sqlite:////srv/shop.db", "postgresql://host/shop#orders/7"):
        assert near(other) == other


def test_counts_are_grouped() -> None:
    assert [grouped(n) for n in (0, 999, 4_210, 1_234_567)] == ["0", "999", "4 210", "1 234 567"]


@pytest.mark.parametrize("text", ["caf\udce9", "\x9b31m", "\x1b[31m", "日本語 ü", "a\u2028b", "a\u202eb"])
def test_json_survives_any_text(text: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    # A process of its own sees the real stdout; here the stream that Python started with is captured by descriptor.
    print_json({"text": text})
    printed = capfdbinary.readouterr().out
    assert json.loads(printed.decode()) == {"text": text}
    assert b"\x1b" not in printed
    assert b"\xc2\x9b" not in printed
    assert "\u202e".encode() not in printed


def test_json_keeps_other_scripts_readable(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_json({"text": "日本語"})
    assert "日本語".encode() in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [(True, "✓ refunds are paid\n  within 14 days\n"), (False, "✓ refunds are paid within 14 days\n")],
)
def test_what_stands_behind_a_mark_is_indented_on_a_terminal(terminal: bool, shown: str) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, color_system=None, width=24)
    put_behind(console, Text("✓ "), Text("refunds are paid within 14 days"))
    assert file.getvalue() == shown
