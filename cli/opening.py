"""Opens the knowledge base a verb works on: the one of --kb, else the nearest `.rag` in this folder or above it."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import typer

from cli.output.terminal import note, only_data_on_stdout
from indexes.errors import NoKnowledgeBaseError, StoreError

if TYPE_CHECKING:
    from rag import KnowledgeBase


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
        opened, made = _open(context.obj, create=create, encoder=encoder or "default", late=late)
        try:
            yield opened
        finally:
            if made:
                _take_back(opened)
            opened.close()


def _open(folder: str | None, *, create: bool, encoder: str, late: bool) -> tuple[KnowledgeBase, bool]:
    """The knowledge base, and whether there was none before."""
    from indexes.store import DEFAULT_FOLDER
    from rag import KnowledgeBase

    try:
        if folder is None:
            return KnowledgeBase.find(notify=note), False
        return KnowledgeBase.open(folder, create=False, notify=note), False
    except NoKnowledgeBaseError:
        if not create:
            raise
    return KnowledgeBase.open(folder or DEFAULT_FOLDER, encoder=encoder, late=late, notify=note), True


def _take_back(made: KnowledgeBase) -> None:
    """Leave no empty knowledge base behind where no source could be read."""
    with suppress(StoreError):  # of another process, which uses it
        if made.discard():
            note("nothing was read, so no knowledge base was made")


def quieten_libraries() -> None:
    """Parsers warn about every odd file; what matters of it is reported as a failure by name."""
    import logging

    if not os.environ.get("PILOTFISH_DEBUG"):
        logging.getLogger().addHandler(logging.NullHandler())
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        from indexes.encoding.sentence_transformer import DOWNLOAD_VARIABLE

        if os.environ.get(DOWNLOAD_VARIABLE) != "1":  # a model that is here is read in a moment
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        os.environ.setdefault("TQDM_DISABLE", "1")  # bars of libraries beside our own
