"""`rag index` and `rag remove`: add sources, keep them up to date, forget them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.failures import ExitCode
from cli.opening import knowledge_base
from cli.options import Json
from cli.output.terminal import grouped, in_lines, near, note, one_line, print_json, put, stderr, stdout
from cli.source_options import (
    Cursor,
    Exclude,
    ExcludeTable,
    Include,
    Key,
    NoIgnore,
    PasswordEnv,
    PasswordKeyring,
    Query,
    QueryName,
    Revision,
    Table,
    TextColumns,
    Vendored,
    check_no_database,
    check_some_exist,
    database_options,
    folder_options,
    with_options,
)
from connectors.errors import ConfigurationError

if TYPE_CHECKING:
    from connectors.source import Source
    from rag import IndexReport, KnowledgeBase
    from rag.indexing import Failure

_FAILURES_SHOWN = 20


def index(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders, files and databases to register and read. Default: everything registered.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Switch to this encoder, and embed every passage again."),
    ] = None,
    late: Annotated[
        bool | None,
        typer.Option(
            "--late/--no-late",
            metavar="",
            show_default=False,
            help="Keep token vectors for late interaction, or drop them: a third of the size, slightly worse ranking.",
        ),
    ] = None,
    include: Include = None,
    exclude: Exclude = None,
    no_ignore: NoIgnore = False,
    vendored: Vendored = None,
    rev: Revision = None,
    table: Table = None,
    exclude_table: ExcludeTable = None,
    query: Query = None,
    name: QueryName = None,
    key: Key = None,
    text_columns: TextColumns = None,
    cursor: Cursor = None,
    password_env: PasswordEnv = None,
    password_keyring: PasswordKeyring = None,
    json: Json = False,
) -> None:
    """Index documents, or bring them up to date.

    Only what was added or changed since the last run is read and embedded.
    The first run in a folder creates the knowledge base .rag there.
    The flags of a source are kept until you name the source with other flags.

    [bold]Examples[/bold]
      rag index docs/ sqlite:///shop.db     register a folder and a database, and read them
      rag index                             bring everything registered up to date
    """
    wanted = with_options(
        sources or [],
        folder_options(include, exclude, no_ignore=no_ignore, vendored=vendored, rev=rev),
        database_options(
            table=table,
            exclude_table=exclude_table,
            query=query,
            name=name,
            key=key,
            text_columns=text_columns,
            cursor=cursor,
            password_env=password_env,
            password_keyring=password_keyring,
        ),
    )
    check_some_exist(sources or [])
    check_no_database(sources or [])
    with knowledge_base(context, create=bool(sources), encoder=encoder, late=late is not False) as base:
        _check_registered(base, sources or [])
        report = _synchronise(base, wanted, encoder, late)
    _finish(report, json=json)


def remove(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source as shown by `rag status`, or its path.")],
    json: Json = False,
) -> None:
    """Forget a source and its documents. The files stay.

    To forget one file of a folder, list it in .ragignore and run rag index.

    [bold]Examples[/bold]
      rag remove docs/
      rag remove manual.pdf
    """
    with knowledge_base(context) as base:
        report = base.remove(source)
    _finish(report, json=json)


def _check_registered(base: KnowledgeBase, sources: list[str]) -> None:
    if not sources and not base.status().sources:
        raise ConfigurationError(
            f"{base.path} has no sources yet", hint="add a folder or a file, e.g. `rag index docs/`"
        )


def _synchronise(
    base: KnowledgeBase, sources: list[str | Source], encoder: str | None, late: bool | None
) -> IndexReport:
    from cli.output.progress import Meter, asking_pauses, show_indexing

    with Meter() as meter, asking_pauses(meter):
        return base.index(
            *sources, encoder=encoder, late=late, on_progress=lambda progress: show_indexing(meter, progress)
        )


def _finish(report: IndexReport, *, json: bool) -> None:
    if json:
        from cli.output import as_json

        print_json(as_json.index_report(report))
    else:
        _print_failures(report.failures)
        for line in report.news:
            note(one_line(line))
        console = stdout()
        put(console, *in_lines(_summary(report), console.width if console.is_terminal else None))
    if report.failures:
        raise typer.Exit(ExitCode.FAILURES)


def _summary(report: IndexReport) -> list[str]:
    counts = {
        "added": report.added,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": len(report.failures),
        "chunks": report.chunks_total,
        "embedded": report.embedded,
    }
    return [*(f"{name} {grouped(count)}" for name, count in counts.items()), f"{report.seconds:.1f} s"]


def _print_failures(failures: tuple[Failure, ...]) -> None:
    from rich.text import Text

    for failure in failures[:_FAILURES_SHOWN]:
        # Most reasons begin with the file's name, for those who see them alone.
        name = Path(failure.uri).name
        reason = one_line(failure.error.removeprefix(f"{failure.uri}: ").removeprefix(f"{name}: "))
        put(stderr(), Text.assemble(("failed: ", "bold red"), (one_line(near(failure.uri)), "bold"), f": {reason}"))
        if failure.hint:
            put(stderr(), Text(f"  hint: {one_line(failure.hint)}", "dim"))
    if len(failures) > _FAILURES_SHOWN:
        note(f"and {grouped(len(failures) - _FAILURES_SHOWN)} more; --json lists them all")
