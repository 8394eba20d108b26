"""Detects the true format of a file: by its first bytes, then by its name."""

from __future__ import annotations

import io
import re
import zipfile
from codecs import getincrementaldecoder
from enum import StrEnum
from pathlib import Path

import olefile

from connectors.document import CODE
from connectors.errors import SourceError
from connectors.formats.markup.transcript import is_transcript


class Format(StrEnum):
    """A format that can be read. Its value is the `Document.kind`."""

    TEXT = "text"
    CODE = CODE
    MARKDOWN = "markdown"
    RST = "rst"
    ORG = "org"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    SHEET = "spreadsheet"
    OPENDOCUMENT = "opendocument"
    EPUB = "epub"
    RTF = "rtf"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    XML = "xml"
    EML = "email"
    EMLX = "emlx"
    MAILBOX = "mailbox"
    MSG = "outlook"
    NOTEBOOK = "notebook"
    TRANSCRIPT = "transcript"


class OpaqueContentError(SourceError):
    """The file is an image, a program or an archive: it contains no text, and nobody expects any."""


_HEAD = 2048
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVE_HINT = "unpack it and index the folder"
_DATABASE_HINT = "index it as a database: rag index sqlite:///FILE"

# First bytes of what is never text. Formats that hold text but cannot be read are not here: those are failures.
_OPAQUE = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"BM", "a bitmap image"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"RIFF", "audio, video or a WebP image"),
    (b"OggS", "audio"),
    (b"ID3", "audio"),
    (b"fLaC", "audio"),
    (b"\x1aE\xdf\xa3", "a Matroska video"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program or Java class"),
    (b"\x00asm", "WebAssembly"),
    (b"!<arch>\n", "a static library"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"(\xb5/\xfd", "a Zstandard archive"),
    (b"7z\xbc\xaf'\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\x00\x01\x00\x00\x00", "a font"),
    (b"OTTO", "a font"),
    (b"PAR1", "a Parquet file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
)
# Short marks that ordinary text can begin with ("BMW", "MZ"): they count only when the head holds a NUL as well.
_WEAK = frozenset(
    {b"BM", b"MZ", b"ID3", b"RIFF", b"BZh", b"GIF8", b"OggS", b"fLaC", b"PAR1", b"OTTO", b"wOFF", b"wOF2"}
)

_MIME_OF_ZIP = {
    b"application/epub+zip": Format.EPUB,
    b"application/vnd.oasis.opendocument.text": Format.OPENDOCUMENT,
    b"application/vnd.oasis.opendocument.presentation": Format.OPENDOCUMENT,
    b"application/vnd.oasis.opendocument.spreadsheet": Format.SHEET,
}
_PART_OF_ZIP = (("word/", Format.DOCX), ("ppt/", Format.PPTX), ("xl/", Format.SHEET))
_STREAM_OF_OLE = (
    ("workbook", Format.SHEET),
    ("book", Format.SHEET),
    ("__properties_version1.0", Format.MSG),
)
_OLD_OFFICE = {
    "worddocument": ("Word 97-2003 document", "docx"),
    "powerpoint document": ("PowerPoint 97-2003 presentation", "pptx"),
}

_BY_EXTENSION = {
    Format.MARKDOWN: "md markdown mdown mkd mdx rmd qmd",
    Format.RST: "rst rest",
    Format.ORG: "org",
    Format.HTML: "html htm xhtml shtml",
    Format.CSV: "csv tsv tab",
    Format.JSON: "json jsonc json5 geojson webmanifest",
    Format.JSONL: "jsonl ndjson",
    Format.XML: "xml rss atom xsd xsl xslt wsdl opml kml gpx svg plist xliff tmx dbk",
    Format.NOTEBOOK: "ipynb",
    Format.TRANSCRIPT: "vtt srt sbv",
    Format.CODE: (
        "py pyi pyw pyx js jsx mjs cjs ts mts cts tsx java kt kts scala groovy c h cc cpp cxx hh hpp hxx cu m mm"
        " ipp tpp inl cs csx fs vb go rs rb php phtml rake gemspec rakefile gemfile vagrantfile pl pm lua r jl"
        " swift dart ex exs erl hrl hs ml mli clj cljs lisp el scm rkt sh bash zsh ksh bats fish ps1 bat cmd sql"
        " ddl dml pgsql graphql proto css scss sass less vue svelte tf hcl nix cmake gradle mk asm s v vhd vhdl"
        " zig nim f f90 toml yaml yml ini cfg conf properties dockerfile makefile"
    ),
}
_FORMAT_OF = {extension: kind for kind, extensions in _BY_EXTENSION.items() for extension in extensions.split()}
_RISKY = frozenset({Format.HTML, Format.XML, Format.NOTEBOOK})
_BINARY_EXTENSIONS = frozenset({"pdf", "docx", "pptx", "xlsx", "xlsm", "xlsb", "ods", "odt", "odp", "epub", "msg"})
# A message without its extension (a Maildir): header lines only, among them one that every delivered message has.
_MESSAGE_START = re.compile(
    rb"(?:[A-Z][\w-]*:[^\n]*\n(?:[ \t][^\n]*\n)*){0,30}?(?:Message-I[dD]|Received|MIME-Version): "
)
# Headers behind the line that begins a message in a mailbox ("From ann@example.org Tue Mar  4 09:12:00 2025", with "-"
# for the address by Thunderbird), and behind the length that Apple Mail writes.
_MAILBOX_START = re.compile(rb"\s{0,10}From [^\r\n]{0,200}\d\d:\d\d[^\r\n]{0,50}\r?\n>?[A-Za-z][\w-]*:")
_EMLX_START = re.compile(rb"\d{1,10} *\r?\n[A-Z][\w-]*:")
_MESSAGE_EXTENSIONS = frozenset({".eml", ".emlx", ".mbox", ".mbx"})
_HTML_START = re.compile(
    r"\s*(<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)


def refuse_opaque(head: bytes) -> None:
    """Raise `OpaqueContentError` when a file that begins with `head` is an image, a program or the like."""
    if name := _opaque(head):
        hint = _ARCHIVE_HINT if "archive" in name else _DATABASE_HINT if "database" in name else ""
        raise OpaqueContentError(f"{name}, not a document", hint=hint)


def _opaque(head: bytes) -> str:
    for magic, name in _OPAQUE:
        if head.startswith(magic) and (magic not in _WEAK or b"\x00" in head):
            return name
    if head[4:8] == b"ftyp":
        return "video, audio or a HEIF image"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return ""


def binary_format(data: bytes, path: Path) -> Format | None:
    """The format of a file that is not simply text: told by its first bytes, or a message by name; None for text.

    Raises `OpaqueContentError` for images, programs and archives, `SourceError` for documents that cannot be read.
    """
    head = data[:_HEAD]
    if head.startswith(_ZIP):
        return _zip_format(data)
    if head.startswith(_OLE):
        return _ole_format(data)
    if _is_pdf(head, path):
        return Format.PDF
    if head.lstrip().startswith(b"{\\rtf"):
        return Format.RTF
    if _is_message(head, path):
        return _message_format(head, path)
    refuse_opaque(head)
    return None


def text_format(text: str, path: Path) -> Format:
    """The format of decoded text, by the file's name and, where that says little, by how the text begins."""
    extension = path.suffix.lower().removeprefix(".") or path.name.lower()
    found = _FORMAT_OF.get(extension)
    looks_like_html = _HTML_START.match(text, 0, _HEAD) is not None
    if found in {None, Format.XML} and extension != "txt" and looks_like_html:
        return Format.HTML
    if found is None and is_transcript(text):
        return Format.TRANSCRIPT
    if found is None and text.startswith("<?xml"):
        return Format.XML
    if found is None and text.startswith("#!"):
        return Format.CODE
    return found or Format.TEXT


def is_risky(data: bytes, path: Path) -> bool:
    """Whether a file's parser may crash, hang or take all memory: every format but plain text ones."""
    head = data[:_HEAD]
    if head.startswith((_ZIP, _OLE)) or _is_pdf(head, path) or head.lstrip().startswith(b"{\\rtf"):
        return True
    if _FORMAT_OF.get(path.suffix.lower().removeprefix(".")) in _RISKY or _is_message(head, path):
        return True
    return any(mark in head.lower() for mark in (b"<html", b"<!doctype html", b"<?xml"))


def _is_pdf(head: bytes, path: Path) -> bool:
    """Whether a file is a PDF, which may have other bytes in front; one called a text must be none from the first."""
    if not _is_called_text(path):
        return b"%PDF-" in head[:1024]
    return head.startswith(b"%PDF-") and (b" obj" in head or not _is_utf8(head))


def _is_utf8(head: bytes) -> bool:
    """Whether bytes are text, up to a character that is cut off at their end."""
    try:
        return "\0" not in getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False


def _is_message(head: bytes, path: Path) -> bool:
    """Whether a file holds messages, by its name or by how it begins."""
    if path.suffix.lower() in _MESSAGE_EXTENSIONS:
        return True
    begins = _MESSAGE_START.match(head) or _MAILBOX_START.match(head) or _EMLX_START.match(head)
    return begins is not None and not _is_called_text(path)


def _message_format(head: bytes, path: Path) -> Format:
    if _EMLX_START.match(head):
        return Format.EMLX
    is_mailbox = _MAILBOX_START.match(head) or (path.suffix.lower() != ".eml" and head.lstrip().startswith(b"From "))
    return Format.MAILBOX if is_mailbox else Format.EML


def _is_called_text(path: Path) -> bool:
    extension = path.suffix.lower().removeprefix(".") or path.name.lower()
    return extension in _FORMAT_OF or extension == "txt"


def expects_binary(path: Path) -> bool:
    """Whether a file of this name should not have been text."""
    return path.suffix.lower().removeprefix(".") in _BINARY_EXTENSIONS


def _zip_format(data: bytes) -> Format:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if "mimetype" in names:
            with archive.open("mimetype") as stream:
                mime = stream.read(128).strip().removesuffix(b"-template")
            if mime in _MIME_OF_ZIP:
                return _MIME_OF_ZIP[mime]
    if "META-INF/container.xml" in names:
        return Format.EPUB
    if "[Content_Types].xml" in names:
        for prefix, kind in _PART_OF_ZIP:
            if any(name.startswith(prefix) for name in names):
                return kind
    raise OpaqueContentError("a zip archive, not a document", hint=_ARCHIVE_HINT)


def _ole_format(data: bytes) -> Format:
    with olefile.OleFileIO(io.BytesIO(data)) as ole:
        streams = {"/".join(entry).lower() for entry in ole.listdir()}
    if "encryptedpackage" in streams:
        raise SourceError("encrypted Office document", hint="open it, remove the password, save it again")
    for stream, kind in _STREAM_OF_OLE:
        if stream in streams:
            return kind
    for stream, (name, target) in _OLD_OFFICE.items():
        if stream in streams:
            hint = f"convert it with LibreOffice: soffice --headless --convert-to {target} FILE"
            raise SourceError(f"{name} (the old binary format) cannot be read", hint=hint)
    raise SourceError("unknown OLE document", hint="convert it to PDF or DOCX")
