"""What people and models write to answer questions: the guard lets it through, and the executor gives the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.executor import execute
from rag.sql.guard.guard import guard
from tests.rag.sql.shop import SECRET, allowed, build, sqlite_shop
from tests.servers import MARIADB, POSTGRESQL, new_database

Shops = Callable[[SqlDialect], tuple[URL, AllowList]]
HERE = Path(__file__).parent / "legitimate"


def statements(name: str) -> list[str]:
    """One a line."""
    return [line.removesuffix(";") for line in (HERE / f"{name}.sql").read_text(encoding="utf-8").splitlines()]


CASES = [
    pytest.param(
        dialect, sql, id=f"{dialect}-{number}", marks=() if dialect is SqlDialect.SQLITE else pytest.mark.server
    )
    for dialect in SqlDialect
    for number, sql in enumerate(statements("everywhere") + statements(dialect))
]


@pytest.fixture(scope="module")
def shops() -> Iterator[Shops]:
    """The shop in a database of any dialect, made when it is first asked for."""
    with ExitStack() as stack:

        @cache
        def shop(dialect: SqlDialect) -> tuple[URL, AllowList]:
            if dialect is SqlDialect.SQLITE:
                url = sqlite_shop(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            else:
                server = {SqlDialect.POSTGRESQL: POSTGRESQL, SqlDialect.MARIADB: MARIADB}[dialect]
                url = stack.enter_context(new_database(server))
                build(url)
            return url, allowed(url)

        yield shop


@pytest.mark.parametrize(("dialect", "sql"), CASES)
def test_it_runs_and_gives_the_same_rows(shops: Shops, dialect: SqlDialect, sql: str) -> None:
    url, tables = shops(dialect)
    rows = execute(url, guard(sql, tables).text, tables)
    assert not rows.truncated
    expected = directly(url, sql)
    assert [tuple(map(comparable, row)) for row in rows.rows] == expected


def directly(url: URL, sql: str) -> list[tuple[Any, ...]]:
    """The rows without guard and executor, but for the secrets, which `*` must not show."""
    engine = create_engine(url)
    with engine.connect() as connection:
        escaped = sql if url.get_backend_name() == "sqlite" else sql.replace("%", "%%")
        rows = [tuple(row) for row in connection.exec_driver_sql(escaped).all()]
    engine.dispose()
    return [tuple(comparable(value) for value in row if value != SECRET) for row in rows]


def comparable(value: object) -> object:
    """An interval is text in the one and a timedelta in the other: both are compared elsewhere."""
    if type(value).__name__ == "timedelta" or (
        isinstance(value, str) and value.startswith(("P", "-P")) and "T" in value
    ):
        return "interval"
    if isinstance(value, str) and value[:1] == "P" and value[1:].strip("0123456789YMD") == "":
        return "interval"
    return float(value) if isinstance(value, Decimal) else value
