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
from connectors.formats.markup.webpage import parse_html
from connectors.parsed import Parsed, TextBuilder, clean, moved, parse_code

_LANGUAGES = {"c++": "cpp", "c#": "csharp", ".net (c#)": "csharp", "ipython": "python"}
_MOST_PARSED = 20_000  # characters of a cell; a longer one holds data
_MOST_OUTPUT = 2_000  # characters of what one cell printed: the beginning, and the end if there is more
_TAIL = 500
_MOST_SHOWN = 10_000  # characters of a table or of HTML
# What stands in plain text for what has none: <Figure size 640x480 with 1 Axes>, <IPython.core.display.HTML object>.
_PLACEHOLDER = re.compile(r"<[\w.]+(?: object)?(?: (?:size|at|with)[^<>]*)?>|Image\(\)|HTML\(\)")
_OTHER_TEXT = ("text/latex", "text/markdown")
_MAGIC = re.compile(r"^[%!]", re.MULTILINE)  # a line that is for the notebook and not for its language
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def parse_notebook(text: str) -> Parsed:
    """A notebook, cell by cell, which are its places. Of outputs, pictures are left out.

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
    for number, cell in enumerate(_cells(content), 1):
        builder.place("", "cell", number)
        source = clean(_joined(cell.get("source", cell.get("input", "")))).strip("\n").rstrip()
        if cell.get("cell_type") == "code":
            builder.embed(_code(source, language))
            _write_outputs(cell, builder)
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


def _write_outputs(cell: dict[str, Any], builder: TextBuilder) -> None:
    """Write what a cell printed, returned, or failed with; tables and HTML as they are shown."""
    outputs = cell.get("outputs")
    printed: list[str] = []
    for output in outputs if isinstance(outputs, list) else []:
        if (shown := _shown(output)) is None:
            printed.append(_text_of(output))
            continue
        builder.code(_screen(printed))
        printed = []
        builder.embed(_shortened(shown, builder))
    builder.code(_screen(printed))


def _screen(printed: list[str]) -> str:
    lines = _ESCAPE.sub("", "\n".join(filter(None, printed))).split("\n")
    text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).strip("\n")  # as bars draw over a line
    return text if len(text) <= _MOST_OUTPUT else f"{text[: _MOST_OUTPUT - _TAIL]}\n…\n{text[-_TAIL:]}"


def _shown(output: object) -> Parsed | None:
    """What an output shows as HTML or Markdown; None where its plain text says as much, and has no table to lose."""
    data = output.get("data") if isinstance(output, dict) else None
    if not isinstance(data, dict):
        return None
    plain = _joined(data.get("text/plain", ""))
    is_enough = bool(plain.strip()) and _PLACEHOLDER.fullmatch(plain.strip()) is None
    rich = _joined(data.get("text/html", ""))
    if rich.strip() and (not is_enough or "<table" in rich.lower()):
        found = parse_html(rich)
        if found.text.strip():
            return found
    if "text/markdown" in data and not is_enough:
        return parse_markdown(_joined(data["text/markdown"]))
    return None


def _shortened(part: Parsed, builder: TextBuilder) -> Parsed:
    """The lines of a shown output that there is room for."""
    if len(part.text) <= _MOST_SHOWN:
        return part
    builder.leave_out(f"what a cell shows beyond {_MOST_SHOWN:,} characters")
    end = max(part.text.rfind("\n", 0, _MOST_SHOWN), 0) or _MOST_SHOWN
    blocks = tuple(moved(block, 0, end) for block in part.blocks if block.start < end)
    return replace(part, text=part.text[:end], blocks=blocks)


def _text_of(output: object) -> str:
    if not isinstance(output, dict):
        return ""
    if output.get("output_type") in {"error", "pyerr"}:
        return f"{output.get('ename', 'error')}: {output.get('evalue', '')}"
    data = output.get("data")
    if not isinstance(data, dict):
        return _joined(output.get("text", "")).rstrip("\n")
    plain = _joined(data.get("text/plain", "")).rstrip("\n")
    if plain and (len(data) == 1 or _PLACEHOLDER.fullmatch(plain.strip()) is None):
        return plain
    return _joined(next((data[kind] for kind in _OTHER_TEXT if isinstance(data.get(kind), (str, list))), ""))


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
