"""How a run of the command ends: exit codes, and errors printed in two lines, never as a traceback."""

from __future__ import annotations

import errno
import os
import traceback
from enum import IntEnum

import typer

from cli.output.terminal import note, warn
from connectors.errors import ConfigurationError, PilotfishError
from indexes.errors import NoKnowledgeBaseError


class ExitCode(IntEnum):
    """The exit codes of the command."""

    DONE = 0
    FAILURES = 1
    USAGE = 2
    NO_KNOWLEDGE_BASE = 3
    INTERRUPTED = 130


def report(error: Exception) -> ExitCode:
    """Tell the user about `error`; returns the exit code it stands for."""
    if os.environ.get("PILOTFISH_DEBUG"):
        traceback.print_exception(error)
    match error:
        case typer.TyperException():
            warn("error", error.format_message(), _usage_hint(error))
            return ExitCode.USAGE
        case PilotfishError():
            warn("error", str(error), error.hint)
            return _exit_code(error)
        case OSError():
            full = error.errno == errno.ENOSPC
            warn(
                "error",
                str(error),
                "free some disk space and run it again; everything published is kept" if full else "",
            )
        case _:
            warn(
                "error",
                f"unexpected error: {type(error).__name__}: {error}",
                "please report this as a bug; PILOTFISH_DEBUG=1 shows the traceback",
            )
    return ExitCode.FAILURES


def report_interrupt() -> ExitCode:
    """Tell the user that Ctrl-C lost nothing."""
    note("\ninterrupted: everything published so far is kept, and the same command continues from there")
    return ExitCode.INTERRUPTED


def _exit_code(error: PilotfishError) -> ExitCode:
    if isinstance(error, NoKnowledgeBaseError):
        return ExitCode.NO_KNOWLEDGE_BASE
    return ExitCode.USAGE if isinstance(error, ConfigurationError) else ExitCode.FAILURES


def _usage_hint(error: typer.TyperException) -> str:
    if "--kb" in error.format_message():
        return "--kb comes before the verb: rag --kb DIR search …"
    if "unexpected extra argument" in error.format_message():
        return 'put several words in quotes: rag search "how do refunds work?"'
    context = getattr(error, "ctx", None)
    return (
        f"`{context.command_path} --help` shows the usage" if context is not None else "`rag --help` lists the commands"
    )
