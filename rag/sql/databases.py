"""The database that a question is about: how to reach it, its tables, and which of them may be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import URL, exc

from connectors.database.access.address import parse_address
from connectors.database.access.failures import reading_error
from connectors.database.access.options import DatabaseOptions
from connectors.database.source import DatabaseSource
from connectors.database.structure.schema import reflect
from connectors.database.structure.secrets import looks_secret
from connectors.database.structure.selection import choose
from connectors.database.structure.tables import Schema, Table
from connectors.errors import ConfigurationError, SourceError
from connectors.registry import is_database
from connectors.source import Options
from rag.indexing.trust import check
from rag.sql.allowed import AllowedTable, AllowList, SqlDialect


@dataclass(frozen=True)
class Database:
    """A database that questions can be asked of.

    Attributes:
        uri: what it is called: no user, no password.
        url: how it is reached; never shown, never logged.
        tables: what of it may be read, without the columns that look like secrets.
        allowed: the same for the guard, and the names of those columns.
    """

    uri: str
    url: URL = field(repr=False)
    schema: Schema
    tables: tuple[Table, ...]
    allowed: AllowList


def choose_database(asked: str | None, registered: Mapping[str, Options]) -> tuple[str, Options]:
    """The address of the database that is meant, and how it is to be opened.

    Args:
        asked: the address or the name that somebody gave; None for the one there is.
        registered: the sources of a knowledge base and their options.

    Raises:
        ConfigurationError: there is none, there are several, or what was asked for is none.
    """
    known = {uri: options for uri, options in registered.items() if is_database(uri) and not options.get("query")}
    if asked is None:
        if len(known) == 1:
            return next(iter(known.items()))
        if not known:
            raise ConfigurationError(
                "no database is registered here",
                hint="name one with --database, or register it: rag index sqlite:///FILE",
            )
        raise ConfigurationError(
            f"{len(known)} databases are registered: {', '.join(known)}", hint="name one of them with --database"
        )
    if not is_database(asked):
        named = [uri for uri in known if parse_address(uri)[0].name == asked]
        if len(named) == 1:
            return named[0], known[named[0]]
        hint = (
            f"the databases here are: {', '.join(known)}" if known else "write it as sqlite:///FILE or postgresql://…"
        )
        raise ConfigurationError(f"{asked!r} is not a database", hint=hint)
    uri = parse_address(asked)[0].uri
    return asked, known.get(uri, {})


def open_database(spec: str, options: Options | None = None) -> Database:
    """Look at the database `spec`, registered with `options`.

    Raises:
        SourceError: it cannot be reached, the password is refused or missing, or somebody else registered it.
        ConfigurationError: `spec` is no database, or nothing in it may be read.
    """
    check(spec, options or {})
    source = DatabaseSource(spec, options)
    engine = source.connect()
    try:
        schema = reflect(engine, name=source.address.name)
        url, default_schema = engine.url, engine.dialect.default_schema_name
    except exc.DBAPIError as error:
        reason, hint = reading_error(error)
        raise SourceError(f"{source.uri}: {reason}", hint=hint) from None
    finally:
        engine.dispose()
    described = choose(schema, DatabaseOptions.read(source.options), lambda _: True).described
    if not described:
        raise ConfigurationError(f"{source.uri} has no table that may be read", hint="is it the right database?")
    allowed = AllowList(SqlDialect.of(schema.dialect), tuple(map(_allowed, described)), default_schema or "")
    return Database(source.address.uri, url, schema, tuple(map(_readable, described)), allowed)


def _allowed(table: Table) -> AllowedTable:
    hidden = tuple(column.name for column in table.columns if looks_secret(column.name, column.kind))
    readable = tuple(column.name for column in table.columns if column.name not in hidden)
    key = () if set(table.primary_key) & set(hidden) else tuple(table.primary_key)
    return AllowedTable(table.name, readable, hidden, table.schema or "", key)


def _readable(table: Table) -> Table:
    return replace(
        table, columns=tuple(column for column in table.columns if not looks_secret(column.name, column.kind))
    )
