"""PDFs whose lines are set at places of our choice, and drawn in an order of our choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Placed(NamedTuple):
    """A text, where its baseline begins, and its look."""

    x: float
    y: float
    text: str
    size: float = 10
    bold: bool = False


def column(x: float, y: float, *lines: str, size: float = 10, pitch: float = 12) -> list[Placed]:
    """Lines set below one another."""
    return [Placed(x, y - pitch * place, line, size) for place, line in enumerate(lines)]


def placed_pdf(*pages: Sequence[Placed], catalogue: str = "", page: str = "", objects: Sequence[str] = ()) -> bytes:
    """A PDF of these pages; `catalogue` and `page` are further entries of theirs, `objects` come first, from 5 on."""
    found = ["", "", *(_font(name) for name in ("Helvetica", "Helvetica-Bold")), *objects]
    kids = []
    for lines in pages:
        content = "".join(_drawn(line) for line in lines)
        kids.append(f"{len(found) + 1} 0 R")
        found.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {len(found) + 2} 0 R {page} >>"
        )
        found.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    found[0] = f"<< /Type /Catalog /Pages 2 0 R {catalogue} >>"
    found[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data = "%PDF-1.7\n" + "".join(f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(found, 1))
    return f"{data}trailer\n<< /Size {len(found) + 1} /Root 1 0 R >>\n%%EOF".encode("cp1252")


def _font(name: str) -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>"


def _drawn(line: Placed) -> str:
    shown = line.text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F{2 if line.bold else 1} {line.size} Tf {line.x} {line.y} Td ({shown}) Tj ET\n"
