"""The second look: by words alone, and never at what is only text."""

from __future__ import annotations

import pytest

from rag.sql.allowed import SqlDialect
from rag.sql.process.session import FailedError
from rag.sql.process.tripwire import second_look, without_text

P, M = SqlDialect.POSTGRESQL, SqlDialect.MARIADB


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (M, "SELECT name FROM t WHERE email LIKE '%@example.org' AND note = 'sleep(5) into outfile'"),
        (M, "SELECT \"benchmark(1, 2)\", 'it''s \\' @x' FROM t -- load_file"),
        (P, "SELECT name FROM t WHERE q = 'pg_sleep(1)' OR q = $$dblink('x')$$ /* lo_export() /* nested */ x */"),
        (P, "SELECT E'\\' pg_read_file(1)' FROM t"),
        (P, "SELECT pg_rating, into_account, copy FROM films"),
        (P, "( SELECT 1 ) UNION VALUES (1)"),
    ],
)
def test_text_and_comments_are_not_looked_at(dialect: SqlDialect, sql: str) -> None:
    second_look(sql, dialect)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        (M, "SELECT '\\'', load_file('x')"),
        (M, "SELECT '''' , sleep(1)"),
        (M, "SELECT 1 /*!50000 , sleep(1) */"),
        (M, "SELECT 1 --sleep(1)"),  # to MariaDB that is minus minus
        (P, "SELECT /* /* */ ' */ pg_sleep(60) --'"),
        (P, "SELECT '\\', pg_sleep(60) --'"),
        (P, "SELECT $x$ $y$ $x$, pg_sleep(1)"),
        (P, "SELECT U&'\\0041'"),
        (P, "SET ROLE postgres"),
        (P, "-- SELECT\nDELETE FROM t"),
        (SqlDialect.SQLITE, "PRAGMA query_only = OFF"),
    ],
)
def test_what_hides_in_text_and_comments_is_found(dialect: SqlDialect, sql: str) -> None:
    with pytest.raises(FailedError):
        second_look(sql, dialect)


def test_text_that_is_not_closed_goes_to_the_end() -> None:
    assert without_text("SELECT 'x -- y", P) == "SELECT ''"
    assert without_text("SELECT 1 /* x", M) == "SELECT 1  "
