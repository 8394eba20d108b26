"""A process that runs the command once and then forks a child for every request, so that a run costs no start-up.

Requests are lines of JSON on stdin; the answer to each is a line with the child's exit code (negative: the signal that
killed it). What the child writes is left in the folder that the request names.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from contextlib import chdir, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import cli.main
import indexes.store
import rag.indexing.synchroniser
from connectors.errors import ConfigurationError, PilotfishError
from indexes.limits import StoreLimits
from indexes.writer import Writer
from tests.crash import state
from tests.crash.disk import mark
from tests.crash.encoder import WordEncoder
from tests.crash.harness import EMBED_BATCH, Kind

ENCODERS = ("default", "second")
TIME_LIMIT_SECONDS = 60  # a child that hangs is killed by SIGALRM

Request = dict[str, Any]


def main(faults: str) -> None:
    """Serve requests until stdin ends."""
    library = ctypes.CDLL(faults)
    _make_small()
    _import_all()
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page of its parent
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a thread would not survive a fork"
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _serve(json.loads(line), library)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _make_small() -> None:
    """Small enough that some dozens of chunks go through everything: batches, merges, a new dense base."""

    def load_encoder(spec: str) -> WordEncoder:
        if spec not in ENCODERS:
            raise ConfigurationError(f"no encoder {spec!r}")
        return WordEncoder(spec, Path("embedded"))

    for target, name, value in (
        (indexes.store, "load_encoder", load_encoder),
        (rag.indexing.synchroniser, "BATCH_CHUNKS", 16),
        (
            indexes.store,
            "StoreLimits",
            partial(StoreLimits, embedded_at_once=EMBED_BATCH, delta_least=12, exact_chunks=40, dead_least=12),
        ),
    ):
        patch.object(target, name, value).start()


def _import_all() -> None:
    """Import what a run imports late: that of a child, for the threads that a run leaves would not survive a fork."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        child = os.fork()
        if child == 0:
            Path("document.md").write_text("The clerk files the form zzax.")
            _write_to("stdout", 1)
            sys.argv = ["rag", "--kb", f"{folder}/kb", "index", "document.md", "--json"]
            with suppress(SystemExit):
                cli.main.run()
            state.read(Path(folder, "kb"))
            Path("modules").write_text("\n".join(sys.modules))
            os._exit(0)
        os.waitpid(child, 0)
        for name in Path("modules").read_text().splitlines():
            with suppress(ImportError):  # a few belong to one process alone
                importlib.import_module(name)


def _serve(request: Request, library: ctypes.CDLL) -> NoReturn:
    os.chdir(request["out"])
    _write_to("stdout", 1)
    _write_to("stderr", 2)
    signal.alarm(TIME_LIMIT_SECONDS)
    code: int | str | None = 1
    try:
        if request["verb"] == "run":
            _run(request, library)
        else:
            json.dump(getattr(state, request["verb"])(Path(request["kb"])), sys.stdout)
        code = 0
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:  # noqa: BLE001 — a forked child must end here whatever happens
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code or 0))


def _write_to(name: str, descriptor: int) -> None:
    opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(opened, descriptor)
    os.close(opened)


def _run(request: Request, library: ctypes.CDLL) -> None:
    """The `rag` command itself, with a fault to come."""
    if request["keep_dead"]:
        patch("indexes.catalog.writing.Writing.bury", return_value=0).start()
    recorded = request["kind"] == Kind.RECORD
    trace = os.open("recording" if recorded else "trace", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if recorded:
        _mark_published(trace)
    sys.argv = ["rag", *request["arguments"]]
    refused = library.arm(os.fsencode(request["below"]), request["kind"], ctypes.c_long(request["call"]), trace)
    if refused:
        raise OSError(refused, f"the system calls cannot be filtered: {os.strerror(refused)}")
    try:
        cli.main.run()
    finally:
        if request["search"]:
            Path("meanwhile").write_text(_search(Path(request["kb"])))


def _mark_published(trace: int) -> None:
    """Mark in the recording where a generation has been published."""
    publish = Writer._publish

    def marked(writer: Writer, born: int) -> None:
        publish(writer, born)
        os.write(trace, mark(str(born)))

    patch.object(Writer, "_publish", marked).start()


def _search(kb: Path) -> str:
    """How a search ends where the disk is still as bad."""
    try:
        state.read(kb)
    except PilotfishError as error:
        return f"{error}\nhint: {error.hint}"
    return "searched"


if __name__ == "__main__":
    main(sys.argv[1])
