"""The lines of a page as PDFium gives them, cut where the space between two words is no space of a sentence."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.formats.documents.pages.line import PageLine

if TYPE_CHECKING:
    import pypdfium2

_BOLD = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi|-bd\b", re.IGNORECASE)
_UPRIGHT = 0.2  # sine of the angle up to which a line counts as upright
_WIDE_SPACE = 0.7  # a gap of this many sizes may be one between columns or cells; a justified line seldom has one
_NARROW = 0.4  # of the size: hardly a word has narrower letters
# A hyphen at a line's end comes as U+FFFE in place of the line break.
_HYPHEN = "\ufffe"
_LINE = re.compile(rf"[^\r\n{_HYPHEN}]+{_HYPHEN}?")
_WORD = re.compile(rf"[^\s{_HYPHEN}]+")
_CUT_WORD = re.compile(r"[^\W_][\u00ad\u2010-]$")
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}


class Glyphs:
    """Where the characters of a page stand, and what they look like."""

    def __init__(self, page: pypdfium2.PdfTextPage) -> None:
        import pypdfium2.raw as pdfium

        self.text: str = page.get_text_range() if page.count_chars() else ""
        self._page = page  # which is closed with the last reference to it
        self._raw = page.raw
        self._pdfium = pdfium
        self._edges = [ctypes.c_double() for _ in range(4)]
        self._references = [ctypes.byref(edge) for edge in self._edges]
        self._name, self._flags = ctypes.create_string_buffer(64), ctypes.c_int()
        self._matrix = pdfium.FS_MATRIX()
        self._x, self._y = self._edges[:2]
        self._at_x, self._at_y = self._references[:2]
        self._get_origin = pdfium.FPDFText_GetCharOrigin
        self._same = len(self.text) == page.count_chars()

    def lines(self) -> Iterator[PageLine]:
        """The pieces of lines, in the order they are drawn."""
        for match in _LINE.finditer(self.text):
            words = [word.span() for word in _WORD.finditer(self.text, *match.span())]
            if words:
                yield from self._pieces(words, hyphen=match.group().endswith(_HYPHEN))

    def _pieces(self, words: list[tuple[int, int]], *, hyphen: bool) -> Iterator[PageLine]:
        middle = words[len(words) // 2]
        size, _ = style = self._style((middle[0] + middle[1] - 1) // 2)
        if not size:
            yield PageLine(_plain(self.text[words[0][0] : words[-1][1]]), 0, 0, 0, 0, hyphen=hyphen)
            return
        raw, same, get_origin, x, at_x, at_y = self._raw, self._same, self._get_origin, self._x, self._at_x, self._at_y
        widest, narrow = _WIDE_SPACE * size, _NARROW * size
        first, last = words[0]
        left, base = self._origin(first)
        word, before = first, left
        for start, end in words[1:]:
            get_origin(raw, start if same else self._index(start), at_x, at_y)
            begin = x.value
            # Short steps are told by their length alone, for reading places from PDFium takes most of the time.
            step = begin - before - widest
            if step + widest < 0 or (step > narrow * (last - word) and begin - self._right(last - 1) > widest):
                yield self._piece(first, last, left, base, self._style(first))
                first, style = start, self._style(start)
                left, base = self._origin(first)
            last, word, before = end, start, begin
        yield self._piece(first, last, left, base, style, hyphen=hyphen)

    def _piece(
        self, start: int, end: int, left: float, base: float, style: tuple[float, bool], *, hyphen: bool = False
    ) -> PageLine:
        text = _plain(self.text[start:end])
        size, bold = style
        bold = bold and self._style(end - 1)[1]  # a paragraph may begin with words in bold
        if not hyphen and len(text) > 2 and _CUT_WORD.search(text):  # noqa: PLR2004
            text, hyphen = text[:-1], True
        return PageLine(text, left, self._right(end - 1), base, size, bold, hyphen)

    def _right(self, offset: int) -> float:
        self._pdfium.FPDFText_GetCharBox(self._raw, self._index(offset), *self._references)
        return self._edges[1].value

    def _origin(self, offset: int) -> tuple[float, float]:
        self._get_origin(self._raw, offset if self._same else self._index(offset), self._at_x, self._at_y)
        return self._x.value, self._y.value

    def _style(self, offset: int) -> tuple[float, bool]:
        """The size a character is shown in, and whether it is bold; the size is 0 where the text is turned.

        PDF multiplies the font's size by a matrix, and programs use either.
        """
        pdfium, index = self._pdfium, self._index(offset)
        matrix = self._matrix
        if not pdfium.FPDFText_GetMatrix(self._raw, index, matrix):
            return 0.0, False
        if abs(matrix.b) > _UPRIGHT * math.hypot(matrix.a, matrix.b) or matrix.d < 0 > matrix.a:
            return 0.0, False
        size = pdfium.FPDFText_GetFontSize(self._raw, index) * math.hypot(matrix.c, matrix.d)
        weight = pdfium.FPDFText_GetFontWeight(self._raw, index)
        return round(2 * size) / 2, weight >= _BOLD or (weight <= 0 and self._has_bold_name(index))

    def _has_bold_name(self, index: int) -> bool:
        """Whether a font that tells no weight has one in its name."""
        self._pdfium.FPDFText_GetFontInfo(self._raw, index, self._name, len(self._name), self._flags)
        return bool(_BOLD_NAME.search(self._name.value))

    def _index(self, offset: int) -> int:
        return offset if self._same else int(self._pdfium.FPDFText_GetCharIndexFromTextIndex(self._raw, offset))


def _plain(text: str) -> str:
    """Text with letters where ligatures are drawn."""
    return text if text.isascii() else text.translate(_LIGATURES)
