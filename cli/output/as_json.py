"""Results as JSON: every public dataclass by the names of its fields.

One encoder serves them all. What a field leaves empty is null; a hit inside another result is told by its place alone.
The few shapes that differ from their dataclass stand below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.document import Location

if TYPE_CHECKING:
    from indexes.doctor.findings import Check
    from rag import Answer, Hit, IndexReport, Status
    from rag.prompting import PromptSource
    from rag.sql import SqlAnswer

_HIDDEN = {  # fields that are told elsewhere, or say nothing outside of the process
    "Answer": {"hits", "prompt", "sources", "sql"},
    "CardStatement": {"vouched", "needed"},
    "Hit": {"chunk_id", "reading"},
    "Location": {"query", "places", "has_lines"},
    "Prompt": {"sources", "background", "demonstrations", "history", "fence"},
    "Standalone": {"words"},
    "Symbol": {"signature", "docstring"},
}
_RENAMED = {("Answer", "text"): "answer", ("Location", "page_start"): "page"}


def encoded(value: Any) -> Any:
    """What `json` can write of a result.

    >>> encoded(Location(0, 5, 1, 1))["text"]
    'line 1'
    """
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encoded(item) for item in value]
    if not is_dataclass(value):
        return value
    kind = type(value).__name__
    told = {
        _RENAMED.get((kind, each.name), each.name): _field(getattr(value, each.name))
        for each in fields(value)
        if each.name not in _HIDDEN.get(kind, ())
    }
    if not isinstance(value, Location):
        return told
    lines = {} if value.has_lines else {"line_start": None, "line_end": None}
    return {"text": str(value) or None, **told, **lines}


def _field(value: Any) -> Any:
    if value == "":
        return None
    return _place(value) if type(value).__name__ == "Hit" else encoded(value)


def _place(hit: Hit) -> dict[str, Any]:
    return {"uri": hit.uri, "location": encoded(hit.location)}


def answer(given: Answer) -> dict[str, Any]:
    """An answer with its checked citations and its numbered sources."""
    return {
        **encoded(given),
        "sources": [_source(each) for each in given.sources],
        "sql": None if given.sql is None else sql(given.sql),
    }


def _source(each: PromptSource) -> dict[str, Any]:
    """A source is a hit of which only `text` was shown."""
    hit = each.hit
    told = {
        "title": hit.title,
        "relevance": hit.relevance,
        "answers": hit.reading.answers if hit.reading else None,
        "copies": encoded(hit.copies),
    }
    return {"number": each.number, **_place(hit), **told, "text": each.text, "spans": encoded(each.spans)}


def sql(given: SqlAnswer) -> dict[str, Any]:
    """What became of a question to a database; `error` is null where the statement ran."""
    from rag.sql import to_json

    rows = given.rows
    return {
        **encoded(given),
        "columns": list(rows.columns),
        "rows": [[to_json(value) for value in row] for row in rows.rows],
        "truncated": rows.truncated,
        "cut": rows.cut or None,
    }


def index_report(done: IndexReport) -> dict[str, Any]:
    """What a run of `index` or `remove` did."""
    return {
        "documents": {
            "added": done.added,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "removed": done.removed,
            "failed": len(done.failures),
        },
        "failures": encoded(done.failures),
        "notes": list(done.notes),
        "left_out": encoded(done.left_out),
        "chunks": {"added": done.chunks_added, "removed": done.chunks_removed, "total": done.chunks_total},
        "embedded": done.embedded,
        "seconds": done.seconds,
        "generation": done.generation,
    }


def status(state: Status) -> dict[str, Any]:
    """The state of a knowledge base; a source that is a repository has its commit and branch."""
    told = {**encoded(state), "tuning": state.tuning.to_json() if state.tuning else None}
    return {**told, "sources": [_source_status(source) for source in told["sources"]]}


def _source_status(told: dict[str, Any]) -> dict[str, Any]:
    facts, left_out = told.pop("facts"), told.pop("left_out")
    return {**facts, **told, **({"left_out": left_out} if left_out else {})}


def examination(checks: Sequence[Check], repaired: Sequence[str]) -> dict[str, Any]:
    """What was checked, after what was repaired."""
    return {"checks": encoded(checks), "repaired": list(repaired)}
