"""The card check of `rag doctor`: whether each card can be asked."""

from __future__ import annotations

from connectors.errors import PilotfishError
from indexes.doctor.findings import Check, named
from rag.cards.card import CardError, CardKind
from rag.cards.experts import OpenBase, open_expert
from rag.cards.storage import CardStore, StoredCard

_NAME = "cards"


def examine(shelf: CardStore, open_base: OpenBase) -> tuple[Check, ...]:
    """A failed check for each card that cannot be asked, else one for all of them; nothing is changed.

    Every byte of the files that cards stand on is read. No model is loaded, and no server is asked.
    """
    cards = shelf.all(thoroughly=True)
    failed: dict[str, PilotfishError] = dict(shelf.damaged())
    for shelved in cards:
        error = _error(shelf, shelved, open_base)
        if error is not None:
            failed[shelved.card.name] = error
    if failed:
        return tuple(Check(_NAME, ok=False, detail=str(why), hint=why.hint) for _, why in sorted(failed.items()))
    detail = f"can be asked: {named([shelved.card.name for shelved in cards])}" if cards else "there are none"
    return (Check(_NAME, ok=True, detail=detail),)


def _error(shelf: CardStore, shelved: StoredCard, open_base: OpenBase) -> PilotfishError | None:
    card = shelved.card
    if shelved.problem:
        return shelved.refusal
    if card.kind is CardKind.LM:
        return None
    try:
        open_expert(card, shelf.folder / card.name, open_base).close()
    except CardError as error:
        return error
    return None
