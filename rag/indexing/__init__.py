"""Bringing a knowledge base up to date with its sources.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from rag import KnowledgeBase
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "notes.md").write_text("Refunds are paid within 14 days.")
    ...     kb = KnowledgeBase.open(Path(folder, "kb"))
    ...     reports = kb.index(Path(folder, "notes.md")), kb.index()
    ...     kb.close()
    >>> [(report.added, report.unchanged, report.embedded) for report in reports]
    [(1, 0, 1), (0, 1, 0)]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from connectors.source import Facts, KnownDocument, Options, Source
    from indexes.catalog.reading import Reading
    from indexes.catalog.rows import SourceCount, StoredChunk
    from indexes.doctor.findings import Check
    from indexes.encoding.base import Encoded, EncodedQuery, Encoder
    from indexes.terms.names import StoredName
    from rag.indexing.left_out import in_words
    from rag.indexing.report import Failure, IndexReport
    from rag.indexing.synchroniser import Progress

__all__ = [
    "Check",
    "Encoded",
    "EncodedQuery",
    "Encoder",
    "Facts",
    "Failure",
    "IndexReport",
    "KnownDocument",
    "Options",
    "Progress",
    "Reading",
    "Source",
    "SourceCount",
    "StoredChunk",
    "StoredName",
    "in_words",
]

__getattr__ = offering(
    __name__,
    {
        "connectors.source": ["Facts", "KnownDocument", "Options", "Source"],
        "indexes.catalog.reading": ["Reading"],
        "indexes.catalog.rows": ["SourceCount", "StoredChunk"],
        "indexes.doctor.findings": ["Check"],
        "indexes.encoding.base": ["Encoded", "EncodedQuery", "Encoder"],
        "indexes.terms.names": ["StoredName"],
        "rag.indexing.left_out": ["in_words"],
        "rag.indexing.report": ["Failure", "IndexReport"],
        "rag.indexing.synchroniser": ["Progress"],
    },
)
