"""What a chunk is indexed under, field by field."""

from __future__ import annotations

from connectors.document import ROW, Location
from indexes.catalog.rows import StoredChunk
from indexes.sparse.fields import BODY, NAME, field_terms


def test_what_the_columns_of_a_row_are_called_is_a_hint_and_its_values_are_the_body() -> None:
    text = "ShipName: Vins et alcools\nFreight: 32.38\nNote: call at ten: then deliver"
    chunk = StoredChunk(1, text, "Orders 10248", Location(0, len(text), 1, 3), "x", "Orders 10248", ROW, "en", {})
    terms = field_terms(chunk)
    assert {"freight", "note"} <= set(terms[NAME])
    assert {"freight", "note"}.isdisjoint(terms[BODY])
    assert {"order", "10248", "32.38", "call", "ten"} <= set(terms[BODY])
