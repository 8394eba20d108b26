"""Hits and prompts as a search would give them, for the tests of what comes after a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from connectors.document import Location
from rag.knowledge_base import KnowledgeBase
from rag.prompting.composer import Composer
from rag.prompting.prompt import Prompt
from rag.retrieval.hit import Hit, Signals


def hit(text: str, *, rank: int = 1, relevance: float = 0.9, uri: str = "", title: str = "", context: str = "") -> Hit:
    """A hit whose passage starts at character 100, line 11, of its document."""
    lines = text.count("\n")
    return Hit(
        rank=rank,
        score=1.0 / rank,
        relevance=relevance,
        uri=uri or f"/docs/{rank}.md",
        title=title or f"Document {rank}",
        kind="markdown",
        text=text,
        context=context,
        location=Location(100, 100 + len(text), 11, 11 + lines),
        metadata={},
        signals=Signals(bm25=1.0, cosine=0.5),
        chunk_id=rank,
    )


def hits(*texts: str) -> list[Hit]:
    """One hit for each text, ranked in order."""
    return [hit(text, rank=rank) for rank, text in enumerate(texts, 1)]


@contextmanager
def indexed(folder: Path, files: Mapping[str, str]) -> Iterator[KnowledgeBase]:
    """A knowledge base, beside `folder`, of these files written into it: name → text."""
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with closing(KnowledgeBase.open(folder.parent / "kb")) as base:
        base.index(folder)
        yield base


def word_count(text: str) -> int:
    """The simplest tokenizer there is."""
    return len(text.split())


def prompt(question: str, *texts: str, budget: int = 4000) -> Prompt:
    """A prompt over passages."""
    return Composer(budget=budget, count=word_count).compose(question, hits(*texts))


TEXTS = {
    "english": "The committee has decided that the annual fee rises to CHF 1,250.50 from 2025-01-01, internationally.",
    "german": "Die Rückerstattung erfolgt innerhalb von vierzehn Tagen über das Zahlungsmittel der Bestellung.",
    "russian": "Возврат средств осуществляется в течение четырнадцати дней.",
    "chinese": "退款将在十四天内通过原支付方式退回。",
    "arabic": "يتم استرداد المبلغ خلال أربعة عشر يوما.",
    "hindi": "धनवापसी चौदह दिनों के भीतर की जाती है।",
    "thai": "การคืนเงินจะดำเนินการภายในสิบสี่วัน",
    "emoji": "👍🏽 🎉🎉🎉 👩‍👩‍👧",
    "code": "def f(x: int) -> dict[str, int]:\n        return {k: v for k, v in sorted(x.items())}  # noqa: E501",
    "table": "| a | b |\n|---|---|\n| 1.5 | 2,000 |",
    "digits": "3141592653589793238462643383279502884197",
    "url": "https://example.org/a/b?c=d&e=%20f#g",
}
