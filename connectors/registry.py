"""Finds the Source for what a user types."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from connectors.errors import ConfigurationError
from connectors.files import FileSource
from connectors.folders.document import DEFAULTS
from connectors.repository.opening import is_repository, open_committed
from connectors.source import Options, Source

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?://|(?=\w+@))")
_DATABASES = frozenset({"sqlite", "postgresql", "postgres", "mysql", "mariadb"})
_OTHER_DATABASES = frozenset({"oracle", "mssql", "duckdb", "mongodb", "redis", "snowflake", "bigquery"})
_REPOSITORIES = frozenset({"git", "ssh", "git+https", "git+ssh"})


def open_source(spec: str, options: Options | None = None) -> Source:
    """The source that `spec` names: a path, a `file://` URI, a repository on this disk or the address of a database.

    Options are those of `FileSource`, with `rev` for what is committed in a repository, or those of
    `connectors.database.access.options` for a database. Raises `ConfigurationError` for what cannot be a source, and
    for options that its kind of source does not have.

    >>> open_source("file:///tmp/notes").uri
    '/tmp/notes'
    >>> open_source("postgresql://ann:secret@localhost/shop", {"tables": ["orders"]}).uri
    'postgresql://localhost/shop'
    """
    if not spec.strip() or "\x00" in spec:
        raise ConfigurationError(f"{spec!r} is not a source", hint="name a file or a folder")
    if is_database(spec):
        from connectors.database.source import DatabaseSource  # SQLAlchemy takes a moment

        return DatabaseSource(spec, options)
    name, colon, _ = spec.partition(":")
    if colon and name.lower().partition("+")[0] in _DATABASES and not _SCHEME.match(spec):
        raise ConfigurationError(f"{_without_password(spec)} is no address", hint="two slashes follow the colon")
    scheme = _SCHEME.match(spec)
    path = spec if scheme is None or is_repository(spec) else _path_of(spec, scheme[1].lower())
    given = _only(options or {}, (*DEFAULTS, "rev"), "a file or a folder")
    if (committed := open_committed(path, given)) is not None:
        return committed
    return FileSource(path, **{name: value for name, value in given.items() if name != "rev"})  # type: ignore[arg-type]


def is_database(spec: str) -> bool:
    """Whether `spec` is written like the address of a database that can be read.

    >>> is_database("postgresql+psycopg://host/shop"), is_database("shop.db")
    (True, False)
    """
    scheme = _SCHEME.match(spec)
    return scheme is not None and scheme[1].lower().partition("+")[0] in _DATABASES


def public_name(spec: str) -> str:
    """What was typed for a source as others may see it: without a password.

    >>> public_name("postgresql://ann:secret@localhost/shop")
    'postgresql://localhost/shop'
    """
    try:
        return open_source(spec).uri if is_database(spec) else _without_password(spec)
    except ConfigurationError:
        return _without_password(spec)


def _only(options: Options, known: Collection[str], what: str) -> Options:
    """The options, if all of them are known."""
    for name in options:
        if name not in known:
            raise ConfigurationError(f"{name} is not an option of {what}", hint=f"its options are: {', '.join(known)}")
    return dict(options)


def _path_of(spec: str, scheme: str) -> str:
    if scheme == "file":
        parts = urlsplit(spec)
        if parts.netloc not in {"", "localhost"}:
            hint = "use file:///absolute/path, or the path alone"
            raise ConfigurationError(f"{spec}: a file on another host ({parts.netloc})", hint=hint)
        from urllib.request import url2pathname  # 40 ms, for what is rarely typed

        return url2pathname(parts.path)
    raise ConfigurationError(
        f"{_without_password(spec)}: {_what(scheme)} not supported in this version", hint=_hint(scheme)
    )


def _what(scheme: str) -> str:
    if scheme.partition("+")[0] in _OTHER_DATABASES:
        return f"{scheme} databases are"
    return "remote repositories are" if scheme in _REPOSITORIES else f"{scheme}: sources are"


def _hint(scheme: str) -> str:
    if scheme.partition("+")[0] in _OTHER_DATABASES:
        return "use SQLite, PostgreSQL, MySQL or MariaDB; export tables of other databases to CSV and index those files"
    if scheme in _REPOSITORIES:
        return "clone it and index the folder"
    return "save the content to a file and index that"


def _without_password(spec: str) -> str:
    return re.sub(r"(:/*[^/@:]*):.*@", r"\1:***@", spec)  # with one slash it is a mistake, and a password all the same
