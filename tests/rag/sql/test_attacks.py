"""Attacks on three real databases, through the guard and, without it, on the executor alone.

Nothing may be changed, no file read or made, nothing still run when the limit has passed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.errors import LimitError, RefusedError, SqlError
from rag.sql.executor import execute
from rag.sql.guard.guard import guard
from rag.sql.limits import StatementLimits
from rag.sql.values import Rows
from tests.rag.sql.attack_classes import HIDDEN_COLUMNS, HIDDEN_TABLES, made
from tests.rag.sql.attacks import ATTACKS, BOMBS, GUARD_ONLY, UNSTOPPABLE, Attack
from tests.rag.sql.shop import SECRET, allowed, build, checksum, sqlite_shop
from tests.servers import MARIADB, POSTGRESQL, new_database

LIMITS = StatementLimits(seconds=0.7, rows=100, size=200_000, cell=20_000, memory=512 * 2**20)
FILE = "pilotfish_attack"


class Target:
    """A database under attack, and what must be true of it afterwards."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.allowed: AllowList = allowed(url)
        self.before = checksum(url)
        self.is_server = self.allowed.dialect is not SqlDialect.SQLITE
        self._engine = create_engine(url)
        # A session of somebody else, which must live on.
        self._victim = self._engine.connect() if self.is_server else None

    def close(self) -> None:
        if self._victim is not None:
            self._victim.close()
        self._engine.dispose()

    def filled(self, sql: str) -> str:
        victim = ""
        if self._victim is not None:
            victim = str(self._victim.scalar(text(_OWN_ID[self.allowed.dialect])))
            self._victim.commit()
        return sql.replace("{file}", str(self.folder / FILE)).replace("{victim}", victim)

    def check(self) -> None:
        """Nothing has changed and nothing goes on."""
        assert checksum(self.url) == self.before
        assert not list(self.folder.glob(f"{FILE}*"))
        if self._victim is not None:
            deadline = time.monotonic() + 20  # a server is told to stop, and takes a moment
            while (others := self._sessions()) and time.monotonic() < deadline:
                time.sleep(0.2)
            assert others == []

    def _sessions(self) -> list[Any]:
        """The sessions on this database but the victim's, which asks: it has to be alive for it."""
        assert self._victim is not None
        sessions = self._victim.execute(text(_SESSIONS[self.allowed.dialect])).all()
        self._victim.commit()
        return [tuple(row) for row in sessions]


Targets = Callable[[SqlDialect], Target]

_OWN_ID = {SqlDialect.POSTGRESQL: "SELECT pg_backend_pid()", SqlDialect.MARIADB: "SELECT CONNECTION_ID()"}
_SESSIONS = {
    SqlDialect.POSTGRESQL: "SELECT pid, state, query FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    SqlDialect.MARIADB: "SELECT id, info FROM information_schema.processlist"
    " WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}


@pytest.fixture(scope="module")
def targets() -> Iterator[Targets]:
    """The shop in a database of any dialect, made when it is first asked for."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o777)  # the servers could write here

        @cache
        def target(dialect: SqlDialect) -> Target:
            if dialect is SqlDialect.SQLITE:
                url = sqlite_shop(folder)
            else:
                server = {SqlDialect.POSTGRESQL: POSTGRESQL, SqlDialect.MARIADB: MARIADB}[dialect]
                url = stack.enter_context(new_database(server))
                build(url)
            made = Target(url, folder)
            stack.callback(made.close)
            return made

        yield target


def kinds(attacks: list[Attack], *, guarded: bool = True) -> list[Any]:
    """The attacks of each kind on each dialect; without the guard, not those that are for the guard alone."""
    listed: dict[tuple[SqlDialect, str], list[Attack]] = {}
    for attack in attacks:
        for dialect in attack.dialects:
            if guarded or attack.kind != GUARD_ONLY or dialect is SqlDialect.SQLITE:
                listed.setdefault((dialect, attack.kind), []).append(attack)
    return [
        pytest.param(
            dialect, those, id=f"{dialect}: {kind}", marks=() if dialect is SqlDialect.SQLITE else pytest.mark.server
        )
        for (dialect, kind), those in listed.items()
    ]


EVERY = [*ATTACKS, *made()]
SECRETS = frozenset({GUARD_ONLY, HIDDEN_COLUMNS, HIDDEN_TABLES})


def guarded(target: Target, attacks: Iterable[Attack]) -> list[str]:
    """What the guard makes of those that it lets through."""
    found = []
    for attack in attacks:
        with suppress(RefusedError):
            found.append(guard(target.filled(attack.sql), target.allowed).text)
    return found


@pytest.mark.parametrize(("dialect", "attacks"), kinds([attack for attack in EVERY if attack.kind not in SECRETS]))
def test_the_guard_refuses(targets: Targets, dialect: SqlDialect, attacks: list[Attack]) -> None:
    assert guarded(targets(dialect), attacks) == []


@pytest.mark.parametrize(("dialect", "attacks"), kinds([attack for attack in EVERY if attack.kind in SECRETS]))
def test_no_secret_is_shown(targets: Targets, dialect: SqlDialect, attacks: list[Attack]) -> None:
    """A statement may run where what it reads was taken out of it: a whole row then has no password.

    It runs here as the owner of everything, with neither the executor nor its limits around it.
    """
    target = targets(dialect)
    engine = create_engine(target.url)
    with engine.connect() as connection:
        for sql in guarded(target, attacks):
            try:
                shown = repr(connection.exec_driver_sql(sql).fetchmany(100))
            except DBAPIError as error:
                shown = str(error.orig)
            connection.rollback()
            assert not any(secret in shown for secret in (SECRET, "90000", "70000")), sql
    engine.dispose()


@pytest.mark.parametrize(("dialect", "attacks"), kinds(ATTACKS, guarded=False))
def test_the_executor_alone_keeps_them_harmless(targets: Targets, dialect: SqlDialect, attacks: list[Attack]) -> None:
    target = targets(dialect)
    outcomes = attempts(target, [target.filled(attack.sql) for attack in attacks])
    assert {sql: harm for sql, outcome in outcomes.items() if (harm := harm_of(outcome, dialect))} == {}
    target.check()


@pytest.mark.parametrize(("dialect", "attacks"), kinds(BOMBS))
def test_bombs_are_stopped(targets: Targets, dialect: SqlDialect, attacks: list[Attack]) -> None:
    target = targets(dialect)
    statements: list[str] = []
    for attack in attacks:
        if (dialect, attack.kind) != (SqlDialect.MARIADB, UNSTOPPABLE):
            statements.append(attack.sql)
        with suppress(RefusedError):
            statements.append(guard(attack.sql, target.allowed).text)
    outcomes = attempts(target, statements)
    assert [sql[:200] for sql, outcome in outcomes.items() if not is_within_limits(outcome)] == []
    target.check()


def attempts(target: Target, statements: Iterable[str]) -> dict[str, Rows | SqlError]:
    """What becomes of each statement: a few at a time, each in the process of its own that the executor starts."""
    each = list(dict.fromkeys(statements))
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(each, pool.map(partial(attempt, target), each), strict=True))


def attempt(target: Target, sql: str) -> Rows | SqlError:
    try:
        return execute(target.url, sql, target.allowed, LIMITS)
    except SqlError as error:
        return error


def harm_of(outcome: Rows | SqlError, dialect: SqlDialect) -> str:
    """What an attack has reached; empty for nothing."""
    if isinstance(outcome, LimitError):
        return "it was left to run"
    shown = repr(outcome.rows) if isinstance(outcome, Rows) else str(outcome)
    loot = ["root:", "/var/lib"]
    if dialect is SqlDialect.SQLITE:
        loot += [SECRET, "CREATE TABLE customers", "90000"]
    return ", ".join(found for found in loot if found in shown)


def is_within_limits(outcome: Rows | SqlError) -> bool:
    if isinstance(outcome, SqlError):
        return True
    cells = [str(cell) for row in outcome.rows for cell in row]
    return len(outcome.rows) <= LIMITS.rows and all(len(cell) <= LIMITS.cell for cell in cells)


def test_there_are_enough_attacks_of_every_kind() -> None:
    assert len({attack.sql for attack in EVERY + BOMBS}) >= 1_000
    for dialect in SqlDialect:
        assert sum(dialect in attack.dialects for attack in EVERY + BOMBS) >= 300


def test_the_check_notices_a_change(tmp_path: Path) -> None:
    url = sqlite_shop(tmp_path)
    target = Target(url, tmp_path)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE reviews SET stars = 1 WHERE id = 1"))
    engine.dispose()
    with pytest.raises(AssertionError):
        target.check()
    target.close()
