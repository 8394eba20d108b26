"""Checks every invariant of a store. Reads in pages, so a million chunks need little memory. Changes nothing.

The `Findings` list what `indexes/doctor/repair.py` can repair.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import exc, func, select

from connectors.errors import PilotfishError
from indexes.catalog.reading import Ids, Reading
from indexes.catalog.schema import chunks, documents, settings
from indexes.dense.base import open_base
from indexes.dense.dense import usable_state
from indexes.doctor.findings import REPAIR, Check, Findings
from indexes.doctor.rows import RowExamination
from indexes.errors import LockedError, StoreError
from indexes.files import writer_lock
from indexes.sparse.sparse import Mask, SparseReader
from indexes.sparse.tantivy_files import damaged_files

if TYPE_CHECKING:
    from indexes.store import Store

_COMPLAINTS = 100  # of the database, about itself
_SLICE = 100_000  # ids asked of the sparse index at a time
_SPARE_BYTES = 64_000_000  # free space wanted beyond that of the largest index
_REQUIRED = ("id", "encoder", "encoder_spec", "encoder_name", "dimensions")


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
        self._rows = RowExamination(reading, found)
        self._encoder = reading.setting("encoder")
        dense, self._dimensions = store.path / "dense", reading.dimensions()
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
        held = self._rows.check_documents()
        self._rows.check_names()
        held = self._rows.check_chunks(held, keeps_tokens=self._keeps_tokens())
        self._rows.check_orphans()
        self._check_encoder()
        if idle:
            self._check_sparse(held.ids)
            self._check_dense(held.ids, held.lacking)
        else:
            for name in ("sparse", "dense"):
                self._found.add(name, [], "not compared while it is being written")

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
        self._found.add("sparse", problems, f"holds all {len(live)} passages", _REBUILD)

    def _compare_sparse(self, sparse: SparseReader, live: Ids) -> list[str]:
        state = sparse.state
        if state.mark != self._reading.mark(state.generation):
            return ["the sparse index belongs to another catalog, or to another history of this one"]
        if state.generation not in (self._generation, self._pending):
            return [f"the sparse index is of generation {state.generation}"]
        try:
            damaged = damaged_files(self._store.path / "sparse" / state.folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            return [f"the sparse index cannot be read: {error}"]
        if damaged:
            return [f"sparse/{state.folder}/{name} is not what was written" for name in damaged]
        mask = Mask(self._generation, self._reading.dead_chunks(state.purged, self._generation))
        wrong = 0
        # Cut where passages are, not where numbers are: a catalog may claim any.
        starts = [0, *live[_SLICE::_SLICE].tolist()]
        for first, following in zip(starts, [*starts[1:], _LAST + 1], strict=True):
            last = following - 1
            held = sparse.visible_ids(first, last, mask)
            wanted = live[np.searchsorted(live, first) : np.searchsorted(live, last, side="right")]
            if not np.array_equal(held, wanted):
                wrong += len(np.setxor1d(held, wanted)) + len(held) - len(np.unique(held))
        return [f"the sparse index lacks, or holds too many of, {wrong} passages"] if wrong else []

    def _check_dense(self, live: Ids, lacking: Ids) -> None:
        problems = self._compare_dense(live, lacking)
        self._found.dense = bool(problems)
        count = self._state.count
        held = f"holds all {len(live)} passages, {count} of them in its file" if count else "needs no file yet"
        self._found.add("dense", problems, held, _REBUILD)

    def _compare_dense(self, live: Ids, lacking: Ids) -> list[str]:
        folder, base, state = self._store.path / "dense", self._base, self._state
        if not state.generation:
            if any(folder.glob("*.json")):
                return ["the dense index is damaged, somebody else's, or belongs to another catalog or encoder"]
            return ["the dense index is missing"] if self._store.limits.outgrown(len(live), 0) else []
        if base is None:
            return [f"dense/{state.file} is missing or not what was written"]
        held = np.setdiff1d(base.ids, self._reading.dead_chunks(state.generation, self._generation))
        delta = self._reading.born_chunks(state.generation, self._generation)
        unlike = np.setxor1d(np.union1d(held, delta), live)
        wrong = len(np.setdiff1d(unlike, lacking)) + len(np.intersect1d(held, delta))
        return [f"the dense index lacks, or holds too many of, {wrong} passages"] if wrong else []


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
        problems.append(f"{_megabytes(free)} are free, but rebuilding the largest index needs {_megabytes(wanted)}")
    if not os.access(folder, os.W_OK):
        problems.append(f"{folder} cannot be written")
    hint = "free some space, and check that you may write to the folder; searches still work"
    found.add("disk", problems, f"{_megabytes(free)} are free", hint)


def _check_catalog(reading: Reading, found: Findings) -> None:
    try:
        said = [str(row[0]) for row in reading.connection.exec_driver_sql(f"PRAGMA integrity_check({_COMPLAINTS})")]
    except (exc.DatabaseError, UnicodeDecodeError) as error:
        said = [str(getattr(error, "orig", error))]
    found.tables = said != ["ok"]
    if found.tables:
        found.add("catalog", said, "", f"{REPAIR} repairs its look-up tables, if they are the cause")
        return
    present = {row.key: str(row.value) for row in reading.connection.execute(select(settings))}
    numbers = ("generation", "dimensions", "next_document", "next_chunk")
    problems = [f"the setting {key!r} is missing" for key in _REQUIRED if not present.get(key)]
    problems += [f"the setting {key!r} is not a number" for key in numbers if not present.get(key, "0").isdecimal()]
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


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB".replace(",", " ")


_REBUILD = f"{REPAIR} or the next `rag index` rebuilds it from the catalog; nothing is embedded"
_LAST = 2**63 - 1
