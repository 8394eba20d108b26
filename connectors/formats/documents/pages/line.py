"""A piece of a line on a page, and how it looks."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """The look of a line, to tell headings by."""

    size: float
    bold: bool


class PageLine(NamedTuple):
    """A line of a page or a piece of one, with coordinates counting upwards.

    `base` is the baseline. `size` is that of its letters, 0 where the geometry is unknown or the text is turned.
    `hyphen` says that its last word is cut by a hyphen, which `text` leaves out, `gaps` how many wide gaps are in it.
    """

    text: str
    left: float
    right: float
    base: float
    size: float
    bold: bool = False
    hyphen: bool = False
    gaps: int = 0

    @property
    def style(self) -> Style:
        """What its letters look like."""
        return Style(self.size, self.bold)


def joined(first: PageLine, second: PageLine) -> PageLine:
    """Two pieces of one line as one, of the size of the longer piece."""
    close = second.left - first.right < 0.15 * first.size or second.text[0] in ",.;:)"
    text = first.text + ("" if close else " ") + second.text
    # A superscript does not raise the line that it stands in.
    base = first.base if first.size >= second.size else second.base
    size = first.size if len(first.text) >= len(second.text) else second.size
    bold = first.bold and second.bold  # a paragraph may begin with words in bold
    return PageLine(text, first.left, max(first.right, second.right), base, size, bold, second.hyphen)
