"""Cuts a stretch of text into pieces that fit: where cuts are possible, and which of them is best."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol

from connectors.document import Block, BlockKind
from connectors.sentences import paragraph_spans, sentence_spans

# A word piece stands for at most this many characters. Without a bound, a million characters that the tokenizer sees
# as one unknown word (or as none at all) would make one chunk.
_PIECE_CHARACTERS = 16
_STRETCH = 16_384  # characters tokenised at once: the fastest size measured, and it bounds the memory

_SPACE = re.compile(r"\s+")
_LINE = re.compile(r"\r\n?|[\n\x0b\x0c\x85\u2028\u2029]")
# A comma ends a cell unless it stands between two digits: the 1,000 of a table is one value.
_CELL = re.compile(r"[|\t;]|(?<!\d),|,(?!\d)")
_CLAUSE = re.compile(r"[,;:)—–]\s+|[、，；：。！？…」』）】]+(?=\w)")
_WORD = re.compile(r"[^\S\xa0\u2007\u202f]+")  # a no-break space holds a number and its unit together
_SEAM = re.compile(r"(?<!\d)[!-/:-@\[-`{-~]+(?=\w)|[!-/:-@\[-`{-~]+(?=[^\W\d])")  # inside a URL or minified JSON


class Tokenizer(Protocol):
    """Counts the word pieces of an encoder."""

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """The character span of every word piece of `text`, in order, without special tokens."""
        ...


class Ruler:
    """Measures any stretch of one text in word pieces, by bisection; the text is tokenised once, in stretches."""

    def __init__(self, text: str, tokenizer: Tokenizer) -> None:
        self._length = len(text)
        self._starts = array("q")
        reached = 0
        for offset, stretch in _stretches(text):
            for first, _ in tokenizer.spans(stretch):
                start = offset + first
                if start - reached > _PIECE_CHARACTERS:
                    self._starts.extend(range(reached + _PIECE_CHARACTERS, start, _PIECE_CHARACTERS))
                self._starts.append(start)
                reached = start
        self._starts.extend(range(reached + _PIECE_CHARACTERS, self._length, _PIECE_CHARACTERS))

    def count(self, start: int, end: int) -> int:
        """About how many word pieces `text[start:end]` has; exact where both ends stand between words."""
        return bisect_left(self._starts, end) - bisect_left(self._starts, start)

    def reach(self, start: int, pieces: int) -> int:
        """The furthest offset with at most `pieces` word pieces between `start` and it."""
        index = bisect_left(self._starts, start) + pieces
        return max(start + 1, self._starts[index]) if index < len(self._starts) else self._length


class Region:
    """A stretch of text to cut in order, from the front.

    The places where it may be cut are kept in levels. A finer level has places only inside what is too big to stay
    whole: paragraphs beyond `target`; sentences, code, its statements, tables and their rows beyond `limit`. What no
    listed place can divide (one endless sentence, row or word) is searched locally, so the work stays linear.
    """

    def __init__(
        self, text: str, ruler: Ruler, span: tuple[int, int], blocks: Sequence[Block], *, target: int, limit: int
    ) -> None:
        self._text = text
        self._ruler = ruler
        self._end = span[1]
        self._target = target
        self._limit = limit
        self._blocks = blocks
        self._torn = span[0]  # up to here, what could not stay whole is being cut
        self._levels: list[list[int]] = [[], [], []]
        position = span[0]
        for block in blocks:
            self._add_prose(position, block.start)
            self._add_block(block)
            position = block.end
        self._add_prose(position, self._end)

    def cut(self, start: int, limit: int) -> int:
        """Where the piece that begins at `start` ends: after at most `limit` word pieces, about `target` if it can.

        Pieces come out even: of 220 word pieces, two of 110 rather than 200 and a tail.
        """
        count, reach = self._ruler.count, self._ruler.reach
        target = min(self._target, limit)
        if count(start, self._end) <= target:
            return self._end
        furthest, horizon, nearest = reach(start, target), self._end, start
        for places in self._levels:
            share = _even_share(count(start, horizon), target)
            least, ideal = reach(start, share // 2), reach(start, share)
            place = _closest(places, ideal, after=least, upto=furthest)
            if place is not None:
                return place
            index = bisect_right(places, furthest)
            nearest = max(nearest, places[index - 1]) if index else nearest
            horizon = min(horizon, places[index]) if index < len(places) else horizon
        if start >= self._torn:
            for whole in (self._end, horizon):  # over the target, but nothing needs to be cut
                if count(start, whole) <= limit:
                    return whole
        if nearest > start and count(nearest, horizon) <= limit:  # what follows is whole in a piece of its own
            return nearest
        self._torn = horizon
        return self._cut_inside(start, horizon, target, limit)

    def _add_prose(self, start: int, end: int) -> None:
        for first, last in paragraph_spans(self._text, start, end):
            self._levels[0].extend((first, last))
            if self._ruler.count(first, last) > self._target:
                self._levels[1].extend(edge for span in sentence_spans(self._text, first, last) for edge in span)

    def _add_block(self, block: Block) -> None:
        self._levels[0].extend((block.start, block.end))
        if self._ruler.count(block.start, block.end) <= self._limit:
            return
        if block.kind is BlockKind.TABLE:
            self._levels[1].extend(_row_starts(self._text, block.start, block.end))
            return
        if block.cuts:
            self._add_statements(block)
            return
        for first, last in paragraph_spans(self._text, block.start, block.end):
            self._levels[1].extend((first, last))
            if self._ruler.count(first, last) > self._limit:
                self._levels[2].extend(_line_starts(self._text, first, last))

    def _add_statements(self, block: Block) -> None:
        """The statements of code, those inside another only where that does not fit; at last its lines."""
        places = [block.start, block.end]
        for depth, cuts in enumerate(block.cuts, 1):
            added = self._divisions(places, cuts)
            self._level(depth).extend(added)
            places = sorted({*places, *added})
        lines = list(_line_starts(self._text, block.start, block.end))
        self._level(len(block.cuts) + 1).extend(self._divisions(places, lines))

    def _divisions(self, places: Sequence[int], finer: Sequence[int]) -> list[int]:
        """Those of the `finer` places that are between two of `places` with more between them than fits."""
        return [
            place
            for start, end in pairwise(places)
            if self._ruler.count(start, end) > self._limit
            for place in finer[bisect_right(finer, start) : bisect_left(finer, end)]
        ]

    def _level(self, depth: int) -> list[int]:
        while len(self._levels) <= depth:
            self._levels.append([])
        return self._levels[depth]

    def _cut_inside(self, start: int, end: int, target: int, limit: int) -> int:
        """Cut what is too long to stay whole: at a line, cell, clause, word or seam, or between two characters."""
        reach = self._ruler.reach
        share = _even_share(self._ruler.count(start, end), target)
        least, ideal = reach(start, share // 2), reach(start, share)
        furthest, last_word = min(end, reach(start, target)), min(end, reach(start, limit))
        block = _block_at(self._blocks, start)
        in_table = block is not None and block.kind is BlockKind.TABLE
        for pattern in (_LINE, _CELL, _CLAUSE) if in_table else (_LINE, _CLAUSE):
            place = _closest(_matches(pattern, self._text, least, furthest), ideal, after=least, upto=furthest)
            if place is not None:
                return place
        # Words may leave a piece short or go beyond the target: a URL or a number is not cut while it fits.
        for pattern, last in ((_WORD, last_word), (_SEAM, furthest)):
            place = _closest(_matches(pattern, self._text, start, last), ideal, after=start, upto=last)
            if place is not None:
                return place
        return _between_characters(self._text, start, ideal, furthest)


def _block_at(blocks: Sequence[Block], position: int) -> Block | None:
    """The block of the sorted `blocks` that holds `position`, if any."""
    index = bisect_right(blocks, position, key=lambda block: block.start) - 1
    return blocks[index] if index >= 0 and position < blocks[index].end else None


def _even_share(pieces: int, target: int) -> int:
    """The size of each part when `pieces` are dealt evenly over as few parts as the target allows."""
    parts = -(-pieces // target)
    return -(-pieces // parts)


def _closest(places: Sequence[int], ideal: int, *, after: int, upto: int) -> int | None:
    """The place nearest to `ideal` in the sorted `places`, beyond `after` and not beyond `upto`."""
    index = bisect_left(places, ideal)
    near = [place for place in places[max(0, index - 1) : index + 1] if after < place <= upto]
    return min(near, key=lambda place: abs(place - ideal), default=None)


def _matches(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[int]:
    return [found.end() for found in pattern.finditer(text, start, end)]


def _line_starts(text: str, start: int, end: int) -> Iterator[int]:
    return (found.end() for found in _LINE.finditer(text, start, end))


def _row_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Line starts outside double quotes: a quoted cell may hold line breaks."""
    quotes = 0
    for place in _line_starts(text, start, end):
        quotes += text.count('"', start, place)
        start = place
        if quotes % 2 == 0:
            yield place


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """The text in stretches cut at white space, where there is any, so that no word is counted twice."""
    start = 0
    while start < len(text):
        end = start + _STRETCH
        if end < len(text):
            end = max(_matches(_SPACE, text, end - _STRETCH // 16, end), default=end)
        yield start, text[start:end]
        start = end


def _between_characters(text: str, start: int, ideal: int, furthest: int) -> int:
    """A place inside an endless word, near `ideal`: never inside a grapheme cluster or an ASCII word, if avoidable."""
    import regex  # here because it is rarely needed

    # A few characters beyond the end, so that a cluster that goes on there is seen whole.
    run = text[start : furthest + _PIECE_CHARACTERS]
    if run.isascii():
        return ideal
    clusters = [start + found.start() for found in regex.finditer(r"\X", run)]
    for places in ([place for place in clusters if not text[place - 1 : place + 1].isascii()], clusters):
        place = _closest(places, ideal, after=start, upto=furthest)
        if place is not None:
            return place
    return furthest
