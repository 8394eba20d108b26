"""Jupyter notebooks: text cells as Markdown, code cells as code, each with its printed output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from connectors.code.source import parse_source
from connectors.document import BlockKind
from connectors.errors import SourceError
from connectors.formats.limits import text_for
from connectors.formats.markup.markdown import parse_markdown
from connectors.parsed import Parsed, TextBuilder, clean, parse_code

_LANGUAGES = {"c++": "cpp", "c#": "csharp", ".net (c#)": "csharp", "ipython": "python"}
_MOST_PARSED = 20_000  # characters of a cell; a longer one holds data
_MOST_OUTPUT = 2_000  # characters of what one cell printed: the beginning, and the end if there is more
_TAIL = 500
_MAGIC = re.compile(r"^[%!]", re.MULTILINE)  # a line that is for the notebook and not for its language
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def parse_notebook(text: str) -> Parsed:
    """A notebook, cell by cell; its pages are its cells. Pictures and other outputs that are no text are left out.

    One that is not valid JSON is kept as it stands.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):  # a merge conflict in the middle of it, as often as not
        return replace(parse_code(text), kind="notebook")
    if not isinstance(content, dict):
        raise SourceError("not a notebook: its JSON is not an object")
    builder = TextBuilder(text_for(len(text)))
    language = _language(content)
    title = ""
    for cell in _cells(content):
        builder.page()
        source = clean(_joined(cell.get("source", cell.get("input", "")))).strip("\n").rstrip()
        if cell.get("cell_type") == "code":
            builder.embed(_code(source, language))
            builder.code(_output(cell))
        elif cell.get("cell_type") == "heading":  # notebooks before version 4
            builder.heading(source, int(cell.get("level", 1)))
        elif cell.get("cell_type") == "markdown":
            part = parse_markdown(source)
            title = title or part.title
            builder.embed(part)
        else:
            builder.paragraph(source)
    return builder.build("notebook", title or builder.heading_title, {"code_language": language})


def _code(source: str, language: str) -> Parsed:
    """A cell of code. One that defines nothing is no definition: short ones stay with the text above them."""
    if source.startswith("%%") or len(source) > _MOST_PARSED:
        return parse_code(source)
    part = parse_source(_MAGIC.sub("#", source) if language == "python" else source, language)
    blocks = tuple(block if block.parts else replace(block, kind=BlockKind.CODE) for block in part.blocks)
    return replace(part, text=source, blocks=blocks)


def _output(cell: dict[str, Any]) -> str:
    """What a cell printed, returned, or failed with."""
    outputs = cell.get("outputs")
    found = [text for output in outputs if (text := _text_of(output))] if isinstance(outputs, list) else []
    lines = _ESCAPE.sub("", "\n".join(found)).split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")  # as bars draw over a line
    return text if len(text) <= _MOST_OUTPUT else f"{text[: _MOST_OUTPUT - _TAIL]}\n…\n{text[-_TAIL:]}"


def _text_of(output: object) -> str:
    if not isinstance(output, dict):
        return ""
    if output.get("output_type") in {"error", "pyerr"}:
        return f"{output.get('ename', 'error')}: {output.get('evalue', '')}"
    data = output.get("data")
    shown = data.get("text/plain", data.get("text/markdown", "")) if isinstance(data, dict) else output.get("text", "")
    return _joined(shown).rstrip("\n")


def _language(content: dict[str, Any]) -> str:
    """The language of its code, as its kernel names it; Python, where nothing does."""
    named: Iterator[object] = (
        about.get(key)
        for field, key in (("language_info", "name"), ("kernelspec", "language"))
        if isinstance(metadata := content.get("metadata"), dict) and isinstance(about := metadata.get(field), dict)
    )
    name = next((name.lower() for name in named if isinstance(name, str) and name), "python")
    return _LANGUAGES.get(name, name)


def _cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    cells = content.get("cells")
    if cells is None:
        cells = [cell for sheet in content.get("worksheets", []) for cell in sheet.get("cells", [])]
    return [cell for cell in cells if isinstance(cell, dict)]


def _joined(lines: object) -> str:
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines)
