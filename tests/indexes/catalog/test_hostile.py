"""A catalog whose rows, or whose schema, somebody made to break a reader: a clear error, and never more than that."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import PilotfishError
from indexes.catalog.rows import blob_checksum, checksum, document_checksum
from indexes.catalog.schema import LONGEST_VALUE
from indexes.doctor.doctor import examine
from indexes.errors import StoreError
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from rag import KnowledgeBase
from tests.indexes.conftest import BagEncoder, make_document

ROOM = 2 << 30  # bytes of address space beyond what is in use


@pytest.fixture
def made(tmp_path: Path, bag: BagEncoder) -> Path:
    store = Store(tmp_path / "kb", create=True)
    with store.writer() as writer:
        source = writer.register("/source")
        made = [make_document(f"/{number}", f"alpha {number}", year=2000) for number in range(5)]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in made]))
    store.close()
    return tmp_path / "kb"


def change(folder: Path, *statements: str) -> None:
    """What a sender does, who can write anything."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as catalog, catalog:
        catalog.row_factory = sqlite3.Row
        catalog.text_factory = lambda data: data.decode("utf-8", "replace")
        catalog.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            catalog.execute(statement)
        for row in catalog.execute("SELECT * FROM documents").fetchall():
            catalog.execute(
                "UPDATE documents SET checksum = ? WHERE id = ?", (document_checksum(row["id"], dict(row)), row["id"])
            )
        for row in catalog.execute("SELECT * FROM chunks").fetchall():
            fits = checksum(*(row[name] for name in ("id", "document_id", "text", "context", "location", "text_hash")))
            catalog.execute("UPDATE chunks SET checksum = ? WHERE id = ?", (fits, row["id"]))
        for row in catalog.execute("SELECT * FROM vectors").fetchall():
            fits = blob_checksum(row["text_hash"], row["vector"])
            catalog.execute("UPDATE vectors SET checksum = ? WHERE text_hash = ?", (fits, row["text_hash"]))


@contextmanager
def little_memory() -> Iterator[None]:
    """Refuse more than `ROOM` on top of what the process has."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def use_everything(folder: Path) -> None:
    """What reads a knowledge base: each may refuse, by an error that is meant for people, and by nothing else."""
    uses: list[Callable[[KnowledgeBase], object]] = [
        lambda kb: kb.search("alpha 3"),
        lambda kb: kb.search("alpha 3", mode="dense", filters={"year": 2000}),
        lambda kb: kb.status(),
        lambda kb: kb.foreign_sources(),
        lambda kb: kb.check(),
        lambda kb: kb.index(),
        lambda kb: kb.repair(),
    ]
    for use in uses:
        with suppress(PilotfishError), closing(KnowledgeBase.open(folder, create=False)) as kb:
            use(kb)


MANY = "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n LIMIT 100000) SELECT i, '' FROM n"
NAN = np.full(24, np.nan, np.float16).tobytes().hex()
NEST = "replace(hex(zeroblob(100000)), '00', '[')"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET chunks = 4000000000000",
        "UPDATE documents SET chunks = 2000000000",
        "UPDATE documents SET chunks = -1",
        "UPDATE documents SET first_chunk = -9",
        "UPDATE documents SET first_chunk = 9223372036854775807",
        "UPDATE documents SET first_chunk = 'abc', chunks = x'00'",
        "UPDATE documents SET first_chunk = 1",
        "UPDATE documents SET uri = x'ff', title = 7, kind = 1.5",
        "UPDATE documents SET uri = '../../../etc/passwd', title = char(0) || char(27) || '[2J'",
        f"UPDATE documents SET metadata = {NEST}",
        "UPDATE documents SET metadata = '[1]'",
        'UPDATE documents SET metadata = \'{"year": {"a": [null]}}\'',
        "UPDATE documents SET metadata = 'x'",
        "UPDATE documents SET born = -5, died = 'x'",
        "UPDATE documents SET names = 'x', language = x'00'",
        f"UPDATE chunks SET location = {NEST}",
        "UPDATE chunks SET location = '[]'",
        "UPDATE chunks SET location = '[-5, 1e99, null, {}, [], 1, [1], 2]'",
        'UPDATE chunks SET location = \'[0, 5, 1, 1, null, null, ["f", "function"]]\'',
        "UPDATE chunks SET text = x'c3', context = 9",
        "UPDATE chunks SET text = CAST(x'eda080' AS TEXT)",
        "UPDATE chunks SET text = char(0)",
        "UPDATE chunks SET text_hash = 'text'",
        f"UPDATE vectors SET vector = x'{NAN}'",
        "UPDATE vectors SET vector = 'text'",
        "UPDATE vectors SET vector = zeroblob(3)",
        "UPDATE settings SET value = 'x' WHERE key = 'generation'",
        "UPDATE settings SET value = '9223372036854775806' WHERE key = 'generation'",
        "UPDATE settings SET value = '" + "9" * 5_000 + "' WHERE key = 'generation'",
        "UPDATE settings SET value = '1000000000000' WHERE key = 'dimensions'",
        "UPDATE settings SET value = '-1' WHERE key = 'dimensions'",
        "DELETE FROM settings WHERE key = 'dimensions'",
        "UPDATE settings SET value = '\u0661' WHERE key = 'next_chunk'",
        "UPDATE settings SET value = x'ff'",
        "DELETE FROM settings",
        f"UPDATE sources SET options = {NEST}",
        "UPDATE sources SET options = '[]', facts = '7'",
        "UPDATE sources SET facts = '{\"notes\": 7}'",
        "INSERT INTO graves VALUES (1, 4000000000000, 1)",
        "INSERT INTO graves VALUES (-1, -1, -1)",
        f"INSERT INTO generations {MANY}",
        f"UPDATE chunks SET text = printf('%.*c', {LONGEST_VALUE + 1}, 'x') WHERE id = 1",
    ],
)
def test_rows_that_nobody_can_have_written_break_nothing(made: Path, statement: str) -> None:
    change(made, statement)
    with little_memory():
        use_everything(made)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("CREATE TRIGGER t AFTER UPDATE ON settings BEGIN DELETE FROM documents; END", "trigger 't'"),
        ("CREATE VIEW v AS SELECT 1", "view 'v'"),
        ("CREATE VIRTUAL TABLE f USING fts5(a)", "table 'f'"),
        ("ALTER TABLE settings ADD COLUMN g TEXT AS (hex(zeroblob(400000000)))", "table 'settings'"),
    ],
)
def test_a_schema_that_would_run_something_is_refused(made: Path, statement: str, named: str) -> None:
    change(made, statement)
    before = (made / "catalog.sqlite").read_bytes()
    for create in (False, True):
        with pytest.raises(StoreError, match=named) as refused:
            Store(made, create=create)
        assert refused.value.hint
    assert (made / "catalog.sqlite").read_bytes() == before


def test_a_view_in_place_of_a_table_is_refused(made: Path) -> None:
    with closing(sqlite3.connect(made / "catalog.sqlite")) as catalog, catalog:
        catalog.execute("ALTER TABLE documents RENAME TO real")
        catalog.execute("CREATE VIEW documents AS SELECT * FROM real")
    with pytest.raises(StoreError, match="view 'documents'"):
        Store(made)


def test_a_sound_catalog_is_not_complained_of(made: Path) -> None:
    change(made)
    store = Store(made)
    assert all(check.ok for check in examine(store).checks)
    with store.view() as view:
        assert len(view.indexes.sparse.search(["alpha"], 10, view.mask({}))[0]) == 5
    store.close()
