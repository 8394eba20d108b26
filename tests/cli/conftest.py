"""The real command, run as a process, over one small knowledge base that all tests of a session share."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from cli.output.terminal import stderr, stdout
from rag import KnowledgeBase

ROOT = Path(__file__).parents[2]
# Variables that change how the command prints.
MEDDLING = {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "PILOTFISH_DEBUG", "GITHUB_ACTIONS", "PYTHONWARNINGS"}

REFUNDS = """# Refunds

## Deadlines

Refunds are paid within 14 days after the parcel has come back to us.
A refund of more than 5,120 francs takes a signature of the head of accounting.

## Exceptions

Shipping is not refunded. Sale items can be exchanged, but never refunded.
"""
SHIPPING = """# Shipping

Parcels go to Switzerland, Liechtenstein and France. A parcel costs 7 francs.
Express parcels arrive on the next working day and cost 18 francs.
"""
HOSTILE = """# Notes [bold]and[/bold] codes

The colour code \x1b[31mred\x1b[0m and the title code \x1b]0;owned\x07 stay where they are.
"""


@dataclass(frozen=True)
class Ran:
    """What a run of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        loaded = json.loads(self.out)
        assert isinstance(loaded, dict)
        return loaded


Rag = Callable[..., Ran]


def run_process(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Ran:
    """The command as the shell starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, arguments)],
        cwd=cwd,
        env=environment() | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return checked(Ran(done.returncode, done.stdout.decode(), done.stderr.decode()))


def checked(ran: Ran) -> Ran:
    """What holds for every run whose output is no terminal."""
    assert "Traceback" not in ran.err + ran.out, ran.err
    assert "\x1b" not in ran.out + ran.err, "escape codes reached a pipe"
    return ran


def environment() -> dict[str, str]:
    """This process's environment without what changes how the command prints."""
    kept = {name: value for name, value in os.environ.items() if name not in MEDDLING}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}


@pytest.fixture
def rag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Rag:
    """The command, run in this process (a start costs a second) from entry point to exit, in an empty folder."""
    for name in MEDDLING:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def run_here(*arguments: str | Path, cwd: Path = tmp_path, env: Mapping[str, str] | None = None) -> Ran:
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["rag", *map(str, arguments)])
        stdout.cache_clear()
        stderr.cache_clear()
        with pytest.raises(SystemExit) as ended:
            run()
        printed = capfd.readouterr()
        return checked(Ran(int(ended.value.code or 0), printed.out, printed.err))

    return run_here


@dataclass(frozen=True)
class Shop:
    """A folder of documents, one of them broken, and the knowledge base made of it."""

    folder: Path
    indexed: Ran
    run: Rag

    def rag(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ran:
        return self.run(*arguments, cwd=self.folder, env=env)


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Have standard input hold these lines."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def write_shop(folder: Path) -> None:
    docs = folder / "docs"
    docs.mkdir(parents=True)
    (docs / "refunds.md").write_text(REFUNDS, encoding="utf-8")
    (docs / "shipping.md").write_text(SHIPPING, encoding="utf-8")
    (docs / "hostile.md").write_text(HOSTILE, encoding="utf-8")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is no PDF at all\n")


@pytest.fixture(scope="session")
def indexed_shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    return folder, run_process("index", "docs", "--json", cwd=folder)


@pytest.fixture
def shop(indexed_shop: tuple[Path, Ran], rag: Rag) -> Shop:
    """Never changed by a test; those that change something make their own by `write_shop`."""
    return Shop(*indexed_shop, rag)


@pytest.fixture
def shop_copy(indexed_shop: tuple[Path, Ran], rag: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A copy of the shop by the user who indexed it, for cards to be added to."""
    shutil.copytree(os.environ["PILOTFISH_DATA"], tmp_path / "data")
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "data"))
    folder = tmp_path / "shop"
    shutil.copytree(indexed_shop[0], folder)
    KnowledgeBase.open(folder / ".rag").close()  # which says that it has moved, and need not do so in the test
    return Shop(folder, indexed_shop[1], rag)
