"""Examining a store: every invariant, read in pages, so that a million chunks need little memory. Nothing is changed.

What `indexes/repair.py` can mend is in the `Findings`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Column, Select, and_, exc, exists, false, func, or_, select

from connectors.errors import PilotfishError
from indexes.dense import outgrown, usable_state
from indexes.dense_base import open_base
from indexes.errors import LockedError, StoreError
from indexes.files import writer_lock
from indexes.late import TOKEN_BYTES
from indexes.reading import Ids, Reading, expand
from indexes.rows import attribute_values, checksum
from indexes.schema import alive, attributes, chunks, documents, settings, token_vectors, vectors
from indexes.sparse import Mask, SparseReader, damaged_files

if TYPE_CHECKING:
    from indexes.store import Store

_PAGE = 1_000  # rows in memory at a time
_SLICE = 100_000  # ids asked of the sparse index at a time
_NAMED = 5  # things a message names, of many
_SPARE_BYTES = 64_000_000  # free space wanted beyond that of the largest index
_REPAIR = "`rag doctor --repair`"
_REQUIRED = ("id", "encoder", "encoder_spec", "encoder_name", "dimensions")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was examined: whether it is as it should be, what was found, and what to do about it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(slots=True)
class Findings:
    """The checks of one examination, and what a repair needs to know beyond them.

    Attributes:
        checks: in the order they were made.
        readable: the rows of the catalog could be looked at.
        tables: they could not, because the database is damaged below them.
        documents: the documents that cannot be trusted as a whole: id → URI.
        lost: the chunks of those, and the chunks of no document.
        metadata: documents whose attributes are not those of their metadata: id → metadata.
        attributes: whether any attributes have to be written anew.
        hashes: texts whose vector or token vectors are missing or damaged.
        orphans: vectors to which no chunk refers.
        sparse, dense: the index has to be made anew.
    """

    checks: list[Check] = field(default_factory=list)
    readable: bool = False
    tables: bool = False
    documents: dict[int, str] = field(default_factory=dict)
    lost: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    metadata: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    attributes: bool = False
    hashes: set[bytes] = field(default_factory=set)
    orphans: int = 0
    sparse: bool = False
    dense: bool = False

    def add(self, name: str, problems: Sequence[str], detail: str, hint: str = "") -> None:
        """Note a check, which failed when there are problems."""
        self.checks.append(Check(name, not problems, named(problems) or detail, hint if problems else ""))


@dataclass(frozen=True, slots=True)
class _Held:
    """What the catalog says is alive, as far as it can be trusted.

    Attributes:
        ids: the chunks of the published generation, ascending.
        lacking: those without a vector.
        first, counts, owners: where the chunks of every sound document are, ascending, and its id.
        damaged: ids of the documents that are not sound, and whether the published generation sees them.
    """

    ids: Ids
    lacking: Ids
    first: Ids
    counts: Ids
    owners: Ids
    damaged: Mapping[int, bool]

    def chunks_of(self, document_ids: Collection[int]) -> Ids:
        """The chunks of those of these documents that are sound."""
        chosen = np.isin(self.owners, list(document_ids))
        return expand(np.stack([self.first[chosen], self.counts[chosen]], axis=1))


def examine(store: Store, *, locked: bool = False) -> Findings:
    """Check everything about a store; `locked` says that the caller is the one writer.

    A writer at work goes on; the derived indexes are then not compared, since it changes them.
    """
    found = Findings()
    _check_disk(store.path, found)
    try:
        with store.catalog.reading() as reading, _lenient(reading):
            _check_catalog(reading, found)
        if found.readable:
            with ExitStack() as still:
                idle = locked or _lock(store.path, still, found)
                with store.catalog.reading() as reading, _lenient(reading):
                    examination = _Examination(store, reading, found)
                    still.close()  # what is open now stays as it is, whoever writes
                    examination.run(idle=idle)
    except StoreError as error:
        found.checks.append(Check("catalog", ok=False, detail=str(error), hint=error.hint))
    return found


class _Examination:
    """The checks of a catalog that can be read."""

    def __init__(self, store: Store, reading: Reading, found: Findings) -> None:
        """Begin the snapshot, and open the derived indexes."""
        self._store = store
        self._reading = reading
        self._found = found
        self._generation = reading.generation()
        self._pending = reading.pending_generation()
        self._encoder = reading.setting("encoder")
        dense, self._dimensions = store.path / "dense", int(reading.setting("dimensions"))
        try:
            self._sparse: SparseReader | str = SparseReader(store.path / "sparse")
        except StoreError as error:
            self._sparse = str(error)
        self._state = usable_state(dense, reading, self._encoder, self._generation)
        self._base = open_base(dense, self._state, self._dimensions) if self._state.generation else None

    def run(self, *, idle: bool) -> None:
        """Make every check; those of the derived indexes when nobody is writing."""
        detail = f"generation {self._generation} is published"
        if self._pending is not None:
            detail += f"; {self._pending} is written, and the next `rag index` publishes it"
        self._found.add("generation", [], detail)
        held = self._check_chunks(self._check_documents())
        self._check_orphans()
        self._check_encoder()
        if idle:
            self._check_sparse(held.ids)
            self._check_dense(held.ids, held.lacking)
        else:
            for name in ("sparse", "dense"):
                self._found.add(name, [], "not compared while it is being written")

    def _check_documents(self) -> _Held:
        """Documents one by one, and what filters know of them."""
        connection = self._reading.connection
        registered = set(self._reading.source_uris().values())
        visible = alive(self._generation)
        concerned = visible if self._pending is None else or_(visible, alive(self._pending))
        problems: list[str] = []
        unlike: list[str] = []
        ranges: list[tuple[int, int, int, bool]] = []
        newest: dict[str, int] = {}
        damaged: dict[int, bool] = {}
        repeated = select(documents.c.uri).where(visible).group_by(documents.c.uri).having(func.count() > 1)
        twice = set(connection.scalars(repeated))
        statement = select(documents, visible.label("visible")).where(concerned)
        for page in self._pages(statement, documents.c.id):
            stored = self._attributes(page[0].id, page[-1].id)
            for row in page:
                if not _is_whole_document(row):
                    problems.append(f"document {row.id} ({row.uri}) is not what was written")
                elif row.source_id not in registered:
                    problems.append(f"document {row.id} ({row.uri}) has no source")
                else:
                    if row.uri in twice:
                        self._blame(newest, row, problems)
                    ranges.append((row.first_chunk, row.chunks, row.id, bool(row.visible)))
                    metadata = json.loads(row.metadata)
                    entries = [(row.id, *_entry(entry)) for entry in attribute_values(row.id, metadata)]
                    if Counter(entries) != Counter(stored.get(row.id, [])):
                        unlike.append(f"what filters know of {row.uri} is not its metadata")
                        self._found.metadata[row.id] = metadata
                    continue
                self._found.documents[row.id] = str(row.uri)
                damaged[row.id] = bool(row.visible)
        total = f"{len(ranges)} documents"
        self._found.add("documents", problems, total, _forget_hint(self._found.documents))
        owned = exists(select(1).where(documents.c.id == attributes.c.document_id))
        loose = connection.scalar(select(func.count()).select_from(attributes).where(~owned)) or 0
        if loose:
            unlike.append(f"{loose} entries belong to no document")
        self._found.attributes = bool(unlike)
        self._found.add("attributes", unlike, "as the metadata says", f"{_REPAIR} writes them again from the metadata")
        table = np.array(sorted(ranges), np.int64).reshape(-1, 4)
        ids = expand(table[table[:, 3] == 1, :2])
        return _Held(ids, ids[:0], table[:, 0], table[:, 1], table[:, 2], damaged)

    def _blame(self, newest: dict[str, int], row: Any, problems: list[str]) -> None:
        """Of two documents with one URI, blame the older."""
        before = newest.get(row.uri)
        newest[row.uri] = row.id
        if before is not None:
            problems.append(f"there are two documents {row.uri}")
            self._found.documents[before] = row.uri

    def _attributes(self, first: int, last: int) -> dict[int, list[tuple[Any, ...]]]:
        stored: dict[int, list[tuple[Any, ...]]] = {}
        for row in self._reading.connection.execute(
            select(attributes).where(attributes.c.document_id.between(first, last))
        ):
            stored.setdefault(row.document_id, []).append(tuple(row))
        return stored

    def _check_chunks(self, held: _Held) -> _Held:
        """Chunks one by one, each with its vector of record and its token vectors."""
        problems: list[str] = []
        blamed: dict[int, str] = {}
        lost: list[int] = []
        visible: list[int] = []
        lacking: list[int] = []
        counts = np.zeros(len(held.first), np.int64)
        owners = set(held.owners.tolist())
        keeps_tokens = self._keeps_tokens()
        vector_problems: list[str] = []
        token_problems: list[str] = []
        for page in self._pages(_CHUNKS(self._encoder), chunks.c.id):
            for row in page:
                place = int(np.searchsorted(held.first, row.id, side="right")) - 1
                owned = place >= 0 and row.id < held.first[place] + held.counts[place]
                if not owned:
                    if row.document_id in held.damaged:
                        lost.append(row.id)
                        visible += [row.id] if held.damaged[row.document_id] else []
                    elif row.owner is None or row.document_id in owners:
                        problems.append(f"passage {row.id} is of no document")
                        lost.append(row.id)
                    continue
                counts[place] += 1
                owner = int(held.owners[place])
                expected = checksum(row.id, row.document_id, row.text, row.context, row.location, row.text_hash)
                if row.checksum != expected or row.document_id != owner:
                    problems.append(f"passage {row.id} is not what was written")
                    blamed[owner] = ""
                    continue
                if row.vector is None:
                    lacking.append(row.id)
                if trouble := _vector_trouble(row, self._dimensions):
                    vector_problems.append(f"the vector of passage {row.id} is {trouble}")
                    self._found.hashes.add(row.text_hash)
                if trouble := _token_trouble(row, kept=keeps_tokens):
                    token_problems.append(f"the token vectors of passage {row.id} are {trouble}")
                    self._found.hashes.add(row.text_hash)
        for place in np.flatnonzero(counts != held.counts).tolist():
            owner = int(held.owners[place])
            problems.append(f"document {owner} has {counts[place]} of its {held.counts[place]} passages")
            blamed[owner] = ""
        self._found.documents.update(blamed := self._uris(blamed))
        self._found.lost = np.union1d(held.chunks_of(self._found.documents), np.array(lost, np.int64))
        again = "the next `rag index` embeds them again"
        if not self._reading.lacks_vectors():
            again = f"{_REPAIR} drops them, and {again}"
        self._found.add("chunks", problems, f"{counts.sum()} passages", _forget_hint(blamed))
        self._found.add("vectors", vector_problems, "one for every passage", again)
        kept = "some for every passage" if keeps_tokens else "none are kept"
        self._found.add("tokens", token_problems, kept, again)
        ids = np.union1d(held.ids, np.array(visible, np.int64))
        return _Held(ids, np.array(lacking, np.int64), held.first, held.counts, held.owners, held.damaged)

    def _uris(self, blamed: Mapping[int, str]) -> dict[int, str]:
        rows = self._reading.connection.execute(
            select(documents.c.id, documents.c.uri).where(documents.c.id.in_(list(blamed)[:_PAGE]))
        )
        return {**blamed, **{row.id: row.uri for row in rows}}

    def _keeps_tokens(self) -> bool:
        """Whether there should be token vectors: not with an encoder that makes none."""
        if not self._reading.keeps_tokens():
            return False
        if self._reading.has_tokens(self._encoder):
            return True
        try:
            return len(self._store.encoder.encode_query("a").tokens) > 0
        except PilotfishError:  # told by the check of the encoder
            return False

    def _check_orphans(self) -> None:
        count = 0
        for table, kept in ((vectors, True), (token_vectors, self._reading.keeps_tokens())):
            used = exists(select(1).where(chunks.c.text_hash == table.c.text_hash)) if kept else false()
            unused = select(func.count()).select_from(table).where(or_(table.c.encoder != self._encoder, ~used))
            count += self._reading.connection.scalar(unused) or 0
        if self._reading.setting("embedding"):
            self._found.add("orphans", [], f"{count} vectors of an interrupted run; the next `rag index` sweeps them")
            return
        self._found.orphans = count
        problems = [f"{count} vectors belong to no passage or to another encoder"] if count else []
        self._found.add("orphans", problems, "no vector is left over", f"{_REPAIR} deletes them")

    def _check_encoder(self) -> None:
        name = self._reading.setting("encoder_name")
        try:
            self._store.encoder  # noqa: B018 — it compares the fingerprints
        except PilotfishError as error:
            self._found.add("encoder", [str(error)], "", error.hint)
        else:
            self._found.add("encoder", [], name)

    def _check_sparse(self, live: Ids) -> None:
        sparse = self._sparse
        problems = [sparse] if isinstance(sparse, str) else self._compare_sparse(sparse, live)
        self._found.sparse = bool(problems)
        self._found.add("sparse", problems, f"holds the {len(live)} passages", _REBUILD)

    def _compare_sparse(self, sparse: SparseReader, live: Ids) -> list[str]:
        state = sparse.state
        if state.mark != self._reading.mark(state.generation):
            return ["the sparse index belongs to another catalog, or another past of this one"]
        if state.generation not in (self._generation, self._pending):
            return [f"the sparse index is of generation {state.generation}"]
        try:
            damaged = damaged_files(self._store.path / "sparse" / state.folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return [f"the sparse index cannot be read: {error}"]
        if damaged:
            return [f"sparse/{state.folder}/{name} is not what was written" for name in damaged]
        mask = Mask(self._generation, self._reading.dead_chunks(state.purged, self._generation))
        end = max(int(self._reading.setting("next_chunk", "1")), int(live[-1]) + 1 if len(live) else 0)
        wrong = 0
        for first in range(0, end + _SLICE, _SLICE):
            last = first + _SLICE - 1 if first < end else _LAST
            held = sparse.visible_ids(first, last, mask)
            wanted = live[np.searchsorted(live, first) : np.searchsorted(live, last, side="right")]
            if not np.array_equal(held, wanted):
                wrong += len(np.setxor1d(held, wanted)) + len(held) - len(np.unique(held))
        return [f"the sparse index lacks, or holds too many of, {wrong} passages"] if wrong else []

    def _check_dense(self, live: Ids, lacking: Ids) -> None:
        problems = self._compare_dense(live, lacking)
        self._found.dense = bool(problems)
        count = self._state.count
        held = f"holds the {len(live)} passages, {count} of them in its file" if count else "needs no file yet"
        self._found.add("dense", problems, held, _REBUILD)

    def _compare_dense(self, live: Ids, lacking: Ids) -> list[str]:
        folder, base, state = self._store.path / "dense", self._base, self._state
        if not state.generation:
            if any(folder.glob("*.json")):
                return ["the dense index is damaged, or belongs to another catalog or encoder"]
            return ["the dense index is missing"] if outgrown(len(live), 0) else []
        if base is None:
            return [f"dense/{state.file} is missing or not what was written"]
        held = np.setdiff1d(base.ids, self._reading.dead_chunks(state.generation, self._generation))
        delta = self._reading.born_chunks(state.generation, self._generation)
        unlike = np.setxor1d(np.union1d(held, delta), live)
        wrong = len(np.setdiff1d(unlike, lacking)) + len(np.intersect1d(held, delta))
        return [f"the dense index lacks, or holds too many of, {wrong} passages"] if wrong else []

    def _pages(self, statement: Select[Any], key: Column[int]) -> Iterator[Sequence[Any]]:
        """Pages of rows, by ascending key."""
        rows = self._reading.connection.execute(statement.order_by(key).limit(_PAGE)).all()
        while rows:
            yield rows
            after = rows[-1][0]
            rows = self._reading.connection.execute(statement.where(key > after).order_by(key).limit(_PAGE)).all()


def _lock(folder: Path, still: ExitStack, found: Findings) -> bool:
    """Keep writers out until `still` is closed; returns whether none is at work."""
    try:
        still.enter_context(writer_lock(folder, 0))
    except LockedError as error:
        found.add("lock", [], str(error))
        return False
    except StoreError as error:  # a folder that cannot be written
        found.add("lock", [], str(error))
    else:
        found.add("lock", [], "nobody is writing")
    return True


def _check_disk(folder: Path, found: Findings) -> None:
    parts = [(folder / part).rglob("*") for part in ("sparse", "dense")]
    largest = max(sum(file.stat().st_size for file in files if file.is_file()) for files in parts)
    free, wanted = shutil.disk_usage(folder).free, largest + _SPARE_BYTES
    problems = []
    if free < wanted:
        problems.append(f"{_megabytes(free)} are free, and writing the largest index anew takes {_megabytes(wanted)}")
    if not os.access(folder, os.W_OK):
        problems.append(f"{folder} cannot be written")
    hint = "free some space, and check that you may write to the folder; searching works meanwhile"
    found.add("disk", problems, f"{_megabytes(free)} are free", hint)


def _check_catalog(reading: Reading, found: Findings) -> None:
    try:
        said = [str(row[0]) for row in reading.connection.exec_driver_sql(f"PRAGMA integrity_check({_PAGE})")]
    except (exc.DatabaseError, UnicodeDecodeError) as error:
        said = [str(getattr(error, "orig", error))]
    found.tables = said != ["ok"]
    if found.tables:
        found.add("catalog", said, "", f"{_REPAIR} mends its look-up tables, if it is those")
        return
    present = {row.key: row.value for row in reading.connection.execute(select(settings))}
    numbers = ("generation", "dimensions", "next_document", "next_chunk")
    problems = [f"the setting {key!r} is missing" for key in _REQUIRED if not present.get(key)]
    problems += [f"the setting {key!r} is no number" for key in numbers if not present.get(key, "0").isdecimal()]
    if not problems:
        problems = [
            f"{table.name} are numbered past {key!r}"
            for key, table in (("next_document", documents), ("next_chunk", chunks))
            if int(present.get(key, "1")) <= (reading.connection.scalar(select(func.max(table.c.id))) or 0)
        ]
        if reading.generation() and not reading.mark(reading.generation()):
            problems.append(f"generation {reading.generation()} has no mark")
    found.add("catalog", problems, "sound", "restore it from a backup, or index its sources again")
    found.readable = not problems


@contextmanager
def _lenient(reading: Reading) -> Iterator[None]:
    """Read bytes that are no text too: the checksum tells that they are damaged, and of which row."""
    driver: Any = reading.connection.connection.driver_connection
    driver.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        yield
    finally:
        driver.text_factory = str


def _CHUNKS(encoder: str) -> Select[Any]:  # noqa: N802
    """Every chunk, the id of its document if that exists, and its vectors of record."""
    return (
        select(
            chunks,
            documents.c.id.label("owner"),
            vectors.c.vector,
            vectors.c.checksum.label("vector_checksum"),
            token_vectors.c.codes,
            token_vectors.c.checksum.label("codes_checksum"),
        )
        .outerjoin(documents, documents.c.id == chunks.c.document_id)
        .outerjoin(vectors, and_(vectors.c.text_hash == chunks.c.text_hash, vectors.c.encoder == encoder))
        .outerjoin(
            token_vectors, and_(token_vectors.c.text_hash == chunks.c.text_hash, token_vectors.c.encoder == encoder)
        )
    )


def _is_whole_document(row: Any) -> bool:
    return bool(
        row.checksum
        == checksum(
            row.id, row.uri, row.title, row.kind, row.language, row.revision, row.metadata, row.first_chunk, row.chunks
        )
    )


def _entry(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["key"], entry["text"], entry["number"]


def _vector_trouble(row: Any, dimensions: int) -> str:
    if row.vector is None:
        return "missing"
    whole = row.vector_checksum == checksum(row.vector) and len(row.vector) == 2 * dimensions
    return "" if whole else "not what was written"


def _token_trouble(row: Any, *, kept: bool) -> str:
    if row.codes is None or not kept:
        return "missing" if kept else ""
    whole = row.codes_checksum == checksum(row.codes) and len(row.codes) % TOKEN_BYTES == 0
    return "" if whole else "not what was written"


def _forget_hint(blamed: Mapping[int, str]) -> str:
    uris = named(list(blamed.values()))
    return f"{_REPAIR} forgets what is damaged, and the next `rag index` reads it again from its source: {uris}"


def named(things: Sequence[str]) -> str:
    """The first few of many things, and how many more there are."""
    more = f", and {len(things) - _NAMED} more" if len(things) > _NAMED else ""
    return ", ".join(things[:_NAMED]) + more


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB".replace(",", " ")


_REBUILD = f"{_REPAIR}, or the next `rag index`, makes it anew from the catalog; nothing is embedded"
_LAST = 2**63 - 1
