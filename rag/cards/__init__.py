"""Knowledge cards: small experts that offer background knowledge, checked against the knowledge base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.cards.card import Card, CardError, CardKind
    from rag.cards.cards import Cards
    from rag.cards.consulting import CardUse, Consultation, Consulted, Integration
    from rag.cards.selecting import CardStatement, CardVerdict, Selectors
    from rag.cards.storage import StoredCard
    from rag.cards.training.train import TrainedCard
    from rag.cards.training.trainer import TrainingOptions, TrainingProgress

__all__ = [
    "Card",
    "CardError",
    "CardKind",
    "CardStatement",
    "CardUse",
    "CardVerdict",
    "Cards",
    "Consultation",
    "Consulted",
    "Integration",
    "Selectors",
    "StoredCard",
    "TrainedCard",
    "TrainingOptions",
    "TrainingProgress",
]

__getattr__ = offering(
    __name__,
    {
        "rag.cards.card": ["Card", "CardError", "CardKind"],
        "rag.cards.cards": ["Cards"],
        "rag.cards.consulting": ["CardUse", "Consultation", "Consulted", "Integration"],
        "rag.cards.selecting": ["CardStatement", "CardVerdict", "Selectors"],
        "rag.cards.storage": ["StoredCard"],
        "rag.cards.training.train": ["TrainedCard"],
        "rag.cards.training.trainer": ["TrainingOptions", "TrainingProgress"],
    },
)
