"""Renders a row as a document: readable text, a title, values to filter by, and its names."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.database.reading.scanning import Row
from connectors.database.reading.statements import TOO_LONG
from connectors.database.rendering.links import Joined
from connectors.database.rendering.values import facet, shown
from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.plans import Plan, part_of, path_of
from connectors.database.structure.secrets import is_secret
from connectors.database.structure.tables import Column
from connectors.document import ROW, Document, DocumentName, MetadataValue
from connectors.parsed import one_line

_LONG = 200  # characters, from where on a text stands before the short ones, as a paragraph
_LONGEST_TITLE = 100
_LONGEST_NAME = 200
_NAMES = frozenset({ColumnKind.TEXT, ColumnKind.ENUM})
_LONGEST_TEXT = 60  # that may be a name in a column which nothing says holds names
_TAKEN = frozenset({"uri", "title", "kind", "language", "table", "database"})  # what filters call otherwise


@dataclass(frozen=True, slots=True)
class _Line:
    """The text of one column: `name: value`."""

    name: str
    value: str
    is_long: bool


class Renderer:
    """Turns the rows of a plan into documents.

    Attributes:
        hidden: how many values of a column were left out because they look secret.
    """

    def __init__(self, plan: Plan, database: str) -> None:
        self._plan = plan
        self._database = database
        self._first = len(plan.key)
        self._label_at = self._first + len(plan.columns)
        self._places = {column.name: self._first + place for place, column in enumerate(plan.columns)}
        self.hidden: Counter[str] = Counter()

    def document(self, uri: str, row: Row, joined: Joined, revision: str) -> Document:
        """The document of a row."""
        plan = self._plan
        called = self._called(row)
        key = ", ".join(shown(value) for value in row[: self._first])
        title = called or f"{plan.table.name} {key}".strip()
        text, starts = self._text(row, joined)
        return Document(
            uri=uri,
            title=title,
            text=text,
            kind=ROW,
            revision=revision,
            metadata=self._metadata(row),
            # Which table it is from makes an album of an artist's name.
            context=f"{plan.table.name}: {title}" if called else title,
            names=(*self._names(row, called, starts), *self._references(uri, row, starts)),
            has_lines=False,
        )

    def too_long(self, row: Row) -> Iterator[tuple[str, int]]:
        """The columns whose value is too long to be read, and how long it is."""
        for name, place in self._places.items():
            value = row[place]
            if isinstance(value, str) and value.startswith(TOO_LONG):
                yield name, int(value.removeprefix(TOO_LONG))

    def _called(self, row: Row) -> str:
        values = (self._shown(row, self._plan.table.by_name[name]) for name in self._plan.label if name in self._places)
        name = one_line(" ".join(value for value in values if value))
        return name if len(name) <= _LONGEST_TITLE else f"{name[: _LONGEST_TITLE - 1].rsplit(' ', 1)[0]}…"

    def _shown(self, row: Row, column: Column) -> str:
        value = row[self._places[column.name]]
        text = shown(value, column.kind)
        if not isinstance(value, str) or not text:
            return text
        return "" if value.startswith(TOO_LONG) or is_secret(text) else text

    def _text(self, row: Row, joined: Joined) -> tuple[str, dict[str, int]]:
        """The text, and where the value of each column stands in it."""
        lines = list(self._lines(row, joined))
        if not self._plan.text:  # else the order was asked for
            lines.sort(key=lambda line: (not line.is_long, line.name not in self._plan.label))
        text, starts = "", {}
        for line in lines:
            text += f"{line.name}: "
            starts[line.name] = len(text)
            text += line.value + ("\n\n" if line.is_long else "\n")
        return text.rstrip(), starts

    def _lines(self, row: Row, joined: Joined) -> Iterator[_Line]:
        told = self._told(row)
        names = self._plan.text or self._places
        for name in names:
            value = told.get(name, "")
            if value:
                yield _Line(name, value, len(value) > _LONG or "\n" in value)
        if not self._plan.text:
            for link, value in zip(self._plan.links, joined, strict=True):
                if value:
                    yield _Line(link.label, value, is_long=False)

    def _told(self, row: Row) -> dict[str, str]:
        """What is said of each column; of a foreign key, the name of the row it points to."""
        told: dict[str, str] = {}
        for column in self._plan.columns:
            told[column.name] = self._shown(row, column)
            value = row[self._places[column.name]]
            if not told[column.name] and isinstance(value, str) and is_secret(value):
                self.hidden[column.name] += 1
        place = self._label_at
        for pointer in self._plan.pointers:
            label = " ".join(text for value in row[place : place + len(pointer.label)] if (text := shown(value)))
            place += len(pointer.label)
            first, *rest = pointer.key.columns
            key = ", ".join(told[name] for name in pointer.key.columns if told[name])
            if label and key:
                told[first] = f"{one_line(label)} ({key})"
                told.update(dict.fromkeys(rest, ""))
        return told

    def _metadata(self, row: Row) -> dict[str, MetadataValue]:
        table = self._plan.table
        found: dict[str, MetadataValue] = {"table": table.label, "database": self._database}
        for column in self._plan.columns:
            value: Any = row[self._places[column.name]]
            if isinstance(value, str) and (value.startswith(TOO_LONG) or is_secret(value)):
                continue
            if (kept := facet(value, column.kind)) is not None:
                found[f"{table.name}.{column.name}" if column.name in _TAKEN else column.name] = kept
        return found

    def _names(self, row: Row, called: str, starts: dict[str, int]) -> Iterator[DocumentName]:
        """What people may call the row: its name, its keys, short text."""
        table = self._plan.table
        if called and self._plan.label:
            first = self._plan.label[0]
            yield DocumentName(called, f"{table.label}.{first}", starts.get(first, 0))
        unique = (self._plan.key, table.primary_key, *table.unique_keys)
        keys = {name for key in unique for name in key}
        for column in self._plan.columns:
            is_name = column.name in self._plan.label and len(self._plan.label) > 1
            longest = _LONGEST_NAME if is_name or column.name in keys else _LONGEST_TEXT
            value = row[self._places[column.name]]
            if isinstance(value, int) and (column.name,) in unique:  # order 1007
                yield DocumentName(str(value), f"{table.label}.{column.name}", starts.get(column.name, 0))
            elif (
                isinstance(value, str)
                and (longest == _LONGEST_NAME or column.kind in _NAMES)
                and (text := one_line(self._shown(row, column)))
                and len(text) <= longest
            ):
                yield DocumentName(text, f"{table.label}.{column.name}", starts.get(column.name, 0))

    def _references(self, uri: str, row: Row, starts: dict[str, int]) -> Iterator[DocumentName]:
        """The URI of each row that this one refers to by the key that the other is known by."""
        base = uri.partition("#")[0]
        for pointer in self._plan.pointers:
            target, columns = pointer.target, pointer.key.columns
            values = [row[self._places[name]] for name in columns]
            if pointer.key.referred == target.primary_key and None not in values:
                other = f"{base}#{path_of(target)}/{','.join(map(_key_part, values))}"
                yield DocumentName(
                    other, f"{self._plan.table.label}.{columns[0]} -> {target.label}", starts.get(columns[0], 0)
                )


def row_uri(base: str, plan: Plan, row: Row) -> str:
    """The URI of a row: by its key, else, where it has none or lacks a value of it, by the content of its columns.

    >>> from connectors.database.structure.schema import Table
    >>> plan = Plan(Table("Order Details"), key=("OrderID", "Product"))
    >>> row_uri("sqlite:////srv/shop.db", plan, (7, "a/b"))
    'sqlite:////srv/shop.db#Order%20Details/7,a%2Fb'
    """
    key = row[: len(plan.key)]
    if key and None not in key:
        return f"{base}#{plan.path}/{','.join(map(_key_part, key))}"
    content = repr(row[: len(key) + len(plan.columns)]).encode("utf-8", "surrogatepass")
    return f"{base}#{plan.path}/~{hashlib.blake2b(content, digest_size=12).hexdigest()}"


def _key_part(value: Any) -> str:
    if isinstance(value, str):
        return part_of(value)
    if isinstance(value, bytes | memoryview):
        return f"0x{bytes(value).hex()}"
    return str(value) if isinstance(value, int) else part_of(str(value))
