"""Rows as a source of `rag ask`: when a database is asked, what of it is cited, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL

from connectors.errors import ConfigurationError
from rag import AskOptions, KnowledgeBase
from rag.llm.loading import as_llm
from rag.sql.answering import SqlAnswer
from rag.sql.evidence import rows_text, with_rows
from rag.sql.values import Rows
from tests.rag.samples import hits
from tests.rag.sql.models import Messages
from tests.rag.sql.shop import sqlite_shop

HANDBOOK = """\
# Returns

Returned orders are paid back within 14 days.
"""


class Assistant:
    """Writes SQL where SQL is asked for, and an answer where one is."""

    def __init__(self, sql: str, answer: str) -> None:
        self._sql, self._answer = sql, answer
        self.asked_for_sql = 0

    def __call__(self, messages: Messages) -> str:
        if "You write one SQL query" in messages[0]["content"]:
            self.asked_for_sql += 1
            return self._sql
        return self._answer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> URL:
    return sqlite_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def kb(shop: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("kb")
    (folder / "handbook.md").write_text(HANDBOOK)
    base = KnowledgeBase.open(folder / "kb")
    base.index(folder / "handbook.md", f"sqlite:///{shop.database}")
    yield base
    base.close()


COUNT = "SELECT status, COUNT(*) AS orders FROM orders GROUP BY status ORDER BY orders DESC"


def test_rows_are_cited_with_their_sql(kb: KnowledgeBase, shop: URL) -> None:
    model = Assistant(COUNT, "There are 3 paid orders [1].")
    answer = kb.ask("How many orders have the status paid?", llm=model, options=AskOptions(sql=True))
    assert answer.sql is not None
    assert answer.sql.error is None
    source = answer.sources[0].hit
    assert source.uri == f"sqlite:///{shop.database}"
    assert source.text == "- status: paid; orders: 3\n- status: returned; orders: 1\n- status: open; orders: 1"
    assert str(source.location) == COUNT
    citation = answer.citations[0]
    assert citation.supported
    assert str(citation.location) == COUNT
    assert citation.quote == "- status: paid; orders: 3"
    assert answer.prompt is not None
    assert COUNT in answer.prompt.messages[1].content


def test_a_database_is_asked_where_the_hits_are_about_it(kb: KnowledgeBase) -> None:
    model = Assistant(COUNT, "There are 3 [1].")
    assert kb.ask("Which status have the orders?", llm=model).sql is not None
    assert model.asked_for_sql == 1
    assert kb.ask("Which status have the orders?", llm=model, options=AskOptions(sql=False)).sql is None
    assert kb.ask("Which status have the orders?").sql is None
    assert kb.ask("Who won the world cup in 1998?", llm=model).sql is None
    assert model.asked_for_sql == 1


def test_a_statement_that_fails_leaves_the_documents(kb: KnowledgeBase) -> None:
    model = Assistant("DROP TABLE orders", "They are paid back within 14 days [1].")
    question = "When are returned orders paid back?"
    answer = kb.ask(question, llm=model, options=AskOptions(sql=True))
    assert answer.sql is not None
    assert answer.sql.error == "DROP is no SELECT"
    assert all(source.hit.kind != "sql" for source in answer.sources)
    assert answer.sources


def test_wanted_rows_need_a_model_and_a_database(kb: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="needs a language model"):
        kb.ask("How many orders?", options=AskOptions(sql=True))
    (tmp_path / "handbook.md").write_text(HANDBOOK)
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(tmp_path / "handbook.md")
    with pytest.raises(ConfigurationError, match="no database is registered"):
        base.ask("How many orders?", llm=lambda _: "", options=AskOptions(sql=True))
    base.close()


def test_a_database_that_is_gone_leaves_the_documents(tmp_path: Path) -> None:
    url = sqlite_shop(tmp_path)
    base = KnowledgeBase.open(tmp_path / "kb")
    base.index(f"sqlite:///{url.database}")
    Path(url.database or "").unlink()
    answer = base.ask("Which orders were returned?", llm=Assistant(COUNT, "One [1]."), options=AskOptions(sql=True))
    assert answer.sql is not None
    assert "does not exist" in str(answer.sql.error)
    assert answer.sources
    base.close()


def test_a_small_model_is_not_asked_unless_it_is_said(kb: KnowledgeBase) -> None:
    class Small:
        name, window, can_write = "small", 4_096, True

        def __init__(self) -> None:
            self._model = as_llm(Assistant(COUNT, "There are 3 [1]."))
            self.count, self.stream = self._model.count, self._model.stream

    assert kb.ask("Which status have the orders?", llm=Small()).sql is None
    assert kb.ask("Which status have the orders?", llm=Small(), options=AskOptions(sql=True)).sql is not None


def answer_of(*rows: tuple[object, ...], cut: str = "") -> SqlAnswer:
    return SqlAnswer("?", "sqlite:////srv/shop.db", "SELECT a, b\nFROM t", Rows(("a", "b"), rows, cut))


def test_rows_stand_before_the_hits_and_no_rows_are_no_evidence() -> None:
    found = tuple(hits("one", "two"))
    with_source = with_rows(found, answer_of((1, None)), 0.3)
    assert [hit.rank for hit in with_source] == [1, 2, 3]
    assert with_source[0].relevance == 0.3
    assert with_source[0].title == "Result of a query to shop"
    row = replace(found[0], uri="sqlite:////srv/shop.db#t/1", relevance=0.8)
    assert with_rows((row,), answer_of((1, None)), 0.3)[0].relevance == 0.8
    assert with_rows(found, answer_of(), 0.3) == found
    assert with_rows(found, None, 0.3) == found


def test_many_rows_are_shown_in_part_and_it_is_said() -> None:
    shown = rows_text(answer_of(*((number, "x\ny") for number in range(80)), cut="only the first 80 rows"))
    assert shown.splitlines()[1] == "- a: 1; b: x y"
    assert shown.splitlines()[-1] == "… 30 more rows; only the first 80 rows"
    long = rows_text(answer_of(*((number, "x" * 3_000) for number in range(5))))
    assert len(long) < 5_000
