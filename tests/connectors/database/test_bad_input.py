"""What goes wrong in databases: it is told by name, the rest is read, and nothing that was known is lost."""

from __future__ import annotations

import sqlite3
import tracemalloc

import pytest
from sqlalchemy import create_engine, text

from connectors.database import rows
from connectors.database.reading.scanning import ScanLimits
from connectors.errors import SourceError
from connectors.source import Added, Changed, Event, Failed, Unchanged
from tests.connectors.database.conftest import SHOP, Database, documents, failures, kinds, listed, remember

HUGE = 100_000_000
servers = pytest.mark.parametrize("database", ["postgresql", "mysql"], indirect=True)
files = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_huge_value_is_told_and_never_read(database: Database) -> None:
    size, filled, kind = {
        "sqlite": (HUGE, f"printf('%.*c', {HUGE}, 'x')", "TEXT"),
        "postgresql": (HUGE, f"repeat('x', {HUGE})", "TEXT"),
        "mysql": (10_000_000, "repeat('x', 10000000)", "LONGTEXT"),  # the server's limit for one statement is 16 MB
    }[database.dialect]
    database.run(
        f"CREATE TABLE page (id INTEGER PRIMARY KEY, title VARCHAR(20), body {kind})",
        f"INSERT INTO page VALUES (1, 'small', 'few words'), (2, 'huge', {filled}), (3, 'after', 'more words')",
    )
    source = database.source()
    tracemalloc.start()
    events = listed(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert failures(events)["page/2/body"].error.startswith(f"body is {size:,} long")
    assert failures(events)["page/2/body"].hint
    assert documents(events)["page/2"].text == "title: huge\nid: 2"
    assert documents(events)["page/3"].text == "title: after\nid: 3\nbody: more words"
    again = listed(source, remember(source, events))
    assert (kinds(again)["page/2"], kinds(again)["page/2/body"]) == (Unchanged, Failed)


def broken_view(database: Database) -> str:
    """A view whose rows can be read up to some row."""
    database.run(
        "CREATE TABLE number (n INTEGER PRIMARY KEY)", *(f"INSERT INTO number VALUES ({n})" for n in range(200))
    )
    return {
        "sqlite": "SELECT n, abs(CASE WHEN n = 150 THEN -9223372036854775807 - 1 ELSE n END) AS m FROM number",
        "postgresql": "SELECT n, 1000 / (150 - n) AS m FROM number",
        "mysql": "SELECT n, CASE WHEN n = 150 THEN (SELECT 1 UNION SELECT 2) ELSE n END AS m FROM number",
    }[database.dialect]


def test_a_view_that_fails_halfway_is_told_and_what_was_known_of_it_stays(database: Database) -> None:
    database.run(*SHOP, f"CREATE VIEW a_view AS {broken_view(database)}")
    source = database.source(tables=["a_view", "maker", "product"], key=["n"])
    events = listed(source)
    told = failures(events)
    assert set(told) == {"a_view/*"}
    assert told["a_view/*"].hint
    assert kinds(events)["product/1"] is Added, "the others go on, in the same transaction"
    known = remember(source, events)
    known |= {f"{source.uri}#a_view/{n}": known[f"{source.uri}#maker/1"] for n in (180, 190)}
    again = kinds(listed(source, known))
    assert (again["a_view/180"], again["a_view/190"], again["product/1"]) == (Unchanged, Unchanged, Unchanged)


@pytest.mark.parametrize("database", ["sqlite", "mysql"], indirect=True)  # PostgreSQL refuses to drop the table
def test_a_view_that_cannot_be_looked_at(database: Database) -> None:
    database.run(*SHOP, "CREATE VIEW lost AS SELECT label FROM tag")
    source = database.source(tables=["lost", "maker"])
    known = remember(source, listed(source))
    database.run("DROP TABLE product_tag", "DROP TABLE tag")
    events = listed(source, known)
    assert set(failures(events)) == {"lost/*"}
    assert {type(event) for place, event in events.items() if place.startswith("lost/~")} == {Unchanged}
    assert kinds(events)["maker/1"] is Unchanged
    assert "views are not read unless they are named: lost" in _notes(database)


def _notes(database: Database) -> tuple[str, ...]:
    source = database.source()
    listed(source)
    return source.notes


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # only there are such tables seen
def test_a_table_that_may_not_be_read_keeps_its_rows(database: Database) -> None:
    database.run(*SHOP)
    source = database.source()
    known = remember(source, listed(source))
    role = f"reader_{database.engine.url.database}"
    database.run(
        f"CREATE ROLE {role} LOGIN", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        f"REVOKE SELECT ON tag FROM {role}",
    )  # fmt: skip
    try:
        reader = type(source)(source.uri, {"user": role}, ask=lambda _uri: None)
        events = {place: event for place, event in listed(reader, known).items() if "/" in place}
        assert "permission denied" in failures(events)["tag/*"].error
        assert "--exclude-table" in failures(events)["tag/*"].hint
        assert events["tag/1"] == Unchanged(f"{source.uri}#tag/1")
        assert isinstance(events["maker/1"], Unchanged)
    finally:
        database.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@servers
@pytest.mark.parametrize("keyless", [False, True])
def test_a_dropped_connection_is_made_again_and_the_run_goes_on(database: Database, keyless: bool) -> None:
    kind = "INTEGER" if keyless else "INTEGER PRIMARY KEY"
    database.run(f"CREATE TABLE t (n {kind})", *(f"INSERT INTO t VALUES ({n})" for n in range(500)))
    source = database.source(ScanLimits(batch_rows=50, pause=0.0))
    events: list[Event] = []
    drops = 0
    for event in source.events({}):
        events.append(event)
        if len(events) in {120, 300}:
            drops += kill_others(database)
    assert drops >= 2
    rows_met = [
        event.document.metadata["n"] for event in events if isinstance(event, Added) and event.document.kind == "row"
    ]
    assert sorted(rows_met) == list(range(500)), "every row once"


@servers
def test_a_connection_that_drops_again_and_again_ends_the_run_and_loses_nothing(database: Database) -> None:
    database.run("CREATE TABLE t (n INTEGER PRIMARY KEY)", *(f"INSERT INTO t VALUES ({n})" for n in range(100)))
    source = database.source(ScanLimits(batch_rows=5, pause=0.0))
    known = remember(source, listed(source))
    told: list[Event] = []

    def run() -> None:
        for event in source.events(known):
            told.append(event)
            kill_others(database)

    with pytest.raises(SourceError, match="connection was lost") as caught:
        run()
    assert "continues where it stopped" in caught.value.hint
    assert {type(event) for event in told} == {Unchanged}


def kill_others(database: Database) -> int:
    """End all other connections to the database, as a restart of the server does; returns how many there were."""
    engine = create_engine(database.engine.url)
    with engine.connect() as connection:
        if database.dialect == "postgresql":
            others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            end = "SELECT pg_terminate_backend({})"
        else:
            others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
            end = "KILL {}"
        ids = connection.scalars(text(others)).all()
        for each in ids:
            connection.execute(text(end.format(each)))
    engine.dispose()
    return len(ids)


@files
def test_text_that_is_no_unicode_and_values_of_other_types_than_declared(database: Database) -> None:
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(9), born DATE, price NUMERIC)")
    with sqlite3.connect(database.engine.url.database or "") as connection:
        connection.execute(
            "INSERT INTO t VALUES (1, CAST(x'ff41' AS TEXT), 'soon', 'free'), (2, x'00ff', 20240101, NULL)"
        )
        connection.execute("INSERT INTO t VALUES (3, 4.5, '2024-02-30', 9e999), (4, 'nul' || char(0) || 'l', NULL, 1)")
    connection.close()
    found = documents(listed(database.source()))
    assert found["t/1"].text == "name: \ufffdA\nid: 1\nborn: soon\nprice: free"
    assert found["t/2"].text == "id: 2\nborn: 20240101"
    assert found["t/3"].title == "4.5"
    assert "price" not in found["t/3"].metadata, "an infinite number is nothing to filter by"
    assert found["t/4"].title == "null"


def test_dates_no_calendar_has(database: Database) -> None:
    values = {
        "sqlite": ["'infinity'", "'0000-00-00'", "'12024-01-01'"],
        "postgresql": ["'infinity'", "'4713-01-01 BC'", "'12024-01-01'"],
        "mysql": ["'9999-12-31'", "'0000-00-00'", "'1000-01-01'"],
    }[database.dialect]
    if database.dialect == "mysql":
        database.run("SET sql_mode = ''")
    with database.engine.begin() as connection:
        if database.dialect == "mysql":
            connection.exec_driver_sql("SET sql_mode = ''")
        connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, day DATE)")
        for number, value in enumerate(values):
            connection.exec_driver_sql(f"INSERT INTO t VALUES ({number}, {value})")
    found = documents(listed(database.source()))
    assert len([place for place in found if place.startswith("t/")]) == 3
    assert values[1].strip("'") in found["t/1"].text


def test_a_table_of_nothing_but_nulls_and_one_of_no_rows(database: Database) -> None:
    database.run(
        "CREATE TABLE empty (id INTEGER PRIMARY KEY, name VARCHAR(9))",
        "CREATE TABLE nil (a VARCHAR(9), b INTEGER, c DATE)",
        "INSERT INTO nil VALUES (NULL, NULL, NULL), (NULL, NULL, NULL)",
    )
    source = database.source()
    events = listed(source)
    (place,) = kinds(events)
    assert place.startswith("nil/~")
    assert documents(events)[place].text == ""
    assert documents(events)[place].title
    assert set(kinds(listed(source, remember(source, events)), rows_only=False).values()) == {Unchanged}


def test_a_value_of_a_megabyte_is_read(database: Database) -> None:
    database.run(
        f"CREATE TABLE page (id INTEGER PRIMARY KEY, body {'LONGTEXT' if database.dialect == 'mysql' else 'TEXT'})",
        f"INSERT INTO page VALUES (1, '{'word ' * 200_000}')",
    )
    assert len(documents(listed(database.source()))["page/1"].text) > 999_000
    assert rows.MAX_CELL_BYTES > 1_000_000


def test_many_long_values_never_lie_in_memory_together(database: Database) -> None:
    size, count = 20_000, 300
    database.run("CREATE TABLE page (id INTEGER PRIMARY KEY, body TEXT)", "INSERT INTO page VALUES (0, 'first')")
    listed(database.source())  # what is imported and compiled once does not count
    database.run(*(f"INSERT INTO page VALUES ({number}, '{'word ' * (size // 5)}')" for number in range(1, count)))
    source = database.source(ScanLimits(batch_bytes=10 * size))
    tracemalloc.start()
    read = sum(len(event.document.text) for event in source.events({}) if isinstance(event, Added))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read > (count - 1) * (size - 1)
    # Two batches of 25 rows, each row twice: as values and as bytes. Nothing grows with the number of rows.
    assert peak < 200 * size, f"{peak / size:.0f} of {count} values"


@files
def test_an_sqlite_file_that_another_program_holds(database: Database) -> None:
    database.run(*SHOP)
    source = database.source(busy_seconds=0.1)
    holder = sqlite3.connect(database.engine.url.database or "", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(SourceError, match="locked") as caught:
            listed(source)
        assert "another program" in caught.value.hint
    finally:
        holder.close()
    assert Changed not in kinds(listed(source)).values()
