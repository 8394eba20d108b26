"""The files of a tantivy index: what its last commit is made of, and whether they are what was written."""

from __future__ import annotations

import json
import mmap
import os
import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from indexes.files import file_digest

_META = "meta.json"  # tantivy's list of the files of its last commit
_MANAGED = ".managed.json"  # and of all that it ever wrote and has not deleted
_PLAIN_NAME = re.compile(r"\.?\w[\w.-]*")
_FOOTER_END = 8


def unknown_files(files: Path, known: Mapping[str, str]) -> list[str]:
    """Names of the files of a tantivy index that are missing, or not those with these digests."""
    unknown = []
    for name in _current_files(files):
        try:
            found = (files / name).stat()
            if _digest(files / name, found.st_size, found.st_mtime_ns, found.st_ino) != known.get(name):
                unknown.append(name)
        except FileNotFoundError:
            unknown.append(name)
    return unknown


def digests(files: Path, known: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of each file of a tantivy index; no file but `meta.json` is ever written to again."""
    while True:
        names = [name for name in _current_files(files) if name != _META]
        with suppress(FileNotFoundError):  # a merge has removed one meanwhile, and written the list anew
            found = {name: known.get(name) or file_digest(files / name) for name in names}
            return found | {_META: file_digest(files / _META)}


def check_folder(files: Path) -> None:
    """See that tantivy finds nothing in a folder that leads it out of there.

    It deletes the files that its list names and that it no longer needs, and writes where its lock stands.

    Raises:
        ValueError: there is a link, or the list has more than names.
    """
    with os.scandir(files) as entries:
        if link := next((entry.name for entry in entries if entry.is_symlink()), None):
            raise ValueError(f"{link} is a link")
    path = files / _MANAGED
    named = json.loads(path.read_bytes()) if path.exists() else []
    if not isinstance(named, list) or not all(isinstance(name, str) and _PLAIN_NAME.fullmatch(name) for name in named):
        raise ValueError(f"{path.name} is not what was written")


def damaged_files(files: Path, *, once: bool = False) -> list[str]:
    """Names of the files of a tantivy index whose checksum does not fit.

    tantivy ends every file with its checksum, but looks at it only when asked, which its Python package cannot. No file
    is ever written to again, so with `once` this process looks at each only once: 50 ms for a million chunks.
    """
    damaged = []
    is_whole = _was_whole if once else _is_whole
    for name in _current_files(files):
        with suppress(FileNotFoundError):  # a writer merged it away meanwhile
            found = (files / name).stat()
            if name != _META and not is_whole(files / name, found.st_size, found.st_mtime_ns):
                damaged.append(name)
    return damaged


def count_held(files: Path) -> tuple[int, int]:
    """How many chunks the files of a tantivy index hold, and how many of them are dead."""
    segments = json.loads((files / _META).read_bytes())["segments"]
    held = sum(segment["max_doc"] for segment in segments)
    return held, sum((segment["deletes"] or {}).get("num_deleted_docs", 0) for segment in segments)


def _current_files(files: Path) -> list[str]:
    """Names of the files that the last commit of a tantivy index is made of, `meta.json` the last."""
    meta = json.loads((files / _META).read_bytes())
    segments = {segment["segment_id"].replace("-", ""): segment["deletes"] for segment in meta["segments"]}
    # The tombstones of a commit under way lie beside those of the last one, and may be half written.
    tombstones = {f"{key}.{deletes['opstamp']}.del" for key, deletes in segments.items() if deletes}
    named = [
        file.name
        for file in files.iterdir()
        if (file.name in tombstones if file.suffix == ".del" else file.name.partition(".")[0] in segments)
    ]
    return [*sorted(named), _META]


def _is_whole(file: Path, size: int, _modified: int) -> bool:
    """Whether a file of tantivy has the checksum that its footer states: JSON, its length, and a magic number."""
    if size < _FOOTER_END:
        return False
    with file.open("rb") as content, mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = len(data) - _FOOTER_END
        start = end - int.from_bytes(data[end : end + 4], "little")
        if start < 0:
            return False
        try:
            expected = json.loads(data[start:end])["crc"]
        except (ValueError, KeyError, TypeError):
            return False
        with memoryview(data) as whole:
            return bool(zlib.crc32(whole[:start]) == expected)


def _file_digest(file: Path, _size: int, _modified: int, _inode: int) -> str:
    return file_digest(file)


_was_whole = lru_cache(maxsize=4_096)(_is_whole)
_digest = lru_cache(maxsize=4_096)(_file_digest)  # each file is read once by a process, however often it is opened
