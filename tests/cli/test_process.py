"""What only shows in a process of its own: pipes, terminals, signals, start-up."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Shop, environment, run_process

pytestmark = pytest.mark.process

COMMAND = [sys.executable, "-m", "cli.main"]


def on_a_terminal(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=environment() | {"TERM": "xterm-256color"} | dict(env or {}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65_536):
            written += block
    except OSError:  # how Linux reports that the other end is closed
        pass
    process.wait(timeout=120)
    os.close(ours)
    return written.decode()


def test_json_is_all_there_is_on_stdout(shop: Shop) -> None:
    ran = run_process("search", "how long do refunds take?", "--json", cwd=shop.folder)
    assert ran.json["hits"]
    assert ran.err == ""


def test_a_terminal_gets_colours_and_links(shop: Shop) -> None:
    written = on_a_terminal("search", "refunds", "-k", "1", cwd=shop.folder)
    assert "\x1b[1;33m" in written, "matches are marked"
    assert "\x1b]8;" in written, "the place is a link"


def test_no_color_is_honoured_on_a_terminal(shop: Shop) -> None:
    written = on_a_terminal("search", "colour codes", "-k", "1", cwd=shop.folder, env={"NO_COLOR": "1"})
    assert "\x1b[1;33m" not in written
    assert "\x1b[31m" not in written, "neither ours nor the document's"
    assert "\x1b]0;" not in written


def test_an_answer_on_a_terminal(shop: Shop) -> None:
    written = on_a_terminal("ask", "within how many days are refunds paid?", cwd=shop.folder)
    assert "14 days" in written
    assert "Sources" in written


@pytest.mark.parametrize("arguments", [["search", "refunds"], ["search", "refunds", "--json"], ["--help"]])
def test_a_reader_that_leaves_is_no_error(shop: Shop, arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=shop.folder, env=environment(), stdout=theirs, stderr=subprocess.PIPE, check=False
    )
    os.close(theirs)
    assert done.stderr == b""


def test_stdout_that_is_closed_is_no_error(shop: Shop) -> None:
    line = f"exec {sys.executable} -m cli.main search refunds >&-"
    done = subprocess.run(["sh", "-c", line], cwd=shop.folder, env=environment(), stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_encoding_without_the_characters(shop: Shop) -> None:
    ran = run_process("search", "refunds", cwd=shop.folder, env={"PYTHONIOENCODING": "ascii"})
    assert ran.code == 0
    assert "Refunds" in ran.out


def test_an_interrupt_keeps_what_was_published(tmp_path: Path) -> None:
    for number in range(120):
        (tmp_path / f"{number}.md").write_text(f"# Note {number}\n\n" + f"Sentence {number} of many words. " * 20)
    process = subprocess.Popen(
        [*COMMAND, "index", "."],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        # What a shell runs in the background inherits that interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no thread
    )
    while not (tmp_path / ".rag" / "sparse").exists() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert b"interrupted: everything published so far is kept" in err
    assert b"Traceback" not in err
    assert run_process("index", cwd=tmp_path).code in (0, 2), "2: nothing was registered yet"
    assert run_process("index", ".", "--json", cwd=tmp_path).json["chunks"]["total"] == 120


def test_a_surprise_is_one_line_unless_asked_for_more(shop: Shop) -> None:
    broken = "import cli.main, cli.verbs.search\ncli.verbs.search.knowledge_base = None\ncli.main.run()"
    start = [sys.executable, "-c", broken, "search", "x"]
    short = subprocess.run(start, cwd=shop.folder, env=environment(), capture_output=True, text=True, check=False)
    assert short.returncode == 1
    assert short.stderr.startswith("error: unexpected error: TypeError")
    assert "PILOTFISH_DEBUG=1" in short.stderr
    assert "Traceback" not in short.stderr
    long = subprocess.run(
        start,
        cwd=shop.folder,
        env=environment() | {"PILOTFISH_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" in long.stderr
