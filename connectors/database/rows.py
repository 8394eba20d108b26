"""Compares the rows of one table with the known documents."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from connectors.database.access.address import DatabaseDialect
from connectors.database.known_documents import Remembered
from connectors.database.reading.cursors import high_water, stamp_of
from connectors.database.reading.scanning import Row, RowBatch, ScanSession, batches, whole
from connectors.database.reading.statements import MAX_CELL_BYTES, TOO_LONG, chosen, keys_only, newer, statement
from connectors.database.rendering.links import Joined, joined
from connectors.database.rendering.rows import Renderer, row_uri
from connectors.database.structure.plans import Plan
from connectors.database.visited import Seen
from connectors.source import Added, Changed, Event, Failed, KnownDocument, Unchanged

_MARK = repr(TOO_LONG)[1:-1].encode()  # as it stands in the bytes of a row
_KEYS_AT_ONCE = 100  # rows that are read together


@dataclass(frozen=True, slots=True)
class Run:
    """The state shared by all tables of a run.

    Attributes:
        base: the URI of the database.
        database: its name.
        dialect: its kind.
        session: what is read through.
        remembered: what is known of its documents.
        seen: which of them were met.
    """

    base: str
    database: str
    dialect: DatabaseDialect
    session: ScanSession
    remembered: Remembered
    seen: Seen


class RowDifferences:
    """The changes among the rows of a plan.

    Attributes:
        duplicates: rows that share their key with another.
    """

    def __init__(self, run: Run, plan: Plan) -> None:
        self._run = run
        self._plan = plan
        self._statement = statement(plan, run.dialect)
        self._renderer = Renderer(plan, run.database)
        self._start = f"{run.base}#{plan.path}/"
        self._cursor_at = next(
            (len(plan.key) + place for place, column in enumerate(plan.columns) if column.name == plan.cursor), None
        )
        self.duplicates = 0

    @property
    def hidden(self) -> Counter[str]:
        """How many values of each column were left out because they look secret."""
        return self._renderer.hidden

    def events(self) -> Iterator[Event]:
        """One event for each row.

        Raises:
            sqlalchemy.exc.DBAPIError: they cannot be read, or not to the end.
        """
        plan, session = self._plan, self._run.session
        than = None
        if self._cursor_at is not None and plan.key:
            than = high_water(self._run.remembered.stamps(self._start), plan.shape)
        if than is None:
            for batch in batches(session, self._statement):
                yield from self._batch(batch)
            return
        for batch in batches(session, newer(self._statement, plan.cursor, than)):
            yield from self._batch(batch)
        yield from self._older()

    def _older(self) -> Iterator[Event]:
        """The rows the cursor leaves out, by their keys alone; those that nobody knows are read all the same."""
        run, unknown = self._run, []
        for batch in batches(run.session, keys_only(self._statement, self._plan, run.dialect)):
            uris = [row_uri(run.base, self._plan, row) for row in batch.rows]
            keys = dict(zip(uris, batch.rows, strict=True))
            left = run.seen.missing(uris)
            known = run.remembered.among(left)
            run.seen.add([uri for uri in left if uri in known])
            yield from (Unchanged(uri) for uri in left if uri in known)
            unknown += [keys[uri] for uri in left if uri not in known]
        for start in range(0, len(unknown), _KEYS_AT_ONCE):
            wanted = chosen(self._statement, unknown[start : start + _KEYS_AT_ONCE])
            yield from self._batch(run.session.again(partial(whole, select=wanted, limits=run.session.limits)))

    def _batch(self, batch: RowBatch) -> Iterator[Event]:
        run, plan = self._run, self._plan
        others = run.session.again(partial(joined, plan=plan, rows=batch.rows, dialect=run.dialect))
        uris = self._uris(batch.rows)
        is_new = run.seen.add(uris)
        known = run.remembered.among(uris)
        for place, uri in enumerate(uris):
            if not is_new[place]:
                self.duplicates += bool(plan.key) and not batch.again
                continue
            row, data = batch.rows[place], batch.data[place]
            if _MARK in data:
                yield from self._too_long(uri, row)
            told = data + repr(others[place]).encode("utf-8", "surrogatepass") if others[place] else data
            revision = hashlib.blake2b(told, digest_size=16, key=plan.shape).hexdigest()
            yield self._event(uri, row, others[place], revision, known)

    def _uris(self, rows: Sequence[Row]) -> list[str]:
        if len(self._plan.key) == 1:  # the common case, and the only one that needs to be fast
            start, base, plan = self._start, self._run.base, self._plan
            return [f"{start}{row[0]}" if type(row[0]) is int else row_uri(base, plan, row) for row in rows]
        return [row_uri(self._run.base, self._plan, row) for row in rows]

    def _event(self, uri: str, row: Row, others: Joined, revision: str, known: Mapping[str, KnownDocument]) -> Event:
        stamp = "" if self._cursor_at is None else stamp_of(row[self._cursor_at], self._plan.shape)
        before = known.get(uri)
        if before is not None and before.revision == revision:
            return Unchanged(uri, None if stamp == before.stamp else stamp)
        document = self._renderer.document(uri, row, others, revision)
        return Added(document, stamp) if before is None else Changed(document, stamp)

    def _too_long(self, uri: str, row: Row) -> Iterator[Failed]:
        for name, length in self._renderer.too_long(row):
            yield Failed(
                f"{uri}/{name}",
                f"{name} is {length:,} long: more than {MAX_CELL_BYTES:,} are not read; the rest of the row is indexed",
                "keep such texts in files, or leave the column out with a query",
            )
