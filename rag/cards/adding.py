"""Makes a card from what the user names: a model, another knowledge base, or a file of terms."""

from __future__ import annotations

import shutil
from pathlib import Path

from connectors.errors import ConfigurationError
from indexes.store import CATALOG_FILE, DEFAULT_FOLDER
from rag.cards.card import Card, CardFile, CardKind, checked_description, checked_name
from rag.cards.experts import TERMS_FILE
from rag.cards.glossary import read_glossary, write_terms
from rag.cards.storage import CardStore

_SHOWN_TERMS = 12
_MODEL_SUFFIX = ".gguf"
_TERM_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".md", ".txt"})


def add_card(
    shelf: CardStore,
    name: str,
    target: str,
    *,
    kind: CardKind | str | None = None,
    description: str = "",
    origin: str = "",
    licence: str = "",
    base_url: str | None = None,
    lora: str | Path | None = None,
) -> Card:
    """Add a card to `shelf`.

    Args:
        shelf: the cards of a knowledge base.
        name: small letters, digits, `-` and `_`.
        target: a GGUF file or a model spec, the folder of a knowledge base, or a file of terms.
        kind: what it is; None is told from the target.
        description: what the card knows. A language model needs one; the others can be described by what they hold.
        origin: where it comes from; by default the target.
        licence: under which terms.
        base_url: the server of an `openai:` model.
        lora: a LoRA in a GGUF file, on top of the model.

    Raises:
        ConfigurationError: the name is taken or none, or the target is not what it should be.
        StoreError: the card cannot be written.
    """
    checked_name(name)
    kind = _kind(kind, target)
    if kind is not CardKind.LM and (base_url or lora):
        flag = "a base URL" if base_url else "a LoRA"
        raise ConfigurationError(f"{flag} does not apply to a card of kind {kind}", hint="use it with kind lm")
    origin = origin or target
    match kind:
        case CardKind.GLOSSARY:
            return _add_glossary(shelf, name, Path(target).expanduser(), description, origin, licence)
        case CardKind.KB:
            folder = _knowledge_base(Path(target).expanduser().absolute(), shelf)
            called = folder.parent.name if folder.name == DEFAULT_FOLDER else folder.name
            described = checked_description(description or f"what the knowledge base {called} holds")
            return shelf.add(Card(name, kind, described, str(folder), origin, licence))
        case CardKind.LM:
            described = checked_description(description)
            spec, files = _model(target)
            settings = {"base_url": base_url} if base_url else {}
            if lora:
                from rag.llm.local import adapter_path

                adapter = CardFile.of(adapter_path(lora))
                settings["lora"] = adapter.path
                files = (*files, adapter)
            return shelf.add(Card(name, kind, described, spec, origin, licence, settings, files))


def _kind(kind: CardKind | str | None, target: str) -> CardKind:
    if kind is not None:
        try:
            return CardKind(kind)
        except ValueError:
            raise ConfigurationError(
                f"unknown kind of card {str(kind)!r}", hint=f"choose one of: {', '.join(CardKind)}"
            ) from None
    path = Path(target).expanduser()
    if path.suffix.lower() in _TERM_SUFFIXES:
        return CardKind.GLOSSARY
    if path.suffix.lower() == _MODEL_SUFFIX or not path.exists():
        return CardKind.LM
    return CardKind.KB if path.is_dir() else CardKind.GLOSSARY


def _add_glossary(shelf: CardStore, name: str, path: Path, description: str, origin: str, licence: str) -> Card:
    """The terms are copied, so that the card is whole wherever the knowledge base goes."""
    terms = read_glossary(path)
    shown = ", ".join(term.term for term in terms[:_SHOWN_TERMS])
    described = checked_description(description or f"{len(terms):,} terms: {shown}{'…' * (len(terms) > _SHOWN_TERMS)}")
    draft = shelf.draft()
    try:
        write_terms(draft / TERMS_FILE, terms)
        files = (CardFile.of(draft / TERMS_FILE, own=True),)
        return shelf.add(
            Card(name, CardKind.GLOSSARY, described, TERMS_FILE, origin, licence, {}, files), payload=draft
        )
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # nothing is left there of a card that was added


def _knowledge_base(folder: Path, shelf: CardStore) -> Path:
    """The folder of another knowledge base: itself, or the one with a `.rag`."""
    inside = folder / DEFAULT_FOLDER
    found = next((place for place in (folder, inside) if (place / CATALOG_FILE).is_file()), None)
    if found is None:
        raise ConfigurationError(f"{folder} is not a knowledge base", hint="name its folder, usually called .rag")
    if found.resolve() == shelf.folder.parent.resolve():
        raise ConfigurationError(f"{found} is this knowledge base itself", hint="name another knowledge base")
    return found


def _model(target: str) -> tuple[str, tuple[CardFile, ...]]:
    """The spec of a model, and the files that it is."""
    from rag.llm.gguf import check_writes, read_header
    from rag.llm.loading import load_llm
    from rag.llm.local import DEFAULT_MODEL, model_path

    kind, _, rest = target.partition(":")
    if Path(target).suffix.lower() == _MODEL_SUFFIX and kind != "local":
        kind, rest = "local", str(Path(target).expanduser().absolute())
    if kind == "local":
        file = model_path(rest or DEFAULT_MODEL).absolute()
        check_writes(read_header(file), file)
        return f"local:{file}", (CardFile.of(file),)
    if kind == "extractive":
        raise ConfigurationError("`extractive` knows nothing by itself", hint="name a model that writes text")
    if kind != "openai" or not rest:
        load_llm(target)  # an object has to be there
    return target, ()
