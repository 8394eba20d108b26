"""Interrupt `rag` at a chosen system call, and check what is left and what the next run makes of it."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from tests.crash.scenarios import Scenario

ROOT = Path(__file__).parents[2]
EMBED_BATCH = 8  # texts between two writes of vectors of record: what an interruption may cost
State = dict[str, Any]
_EFFECT = re.compile(r"^fdatasync catalog.sqlite-wal|^rename (?!.*/.managed.json)")


class Unavailable(Exception):  # noqa: N818 — not an error: a reason to skip
    """This machine cannot interrupt system calls."""


class Kind(IntEnum):
    """What happens at the chosen call (`enum kind` in faults.c)."""

    COUNT = 0  # nothing
    KILL = 1  # the process is killed before it
    TEAR = 2  # the process is killed when half of the write is done
    FAIL = 3  # it fails with EIO
    FAIL_ON = 4  # it and all that follow fail with EIO
    FILL = 5  # the disk takes half of the write, and from then on nothing more
    RECORD = 6  # nothing, but all that is written is recorded

    @property
    def harms(self) -> bool:
        return self not in {Kind.COUNT, Kind.RECORD}

    @property
    def kills(self) -> bool:
        return self in {Kind.KILL, Kind.TEAR}

    def applies(self, call: str) -> bool:
        """Whether the fault at this call differs from that at the call before."""
        operation = call.split(maxsplit=1)[0]
        if self is Kind.TEAR:
            return operation in {"write", "pwrite", "writev"}
        return self is not Kind.FILL or operation not in {
            "fsync",
            "fdatasync",
            "ftruncate",
            "rename",
            "unlink",
            "rmdir",
        }


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (negative: the signal), and what it wrote."""

    code: int
    stdout: str
    stderr: str
    calls: tuple[str, ...]
    embedded: tuple[str, ...]
    meanwhile: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of one fault.

    Attributes:
        struck: the call; None when the run ended before.
        code: the exit code of the run.
        published: the generation left; None when there is no knowledge base.
        meanwhile: how a search ended while the disk was still bad; empty where the fault is over at once.
        problem: what was wrong afterwards.
    """

    scenario: str
    kind: Kind
    call: int
    struck: str | None
    code: int
    published: int | None
    meanwhile: str = ""
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.scenario} {self.kind.name} {self.call} ({self.struck or 'not reached'}): {self.problem or 'ok'}"


class Server:
    """The process that forks the runs."""

    def __init__(self, faults: Path) -> None:
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "RAYON")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.server", str(faults)],
            cwd=ROOT,
            env={**os.environ, **threads, "NO_COLOR": "1", "COLUMNS": "1000", "HOME": str(faults.parent)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, out: Path, verb: str, kb: Path, **request: Any) -> Ended:
        """Do `verb` in a child, which writes below `out`."""
        out.mkdir(parents=True, exist_ok=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"out": str(out), "verb": verb, "kb": str(kb), **request}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server died"
        return Ended(
            int(answer),
            (out / "stdout").read_text(),
            (out / "stderr").read_text(),
            tuple(_lines(out / "trace")),
            tuple(_lines(out / "embedded")),
            tuple(_lines(out / "meanwhile")),
        )

    def rag(
        self,
        out: Path,
        kb: Path,
        arguments: Sequence[str],
        kind: Kind = Kind.COUNT,
        call: int = 0,
        *,
        keep_dead: bool = False,
    ) -> Ended:
        """The command `rag`, with a fault at call number `call`."""
        return self.ask(
            out,
            "run",
            kb,
            arguments=["--kb", str(kb), *arguments],
            kind=kind,
            call=call,
            below=str(kb.parent if kind is Kind.RECORD else kb),
            search=kind in {Kind.FAIL_ON, Kind.FILL},
            keep_dead=keep_dead,
        )

    def look(self, out: Path, verb: str, kb: Path) -> Any:
        """What a function of `tests.crash.state` says about a knowledge base.

        Raises:
            AssertionError: it found something wrong.
        """
        ended = self.ask(out, verb, kb)
        assert ended.code == 0, f"{verb} ended with {ended.code}: {ended.stderr.strip()}"
        return json.loads(ended.stdout)

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """A fork server for knowledge bases below `folder`.

    Raises:
        Unavailable: where system calls cannot be interrupted.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Unavailable("faults are injected into system calls of Linux on x86_64 only")
    compiler = shutil.which("cc")
    if compiler is None:
        raise Unavailable("there is no C compiler (cc) to build the fault injector with")
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", library, source], check=True)
    server = Server(library)
    try:
        if "cannot be filtered" in (probe := server.rag(folder / "probe", folder, ["--version"])).stderr:
            raise Unavailable(probe.stderr.strip().splitlines()[-1])
        yield server
    finally:
        server.close()


class Trial:
    """One scenario: the knowledge base before it, the uninterrupted run, and interrupted ones to compare with it.

    Attributes:
        folder: all of it is below this.
        arguments: of the command that runs.
        reference: the uninterrupted run.
        goal: the state that it and the next run reach.
        generations: the documents of every generation that it publishes.
    """

    def __init__(self, scenario: Scenario, server: Server, folder: Path) -> None:
        self.scenario = scenario
        self.server = server
        self.folder = folder / scenario.name
        self._documents = self.folder / "documents"
        self._template = self.folder / "template"
        self.arguments = (scenario.verb, str(self._documents), *scenario.options, "--json")
        self.folder.mkdir()
        self._prepare()
        self.reference = self._uninterrupted(self.folder / "reference")
        self.generations = self._published()
        last = self._next(self.folder / "then", self.folder / "reference" / "kb")
        self._embedded = {*self.reference.embedded, *last.embedded}
        self.goal: State = server.look(self.folder / "goal", "read", self.folder / "reference" / "kb")

    def _prepare(self) -> None:
        *earlier, last = self.scenario.history
        for place, files in enumerate(earlier):
            files.write(self._documents)
            done = self.server.rag(self.folder / f"earlier-{place}", self._template, ("index", str(self._documents)))
            assert done.code == 0, done.stderr
        last.write(self._documents)
        if self.scenario.killed_at:
            calls = self._uninterrupted(self.folder / "whole").calls
            at = round(len(calls) * self.scenario.killed_at)
            self.server.rag(self.folder / "killed", self._template, self.arguments, Kind.KILL, at)

    def _uninterrupted(self, folder: Path, *, keep_dead: bool = False) -> Ended:
        self.copy(folder / "kb")
        ended = self.server.rag(folder, folder / "kb", self.arguments, keep_dead=keep_dead)
        assert ended.code == 0, ended.stderr
        return ended

    def _next(self, folder: Path, kb: Path) -> Ended:
        """The run after the interrupted one."""
        files = self.scenario.then or self.scenario.history[-1]
        files.write(self._documents)
        try:
            return self.server.rag(folder, kb, self.arguments)
        finally:
            self.scenario.history[-1].write(self._documents)

    def copy(self, kb: Path) -> None:
        """Copy the knowledge base as it is before the run, if there is one."""
        if self._template.exists():
            shutil.copytree(self._template, kb)

    def _published(self) -> dict[int, list[list[str]]]:
        """Generation → its documents, for every generation that the uninterrupted run publishes."""
        folder = self.folder / "generations"
        self._uninterrupted(folder, keep_dead=True)
        found = self.server.look(folder / "look", "generations", folder / "kb")
        return {int(generation): documents for generation, documents in found.items()}

    def points(self, kind: Kind, count: int, phase: float = 0.5) -> list[int]:
        """The numbers of about `count` calls at which to strike.

        About a tenth are the last that the fault applies to. Half of the others come right after a transaction or a
        file took effect, for there the steps of a commit meet; the other half are spread evenly.
        """
        calls = self.reference.calls
        possible = [number for number, call in enumerate(calls, 1) if kind.applies(call)]
        turns = [number for number in possible if number > 1 and _EFFECT.search(calls[number - 2])]
        last = possible[len(possible) - (count + 8) // 10 :]
        rest = count - len(last)
        return sorted({*last, *spread(turns, rest - rest // 2, phase), *spread(possible, rest // 2, phase)})

    def strike(self, kind: Kind, call: int) -> Outcome:
        """Interrupt the run at call number `call`, and say what is wrong afterwards."""
        folder = self.folder / f"{kind.name}-{call}"
        kb = folder / "kb"
        folder.mkdir()
        self.copy(kb)
        ended = self.server.rag(folder / "struck", kb, self.arguments, kind, call)
        struck = ended.calls[call - 1] if len(ended.calls) >= call else None
        published, problem = None, ""
        try:
            self._check_end(ended, kind, reached=struck is not None)
            stored = set(self.server.look(folder / "stored", "stored_texts", kb))
            lost = set(ended.embedded) - stored
            assert len(lost) <= EMBED_BATCH, f"{len(lost)} texts were embedded and not stored"
            # Where the disk works, the order of the writes alone keeps every index usable.
            published, _ = self.check_published(folder, kb, orderly=kind.kills)
            if kind.kills and published is not None:
                self._check_mended(folder, kb)
            self.check_completed(folder, kb, stored)
        except AssertionError as error:
            problem = str(error)
        if not problem:
            shutil.rmtree(folder)
        return Outcome(self.scenario.name, kind, call, struck, ended.code, published, "".join(ended.meanwhile), problem)

    def _check_end(self, ended: Ended, kind: Kind, *, reached: bool) -> None:
        told = ended.stderr.strip()
        if not reached:
            assert ended.code == 0, f"no fault, but exit code {ended.code}: {told}"
        elif kind.kills:
            assert ended.code == -9, f"exit code {ended.code}: {told}"
        else:
            assert ended.code in {0, 1}, f"exit code {ended.code}: {told}"
            assert not re.search("Traceback|unexpected error|panicked at", told), f"not a clean end: {told}"
            if ended.code:
                assert re.search(r"^error: .+\nhint: .+", told, re.MULTILINE), f"no error with a hint: {told!r}"

    def check_published(self, folder: Path, kb: Path, *, orderly: bool) -> tuple[int | None, list[str]]:
        """What is left can be searched, and is a generation that the uninterrupted run published, too.

        With `orderly`, no index has to be made anew but the sparse one, whose files may be ahead of their seal.

        Returns:
            The generation, and what was said of indexes that were made anew.

        Raises:
            AssertionError: it is not so.
        """
        state = self.server.look(folder / "left", "read", kb)
        published: int | None = state["generation"]
        if published is None:
            assert not self._template.exists(), "there is no knowledge base any more"
            return None, []
        self._check_documents(state)
        rebuilt = [line for line in state["notices"] if "rebuilding" in line]
        if orderly:
            assert not [line for line in rebuilt if "sparse" not in line], f"no usable index is left: {rebuilt}"
        return published, rebuilt

    def _check_mended(self, folder: Path, kb: Path) -> None:
        """A generation that was being written is finished whole."""
        shutil.copytree(kb, folder / "mended")
        self._check_documents(self.server.look(folder / "mend", "mend", folder / "mended"))

    def _check_documents(self, state: State) -> None:
        generation = state["generation"]
        assert generation in self.generations, f"generation {generation} was never published"
        left = [[uri, revision] for uri, _title, _kind, _language, revision, _metadata in state["documents"]]
        assert left == self.generations[generation], f"generation {generation} has other documents"

    def check_completed(self, folder: Path, kb: Path, stored: set[str]) -> None:
        """One more run reaches what the uninterrupted run reaches, and embeds nothing that was stored already.

        Raises:
            AssertionError: it does not.
        """
        again = self._next(folder / "again", kb)
        done_before = self.scenario.verb == "remove" and "is not a source" in again.stderr
        assert again.code == 0 or done_before, f"the next run ended with {again.code}: {again.stderr.strip()}"
        ignored = {"generation", "notices"}
        if self.scenario.then is not None:
            ignored.add("orphan vectors")  # those of texts that nobody wants any more wait for the next compaction
        for name, value in self.server.look(folder / "end", "describe", kb).items():
            if name not in ignored:
                assert value == self.goal[name], (
                    f"the next run leaves other {name}: {_difference(value, self.goal[name])}"
                )
        twice = [text for text, times in Counter(again.embedded).items() if times > 1 or text in stored]
        assert not twice, f"{len(twice)} texts were embedded again: {twice[:3]}"
        idle = set(again.embedded) - self._embedded
        assert not idle, f"{len(idle)} texts were embedded that the uninterrupted run does not embed"
        # Together with what was stored, that is everything: no vector came from elsewhere.
        wanted = {f"{encoder} {key}" for encoder, key, _vector in self.goal["vectors"]}
        assert wanted <= stored | set(again.embedded), "vectors appeared that nobody embedded"


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def spread(items: Sequence[int], count: int, phase: float) -> list[int]:
    """`count` of the items, evenly; `phase` in [0, 1) moves them all."""
    count = min(count, len(items))
    return [items[int((place + phase) * len(items) / count)] for place in range(count)]


def _difference(found: Any, expected: Any) -> str:
    if not isinstance(found, list) or not isinstance(expected, list):
        return f"{found!r}, not {expected!r}"
    missing = [item for item in expected if item not in found]
    extra = [item for item in found if item not in expected]
    return f"{len(missing)} missing, as {str(missing[:1])[:300]}; {len(extra)} too many, as {str(extra[:1])[:300]}"
