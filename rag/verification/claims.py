"""What the words of a claim alone reveal: its numbers, its names, and what it denies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from indexes.terms.quantities import Quantities, quantities
from rag.text.names import ProperName, proper_names, subject
from rag.text.words import numbers, stop_stems, words
from rag.verification.polarity import Polarity, polarity_of

# "COVID-19", "F-16", "B12": the number is part of a name.
_NUMBERED = re.compile(r"(?<!\w)([^\W\d_]+(?:-[^\W\d_]+)*)-?(\d+)(?!\w)")
_COUNTED = re.compile(
    r"(?<![\w.,-])(\d+|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[\s-]+([^\W\d_]{3,})", re.IGNORECASE
)
_TWICE = re.compile(r"\btwice\b", re.IGNORECASE)

_CODE_SPAN = re.compile(r"`+([^`\n]+)`+")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\bhttps?://[^\s<>()\"'`]+")
# Words that are written as only identifiers, options and files are: snake_case, camelCase, --option, os.path, src/a.py.
_IDENTIFIER = re.compile(
    r"""(?<![\w./@-])
    (?: --[a-z][\w-]+ | \w*[^\W_]_\w+ | [a-z]{2,}(?:[A-Z][a-z]+)+\d*
      | \w{2,}(?:\.[a-z_]\w*)+ | \w(?:\.[a-z_]{3,})+ | \w+(?:\.\w+)+(?=\()
      | (?=[\d./+~-]*[^\W\d])  # no date
        (?: ~?(?:/[\w.+-]*\w){2,} | (?:[\w.+-]+/){2,}[\w.+-]*\w | [\w.+-]+/[\w+-]+\.[A-Za-z]\w{0,3} ) )
    (?![\w/-]|\.\w)""",
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"^[\"'<{].*[\"'>}]$")  # what somebody else would name differently


@dataclass(frozen=True, slots=True)
class Assertion:
    """The parts of a text that decide whether another text says the same.

    Attributes:
        text: the text itself.
        terms: its content words, stemmed.
        exact: its numbers, dates and times, without what is part of a name.
        code: the words that it shows as code, identifiers, and addresses.
        numbered: names with a number, and their numbers.
        counted: what is counted in words ("nine days"), and the numbers.
        names: what it names inside a sentence; nothing for a title, where everything is capitalised.
        subject: the name that it may begin with.
        polarity: what it affirms and what it denies.
    """

    text: str
    terms: frozenset[str]
    exact: Quantities
    code: frozenset[str]
    numbered: Mapping[str, frozenset[str]]
    counted: Mapping[str, frozenset[str]]
    names: tuple[ProperName, ...]
    subject: ProperName | None
    polarity: Polarity


def assertion(text: str) -> Assertion:
    """What `text` asserts.

    Example:
        >>> from indexes.terms.quantities import Amount
        >>> found = assertion("In 2021 Anna did not lose her COVID-19 funds in Boston.")
        >>> [str(amount.value) for amount in found.exact.of(Amount)], dict(found.numbered)
        (['2021'], {'covid': frozenset({'19'})})
        >>> [name.text for name in found.names]
        ['Anna', 'COVID-19', 'Boston']
    """
    every = words(text)
    content = frozenset(word for word in every if word not in stop_stems())
    return Assertion(
        text=text,
        terms=content or frozenset(every),
        exact=quantities(text),
        code=code_words(text),
        numbered=numbered_names(text),
        counted=counted(text, digits=False),
        names=proper_names(text),
        subject=subject(text),
        polarity=polarity_of(text),
    )


def code_words(text: str) -> frozenset[str]:
    """What `text` shows as code, word by word, its identifiers and addresses: they stand in a source as they are.

    >>> sorted(code_words("Run `git commit -m 'message'`, set max_columns, or write to max@example.org."))
    ['-m', 'commit', 'git', 'max@example.org', 'max_columns']
    """
    shown = [word for span in _CODE_SPAN.findall(text) for word in span.split() if not _PLACEHOLDER.match(word)]
    found = [
        word.strip(".,;:").removesuffix("()") for word in (*shown, *_IDENTIFIER.findall(text), *_ADDRESS.findall(text))
    ]
    return frozenset(word.casefold() for word in found if any(map(str.isalnum, word)))


def numbered_names(text: str) -> dict[str, frozenset[str]]:
    """Names that a number is part of, and the numbers that each is seen with.

    >>> numbered_names("the F-16, and not the MIG-29")
    {'f': frozenset({'16'}), 'mig': frozenset({'29'})}
    """
    return _grouped((match[1].casefold(), match[2]) for match in _NUMBERED.finditer(text))


def counted(text: str, *, digits: bool) -> dict[str, frozenset[str]]:
    """What is counted, as a stem, and how many there are of it; without `digits` only where that is said in a word.

    >>> counted("five working days, 30 years", digits=False)
    {'work': frozenset({'5'})}
    """
    found = ((match[1], words(match[2])) for match in _COUNTED.finditer(_TWICE.sub("two times", text)))
    return _grouped(
        (stems[0], number)
        for many, stems in found
        if stems and (digits or not many.isdecimal())
        for number in numbers(many, spelled=True)
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, number in pairs:
        found.setdefault(name, set()).add(number)
    return {name: frozenset(several) for name, several in found.items()}
