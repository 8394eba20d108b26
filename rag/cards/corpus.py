"""What a card is trained on: a domain's passages as running text, and as answers to what one might ask of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.errors import ConfigurationError
from connectors.sentences import sentence_spans
from rag.words import terms

BLOCK = 256  # tokens that are learned together
_MEASURED = 64  # tokens that are measured together: the more pieces, the better is it known how much chance there is
_LEAST_TOKENS = 1_000
_FEWEST_MEASURED = 3
_FEWEST_DOCUMENTS = 5  # with fewer, the end of each is held out instead of whole documents
_HELD_OUT = 0.1
_FEWEST_TERMS = 4  # of a sentence that says something

# How a card is asked, and what it is trained to continue: the small model learns to say what it has read.
ASKED = "What do you know about this? {question}"


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the domain: which document it is of, its title and headings, and its text."""

    document: str
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Tokens, and for each whether it is to be learned; both as long as each other."""

    tokens: list[int]
    learned: list[bool]


@dataclass(frozen=True, slots=True)
class Corpus:
    """The blocks to learn, those that are held out, and a name of it all."""

    training: list[Block]
    held_out: list[Block]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """The model's own.

    Attributes:
        tokens: text → tokens; control tokens written in the text are just text.
        asked: what comes before the answer to this message, as tokens.
        end: what ends an answer, and a text.
    """

    tokens: Callable[[str], list[int]]
    asked: Callable[[str], list[int]]
    end: list[int]


def corpus(passages: Sequence[Passage], tokenizer: Tokenizer, seed: int) -> Corpus:
    """Passages as blocks to learn and blocks to measure by, parted by document.

    Raises:
        ConfigurationError: there is too little text.
    """
    learned, kept = _parted(passages, seed)
    training = _blocks([*_running(learned, tokenizer), *_asked(learned, tokenizer)], BLOCK)
    held_out = _blocks(_running(kept, tokenizer), _MEASURED)
    known = sum(map(len, (block.tokens for block in training)))
    if known < _LEAST_TOKENS or len(held_out) < _FEWEST_MEASURED:
        raise ConfigurationError(
            f"{len(passages)} passages with about {known} tokens are too little to learn from",
            hint="a few pages are the least; a glossary card serves for less",
        )
    digest = hashlib.sha256(repr([(block.tokens, block.learned) for block in (*training, *held_out)]).encode())
    return Corpus(training, held_out, digest.hexdigest())


def _parted(passages: Sequence[Passage], seed: int) -> tuple[list[Passage], list[Passage]]:
    """What is learned, and what is held out: whole documents drawn by their names, so that the same stay out."""
    documents = sorted({passage.document for passage in passages}, key=lambda name: _drawn(name, seed))
    if len(documents) >= _FEWEST_DOCUMENTS:
        out = set(documents[: max(1, round(_HELD_OUT * len(documents)))])
        return [one for one in passages if one.document not in out], [one for one in passages if one.document in out]
    learned: list[Passage] = []
    kept: list[Passage] = []
    for name in documents:
        mine = [passage for passage in passages if passage.document == name]
        end = len(mine) - max(1, round(_HELD_OUT * len(mine))) if len(mine) > 1 else len(mine)
        learned += mine[:end]
        kept += mine[end:]
    return learned, kept


def _drawn(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode()).digest()


def _running(passages: Sequence[Passage], tokenizer: Tokenizer) -> Iterator[tuple[list[int], list[bool]]]:
    for passage in passages:
        text = f"{passage.context}\n{passage.text}" if passage.context else passage.text
        tokens = [*tokenizer.tokens(text), *tokenizer.end]
        yield tokens, [True] * len(tokens)


def _asked(passages: Sequence[Passage], tokenizer: Tokenizer) -> Iterator[tuple[list[int], list[bool]]]:
    """Each sentence as the answer to its own first words, and each passage as the answer to its heading.

    Nobody writes the questions: the beginning of a sentence names what it is about, mostly, and a heading does.
    """
    for passage in passages:
        if passage.context:
            yield _pair(passage.context, passage.text, tokenizer)
        for start, end in sentence_spans(passage.text):
            sentence = " ".join(passage.text[start:end].split())
            words = sentence.split()
            if len(terms(sentence)) >= _FEWEST_TERMS:
                yield _pair(" ".join(words[: max(3, len(words) // 2)]), sentence, tokenizer)


def _pair(question: str, answer: str, tokenizer: Tokenizer) -> tuple[list[int], list[bool]]:
    before, after = tokenizer.asked(ASKED.format(question=question)), [*tokenizer.tokens(answer), *tokenizer.end]
    return [*before, *after], [False] * len(before) + [True] * len(after)


def _blocks(sequences: Iterable[tuple[list[int], list[bool]]], size: int) -> list[Block]:
    """The sequences one after another, cut into blocks of `size` tokens; a rest that says something is one, too."""
    tokens: list[int] = []
    learned: list[bool] = []
    for more, flags in sequences:
        tokens += more
        learned += flags
    cut = [Block(tokens[at : at + size], learned[at : at + size]) for at in range(0, len(tokens), size)]
    return [block for block in cut if any(block.learned[1:])]
