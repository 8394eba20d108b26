"""EPUB: the chapters of its spine, in reading order."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree, html

from connectors.encoding import decode
from connectors.errors import SourceError
from connectors.formats.limits import check_zip, parse_xml, text_for
from connectors.formats.markup.webpage import bounded_tags, declared_encoding, render
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_CHAPTER_TYPES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def parse_epub(data: bytes) -> Parsed:
    """An electronic book: its chapters with headings, tables and code; title and author from its package."""
    check_zip(data)
    builder = TextBuilder(text_for(len(data)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "META-INF/encryption.xml" in names and b"EncryptedKey" in archive.read("META-INF/encryption.xml"):
            raise SourceError("protected e-book (DRM)", hint="index a copy without protection")
        package_path = _package_path(archive)
        package = parse_xml(archive.read(package_path), leave_out=builder.leave_out)
        for name in dict.fromkeys(_spine(package, posixpath.dirname(package_path))):
            if not builder.room:
                builder.leave_rest_out()
                break
            if name in names:
                chapter = archive.read(name)
                text = bounded_tags(decode(chapter, declared_encoding(chapter)).text)
                if text.strip():
                    parser = html.HTMLParser(encoding="utf-8")
                    render(html.document_fromstring(text.encode(), parser=parser), builder)
    metadata = {"author": claimed_author(_field(package, "creator")), "language": _field(package, "language")}
    return builder.build("epub", claimed_title(_field(package, "title")) or builder.heading_title, metadata)


def _package_path(archive: zipfile.ZipFile) -> str:
    container = parse_xml(archive.read("META-INF/container.xml"))
    rootfile = next(container.iter("{*}rootfile"), None)
    if rootfile is None:
        raise SourceError("damaged e-book: its container names no package")
    return str(rootfile.get("full-path", ""))


def _spine(package: etree._Element, folder: str) -> Iterator[str]:
    """The archive's names of the chapters, in order."""
    items = {
        item.get("id"): posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for item in package.iter("{*}item")
        if item.get("media-type") in _CHAPTER_TYPES and "nav" not in item.get("properties", "").split()
    }
    for reference in package.iter("{*}itemref"):
        if reference.get("idref") in items:
            yield items[reference.get("idref")]


def _field(package: etree._Element, name: str) -> str:
    found = next(package.iter(f"{{http://purl.org/dc/elements/1.1/}}{name}"), None)
    return one_line("".join(found.itertext())) if found is not None else ""
