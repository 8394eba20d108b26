"""The process that forks the runs, and the scenarios prepared in it, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.crash.harness import Server, Trial, Unavailable, serving
from tests.crash.scenarios import SCENARIOS


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    try:
        with serving(tmp_path_factory.mktemp("crash").resolve()) as started:
            yield started
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def trials(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trial]:
    """The trial of a scenario, prepared at first use."""
    folder = tmp_path_factory.mktemp("trials").resolve()
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    return cache(lambda name: Trial(by_name[name], server, folder))
