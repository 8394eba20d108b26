"""The text of an OpenDocument paragraph, and what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from connectors.formats.office.equations import linear
from connectors.formats.office.odf.styles import DRAW, FORM, OFFICE, SVG, TEXT, XLINK, Look, Styles, whole
from connectors.formats.office.pictures import described
from connectors.formats.office.pieces import SEAM, Height, joined, raised_mark, set_apart
from connectors.formats.office.symbols import EMPTY, TICKED, translated

MOST_REPEAT = 100  # cells and spaces are run-length encoded: a hostile count must not become that much text
_MATH = "{http://www.w3.org/1998/Math/MathML}math"
_NO_TEXT = frozenset({f"{TEXT}number", f"{TEXT}script", f"{TEXT}ruby-text", f"{OFFICE}event-listeners"})
STRUCK, HIDDEN = "struck-out text", "text set as hidden"

Piece = tuple[str, Height]


@dataclass
class Line:
    """A paragraph's text and what hangs on it: boxes with text, notes, comments, pictures, objects (their names)."""

    text: str = ""
    boxes: list[etree._Element] = field(default_factory=list)
    notes: list[etree._Element] = field(default_factory=list)
    comments: list[etree._Element] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    hidden: bool = False


class LineReader:
    """Reads paragraphs.

    `equation` gives the formula that an embedded object holds, empty where it holds none; `controls` are the check
    boxes of forms by their identity; `leave_out` is told of what the text lacks.
    """

    def __init__(
        self,
        styles: Styles,
        equation: Callable[[str], str],
        controls: Mapping[str, etree._Element],
        leave_out: Callable[[str], None],
    ) -> None:
        self._styles = styles
        self._equation = equation
        self._controls = controls
        self._leave_out = leave_out

    def read(self, paragraph: etree._Element) -> Line:
        """A paragraph as a line of text, without the boxes and pictures in it."""
        line = Line()
        look = self._styles.look("paragraph", paragraph.get(f"{TEXT}style-name", ""), Look())
        line.text = joined(self._pieces(paragraph, look, line))
        if line.hidden:
            self._leave_out(HIDDEN)
            line.text = ""
        return line

    def drawing(self, shape: etree._Element, line: Line) -> str:
        """Sort what a frame or a shape holds into `line`; the formula that it holds."""
        found = ""
        for node in shape.iterchildren(etree.Element):
            if node.tag == f"{DRAW}text-box":
                line.boxes.append(node)
            elif node.tag in {f"{SVG}desc", f"{SVG}title"}:
                text = described("".join(node.itertext()))
                if text and f"[Picture: {text}]" not in line.pictures:
                    line.pictures.append(f"[Picture: {text}]")
            elif node.tag == f"{DRAW}object":
                math = node.find(_MATH)
                name = node.get(f"{XLINK}href", "")
                formula = linear(math) if math is not None else self._equation(name)
                found += formula
                if not formula and name:
                    line.objects.append(name)
            elif node.tag in {f"{TEXT}p", f"{TEXT}list"}:
                line.boxes.append(shape)
                break
            elif str(node.tag).startswith(DRAW):  # a group, a link around a frame
                found += self.drawing(node, line)
        return found

    def _pieces(self, element: etree._Element, look: Look, line: Line) -> Iterator[Piece]:
        if element.text:
            yield self._shown(element.text, look), look.height
        for node in element:
            tag = str(node.tag)
            if tag == f"{TEXT}span":
                yield from self._pieces(node, self._styles.look("text", node.get(f"{TEXT}style-name", ""), look), line)
            elif tag == f"{TEXT}s":
                yield " " * min(whole(node.get(f"{TEXT}c"), 1), MOST_REPEAT), look.height
            elif tag == f"{TEXT}tab":
                yield "\t", look.height
            elif tag == f"{TEXT}line-break":
                yield "\n", look.height
            elif tag.startswith(DRAW):
                yield from self._drawn(node, line)
            elif tag not in _NO_TEXT:
                yield from self._other(node, tag, look, line)
            if node.tail:
                yield self._shown(node.tail, look), look.height

    def _other(self, node: etree._Element, tag: str, look: Look, line: Line) -> Iterator[Piece]:
        if tag == f"{TEXT}note":
            line.notes.append(node)
            mark = raised_mark("".join(node.itertext(f"{TEXT}note-citation")).strip())
            yield set_apart(mark)
        elif tag == f"{OFFICE}annotation":
            line.comments.append(node)
        elif tag == f"{TEXT}ruby":
            for base in node.iterchildren(f"{TEXT}ruby-base"):
                yield from self._pieces(base, look, line)
            reading = "".join("".join(text.itertext()) for text in node.iterchildren(f"{TEXT}ruby-text"))
            yield f"({reading})" if reading else "", look.height
        elif tag == f"{TEXT}hidden-paragraph":
            line.hidden = node.get(f"{TEXT}is-hidden") == "true"
        elif tag == _MATH:
            yield set_apart(linear(node))
        elif tag.endswith(("}fieldmark", "}fieldmark-start")):
            yield from _form_field(node)
            yield from self._pieces(node, look, line)
        elif tag.startswith("{"):
            yield from self._pieces(node, look, line)

    def _drawn(self, node: etree._Element, line: Line) -> Iterator[Piece]:
        control = self._controls.get(node.get(f"{DRAW}control", "")) if node.tag == f"{DRAW}control" else None
        if control is not None:
            state = control.get(f"{FORM}current-state") or control.get(f"{FORM}state")
            name = control.get(f"{FORM}label", "")
            yield f"{SEAM}{TICKED if state == 'checked' else EMPTY} {name}".rstrip(), Height.LINE
        elif node.tag == f"{DRAW}a":
            for inner in node.iterchildren(etree.Element):
                yield from self._drawn(inner, line)
        elif formula := self.drawing(node, line):
            yield set_apart(formula)

    def _shown(self, text: str, look: Look) -> str:
        if not (look.struck or look.hidden):
            return translated(text, look.font) if look.font else text
        if text.strip():
            self._leave_out(STRUCK if look.struck else HIDDEN)
        return SEAM if look.struck else ""


def _form_field(node: etree._Element) -> Iterator[Piece]:
    """The box of a form that came from Word."""
    if str(next((value for key, value in node.items() if str(key).endswith("}type")), "")).endswith("FORMCHECKBOX"):
        values = {
            next((str(v) for k, v in parameter.items() if str(k).endswith("}name")), ""): next(
                (str(v) for k, v in parameter.items() if str(k).endswith("}value")), ""
            )
            for parameter in node.iterchildren(etree.Element)
        }
        yield TICKED if values.get("Checkbox_Checked") == "true" else EMPTY, Height.LINE
