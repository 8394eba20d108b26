"""What a knowledge base holds, in a form that two of them can be compared by: without row ids and file names."""

from __future__ import annotations

import re
import shutil
import tempfile
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import create_engine, inspect, select

from connectors.document import with_context
from indexes.catalog.rows import dump_location
from indexes.catalog.schema import alive, chunks, documents, token_vectors, vectors
from indexes.errors import NoKnowledgeBaseError
from indexes.store import CATALOG_FILE, Store, View
from indexes.terms.analyzer import analyze
from rag import KnowledgeBase, Mode
from tests.crash.encoder import WordEncoder

MARKER = re.compile(r"\bzz[a-p]+x\b")  # every section of the test documents has one of its own
COMMON = "clerk"  # and this word, too
EVERYTHING = 10_000
_NEAR = 2e-3  # vectors of record are 16-bit floats

State = dict[str, Any]


def read(kb: Path) -> State:
    """Open a knowledge base as a user would, search it, check that its parts agree, and describe it.

    Raises:
        AssertionError: the parts disagree.
        PilotfishError: it cannot be opened or searched.
    """
    notices: list[str] = []
    try:
        base = KnowledgeBase.open(kb, create=False, notify=notices.append)
    except NoKnowledgeBaseError:
        return {"generation": None}
    held = {mode: base.search(COMMON, k=EVERYTHING, mode=mode, fold=False) for mode in Mode}
    base.close()
    state = {"notices": notices, **describe(kb)}
    texts = [with_context(context, text) for _uri, _location, context, text in state["chunks"]]
    for mode, hits in held.items():
        found = sorted([hit.uri, dump_location(hit.location), hit.context, hit.text] for hit in hits)
        assert found == state["chunks"], f"{mode} search sees other chunks than the catalog"
    base = KnowledgeBase.open(kb, create=False)
    for text, mode in zip(texts[:: max(1, len(texts) // 3)], cycle(Mode)):
        best = base.search(text, k=3, mode=mode)[0]
        assert text.endswith(best.text), f"{mode} search for {text!r} finds {best.text!r}"
    base.close()
    return state


def describe(kb: Path) -> State:
    """Describe a knowledge base whose parts agree.

    Raises:
        AssertionError: they do not.
        PilotfishError: it cannot be opened.
    """
    store = Store(kb, notify=lambda line: None)
    with store.view() as view:
        state = _describe(view)
        _check_agreement(view)
    store.close()
    return state


def mend(kb: Path) -> State:
    """Finish what an interrupted run left, as the next writer does before anything else, and read."""
    store = Store(kb, notify=lambda line: None)
    with store.writer():
        pass
    store.close()
    return read(kb)


def _describe(view: View) -> State:
    generation, connection = view.indexes.generation, view.reading.connection
    live = select(chunks.c.text_hash).join(documents, documents.c.id == chunks.c.document_id).where(alive(generation))
    used = select(chunks.c.text_hash)
    return {
        "generation": generation,
        "encoder": view.encoder,
        "sources": sorted(view.reading.source_uris()),
        "documents": sorted(
            list(row)
            for row in connection.execute(
                select(
                    documents.c.uri,
                    documents.c.title,
                    documents.c.kind,
                    documents.c.language,
                    documents.c.revision,
                    documents.c.metadata,
                ).where(alive(generation))
            )
        ),
        "chunks": sorted(
            [chunk.uri, dump_location(chunk.location), chunk.context, chunk.text]
            for chunk in view.reading.chunks_of_generation(0, generation)
        ),
        **{
            name: sorted(
                [encoder, key.hex(), value.hex()]
                for encoder, key, value in connection.execute(
                    select(table.c.encoder, table.c.text_hash, value).where(table.c.text_hash.in_(live))
                )
            )
            for name, table, value in (
                ("vectors", vectors, vectors.c.vector),
                ("token vectors", token_vectors, token_vectors.c.codes),
            )
        },
        "orphan vectors": len(
            connection.execute(select(vectors.c.text_hash).where(vectors.c.text_hash.not_in(used))).all()
        ),
    }


def _check_agreement(view: View) -> None:
    """Check chunk for chunk that catalog, sparse and dense index hold the same."""
    held = {chunk.id: chunk for chunk in view.reading.chunks_of_generation(0, view.indexes.generation)}
    ids = np.array(sorted(held), np.int64)
    sparse, dense, mask = view.indexes.sparse, view.indexes.dense, view.mask({})
    encoder = WordEncoder(view.encoder, None)
    assert sorted(sparse.search(analyze(COMMON), EVERYTHING, mask)[0].tolist()) == ids.tolist(), "sparse: other chunks"
    some = encoder.vector(COMMON)
    nearest, cosines = view.nearest(some, EVERYTHING, mask)
    assert sorted(nearest.tolist()) == ids.tolist(), "dense: other chunks"
    holders: dict[str, list[int]] = {}  # a renamed file is there twice until the generation that drops the old name
    for key, chunk in held.items():
        holders.setdefault(MARKER.findall(chunk.text)[0], []).append(key)
    for marker, keys in holders.items():
        found = sorted(sparse.search(analyze(marker), EVERYTHING, mask)[0].tolist())
        assert found == sorted(keys), f"sparse: {marker} is in {found}, not in {sorted(keys)}"
    for key, cosine in zip(nearest.tolist(), cosines.tolist(), strict=True):
        text = held[key].indexed_text
        vector = encoder.vector(text)
        assert abs(cosine - vector @ some) < _NEAR, f"the vector of record of {text!r} is another one"
        same = {candidate for candidate in dense.candidates(vector, 1).tolist() if held[candidate].indexed_text == text}
        assert same, f"dense: the vector of {text!r} is another one"


def generations(kb: Path) -> dict[int, list[list[str]]]:
    """Generation → [uri, revision] of its documents, for every generation that the rows remember."""
    store = Store(kb, notify=lambda line: None)
    with store.view() as view:
        found = {
            generation: sorted(
                list(row)
                for row in view.reading.connection.execute(
                    select(documents.c.uri, documents.c.revision).where(alive(generation))
                )
            )
            for generation in range(view.indexes.generation + 1)
        }
    store.close()
    return found


def stored_texts(kb: Path) -> list[str]:
    """Encoder and text hash of every vector of record, read without opening, and so mending, the knowledge base."""
    with tempfile.TemporaryDirectory() as scratch:
        for file in kb.glob(f"{CATALOG_FILE}*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, scratch)
        engine = create_engine(f"sqlite:///{scratch}/{CATALOG_FILE}")
        with engine.connect() as connection:
            if not inspect(connection).has_table(vectors.name):
                return []
            rows = connection.execute(select(vectors.c.encoder, vectors.c.text_hash)).all()
        engine.dispose()
        return [f"{encoder} {key.hex()}" for encoder, key in rows]
