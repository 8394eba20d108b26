"""A real model, the smallest that chats: it may write bad SQL, and the loop ends with a clear word all the same."""

from __future__ import annotations

from pathlib import Path

from rag.llm.loading import load_llm
from rag.sql.answering import REPAIRS, answer_from
from rag.sql.databases import open_database
from tests.rag.sql.shop import checksum, sqlite_shop


def test_a_small_model_ends_with_rows_or_with_a_reason(tmp_path: Path, smollm2: Path) -> None:
    url = sqlite_shop(tmp_path)
    database = open_database(f"sqlite:///{url.database}", {"tables": ["customers", "orders"]})
    before = checksum(url)
    answer = answer_from(database, "How many customers are there?", load_llm("local"), budget=900)
    assert 1 <= len(answer.attempts) <= REPAIRS + 1
    assert answer.usage.prompt_tokens > 100
    if answer.error is None:
        assert answer.sql.startswith(("SELECT", "WITH"))
        assert answer.rows.columns
    else:
        assert answer.error
        assert answer.rows.rows == ()
    assert checksum(url) == before
