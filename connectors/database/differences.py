"""One run over a database: what it reads, what has changed, and what is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import exc

from connectors.database.access.address import DatabaseAddress
from connectors.database.access.failures import reading_error
from connectors.database.access.options import DatabaseOptions
from connectors.database.known_documents import Remembered
from connectors.database.reading.queries import result_of
from connectors.database.reading.scanning import ScanSession
from connectors.database.rendering.schema_documents import schema_documents
from connectors.database.rows import RowDifferences, Run
from connectors.database.structure.plans import Plan, ReadingPlan, path_of, plan, plan_query
from connectors.database.structure.schema import reflect
from connectors.database.structure.selection import TableSelection, choose
from connectors.database.structure.tables import Schema
from connectors.database.visited import Seen
from connectors.document import Document
from connectors.errors import SourceError
from connectors.source import Added, Changed, Event, Failed, KnownDocument, Removed, Unchanged

_MEND = "repair it, or leave it out with --exclude-table"


class Differences:
    """One run.

    Attributes:
        notes: what a person should know: what is left out, and why.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        options: DatabaseOptions,
        session: ScanSession,
        known: Mapping[str, KnownDocument],
    ) -> None:
        self._options = options
        self._run = Run(address.uri, address.name, address.dialect, session, Remembered(known), Seen())
        self._unreadable: set[str] = set()  # paths of tables whose known rows stay
        self.notes: tuple[str, ...] = ()

    def events(self) -> Iterator[Event]:
        """One event for every document found or known.

        Raises:
            SourceError: there is nothing to read, or not what was asked for.
            sqlalchemy.exc.DBAPIError: the connection is lost for good.
        """
        if self._options.query:
            reading = plan_query(result_of(self._run.session.connection, self._options), self._options)
            self._begin(reading)
        else:
            schema = self._schema()
            choice = choose(
                schema, self._options, lambda path: self._run.remembered.get(f"{self._run.base}#{path}") is not None
            )
            reading = plan(schema, choice.tables, self._options)
            self._begin(reading, choice.notes)
            yield from self._structure(schema, choice)
        for each in reading.plans:
            yield from self._rows(each)
        yield from self._rest()

    def _schema(self) -> Schema:
        schema = reflect(self._run.session.connection, name=self._run.database)
        count = len(self._run.remembered)
        if not schema.tables and not schema.broken and count > 1:
            raise SourceError(
                f"{self._run.base} no longer has any tables; the {count} documents indexed from it are kept",
                hint="check that it is the right database; if they are gone for good, run `rag remove`",
            )
        return schema

    def _begin(self, reading: ReadingPlan, notes: tuple[str, ...] = ()) -> None:
        """Check that the columns that were named are somewhere."""
        self.notes = (*notes, *reading.notes)
        options = self._options
        for name in (*options.key, *options.text_columns, *filter(None, [options.cursor])):
            if not any(name in each.table.by_name for each in reading.plans):
                there = ", ".join(reading.plans[0].table.by_name) if len(reading.plans) == 1 else ""
                raise SourceError(
                    f"{self._run.base}: no such column: {name!r}",
                    hint=f"its columns are: {there}" if there else "spell it exactly as the database does",
                )

    def _structure(self, schema: Schema, choice: TableSelection) -> Iterator[Event]:
        for broken in choice.broken:
            yield self._failed(path_of(broken.table), broken.reason, _MEND)
        for document in schema_documents(self._run.base, schema, choice.described):
            yield self._compared(document)

    def _compared(self, document: Document) -> Event:
        self._run.seen.add([document.uri])
        before = self._run.remembered.get(document.uri)
        if before is None:
            return Added(document)
        return Unchanged(document.uri) if before.revision == document.revision else Changed(document)

    def _rows(self, of: Plan) -> Iterator[Event]:
        rows = RowDifferences(self._run, of)
        try:
            with self._run.session.apart():
                yield from rows.events()
        except exc.DBAPIError as error:
            if self._run.session.connection.invalidated:
                raise
            yield self._failed(of.path, *reading_error(error))
        if rows.duplicates:
            key = ", ".join(of.key)
            yield Failed(
                f"{self._run.base}#{of.path}/*",
                f"{rows.duplicates:,} rows share their {key} with another, and only the first of each is indexed",
                "name columns that identify every row: --key",
            )
        self.notes += tuple(
            f"{of.table.label}: left out {count:,} {'value' if count == 1 else 'values'} of {name} that "
            f"{'looks' if count == 1 else 'look'} secret"
            for name, count in sorted(rows.hidden.items())
        )

    def _failed(self, path: str, reason: str, hint: str) -> Failed:
        self._unreadable.add(path)
        return Failed(f"{self._run.base}#{path}/*", reason, hint)

    def _rest(self) -> Iterator[Event]:
        """What is known and was not met: gone, unless its table just cannot be read now."""
        for block in self._run.remembered.blocks():
            for uri in self._run.seen.missing(block):
                path = uri.removeprefix(f"{self._run.base}#").partition("/")[0]
                yield Unchanged(uri) if path in self._unreadable else Removed(uri)
