"""Footnotes and endnotes of a Word document: their marks, counted as they are referred to, and their texts."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from connectors.formats.office.numbering import shown
from connectors.formats.office.pieces import raised_mark
from connectors.formats.office.word.vocabulary import W, child, value

_NAMES = {"footnotes": "Note", "endnotes": "Endnote"}
_FORMATS = {"footnotes": "decimal", "endnotes": "lowerRoman"}


class Notes:
    """The notes of each kind, by their identity."""

    def __init__(self, parts: Mapping[str, etree._Element | None], settings: etree._Element | None) -> None:
        self._notes = {
            (kind, note.get(f"{W}id", "")): note
            for kind, part in parts.items()
            if part is not None
            for note in part.iterchildren(etree.Element)
        }
        self._formats = {
            kind: value(child(settings, f"{kind[:-1]}Pr"), "numFmt") or default for kind, default in _FORMATS.items()
        }
        self._marks: dict[tuple[str, str], str] = {}
        self._counts = dict.fromkeys(_NAMES, 0)

    def mark(self, kind: str, identity: str) -> str:
        """The mark of a note, raised; a note that is referred to first counts on."""
        if (kind, identity) not in self._marks:
            self._counts[kind] += 1
            self._marks[kind, identity] = shown(self._counts[kind], self._formats[kind])
        return raised_mark(self._marks[kind, identity])

    def name(self, kind: str, identity: str) -> str:
        """What a note is called: `Note 3`."""
        return f"{_NAMES[kind]} {self._marks.get((kind, identity), '')}".rstrip()

    def take(self, kind: str, identity: str) -> etree._Element | None:
        """A note, the first time that it is asked for."""
        return self._notes.pop((kind, identity), None)
