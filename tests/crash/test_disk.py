"""The model of a disk: what a power cut can leave of calls whose outcome is known by heart."""

from __future__ import annotations

import os
from pathlib import Path

from tests.crash.disk import Disk, Entry, Left, read_tree, write_tree

WRITE, FTRUNCATE, FSYNC, OPEN, MKDIR, RENAME, UNLINK = 1, 77, 74, 2, 83, 82, 87
NEW, INNER = 1001, 2001
SEEDS = range(40)


def call(number: int, path: str = "", *, source: str = "", inode: int = 0, at: int = 0, data: bytes = b"") -> Entry:
    return Entry(number, path, source, inode, at, os.O_CREAT if number == OPEN else 0, data)


def disk_with(folder: Path, *calls: Entry) -> tuple[Disk, int]:
    """A disk with a file `old` that is sure, after some calls, and the number of its folder."""
    folder.joinpath("old").write_bytes(b"old")
    disk = Disk(folder)
    for each in calls:
        disk.apply(each)
    return disk, folder.stat().st_ino


def test_what_was_not_synced_may_be_gone_or_there(tmp_path: Path) -> None:
    disk, _ = disk_with(tmp_path, call(OPEN, "new", inode=NEW), call(WRITE, inode=NEW, data=b"text"))
    assert disk.now() == {"old": b"old", "new": b"text"}
    assert disk.after_cut(Left.NOTHING, 0) == {"old": b"old"}
    assert disk.after_cut(Left.DATA, 0) == {"old": b"old"}
    assert disk.after_cut(Left.NAMES, 0) == {"old": b"old", "new": b""}


def test_a_synced_file_in_a_folder_that_is_not_synced_has_no_name(tmp_path: Path) -> None:
    disk, folder = disk_with(
        tmp_path, call(OPEN, "new", inode=NEW), call(WRITE, inode=NEW, data=b"text"), call(FSYNC, inode=NEW)
    )
    assert disk.after_cut(Left.NOTHING, 0) == {"old": b"old"}
    disk.apply(call(FSYNC, inode=folder))
    assert all(disk.after_cut(left, seed) == disk.now() for left in Left for seed in SEEDS)


def test_a_rename_is_done_or_not_and_never_half(tmp_path: Path) -> None:
    disk, _ = disk_with(
        tmp_path,
        call(OPEN, "new", inode=NEW),
        call(WRITE, inode=NEW, data=b"text"),
        call(FSYNC, inode=NEW),
        call(RENAME, "old", source="new"),
    )
    left = {tuple(disk.after_cut(Left.TORN, seed).items()) for seed in SEEDS}
    assert left == {(("old", b"old"),), (("new", b"text"), ("old", b"old")), (("old", b"text"),)}


def test_a_file_put_in_anothers_place_unsynced_may_be_empty(tmp_path: Path) -> None:
    disk, folder = disk_with(
        tmp_path,
        call(OPEN, "new", inode=NEW),
        call(WRITE, inode=NEW, data=b"text"),
        call(RENAME, "old", source="new"),
    )
    disk.apply(call(FSYNC, inode=folder))
    assert disk.after_cut(Left.NOTHING, 0) == {"old": b""}


def test_a_write_is_torn_at_sectors(tmp_path: Path) -> None:
    disk, folder = disk_with(tmp_path, call(OPEN, "new", inode=NEW), call(WRITE, inode=NEW, data=b"a" * 1536))
    disk.apply(call(FSYNC, inode=NEW))
    disk.apply(call(FSYNC, inode=folder))
    disk.apply(call(WRITE, inode=NEW, at=256, data=b"b" * 1024))
    left = {disk.after_cut(Left.TORN, seed)["new"] for seed in SEEDS}
    pieces = {tuple(content[at : at + 1] for at in (0, 300, 600, 1200, 1300)) for content in left if content}
    assert pieces <= {(b"a", x, y, z, b"a") for x in (b"a", b"b") for y in (b"a", b"b") for z in (b"a", b"b")}
    assert len(pieces) > 4


def test_names_in_one_folder_change_in_order_unless_mixed(tmp_path: Path) -> None:
    disk, _ = disk_with(tmp_path, *(call(OPEN, name, inode=NEW + at) for at, name in enumerate("abc")))
    in_order = {"".join(sorted(disk.after_cut(Left.TORN, seed).keys() - {"old"})) for seed in SEEDS}
    assert in_order == {"", "a", "ab", "abc"}
    mixed = {"".join(sorted(disk.after_cut(Left.MIXED, seed).keys() - {"old"})) for seed in SEEDS}
    assert mixed > in_order


def test_a_removed_file_may_come_back(tmp_path: Path) -> None:
    disk, _ = disk_with(tmp_path, call(MKDIR, "inner", inode=INNER), call(UNLINK, "old"))
    assert disk.now() == {"inner": None}
    assert disk.after_cut(Left.NOTHING, 0) == {"old": b"old"}
    assert disk.after_cut(Left.NAMES, 0) == {"inner": None}


def test_a_file_that_is_cut_may_be_as_long_as_before(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    disk = Disk(tmp_path)
    disk.apply(call(FTRUNCATE, inode=(tmp_path / "old").stat().st_ino, at=1))
    assert disk.now() == {"old": b"o"}
    assert {disk.after_cut(Left.TORN, seed)["old"] for seed in SEEDS} == {b"old", b"o"}


def test_a_tree_is_written_as_it_is_read(tmp_path: Path) -> None:
    tree = {"inner": None, "inner/file": b"text", "old": b"old"}
    write_tree(tmp_path / "made", tree)
    assert read_tree(tmp_path / "made") == tree
