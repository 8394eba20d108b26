"""Prints hits: title, relevance, location and the lines that matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.output.bars import relevance
from cli.output.terminal import near, one_line, printable, shortened, stdout
from connectors.document import CODE, ROW, SCHEMA
from indexes.terms.analyzer import query_terms
from rag.query import Query

if TYPE_CHECKING:
    from rag import Hit
    from rag.retrieval import Copy

MARGIN = 4  # columns left of everything but the rank
_LINES_SHOWN = 4
_NARROWEST = 20
_MATCH = "bold yellow"
_KEPT_IN_LINES = frozenset({CODE, "csv", "tsv", "json", "spreadsheet", "xml", ROW, SCHEMA})
# A newline in running text: the line before is long, and the next one goes on with a word.
_SOFT_BREAK = re.compile(r"(?<=[^\n]{40})\n(?=[^\W\d_])")
_BLANK_LINES = re.compile(r"\n\s*\n")


def place(hit: Hit | Copy) -> Text:
    """Where a hit or a copy stands, as far as headings do not say it; on many terminals a link.

    It is `docs/refunds.md:12-18`, `report.pdf, p. 3` or `prices.xlsx, Prices, row 14`.
    """
    path = Path(hit.uri)
    spot = hit.location
    where = f", {spot}" if spot.spot or spot.query else ""
    if not path.is_absolute():
        return Text(one_line(f"{near(hit.uri)}{where}"), "cyan")
    if spot.in_lines:
        where = f":{spot.line_start}" + (f"-{spot.line_end}" if spot.line_end > spot.line_start else "")
    return Text(one_line(f"{near(hit.uri)}{where}"), f"cyan link {path.as_uri()}")


def other_places(hit: Hit) -> Text:
    """The line that names the places of a hit's copies, as many as it has room for and always one."""
    line = Text(" " * MARGIN).append("also in: ", "dim")
    for shown, copy in enumerate(hit.copies):
        left = len(hit.copies) - shown
        more = Text(f", and {left} more", "dim")
        where = Text(", " if shown else "", "dim").append_text(place(copy))
        room = stdout().width - line.cell_len - (more.cell_len if left > 1 else 0)
        if shown and where.cell_len > room:
            return line.append_text(more)
        line.append_text(where)
    return line


def headings(hit: Hit) -> str:
    """The headings above a hit, without the title again; of code the symbol it defines."""
    if hit.location.symbol is not None:
        return one_line(hit.location.symbol.name)
    path = [one_line(heading) for heading in hit.location.headings]
    return " › ".join(path[1:] if path[:1] == [one_line(hit.title)] else path)


def print_hit(hit: Hit, query: str, *, explain: bool = False) -> None:
    """Print one hit: rank, title and relevance; where it is; its lines; with `explain` the evidence."""
    console = stdout()
    print_heading(str(hit.rank), hit)
    where = Text(" " * MARGIN).append_text(place(hit))
    if above := headings(hit):
        where.append(f"  {shortened(above, max(console.width - where.cell_len - 2, _NARROWEST))}", "dim")
    console.print(where, soft_wrap=True)
    if hit.copies:
        console.print(other_places(hit), soft_wrap=True)
    for line in excerpt(hit.text, frozenset(Query.of(query).terms), text_width(), flows=hit.kind not in _KEPT_IN_LINES):
        console.print(Text(" " * MARGIN).append_text(line))
    if explain:
        from cli.output.explanation import evidence

        console.print(Padding(evidence(hit), (0, 0, 0, MARGIN)))
    console.print()


def print_heading(number: str, hit: Hit) -> None:
    """Print the line a hit is known by: its number, its title, its relevance."""
    line = Table.grid(expand=True, padding=(0, 1))
    line.add_column(width=MARGIN - 1, justify="right")
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    line.add_column(justify="right", no_wrap=True)
    line.add_row(Text(number, "bold"), Text(one_line(hit.title), "bold"), relevance(hit.relevance))
    stdout().print(line)


def text_width() -> int:
    """How wide the text under a heading may be."""
    return max(stdout().width - 2 * MARGIN, _NARROWEST)


def print_indented(text: Text) -> None:
    """Print `text` under a heading."""
    for line in text.wrap(stdout(), text_width()):
        line.rstrip()
        stdout().print(Text(" " * MARGIN).append_text(line))


def excerpt(text: str, wanted: frozenset[str], width: int, *, flows: bool = True) -> Iterator[Text]:
    """The few lines of `text`, wrapped to `width`, where most of the `wanted` terms are; these are marked.

    A text that `flows` is running text: its editor's line breaks are not kept.
    """
    compact = _BLANK_LINES.sub("\n", dedent(printable(text)).strip())
    marked = Text(_SOFT_BREAK.sub(" ", compact) if flows else compact)
    for term in query_terms(marked.plain):
        if not wanted.isdisjoint(term.stems):
            marked.stylize(_MATCH, term.start, term.end)
    lines = [line for each in marked.split("\n") for line in _wrapped(each, width)]
    first = _best_window([len(line.spans) for line in lines])
    shown = lines[first : first + _LINES_SHOWN]
    for number, line in enumerate(shown):
        line.rstrip()
        before = "… " if number == 0 and first else ""
        after = " …" if number == len(shown) - 1 and first + len(shown) < len(lines) else ""
        yield Text.assemble((before, "dim"), line, (after, "dim"))


def _wrapped(line: Text, width: int) -> Iterator[Text]:
    """A line in pieces of at most `width`, each as far in as the line is."""
    line.expand_tabs(4)
    indent = min(len(line.plain) - len(line.plain.lstrip(" ")), width // 2)
    for piece in line[indent:].wrap(stdout(), width - indent):
        yield Text(" " * indent).append_text(piece)


def _best_window(matches: list[int]) -> int:
    """The first line of the earliest window with most matches, which has at most a line before its first match."""
    counts = [sum(matches[start : start + _LINES_SHOWN]) for start in range(max(1, len(matches) - _LINES_SHOWN + 1))]
    most = max(counts)
    best = counts.index(most)
    while best + 1 < len(counts) and counts[best + 1] == most and not any(matches[best : best + 2]):
        best += 1
    return best if most else 0
