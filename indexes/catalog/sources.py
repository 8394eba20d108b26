"""The registered sources in a file beside the catalog, for indexing them again if the catalog cannot be read."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from connectors.source import Options
from indexes.files import read_checked, write_checked
from indexes.seals import is_derived_sealed, seal_derived

SOURCES_FILE = "sources.json"
_SEALED = "sources file"
FLAGS: Mapping[str, str] = {
    "include": "--include",
    "exclude": "--exclude",
    "use_ignore": "--no-ignore",
    "vendored": "--vendored",
    "tables": "--table",
    "exclude_tables": "--exclude-table",
    "query": "--query",
    "name": "--name",
    "key": "--key",
    "text_columns": "--text-columns",
    "cursor": "--cursor",
}
"""Option of a source → the flag of `rag index` that sets it. The others are in the address, or for Python only."""
_PASSWORDS = {"env": "--password-env", "keyring": "--password-keyring"}


def remember_sources(folder: Path, sources: Mapping[str, Options], encoder: str, *, keeps_tokens: bool) -> None:
    """Write down what a knowledge base was made of, if that changed: URI → what it is opened with, never a secret."""
    options = {uri: dict(sources[uri]) for uri in sorted(sources)}
    made_of = {"sources": sorted(sources), "options": options, "encoder": encoder, "late": keeps_tokens}
    if _read(folder) != made_of:
        with suppress(OSError):  # on a full disk too a run that went well has gone well
            write_checked(folder / SOURCES_FILE, {**made_of, "seal": seal_derived(_SEALED, made_of)})


def rebuild_hint(folder: Path) -> str:
    """What to do about a knowledge base whose catalog cannot be read: the commands that make it again.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> sources = {"/docs": {}, "/my notes.md": {}, "sqlite:////shop.db": {"tables": ["orders"]}}
        >>> remember_sources(folder, sources, "default", keeps_tokens=True)
        >>> for command in rebuild_hint(folder).partition("again: ")[2].replace(str(folder), "/kb").split(" && "):
        ...     print(command)
        mv /kb /kb.damaged
        rag --kb /kb index /docs '/my notes.md'
        rag --kb /kb index sqlite:////shop.db --table orders
    """
    made_of = _read(folder)
    if not made_of.get("sources"):
        return "restore the folder from a backup, or move it away and run `rag index` on its sources again"
    kind = [] if made_of["encoder"] == "default" else ["--encoder", made_of["encoder"]]
    kind += [] if made_of["late"] else ["--no-late"]
    commands = [["mv", str(folder), f"{folder}.damaged"]]
    for number, arguments in enumerate(_arguments(made_of["sources"], made_of.get("options", {}))):
        commands.append(["rag", "--kb", str(folder), "index", *([] if number else kind), *arguments])
    again = " && ".join(map(shlex.join, commands))
    return f"restore it from a backup, or move it away and index its sources again: {again}"


def _arguments(sources: Sequence[str], options: Mapping[str, Options]) -> Iterator[list[str]]:
    """What follows `rag index`: all sources that need no flag in one command, and each of the others in its own."""
    needed = {uri: [_address(uri, options.get(uri, {})), *_flags(options.get(uri, {}))] for uri in sources}
    if plain := [words[0] for words in needed.values() if len(words) == 1]:
        yield plain
    yield from (words for words in needed.values() if len(words) > 1)


def _flags(options: Options) -> Iterator[str]:
    for option, flag in FLAGS.items():
        value = options.get(option)
        if isinstance(value, list):
            for each in value:
                yield from (flag, each)
        elif isinstance(value, str):
            yield from (flag, value)
        elif value is not None:
            yield flag
    kind, _, place = str(options.get("password_from", "")).partition(":")
    if place:
        yield from (_PASSWORDS[kind], place)


def _address(uri: str, options: Options) -> str:
    """The URI with what no flag sets: who reads, and the parameters of the connection."""
    address, hash_sign, fragment = uri.partition("#")
    if user := options.get("user"):
        address = address.replace("://", f"://{quote(str(user), safe='${}')}@", 1)
    if isinstance(parameters := options.get("parameters"), list):
        pairs = [each.partition("=")[::2] for each in parameters]
        address += f"?{urlencode(pairs, safe='/', quote_via=quote)}"
    return f"{address}{hash_sign}{fragment}"


def _read(folder: Path) -> dict[str, Any]:
    """What this user's last run wrote down: a stranger could have people type any command."""
    try:
        made_of = read_checked(folder / SOURCES_FILE)
    except (OSError, ValueError):
        return {}
    code = made_of.pop("seal", "")
    return made_of if is_derived_sealed(_SEALED, made_of, code) else {}
