"""Which encoding from before Unicode a short text is in, by what its words look like in each of them.

Statistics over many words need many words; a note of one line has too few. What tells encodings apart there is whether
the letters are those that a language uses most, whether words keep to one script and case, and, where two bytes make a
character, whether the pairs are among those that the encoding keeps for everyday characters.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MOST = 2000  # bytes that are looked at
_BESIDE_WORDS = re.compile(r"(?<=[a-z])[^\x00-\x7f](?=[a-z])|(?<=[a-z])[^\x00-\x7f](?= )")
_LEAST_SCORE = 0.6
_WORD = re.compile(
    r"(?:[^\W\d_]|[\u05b0-\u05bd\u064b-\u0652\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])+"
)  # vowel signs included
_QUOTES = frozenset("«»„“”‚‘’–—…")
_MARKS = frozenset("•·°§©®№€£¥±×÷¿¡¼½¾²³µ") | _QUOTES
_INSIDE_WORDS = frozenset("’·")  # don’t, l·l
_QUOTE, _RARE, _MARK, _ALONE, _MIXED = (
    0.8,
    0.6,
    0.5,
    0.3,
    0.1,
)  # beside 1 for a common letter and 0 for what no text has


class _Alphabet(NamedTuple):
    """The letters of a script beyond ASCII: those in most words, and all."""

    common: frozenset[str]
    every: frozenset[str]
    is_latin: bool = False


def _alphabet(common: str, every: str, *, is_latin: bool = False) -> _Alphabet:
    return _Alphabet(frozenset(common), frozenset(common + every), is_latin)


def _span(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


_CYRILLIC = _alphabet("оеаинтсрвлкмдпу", _span("а", "я") + "ёіїєґў")
_GREEK = _alphabet("αοιετνσηρπκμλςυάέήίόύώ", _span("α", "ω") + "ϊϋΐΰ")
_HEBREW = _alphabet("יוהלאתרבמשנםחד", _span("א", "ת"))
_ARABIC = _alphabet("اليمنوتربهعدفسكحة", _span("ء", "ي") + "پچژگکی")
_THAI = _alphabet("านรอกเงวยมลสต่้ีิะ", _span("ก", "๛"))
_WESTERN = _alphabet("äöüßéèàçñáíóúêâîôåæøãõëïìòùûœþð", "ýÿšž", is_latin=True)
_CENTRAL = _alphabet("áéíóúýčďěňřšťůžąćęłńśźżöüőűäßş", "ľĺŕôâăîţșțđ", is_latin=True)
_TURKISH = _alphabet("şğıçöüâ", "îû", is_latin=True)
_BALTIC = _alphabet("āčēģīķļņšūžąęėįųõäöü", "", is_latin=True)

# With how far each is believed beside the others. Of equal ones the first is taken.
_OF_BYTES = (
    ("cp1252", _WESTERN, 1.0),
    ("cp1251", _CYRILLIC, 1.0),
    ("koi8-r", _CYRILLIC, 0.98),
    ("cp866", _CYRILLIC, 0.95),
    ("iso8859-5", _CYRILLIC, 0.9),
    ("cp1253", _GREEK, 1.0),
    ("cp1255", _HEBREW, 1.0),
    ("cp1256", _ARABIC, 1.0),
    ("cp874", _THAI, 1.0),
    ("cp1250", _CENTRAL, 0.98),
    ("iso8859-2", _CENTRAL, 0.97),
    ("cp1254", _TURKISH, 0.98),
    ("cp1257", _BALTIC, 0.95),
    ("cp850", _WESTERN, 0.95),
    ("mac-roman", _WESTERN, 0.95),
)


LATIN = frozenset(encoding for encoding, alphabet, _ in _OF_BYTES if alphabet.is_latin)
"""The encodings of languages with Latin letters, which differ in few of them: many words tell them apart better."""


class _Pairs(NamedTuple):
    """Where an encoding keeps its everyday characters: the first bytes of their pairs, and the least second one."""

    leads: frozenset[int]
    trail: int = 0xA1


_OF_PAIRS = (
    ("cp949", _Pairs(frozenset({0xA1, 0xA3, *range(0xB0, 0xC9)}))),  # first: Chinese and Japanese have all these pairs
    ("gb18030", _Pairs(frozenset({0xA1, 0xA3, *range(0xB0, 0xD8)}))),
    ("cp950", _Pairs(frozenset({0xA1, *range(0xA4, 0xC7)}), 0x40)),
    ("euc_jp", _Pairs(frozenset({0xA1, *range(0xA3, 0xA6), *range(0xB0, 0xD0)}))),
    ("cp932", _Pairs(frozenset({*range(0x81, 0x84), *range(0x88, 0x98)}), 0x40)),
)
_KOREAN_FROM = 4  # characters: fewer may be everyday ones of Chinese by chance


def legacy_encoding(data: bytes) -> str | None:
    """The encoding in which `data` reads best, or None where it reads well in none.

    >>> legacy_encoding("水泵在压力超过六巴时停止。".encode("gbk")), legacy_encoding("Größe".encode("cp1252"))
    ('gb18030', 'cp1252')
    >>> legacy_encoding("Привет".encode("koi8-r")), legacy_encoding(bytes([0xFF, 0xFE, 0x20, 0xC3]))
    ('koi8-r', None)
    """
    sample = data[:_MOST]
    scores = {encoding: belief * _score_bytes(sample, encoding, alphabet) for encoding, alphabet, belief in _OF_BYTES}
    scores |= {encoding: _score_pairs(sample, encoding, everyday) for encoding, everyday in _OF_PAIRS}
    best = max(scores, key=lambda encoding: scores[encoding])
    return best if scores[best] >= _LEAST_SCORE else None


def _score_bytes(data: bytes, encoding: str, alphabet: _Alphabet) -> float:
    """From 0 to 1, how well `data` reads in an encoding of a byte a character."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0
    points, count, has_words = 0.0, 0, False
    for start, end, is_word in _pieces(text):
        piece = text[start:end]
        if piece.isascii():
            continue
        foreign = [character for character in piece if not character.isascii()]
        count += len(foreign)
        if is_word:
            has_words = True
            is_counted = (
                text[start - 1 : start].isdigit() or text[end : end + 1].isdigit()
            )  # 5£ in another encoding: 5ú
            points += _score_word(piece, foreign, alphabet) * (_ALONE if is_counted else 1)
        else:
            points += sum(_score_mark(text, start + at) for at, sign in enumerate(piece) if not sign.isascii())
    if not has_words:
        points *= _RARE
    return points / count if count else 0


def _pieces(text: str) -> list[tuple[int, int, bool]]:
    """The words of a text and what is between them."""
    found, end = [], 0
    for word in _WORD.finditer(text):
        found += [(end, word.start(), False), (word.start(), word.end(), True)]
        end = word.end()
    return [*found, (end, len(text), False)]


def _score_word(word: str, foreign: list[str], alphabet: _Alphabet) -> float:
    lower = [character.lower() for character in foreign]
    points = sum(1 if letter in alphabet.common else _RARE if letter in alphabet.every else 0 for letter in lower)
    if not (word.islower() or word.isupper() or word[1:].islower() or word.lower() == word.upper()):
        points *= _ALONE  # upper case in the middle of a word
    if len(word) == 1:
        return points * _RARE
    if "þ" in lower[1:] or (lower[0] == "þ" and word[0].isascii()):
        points *= _RARE  # only begins words; in Turkish it is another letter
    has_ascii = len(foreign) < len(word)
    if alphabet.is_latin and not has_ascii:
        return points * _ALONE
    return points * _MIXED if has_ascii and not alphabet.is_latin else points


def _score_mark(text: str, at: int) -> float:
    if text[at] not in _MARKS:
        return 0
    is_inside = text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()
    if is_inside:
        return 1 if text[at] in _INSIDE_WORDS else 0
    return _QUOTE if text[at] in _QUOTES else _MARK


def _score_pairs(data: bytes, encoding: str, everyday: _Pairs) -> float:
    """From 0 to 1, how many of the characters beyond ASCII are everyday ones."""
    text = _decoded_up_to_a_cut(data, encoding)
    if text is None:
        return 0
    foreign = [character for character in text if not character.isascii()]
    pairs = [character.encode(encoding) for character in foreign]
    if not pairs or (encoding == "cp949" and len(pairs) < _KOREAN_FROM):
        return 0
    found = sum(len(pair) == 2 and pair[0] in everyday.leads and pair[1] >= everyday.trail for pair in pairs)  # noqa: PLR2004
    # A single pair, and one in a word, may be an accented letter and its neighbour.
    inside = sum(len(beside) for beside in _BESIDE_WORDS.findall(text))
    return max(found - inside * _MARK, 0) / len(pairs) * (1 if len(pairs) > 1 else _MARK)


def _decoded_up_to_a_cut(data: bytes, encoding: str) -> str | None:
    """The text of the sample, which may end in the middle of a character; None where it is not in this encoding."""
    for end in (len(data), len(data) - 1):
        try:
            return data[:end].decode(encoding)
        except UnicodeDecodeError:
            if len(data) < _MOST:
                break
    return None
