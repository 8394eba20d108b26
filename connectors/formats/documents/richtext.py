"""RTF: its text and its title."""

from __future__ import annotations

import re
from itertools import groupby

from connectors.formats.limits import text_for
from connectors.formats.titles import claimed_author, claimed_title
from connectors.parsed import Parsed, TextBuilder, one_line

_INFO = re.compile(r"\{\\(?P<field>title|author|subject)\s(?P<value>[^{}]*)\}")


def parse_rtf(data: bytes) -> Parsed:
    """Rich text as paragraphs and tables."""
    source = data.decode("latin-1")  # RTF is ASCII with its own escapes; the library decodes those
    builder = TextBuilder(text_for(len(data)))
    # The library ends every cell of a table with a bar, and so every row.
    for is_row, lines in groupby(re.split(r"\n+", _plain(source)), lambda line: line.rstrip().endswith("|")):
        if is_row:
            builder.table([line.rstrip()[:-1].split("|") for line in lines])
            continue
        for line in lines:
            builder.paragraph(line)
    fields = {match["field"]: one_line(_plain(f"{{\\rtf1 {match['value']}}}")) for match in _INFO.finditer(source)}
    title, fields["author"] = claimed_title(fields.pop("title", "")), claimed_author(fields.get("author", ""))
    return builder.build("rtf", title, fields)


def _plain(source: str) -> str:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(source, errors="replace")
    return text
