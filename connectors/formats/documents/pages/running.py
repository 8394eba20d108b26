"""Running heads, feet and page numbers: what stands at the edge of page after page and belongs to none of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from connectors.formats.documents.pages.line import PageLine

_LEAST_PAGES = 3  # that a line has to stand on
_SHARE = 0.2  # of all pages; left and right pages may have heads of their own, and so may chapters
_EDGE_ROWS = 2
_SET_APART = 1.4  # of the size of the letters, to the next row; the header of a table stands closer to its rows
# Running heads differ in their page number alone, which may be Roman.
_NUMBER = re.compile(r"\d+|\b[ivxl]+\b")
_PAGE_NUMBER = re.compile(r"(?:\W|#|\b(?:page|p|of|seite|von|de|sur|pagina|p[áa]gina)\b)+")


class _Edge(NamedTuple):
    """A row at the edge of a page."""

    key: tuple[str, int]
    lines: tuple[PageLine, ...]
    text: str
    apart: bool


def drop_running_heads(pages: Sequence[list[PageLine]]) -> list[list[PageLine]]:
    """The pages without the outermost lines that many of them share (page numbers aside).

    Where such a line stands for the first time it is kept, unless the first page says the same: it may be the title.
    """
    edges = [(list(_edges(page, top=True)), list(_edges(page, top=False))) for page in pages]
    seen = Counter(key for both in edges for key in {edge.key for side in both for edge in side})
    least = max(_SHARE * len(pages), min(_LEAST_PAGES, max(2, len(pages))))
    running = {key for key, count in seen.items() if count >= least}
    if not running:
        return list(pages)
    known = _letters(" ".join(line.text for line in pages[0]))
    found = []
    for index, (page, both) in enumerate(zip(pages, edges, strict=True)):
        dropped: set[PageLine] = set()
        for side in both:
            for edge in side:
                if edge.key not in running or not edge.apart:
                    break
                letters = _letters(edge.text)
                is_number = bool(_PAGE_NUMBER.fullmatch(edge.key[0]))
                if is_number or (index and letters in known):
                    dropped.update(edge.lines)
                elif len(pages) >= _LEAST_PAGES:
                    known += " " + letters
        found.append([line for line in page if line not in dropped] if dropped else page)
    return found


def _edges(page: list[PageLine], *, top: bool) -> Iterator[_Edge]:
    """The outermost rows of a page, from its edge inwards."""
    rest = sorted((line for line in page if line.size), key=lambda line: line.base, reverse=top)
    rows: list[list[PageLine]] = []
    for line in rest:
        if rows and abs(rows[-1][0].base - line.base) < 0.45 * max(rows[-1][0].size, line.size):
            rows[-1].append(line)
        elif len(rows) > _EDGE_ROWS:
            break
        else:
            rows.append([line])
    for place, row in enumerate(rows[:_EDGE_ROWS]):
        inner = rows[place + 1] if place + 1 < len(rows) else []
        text = " ".join(line.text for line in sorted(row, key=lambda line: line.left))
        size = row[0].size
        apart = not inner or abs(inner[0].size - size) >= 0.5 or abs(inner[0].base - row[0].base) > _SET_APART * size  # noqa: PLR2004
        yield _Edge((_NUMBER.sub("#", text.casefold()), round(row[0].base / 6)), tuple(row), text, apart)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalpha())
