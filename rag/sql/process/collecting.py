"""Collects rows as they arrive, within the limits on their number and size."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rag.sql.limits import StatementLimits
from rag.sql.values import to_wire


def collected(columns: list[str], rows: Iterator[Sequence[object]], limits: StatementLimits) -> dict[str, Any]:
    """The answer about the rows of a statement: what is kept of them, and in words what is not."""
    kept: list[list[Any]] = []
    size, cells_cut, stopped = 0, 0, ""
    for row in rows:
        if len(kept) == limits.rows:
            stopped = f"only the first {limits.rows:,} rows"
            break
        cells = [_cell(value, limits.cell) for value in row]
        size += len(json.dumps([value for value, _ in cells]))
        if size > limits.size:
            stopped = f"only the first {len(kept):,} rows: more than {limits.size:,} bytes"
            break
        cells_cut += sum(cut for _, cut in cells)
        kept.append([value for value, _ in cells])
    shortened = f"{cells_cut:,} values cut after {limits.cell:,} bytes" if cells_cut else ""
    return {"columns": columns, "rows": kept, "cut": "; ".join(filter(None, (stopped, shortened)))}


def _cell(value: object, most: int) -> tuple[Any, bool]:
    """A value for the wire, and whether it was cut."""
    if isinstance(value, bytes | bytearray | memoryview):
        return to_wire(bytes(value[:most])), len(value) > most
    if isinstance(value, str):
        return _text(value, most)
    wire = to_wire(value)
    if isinstance(value, list | dict | tuple) and len(written := json.dumps(wire, ensure_ascii=False)) > most:
        return _text(written, most)
    return wire, False


def _text(text: str, most: int) -> tuple[str, bool]:
    if len(text) * 4 <= most:
        return text, False
    data = text.encode("utf-8", "replace")
    return (data[:most].decode(errors="ignore"), True) if len(data) > most else (text, False)
