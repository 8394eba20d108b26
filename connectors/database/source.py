"""A database as a Source: every row and the schema become documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy import Engine, exc

from connectors.database.access.address import DatabaseAddress, parse_address
from connectors.database.access.connecting import BUSY_SECONDS, connect
from connectors.database.access.credentials import Ask, Credentials, ask_on_terminal
from connectors.database.access.failures import reading_error
from connectors.database.access.options import DatabaseOptions
from connectors.database.differences import Differences
from connectors.database.reading.scanning import ScanLimits, ScanSession
from connectors.database.structure.plans import part_of
from connectors.database.structure.schema import reflect
from connectors.errors import ConfigurationError, SourceError
from connectors.source import Event, KnownDocument, Options


class DatabaseSource:
    """The rows of a database, or of one query.

    Arguments:
        spec: its address, such as `sqlite:///shop.db` or `postgresql://ann@host/shop`. A password in it is used and
            not kept; `${NAME}` in its place is, and stands for an environment variable.
        options: `DatabaseOptions` as they are stored.
        ask: asks a person for a password that is needed and not known.
        limits: how much is read at a time.
        busy_seconds: how long to wait for a writer of an SQLite file.

    Each run reads one state of the database, in a transaction that can only read.
    """

    def __init__(
        self,
        spec: str,
        options: Options | None = None,
        *,
        ask: Ask = ask_on_terminal,
        limits: ScanLimits = ScanLimits(),  # noqa: B008 - frozen
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        address, typed = parse_address(spec)
        asked = DatabaseOptions.read(options or {})
        if asked.query and not asked.name and address.fragment:
            asked = replace(asked, name=address.fragment)
        parameters = {**asked.parameter_map(), **address.parameters}
        self.address: DatabaseAddress = replace(address, parameters=MappingProxyType(parameters), fragment="")
        self.credentials: Credentials = typed.stored(asked.user, asked.password_from)
        self._options = replace(
            asked,
            user=self.credentials.user,
            password_from=self.credentials.reference,
            parameters=tuple(f"{name}={value}" for name, value in sorted(parameters.items())),
        )
        self._fragment = address.fragment
        self._ask = ask
        self._limits = limits
        self._busy_seconds = busy_seconds
        self._answer: str | None = None
        self._differences: Differences | None = None

    @property
    def uri(self) -> str:
        """The address without user and password; of a query, with its name behind `#`."""
        name = self._options.query_name if self._options.query else self._fragment
        return f"{self.address.uri}#{part_of(name)}" if name else self.address.uri

    @property
    def options(self) -> Options:
        """What it must be opened with to be the same source again; no password."""
        return self._options.stored()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of the last run: what was left out, and why."""
        return self._differences.notes if self._differences else ()

    def connect(self) -> Engine:
        """An engine that can only read this database.

        Raises:
            SourceError: it cannot be reached, or the password is refused or missing.
        """
        return connect(self.address, self.credentials, ask=self._ask_once, busy_seconds=self._busy_seconds)

    def size_hint(self) -> int | None:
        """About how many rows there are; None when that is not known."""
        if self._options.query:
            return None
        try:
            engine = self.connect()
        except (SourceError, ConfigurationError):
            return None  # told when the rows are asked for
        try:
            schema = reflect(engine, samples=False)
        except exc.DBAPIError:
            return None
        finally:
            engine.dispose()
        wanted = {table.label for name in self._options.tables if (table := schema.find(name))}
        left_out = {table.label for name in self._options.exclude_tables if (table := schema.find(name))}
        counts = [
            table.rows
            for table in schema.tables
            if table.label not in left_out and (table.label in wanted if wanted else not table.is_view)
        ]
        return sum(count or 0 for count in counts) if any(counts) else None

    def events(self, known: Mapping[str, KnownDocument]) -> Iterator[Event]:
        """One event for every row found, every table described, and every document known.

        A table that cannot be read is reported, and what is known of it stays.

        Raises:
            SourceError: the database cannot be reached or looked at, a named table was never there, or all tables of
                several known documents are gone.
        """
        if self._fragment and not self._options.query:
            raise SourceError(
                f"{self.uri}: no query of this name is known; an address must name a whole database",
                hint=f"to read one of its tables: --table {self._fragment}",
            )
        session = ScanSession(self.connect, self._limits)
        try:
            self._differences = Differences(self.address, self._options, session, known)
            yield from self._differences.events()
        except exc.DBAPIError as error:
            reason, hint = reading_error(error)
            raise SourceError(f"{self.uri}: {reason}", hint=hint) from None
        finally:
            session.close()

    def _ask_once(self, uri: str) -> str | None:
        if self._answer is None:
            self._answer = self._ask(uri)
        return self._answer
