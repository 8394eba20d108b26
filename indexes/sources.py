"""The registered sources in a file beside the catalog: how to index them again when the catalog cannot be read."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexes.files import read_checked, write_checked

SOURCES_FILE = "sources.json"


def remember_sources(folder: Path, uris: Sequence[str], encoder: str, *, keeps_tokens: bool) -> None:
    """Write down what a knowledge base was made of, if that changed."""
    made_of = {"sources": sorted(uris), "encoder": encoder, "late": keeps_tokens}
    if _read(folder) != made_of:
        with suppress(OSError):  # on a full disk too a run that went well has gone well
            write_checked(folder / SOURCES_FILE, made_of)


def rebuild_hint(folder: Path) -> str:
    """What to do about a knowledge base whose catalog cannot be read: the commands that make it again.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> remember_sources(folder, ["/docs", "/my notes.md"], "default", keeps_tokens=True)
        >>> rebuild_hint(folder).partition("again: ")[2].replace(str(folder), "/kb")
        "mv /kb /kb.damaged && rag --kb /kb index /docs '/my notes.md'"
    """
    made_of = _read(folder)
    if not made_of.get("sources"):
        return "restore the folder from a backup, or move it away and run `rag index` on its sources again"
    options = [] if made_of["encoder"] == "default" else ["--encoder", made_of["encoder"]]
    options += [] if made_of["late"] else ["--no-late"]
    move = shlex.join(["mv", str(folder), f"{folder}.damaged"])
    index = shlex.join(["rag", "--kb", str(folder), "index", *options, *made_of["sources"]])
    return f"restore it from a backup, or move it away and index its sources again: {move} && {index}"


def _read(folder: Path) -> dict[str, Any]:
    try:
        return read_checked(folder / SOURCES_FILE)
    except (OSError, ValueError):
        return {}
