"""Finds the parser for a format, and turns any exception of a parser into an error that names the file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from connectors.code.languages import language_of
from connectors.code.source import parse_file as parse_code_file
from connectors.document import LEFT_OUT
from connectors.encoding import BinaryContentError, decode
from connectors.errors import SourceError
from connectors.formats.documents.book import parse_epub
from connectors.formats.documents.mail import ParseAttachment, parse_eml, parse_emlx, parse_msg
from connectors.formats.documents.mailbox import parse_mailbox
from connectors.formats.documents.opendocument import parse_opendocument
from connectors.formats.documents.pdf import parse_pdf
from connectors.formats.documents.richtext import parse_rtf
from connectors.formats.documents.sheets import parse_sheets
from connectors.formats.documents.slides import parse_pptx
from connectors.formats.documents.word import parse_docx
from connectors.formats.isolation import LostParserError, Worker
from connectors.formats.markup.delimited import parse_csv, parse_jsonl
from connectors.formats.markup.markdown import parse_markdown
from connectors.formats.markup.notebook import parse_notebook
from connectors.formats.markup.org import parse_org
from connectors.formats.markup.rst import parse_rst
from connectors.formats.markup.structured import parse_json, parse_xml_text
from connectors.formats.markup.transcript import parse_transcript
from connectors.formats.markup.webpage import declared_encoding, parse_html
from connectors.formats.sniff import Format, binary_format, expects_binary, is_risky, text_format
from connectors.parsed import Parsed, parse_code, parse_text

_MAX_DEPTH = 3  # a message in a message in a message
_HINT = "open it in its own program and save it again, or exclude it, for example in .ragignore"
_WORKER = Worker()
_SMALL = 32 * 1024  # bytes: what takes the square of its length takes no time yet
_SHEBANG = 200  # bytes in which the first line of a script names its language


def parse_file(data: bytes, path: Path, *, seconds: float | None = None) -> Parsed:
    """Parse in the worker what a parser in C or of many rules will read, all else here.

    `seconds` of processor time are what a file may take there, by default what its size allows. Of text and code that
    take longer, the lines are kept.
    """
    if is_risky(data, path):
        return _guarded(path, lambda: _WORKER.parse(data, path, seconds))
    language = language_of(path, data[:_SHEBANG].decode("latin-1"))
    if language or len(data) > _SMALL:
        return _guarded(path, lambda: _parse_lines(data, path, language, seconds))
    return parse_here(data, path)


def _parse_lines(data: bytes, path: Path, language: str, seconds: float | None) -> Parsed:
    """Parse text in the worker, or keep its lines where the parser does not survive it: they are text all the same."""
    try:
        return _WORKER.parse(data, path, seconds)
    except LostParserError as error:
        text = _decoded(data, path)
        kept = parse_code(text) if text_format(text, path) is Format.CODE else parse_text(text)
        metadata = {"code_language": language} if language else {}
        return replace(kept, metadata={**metadata, "unparsed": str(error)})


def parse_here(data: bytes, path: Path, depth: int = 0) -> Parsed:
    """Parse in this process; `depth` counts the messages a file is attached inside of."""
    parsed = _guarded(path, lambda: _dispatch(data, path, depth))
    if parsed.text.strip() or not data.strip() or LEFT_OUT in parsed.metadata:
        return parsed
    return replace(parsed, metadata={**parsed.metadata, LEFT_OUT: "any text, for none was found"})


def _guarded(path: Path, parser: Callable[[], Parsed]) -> Parsed:
    try:
        # What a library warns about (a deprecated call, an odd header) is no news to the person indexing a folder.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser()
    except SourceError as error:
        if str(error).startswith(f"{path.name}: "):
            raise
        raise type(error)(f"{path.name}: {error}", hint=error.hint) from error
    except MemoryError:
        raise SourceError(f"{path.name}: its parser takes more memory than its size allows", hint=_HINT) from None
    except RecursionError:
        raise SourceError(f"{path.name}: nested too deep", hint=_HINT) from None
    except Exception as error:
        # The parsers are other people's and the files are anyone's: whatever a parser raises on a file says something
        # about that file alone, and must not end a run over thousands.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise SourceError(f"{path.name}: damaged or not what it claims to be ({reason})", hint=_HINT) from error


def _dispatch(data: bytes, path: Path, depth: int) -> Parsed:
    if depth > _MAX_DEPTH:
        raise SourceError("nested too deep in other messages")
    if not data:
        return Parsed("", "text")
    if not data.strip(b"\x00"):
        raise SourceError("it contains only zero bytes", hint="restore it from a backup")
    if kind := binary_format(data, path):
        return _BINARY[kind](_File(data, path, lambda part, name: parse_here(part, name, depth + 1)))
    text = _decoded(data, path)
    kind = text_format(text, path)
    return _TEXT[kind](text, path)


def _decoded(data: bytes, path: Path) -> str:
    try:
        return decode(data, declared_encoding(data)).text
    except BinaryContentError:
        if not expects_binary(path):
            raise
        raise SourceError(f"its name says {path.suffix[1:].upper()}, its content does not", hint=_HINT) from None


class _File(NamedTuple):
    data: bytes
    path: Path
    attachment: ParseAttachment


_BINARY: dict[Format, Callable[[_File], Parsed]] = {
    Format.PDF: lambda file: parse_pdf(file.data, file.path),
    Format.DOCX: lambda file: parse_docx(file.data),
    Format.PPTX: lambda file: parse_pptx(file.data),
    Format.SHEET: lambda file: parse_sheets(file.data),
    Format.OPENDOCUMENT: lambda file: parse_opendocument(file.data),
    Format.EPUB: lambda file: parse_epub(file.data),
    Format.RTF: lambda file: parse_rtf(file.data),
    Format.EML: lambda file: parse_eml(file.data, file.attachment),
    Format.EMLX: lambda file: parse_emlx(file.data, file.attachment),
    Format.MAILBOX: lambda file: parse_mailbox(file.data, file.attachment),
    Format.MSG: lambda file: parse_msg(file.data, file.attachment),
}
_TEXT: dict[Format, Callable[[str, Path], Parsed]] = {
    Format.TEXT: lambda text, _: parse_text(text),
    Format.CODE: parse_code_file,
    Format.MARKDOWN: lambda text, _: parse_markdown(text),
    Format.RST: lambda text, _: parse_rst(text),
    Format.ORG: lambda text, _: parse_org(text),
    Format.HTML: lambda text, _: parse_html(text),
    Format.CSV: parse_csv,
    Format.JSON: lambda text, _: parse_json(text),
    Format.JSONL: lambda text, _: parse_jsonl(text),
    Format.XML: lambda text, _: parse_xml_text(text),
    Format.TRANSCRIPT: lambda text, _: parse_transcript(text),
    Format.NOTEBOOK: lambda text, _: parse_notebook(text),
}
