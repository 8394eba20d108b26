"""What the tests of `rag/` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rag.knowledge_base import KnowledgeBase


@pytest.fixture
def kb(tmp_path: Path) -> Iterator[KnowledgeBase]:
    """An empty knowledge base; where a module wants one with something in it, it has its own `kb`."""
    with closing(KnowledgeBase.open(tmp_path / "kb")) as base:
        yield base
