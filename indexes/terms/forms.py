"""The forms by which a name can be found: those it shares with what people type for it.

Forms are derived from the normal form, so they are stored once for all documents that share a name, and can be rebuilt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from indexes.terms.analyzer import word_stems
from indexes.terms.names import normal

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?[+#]*")
_POSSESSIVE = re.compile(r"['’]s?$")
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_OPENING = re.compile(r"[(\[]")
_ADDRESS = re.compile(r"@|://|^www\.")  # of mail and of pages: nobody calls them by less
_ARTICLES = "a an the der die das le la les el los las il lo gli de het een"
_SMALL = "of and for in on at to by with from de la le du des der die das und et y e del di da the a an"
_LEGAL = (
    "inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh ag kg ohg mbh sa sas sarl srl spa nv "
    "bv ab oy as aps kk pty pte sro zrt kft ug ev cie ltda com net org"
)
_ARTICLE_WORDS, _SMALL_WORDS, _LEGAL_WORDS = (frozenset(each.split()) for each in (_ARTICLES, _SMALL, _LEGAL))
_MOST_WORDS = 12  # a longer value is a sentence, which nobody says a word of to mean it
_MOST_INITIALS = 6
_LONGEST = 200  # characters of a form


def words(text: str) -> list[str]:
    """The words of a name or a question in their normal form; signs part them, and only `+` and `#` belong to them.

    >>> words("Joe’s B-747, C++"), words("DAL Love_Field")
    (['joe', 'b', '747', 'c++'], ['dal', 'love', 'field'])
    """
    return [bare(word) for word in WORD.findall(normal(text))]


def bare(word: str) -> str:
    """A word without the ending of a possessive."""
    return _POSSESSIVE.sub("", word) or word


def stem(word: str) -> str:
    """What the forms of a word have in common: its English stem, in names of every language alike."""
    return "".join(word_stems(word)[:1]) or word


def key(stems: Sequence[str]) -> str:
    """Stems as they are looked up, in whatever order they were said."""
    return " ".join(sorted(stems))


def significant(parts: Sequence[str]) -> list[str]:
    """The words of a name without an article before and legal forms after it; never none.

    >>> significant(["the", "amazon", "com", "inc"]), significant(["limited"])
    (['amazon'], ['limited'])
    """
    start = 1 if len(parts) > 1 and parts[0] in _ARTICLE_WORDS else 0
    end = len(parts)
    while end > start + 1 and parts[end - 1] in _LEGAL_WORDS:
        end -= 1
    return list(parts[start:end])


def initials(parts: Sequence[str]) -> str:
    """The first letters of the words that count, "" for one word or very many.

    >>> initials(["united", "states", "of", "america"])
    'usa'
    """
    counted = [part for part in parts if part not in _SMALL_WORDS]
    return "".join(part[0] for part in counted) if 1 < len(counted) <= _MOST_INITIALS else ""


def forms(text: str) -> frozenset[str]:
    """What a name can be found by: in full by its stems, those that count, its letters in one and its initials, which
    have a sign before them; else by one of its words.

    >>> sorted(forms("The Pasta House"))
    ['=hous pasta', '=hous pasta the', '=pastahouse', '=thepastahouse', '^ph', 'hous', 'pasta']
    """
    every = words(text)
    found = set(_whole(every))
    counted = significant(words(_PARENTHESES.sub(" ", text)) if _OPENING.search(text) else every)
    if counted and counted != every:
        found.update(_whole(counted))
    if 1 < len(every) <= _MOST_WORDS and not _ADDRESS.search(normal(text)):
        found.update(stem(part) for part in every if part not in _SMALL_WORDS)
    return frozenset(form for form in found if form and len(form) <= _LONGEST)


def _whole(parts: Sequence[str]) -> Iterator[str]:
    if parts:
        yield f"={key([stem(part) for part in parts])}"
        yield f"={''.join(parts)}"
        if letters := initials(parts):
            yield f"^{letters}"
