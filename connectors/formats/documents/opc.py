"""Open Packaging Conventions (ECMA-376, part 2): the parts of an Office file and the relations between them."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from lxml import etree

from connectors.errors import SourceError
from connectors.formats.limits import parse_xml

_STRICT = {
    b"http://purl.oclc.org/ooxml/wordprocessingml/main": b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    b"http://purl.oclc.org/ooxml/officeDocument/math": b"http://schemas.openxmlformats.org/officeDocument/2006/math",
}
ROOT = ""  # the part that stands for the package itself


class Relation(NamedTuple):
    """A part that another refers to; `kind` is the last step of the relation's type, such as `slide`."""

    identity: str
    kind: str
    part: str


class Package:
    """An open archive, read through its relations, whatever the names of its parts.

    `leave_out` is told of damaged parts.
    """

    def __init__(self, archive: zipfile.ZipFile, leave_out: Callable[[str], None]) -> None:
        self._archive = archive
        self._leave_out = leave_out
        self._names = {name.lower(): name for name in archive.namelist()}  # names of parts ignore case

    def read(self, part: str) -> etree._Element:
        """The root element of a part; the strict variant of the format reads like the other."""
        content = self._archive.read(self._names[part.lower()])
        for strict, transitional in _STRICT.items():
            content = content.replace(strict, transitional)
        return parse_xml(content, leave_out=self._leave_out)

    def relations(self, part: str = ROOT) -> Iterator[Relation]:
        """What a part refers to inside the package; a part that is missing is left out."""
        folder, name = posixpath.split(part)
        table = posixpath.join(folder, "_rels", f"{name}.rels")
        if table.lower() not in self._names:
            return
        for relation in self.read(table).iter("{*}Relationship"):
            target = posixpath.normpath(posixpath.join("/", folder, unquote(relation.get("Target", "")))).lstrip("/")
            if relation.get("TargetMode") != "External" and target.lower() in self._names:
                yield Relation(relation.get("Id", ""), posixpath.basename(relation.get("Type", "")), target)

    def related(self, kind: str, part: str = ROOT) -> str | None:
        """The first part of a kind that `part` refers to."""
        return next((relation.part for relation in self.relations(part) if relation.kind == kind), None)

    def main(self) -> str:
        """The part that everything else hangs from: the document, the presentation."""
        part = self.related("officeDocument")
        if part is None:
            raise SourceError("it does not say which of its parts is the document")
        return part

    def property(self, name: str) -> str:
        """A property of the document, such as `title` or `creator`; empty if it has none."""
        part = self.related("core-properties")
        found = self.read(part).find(f"{{http://purl.org/dc/elements/1.1/}}{name}") if part else None
        return "".join(found.itertext()) if found is not None else ""
