"""Mutated real files, and what becomes of each: the harness of the fuzz test and of `benchmarks/fuzz.py`.

A mutation is made from a seed alone, so that a file that breaks a parser can be made again.
"""

from __future__ import annotations

import io
import os
import random
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest.mock import patch

from connectors.document import LEFT_OUT
from connectors.errors import SourceError
from connectors.formats.isolation import LostParserError, Worker
from connectors.formats.limits import MOST_MEMORY, memory_for, seconds_for, text_for
from connectors.formats.sniff import OpaqueContentError
from tests.connectors.samples import make
from tests.connectors.samples.every_format import samples

_XML_VALUE = re.compile(rb'"[^"<>]{0,200}"|>[^<>]{1,200}<')
_XML_TAG = re.compile(rb"<[^<>]{1,300}>")
_ODD_VALUES = (b"", b"0", b"-1", b"1", b"65536", b"1048577", b"2147483648", b"99999999999999999999", b"1e308", b"NaN")
_ODD_BYTES = (b"\x00", b"\xff\xfe", b"<", b">", b"&", b'"', b"(", b"[", b"{", b"\n", b"\r", b"\\", b"=?", b"%", b"]]>")


class Outcome(StrEnum):
    """What became of a file."""

    TEXT = "text"
    PART = "text in part, told"
    REFUSED = "refused by name"
    OPAQUE = "no document"
    LATE = "ended: too slow"
    CRASHED = "ended: crash or memory"
    SILENT = "SILENTLY EMPTY"
    BROKEN = "BROKEN"


class Trial(NamedTuple):
    """One mutated file: its seed and size, what became of it, and the processor seconds and bytes that took."""

    seed: int
    name: str
    size: int
    outcome: Outcome
    detail: str
    seconds: float
    memory: int


def mutated(seed: int, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The name and content of the file that a seed makes of one of `files`."""
    chance = random.Random(seed)
    name = chance.choice(sorted(files))
    data = files[name]
    for _ in range(chance.choice((1, 1, 2, 4))):
        data = (
            _repacked(chance, data, files)
            if data.startswith(b"PK") and chance.random() < 0.7
            else _changed(chance, data, files)
        )
    return name, data


@contextmanager
def fuzzer() -> Iterator[Fuzzer]:
    """A fuzzer whose parsers find empty folders where programs write: the current, the home and the temporary one."""
    with ExitStack() as undone:
        scratch = undone.enter_context(TemporaryDirectory(prefix="pilotfish-fuzz-"))
        folders = {key: Path(scratch, key) for key in ("PWD", "HOME", "TMPDIR")}
        for folder in folders.values():
            folder.mkdir()
        changed = {key: str(folder) for key, folder in folders.items()}
        undone.enter_context(patch.dict(os.environ, changed, PYTHONDONTWRITEBYTECODE="1"))
        undone.enter_context(chdir(folders["PWD"]))
        yield undone.enter_context(closing(Fuzzer(list(folders.values()))))


class Fuzzer:
    """Parses mutated files in one worker, and looks at what each took."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._files = samples()
        self._worker = Worker()

    def close(self) -> None:
        """End the worker."""
        self._worker.stop()

    def trial(self, seed: int) -> Trial:
        """What becomes of the file of a seed."""
        name, data = mutated(seed, self._files)
        usage = _Usage(self._worker)
        outcome, detail = self._outcome(name, data)
        seconds, memory = usage.since()
        if memory > min(memory_for(len(data)), MOST_MEMORY):
            outcome, detail = Outcome.BROKEN, f"took {memory:,} bytes of memory"
        if left := [file.name for folder in self._folders for file in folder.iterdir()]:
            outcome, detail = Outcome.BROKEN, f"left {left}"
        return Trial(seed, name, len(data), outcome, detail, seconds, memory)

    def _outcome(self, name: str, data: bytes) -> tuple[Outcome, str]:
        try:
            parsed = self._worker.parse(data, Path(name))
        except LostParserError as error:
            return (Outcome.LATE if "longer than" in str(error) else Outcome.CRASHED), str(error)
        except OpaqueContentError as error:
            return Outcome.OPAQUE, str(error)
        except SourceError as error:
            return Outcome.REFUSED, str(error)
        if len(parsed.text) > text_for(len(data)) + len(data):
            return Outcome.BROKEN, f"{len(parsed.text):,} characters of text"
        if any(not 0 <= block.start < block.end <= len(parsed.text) for block in parsed.blocks):
            return Outcome.BROKEN, "a block outside the text"
        if LEFT_OUT in parsed.metadata:
            return Outcome.PART, str(parsed.metadata[LEFT_OUT])
        if not parsed.text.strip() and data.strip(b"\x00\t\n\r "):
            return Outcome.SILENT, parsed.kind
        return Outcome.TEXT, parsed.kind


class _Usage:
    """What the process of a worker has taken, where the system tells it in the manner of Linux; else nothing."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._process = worker.process_id
        self._seconds = self._processor_seconds()
        if self._process is not None:
            _write(f"/proc/{self._process}/clear_refs", "5")  # the peak of memory starts again
        self._memory = self._status("VmRSS")

    def since(self) -> tuple[float, int]:
        """Processor seconds, and bytes of memory at the most; nothing of a process that was started or ended since."""
        if self._process is None or self._worker.process_id != self._process:
            return 0.0, 0
        return self._processor_seconds() - self._seconds, max(self._status("VmHWM") - self._memory, 0)

    def _processor_seconds(self) -> float:
        fields = _read(f"/proc/{self._process}/stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0

    def _status(self, field: str) -> int:
        found = re.search(rf"^{field}:\s+(\d+) kB", _read(f"/proc/{self._process}/status"), re.MULTILINE)
        return int(found[1]) * 1024 if found else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    try:
        Path(path).write_text(text, encoding="ascii")
    except OSError:
        return


def _changed(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    """Bytes with one change: flipped, cut, repeated, spliced with another file, or its markup altered."""
    changes: tuple[Callable[..., bytes], ...] = (_flipped, _cut, _repeated, _spliced, _inserted, _revalued, _retagged)
    return chance.choice(changes)(chance, data, files)


def _repacked(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    """An archive with one member changed, so that its checksums are right."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return _changed(chance, data, files)
    if not members:
        return data
    name = chance.choice(sorted(members))
    match chance.randrange(8):
        case 0:
            del members[name]
        case 1:
            members[name] = members[chance.choice(sorted(members))]
        case _:
            members[name] = _changed(chance, members[name], files)
    return make.zipped(members)


def _stretch(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 4, 16, 64, 256, 1024, 8192)))


def _flipped(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(min(chance.choice((1, 2, 8, 32)), len(changed))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    start, end = _stretch(chance, data)
    return data[:start] + (data[end:] if chance.random() < 0.8 else b"")


def _repeated(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    start, end = _stretch(chance, data)
    most = max(1, 200_000 // max(1, end - start))
    return data[:end] + data[start:end] * min(chance.choice((1, 2, 10, 100, 1000, 20_000)), most) + data[end:]


def _spliced(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    other = files[chance.choice(sorted(files))]
    start, end = _stretch(chance, other)
    place = chance.randrange(len(data) + 1)
    return data[:place] + other[start:end] + data[place + chance.choice((0, end - start)) :]


def _inserted(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    place = chance.randrange(len(data) + 1)
    return data[:place] + chance.choice(_ODD_BYTES) * chance.choice((1, 3, 100, 10_000)) + data[place:]


def _revalued(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    """Markup with the value of an attribute, or the text of an element, replaced by an odd one."""
    values = [found.span() for found in _XML_VALUE.finditer(data)]
    if not values:
        return _flipped(chance, data, files)
    start, end = chance.choice(values)
    return data[: start + 1] + chance.choice(_ODD_VALUES) + data[end - 1 :]


def _retagged(chance: random.Random, data: bytes, files: Mapping[str, bytes]) -> bytes:
    """Markup with a tag repeated, left out, or put in another place."""
    tags = [found.span() for found in _XML_TAG.finditer(data)]
    if not tags:
        return _cut(chance, data, files)
    start, end = chance.choice(tags)
    place, _ = chance.choice(tags)
    tag = data[start:end] * chance.choice((1, 2, 100, 2000))
    return data[:place] + tag + data[place:] if chance.random() < 0.7 else data[:start] + data[end:]


def is_sound(trial: Trial) -> bool:
    """Whether a trial kept what is promised: its time and memory, no file written, and nothing lost in silence."""
    return trial.outcome not in {Outcome.SILENT, Outcome.BROKEN} and trial.seconds <= seconds_for(trial.size)
