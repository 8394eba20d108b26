"""What tests of every room share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.llm.models import find_model
from tests.servers import MARIADB, POSTGRESQL, new_database

_SERVERS = {"postgresql", "mariadb", "mysql"}
_STARTED_IN = Path.cwd()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server (by fixtures, and parameters that name one) or SmolLM2 (by the fixture)."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        call = getattr(item, "callspec", None)
        named = set() if call is None else {value for value in call.params.values() if type(value) is str}
        if _SERVERS & (fixtures | named):
            item.add_marker("server")
        if "smollm2" in fixtures:
            item.add_marker("model")


@pytest.fixture(scope="session", autouse=True)
def encoder_held() -> Encoder:
    """Keeps the encoder loaded, which knowledge bases share: compiling it anew costs half a second a test."""
    return load_encoder()


@pytest.fixture(scope="session", autouse=True)
def own_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key that seals what this user has decided is not that of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTFISH_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(autouse=True)
def folder_kept() -> Iterator[None]:
    """The test that leaves the process in another folder fails, and not those that come after it."""
    yield
    try:
        here = Path.cwd()
    except FileNotFoundError:
        here = None
    os.chdir(_STARTED_IN)
    assert here == _STARTED_IN, f"the test left the process in {here or 'a folder that is gone'}"


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


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The file of the model that `local` runs, which has to be pulled once."""
    pytest.importorskip("xllamacpp", reason="needs the extra: pip install 'pilotfish[local]'")
    model = find_model("smollm2")
    if not model.present:
        pytest.skip("needs SmolLM2: rag models pull smollm2")
    return model.path
