"""What is known of a source, read at once or in pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexes.catalog.known import StoredKnown
from indexes.store import Store
from indexes.writer import Batch, NewDocument, Writer
from tests.indexes.conftest import make_document


def add(writer: Writer, source: str, *uris: str) -> None:
    made = [make_document(uri, uri) for uri in uris]
    key = writer.register(source)
    writer.commit(Batch([NewDocument(key, document, chunks, f"stamp of {document.uri}") for document, chunks in made]))


@pytest.mark.parametrize("held", [0, 100])
def test_what_is_known_is_as_it_was_at_the_beginning(tmp_path: Path, held: int) -> None:
    uris = [f"/{number}" for number in range(5)]
    store = Store(tmp_path / "kb", create=True)
    with store.writer() as writer:
        add(writer, "/one", *uris)
        add(writer, "/other", "/elsewhere")
        assert isinstance(writer.known("/one"), StoredKnown)
        known = StoredKnown(store.catalog, writer.register("/one"), writer.generation, held=held, page=2)
        writer.commit(Batch(removed=["/1"]))
        add(writer, "/one", "/3", "/new")

        assert list(known) == uris
        assert len(known) == 5
        assert known["/3"].stamp == "stamp of /3"
        assert "/new" not in known
        assert "/elsewhere" not in known
        assert set(known.among(["/new", "/1", "/4", "/elsewhere"])) == {"/1", "/4"}
        assert sorted(writer.known("/one")) == ["/0", "/2", "/3", "/4", "/new"]
        assert writer.known("/nowhere") == {}
    store.close()
