"""Writes the groups of a document, its sentences whole: what stands beside the text comes before or after them."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.formats.documents.pages.columns import reading_order
from connectors.formats.documents.pages.groups import Group, Outline, Role, ends_sentence, fonts_of, groups_of
from connectors.formats.documents.pages.headings import mark_headings
from connectors.formats.documents.pages.hyphens import Hyphens
from connectors.formats.documents.pages.line import PageLine
from connectors.parsed import TextBuilder

_LOOK_AHEAD = 60  # groups, among them the labels of figures, that may stand between two parts of a paragraph
_MOST_PARTS = 12  # of one paragraph


def write_pages(pages: Sequence[Sequence[PageLine]], outline: Outline, builder: TextBuilder) -> None:
    """Write pages of lines as paragraphs, headings and tables, in reading order."""
    columns = [reading_order(lines) for lines in pages]
    fonts = fonts_of(columns)
    groups = [group for page, found in enumerate(columns) for group in groups_of(page, found, fonts, outline)]
    mark_headings(groups, fonts, outline)
    lines = [line for page in pages for line in page]
    _Writer(groups, Hyphens(lines), builder).write(len(pages))


class _Writer:
    def __init__(self, groups: Sequence[Group], hyphens: Hyphens, builder: TextBuilder) -> None:
        self._groups = groups
        self._hyphens = hyphens
        self._builder = builder
        self._page = -1
        self._written = [False] * len(groups)

    def write(self, pages: int) -> None:
        """Write all groups; every page is begun, also one without text."""
        for place, group in enumerate(self._groups):
            if self._written[place]:
                continue
            parts = self._paragraph(place)
            if self._groups[parts[-1]].page != group.page:  # what else is on this page would come too late
                for other in range(place + 1, len(self._groups)):
                    if self._groups[other].page != group.page:
                        break
                    if other not in parts:
                        self._write([other])
            self._write(parts)
        self._begin(pages - 1)

    def _write(self, parts: Sequence[int]) -> None:
        """Write one group, or the parts of one paragraph."""
        groups = [self._groups[part] for part in parts]
        for part in parts:
            self._written[part] = True
        first = groups[0]
        self._begin(first.page)
        if first.role is Role.TABLE:
            self._builder.table(first.cells)
        elif first.role is Role.HEADING:
            self._builder.heading(self._text(first.lines), first.level)
        else:
            self._write_paragraph(groups)

    def _write_paragraph(self, groups: Sequence[Group]) -> None:
        """Write the parts of a paragraph page by page; a word that is cut stands on the page where it begins."""
        texts: list[tuple[int, str]] = []
        hyphen = False
        for group in groups:
            text = self._text(group.lines)
            if hyphen:
                page, before = texts[-1]
                word, _, text = text.partition("\n") if page == group.page else text.partition(" ")
                texts[-1] = (page, self._hyphens.join(before, word))
            if text:
                texts.append((group.page, text))
            hyphen = group.lines[-1].hyphen
        if hyphen:
            page, before = texts[-1]
            texts[-1] = (page, f"{before}-")
        for place, (page, text) in enumerate(texts):
            self._begin(page)
            if place:
                self._builder.continuation(text)
            else:
                self._builder.paragraph(text)

    def _text(self, lines: Sequence[PageLine]) -> str:
        """Lines as a text with line breaks; where a word is cut, its line goes on to the end of the next."""
        found: list[str] = []
        hyphen = False
        for line in lines:
            if hyphen:
                found[-1] = self._hyphens.join(found[-1], line.text)
            else:
                found.append(line.text)
            hyphen = line.hyphen
        return "\n".join(found)

    def _paragraph(self, place: int) -> list[int]:
        """The groups that are one paragraph with the one at `place`."""
        parts = [place]
        while len(parts) < _MOST_PARTS and (following := self._continuation(parts[-1])) is not None:
            parts.append(following)
        return parts

    def _continuation(self, place: int) -> int | None:
        """Where a paragraph goes on that the end of a column or page, or something beside the text, cuts."""
        group = self._groups[place]
        last = group.lines[-1]
        if group.role is not Role.BODY or (ends_sentence(last.text) and not last.hyphen):
            return None
        for other in range(place + 1, min(place + _LOOK_AHEAD, len(self._groups))):
            found = self._groups[other]
            if found.page > group.page + 1 or found.role is Role.HEADING:
                return None
            if found.role is Role.BODY and not self._written[other]:
                moved = other > place + 1 or (found.page, found.column) != (group.page, group.column)
                return other if moved and self._goes_on(group, found) else None
        return None

    def _goes_on(self, group: Group, found: Group) -> bool:
        """Whether a text goes on: in the middle of a word or a sentence, or from a full line to one not set in."""
        first, last = found.lines[0], group.lines[-1]
        if first.text[0].islower() or last.hyphen:
            return True
        full = last.right > max(line.right for line in group.lines) - 2 * last.size and len(group.lines) > 1
        indented = len(found.lines) > 1 and first.left - found.lines[1].left > 0.5 * first.size
        return full and not indented and first.text[0].isalnum() and len(found.lines) > 1

    def _begin(self, page: int) -> None:
        while self._page < page:
            self._page += 1
            self._builder.page()
