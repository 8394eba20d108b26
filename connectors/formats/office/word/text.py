"""The text of a Word paragraph as it reads when all changes are accepted, and what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from connectors.formats.office.equations import linear
from connectors.formats.office.pictures import picture_text
from connectors.formats.office.pieces import SEAM, Height, joined, set_apart
from connectors.formats.office.symbols import EMPTY, TICKED, translated, unicode_of
from connectors.formats.office.word.styles import PLAIN, Look, Styles, run_properties
from connectors.formats.office.word.vocabulary import W, child, switch, value

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
# Deleted text is no text, and moved text stands where it was moved to.
_GONE = frozenset({"del", "moveFrom", "pPr", "rPr", "sdtPr", "sdtEndPr", "delText", "instrText", "rt", "rPrChange"})
_WHITE = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_DRAWINGS = frozenset({f"{W}drawing", f"{W}pict", f"{W}object"})
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
STRUCK, HIDDEN = "struck-out text", "text set as hidden"

Piece = tuple[str, Height]


@dataclass
class Line:
    """A paragraph's text, and what hangs on it: text boxes, notes (kind and identity), comments, pictures, parts."""

    text: str = ""
    boxes: list[etree._Element] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)  # relations: charts, diagrams


class LineReader:
    """Reads paragraphs. `mark` gives the mark of a note, `leave_out` is told of what the text lacks."""

    def __init__(self, styles: Styles, mark: Callable[[str, str], str], leave_out: Callable[[str], None]) -> None:
        self._styles = styles
        self._mark = mark
        self._leave_out = leave_out

    def read(self, paragraph: etree._Element) -> Line:
        """A paragraph as a line of text, without the text boxes and pictures in it."""
        line = Line()
        look = self._styles.look(value(paragraph, "pPr", "pStyle"))
        line.text = joined(self._pieces(paragraph, look, line))
        return line

    def _pieces(self, element: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        for node in element:
            tag = str(node.tag)
            if tag == f"{W}r":
                yield from self._run(node, look, line)
            elif tag.startswith(_MATH):
                yield set_apart(linear(node))
            elif tag == f"{W}sdt":
                yield from self._control(node, look, line)
            elif tag in {f"{W}commentReference", *_DRAWINGS} or tag.startswith(_COMPATIBILITY):
                yield from self._object(node, look, line)
            elif tag.removeprefix(W) not in _GONE:  # a link, an insertion, a smart tag: a wrapper
                yield from self._pieces(node, look, line)

    def _control(self, control: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        """A content control: a box that is ticked or empty, else what is in it."""
        ticked = control.find(f"{W}sdtPr/{{*}}checkbox/{{*}}checked")
        if ticked is not None:
            on = next((str(found) for key, found in ticked.items() if str(key).endswith("}val")), "1")
            yield TICKED if on in {"1", "true", "on"} else EMPTY, Height.LINE
            return
        content = child(control, "sdtContent")
        if content is not None:
            yield from self._pieces(content, look, line)

    def _run(self, run: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        own = run_properties(run.find(f"{W}rPr"))
        if own.style:
            look = self._styles.look(own.style).over(look)
        if own.look is not PLAIN:
            look = own.look.over(look)
        gone = STRUCK if look.struck else HIDDEN if look.hidden else ""
        for node in run:
            name = str(node.tag).removeprefix(W)
            if name == "t":
                yield self._shown(node.text or "", gone, own.font), look.height or Height.LINE
            elif name in _WHITE:
                yield _WHITE[name], Height.LINE
            elif name == "sym":
                yield self._symbol(node, gone), Height.LINE
            elif name not in _GONE:
                yield from self._object(node, look, line)

    def _shown(self, text: str, gone: str, font: str) -> str:
        if gone and text.strip():
            self._leave_out(gone)
        if gone:
            return SEAM if gone == STRUCK else ""
        return translated(text, font) if font else text

    def _symbol(self, node: etree._Element, gone: str) -> str:
        code, font = node.get(f"{W}char", ""), node.get(f"{W}font", "")
        try:
            character = unicode_of(int(code, 16), font)
        except (ValueError, OverflowError):
            character = ""
        if gone or not character:
            self._leave_out(gone or f"symbols of the font {font or 'that a symbol names'}")
        return "" if gone else character

    def _ruby(self, node: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        """The base, and how it is read in brackets behind it."""
        base, reading = child(node, "rubyBase"), child(node, "rt")
        if base is not None:
            yield from self._pieces(base, look, line)
        text = joined(self._pieces(reading, look, line)) if reading is not None else ""
        if text:
            yield f"({text})", Height.LINE

    def _object(self, node: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        """What a run holds beside its text: references, pictures, boxes, and alternatives for older programs."""
        name = str(node.tag).removeprefix(W)
        identity = node.get(f"{W}id", "")
        if name in _NOTES:
            line.notes.append((_NOTES[name], identity))
            own = "" if switch_attribute(node, "customMarkFollows") else self._mark(_NOTES[name], identity)
            if own:
                yield set_apart(own)
        elif name == "ruby":
            yield from self._ruby(node, look, line)
        elif name == "fldChar":
            yield from _form_field(node)
        elif name == "r":  # in an alternative that stands between runs
            yield from self._run(node, look, line)
        elif name == "commentReference":
            line.comments.append(identity)
        elif node.tag in _DRAWINGS:
            self._drawing(node, line)
        elif node.tag == f"{_COMPATIBILITY}AlternateContent":
            yield from self._alternatives(node, look, line)

    def _alternatives(self, node: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        """What newer programs show; where that is nothing that is known here, what older ones do."""
        drawings = len(line.boxes) + len(line.pictures) + len(line.parts)
        found: list[Piece] = []
        for choice in node.iterchildren(f"{_COMPATIBILITY}Choice"):
            found += self._run(choice, look, line)
        if not any(text for text, _ in found) and drawings == len(line.boxes) + len(line.pictures) + len(line.parts):
            for fallback in node.iterchildren(f"{_COMPATIBILITY}Fallback"):
                found += self._run(fallback, look, line)
        yield from found

    @staticmethod
    def _drawing(drawing: etree._Element, line: Line) -> None:
        walk = etree.iterwalk(drawing, events=("start",))
        for _, node in walk:
            name = etree.QName(node).localname
            if node.tag == f"{_COMPATIBILITY}Fallback":
                walk.skip_subtree()
            elif node.tag == f"{W}txbxContent":
                line.boxes.append(node)
                walk.skip_subtree()
            elif name in {"docPr", "shape", "textpath"}:
                line.pictures += filter(None, [picture_text(node)])
            elif name in {"chart", "relIds"}:
                line.parts += (str(found) for key, found in node.items() if str(key).endswith(("}id", "}dm")))


def switch_attribute(element: etree._Element, name: str) -> bool:
    """Whether an attribute says yes."""
    return element.get(f"{W}{name}", "") in {"1", "true", "on"}


def _form_field(node: etree._Element) -> Iterator[Piece]:
    """The state of a legacy form field: a box, or the chosen entry of a list."""
    box = child(node, "ffData", "checkBox")
    if box is not None:
        checked, default = switch(box, "checked"), switch(box, "default")
        yield TICKED if (checked if checked is not None else default) else EMPTY, Height.LINE
    entries = child(node, "ffData", "ddList")
    if entries is not None:
        texts = [entry.get(f"{W}val", "") for entry in entries.iterchildren(f"{W}listEntry")]
        chosen = value(entries, "result") or value(entries, "default") or "0"
        if chosen.isdecimal() and int(chosen[:9]) < len(texts):
            yield texts[int(chosen[:9])], Height.LINE
