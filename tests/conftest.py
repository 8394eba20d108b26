"""What tests of every room share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.servers import MARIADB, POSTGRESQL, new_database


@pytest.fixture
def postgresql() -> Iterator[URL]:
    """An empty database on a PostgreSQL server."""
    with new_database(POSTGRESQL) as url:
        yield url


@pytest.fixture
def mariadb() -> Iterator[URL]:
    """An empty database on a MariaDB server."""
    with new_database(MARIADB) as url:
        yield url
