"""Power cuts, at points spread over all that `rag index` does to the disk: what was not synced may be gone, or torn.

After each, the knowledge base opens on a generation that is not older than the last published one and answers from
it; the next run completes it, and embeds nothing twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache

import pytest

from tests.crash.disk import FSYNC, Left
from tests.crash.harness import Trial
from tests.crash.power import Cut, PowerCuts
from tests.crash.scenarios import SCENARIOS

pytestmark = pytest.mark.process

# Cuts of each scenario.
POINTS = {"add": 18, "mixed": 26, "compact": 28, "encoder": 16, "forget": 14}
if os.environ.get("PILOTFISH_LONG"):
    POINTS = {scenario.name: 80 for scenario in SCENARIOS}


@pytest.fixture(scope="session")
def recorded(trials: Callable[[str], Trial]) -> Callable[[str], PowerCuts]:
    """The recorded run of a scenario, made at first use."""
    return cache(lambda name: PowerCuts(trials(name)))


@pytest.mark.parametrize("name", POINTS)
def test_nothing_published_is_lost_with_the_power(recorded: Callable[[str], PowerCuts], name: str) -> None:
    run = recorded(name)
    assert not run.unexplained, "not every write was recorded"
    phase = (list(POINTS).index(name) + 0.5) / len(POINTS)
    cuts = list(run.cut(run.points(POINTS[name], phase)))
    assert not (wrong := [str(cut) for cut in cuts if cut.problem]), "\n".join(wrong)
    assert {cut.left for cut in cuts} == set(Left)


def test_what_a_run_published_survives_its_end(recorded: Callable[[str], PowerCuts]) -> None:
    run = recorded("add")
    cuts = list(run.cut([len(run.entries)] * len(Left)))
    assert [cut.problem for cut in cuts] == [""] * len(Left)
    assert len({cut.published for cut in cuts}) == 1
    assert not any(cut.rebuilt for cut in cuts)


def test_a_disk_that_obeys_no_sync_is_found_out(recorded: Callable[[str], PowerCuts]) -> None:
    run = recorded("mixed")
    (cut,) = run.cut([len(run.entries)], [Left.NOTHING], obeyed=lambda _sync: False)
    first, last = min(run.published.values()), max(run.published.values())
    assert cut.problem == f"generation {last} was published, and {first} is left"


def test_a_commit_of_tantivy_whose_last_name_is_not_synced_is_found_out(recorded: Callable[[str], PowerCuts]) -> None:
    """tantivy leaves that to us: without it, the state says that the index holds what it does not hold."""
    run = recorded("mixed")
    ours = re.compile(r"kb/sparse/\d+-\w+$")
    published = list(run.published)[1]

    def cut(*, synced: bool) -> Cut:
        (only,) = run.cut(
            [published],
            [Left.NOTHING],
            obeyed=lambda sync: synced or not (sync.number == FSYNC and ours.match(sync.path)),
        )
        return only

    assert cut(synced=True).rebuilt == ()
    assert cut(synced=False).rebuilt == ("rebuilding the sparse index from the catalog",)


def test_every_kind_of_file_is_synced(recorded: Callable[[str], PowerCuts]) -> None:
    synced = "\n".join(entry.path for entry in recorded("compact").entries if entry.syncs)
    for file in (
        r"kb",
        r"kb/catalog\.sqlite",
        r"kb/catalog\.sqlite-wal",
        r"kb/sparse",
        r"kb/sparse/\d+-\w+",
        r"kb/sparse/\d+-\w+/\w+\.idx",
        r"kb/dense",
        r"kb/dense/\.\w+-\d+\.faiss-\w+\.tmp",
    ):
        assert re.search(f"^{file}$", synced, re.MULTILINE), f"never synced: {file}"
