"""The pairs as word pieces: what the network reads, kept in a few flat arrays."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexes.encoding.base import Span
from indexes.encoding.wordpiece import WordPieces
from scripts.reader.pairs import Pair

CLS, SEP = "[CLS]", "[SEP]"
MOST_FIRST = 64  # word pieces of a question or a claim
MOST_PASSAGE = 240  # of a passage
_NO_LABEL = -1
_NO_SPAN = -1  # not known: nothing is learned from it
_NULL = 0  # nothing answers: the place of [CLS]

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Pairs as word pieces.

    Attributes:
        pieces: of all pairs, one behind the other, [total].
        starts: where those of each pair begin, and where the last ones end, [n + 1].
        second: the place within a pair where its passage begins, [n].
        answers: 1, 0, or -1 for a claim, [n].
        spans: the first and the last place within the pair that answer; 0 where nothing does, -1 unknown, [n, 2].
        support: SUPPORTS and so on, or -1 for a question, [n].
        source: the number of its set, [n].
        held_out: 1 where it is kept from training, [n].
        sources: the names of the sets.
    """

    pieces: npt.NDArray[np.uint16]
    starts: Ints
    second: Ints
    answers: Ints
    spans: Ints
    support: Ints
    source: Ints
    held_out: Ints
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.second)

    def lengths(self) -> Ints:
        """How many word pieces each pair has."""
        return np.diff(self.starts)

    def save(self, path: Path) -> None:
        """Write to a file."""
        arrays = {name: getattr(self, name) for name in self.__slots__ if name != "sources"}
        np.savez(path, sources=np.array(json.dumps(self.sources)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Examples:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            own = {name: arrays[name] for name in cls.__slots__ if name != "sources"}
            return cls(**own, sources=tuple(json.loads(str(arrays["sources"]))))


def of_pairs(pairs: Sequence[Pair], tokenizer: WordPieces, seed: int) -> Examples:
    """Cut pairs into word pieces; of a long passage a window is taken, around the span where there is one."""
    encode = lru_cache(maxsize=50_000)(tokenizer.encode)
    first, last = tokenizer.vocabulary[CLS], tokenizer.vocabulary[SEP]
    chance = random.Random(seed)
    names = tuple(dict.fromkeys(pair.source for pair in pairs))
    pieces: list[int] = []
    rows: list[tuple[int, ...]] = []
    starts = [0]
    for pair in pairs:
        asked = encode(pair.first)[0][:MOST_FIRST]
        ids, places = encode(pair.passage)
        span = None if pair.span is None else _pieces_of(pair.span, places)
        window = _window(len(ids), span, chance)
        second = len(asked) + 2
        pieces += [first, *asked, last, *ids[window.start : window.stop], last]
        rows.append(
            (
                second,
                _NO_LABEL if pair.answers is None else int(pair.answers),
                *_span(pair, span, window, second),
                _NO_LABEL if pair.support is None else pair.support,
                names.index(pair.source),
                int(pair.held_out),
            )
        )
        starts.append(len(pieces))
    table = np.array(rows, dtype=np.int32)
    return Examples(
        np.array(pieces, dtype=np.uint16),
        np.array(starts, dtype=np.int32),
        table[:, 0],
        table[:, 1],
        table[:, 2:4],
        table[:, 4],
        table[:, 5],
        table[:, 6],
        names,
    )


def _pieces_of(span: tuple[int, int], places: Sequence[Span]) -> tuple[int, int] | None:
    """The first and the last word piece of some characters."""
    inside = [piece for piece, (start, end) in enumerate(places) if start < span[1] and end > span[0]]
    return (inside[0], inside[-1]) if inside else None


def _window(count: int, span: tuple[int, int] | None, chance: random.Random) -> range:
    """The word pieces that are read: all, or a stretch around the answer that begins anywhere before it."""
    if count <= MOST_PASSAGE:
        return range(count)
    if span is None:
        return range(MOST_PASSAGE)
    earliest = max(0, min(span[1] + 1, count) - MOST_PASSAGE)
    latest = min(span[0], count - MOST_PASSAGE)
    start = chance.randint(min(earliest, latest), max(earliest, latest))
    return range(start, start + MOST_PASSAGE)


def _span(pair: Pair, span: tuple[int, int] | None, window: range, second: int) -> tuple[int, int]:
    if pair.answers is None:
        return _NO_SPAN, _NO_SPAN
    if not pair.answers:
        return _NULL, _NULL
    if span is None or span[0] not in window or span[1] not in window:
        return _NO_SPAN, _NO_SPAN
    return span[0] - window.start + second, span[1] - window.start + second


def batches(examples: Examples, rows: npt.NDArray[np.int64], pieces: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """The rows in random order, in batches of like lengths of about `pieces` word pieces in all, padding included."""
    chance = np.random.default_rng(seed)
    lengths = examples.lengths()
    order = chance.permutation(rows)
    found: list[npt.NDArray[np.int64]] = []
    for part in np.array_split(order, max(1, len(order) // 4_000)):
        chunk = part[np.argsort(lengths[part], kind="stable")]
        batch: list[int] = []
        for row in chunk.tolist():
            if batch and (len(batch) + 1) * lengths[row] > pieces:
                found.append(np.array(batch))
                batch = []
            batch.append(row)
        found.append(np.array(batch))
    for place in chance.permutation(len(found)):
        yield found[place]


def fingerprint(*parts: object) -> str:
    """A short name for what was made from `parts`."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
