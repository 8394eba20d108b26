"""The runs that are interrupted, and the documents they index."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

_SECTIONS = 4
_LONG_AGO = 1_700_000_000  # files that have settled keep their stamps


@dataclass(frozen=True)
class Files:
    """A folder of Markdown files: name → version. Every other section stays the same from version to version."""

    versions: Mapping[str, int]

    def write(self, folder: Path) -> None:
        """Make the folder hold these files and no others."""
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        for name, version in self.versions.items():
            file = folder / f"{name}.md"
            file.write_text(_text(name.removeprefix("renamed-"), version))
            os.utime(file, (_LONG_AGO + version, _LONG_AGO + version))


def _text(name: str, version: int) -> str:
    sections = [
        f"## Part {part}\n\nThe clerk files the form {_marker(name, part, version if part % 2 else 0)} again today."
        for part in range(_SECTIONS)
    ]
    return "\n\n".join([f"# The book {name}", *sections, ""])


def _marker(*parts: object) -> str:
    """A word that occurs nowhere else."""
    digest = blake2b(repr(parts).encode(), digest_size=5).hexdigest()
    return "zz" + "".join(chr(ord("a") + int(digit, 16)) for digit in digest) + "x"


@dataclass(frozen=True)
class Scenario:
    """A knowledge base with a history, and the run of `rag` that is interrupted.

    Attributes:
        name: what it is called in reports.
        history: what the folder holds at each run; the last of them is the one to interrupt.
        verb: of that run.
        options: of that run.
        then: what the folder holds at the run after it, where that is something else.
        killed_at: how far (a share of its calls) that run already came once before it was killed.
    """

    name: str
    history: tuple[Files, ...]
    verb: str = "index"
    options: tuple[str, ...] = ()
    then: Files | None = None
    killed_at: float = 0.0


def _files(start: int, stop: int, version: int = 0, prefix: str = "") -> dict[str, int]:
    return {f"{prefix}{number:02}": version for number in range(start, stop)}


_ALL = Files(_files(0, 12))

SCENARIOS = (
    Scenario("add", (_ALL,)),
    Scenario("change", (_ALL, Files({**_files(0, 12), **_files(0, 12, 1)}))),
    Scenario("remove", (_ALL, Files(_files(0, 3)))),
    Scenario(
        "mixed",
        (_ALL, Files({**_files(0, 3), **_files(3, 6, 1), **_files(6, 8, prefix="renamed-"), **_files(12, 16)})),
    ),
    # File after file changes: the dead wait behind the dense base until it is written anew; tantivy merges segments.
    Scenario(
        "compact",
        (
            *(Files({**_files(0, 16), **_files(0, step, 1)}) for step in range(7)),
            Files({**_files(0, 2), **_files(2, 16, 9)}),
        ),
    ),
    # What the interrupted run wanted is no longer wanted.
    Scenario("overtaken", (_ALL, Files(_files(0, 12, 1))), then=Files({**_files(0, 6), **_files(9, 12, 2)})),
    Scenario("encoder", (_ALL, _ALL), options=("--encoder", "second")),
    Scenario("forget", (_ALL, _ALL), verb="remove"),
    Scenario("resume", (_ALL,), killed_at=0.6),
)
