"""Every way in which a disk may spoil a file that a test goes through."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path


def damaged_copies(folder: Path, scratch: Path, inside: str = ".") -> Iterator[tuple[str, Path]]:
    """Copies of a folder in each of which one file (`inside` it) is harmed, with a line that says which and how."""
    files = sorted(
        path.relative_to(folder) for path in (folder / inside).rglob("*") if path.is_file() and path.suffix != ".lock"
    )
    harms = [(file, *harm) for file in files for harm in _harmed((folder / file).read_bytes())]
    for number, (file, how, data) in enumerate(harms):
        copied = scratch / str(number)
        shutil.copytree(folder, copied)
        (copied / file).unlink() if data is None else (copied / file).write_bytes(data)
        yield f"{file} {how}", copied
        shutil.rmtree(copied)


def _harmed(data: bytes) -> Iterator[tuple[str, bytes | None]]:
    yield "missing", None
    if not data:
        return
    for length in sorted({0, len(data) // 2, len(data) - 1}):
        yield f"cut to {length} of {len(data)} bytes", data[:length]
    for place in sorted({0, len(data) // 4, len(data) // 2, len(data) - 1}):
        yield f"with byte {place} flipped", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
