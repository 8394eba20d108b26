"""PDF, with PDFium: its lines and their positions, its outline, its title."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.document import MetadataValue
from connectors.errors import SourceError
from connectors.formats.documents.pages.annotations import annotations_of
from connectors.formats.documents.pages.flow import write_pages
from connectors.formats.documents.pages.glyphs import Glyphs
from connectors.formats.documents.pages.groups import Outline, heading_key
from connectors.formats.documents.pages.line import PageLine
from connectors.formats.documents.pages.running import drop_running_heads
from connectors.formats.limits import text_for
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, heading_title

if TYPE_CHECKING:
    import pypdfium2

_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD
_NO_NAME = re.compile(r"\S*[_/\\.-]\S*|[\d\W_]+|.*\.(docx?|pptx?|xlsx?|pdf|indd|qxd|tex|dvi|rtf|odt)", re.IGNORECASE)
_MOST_PAGES, _LEAST_PAGE = 500, 200  # pages of any file, and bytes of the file for every page beyond
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)")  # D:20240131…, as PDF writes it


def parse_pdf(data: bytes, path: Path) -> Parsed:
    """The text of a PDF with the offset of every page. One without any text (a scan) is an error, not an empty text."""
    builder = TextBuilder(text_for(len(data)))
    with closing(_open(data)) as document:
        if document.get_formtype():
            document.init_forms()  # before any page is opened
        pages = list(_pages(document, len(data), builder))
        fields = document.get_metadata_dict(skip_empty=True)
        outline = _outline(document)
    if not any(pages):
        raise SourceError("it contains no text (scanned images?)", hint="recognise the text first: ocrmypdf FILE FILE")
    write_pages(drop_running_heads(pages), outline, builder)
    created = _DATE.match(fields.get("CreationDate", ""))
    metadata: dict[str, MetadataValue] = {
        "author": claimed_author(fields.get("Author", "")),
        "pages": len(pages),
        "created": "-".join(created.groups()) if created else "",
    }
    parsed = builder.build("pdf", metadata=metadata)
    title = _plausible(claimed_title(fields.get("Title", "")), path)
    return replace(parsed, title=title or heading_title(parsed.blocks))


def _open(data: bytes) -> pypdfium2.PdfDocument:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == _PASSWORD_ERROR:
            hint = "save a copy without the password: qpdf --decrypt --password=PASSWORD FILE COPY"
            raise SourceError("encrypted PDF, it needs a password", hint=hint) from None
        raise SourceError("damaged PDF, it cannot be opened", hint="try to repair it: qpdf FILE COPY") from None


def _pages(document: pypdfium2.PdfDocument, size: int, builder: TextBuilder) -> Iterator[list[PageLine]]:
    """The pages that a file of `size` bytes can hold: a tree of pages may name the same one a million times."""
    most, taken = _MOST_PAGES + size // _LEAST_PAGE, 0
    for index in range(len(document)):
        if index >= most:
            builder.leave_out(f"pages beyond {most:,} of {len(document):,}")
            return
        if taken > builder.room:
            builder.leave_rest_out()
            return
        lines = _page(document, index)
        taken += sum(len(line.text) for line in lines)
        yield lines


def _page(document: pypdfium2.PdfDocument, index: int) -> list[PageLine]:
    """The lines of one page, in the order they are drawn; a damaged page is an empty one."""
    import pypdfium2

    try:
        with closing(document[index]) as page, closing(page.get_textpage()) as text_page:
            return [*Glyphs(text_page).lines(), *annotations_of(page)]
    except pypdfium2.PdfiumError:
        return []


def _outline(document: pypdfium2.PdfDocument) -> Outline:
    levels: dict[int, dict[str, int]] = {}
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        key = heading_key(bookmark.get_title())
        if page is not None and key:
            levels.setdefault(page, {}).setdefault(key, bookmark.level + 1)
    return Outline(levels)


def _plausible(title: str, path: Path) -> str:
    """The title a PDF claims, unless it is the name of a file."""
    if len(title) < 4 or title.casefold() == path.stem.casefold():  # noqa: PLR2004
        return ""
    return "" if _NO_NAME.fullmatch(title) else title
