"""Parses a database address: which database it is, the name to display, and how to reach it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from sqlalchemy import URL

from connectors.database.access.credentials import Credentials
from connectors.errors import ConfigurationError

_NONE: Mapping[str, str] = MappingProxyType({})
_UNSAFE = re.compile(r"[%?#\x00-\x1f\x7f\ud800-\udfff]")
_FORMS = "sqlite:///FILE, postgresql://USER@HOST/DATABASE or mariadb://USER@HOST/DATABASE"


class DatabaseDialect(StrEnum):
    """The supported kinds of database, by SQLAlchemy's names."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"  # and MariaDB

    @property
    def driver(self) -> str:
        """The module that speaks to it."""
        return _DRIVERS[self]

    @property
    def port(self) -> int:
        """The port its servers listen at unless told otherwise."""
        return _PORTS[self]


_DRIVERS = {DatabaseDialect.SQLITE: "sqlite3", DatabaseDialect.POSTGRESQL: "psycopg", DatabaseDialect.MYSQL: "pymysql"}
_PORTS = {DatabaseDialect.SQLITE: 0, DatabaseDialect.POSTGRESQL: 5432, DatabaseDialect.MYSQL: 3306}
_SCHEMES = {
    "sqlite": DatabaseDialect.SQLITE,
    "postgresql": DatabaseDialect.POSTGRESQL,
    "postgres": DatabaseDialect.POSTGRESQL,
    "mysql": DatabaseDialect.MYSQL,
    "mariadb": DatabaseDialect.MYSQL,
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What may follow the `?`. Nothing else is passed on: some parameters read files, run statements or carry secrets.
_PARAMETERS = {
    DatabaseDialect.POSTGRESQL: _words(
        "host port sslmode sslrootcert sslcert sslkey sslcrl channel_binding gssencmode krbsrvname service passfile"
        " target_session_attrs application_name client_encoding options"
    ),
    DatabaseDialect.MYSQL: _words("charset unix_socket ssl_ca ssl_cert ssl_key ssl_check_hostname ssl_verify_cert"),
}


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The location of a database, without credentials.

    Attributes:
        dialect: what kind it is.
        uri: the name it is shown and registered by: no user, no password, no parameters.
        database: the file of SQLite, else the name of the database on its server.
        host: the server; empty for SQLite and for a local socket.
        port: where the server listens.
        parameters: what was said after the `?`, such as `sslmode`.
        fragment: what follows the `#`: the name of a query.
    """

    dialect: DatabaseDialect
    uri: str
    database: str
    host: str = ""
    port: int = 0
    parameters: Mapping[str, str] = field(default_factory=lambda: _NONE)
    fragment: str = ""

    @property
    def name(self) -> str:
        """What a person calls the database: its name, or its file's without folder and ending."""
        return Path(self.database).stem if self.dialect is DatabaseDialect.SQLITE else self.database

    def url(self, user: str = "", password: str | None = None) -> URL:
        """What SQLAlchemy connects to.

        Raises:
            ConfigurationError: the driver is not installed.
        """
        if find_spec(self.dialect.driver) is None:
            raise ConfigurationError(
                f"{self.uri} cannot be read without {self.dialect.driver}",
                hint="install it: pip install 'pilotfish[databases]'",
            )
        return URL.create(
            f"{self.dialect}+{'pysqlite' if self.dialect is DatabaseDialect.SQLITE else self.dialect.driver}",
            username=user or None,
            password=password,
            host=self.host or None,
            port=self.port if self.host and self.port else None,
            database=self.database,
            query=dict(self.parameters),
        )


def parse_address(spec: str) -> tuple[DatabaseAddress, Credentials]:
    """Where the database `spec` is, and what `spec` says about who may read it.

    Raises:
        ConfigurationError: it is no address of a database.

    >>> address, credentials = parse_address("postgres://ann:secret@db.example.org:5433/shop?sslmode=require")
    >>> address.uri, credentials
    ('postgresql://db.example.org:5433/shop', Credentials(user='ann', reference=''))
    """
    scheme, _, rest = spec.partition("://")
    name, _, driver = scheme.lower().partition("+")
    dialect = _SCHEMES.get(name)
    if dialect is None:
        raise ConfigurationError(f"{name}: is not a supported database", hint=f"write it as {_FORMS}")
    if driver not in {"", dialect.driver, "pysqlite" if dialect is DatabaseDialect.SQLITE else dialect.driver}:
        raise ConfigurationError(
            f"{name}+{driver}: is read with {dialect.driver} here", hint=f"write {name}:// without the driver"
        )
    if dialect is DatabaseDialect.SQLITE:
        return _file(rest), Credentials()
    return _server(dialect, "postgresql" if dialect is DatabaseDialect.POSTGRESQL else name, rest)


def _file(rest: str) -> DatabaseAddress:
    path, _, fragment = rest.partition("#")
    path, _, query = path.partition("?")
    path = unquote(path)
    if query:
        raise ConfigurationError(
            f"sqlite://{path}: SQLite takes no parameters ({query}) here", hint="name the file alone: sqlite:///FILE"
        )
    if not path.startswith("/") or path[1:] in {"", ":memory:"} or path.startswith("/file:"):
        raise ConfigurationError(
            f"sqlite://{path} names no file", hint="sqlite:///shop.db is in this folder, sqlite:////srv/shop.db is not"
        )
    file = str(Path(path[1:]).expanduser().absolute())
    # Not resolved: the user knows it by this name, symlinks included. Dots would make one file two sources.
    file = re.sub(r"/[^/]+/\.\.(?=/|$)", "", file)
    return DatabaseAddress(DatabaseDialect.SQLITE, f"sqlite:///{_escaped(file)}", file, fragment=unquote(fragment))


def _server(dialect: DatabaseDialect, scheme: str, rest: str) -> tuple[DatabaseAddress, Credentials]:
    parts = _split(scheme, rest)
    database = unquote(parts.path.removeprefix("/"))
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    user = parameters.pop("user", unquote(parts.username or ""))
    password = parameters.pop("password", None) or (None if parts.password is None else unquote(parts.password))
    host, port = parts.hostname or "", _port(scheme, parts.netloc, dialect.port)
    shown_host = f"[{host}]" if ":" in host else host
    public = f"{scheme}://{shown_host}" + (f":{port}" if port != dialect.port else "")
    uri = f"{public}/{_escaped(database)}"
    if not database:
        raise ConfigurationError(f"{uri} names no database", hint=f"write it as {public}/DATABASE")
    if unknown := sorted(set(parameters) - _PARAMETERS[dialect]):
        raise ConfigurationError(
            f"{uri}: unknown parameter {unknown[0]!r}",
            hint=f"supported: {', '.join(sorted(_PARAMETERS[dialect]))}",
        )
    address = DatabaseAddress(dialect, uri, database, host, port, MappingProxyType(parameters), unquote(parts.fragment))
    return address, Credentials.typed(user, password)


def _split(scheme: str, rest: str) -> SplitResult:
    """The parts of an address. What is wrong with it is said without repeating it: it may hold a password."""
    before, _, after = rest.rpartition("@")
    if re.search(r"[/?#]", before) and "/" in after:
        raise ConfigurationError(
            f"{scheme}://…@{after.partition('?')[0]}: a character before the @ must be escaped",
            hint="write / as %2F, ? as %3F and # as %23 in a password, or keep it in a variable: '${NAME}'",
        )
    try:
        return urlsplit(f"{scheme}://{rest}")
    except ValueError:
        raise ConfigurationError(f"{scheme}://…: invalid host", hint="write an IPv6 host in brackets: [::1]") from None


def _port(scheme: str, netloc: str, usual: int) -> int:
    place = netloc.rpartition("@")[2]
    number = place.rpartition("]")[2].partition(":")[2]
    if number and not (number.isascii() and number.isdecimal() and 0 < int(number) <= 65_535):  # noqa: PLR2004
        raise ConfigurationError(f"{scheme}://{place}: {number!r} is not a port", hint=f"the usual port is {usual}")
    return int(number) if number else usual


def _escaped(text: str) -> str:
    """What stands in an address as it is read by people: only what would end it early is escaped."""
    return _UNSAFE.sub(lambda found: quote(found.group(), errors="surrogateescape"), text)
