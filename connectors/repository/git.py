"""Runs git on an untrusted repository: only commands that read, and never anything the repository brings along."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from connectors.errors import SourceError

_INSTALL_HINT = "install git; a folder with checked-out files can be read without it"
_REPAIR_HINT = "`git fsck` says what is damaged; fetch or clone it again"

# A configuration in the repository is whoever's made the repository. These are the settings that would have the reading
# commands start a program: all are overruled, and no protocol is allowed by which a missing object could be fetched.
_OVERRULED = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    f"core.attributesFile={os.devnull}",
    "core.sshCommand=false",
    "core.askPass=false",
    "core.alternateRefsCommand=false",
    "credential.helper=",
    "protocol.allow=never",
)
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a hash must mean one content
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")


class NoGitError(SourceError):
    """The program git is not installed."""


class Git:
    """Commands on one repository.

    Naming its folder spares git the search for it, and with it the question who owns it: what is read is only data.

    Arguments:
        folder: where the repository itself is (`.git`, or that of a bare clone).
        work_tree: where its files are checked out, if they are.
        seconds: how long one answer may take.
    """

    def __init__(self, folder: Path, work_tree: Path | None, seconds: float) -> None:
        self.folder = folder
        self.seconds = seconds
        self._where = [f"--git-dir={folder}", *([f"--work-tree={work_tree}"] if work_tree else [])]
        self._in = work_tree or folder

    def run(self, *arguments: str, stdin: IO[bytes] | None = None, environment: dict[str, str] | None = None) -> bytes:
        """What a command prints.

        Raises `SourceError` where it fails, with what git says, and `NoGitError`.
        """
        try:
            done = subprocess.run(  # noqa: S603 - no shell, and a fixed environment
                self._command(arguments),
                cwd=self._in,
                env={**_environment(), **(environment or {})},
                stdin=stdin or subprocess.DEVNULL,
                capture_output=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceError(f"git {arguments[0]} took longer than {self.seconds:.0f} s", hint=_REPAIR_HINT) from None
        except OSError as error:
            raise SourceError(f"git cannot be run on {self.folder}: {error.strerror}") from error
        if done.returncode:
            raise SourceError(_said(done.stderr) or f"git {arguments[0]} failed", hint=_REPAIR_HINT)
        return done.stdout

    def words(
        self, *arguments: str, stdin: IO[bytes] | None = None, environment: dict[str, str] | None = None
    ) -> list[str]:
        """What a command prints, cut at its zero bytes; names that are not UTF-8 keep their bytes as surrogates."""
        return os.fsdecode(self.run(*arguments, stdin=stdin, environment=environment)).split("\0")[:-1]

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that answers as long as it is asked."""
        return subprocess.Popen(  # noqa: S603
            self._command(arguments),
            cwd=self._in,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _command(self, arguments: Sequence[str]) -> list[str]:
        git = shutil.which("git")
        if git is None:
            raise NoGitError(f"{self.folder} is a git repository, and git is not installed", hint=_INSTALL_HINT)
        settings = [word for setting in _OVERRULED for word in ("-c", setting)]
        return [git, "--no-pager", *self._where, *settings, *arguments]


def _environment() -> dict[str, str]:
    return {**{name: os.environ[name] for name in _KEPT if name in os.environ}, **_ENVIRONMENT}


def _said(stderr: bytes) -> str:
    """The last complaint, as one line without control characters."""
    lines = [line for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return ""
    line = lines[-1].removeprefix("fatal: ").removeprefix("error: ")
    return "".join(character for character in line if character.isprintable())[:300]
