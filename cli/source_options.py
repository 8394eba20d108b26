"""The flags of `rag index`, parsed into the options of each source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.errors import ConfigurationError, SourceError

if TYPE_CHECKING:
    from connectors.source import Option, Source

_FOLDERS = "Folders"
_DATABASES = "Databases"
_SQLITE = b"SQLite format 3\0"

Include = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Read matching files that would be ignored. Patterns as in .gitignore. May be repeated.",
        rich_help_panel=_FOLDERS,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(metavar="PATTERN", help="Never read matching files. May be repeated.", rich_help_panel=_FOLDERS),
]
NoIgnore = Annotated[
    bool,
    typer.Option("--no-ignore", metavar="", help="Also read what ignore files leave out.", rich_help_panel=_FOLDERS),
]
Vendored = Annotated[
    bool | None,
    typer.Option(
        "--vendored/--no-vendored",
        metavar="",
        show_default=False,
        help="Also read vendored and generated code of a repository, or leave it out again.",
        rich_help_panel=_FOLDERS,
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        "--rev",
        metavar="REV",
        help="Read what a repository has committed at a branch, a tag or a commit.",
        rich_help_panel=_FOLDERS,
    ),
]
Table = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Read only this table or view. May be repeated.", rich_help_panel=_DATABASES),
]
ExcludeTable = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Leave out this table. May be repeated.", rich_help_panel=_DATABASES),
]
Query = Annotated[
    str | None,
    typer.Option(metavar="SQL", help="Read the rows of this SELECT instead of tables.", rich_help_panel=_DATABASES),
]
QueryName = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="A name for the query.", rich_help_panel=_DATABASES),
]
Key = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN",
        help="The column that identifies a row of the query, or of a named view. May be repeated.",
        rich_help_panel=_DATABASES,
    ),
]
TextColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--text-columns",
        metavar="COLUMNS",
        help="The columns that make up the text of a row, separated by commas. Filters can use the others.",
        rich_help_panel=_DATABASES,
    ),
]
Cursor = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="A column that grows with every change, so that only newer rows are read again.",
        rich_help_panel=_DATABASES,
    ),
]
PasswordEnv = Annotated[
    str | None,
    typer.Option(
        "--password-env",
        metavar="NAME",
        help="The environment variable that holds the password.",
        rich_help_panel=_DATABASES,
    ),
]
PasswordKeyring = Annotated[
    str | None,
    typer.Option(
        "--password-keyring",
        metavar="SERVICE",
        help="The keyring entry that holds the password.",
        rich_help_panel=_DATABASES,
    ),
]


def folder_options(
    include: list[str] | None, exclude: list[str] | None, *, no_ignore: bool, vendored: bool | None, rev: str | None
) -> dict[str, Option]:
    """The options of folders, and of repositories, that were asked for."""
    given: dict[str, Option] = {
        "include": include,
        "exclude": exclude,
        "use_ignore": False if no_ignore else None,
        "vendored": vendored,
        "rev": rev,
    }
    return _set(given)


def database_options(
    *,
    table: list[str] | None,
    exclude_table: list[str] | None,
    query: str | None,
    name: str | None,
    key: list[str] | None,
    text_columns: list[str] | None,
    cursor: str | None,
    password_env: str | None,
    password_keyring: str | None,
) -> dict[str, Option]:
    """The options of databases that were asked for.

    Raises:
        ConfigurationError: the password cannot be in two places.
    """
    if password_env and password_keyring:
        raise ConfigurationError("--password-env and --password-keyring exclude each other", hint="use one of them")
    keyring = f"keyring:{password_keyring}" if password_keyring else None
    given: dict[str, Option] = {
        "tables": table,
        "exclude_tables": exclude_table,
        "query": query,
        "name": name,
        "key": _parts(key),
        "text_columns": _parts(text_columns),
        "cursor": cursor,
        "password_from": f"env:{password_env}" if password_env else keyring,
    }
    return _set(given)


def with_options(
    sources: Sequence[str], folders: Mapping[str, Option], databases: Mapping[str, Option]
) -> list[str | Source]:
    """The sources, opened with what was asked for; by their names where nothing was, so that they stay as they are.

    Raises:
        ConfigurationError: no source takes the flags, or the flags exclude each other.
    """
    from connectors.registry import is_database, open_source

    kinds = [is_database(source) for source in sources]
    if databases and True not in kinds:
        raise ConfigurationError(
            f"{_flags(databases)} needs a database",
            hint="name one, e.g. `rag index sqlite:///shop.db --table orders`",
        )
    if folders and False not in kinds:
        raise ConfigurationError(
            f"{_flags(folders)} needs a folder", hint="name one, e.g. `rag index docs/ --exclude drafts/`"
        )
    if "query" in databases and kinds.count(True) > 1:
        raise ConfigurationError(
            "a query needs exactly one database", hint="index the other sources with a separate command"
        )
    opened: list[str | Source] = []
    for source, is_one in zip(sources, kinds, strict=True):
        options = databases if is_one else folders
        found = open_source(source, options)  # also to refuse, before anything is made, what can be no source
        opened.append(found if options else source)
    return opened


def check_some_exist(sources: Sequence[str]) -> None:
    """A mistyped path must not leave an empty knowledge base behind.

    Raises:
        SourceError: none of the sources is there.
    """
    if not sources:
        return
    missing = [(source, path) for source in sources if (path := _path(source)) and not path.exists()]
    if len(missing) == len(sources):
        what = "no such file" if all("://" in source for source, _ in missing) else "no such file or folder"
        raise SourceError(f"{', '.join(source for source, _ in missing)}: {what}", hint="check the path")


def check_no_database(sources: Sequence[str]) -> None:
    """A database that is named as a file would be registered as one, and fail every run.

    Raises:
        SourceError: one of the sources is a file of SQLite.
    """
    for source in sources:
        if "://" not in source and _begins(Path(source).expanduser(), _SQLITE):
            address = quote(f"sqlite:///{source}")
            raise SourceError(
                f"{source}: an SQLite database, not a document", hint=f"index it as a database: rag index {address}"
            )


def _begins(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(mark)) == mark
    except OSError:  # a folder, or told when it is read
        return False


def _path(source: str) -> Path | None:
    """Where a source is on this disk; None for one that is not."""
    if "://" not in source:
        return Path(source).expanduser()
    if not source.lower().startswith("sqlite"):
        return None
    from connectors.database.access.address import parse_address

    return Path(parse_address(source)[0].database)


def _parts(values: list[str] | None) -> list[str] | None:
    return [part.strip() for value in values for part in value.split(",") if part.strip()] if values else None


def _set(given: Mapping[str, Option]) -> dict[str, Option]:
    return {name: value for name, value in given.items() if value not in (None, [], "")}


def _flags(options: Mapping[str, Option]) -> str:
    """The flag that set the first of these."""
    from indexes.catalog.sources import FLAGS

    first = next(iter(options))
    return {**FLAGS, "password_from": "--password-env"}.get(first, f"--{first}")
