"""What a disk may hold after a power cut: a recorded run, of which only what was synced is sure.

The model is stricter than any file system in use. The data of a file are sure once that file was synced; its name is
sure once its folder was. Whatever else was written may be there, missing, or there in part, in units of 512 bytes.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

_SECTOR = 512
_HEADER = struct.Struct("<IIIIQqq")  # `struct entry` in faults.c
_DATA = {1: "write", 18: "write", 20: "write", 285: "fallocate", 77: "truncate"}  # system calls of x86_64
FSYNC = 74
_SYNC = {FSYNC, 75}
_CREATE = {2, 257}
_MAKE_FOLDER = {83, 258}
_LINK = {86, 265}
_RENAME = {82, 264, 316}
_UNLINK = {87, 263, 84}
_RENAME_EXCHANGE = 2


class Left(StrEnum):
    """What the disk keeps of what was not synced."""

    NOTHING = "nothing"
    NAMES = "names"  # of new files: those are empty, and a file put in another's place holds nothing
    DATA = "data"  # but no new name, and none that was removed or changed
    TORN = "torn"  # of each file some sectors; of each folder the names that changed first
    MIXED = "mixed"  # of each file some sectors; of each folder some names, whatever their order

    @property
    def orderly(self) -> bool:
        """Whether the names in one folder change in order, as on every journaling file system."""
        return self is not Left.MIXED


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that changed something. `path` is below the disk; `source` is what it was called before."""

    number: int
    path: str
    source: str
    inode: int
    offset: int
    flags: int
    data: bytes

    @property
    def syncs(self) -> bool:
        """Whether it makes something sure."""
        return self.number in _SYNC


@dataclass(frozen=True, slots=True)
class _Change:
    """Bytes written at an offset, or for `data` None the length that a file gets."""

    offset: int
    data: bytes | None

    def apply(self, content: bytearray, kept: Iterator[bool] | None = None) -> None:
        """Change the content; of a write only the sectors for which `kept` says so."""
        if self.data is None:
            if kept is None or next(kept):
                del content[self.offset :]
                content.extend(bytes(self.offset - len(content)))
            return
        start = self.offset
        while start < self.offset + len(self.data):
            end = min(self.offset + len(self.data), (start // _SECTOR + 1) * _SECTOR)
            if kept is None or next(kept):
                content.extend(bytes(max(0, end - len(content))))
                content[start:end] = self.data[start - self.offset : end - self.offset]
            start = end


@dataclass(slots=True, eq=False)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    changes: list[_Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.changes:
            change.apply(self.synced)
        self.changes.clear()

    def left(self, kept: Iterator[bool]) -> bytes:
        content = bytearray(self.synced)
        for change in self.changes:
            change.apply(content, kept)
        return bytes(content)


_Names = dict[str, "_File | _Folder | None"]


@dataclass(slots=True, eq=False)
class _Folder:
    synced: _Names = field(default_factory=dict)
    changes: list[_Names] = field(default_factory=list)
    now: _Names = field(default_factory=dict)

    def change(self, names: _Names) -> None:
        self.changes.append(names)
        self.now.update(names)

    def sync(self) -> None:
        for change in self.changes:
            self.synced.update(change)
        self.changes.clear()

    def left(self, kept: Iterator[bool]) -> _Names:
        names = dict(self.synced)
        for change in self.changes:
            if next(kept):
                names.update(change)
        return names


class Disk:
    """Replays a recording.

    Args:
        start: the folder as it was before; all of it is sure.
    """

    def __init__(self, start: Path) -> None:
        self._nodes: dict[int, _File | _Folder] = {}
        self._root = self._load(start)

    def _load(self, folder: Path) -> _Folder:
        made = _Folder()
        self._nodes[folder.stat().st_ino] = made
        for path in folder.iterdir():
            if path.is_dir():
                made.synced[path.name] = self._load(path)
            else:
                made.synced[path.name] = self._nodes[path.stat().st_ino] = _File(bytearray(path.read_bytes()))
        made.now = dict(made.synced)
        return made

    def apply(self, entry: Entry) -> None:
        """Do what a call did."""
        if entry.number in _DATA:
            node = self._nodes[entry.inode]
            assert isinstance(node, _File)
            node.changes.append(self._changed(node, entry))
        elif entry.syncs:
            self._nodes[entry.inode].sync()
        else:
            self._apply_to_names(entry)

    def _changed(self, node: _File, entry: Entry) -> _Change:
        kind = _DATA[entry.number]
        if kind == "write":
            return _Change(entry.offset, entry.data)
        assert kind == "truncate" or not entry.flags, "fallocate with flags is not modelled"
        longest = len(node.left(_all())) if kind == "fallocate" else 0
        return _Change(max(longest, entry.offset), None)

    def _apply_to_names(self, entry: Entry) -> None:
        folder, name = self._place(entry.path)
        if entry.number in _CREATE:
            there = folder.now.get(name)
            if there is None:
                made = self._nodes[entry.inode] = _File()
                folder.change({name: made})
            elif entry.flags & os.O_TRUNC:
                assert isinstance(there, _File)
                there.changes.append(_Change(0, None))
        elif entry.number in _MAKE_FOLDER:
            made_folder = self._nodes[entry.inode] = _Folder()
            folder.change({name: made_folder})
        elif entry.number in _UNLINK:
            folder.change({name: None})
        else:
            source, old = self._place(entry.source)
            assert source is folder, f"{entry.source} is put into another folder: that is not modelled"
            moved = entry.number in _RENAME
            assert moved or entry.number in _LINK
            assert not (moved and entry.flags & _RENAME_EXCHANGE), "two names that change places are not modelled"
            folder.change({name: folder.now[old], **({old: None} if moved else {})})

    def _place(self, path: str) -> tuple[_Folder, str]:
        *above, name = path.split("/")
        folder = self._root
        for each in above:
            inner = folder.now[each]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder, name

    def after_cut(self, left: Left, seed: int) -> dict[str, bytes | None]:
        """Path → content of every file, None for a folder, when the power goes now."""
        chance = random.Random(seed)
        return dict(_walk(self._root, "", left, chance))

    def now(self) -> dict[str, bytes | None]:
        """Path → content of every file as a running process sees it, None for a folder."""
        twin = deepcopy(self)
        twin._sync_all(twin._root)
        return twin.after_cut(Left.NOTHING, 0)

    def _sync_all(self, folder: _Folder) -> None:
        folder.sync()
        for node in folder.synced.values():
            if isinstance(node, _Folder):
                self._sync_all(node)
            elif node is not None:
                node.sync()


def _walk(folder: _Folder, above: str, left: Left, chance: random.Random) -> Iterator[tuple[str, bytes | None]]:
    for name, node in sorted(folder.left(_names_kept(left, len(folder.changes), chance)).items()):
        if isinstance(node, _Folder):
            yield f"{above}{name}", None
            yield from _walk(node, f"{above}{name}/", left, chance)
        elif node is not None:
            yield f"{above}{name}", node.left(_data_kept(left, chance))


def _names_kept(left: Left, count: int, chance: random.Random) -> Iterator[bool]:
    match left:
        case Left.TORN:
            first = chance.randint(0, count)
            yield from (at < first for at in range(count))
        case Left.MIXED:
            yield from _some(chance)
        case _:
            yield from _all(kept=left is Left.NAMES)


def _data_kept(left: Left, chance: random.Random) -> Iterator[bool]:
    return _some(chance) if left in {Left.TORN, Left.MIXED} else _all(kept=left is Left.DATA)


def _all(*, kept: bool = True) -> Iterator[bool]:
    while True:
        yield kept


def _some(chance: random.Random) -> Iterator[bool]:
    share = chance.choice((0.1, 0.5, 0.9))  # most of it, half of it, little of it
    while True:
        yield chance.random() < share


def read_recording(trace: Path) -> Iterator[Entry | str]:
    """The calls of a recording in their order, and what was marked between them."""
    data = trace.read_bytes()
    at = 0
    while at < len(data):
        number, path, source, length, inode, offset, flags = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        texts = []
        for size in (path, source):
            texts.append(os.fsdecode(data[at : at + size]))
            at += size
        if not number:
            yield texts[0]
        else:
            yield Entry(number, texts[0], texts[1], inode, offset, flags, data[at : at + length])
        at += length


def mark(text: str) -> bytes:
    """What stands for a mark in a recording."""
    return _HEADER.pack(0, len(text.encode()), 0, 0, 0, 0, 0) + text.encode()


def write_tree(folder: Path, tree: Mapping[str, bytes | None]) -> None:
    """Make a folder of what `Disk` says is left."""
    folder.mkdir()
    for path, content in tree.items():
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def read_tree(folder: Path) -> dict[str, bytes | None]:
    """Path → content of every file below a folder, None for a folder."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }
