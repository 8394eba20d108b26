"""Finds the citation marks in an answer, in every form that models write, and nothing that only looks like one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

# What a source is called in a mark. Prose needs the whole word, brackets take the short ones too.
_NAMES = (
    r"sources?|documents?|passages?|references?|quellen?|dokumente?|fuentes?|documentos?|fontes?|источник[аиу]?|"
    r"来源|來源|文档|文件|資料|出典|ソース|출처"
)
_SHORT_NAMES = r"src|docs?|refs?|sec|s|d"
_NUMBER = r"\d{1,9}"
_SEPARATOR = r"\s*(?:,|;|/|&|、|，|\band\b|\bund\b|\by\b|\bet\b|-|–|—|~|\bto\b)\s*"
_PREFIX = rf"(?:(?:{_NAMES}|{_SHORT_NAMES})\.?[\s_-]*)?[:\#^№]?\s*"
_LIST = rf"{_NUMBER}(?:{_SEPARATOR}{_PREFIX}{_NUMBER})*"
_PLACE = r"(?:\s*[,:]\s*(?:p|pp|pages?|l|ll|lines?|§|sec|section)\b\.?[^\]\n]{1,20})?"
_SAYS = r"says|said|states?|notes?|mentions?|reports?|explains?|confirms?|shows?|describes?|indicates?|adds?"
_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"

_NAME = rf"(?:{_NAMES}|{_SHORT_NAMES})\.?[\s_-]*"
_OPEN, _CLOSE = r"(?:\[\[?|【|［|〔)", r"(?:\]\]?|】|］|〕)"
_SEE = r"(?:see|cf\.?|from|siehe|voir)"
_TITLE = r"\s*[:|,–—-]\s*[^\]】］\n]{1,80}"
_ATTRIBUTION = r"(?:according\s+to|as\s+(?:per|(?:\w+\s+)?(?:in|by))|per|laut|selon|según)\s+"

# Every shape in one expression: the first that matches at a place wins. Groups named n_… hold the numbers.
_MARK = re.compile(
    rf"""
    (?P<bracket>[ \t]*(?:<sup>)?(?P<bold>\*\*)?{_OPEN}\s*{_PREFIX}(?P<n_bracket>{_LIST})
        (?:†[^\]】\n]*|{_PLACE})\s*{_CLOSE}(?(bold)\*\*)(?:</sup>)?)
  | (?P<titled>[ \t]*{_OPEN}{_NAME}\#?(?P<n_titled>{_NUMBER}){_TITLE}{_CLOSE})
  | (?P<named>[ \t]*[(（<](?:{_SEE}\s+)?{_NAME}[:\#№]?\s*\[?(?P<n_named>{_LIST})\]?{_PLACE}\s*[)）>])
  | (?P<cite>[ \t]*\\cite[pt]?\{{(?P<n_cite>{_LIST})\}})
  | (?P<superscript>(?<=\S)(?P<n_superscript>[{_SUPERSCRIPTS}]{{1,3}}(?:[, ˒⁻][{_SUPERSCRIPTS}]{{1,3}})*)(?![\w⁺⁻]))
  | (?P<tag>[ \t]*<(?P<sup>sup>)?(?P<n_tag>{_LIST})(?(sup)</sup)>)
  | (?P<bare>(?:(?<=\S)[ \t]+|(?<=[.!?。！？])|(?=（))[(（](?P<n_bare>{_LIST})[)）]
        (?=\s*(?:[.,;:!?。，！？|]|$|\n|[(（\[])))
  | (?P<prose>\b{_ATTRIBUTION}(?:the\s+)?(?P<name>{_NAMES})\s*[\#№]?(?P<n_prose>{_LIST})(?!\w|[.,]\d)\s*,?)
  | (?P<subject>(?:\bthe\s+)?(?<!\w)(?P<noun>{_NAMES})\s*[\#№]?(?P<n_subject>{_LIST})(?!\w|[.,]\d)
        (?:\s+(?:{_SAYS})(?:\s+that)?\b)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_RANGE = re.compile(rf"(\d+)\s*(?:-|–|—|~|\bto\b)\s*{_PREFIX}(\d+)|(\d+)", re.IGNORECASE)
_TO_DIGITS = str.maketrans(_SUPERSCRIPTS + "⁻", "0123456789-")
_TO_SUPERSCRIPTS = str.maketrans("0123456789", _SUPERSCRIPTS)

_SURE = {"bracket", "titled", "named", "cite", "prose", "subject"}  # marks that are nothing else
_CODE = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`|\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)"
    r"|(?<![\w$\\])\$(?=[^\s$])[^$\n]{0,200}?(?<=[^\s$])\$(?!\d)",
    re.DOTALL,
)
_LINKED = re.compile(r"\([^\s()]*\)|:\s*(?:<|https?:|www\.)")
_INDEXES = re.compile(r"[.=\[(]\w|\s*(?:=(?!\s*\d{4})|\+=|-=)")
_IDENTIFIER = re.compile(r"(?<![^\W_])[A-Za-z_](?:[\w.]*\w)?\Z", re.ASCII)
_CONTAINERS = re.compile(
    r"arg[sv]?|arr(?:ay)?s?|buf|col(?:umn)?s?|data|df|dict|idx|items?|keys|lines?|lists?|matrix|obj|out|params?|results?|"
    r"rows?|self|str|string|tuple|values|vec|vector|words|xs",
    re.IGNORECASE,
)
_INTERVAL = re.compile(r"(?:\b(?:range|ranges|interval|intervals|between|set)\s*(?:of\s*)?|[∈=≤<]\s*)\Z", re.IGNORECASE)
# Bare numbers in parentheses after these words, or after a number, are the text's own.
_COUNTED = re.compile(
    r"(?:\b(?:steps?|equations?|eqs?|tables?|figures?|figs?|options?|items?|sections?|questions?|phases?|types?|"
    r"articles?|art|clauses?|paragraphs?|para|notes?|numbers?|no|rules?|parts?|levels?|chapters?|class|grade|case|"
    r"version|one|two|three|four|five|six|seven|eight|nine|ten|and|or|the|a)\.?|[:;,§=+*/<>-]|(?<!\d{3})\d)\Z",
    re.IGNORECASE,
)
_WORD_END = re.compile(r"[^\W\d_]{3}\Z")
_POWERS = re.compile(
    r"\b(?:sin|cos|tan|log|exp|mile|miles|inch|inches|feet|foot|yard|yards|metre|metres|meter|meters|sec)\Z",
    re.IGNORECASE,
)

_ENDS = tuple(".,;:!?)\"'”’»。，！？）")
_PROSE = frozenset({"prose", "subject"})
_LONGEST_RANGE = 20
_OWN_REFERENCE = 24  # characters before a mark that must stand in a source for it to be the source's own
_FEWEST_QUOTED = 8  # and how many there must be at least
_YEARS = range(1000, 2200)


@dataclass(frozen=True, slots=True)
class FoundMark:
    """A citation mark: `answer[start:end]`, its numbers written in `answer[first:last]`.

    `prose` ones ("according to source 2,") are part of the sentence; the others can be taken out of it.
    """

    start: int
    end: int
    first: int
    last: int
    numbers: tuple[int, ...]
    prose: bool = False
    raised: bool = False

    def digits(self, numbers: Sequence[int]) -> str:
        """What is written between `first` and `last` where the mark has these numbers instead of its own."""
        text = ", ".join(map(str, dict.fromkeys(numbers)))
        return text.replace(", ", " ").translate(_TO_SUPERSCRIPTS) if self.raised else text


def find_marks(answer: str, sources: Mapping[int, str] | None = None) -> list[FoundMark]:
    """The citation marks of `answer`, in order.

    Square brackets are marks whatever the number, so that a wrong one is caught. What is ambiguous, as "(2)" or
    "word²", is a mark only where it names one of `sources` (number → text) and the answer has no sure one. References
    inside a text quoted from a source, indexes in code, links, years and formulae are none.

    Example:
        >>> [mark.numbers for mark in find_marks("Red [1, 2]. As a[1] in 2024, see [3](url).【4】")]
        [(1, 2), (4,)]
        >>> [mark.numbers for mark in find_marks("It is red (1) (in 2024).", {1: "Red."})]
        [(1,)]
    """
    sources = sources or {}
    code = code_spans(answer)
    flat = [" ".join(source.split()) for source in sources.values()]
    found = [match for match in _matches(answer, code) if not _is_quoted(answer, match, flat)]
    sure = [match for match in found if match.lastgroup in _SURE]
    chosen = sure if any(match.lastgroup not in _PROSE for match in sure) else found
    return [mark for match in chosen if (mark := _mark(answer, match, sources)) is not None]


def code_spans(answer: str) -> list[tuple[int, int]]:
    """The stretches of `answer` that are code or formulae, in order."""
    return [match.span() for match in _CODE.finditer(answer)]


def _matches(answer: str, code: Sequence[tuple[int, int]]) -> Iterator[re.Match[str]]:
    spans = iter([*code, (len(answer) + 1, len(answer) + 1)])
    start, end = next(spans)
    for match in _MARK.finditer(answer):
        while end <= match.start():
            start, end = next(spans)
        if not start <= match.start() < end:
            yield match


def _is_quoted(answer: str, match: re.Match[str], flat: Sequence[str]) -> bool:
    """Whether the mark is a reference of the source itself, copied with the words before it."""
    before = " ".join(answer[max(0, match.start() - _OWN_REFERENCE) : match.start()].split())
    quoted = " ".join(answer[max(0, match.start() - _OWN_REFERENCE) : match.end()].split())
    return len(before) >= _FEWEST_QUOTED and any(quoted in source for source in flat)


def _mark(answer: str, match: re.Match[str], known: Collection[int]) -> FoundMark | None:
    shape = match.lastgroup or ""
    numbers = tuple(dict.fromkeys(_numbers(match[f"n_{shape}"].translate(_TO_DIGITS))))
    before, after = answer[max(0, match.start() - 40) : match.start()], answer[match.end() : match.end() + 200]
    exist = bool(numbers) and all(number in known for number in numbers)
    if 0 in numbers or not _ACCEPTS[shape](before, match, after, exist):
        return None
    if len(numbers) == 1 and numbers[0] in _YEARS and not exist:
        return None
    first, last = match.span(f"n_{shape}")
    return FoundMark(match.start(), match.end(), first, last, numbers, shape in _PROSE, shape == "superscript")


def _is_bracket(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    """Whether it is no link, no index of an array and no interval of numbers."""
    del exist
    if (before.endswith("!") and after.startswith("(")) or _LINKED.match(after) or _INTERVAL.search(before):
        return False
    named = None if match.group()[0] in " \t" else _IDENTIFIER.search(before)
    if named is None:
        return True
    name = named.group()
    code = len(name) == 1 or _CONTAINERS.fullmatch(name) or not name.isalpha() or not name[1:].islower()
    return not code and not _INDEXES.match(after)


def _is_superscript(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    """Whether it is no power: it names a source, after a whole word or a stop."""
    del match, after
    word = _WORD_END.search(before) and not _POWERS.search(before)
    return exist and bool(word or before.endswith(_ENDS))


def _is_bare(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    """Whether it names a source and is no number of the text's own, as in "step (1)"."""
    del match, after
    return exist and not _COUNTED.search(before)


def _is_prose(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    """Whether it names a source, as anything but "source 7" only does where there is such a one."""
    del before, after
    return exist or (match["name"] or match["noun"]).casefold().startswith(("source", "quelle", "fuente", "来源"))


def _is_any(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    del before, match, after, exist
    return True


def _exists(before: str, match: re.Match[str], after: str, exist: bool) -> bool:
    del before, match, after
    return exist


_ACCEPTS: Mapping[str, Callable[[str, re.Match[str], str, bool], bool]] = {
    "bracket": _is_bracket,
    "titled": _is_any,
    "named": _is_any,
    "cite": _is_any,
    "superscript": _is_superscript,
    "tag": _exists,
    "bare": _is_bare,
    "prose": _is_prose,
    "subject": _is_prose,
}


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for match in _RANGE.finditer(text):
        if match[3]:
            found.append(int(match[3]))
            continue
        first, last = int(match[1]), int(match[2])
        wide = not 0 <= last - first <= _LONGEST_RANGE
        found += [first, last] if wide else range(first, last + 1)
    return found
