"""What a user types to the Source it means."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from connectors.errors import ConfigurationError
from connectors.files import FileSource
from connectors.source import Options, Source

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?://|(?=\w+@))")
_DATABASES = frozenset({"sqlite", "postgresql", "postgres", "mysql", "mariadb", "oracle", "mssql", "duckdb"})
_REPOSITORIES = frozenset({"git", "ssh", "git+https", "git+ssh"})


def open_source(spec: str, options: Options | None = None) -> Source:
    """The source that `spec` names: a path or a `file://` URI.

    Options are those of `FileSource`. Raises `ConfigurationError` for what cannot be a source.

    >>> open_source("file:///tmp/notes").uri
    '/tmp/notes'
    """
    if not spec.strip() or "\x00" in spec:
        raise ConfigurationError(f"{spec!r} is not a source", hint="name a file or a folder")
    scheme = _SCHEME.match(spec)
    path = spec if scheme is None else _path_of(spec, scheme[1].lower())
    return FileSource(path, **dict(options or {}))  # type: ignore[arg-type]


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
    if scheme.partition("+")[0] in _DATABASES:
        return "databases are"
    return "remote repositories are" if scheme in _REPOSITORIES else f"{scheme}: sources are"


def _hint(scheme: str) -> str:
    if scheme.partition("+")[0] in _DATABASES:
        return "export the tables to CSV or JSON lines and index those files"
    if scheme in _REPOSITORIES:
        return "clone it and index the folder"
    return "save the content to a file and index that"


def _without_password(spec: str) -> str:
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", spec)
