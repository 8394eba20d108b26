"""Turns the rows of a statement into a source like any other: quotable text, whose location is the SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from connectors.database.access.address import parse_address
from connectors.document import Location
from rag.retrieval.hit import Hit, Signals
from rag.sql.answering import SqlAnswer
from rag.sql.values import to_text

RESULT = "sql"
"""The kind of a hit that is the result of a statement."""

_ROWS_SHOWN = 50
_CHARACTERS_SHOWN = 4_000
_NO_CHUNK = -1


def with_rows(hits: Sequence[Hit], answer: SqlAnswer | None, threshold: float) -> tuple[Hit, ...]:
    """`hits` with the rows of `answer`, where there are any, before them.

    Their relevance is that of the best hit from the same database: how far the question is about it. They were computed
    for the question, so at least `threshold`.
    """
    if answer is None or answer.error is not None or not answer.rows.rows:
        return tuple(hits)
    about = [hit.relevance for hit in hits if hit.uri.partition("#")[0] == answer.database]
    relevance = max([threshold, *about])
    return (_hit(answer, relevance), *(replace(hit, rank=hit.rank + 1) for hit in hits))


def _hit(answer: SqlAnswer, relevance: float) -> Hit:
    text = rows_text(answer)
    location = Location(0, len(text), 1, text.count("\n") + 1, query=answer.sql)
    return Hit(
        rank=1,
        score=0.0,
        relevance=relevance,
        uri=answer.database,
        title=f"Result of a query to {parse_address(answer.database)[0].name}",
        kind=RESULT,
        text=text,
        context=f"The rows that this query gives: {' '.join(answer.sql.split())}",
        location=location,
        metadata={},
        signals=Signals(bm25=0.0, cosine=0.0),
        chunk_id=_NO_CHUNK,
    )


def rows_text(answer: SqlAnswer) -> str:
    """A line for each row, `- column: value; column: value`, as many as are worth a prompt; the rest is counted."""
    lines: list[str] = []
    length = 0
    for row in answer.rows.rows[:_ROWS_SHOWN]:
        cells = zip(answer.rows.columns, row, strict=True)
        line = "- " + "; ".join(f"{name}: {' '.join(to_text(value).split()) or 'none'}" for name, value in cells)
        length += len(line) + 1
        if lines and length > _CHARACTERS_SHOWN:
            break
        lines.append(line[:_CHARACTERS_SHOWN])
    left = len(answer.rows.rows) - len(lines)
    if left or answer.rows.cut:
        lines.append(f"… {'; '.join(filter(None, (f'{left:,} more rows' if left else '', answer.rows.cut)))}")
    return "\n".join(lines)
