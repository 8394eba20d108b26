"""Trains a card on a source of domain text."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from connectors.chunking.splitter import Splitter
from connectors.document import with_context
from connectors.errors import ConfigurationError
from connectors.registry import open_source
from connectors.source import Added, Failed
from rag.cards.card import Card, CardError, CardFile, CardKind, checked_description, checked_name
from rag.cards.gate import MOST_EXAMPLES
from rag.cards.storage import CardStore
from rag.cards.training.corpus import ModelTokenizer, TrainingPassage
from rag.cards.training.trainer import ADAPTER, OnTrainingProgress, Trained, TrainingOptions, train
from rag.llm.local import DEFAULT_MODEL, LocalLLM

TRAINED = "trained"  # the setting of a card that is asked as it was trained
_SHOWN_TITLES = 8
_LONGEST_EXAMPLE = 600
_MOST_PASSAGES = 200_000


@dataclass(frozen=True, slots=True)
class TrainedCard:
    """A trained card and how well it learned; `failures` lists documents that could not be read."""

    card: Card
    result: Trained
    documents: int
    passages: int
    failures: tuple[Failed, ...]


def train_card(
    shelf: CardStore,
    name: str,
    source: str,
    splitter: Splitter,
    *,
    base: str = DEFAULT_MODEL,
    description: str = "",
    licence: str = "",
    options: TrainingOptions | None = None,
    on_progress: OnTrainingProgress | None = None,
) -> TrainedCard:
    """Train a card on what a connector reads from `source`, and add it to `shelf` if it learned.

    A run that is cut off is gone on with by the same call.

    Args:
        shelf: the cards of a knowledge base.
        name: what to call it.
        source: a folder, a file, a database or a repository, as `rag index` names it. Nothing of it is indexed.
        splitter: cuts documents.
        base: a GGUF file of the Llama family, or the name of a pulled model.
        description: what the card knows; by default the titles of its documents.
        licence: under which terms.
        options: how it learns.
        on_progress: hears of every step.

    Raises:
        ConfigurationError: the name is taken, an extra is missing, the model cannot be adapted, too little text.
        SourceError: the source cannot be read.
        CardError: it did not learn.
    """
    if checked_name(name) in shelf.names():
        raise ConfigurationError(
            f"there is a card {name!r} already", hint=f"choose another name, or: rag card remove {name}"
        )
    # The threads of OpenMP wait for each other asleep, and not spinning: on a busy machine with two cores, two that
    # spin learned 21 tokens a second, and 137 asleep. The library reads this once, when llama.cpp or torch is loaded:
    # in a process that has done so before, all stays as it is.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    passages, titles, failures = _read(source, splitter)
    draft = shelf.folder / f".training-{name}"
    draft.mkdir(parents=True, exist_ok=True)
    model = LocalLLM(base)
    try:
        result = train(model.path, passages, draft, tokenizer(model), options=options, on_progress=on_progress)
    except (ConfigurationError, CardError):  # the same would come of it again: nothing of it is gone on with
        shutil.rmtree(draft, ignore_errors=True)
        raise
    files = (CardFile.of(model.path), CardFile.of(draft / ADAPTER, own=True))
    step = max(1, len(passages) // MOST_EXAMPLES)
    texts = (with_context(passage.context, passage.text) for passage in passages[::step][:MOST_EXAMPLES])
    card = Card(
        name,
        CardKind.LM,
        checked_description(description or "; ".join(titles[:_SHOWN_TITLES])),
        f"local:{model.path}",
        origin=f"trained on {source}",
        licence=licence,
        settings={"lora": ADAPTER, TRAINED: "yes"},
        files=files,
        examples=tuple(" ".join(text.split())[:_LONGEST_EXAMPLE] for text in texts),
    )
    try:
        added = shelf.add(card, payload=draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return TrainedCard(added, result, len(titles), len(passages), failures)


def tokenizer(model: LocalLLM) -> ModelTokenizer:
    """The tokenizer of a local model, for training."""
    return ModelTokenizer(
        tokens=model.tokens,
        asked=lambda message: model.tokens(model.asked(message), control=True),
        end=[model.end],
    )


def _read(source: str, splitter: Splitter) -> tuple[list[TrainingPassage], list[str], tuple[Failed, ...]]:
    """The passages of every document that can be read, and the titles."""
    passages: list[TrainingPassage] = []
    titles: list[str] = []
    failures: list[Failed] = []
    for event in open_source(source).events({}):
        if isinstance(event, Failed):
            failures.append(event)
        elif isinstance(event, Added):
            titles.append(event.document.title)
            chunks = splitter.split(event.document)
            passages += [TrainingPassage(event.document.uri, chunk.context, chunk.text) for chunk in chunks]
            if len(passages) > _MOST_PASSAGES:
                raise ConfigurationError(
                    f"{source} has more than {_MOST_PASSAGES:,} passages",
                    hint="a card is a small expert: choose a part",
                )
    return passages, titles, tuple(failures)
