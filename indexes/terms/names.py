"""Names: what people may call a row, and what code defines and calls, for looking up as typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.document import CALLS, DEFINES, DocumentName
from indexes.terms.analyzer import fold

_REFERS = "->"


@dataclass(frozen=True, slots=True)
class StoredName:
    """A name and the live document that has it.

    Attributes:
        text: the name as it stands in the document.
        role: `defines` or `calls` in code; in a row, the `table.column` that holds it.
        start: where it stands in the document's text.
        uri: the document.
        chunks: the ids of the document's chunks.
    """

    text: str
    role: str
    start: int
    uri: str
    chunks: range


def normal(text: str) -> str:
    """A name as it is looked up: without capitals and accents, one space between its words.

    >>> normal("  Café  MÜLLER ")
    'cafe muller'
    """
    return " ".join(fold(word) for word in text.casefold().split())


def distinct(names: Iterable[DocumentName]) -> tuple[DocumentName, ...]:
    """The names that can be looked up, each once, in the order they stand in."""
    found = {(name.start, name.role, normal(name.text)): name for name in names}
    return tuple(found[key] for key in sorted(found) if key[-1])


def is_of_row(role: str) -> bool:
    """Whether names in this role are what a row is called: questions are linked to them, and not to code.

    >>> is_of_row("cars.make"), is_of_row("defines")
    (True, False)
    """
    return "." in role and _REFERS not in role and role not in {DEFINES, CALLS}


def reference(role: str) -> tuple[str, str] | None:
    """The table that refers and the one referred to, of the role of a reference; None for any other role.

    A row's reference is a name, too: its text is the URI of the row it refers to.

    >>> reference("orders.customer_id -> customers"), reference("orders.status")
    (('orders', 'customers'), None)
    """
    source, arrow, target = role.partition(_REFERS)
    return (source.strip().rpartition(".")[0], target.strip()) if arrow else None
