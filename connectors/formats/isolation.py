"""Parses in a separate process, so that a file that crashes, hangs or bloats a parser costs only itself.

Parsers in C and Rust end the whole process on some files: one stray cell in the last row of a sheet asks for half a
terabyte and aborts. The worker is started with the first file that needs it and serves until the program ends.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

from connectors.document import Block, BlockKind, DocumentName, Place, Symbol
from connectors.errors import SourceError
from connectors.formats.limits import seconds_for
from connectors.formats.sniff import OpaqueContentError
from connectors.parsed import Parsed

_WALL_SECONDS = 600.0  # of waiting for a file, for a parser that sleeps or a machine that is very busy
_HINT = "open it in its own program and save it again, or exclude it, for example in .ragignore"
_ROOT = Path(__file__).parents[2]


class LostParserError(SourceError):
    """The parser crashed on a file, or took too long."""


class Worker:
    """Parses files in another process, one at a time, each within the time and memory that its size allows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        atexit.register(self.stop)

    def parse(self, data: bytes, path: Path, seconds: float | None = None) -> Parsed:
        """The content of a file; raises `LostParserError` when the parser does not survive it.

        `seconds` of processor time are what it may take, by default what its size allows.
        """
        limit = seconds_for(len(data)) if seconds is None else seconds
        with self._lock:
            process = self._running()
            alarm = threading.Timer(_WALL_SECONDS, process.send_signal, (signal.SIGPROF,))
            alarm.start()
            try:
                answer = _exchange(process, data, path, limit)
            except BaseException:
                self.stop()  # whatever came between, its answer must not be taken for that to the next file
                raise
            finally:
                alarm.cancel()
            if not answer:
                self.stop()
        if not answer:
            late = process.returncode == -signal.SIGPROF
            reason = f"its parser took longer than {limit:.2g} seconds" if late else "it crashes its parser"
            raise LostParserError(reason, hint=_HINT)
        return _from_json(json.loads(answer))

    @property
    def process_id(self) -> int | None:
        """That of the process that serves now; None before the first file, and after one that ended it."""
        return self._process.pid if self._process is not None else None

    def stop(self) -> None:
        """End the process; the next file starts another."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            process.kill()
            process.communicate()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.stop()
        if self._process is None or self._owner != os.getpid():  # a fork must not share its parent's pipes
            self._process, self._owner = _start(), os.getpid()
        return self._process


def _start() -> subprocess.Popen[bytes]:
    # -P: without it the current folder comes first on the path, and it may well be the folder being indexed.
    search = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH", ""))))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "connectors.formats"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": search},
    )


def _exchange(process: subprocess.Popen[bytes], data: bytes, path: Path, limit: float) -> bytes:
    """Send a file and wait for the line that answers; nothing when the process is gone."""
    assert process.stdin is not None  # noqa: S101
    assert process.stdout is not None  # noqa: S101
    try:
        request = {"path": str(path), "size": len(data), "seconds": limit, "wall_seconds": _WALL_SECONDS}
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.write(data)
        process.stdin.flush()
    except OSError:  # a broken pipe: it died while it was being fed
        return b""
    answer = process.stdout.readline()
    return answer if answer.endswith(b"\n") else b""


def to_json(result: Parsed | SourceError) -> bytes:
    """What the worker answers, on one line."""
    if isinstance(result, SourceError):
        opaque = isinstance(result, OpaqueContentError)
        return json.dumps({"error": str(result), "hint": result.hint, "opaque": opaque}).encode()
    fields: dict[str, Any] = {"text": result.text, "kind": result.kind, "title": result.title, "pages": result.pages}
    fields |= {"places": result.places, "has_lines": result.has_lines}
    names = [[name.text, name.role, name.start] for name in result.names]
    blocks = [_dump_block(block) for block in result.blocks]
    return json.dumps({**fields, "metadata": dict(result.metadata), "blocks": blocks, "names": names}).encode()


def _dump_block(block: Block) -> list[Any]:
    symbol = block.symbol and [block.symbol.name, block.symbol.kind, block.symbol.signature, block.symbol.docstring]
    parts = [_dump_block(part) for part in block.parts]
    return [block.kind, block.start, block.end, block.level, block.label, block.header, symbol, parts, block.cuts]


def _load_block(dumped: list[Any]) -> Block:
    kind, start, end, level, label, header, symbol, parts, cuts = dumped
    return Block(
        BlockKind(kind),
        start,
        end,
        level,
        label,
        header,
        symbol and Symbol(symbol[0], symbol[1], tuple(symbol[2]), tuple(symbol[3])),
        tuple(_load_block(part) for part in parts),
        tuple(tuple(places) for places in cuts),
    )


def _from_json(answer: dict[str, Any]) -> Parsed:
    if "error" in answer:
        kind = OpaqueContentError if answer["opaque"] else SourceError
        raise kind(answer["error"], hint=answer["hint"])
    return Parsed(
        answer["text"],
        answer["kind"],
        answer["title"],
        MappingProxyType(answer["metadata"]),
        tuple(_load_block(block) for block in answer["blocks"]),
        tuple(answer["pages"]),
        tuple(DocumentName(*name) for name in answer["names"]),
        tuple(Place(*place) for place in answer["places"]),
        answer["has_lines"],
    )
