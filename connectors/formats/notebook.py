"""Jupyter notebooks: the text cells as Markdown, the code cells as code."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from connectors.errors import SourceError
from connectors.formats.markdown import parse_markdown
from connectors.formats.parsed import Parsed, TextBuilder, clean
from connectors.formats.plain import parse_code


def parse_notebook(text: str) -> Parsed:
    """A notebook, cell by cell; outputs are results of the code, not what someone wrote, and are left out.

    One that is not valid JSON is kept as it stands.
    """
    try:
        content = json.loads(text)
    except ValueError:  # a merge conflict in the middle of it, as often as not
        return replace(parse_code(text), kind="notebook")
    if not isinstance(content, dict):
        raise SourceError("not a notebook: its JSON is no object")
    builder = TextBuilder()
    title = ""
    for cell in _cells(content):
        source = _source(cell)
        if cell.get("cell_type") == "code":
            builder.code(source)
        elif cell.get("cell_type") == "heading":  # notebooks before version 4
            builder.heading(source, int(cell.get("level", 1)))
        elif cell.get("cell_type") == "markdown":
            part = parse_markdown(clean(source).strip("\n"))
            title = title or part.title
            builder.embed(part)
        else:
            builder.paragraph(source)
    return builder.build("notebook", title or builder.heading_title)


def _cells(content: dict[str, Any]) -> list[dict[str, Any]]:
    cells = content.get("cells")
    if cells is None:
        cells = [cell for sheet in content.get("worksheets", []) for cell in sheet.get("cells", [])]
    return [cell for cell in cells if isinstance(cell, dict)]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", cell.get("input", ""))
    return "".join(map(str, source)) if isinstance(source, list) else str(source)
