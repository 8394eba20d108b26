"""What the guard lets through and what it says when it does not; the attacks have tests of their own."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.sql.allowed import AllowedTable, AllowList, SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.guard import LONGEST_STATEMENT
from rag.sql.guard.guard import guard as guarded

TABLES = (
    AllowedTable("customers", ("id", "name", "country"), hidden=("password",)),
    AllowedTable("orders", ("id", "customer_id", "status", "Total")),
    AllowedTable("Invoice Lines", ("id", "amount"), schema="sales"),
)
LISTS = {
    dialect: AllowList(dialect, TABLES, default)
    for dialect, default in (
        (SqlDialect.SQLITE, "main"),
        (SqlDialect.POSTGRESQL, "public"),
        (SqlDialect.MARIADB, "shop"),
    )
}


def guard(sql: str, allowed: AllowList) -> str:
    """The text that runs."""
    return guarded(sql, allowed).text


@pytest.mark.parametrize("dialect", SqlDialect)
def test_what_it_gives_it_takes_again(dialect: SqlDialect) -> None:
    once = guard("select c.*, o.status from customers as c join orders o on o.customer_id = c.id", LISTS[dialect])
    assert "password" not in once
    assert guard(once, LISTS[dialect]) == once


@pytest.mark.parametrize("dialect", SqlDialect)
def test_a_star_shows_no_secret_wherever_it_stands(dialect: SqlDialect) -> None:
    for sql in (
        "SELECT * FROM customers",
        "SELECT * FROM (SELECT * FROM customers) AS x",
        "WITH x AS (SELECT * FROM customers) SELECT * FROM x",
        "SELECT * FROM orders CROSS JOIN customers",
        "SELECT id, name, country FROM customers UNION SELECT * FROM customers",
        "SELECT COUNT(*) FROM (SELECT c.* FROM customers c) AS x",
    ):
        written = guard(sql, LISTS[dialect])
        assert "password" not in written
        assert "country" in written


def test_a_table_is_what_may_be_read_of_it_and_people_read_the_statement_without_that() -> None:
    found = guarded("select * from customers -- all", LISTS[SqlDialect.POSTGRESQL])
    assert found.text == 'SELECT * FROM (SELECT "id", "name", "country" FROM "public"."customers") AS "customers"'
    assert found.shown == "SELECT * FROM customers"


@pytest.mark.parametrize(
    ("sql", "said", "hint"),
    [
        ("SELECT naem FROM customers", "there is no column 'naem'", "did you mean name?"),
        ("SELECT name FROM custmers", "there is no table 'custmers'", "did you mean customers?"),
        ("SELECT x.name FROM customers", "there is no table 'x' here", "customers"),
        ("SELECT load_extension('x')", "the function LOAD_EXTENSION is not allowed", "usual functions"),
        ("DELETE FROM customers", "DELETE is no SELECT", "one SELECT"),
        ("SELECT 1; SELECT 2", "2 statements where one is allowed", "one SELECT"),
        ("SELECT name FROM", "not SQL that can be read", "one SELECT"),
        ("SELECT password FROM customers", "the column 'password' of 'customers' may not be read", "leave it out"),
        ("", "no statement where one is allowed", "one SELECT"),
        ("SELECT 1 /*! , SLEEP(5) */", "the comment /*! , SLEEP(5) */ is meant to be run", "no such comments"),
        ("SELECT 'a\x00'", "control character '\\x00'", "without"),
        ("SELECT " + "x" * LONGEST_STATEMENT, "characters", "at most 20,000"),
        ('SELECT "Ada" FROM customers', "there is no column", "text goes in single quotes"),
    ],
)
def test_what_is_refused_is_named_and_the_hint_helps(sql: str, said: str, hint: str) -> None:
    with pytest.raises(RefusedError) as refused:
        guard(sql, LISTS[SqlDialect.SQLITE])
    assert said in str(refused.value)
    assert hint in refused.value.hint


def test_a_text_in_double_quotes_is_one_where_sqlite_compares_it() -> None:
    sql = 'SELECT id FROM customers WHERE name = "Ada" OR name IN ("Bob", "O\'Neill") OR "name" = country'
    text = guard(sql, LISTS[SqlDialect.SQLITE])
    assert """WHERE "name" = 'Ada' OR "name" IN ('Bob', 'O''Neill') OR "name" = "country\"""" in text
    for refused in ('SELECT id FROM customers WHERE "naem" = 1', 'SELECT id FROM customers WHERE name = "password"'):
        with pytest.raises(RefusedError):
            guard(refused, LISTS[SqlDialect.SQLITE])


def test_capitals_matter_where_they_do_to_the_database() -> None:
    assert guard("SELECT TOTAL FROM Orders", LISTS[SqlDialect.SQLITE])
    with pytest.raises(RefusedError) as refused:
        guard("SELECT Total FROM orders", LISTS[SqlDialect.POSTGRESQL])
    assert refused.value.hint == 'write it in double quotes: "Total"'
    assert guard('SELECT "Total" FROM Orders', LISTS[SqlDialect.POSTGRESQL])
    with pytest.raises(RefusedError, match="'Orders'"):  # it may be another table there
        guard("SELECT id FROM Orders", LISTS[SqlDialect.MARIADB])


def test_other_schemas_are_told_apart() -> None:
    postgresql = LISTS[SqlDialect.POSTGRESQL]
    assert guard('SELECT amount FROM sales."Invoice Lines"', postgresql)
    assert guard("SELECT id FROM public.orders", postgresql)
    for sql in (
        'SELECT amount FROM "Invoice Lines"',
        "SELECT id FROM sales.orders",
        "SELECT id FROM other.public.orders",
    ):
        with pytest.raises(RefusedError):
            guard(sql, postgresql)


def test_a_name_given_by_with_hides_a_table_only_where_it_is_known() -> None:
    postgresql = LISTS[SqlDialect.POSTGRESQL]
    assert guard("WITH orders AS (SELECT id FROM orders) SELECT id FROM orders", postgresql)
    with pytest.raises(RefusedError):
        guard("WITH a AS (SELECT * FROM hidden_table), hidden_table AS (SELECT 1 AS x) SELECT * FROM a", postgresql)
    assert "public" not in guard("WITH customers AS (SELECT 1 AS id) SELECT * FROM customers", postgresql)


def test_what_a_replacement_works_on_is_limited_on_mariadb_alone() -> None:
    sql = "SELECT REPLACE(name, 'ä', 'ae'), REPLACE('x-y', '-', '') FROM customers"
    assert guard(sql, LISTS[SqlDialect.SQLITE]).startswith(
        "SELECT REPLACE(\"name\", 'ä', 'ae'), REPLACE('x-y', '-', '')"
    )
    limited = guard(sql, LISTS[SqlDialect.MARIADB])
    assert "IF(CHAR_LENGTH(`name`) <= 10000, `name`, EXP(CHAR_LENGTH(`name`) + 1000))" in limited
    assert "REPLACE('x-y', '-', '')" in limited
    assert guard(limited, LISTS[SqlDialect.MARIADB]) == limited
    raised = limited.replace("10000", "99999999")
    assert "<= 10000" in guard(raised, LISTS[SqlDialect.MARIADB])
    umlauts = "SELECT REPLACE(REPLACE(REPLACE(name, 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue') FROM customers"
    assert guard(umlauts, LISTS[SqlDialect.MARIADB]).count("EXP(") == 1
    with pytest.raises(RefusedError, match="too long"):
        guard(
            "SELECT " + "REPLACE(" * 12 + "name" + ", 'a', 'aaaaaaaaaa')" * 12 + " FROM customers",
            LISTS[SqlDialect.MARIADB],
        )


SAME = {
    SqlDialect.SQLITE: ["LOG10(id)", "LOG2(id)", "MOD(id, 2)", "CAST(id AS NUMERIC)", "CURRENT_TIMESTAMP"],
    SqlDialect.POSTGRESQL: ["LOG10(id)", "TO_HEX(id)", "JSON_OBJECT('{a,b}', '{1,2}')", "CURRENT_TIMESTAMP(0)"],
    SqlDialect.MARIADB: [
        "LOG10(id)",
        "LOG2(id)",
        "CHR(id)",
        "TO_CHAR(id)",
        "TO_DAYS(name)",
    ],
}


@pytest.mark.parametrize(("dialect", "call"), [(dialect, call) for dialect, calls in SAME.items() for call in calls])
def test_a_function_stays_the_one_that_was_written(dialect: SqlDialect, call: str) -> None:
    assert guarded(f"SELECT {call} FROM customers", LISTS[dialect]).shown == f"SELECT {call} FROM customers"


@pytest.mark.parametrize(
    ("dialect", "expression"),
    [
        (SqlDialect.SQLITE, "CAST(name AS DATE)"),  # there the number 2024, by sqlglot a date
        (SqlDialect.SQLITE, "name -> 'a.b'"),
        (SqlDialect.SQLITE, "JSON_GROUP_ARRAY(id, name)"),
        (SqlDialect.POSTGRESQL, "0x1F"),
        (SqlDialect.POSTGRESQL, "1_000"),
        (SqlDialect.MARIADB, "0x0a + 0"),
        (SqlDialect.MARIADB, "DATE_ADD(id)"),
        (SqlDialect.MARIADB, "HEX(name, id)"),
        (SqlDialect.SQLITE, "HEX(name, 1)"),
        (SqlDialect.SQLITE, "SUM(id, 'a')"),
        (SqlDialect.POSTGRESQL, "LOWER(name, 2)"),
        (SqlDialect.MARIADB, "SFORMAT('{:>1000000000}', name)"),
        (SqlDialect.MARIADB, "SFORMAT('{:>{}}', name, 1000000000)"),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(dialect: SqlDialect, expression: str) -> None:
    with pytest.raises(RefusedError):
        guard(f"SELECT {expression} FROM customers", LISTS[dialect])


@given(st.text(max_size=80), st.sampled_from(list(SqlDialect)))
@settings(max_examples=150, deadline=None)
def test_any_text_is_refused_or_stays_a_select(text: str, dialect: SqlDialect) -> None:
    for sql in (text, f"SELECT {text}", f"SELECT name FROM customers WHERE name = '{text}'"):
        with suppress(RefusedError):
            written = guard(sql, LISTS[dialect])
            assert guard(written, LISTS[dialect]) == written
            assert written.lstrip("( ").startswith(("SELECT", "WITH", "VALUES"))
            assert "password" not in written.replace(text, "")
