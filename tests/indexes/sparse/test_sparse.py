"""What is true of tantivy alone; what any sparse index must do is in `tests/conformance/sparse.py`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from indexes.errors import StoreError
from indexes.files import write_checked
from indexes.limits import StoreLimits
from indexes.sparse.sparse import SparseIndex, SparseReader, SparseState
from tests.indexes.conftest import stored

NOTHING = np.empty(0, np.int64)


@pytest.fixture
def index(tmp_path: Path) -> SparseIndex:
    index = SparseIndex(tmp_path, StoreLimits(dead_least=5))
    index.rebuild([stored(key, "cat") for key in range(1, 31)], SparseState(1))
    return index


def test_an_index_that_is_mostly_dead_is_worth_rebuilding(index: SparseIndex) -> None:
    assert not index.worth_rebuilding()
    index.apply([], np.arange(1, 21), SparseState(2, purged=2))
    assert index.worth_rebuilding()
    index.rebuild([stored(30, "cat")], SparseState(2, purged=2))
    assert not index.worth_rebuilding()


def test_a_rebuilt_index_leaves_no_files_of_the_old_one(index: SparseIndex, tmp_path: Path) -> None:
    index.rebuild([], SparseState(2))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([index.state.folder, "state.json"])


@pytest.mark.parametrize("version", ["format", "analyzer"])
def test_an_index_of_another_version_is_to_be_rebuilt(index: SparseIndex, tmp_path: Path, version: str) -> None:
    write_checked(tmp_path / "state.json", asdict(index.state) | {version: -1})
    assert SparseIndex(tmp_path).state == SparseState()
    with pytest.raises(StoreError, match="cannot be read"):
        SparseReader(tmp_path)


def test_a_schema_that_is_not_ours_is_refused(index: SparseIndex, tmp_path: Path) -> None:
    meta = index.files / "meta.json"
    index.close()
    meta.write_text(meta.read_text().replace('"record": "freq"', '"record": "basic"', 1))
    with pytest.raises(StoreError, match="schema"):
        SparseReader(tmp_path)
    assert SparseIndex(tmp_path).state == SparseState()
