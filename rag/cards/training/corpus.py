"""Training data for a card: a domain's passages as running text, and as answers to likely questions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.document import with_context
from connectors.errors import ConfigurationError
from connectors.sentences import sentence_spans
from rag.cards.training.questions import HEADINGS, Topic
from rag.text.words import terms

_LONGEST = 256  # tokens that are learned as one
_MEASURED = 64  # tokens that are measured together: the more pieces, the better is it known how much chance there is
_LEAST_TOKENS = 1_000
_FEWEST_MEASURED = 3
_FEWEST_DOCUMENTS = 5  # with fewer, the end of each is held out instead of whole documents
_HELD_OUT = 0.1
_FEWEST_TERMS = 2  # of a sentence that says something


@dataclass(frozen=True, slots=True)
class TrainingPassage:
    """A passage of the domain: its document, its title and headings, and its text."""

    document: str
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class TrainingBlock:
    """Tokens, and for each whether it is a training target. Both have the same length."""

    tokens: list[int]
    learned: list[bool]


@dataclass(frozen=True, slots=True)
class ModelTokenizer:
    """The tokenizer of the model.

    Attributes:
        tokens: text → tokens; control tokens written in the text are just text.
        asked: what comes before the answer to this message, as tokens.
        end: what ends an answer, and a text.
    """

    tokens: Callable[[str], list[int]]
    asked: Callable[[str], list[int]]
    end: list[int]


class TrainingCorpus:
    """The training set and the held-out set, split by document.

    Raises:
        ConfigurationError: there is too little text.
    """

    def __init__(self, passages: Sequence[TrainingPassage], tokenizer: ModelTokenizer, seed: int) -> None:
        learned, kept = _parted(passages, seed)
        self._tokenizer = tokenizer
        self._seed = seed
        self._running = list(_cut((_text(passage, tokenizer) for passage in learned), _LONGEST))
        self._topics = [_topic(passage) for passage in learned]
        kept_tokens = [token for passage in kept for token in _text(passage, tokenizer)]
        self.held_out = list(_cut([kept_tokens], _MEASURED))
        first = self.epoch(0)
        self.blocks = len(first)
        self.tokens = sum(len(block.tokens) for block in first)
        if self.tokens < _LEAST_TOKENS or len(self.held_out) < _FEWEST_MEASURED:
            raise ConfigurationError(
                f"{len(passages)} passages are too few to learn from: a tenth is held out for measuring",
                hint="give at least about a thousand words; for less, use a glossary card",
            )
        everything = repr([(block.tokens, block.learned) for block in (*first, *self.held_out)])
        self.fingerprint = hashlib.sha256(everything.encode()).hexdigest()

    def epoch(self, number: int) -> list[TrainingBlock]:
        """What is learned in one go: all of the text, and a question about each sentence, another one in each go."""
        rng = random.Random(f"{self._seed}:{number}")  # noqa: S311
        pairs = [self._pair(topic, at, rng) for topic in self._topics for at in range(len(topic.sentences))]
        return [*self._running, *pairs]

    def _pair(self, topic: Topic, at: int, rng: random.Random) -> TrainingBlock:
        question, answer = topic.asked(at, rng)
        before = self._tokenizer.asked(question)[-_LONGEST // 2 :]  # so that some of every answer is learned
        after = [*self._tokenizer.tokens(answer), *self._tokenizer.end]
        return TrainingBlock([*before, *after][:_LONGEST], ([False] * len(before) + [True] * len(after))[:_LONGEST])


def held_out(documents: Iterable[str], seed: int) -> set[str]:
    """Those of many documents that are not learned, drawn by their names, so that the same stay out."""
    drawn = sorted(set(documents), key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    return set(drawn[: max(1, round(_HELD_OUT * len(drawn)))])


def _parted(passages: Sequence[TrainingPassage], seed: int) -> tuple[list[TrainingPassage], list[TrainingPassage]]:
    """What is learned, and what is held out."""
    documents = {passage.document for passage in passages}
    if len(documents) >= _FEWEST_DOCUMENTS:
        out = held_out(documents, seed)
        return [one for one in passages if one.document not in out], [one for one in passages if one.document in out]
    learned: list[TrainingPassage] = []
    kept: list[TrainingPassage] = []
    for name in sorted(documents):
        mine = [passage for passage in passages if passage.document == name]
        end = len(mine) - max(1, round(_HELD_OUT * len(mine))) if len(mine) > 1 else len(mine)
        learned += mine[:end]
        kept += mine[end:]
    return learned, kept


def _text(passage: TrainingPassage, tokenizer: ModelTokenizer) -> list[int]:
    text = with_context(passage.context, passage.text)
    return [*tokenizer.tokens(text), *tokenizer.end]


def _topic(passage: TrainingPassage) -> Topic:
    spans = sentence_spans(passage.text)
    sentences = (" ".join(passage.text[start:end].split()) for start, end in spans)
    return Topic(
        tuple(passage.context.split(HEADINGS)) if passage.context else (),
        tuple(sentence for sentence in sentences if len(terms(sentence)) >= _FEWEST_TERMS),
    )


def _cut(texts: Iterable[list[int]], size: int) -> Iterator[TrainingBlock]:
    """The texts in blocks of at most `size` tokens; of one token there is nothing to learn."""
    for tokens in texts:
        for start in range(0, len(tokens), size):
            piece = tokens[start : start + size]
            if len(piece) > 1:
                yield TrainingBlock(piece, [True] * len(piece))
