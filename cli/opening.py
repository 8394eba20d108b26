"""Which knowledge base a verb works on: the one of --kb, else the nearest `.rag` in this folder or above it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.terminal import note, only_data_on_stdout
from indexes.errors import NoKnowledgeBaseError

if TYPE_CHECKING:
    from rag.knowledge_base import KnowledgeBase


@contextmanager
def knowledge_base(
    context: typer.Context, *, create: bool = False, encoder: str | None = None, late: bool = True
) -> Iterator[KnowledgeBase]:
    """Open the knowledge base of `context`, and keep stdout for data while it is used.

    Args:
        context: its `obj` is the value of --kb, or None.
        create: make one in `./.rag` when there is none.
        encoder: the encoder of one that is made.
        late: whether one that is made keeps token vectors.

    Raises:
        NoKnowledgeBaseError: there is none and `create` is false.
    """
    quieten_libraries()
    with only_data_on_stdout():
        opened = _open(context.obj, create=create, encoder=encoder or "default", late=late)
        try:
            yield opened
        finally:
            opened.close()


def _open(folder: str | None, *, create: bool, encoder: str, late: bool) -> KnowledgeBase:
    from rag.knowledge_base import DEFAULT_FOLDER, KnowledgeBase

    if folder is None:
        try:
            return KnowledgeBase.find(notify=note)
        except NoKnowledgeBaseError:
            if not create:
                raise
    return KnowledgeBase.open(folder or DEFAULT_FOLDER, create=create, encoder=encoder, late=late, notify=note)


def quieten_libraries() -> None:
    """Parsers warn about every odd file; what matters of it is reported as a failure by name."""
    import logging

    if not os.environ.get("PILOTFISH_DEBUG"):
        logging.getLogger().addHandler(logging.NullHandler())
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        from indexes.sentence_transformer import DOWNLOAD_VARIABLE

        if os.environ.get(DOWNLOAD_VARIABLE) != "1":  # a model that is here is read in a moment
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
