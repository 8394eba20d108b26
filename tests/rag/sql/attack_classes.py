"""Attacks made from classes: every way to say a thing, of everything that may not be said, wherever it can stand.

What is found by hand closes one case; a class that is written out whole cannot be half closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from rag.sql.allowed import SqlDialect
from tests.rag.sql.attacks import Attack, M, P, S

FORBIDDEN_CALLS = "forbidden functions, in every notation"
HIDDEN_COLUMNS = "hidden columns, in every notation"
HIDDEN_TABLES = "hidden tables, in every notation"

# Functions that may not be called, each with an argument that it would take.
_FUNCTIONS: Mapping[SqlDialect, Mapping[str, str]] = {
    P: {
        "pg_sleep": "60",
        "pg_read_file": "'/etc/passwd'",
        "pg_advisory_lock": "4711",
        "pg_terminate_backend": "{victim}",
        "nextval": "'numbers'",
        "lo_import": "'/etc/passwd'",
        "set_config": "'role', 'none', false",
        "normalize": "repeat(chr(769), 10000)",
        "version": "",
    },
    M: {
        "sleep": "60",
        "load_file": "'/etc/passwd'",
        "get_lock": "'pilotfish', 0",
        "version": "",
        "benchmark": "1000000000, SHA2('x', 512)",
    },
    S: {"load_extension": "'x'", "readfile": "'/etc/passwd'", "writefile": "'{file}', 'x'", "sqlite_version": ""},
}
# How a call can be written: {f} is the function, {F} in capitals, {a} its arguments.
_CALLS = (
    "SELECT {f}({a})",
    "SELECT {F}({a})",
    "SELECT {f} ({a})",
    "SELECT {f}/**/({a})",
    "SELECT {f}\n({a}) AS x",
    'SELECT "{f}"({a})',
    "SELECT 1 WHERE {f}({a}) IS NULL",
    "SELECT 1 ORDER BY {f}({a})",
    "SELECT MAX({f}({a})) FROM orders",
    "SELECT CASE WHEN {f}({a}) IS NULL THEN 1 END",
    "SELECT (SELECT {f}({a}))",
    "SELECT id FROM orders WHERE id IN (SELECT {f}({a}))",
    "SELECT id FROM orders GROUP BY id HAVING {f}({a}) IS NULL",
    "SELECT id FROM orders LIMIT {f}({a})",
    "SELECT * FROM (SELECT {f}({a}) AS x) AS s",
    "SELECT 1 UNION ALL SELECT {f}({a})",
    "WITH x AS (SELECT {f}({a}) AS y) SELECT * FROM x",
    "WITH {f} AS (SELECT 1 AS a) SELECT {f}({a}) FROM {f}",
    "WITH {f} (a) AS (SELECT 1) SELECT {f}({a}) FROM {f}",
    "WITH {F} (a) AS (SELECT 1) SELECT {f}({a}) FROM {F}",
    "WITH {F} (a) AS (SELECT 1) SELECT {F}({a})",
    "SELECT {f}({a}) FROM (SELECT 1 AS a) AS {f}",
    "SELECT SUM({f}({a})) OVER (ORDER BY id) FROM orders",
    "SELECT o.id FROM orders o JOIN customers c ON {f}({a}) IS NULL",
)
_CALLS_OF_SERVERS = (
    "SELECT {f}({a}) FROM (SELECT 1) AS {f} (a)",
    "SELECT {F}({a}) FROM (SELECT 1) AS {F} (a)",
    "SELECT `{f}`({a})",
    "SELECT pg_catalog.{f}({a})",
    'SELECT pg_catalog."{f}"({a})',
    "SELECT mysql.{f}({a})",
    "SELECT shop.{f}({a})",
)
# PostgreSQL alone: a dot calls a function, and a function can be a source.
_CALLS_OF_POSTGRESQL = (
    "SELECT * FROM {f}({a})",
    "SELECT * FROM {f}({a}) AS {f} (x)",
    "SELECT x.{f} FROM unnest(ARRAY[{b}]) AS x",
    'SELECT x."{f}" FROM unnest(ARRAY[{b}]) AS x',
    "SELECT x.{F} FROM unnest(ARRAY[{b}]) AS x",
    "SELECT x.{f} FROM (SELECT {b}) AS x",
    "SELECT x.{f} FROM (VALUES ({b})) AS x",
    "SELECT x.{f} FROM (VALUES ({b})) AS x (a)",
    "WITH x AS (SELECT {b}) SELECT x.{f} FROM x",
    "WITH RECURSIVE x AS (SELECT {b} AS a UNION ALL SELECT a FROM x) SELECT x.{f} FROM x",
    "SELECT s.* FROM unnest(ARRAY[{b}]) AS x, LATERAL (SELECT x.{f}) AS s",
    "SELECT (x).{f} FROM unnest(ARRAY[{b}]) AS x",
    "SELECT 1 FROM unnest(ARRAY[{b}]) AS x ORDER BY x.{f}",
    "SELECT 1 FROM unnest(ARRAY[{b}]) AS x WHERE x.{f} IS NULL",
    "SELECT 1 FROM unnest(ARRAY[{b}]) AS x JOIN orders ON x.{f} IS NULL",
    "SELECT orders.{f} FROM orders",
    "SELECT o.{f} FROM orders AS o, generate_series(1, 2) AS g",
    "SELECT g.{f} FROM generate_series(1, 2) AS g",
    "SELECT e.{f} FROM json_each('{{}}') AS e",
    "SELECT '{f}'::regproc",
    "SELECT 1 OPERATOR(pg_catalog.+) {f}({a})",
    "SELECT array_agg({f}({a}) ORDER BY 1)",
    "SELECT count(*) FILTER (WHERE {f}({a}) IS NULL) FROM orders",
)

# What names the hidden column of a source `c` of customers.
_READS = (
    "c.password", "c.PASSWORD", 'c."password"', "password", "PassWord", "MAX(c.password)", "LENGTH(c.password)",
    "c.password || ''", "CAST(c.password AS CHAR(80))", "COALESCE(NULL, c.password)", "(c.password)",
)  # fmt: skip
_READS_OF_POSTGRESQL = (
    "c", "c::text", "to_json(c)", "to_jsonb(c.*)", "row_to_json(c)", "json_agg(c)", "array_agg(c)", "ROW(c.*)",
    "(c).password", "(c.*)::text", "c.*", "concat(c)", "format('%s', c)", "string_agg(c::text, '')",
    "jsonb_agg(c) -> 0 ->> 'password'", "to_jsonb(c) ->> 'password'", "c.ctid", "c.xmin", "c.tableoid",
)  # fmt: skip
_READS_OF_MARIADB = ("`password`", "c.`password`", "GROUP_CONCAT(c.password)")
_READS_OF_SQLITE = ("[password]", "c.rowid", "group_concat(c.password)", "c.*", "json_group_array(c.password)")
# Sources of `c`, alone or beside others; each with what may be read of it.
_SOURCES = (
    "customers AS c",
    "CUSTOMERS AS c",
    "customers AS c, (SELECT 1) AS s",
    "customers AS c CROSS JOIN (SELECT 1 AS x) AS s",
    "customers AS c JOIN orders AS o ON o.customer_id = c.id",
    "(SELECT * FROM customers) AS c",
    "customers AS c NATURAL JOIN customers AS d",
)
_SOURCES_OF_POSTGRESQL = (
    "customers AS c, generate_series(1, 1) AS g",
    "customers AS c CROSS JOIN (VALUES (1)) AS v (x)",
    "public.customers AS c, LATERAL (SELECT c.id) AS l",
    "customers AS c (a, b, d, e, f)",
    "ONLY customers AS c",
)
# Where the read can stand.
_STANDS = (
    "SELECT {read} FROM {source}",
    "SELECT x.a FROM (SELECT {read} AS a FROM {source}) AS x",
    "WITH x AS (SELECT {read} AS a FROM {source}) SELECT * FROM x",
)
_TABLES = ("salaries", "SALARIES", '"salaries"', "main.salaries", "public.salaries", "`salaries`", "[salaries]")
_TABLE_STANDS = (
    "SELECT amount FROM {t}",
    "SELECT * FROM {t}",
    "SELECT s.* FROM {t} AS s",
    "SELECT o.id FROM orders o JOIN {t} s ON s.id = o.id AND s.amount > 80000",
    "SELECT (SELECT MAX(amount) FROM {t})",
    "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM {t} WHERE amount > 80000)",
    "SELECT id FROM orders UNION ALL SELECT amount FROM {t}",
    "WITH x AS (SELECT amount FROM {t}) SELECT * FROM x",
    "WITH orders AS (SELECT * FROM {t}) SELECT * FROM orders",
    "WITH RECURSIVE x AS (SELECT amount FROM {t} UNION SELECT amount FROM x) SELECT * FROM x",
    "SELECT * FROM (SELECT * FROM {t}) AS customers",
    "SELECT * FROM ((customers c JOIN {t} s ON s.id = c.id))",
)


def made() -> list[Attack]:
    """All of them."""
    return [*_calls(), *_columns(), *_tables()]


def _calls() -> Iterator[Attack]:
    for dialect, functions in _FUNCTIONS.items():
        templates = [*_CALLS, *(_CALLS_OF_SERVERS if dialect is not S else ())]
        templates += _CALLS_OF_POSTGRESQL if dialect is P else ()
        for (function, arguments), template in product(functions.items(), templates):
            sql = template.replace("{f}", function).replace("{F}", function.upper())
            sql = sql.replace("{a}", arguments).replace("{b}", arguments or "1").replace("{{}}", "{}")
            yield Attack(FORBIDDEN_CALLS, sql, (dialect,))


def _columns() -> Iterator[Attack]:
    reads = {P: _READS_OF_POSTGRESQL, M: _READS_OF_MARIADB, S: _READS_OF_SQLITE}
    for dialect, own in reads.items():
        sources = _SOURCES + (_SOURCES_OF_POSTGRESQL if dialect is P else ())
        # Every read from every source, and each of them somewhere else.
        for place, (read, source) in enumerate(product(_READS + own, sources)):
            template = _STANDS[place % len(_STANDS)]
            yield Attack(HIDDEN_COLUMNS, template.format(read=read, source=source), (dialect,))


def _tables() -> Iterator[Attack]:
    for dialect, name, template in product((P, M, S), _TABLES, _TABLE_STANDS):
        yield Attack(HIDDEN_TABLES, template.format(t=name), (dialect,))
