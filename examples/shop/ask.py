"""One knowledge base over a shop's documents, its database and its code, and questions that need all three.

python examples/shop/ask.py                                        # a database in SQLite, no language model
python examples/shop/ask.py postgresql://me@localhost/empty        # in a database of yours, which should be empty
python examples/shop/ask.py --llm openai:gpt-4o-mini "Which supplier delivers fastest?"
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import create_engine, inspect

from rag import Answer, KnowledgeBase

SHOP = Path(__file__).parent
QUESTIONS = (
    "Why was only part of the price of order 1007 refunded?",
    "Which function computes the refund for an opened article, and how much is kept?",
    "Who supplies the Pilot mask junior?",
    "Which orders are waiting, and why does an order wait?",
)


def fill(database: str) -> None:
    """Make the tables of the shop, where they are not there yet."""
    engine = create_engine(database)
    with engine.begin() as connection:
        if not inspect(connection).has_table("products"):
            for statement in (SHOP / "database.sql").read_text(encoding="utf-8").split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
    engine.dispose()


def ask(folder: Path, database: str, questions: Sequence[str], llm: str = "extractive") -> list[Answer]:
    """Index the three sources into a knowledge base in `folder`, and answer the questions."""
    kb = KnowledgeBase.open(folder)
    report = kb.index(SHOP / "docs", SHOP / "src", database)
    for failure in report.failures:
        raise SystemExit(f"{failure.uri}: {failure.error} ({failure.hint})")
    answers = [kb.ask(question, llm=llm) for question in questions]
    kb.close()
    return answers


def show(answer: Answer) -> None:
    """Print an answer and the sources it had, those it cites with a mark."""
    print(f"\n{answer.question}\n{answer.text}")
    cited = {citation.number for citation in answer.citations}
    for source in answer.sources:
        hit, mark = source.hit, "*" if source.number in cited else " "
        place = f"{hit.uri.rpartition('/')[2]}, {hit.location}" if "#" not in hit.uri else hit.uri.partition("#")[2]
        print(f" {mark}[{source.number}] {hit.kind:<9}{hit.title} ({place})")


def main() -> None:
    """Ask, and print each answer with what it cites."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", nargs="?", default="")
    parser.add_argument("questions", nargs="*", default=QUESTIONS)
    parser.add_argument("--llm", default="extractive")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = options.database or f"sqlite:///{folder}/shop.db"
        fill(database)
        for answer in ask(Path(folder, "kb"), database, options.questions, options.llm):
            show(answer)


if __name__ == "__main__":
    main()
