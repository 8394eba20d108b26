"""RTF: its text, its tables and its title; nothing that is struck out, deleted or hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import NamedTuple

from connectors.formats.grid import Cell, write_table
from connectors.formats.limits import text_for
from connectors.formats.raised import lowered, raised
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_INFO = re.compile(r"\{\\(?P<field>title|author|subject)\s(?P<value>[^{}]*)\}")
_MEANT = re.compile(
    r"\\(?:striked?|deleted|super|sub|up\d|dn\d|v|footnote)(?![a-z])"
)  # formatting that changes meaning
_TOKEN = re.compile(
    r"(?P<control>\\(?P<word>[A-Za-z]{1,32})(?P<number>-?\d{1,10})? ?)|(?P<escape>\\'[0-9A-Fa-f]{2}|\\[^A-Za-z])"
    r"|(?P<brace>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+"
)
_SHAPE = re.compile(r"\\(trowd|cellx|clmrg|clvmrg|row)(-?\d{1,10})?(?![A-Za-z])")
_STRUCK, _HIDDEN, _DELETED = "struck-out text", "text set as hidden", "deleted text"
_UNREAD = {"strike": _STRUCK, "striked": _STRUCK, "deleted": _DELETED, "v": _HIDDEN}
_POSITIONS = {"super": "^", "up": "^", "sub": "_", "dn": "_", "nosupersub": ""}
_BREAKS = frozenset({"par", "cell", "row", "line", "tab", "sect", "page"})
_TEXT_WORDS = _BREAKS - {"cell", "row"} | {"u"}  # that go with struck-out text
_MOST_CELLS = 500  # of a row
_BEFORE = 8  # characters in front of raised text that decide how it is written


def parse_rtf(data: bytes) -> Parsed:
    """Rich text as paragraphs and tables."""
    source = data.decode("latin-1")  # RTF is ASCII with its own escapes; the library decodes those
    builder = TextBuilder(text_for(len(data)))
    shapes = _shapes(source)
    rewriter = _Rewriter()
    content = rewriter.rewritten(source) if _MEANT.search(source) else source
    for kind in rewriter.unread:
        builder.leave_out(kind)
    # The library ends every cell of a table with a bar, and so every row.
    for is_row, lines in groupby(re.split(r"\n+", _plain(content)), lambda line: line.rstrip().endswith("|")):
        if is_row:
            rows = [line.rstrip()[:-1].split("|") for line in lines]
            write_table(builder, _cells(rows, list(islice(shapes, len(rows)))))
            continue
        for line in lines:
            builder.paragraph(line)
    fields = {match["field"]: one_line(_plain(f"{{\\rtf1 {match['value']}}}")) for match in _INFO.finditer(source)}
    title, fields["author"] = claimed_title(fields.pop("title", "")), claimed_author(fields.get("author", ""))
    return builder.build("rtf", title, fields)


def _plain(source: str) -> str:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(source, errors="replace")
    return text


class _Edge(NamedTuple):
    """The right edge of a cell, and whether it belongs to the cell on its left or above it."""

    place: int
    joins_left: bool
    joins_above: bool


def _shapes(source: str) -> Iterator[list[_Edge]]:
    """The cells of every row, as the row defines them; a row without a definition has that of the one before."""
    edges: list[_Edge] = []
    joins_left = joins_above = False
    for found in _SHAPE.finditer(source):
        word = found[1]
        if word == "trowd":
            edges = []
        elif word == "row":
            yield edges
        elif word == "cellx":
            edges = [*edges, _Edge(int(found[2] or 0), joins_left, joins_above)] if len(edges) < _MOST_CELLS else edges
        joins_left = word == "clmrg" or (joins_left and word == "clvmrg")
        joins_above = word == "clvmrg" or (joins_above and word == "clmrg")


def _cells(rows: Sequence[Sequence[str]], shapes: Sequence[Sequence[_Edge]]) -> list[list[Cell]]:
    """The cells of a table with what they span; without spans where its rows and their definitions disagree."""
    if [len(row) for row in rows] != [len(shape) for shape in shapes]:
        return [[Cell(text) for text in row] for row in rows]
    edges = sorted({edge.place for shape in shapes for edge in shape})
    number = {place: at for at, place in enumerate(edges, 1)}
    found: list[list[Cell]] = []
    above: dict[int, tuple[int, int]] = {}  # the column at which a cell begins → where it is among those found
    for row, shape in zip(rows, shapes, strict=True):
        cells: list[Cell] = []
        begun: dict[int, tuple[int, int]] = {}
        start = 0
        for text, edge in zip(row, shape, strict=True):
            end = max(number[edge.place], start + 1)
            if edge.joins_left and cells:
                cells[-1] = cells[-1]._replace(columns=cells[-1].columns + end - start)
            elif edge.joins_above and start in above:
                line, at = begun[start] = above[start]
                found[line][at] = found[line][at]._replace(rows=found[line][at].rows + 1)
            else:
                begun[start] = (len(found), len(cells))
                cells.append(Cell(text, columns=end - start))
            start = end
        found.append(cells)
        above = begun
    return found


@dataclass(frozen=True, slots=True)
class _State:
    """The formatting of a group."""

    unread: frozenset[str] = frozenset()  # why its text is not read
    position: str = ""  # ^ or _
    is_note: bool = False  # the group of a footnote itself
    aside_behind: str | None = None  # what stands in front of a group that is no text, as of a bookmark


@dataclass(slots=True)
class _Rewriter:
    """Writes an RTF source anew with less in it: no text that does not hold, and raised digits as plain ones."""

    written: list[str] = field(default_factory=list)
    state: _State = _State()
    groups: list[_State] = field(default_factory=list)
    shifted: list[str] = field(default_factory=list)  # raised or lowered text that may go on
    before: str = ""
    unread: frozenset[str] = frozenset()  # what was left out

    def rewritten(self, source: str) -> str:
        """The source without struck-out, deleted and hidden text; footnotes stand in brackets."""
        for token in _TOKEN.finditer(source):
            if word := token["word"]:
                self._control(word, token["number"], token["control"])
            elif token["brace"]:
                self._brace(token["brace"])
            elif token["text"]:
                self._text(token["text"])
            elif not token["escape"]:
                self._write("\n", "")  # it ends the name of a control
            elif token["escape"] == r"\*":
                self.state = replace(self.state, aside_behind=self.before)
                self._write(token["escape"], "")
            elif not self.state.unread:
                self._end_shift()
                self._write(token["escape"], "x")
        self._end_shift()
        return "".join(self.written)

    def _control(self, word: str, number: str | None, control: str) -> None:
        if kind := _UNREAD.get(word):
            others = self.state.unread - {kind}
            self.state = replace(self.state, unread=others if number == "0" else others | {kind})
        elif word in _POSITIONS:
            self._shift(_POSITIONS[word] if number != "0" else "")
        elif word == "footnote":
            self.state = replace(self.state, is_note=True)
            self._write(" [", "[")
        elif word != "chftn":
            if word == "plain":
                self._shift("")
                self.state = replace(self.state, unread=frozenset())
            if word in _BREAKS:
                self._end_shift()
                self.before = ""
            if not self.state.unread or word not in _TEXT_WORDS:
                self._write(control, "")

    def _brace(self, brace: str) -> None:
        if brace == "{":
            self.groups.append(self.state)
            self.state = replace(self.state, is_note=False, aside_behind=None)
            self._write(brace, "")
            return
        closed, after = self.state, self.groups.pop() if self.groups else _State()
        self._shift(after.position)
        self._write("]}" if closed.is_note else brace, "")
        if closed.aside_behind is not None:
            self.before = closed.aside_behind
        self.state = after

    def _text(self, text: str) -> None:
        if self.state.unread:
            if text.strip():
                self.unread |= self.state.unread - {_DELETED}
            return
        if self.state.position:
            self.shifted.append(text)
        else:
            self._write(text, text)

    def _shift(self, position: str) -> None:
        if position != self.state.position:
            self._end_shift()
            self.state = replace(self.state, position=position)

    def _end_shift(self) -> None:
        """Write the raised or lowered text that has come to its end."""
        if self.shifted:
            text = "".join(self.shifted)
            self.shifted = []
            shown = (lowered if self.state.position == "_" else raised)(text, self.before)
            self._write("".join(map(_escaped, shown)), shown)

    def _write(self, source: str, shown: str) -> None:
        self.written.append(source)
        self.before = (self.before + shown)[-_BEFORE:]


def _escaped(character: str) -> str:
    if character in "\\{}":
        return f"\\{character}"
    return character if character.isascii() else f"{{\\uc1\\u{ord(character)}?}}"
