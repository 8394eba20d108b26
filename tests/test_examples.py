"""The examples run, on a real server too, and find what they are there to show."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import URL

from rag import Answer

ROOT = Path(__file__).parent.parent
SHOP = ROOT / "examples" / "shop"


@pytest.fixture(scope="module")
def shop() -> ModuleType:
    specification = importlib.util.spec_from_file_location("shop_example", SHOP / "ask.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def kinds(answer: Answer) -> set[str]:
    return {source.hit.kind for source in answer.sources}


def test_the_shop_answers_from_documents_rows_and_code_together(
    shop: ModuleType, postgresql: URL, tmp_path: Path
) -> None:
    database = postgresql.render_as_string(hide_password=False)
    shop.fill(database)
    shop.fill(database)  # what is there stays
    refund, function, supplier, waiting = shop.ask(tmp_path / "kb", database, shop.QUESTIONS)
    for answer in (refund, function, supplier, waiting):
        assert not answer.abstained
        assert answer.citations
        assert all(citation.supported for citation in answer.citations)
    assert kinds(waiting) == {"markdown", "row", "code"}
    places = [source.hit.uri.rpartition("#")[2] for source in refund.sources]
    assert places[:2] == ["orders/1007", "refunds/51"], "the order, and the refund that is tied to it"
    assert [citation.uri for citation in function.citations] == [str(SHOP / "src" / "refunds.py")]
    assert [citation.uri.rpartition("#")[2] for citation in supplier.citations] == ["products/TW-2007"]
    assert [citation.uri for citation in waiting.citations] == [str(SHOP / "docs" / "stock.md")]


def test_the_transcript_is_what_the_example_prints() -> None:
    done = subprocess.run([sys.executable, str(SHOP / "ask.py")], capture_output=True, text=True, check=True, cwd=ROOT)
    (shown,) = re.findall(
        r"```console\n\$ python examples/shop/ask\.py\n(.*?)```", (SHOP / "README.md").read_text(), re.DOTALL
    )
    assert done.stdout.strip() == shown.strip()
