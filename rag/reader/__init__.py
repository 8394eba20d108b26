"""The reader: one small model that reads a question or a claim together with a passage.

`KnowledgeBase.ask` reads with the one that comes with the program; `python -m scripts.train_reader` trains another, and
`AskOptions(reader=load_reader(folder))` has that used.

Example:
    >>> from rag.reader import PassageReading
    >>> PassageReading(answers=3.2, span=5.0, start=17, end=24).end
    24
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.reader.loading import default_reader, load_reader
    from rag.reader.reader import PassageReading, Reader

__all__ = [
    "PassageReading",
    "Reader",
    "default_reader",
    "load_reader",
]

__getattr__ = offering(
    __name__,
    {
        "rag.reader.loading": ["default_reader", "load_reader"],
        "rag.reader.reader": ["PassageReading", "Reader"],
    },
)
