"""One database of each kind, empty, with what tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine, text

from connectors.database.access.connecting import BUSY_SECONDS
from connectors.database.reading.scanning import ScanLimits
from connectors.database.source import DatabaseSource
from connectors.document import Document
from connectors.source import Added, Changed, Event, Failed, KnownDocument, Option, Removed, Unchanged


@dataclass(frozen=True)
class Database:
    """A database that can be written to, and read as a source."""

    spec: str
    dialect: str
    engine: Engine

    def run(self, *statements: str) -> None:
        """Change it; names in double quotes are written as the dialect wants them."""
        with self.engine.begin() as connection:
            if self.dialect == "mysql":
                connection.exec_driver_sql("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')")
            for statement in statements:
                connection.execute(text(statement.replace(":", r"\:")))

    def source(
        self, limits: ScanLimits | None = None, busy_seconds: float = BUSY_SECONDS, **options: Option
    ) -> DatabaseSource:
        """The database as a source."""
        limits = limits or ScanLimits()
        return DatabaseSource(self.spec, options, ask=lambda _uri: None, limits=limits, busy_seconds=busy_seconds)


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        url = URL.create("sqlite", database=str(tmp_path / "shop.db"))
        (tmp_path / "shop.db").touch()
    else:
        url = request.getfixturevalue("postgresql" if request.param == "postgresql" else "mariadb")
    engine = create_engine(url)
    try:
        yield Database(url.render_as_string(hide_password=False), request.param, engine)
    finally:
        engine.dispose()


def listed(source: DatabaseSource, known: Mapping[str, KnownDocument] | None = None) -> dict[str, Event]:
    """The events of a run, by the part of their URI behind `#`; each document has one."""
    events = list(source.events(known or {}))
    by_uri = {event.document.uri if isinstance(event, Added | Changed) else event.uri: event for event in events}
    assert len(by_uri) == len(events), "one event per document"
    return {uri.removeprefix(source.address.uri).removeprefix("#"): event for uri, event in by_uri.items()}


def remember(
    source: DatabaseSource, events: Mapping[str, Event], known: Mapping[str, KnownDocument] | None = None
) -> dict[str, KnownDocument]:
    """What a knowledge base would know after these events."""
    after = dict(known or {})
    for event in events.values():
        if isinstance(event, Added | Changed):
            after[event.document.uri] = KnownDocument(event.document.revision, event.stamp)
        elif isinstance(event, Unchanged):
            stamp = after[event.uri].stamp if event.stamp is None else event.stamp
            after[event.uri] = KnownDocument(after[event.uri].revision, stamp)
        elif isinstance(event, Removed):
            del after[event.uri]
    return after


def documents(events: Mapping[str, Event]) -> dict[str, Document]:
    """The documents that were added or changed."""
    return {place: event.document for place, event in events.items() if isinstance(event, Added | Changed)}


def kinds(events: Mapping[str, Event], *, rows_only: bool = True) -> dict[str, type[Event]]:
    """What became of each document; of rows only, where the structure is of no interest."""
    return {place: type(event) for place, event in events.items() if "/" in place or not rows_only}


def failures(events: Mapping[str, Event]) -> dict[str, Failed]:
    """What failed."""
    return {place: event for place, event in events.items() if isinstance(event, Failed)}


SHOP: Sequence[str] = (
    "CREATE TABLE maker (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL, founded DATE)",
    (
        "CREATE TABLE product (id INTEGER PRIMARY KEY, title VARCHAR(80), price DECIMAL(8, 2), weight DOUBLE PRECISION,"
        " sold BOOLEAN, added TIMESTAMP NULL, body TEXT, maker_id INTEGER,"
        " FOREIGN KEY (maker_id) REFERENCES maker (id))"
    ),
    "CREATE TABLE tag (id INTEGER PRIMARY KEY, label VARCHAR(40))",
    (
        "CREATE TABLE product_tag (product_id INTEGER, tag_id INTEGER, PRIMARY KEY (product_id, tag_id),"
        " FOREIGN KEY (product_id) REFERENCES product (id), FOREIGN KEY (tag_id) REFERENCES tag (id))"
    ),
    "INSERT INTO maker VALUES (1, 'Müller & Söhne', '1921-03-04'), (2, 'Acme', NULL)",
    (
        "INSERT INTO product VALUES"
        " (1, 'Headlamp', 39.90, 0.25, TRUE, '2024-05-06 07:08:09', 'A lamp for the head.\nIt shines far.', 1),"
        " (2, 'Rope', 5, NULL, FALSE, '2024-05-06 00:00:00', NULL, 2), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"
    ),
    "INSERT INTO tag VALUES (1, 'light'), (2, 'outdoor')",
    "INSERT INTO product_tag VALUES (1, 1), (1, 2), (2, 2)",
)
