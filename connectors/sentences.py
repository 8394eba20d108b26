"""Finds sentences and paragraphs, as character spans, in any script and without knowing the language.

The rules are our own. The `sentencex` package (1.0.32) was measured first. It is good on English, but panics on U+3000
and other wide white space, takes quadratic time on a non-ASCII paragraph (4 s for 150,000 Chinese characters), refuses
lone surrogates, cuts `torch.Tensor` in two, and treats a list marker as a sentence of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE_ENDS = r"\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_NEWLINE = rf"(?>\r\n|[{_LINE_ENDS}])"
_INDENT = rf"(?<![^{_LINE_ENDS}])[^\S{_LINE_ENDS}]*+"  # at the start of a line only

_WIDE_STOPS = "。！？｡．।॥။។"  # scripts that put no space after a sentence, or need none
_STOPS = ".!?…؟۔։።፧‼⁇⁈⁉" + _WIDE_STOPS
_CLOSERS = "\"'”’“»›)\\]}」』】》）*_`"
_OPENING = "\"'“”‘’„‚«‹¿¡([{「『【《（*_`"

_BLANK_LINE = re.compile(rf"{_NEWLINE}[^\S{_LINE_ENDS}]*+{_NEWLINE}\s*+")

# A line is a table row when cells are told apart by tabs or spaced bars, or at least twice by a comma, or a semicolon,
# with no space after it (not by the commas of 1,000,000). One with a space after it makes the line prose, and so does
# the comma of “It is,” he said: a row would have to quote them. What a row quotes, or has in brackets, is passed over.
_PASSED = rf"""
    (?<![^,;:=\[{{(])"[^"{_LINE_ENDS}]*+"(?=[^\S{_LINE_ENDS}]*+(?:[,;:}})\]{_LINE_ENDS}]|\Z))
  | \([^(){_LINE_ENDS}]*+\)
"""


def _row(mark: str, before: str = "") -> str:
    """A pattern of the line in which `mark`, where it stands behind `before`, is between cells at least twice."""
    in_prose = rf"{mark}[\"'”’»]?[^\S{_LINE_ENDS}]"
    between = rf"{before}(?!{in_prose}){mark}(?=[^\s{mark}])"
    beside = rf"(?>{_PASSED}|[^{mark}{_LINE_ENDS}]|(?!{between}|{in_prose}){mark})*+"
    return rf"(?:{beside}{between}){{2}}(?:{beside}{between})*+{beside}(?![^{_LINE_ENDS}])"


_COMMAS = _row(",", before=r"(?<!\d)")
_ROW = rf"""
    [^{_LINE_ENDS}]*?\S(?:\t|[ ]\|[ ])[^{_LINE_ENDS}]*?\S
  | {_COMMAS}
  | {_row(";")}
"""

# Every place where a sentence may end or must begin. Runs are possessive and stops are entered only at their first
# character, so that hostile runs of dots, quotes or spaces stay linear.
_BREAK = re.compile(
    rf"""
    (?P<blank>{_BLANK_LINE.pattern})
  | (?P<line>{_INDENT}(?:\#{{1,6}}[^\S{_LINE_ENDS}]|\||(?={_ROW}))[^{_LINE_ENDS}]*+)
  | (?P<item>{_INDENT}(?:[-*+•‣◦▪●·–—]|\(?(?:\d{{1,3}}|[a-z]|[ivx]{{1,4}})[.)])(?=\s))
  | (?<![{_STOPS}])(?P<stop>[{_STOPS}]++)
    (?:(?<=[{_WIDE_STOPS}])(?!(?<=．)\d)|(?=(?:\[\w{{1,3}}\]|[{_CLOSERS}])*+(?:[ \xa0\u202f][»›])?+(?:\s|\Z)))
    (?P<close>(?:\[\w{{1,3}}\]|[{_CLOSERS}])*+(?:[ \xa0\u202f][»›])?+)
    """,
    re.VERBOSE,
)
_NEXT_WORD = re.compile(rf"\s*+[{re.escape(_OPENING)}]*+(\w{{1,24}}|\S|)")
_CONTINUES_QUOTE = ("、", "，", "と")  # 「はい。」と言った is one sentence

_LONGEST_CLIPPING = 3  # letters: an unknown word this short, before a period and a small letter, is abbreviated
_LIST_NUMBER = re.compile(r"\d{1,3}")
_AMOUNT = re.compile(r"[$€£¥₹]\d[\d.,]*|\d[\d.,]*[%°)\]]+")  # $3.50, 4.8%, (note 12): no date, no number of an item
_INITIALS = re.compile(r"[^\W\d_]{1,2}(?:\.[^\W\d_]{1,2})+|[^\W\d_]")  # j, u.s, ph.d


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Abbreviations that never end a sentence, those that belong to the number after them, and those that end one only
# before a word that likes to start one. English first, then the commonest of German, French, Spanish, Dutch, Russian.
_NEVER_LAST = _words(
    "mr mrs ms mx dr prof rev hon gen col maj capt lt sgt cmdr messrs mme mlle mm herr frau dott sig "
    "e.g eg i.e ie vs cf viz resp incl approx ca z.b d.h u.a i.d.r bzw vgl p.ej t.e т.е напр"
)
_BEFORE_NUMBER = _words(
    "no nos nr núm n° p pp pg s fig figs abb eq eqs sec sect ch chap vol vols art arts tab para app ver v "
    "op ed r c рис стр табл"
)
_SELDOM_LAST = _words(
    "inc ltd co corp llc plc bros jr sr sra st ste mt ft al etc esq dept est univ assn ave blvd rd "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun "
    "usw evtl ggf ud uds av env bijv enz г гг ул им др"
)
_CLIPPINGS = _BEFORE_NUMBER | _SELDOM_LAST
_STARTERS = _words(
    "the this that these those there then thus he she it we they you but and so if in on at as for from with when "
    "while after before however moreover therefore also although because since his her its our their my your one some "
    "many most all no yes not what why how who where which here now today to by der die das es er sie wir und aber "
    "le la les il elle nous ils mais el los las en pero"
)


def paragraph_spans(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    r"""The stretches of `text[start:end]` between blank lines, trimmed of white space.

    >>> paragraph_spans("one\ntwo\n\nthree")
    [(0, 7), (9, 14)]
    """
    body = text[start:end]
    return _trimmed(body, start, (found.end() for found in _BLANK_LINE.finditer(body)))


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """The sentences of `text[start:end]`, in order, trimmed of white space; together they hold every other character.

    A blank line always ends a sentence; so do the edges of a list item, a `#` heading and a table row (Markdown, CSV,
    cells between tabs or bars). Another single line break does not. Where it cannot tell, it keeps text together.

    >>> text = "Dr. Smith paid $5,120. He left."
    >>> [text[first:last] for first, last in sentence_spans(text)]
    ['Dr. Smith paid $5,120.', 'He left.']
    """
    body = text[start:end]
    return _trimmed(body, start, _breaks(body))


def _breaks(body: str) -> Iterator[int]:
    """Offsets between sentences, ascending."""
    opened = 0
    for found in _BREAK.finditer(body):
        if found["stop"] is not None:
            if not _ends_sentence(body, opened, found):
                continue
            opened = found.end()
        else:
            yield found.start()
            opened = found.start() if found["item"] is not None else found.end()
        yield opened


def _trimmed(body: str, shift: int, breaks: Iterator[int]) -> list[tuple[int, int]]:
    spans = []
    first = 0
    for last in (*breaks, len(body)):
        piece = body[first:last]
        if stripped := piece.strip():
            left = shift + first + len(piece) - len(piece.lstrip())
            spans.append((left, left + len(stripped)))
        first = last
    return spans


def _ends_sentence(body: str, opened: int, found: re.Match[str]) -> bool:
    """Whether the stop just matched, in the sentence that began at `opened`, really ends it."""
    stop = found["stop"]
    if stop[-1] in _WIDE_STOPS:
        return not (found["close"] and body.startswith(_CONTINUES_QUOTE, found.end()))
    after = _NEXT_WORD.match(body, found.end())
    following = after[1] if after else ""
    if not following:
        return True
    if stop == ".":
        # A slice of fixed length: a whole sentence of "e.g. e.g. e.g." would cost quadratic time.
        return _period_ends(body[max(opened, found.start() - 32) : found.start()], following)
    return not following[0].islower() and not (following[0].isdigit() and stop.endswith(("..", "…")))


def _period_ends(before: str, following: str) -> bool:
    """Whether a single period after the characters `before` and ahead of the word `following` is a full stop."""
    words = before.split()
    word = words[-1].lstrip(_OPENING).casefold() if words else ""
    if word in _NEVER_LAST or (word in _BEFORE_NUMBER and following[0].isdigit()):
        return False
    if _LIST_NUMBER.fullmatch(word) and (len(words) == 1 or words[-2].endswith(":")):  # "Thus: 1. Wash. 2. Dry."
        return False
    if following[0].islower() and not _AMOUNT.fullmatch(word):
        return len(word) > _LONGEST_CLIPPING and "." not in word and word not in _CLIPPINGS
    # Only a script that has capitals has initials: `upper` changes nothing in the others.
    initials = _INITIALS.fullmatch(word) and word.upper() != word
    return following.casefold() in _STARTERS or not (initials or word in _SELDOM_LAST)
