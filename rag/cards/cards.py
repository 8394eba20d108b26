"""The knowledge cards of a knowledge base: stores them, asks one, or consults all for an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.chunking.splitter import Splitter
from rag.cards.adding import add_card
from rag.cards.card import Card, CardKind
from rag.cards.consulting import CardUse, Consulted, Integration, consult, failed
from rag.cards.experts import Expert, GlossaryExpert, OpenBase, open_expert
from rag.cards.gate import Gate
from rag.cards.selecting import CardStatement, Selecting, Selectors
from rag.cards.storage import CardStore, StoredCard
from rag.llm.base import Complete
from rag.retrieval.hit import Hit
from rag.retrieval.search import Search
from rag.text.sentence_encoder import SentenceEncoder
from rag.verification.support import SupportJudge

if TYPE_CHECKING:
    from indexes.doctor.findings import Check
    from rag.cards.training.train import TrainedCard

_NEAREST = 8  # hits that may answer the question, where a card is asked by itself


class Cards:
    """The cards of one knowledge base.

    An expert that has been asked stays open until `close`. Cards that cannot be asked (their file has gone, they came
    with the folder and nobody trusted them) are skipped, and the answer says so.
    """

    def __init__(
        self,
        knowledge_base: Path,
        encoder: Callable[[], SentenceEncoder],
        splitter: Callable[[], Splitter],
        search: Search,
        open_base: OpenBase,
    ) -> None:
        self._shelf = CardStore(knowledge_base)
        self._splitter = splitter
        self._encoder = encoder
        self._search = search
        self._open_base = open_base
        self._experts: dict[tuple[str, str], Expert] = {}
        self._gate: Gate | None = None

    def all(self) -> list[StoredCard]:
        """Every card, by name; of one that cannot be asked, `problem` says why."""
        return self._shelf.all()

    def damaged(self) -> list[str]:
        """The names of cards that cannot even be read."""
        return list(self._shelf.damaged())

    def check(self) -> tuple[Check, ...]:
        """Examine them: a failed check for each that cannot be asked, else one for all; nothing is changed."""
        from rag.cards.doctor import examine

        return examine(self._shelf, self._open_base)

    def get(self, name: str) -> StoredCard:
        """The card called `name`.

        Raises:
            ConfigurationError: there is none.
            CardError: its file is damaged.
        """
        return self._shelf.get(name)

    def add(self, name: str, target: str, **options: Any) -> Card:
        """Add a card; see `rag.cards.adding.add_card` for the options.

        Raises:
            ConfigurationError: the name is taken or none, or the target is not what it should be.
        """
        return add_card(self._shelf, name, target, **options)

    def train(self, name: str, source: str, **options: Any) -> TrainedCard:
        """Train a small model on the text of `source`, and add it as a card; see `rag.cards.training.train.train_card`.

        Raises:
            ConfigurationError: the name is taken, an extra is missing, the model cannot be adapted, too little text.
            SourceError: the source cannot be read.
            CardError: it did not learn.
        """
        from rag.cards.training.train import train_card

        return train_card(self._shelf, name, source, self._splitter(), **options)

    def remove(self, name: str) -> None:
        """Forget a card, with the files that are kept with it.

        Raises:
            ConfigurationError: there is none of that name.
        """
        self._shelf.remove(name)

    def trust(self, name: str) -> Card:
        """Have a card asked that came with the knowledge base, and was not added by this user.

        Raises:
            ConfigurationError: there is none of that name.
        """
        return self._shelf.trust(name)

    def ask(self, name: str, question: str, selectors: Selectors | None = None) -> list[CardStatement]:
        """What one card says to `question`, and what would become of each sentence in an answer.

        Raises:
            ConfigurationError: there is none of that name.
            CardError: it cannot be asked.
        """
        shelved = self.get(name)
        if shelved.problem:
            raise shelved.refusal
        hits = self._search(question, _NEAREST)
        selecting = self._selecting(question, hits, selectors or Selectors())
        return selecting.select(self._opened(shelved.card).offer(question))

    def consult(
        self, question: str, hits: Sequence[Hit], use: CardUse, *, complete: Complete | None = None
    ) -> Consulted:
        """What the cards bring to an answer to `question`, for which a search found `hits`.

        `complete` has the LLM write, where cards are asked top-down.

        Raises:
            ConfigurationError: `use` names a card that is not there.
        """
        if use.integration is Integration.OFF:
            return Consulted((), tuple(hits))
        shelved = [self.get(name) for name in use.names] if use.names else self.all()
        damaged = [] if use.names else [failed(name, error) for name, error in self._shelf.damaged().items()]
        if not shelved:
            return Consulted((), tuple(hits), tuple(damaged))
        encoder = self._encoder()
        if self._gate is None:
            self._gate = Gate(encoder)
        consulted = consult(
            question,
            shelved,
            hits,
            use,
            opened=self._opened,
            gate=self._gate,
            selecting=lambda answering: self._selecting(question, answering, use.selectors),
            complete=complete,
        )
        every = sorted((*consulted.consultations, *damaged), key=lambda each: each.card)
        return replace(consulted, consultations=tuple(every))

    def expansions(self, question: str) -> list[str]:
        """Other names that the glossaries have for terms in `question`."""
        found: list[str] = []
        for shelved in self.all():
            if shelved.card.kind is CardKind.GLOSSARY and not shelved.problem:
                expert = self._opened(shelved.card)
                if isinstance(expert, GlossaryExpert):
                    found += [name for name in expert.glossary.expansions(question) if name not in found]
        return found

    def close(self) -> None:
        """Let go of every expert."""
        for expert in self._experts.values():
            expert.close()
        self._experts.clear()

    def _opened(self, card: Card) -> Expert:
        key = (card.name, card.added)
        if key not in self._experts:
            self._experts[key] = open_expert(card, self._shelf.folder / card.name, self._open_base)
        return self._experts[key]

    def _selecting(self, question: str, hits: Sequence[Hit], selectors: Selectors) -> Selecting:
        encoder = self._encoder()
        return Selecting(question, hits, encoder, SupportJudge(encoder), self._search, selectors)
