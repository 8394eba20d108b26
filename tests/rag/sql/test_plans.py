"""The third look: what servers say that they would read and call, with no guard before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import URL, create_engine, text

from rag.sql.allowed import AllowedTable, AllowList, SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.executor import execute
from tests.rag.sql.shop import allowed, build
from tests.servers import MARIADB, POSTGRESQL, new_database

pytestmark = pytest.mark.server
_MORE = {
    "postgresql": """
        CREATE FUNCTION paid_to(p text) RETURNS int LANGUAGE sql SECURITY DEFINER
            AS 'SELECT amount FROM salaries WHERE person = p';
        CREATE FUNCTION plain(p text) RETURNS int LANGUAGE sql STABLE AS 'SELECT amount FROM salaries WHERE person = p';
        CREATE FUNCTION label(p text) RETURNS text LANGUAGE sql IMMUTABLE STRICT SECURITY DEFINER AS 'SELECT p';
        CREATE VIEW labels AS SELECT id, label(name) AS name FROM customers;
        CREATE TABLE readings (day date, value int) PARTITION BY RANGE (day);
        CREATE TABLE readings_2024 PARTITION OF readings FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO readings VALUES ('2024-05-01', 7)""",
    "mysql": """
        CREATE FUNCTION paid_to(p VARCHAR(80)) RETURNS INT READS SQL DATA
            RETURN (SELECT amount FROM salaries WHERE person = p);
        CREATE FUNCTION label(p VARCHAR(80)) RETURNS VARCHAR(80) DETERMINISTIC RETURN p;
        CREATE VIEW labels AS SELECT id, label(name) AS name FROM customers;
        CREATE VIEW labels_twice AS SELECT id, name FROM labels""",
}


@pytest.fixture(scope="module", params=[POSTGRESQL, MARIADB], ids=["postgresql", "mariadb"])
def shop(request: pytest.FixtureRequest) -> Iterator[tuple[URL, AllowList]]:
    with new_database(request.param) as url:
        build(url)
        engine = create_engine(url)
        with engine.begin() as connection:
            for statement in _MORE[url.get_backend_name()].split(";\n"):
                connection.execute(text(statement))
        engine.dispose()
        yield url, allowed(url)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT amount FROM salaries",
        "SELECT id FROM customers WHERE id IN (SELECT id FROM salaries)",
        "SELECT paid_to(name) FROM customers",
        "SELECT id FROM customers WHERE paid_to(name) > 80000",
    ],
)
def test_what_nobody_allowed_is_refused_by_the_plan(shop: tuple[URL, AllowList], sql: str) -> None:
    with pytest.raises(RefusedError, match="the server would"):
        execute(shop[0], sql, shop[1])


def test_a_function_that_becomes_a_part_of_the_statement_is_seen_by_what_it_reads(shop: tuple[URL, AllowList]) -> None:
    if shop[1].dialect is SqlDialect.POSTGRESQL:
        with pytest.raises(RefusedError, match=r"would read public\.salaries|would call plain"):
            execute(shop[0], "SELECT plain(name) FROM customers", shop[1])


def test_views_read_and_call_what_they_are_made_of(shop: tuple[URL, AllowList]) -> None:
    url, tables = shop
    only = AllowList(tables.dialect, (AllowedTable("labels", ("id", "name")),), tables.default_schema)
    assert len(execute(url, "SELECT name FROM labels WHERE id < 3", only).rows) == 2
    assert len(execute(url, "SELECT name FROM buyers", tables).rows) == 3
    name = {SqlDialect.POSTGRESQL: "readings", SqlDialect.MARIADB: "labels_twice"}[tables.dialect]
    more = AllowList(tables.dialect, (AllowedTable(name, ("id",)),), tables.default_schema)
    assert execute(url, f"SELECT * FROM {name}", more).rows
    with pytest.raises(RefusedError, match="the server would read"):
        execute(url, "SELECT name FROM orders JOIN customers USING (id)", more)
