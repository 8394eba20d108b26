"""Synchronisation by difference: what changed in a database is what is told, no more and no less."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pytest
from sqlalchemy import text

from connectors.database.reading.scanning import ScanLimits
from connectors.database.visited import Seen
from connectors.errors import SourceError
from connectors.source import Added, Changed, KnownDocument, KnownDocuments, Removed, Unchanged
from tests.connectors.database.conftest import SHOP, Database, documents, failures, kinds, listed, remember

ITEMS = 300
STEPS = 12


class Paged(KnownDocuments):
    """What is known, but only asked for in pages, as where there is too much of it for memory."""

    def __init__(self, known: Mapping[str, KnownDocument]) -> None:
        self._known = dict(known)
        self.asked = 0

    def __getitem__(self, uri: str) -> KnownDocument:
        return self._known[uri]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def among(self, uris: Sequence[str]) -> dict[str, KnownDocument]:
        self.asked += 1
        return {uri: self._known[uri] for uri in uris if uri in self._known}


@pytest.mark.parametrize("key", ["number", "text", "pair"])
@pytest.mark.parametrize("cursor", [False, True])
def test_events_are_the_true_difference(database: Database, key: str, cursor: bool) -> None:
    """Random inserts, updates and deletes against a model that is a dictionary; small batches, so that many are met."""
    chance = random.Random(f"{key} {cursor}")
    columns = {"number": "k INTEGER", "text": "k VARCHAR(20)", "pair": "k VARCHAR(20), l INTEGER"}[key]
    names = "k, l" if key == "pair" else "k"
    database.run(
        "CREATE TABLE kind (id INTEGER PRIMARY KEY, name VARCHAR(20))",
        f"CREATE TABLE item ({columns}, name VARCHAR(40), kind_id INTEGER, version INTEGER,"
        f" PRIMARY KEY ({names}), FOREIGN KEY (kind_id) REFERENCES kind (id))",
        "INSERT INTO kind VALUES (1, 'one'), (2, 'two')",
    )

    def values(number: int) -> dict[str, int | str]:
        if key == "number":
            return {"k": number - ITEMS // 2}
        # Upper and lower case, accents and white space: what collations order in other ways than Python does.
        odd = ["a", "A", "ä", "z", "Z z", "_", "~", "9"][number % 8]
        return {"k": f"{odd}{number:x}"} if key == "text" else {"k": odd, "l": number}

    source = database.source(ScanLimits(batch_rows=40), **({"cursor": "version"} if cursor else {}))
    rows: dict[int, tuple[str, int]] = {}
    known: Mapping[str, KnownDocument] = {}
    uri_of: dict[int, str] = {}
    version = 0
    for _ in range(STEPS):
        before = dict(rows)
        with database.engine.begin() as connection:
            for _ in range(chance.choice([0, 1, 60])):
                number, version = chance.randrange(ITEMS), version + 1
                given = {
                    **values(number),
                    "name": f"n{version}",
                    "kind": chance.randint(1, 2),
                    "v": version,
                }
                where = " AND ".join(f"{name} = :{name}" for name in values(number))
                if number not in rows:
                    places = ", ".join(f":{name}" for name in values(number))
                    connection.execute(text(f"INSERT INTO item VALUES ({places}, :name, :kind, :v)"), given)
                elif chance.random() < 0.4:
                    connection.execute(text(f"DELETE FROM item WHERE {where}"), values(number))
                    del rows[number]
                    continue
                else:
                    connection.execute(
                        text(f"UPDATE item SET name = :name, kind_id = :kind, version = :v WHERE {where}"), given
                    )
                rows[number] = (str(given["name"]), version)
        events = {place: event for place, event in listed(source, Paged(known)).items() if place.startswith("item/")}
        for place, document in documents(events).items():
            number = next(n for n, (name, v) in rows.items() if document.metadata["version"] == v)
            assert uri_of.setdefault(number, place) == place, "a row keeps its URI"
        expected = {uri_of[n]: Unchanged if before[n] == rows[n] else Changed for n in before.keys() & rows.keys()}
        expected |= {uri_of[n]: Added for n in rows.keys() - before.keys()}
        expected |= {uri_of[n]: Removed for n in before.keys() - rows.keys()}
        assert kinds(events) == expected
        known = remember(source, events, known)


def test_nothing_is_read_again_of_what_a_cursor_leaves_behind(database: Database) -> None:
    database.run(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, body VARCHAR(40), changed TIMESTAMP NULL)",
        *(f"INSERT INTO note VALUES ({n}, 'text {n}', '2024-01-{n + 1:02} 10:00:00')" for n in range(9)),
    )
    source = database.source(cursor="changed")
    known = remember(source, listed(source))
    database.run(
        "UPDATE note SET body = 'changed in silence' WHERE id = 2",
        "UPDATE note SET body = 'changed and said so', changed = '2024-02-01 00:00:00' WHERE id = 3",
        "DELETE FROM note WHERE id = 4",
        "INSERT INTO note VALUES (20, 'an old one that came late', '2023-01-01 00:00:00'), (21, 'none', NULL)",
    )
    events = listed(source, known)
    told = {place: kind.__name__ for place, kind in kinds(events).items() if kind is not Unchanged}
    assert told == {"note/3": "Changed", "note/4": "Removed", "note/20": "Added", "note/21": "Added"}
    known = remember(source, events, known)
    database.run("UPDATE note SET body = 'some' WHERE id = 21")
    assert {place for place, kind in kinds(listed(source, known)).items() if kind is Changed} == {"note/21"}


def test_a_cursor_after_the_structure_changed_reads_all_rows_once(database: Database) -> None:
    database.run(
        "CREATE TABLE note (id INTEGER PRIMARY KEY, body VARCHAR(40), v INTEGER)",
        "INSERT INTO note VALUES (1, 'one', 1), (2, 'two', 2)",
    )
    source = database.source(cursor="v")
    known = remember(source, listed(source))
    database.run("ALTER TABLE note ADD COLUMN extra VARCHAR(9)", "UPDATE note SET extra = 'old' WHERE id = 1")
    found = documents(listed(source, known))
    assert "extra: old" in found["note/1"].text


def test_a_cursor_that_no_table_has(database: Database) -> None:
    database.run(*SHOP)
    with pytest.raises(SourceError, match="'updated_at'"):
        listed(database.source(cursor="updated_at"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "ALTER TABLE maker ADD COLUMN city VARCHAR(20)",
            {"maker": Changed, "maker/1": Changed, "product/1": Unchanged},
        ),
        ("ALTER TABLE maker DROP COLUMN founded", {"maker": Changed, "maker/1": Changed, "product/1": Unchanged}),
        ("ALTER TABLE maker RENAME COLUMN founded TO since", {"maker": Changed, "maker/1": Changed}),
        ("DROP TABLE product_tag", {"product_tag": Removed, "product/1": Changed, "product/3": Changed}),
    ],
)
def test_a_change_of_the_structure(database: Database, change: str, told: dict[str, type]) -> None:
    database.run(*SHOP)
    source = database.source()
    known = remember(source, listed(source))
    database.run(change)
    events = kinds(listed(source, known), rows_only=False)
    assert {place: events[place] for place in told} == told
    assert events[""] is Changed, "the document about all tables"


def test_a_table_that_is_dropped_takes_its_rows_along(database: Database) -> None:
    database.run(*SHOP, "CREATE TABLE other (id INTEGER PRIMARY KEY)", "INSERT INTO other VALUES (1)")
    for source in (database.source(), database.source(tables=["maker", "other"])):
        known = remember(source, listed(source))
        database.run("DROP TABLE other")
        events = kinds(listed(source, known), rows_only=False)
        assert (events["other"], events["other/1"], events["maker/1"]) == (Removed, Removed, Unchanged)
        database.run("CREATE TABLE other (id INTEGER PRIMARY KEY)", "INSERT INTO other VALUES (1)")


def test_a_database_whose_tables_are_all_gone_is_not_believed(database: Database) -> None:
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    source = database.source()
    known = remember(source, listed(source))
    database.run("DROP TABLE t")
    with pytest.raises(SourceError, match="no longer has any tables; the 4 documents indexed from it are kept"):
        listed(source, known)


def test_other_options_remove_what_is_no_longer_asked_for(database: Database) -> None:
    database.run(*SHOP)
    known = remember(database.source(), listed(database.source()))
    events = kinds(listed(database.source(tables=["maker"]), known), rows_only=False)
    assert (events["maker/1"], events["product/1"], events["product"]) == (Unchanged, Removed, Removed)


def test_a_run_reads_one_state_of_the_database(database: Database) -> None:
    if database.dialect == "sqlite":
        database.run("PRAGMA journal_mode = WAL")  # else whoever writes waits for the run to end
    database.run(*SHOP)
    source = database.source()
    events = source.events({})
    met = [next(events)]
    database.run("UPDATE maker SET name = 'Later'", "DELETE FROM product_tag", "DELETE FROM product WHERE id = 3")
    met += events
    texts = {event.document.uri.partition("#")[2]: event.document.text for event in met if isinstance(event, Added)}
    assert "Müller" in texts["maker/1"]
    assert "Müller" in texts["product/1"]
    assert "light; outdoor" in texts["product/1"]
    assert "product/3" in texts
    known = remember(source, {str(place): event for place, event in enumerate(met)})
    later = kinds(listed(source, known))
    assert (later["maker/1"], later["product/1"], later["product/3"]) == (Changed, Changed, Removed)


def test_what_is_not_asked_for_in_pages_is_not_looked_up_one_by_one(database: Database) -> None:
    database.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", *(f"INSERT INTO t VALUES ({n})" for n in range(100)))
    source = database.source()
    known = Paged(remember(source, listed(source)))
    assert set(kinds(listed(source, known)).values()) == {Unchanged}
    assert known.asked < 5


def test_seen_is_a_set() -> None:
    chance = random.Random(5)
    seen, model = Seen(), set[str]()
    for _ in range(200):
        texts = [str(chance.randrange(5_000)) for _ in range(chance.randrange(60))]
        expected = []
        for each in texts:
            expected.append(each not in model)
            model.add(each)
        assert seen.add(texts) == expected
        asked = [str(chance.randrange(6_000)) for _ in range(30)]
        assert seen.missing(asked) == [each for each in asked if each not in model]


def test_failures_have_hints(database: Database) -> None:
    database.run(*SHOP)
    assert failures(listed(database.source())) == {}


KEYS = {
    "uuid": ("UUID", "'00000000-0000-4000-8000-{n:012x}'"),
    "timestamp": ("TIMESTAMP(6)", "'2024-01-01 00:00:{s:02}.{n:06}'"),
    "date": ("DATE", "'{y:04}-02-03'"),
    "decimal": ("DECIMAL(12, 4)", "{n}.{n:04}"),
    "float": ("DOUBLE PRECISION", "{n}.1"),
    "padded": ("CHAR(12)", "'k{n}'"),
    "big": ("BIGINT", "90071992547409{n:05}"),
}


@pytest.mark.parametrize("key", KEYS)
def test_keys_of_any_type_part_pages(database: Database, key: str) -> None:
    kind, value = KEYS[key]
    database.run(
        f"CREATE TABLE t (k {kind} PRIMARY KEY, n INTEGER)",
        *(f"INSERT INTO t VALUES ({value.format(n=n, s=n % 60, y=1900 + n)}, {n})" for n in range(50)),
    )
    source = database.source(ScanLimits(batch_rows=7))
    events = listed(source)
    rows = [document.metadata["n"] for place, document in documents(events).items() if "/" in place]
    assert sorted(rows) == list(range(50))
    assert set(kinds(listed(source, remember(source, events))).values()) == {Unchanged}


@pytest.mark.parametrize("database", ["postgresql", "mysql"], indirect=True)
def test_binary_keys_part_pages(database: Database) -> None:
    kind, value = ("BYTEA", r"'\x{n:04x}'") if database.dialect == "postgresql" else ("BINARY(2)", "x'{n:04x}'")
    database.run(
        f"CREATE TABLE t (k {kind} PRIMARY KEY, n INTEGER)",
        *(f"INSERT INTO t VALUES ({value.format(n=n)}, {n})" for n in range(50)),
    )
    assert set(kinds(listed(database.source(ScanLimits(batch_rows=7))))) == {f"t/0x{n:04x}" for n in range(50)}


def test_foreign_keys_of_two_columns_and_to_the_table_itself(database: Database) -> None:
    database.run(
        "CREATE TABLE place (country VARCHAR(2), code INTEGER, name VARCHAR(20), part_of INTEGER,"
        " PRIMARY KEY (country, code))",
        "CREATE TABLE visit (id INTEGER PRIMARY KEY, country VARCHAR(2), code INTEGER, after_id INTEGER,"
        " title VARCHAR(20), FOREIGN KEY (country, code) REFERENCES place (country, code),"
        " FOREIGN KEY (after_id) REFERENCES visit (id))",
        "INSERT INTO place VALUES ('CH', 1, 'Bern', NULL), ('CH', 2, 'Basel', NULL)",
        "INSERT INTO visit VALUES (1, 'CH', 2, NULL, 'first'), (2, 'CH', 1, 1, 'second'), (3, NULL, 1, 2, NULL)",
    )
    found = documents(listed(database.source()))
    assert found["visit/2"].text == "title: second\nid: 2\ncountry: Bern (CH, 1)\nafter_id: first (1)"
    assert found["visit/3"].text == "id: 3\ncode: 1\nafter_id: second (2)"
