from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Table, select, update

from indexes.catalog.catalog import Catalog
from indexes.catalog.filters import Condition, filtered_chunks
from indexes.catalog.reading import Ids, Reading, Vectors
from indexes.catalog.schema import chunks, documents, token_vectors, vectors
from indexes.errors import StoreError
from tests.conformance.catalog import DIMENSIONS, CatalogConformance, add, store_vectors
from tests.conformance.naive import NaiveCatalog, NaiveTransaction


class TestSqlite(CatalogConformance):
    def make(self, path: Path) -> Catalog:
        return Catalog(path / "catalog.sqlite", create=True)

    def filtered(self, reading: Reading, filters: Mapping[str, Condition], generation: int) -> Ids:
        return filtered_chunks(reading, filters, generation)


class TestNaive(CatalogConformance):
    def make(self, path: Path) -> NaiveCatalog:
        return NaiveCatalog()

    def filtered(self, reading: NaiveTransaction, filters: Mapping[str, Condition], generation: int) -> Ids:
        return reading.filtered(filters, generation)


# These change during a document's life, or say when that was: no checksum covers them.
CHANGING = {"source_id", "stamp", "born", "died"}
COLUMNS = [
    (table, column.name)
    for table in (documents, chunks, vectors, token_vectors)
    for column in table.columns
    if column.name not in CHANGING
]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda value: getattr(value, "name", value))
def test_a_flipped_byte_is_never_read_as_if_nothing_were(tmp_path: Path, table: Table, column: str) -> None:
    catalog = Catalog(tmp_path / "catalog.sqlite", create=True)
    with catalog.writing() as writing:
        add(writing, 1, "/a", "one", "two", metadata={"year": 2020, "author": "Ada"})
        add(writing, 1, "/b", "three")
        store_vectors(writing, "bag", "one", "two", "three")
    right = answers(catalog)
    assert len(right) == 9
    for damaged in flipped(catalog, table, column):
        with suppress(ZeroDivisionError), catalog.writing() as writing:
            writing.connection.execute(update(table).where(*key_of(table)).values({column: damaged}))
            for answer, value in read(writing).items():
                assert right[answer] == value
            raise ZeroDivisionError  # takes the damage back
    catalog.close()


def key_of(table: Table) -> list[object]:
    """What picks the first row."""
    return [next(iter(table.primary_key)) == (1 if table in (documents, chunks) else b"one".ljust(16, b"\0"))]


def flipped(catalog: Catalog, table: Table, column: str) -> list[object]:
    """The value of the first row with one byte flipped, for every byte."""
    with catalog.reading() as reading:
        value = reading.connection.execute(select(table.c[column]).where(*key_of(table))).scalar_one()
    if isinstance(value, int):
        return [value ^ (1 << bit) for bit in range(0, 32, 5)]
    data = value.encode() if isinstance(value, str) else value
    spoiled = [data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] for place in range(len(data))]
    return [each.decode() for each in spoiled] if isinstance(value, str) else list(spoiled)


def answers(catalog: Catalog) -> dict[object, object]:
    with catalog.reading() as reading:
        return read(reading)


def read(reading: Reading) -> dict[object, object]:
    """Each chunk, vector and token vectors that can be read, by what was asked; damaged ones are left out."""
    found: dict[object, object] = {}
    for number in range(1, 4):
        ids = np.array([number])
        questions = {
            "chunk": lambda ids=ids: reading.chunks_by_id(ids.tolist()),
            "vector": lambda ids=ids: as_dictionary(*reading.vectors_by_id("bag", ids, DIMENSIONS)),
            "tokens": lambda ids=ids: reading.tokens_by_id("bag", ids.tolist()),
        }
        for name, ask in questions.items():
            try:
                found.update(((name, key), value) for key, value in ask().items())
            except StoreError:
                continue
    return found


def as_dictionary(ids: Ids, found: Vectors) -> dict[int, list[float]]:
    return dict(zip(ids.tolist(), found.tolist(), strict=True))
