"""Claims made by rule from a sentence: restatements, which are as true as it is, and errors, which are not."""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Iterator, Sequence

from rag.text.words import STOP_WORDS

_STOPS = frozenset(STOP_WORDS.split())
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-]|[.,]\w)")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}(?: [A-Z][a-z]{2,})*\b")
_WORD = re.compile(r"\b[a-z]{4,}\b")
_VERB = re.compile(r"\b(is|are|was|were|can|will|has|have|had|could|should|must|may)\b(?! not)")
_DENIED = re.compile(r"\b(is|are|was|were|can|will|has|have|had|could|should|must|may|did|does|do) not ")
_ASIDE = re.compile(r"\s*\([^()]*\)|\s*\[\d+\]")
_LEADING = re.compile(r"^((?:In|On|At|By|During|After|Before|Since|From|For|As of)\b[^,.]{3,40}), (\w[^.]*)\.$")
_FEW = re.compile(r"(?<![\w.,-])([2-9]|1[0-2])\b(?![.,-]?\w| ?%)")
_PARTS = re.compile(r"^(.{30,}?)(?:;|, (?:and|but|which|while|where|although)) ")
_IDENTIFIER = re.compile(r"(?<![\w./-])(?:--?[a-z][\w-]+|\w+(?:[_./]\w+)+|[a-z]+[A-Z]\w+)(?![\w/])")
_UNITS = """
seconds/minutes minutes/hours hours/days days/weeks weeks/months months/years metres/kilometres meters/kilometers
miles/kilometers feet/metres million/billion thousand/million dollars/euros grams/kilograms percent/degrees
"""
_MONTHS = tuple(calendar.month_name)[1:]
_SPELLED = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b")
_DATE_US = re.compile(rf"\b({'|'.join(_MONTHS)}) (\d{{1,2}}), (\d{{4}})\b")
_MARKS = ("- ", "* ", "1. ", "2. ", "• ", "(a) ", "Step 1: ", "Step 3: ", "Note: ", "Answer: ", "Yes, ", "No, ")
_FRAMES = ("According to the text, {}", "The passage says that {}", "It says: {}", "In short, {}", "{} (see above)")


_OPPOSITES = """
increase/decrease increased/decreased increases/decreases increasing/decreasing rise/fall rose/fell rising/falling
higher/lower high/low highest/lowest more/less most/least larger/smaller large/small largest/smallest bigger/smaller
longer/shorter long/short longest/shortest older/younger early/late earlier/later earliest/latest first/last
before/after above/below over/under inside/outside internal/external upper/lower north/south northern/southern east/west
eastern/western left/right front/back near/far win/lose won/lost winner/loser allow/forbid allowed/forbidden
allows/forbids accept/reject accepted/rejected accepts/rejects approved/rejected support/oppose supported/opposed
include/exclude included/excluded includes/excludes including/excluding open/close opened/closed enabled/disabled
enable/disable minimum/maximum required/optional success/failure successful/unsuccessful passed/failed start/end
started/ended begin/end began/ended beginning/end created/destroyed built/demolished import/export imported/exported
buy/sell bought/sold arrive/depart arrived/departed enter/leave entered/left guilty/innocent legal/illegal
possible/impossible true/false correct/wrong hot/cold warm/cool wet/dry fast/slow faster/slower strong/weak
stronger/weaker rich/poor cheap/expensive difficult/easy hard/easy new/old full/empty public/private male/female
present/absent positive/negative good/bad better/worse best/worst common/rare always/never often/rarely all/none
many/few everyone/nobody majority/minority active/inactive direct/indirect known/unknown safe/dangerous heavy/light
heavier/lighter major/minor same/different similar/different simple/complex single/multiple permanent/temporary
upward/downward gain/loss gained/lost profit/deficit love/hate loved/hated peace/war ancient/modern urban/rural
with/without
"""
_OPPOSITE: dict[str, list[str]] = {}
for _one, _other in (pair.split("/") for pair in _OPPOSITES.split()):
    _OPPOSITE.setdefault(_one, []).append(_other)
    _OPPOSITE.setdefault(_other, []).append(_one)


def restatements(sentence: str, chance: random.Random) -> list[str]:
    """Other ways to say what `sentence` says, or a part of it."""
    found = list(_restated(sentence))
    found.append(chance.choice(_MARKS[:8]) + sentence)
    is_plain = sentence.split(" ", 1)[0].casefold() in _STOPS
    lowered = sentence[0].lower() + sentence[1:] if is_plain else sentence
    found.append(chance.choice(_FRAMES).format(lowered))
    return [one for one in found if one != sentence]


def _restated(sentence: str) -> Iterator[str]:
    yield _ASIDE.sub("", sentence)
    if (found := _LEADING.match(sentence)) is not None:
        yield f"{found[2][0].upper()}{found[2][1:]} {found[1][0].lower()}{found[1][1:]}."
    if (found := _PARTS.match(sentence)) is not None:
        yield f"{found[1]}."
    yield _NUMBER.sub(_other_notation, sentence, count=1)
    yield re.sub(r"(\d) ?%", r"\1 percent", sentence)
    yield re.sub(
        r"(?<![\w.,-])([2-9]|1[0-2])\b(?![.,-]?\w| ?%)", lambda found: _SPELLED[int(found[1])], sentence, count=1
    )
    yield re.sub(r"\b(two|three|four|five|six|seven|eight|nine|ten)\b", lambda f: str(_SPELLED.index(f[1])), sentence)
    yield _DATE.sub(lambda f: f"{f[3]}-{_MONTHS.index(f[2]) + 1:02}-{int(f[1]):02}", sentence)
    yield _DATE_US.sub(lambda f: f"{f[2]} {f[1]} {f[3]}", sentence)


def _other_notation(found: re.Match[str]) -> str:
    plain = found[0].replace(",", "")
    if "." in plain or len(plain) < 5:
        return found[0]
    value = int(plain)
    if value % 100_000 == 0:
        return f"{value / 1e6:g} million"
    return plain if "," in found[0] else f"{value:,}"


def errors(sentence: str, passage: str, words: Sequence[str], chance: random.Random) -> list[tuple[str, bool]]:
    """False variants of `sentence`, and whether the passage contradicts each, or only does not say it."""
    found = [
        (renumbered(sentence, passage, chance), True),
        (renamed(sentence, passage, chance), False),
        (exchanged(sentence, chance), False),
        (reworded(sentence, passage, words, chance), False),
        (reworded(sentence, passage, words, chance), False),
        (denied(sentence), True),
        (turned(sentence, chance), True),
        (remeasured(sentence), True),
        (respelled(sentence, passage, chance), False),
    ]
    return [(claim, contradicts) for claim, contradicts in found if claim and claim not in passage]


def renumbered(sentence: str, passage: str, chance: random.Random) -> str:
    """With another number in the place of one, of the same passage half of the time."""
    numbers = list(_NUMBER.finditer(sentence))
    if not numbers:
        return ""
    found = chance.choice(numbers)
    plain = found[0].replace(",", "")
    elsewhere = [other for other in _NUMBER.findall(passage) if other not in sentence and len(other) == len(found[0])]
    other: str
    if elsewhere and chance.random() < 0.5:
        other = chance.choice(elsewhere)
    elif "." in plain:
        other = f"{float(plain) * chance.choice([0.5, 0.8, 1.3, 2]):.{len(plain.split('.')[1])}f}"
    else:
        step = max(1, int(plain) // 10) if len(plain) != 4 else chance.choice([1, 2, 4, 10, 30])
        other = str(int(plain) + chance.choice([-1, 1, 2, 3]) * step)
        other = f"{int(other):,}" if "," in found[0] else other
    return "" if other in sentence else sentence[: found.start()] + other + sentence[found.end() :]


def renamed(sentence: str, passage: str, chance: random.Random) -> str:
    """With a name of the same passage in the place of another."""
    own = list(_NAME.finditer(sentence))
    others = [name for name in set(_NAME.findall(passage)) if name not in sentence]
    if not own or not others:
        return ""
    found = chance.choice(own)
    return sentence[: found.start()] + str(chance.choice(sorted(others))) + sentence[found.end() :]


def exchanged(sentence: str, chance: random.Random) -> str:
    """With two of its names in each other's place."""
    own = list(dict.fromkeys(_NAME.findall(sentence)))
    if len(own) < 2:
        return ""
    one, other = chance.sample(own, 2)
    if f"{one} and {other}" in sentence or f"{other} and {one}" in sentence or one in other or other in one:
        return ""
    return re.sub(rf"\b(?:{one}|{other})\b", lambda found: other if found[0] == one else one, sentence)


def reworded(sentence: str, passage: str, words: Sequence[str], chance: random.Random) -> str:
    """With another word of like ending in the place of a content word, of the passage half of the time."""
    own = [found for found in _WORD.finditer(sentence) if found[0] not in _STOPS]
    if not own:
        return ""
    found = chance.choice(own)
    ending = found[0][-2:]
    near = [word for word in _WORD.findall(passage) if word not in _STOPS]
    pool = near if chance.random() < 0.4 else words
    others = [word for word in pool if word[-2:] == ending and word[:4] != found[0][:4] and word not in sentence]
    if not others:
        return ""
    return sentence[: found.start()] + chance.choice(others) + sentence[found.end() :]


def denied(sentence: str) -> str:
    """With a "not" more, or less."""
    if (found := _DENIED.search(sentence)) is not None:
        return sentence[: found.end(1)] + " " + sentence[found.end() :]
    return _VERB.sub(r"\1 not", sentence, count=1) if _VERB.search(sentence) else ""


def turned(sentence: str, chance: random.Random) -> str:
    """With the opposite of one of its words."""
    turned = []
    for found in re.finditer(r"\b[a-z]{3,}\b", sentence):
        turned += [sentence[: found.start()] + other + sentence[found.end() :] for other in _OPPOSITE.get(found[0], ())]
    return chance.choice(turned) if turned else ""


def remeasured(sentence: str) -> str:
    """With another unit behind a number."""
    for one, other in (pair.split("/") for pair in _UNITS.split()):
        if re.search(rf"\d\S* {one}\b", sentence):
            return re.sub(rf"\b{one}\b", other, sentence, count=1)
        if re.search(rf"\d\S* {other}\b", sentence):
            return re.sub(rf"\b{other}\b", one, sentence, count=1)
    return ""


def respelled(sentence: str, passage: str, chance: random.Random) -> str:
    """With an identifier, an option or a path that is not there in the place of one that is."""
    own = [found for found in _IDENTIFIER.finditer(sentence) if len(found[0]) > 3]
    if not own:
        return ""
    found = chance.choice(own)
    parts = re.split(r"([_./-]+)", found[0])
    elsewhere = sorted({part for name in _IDENTIFIER.findall(passage) for part in re.split(r"[_./-]+", name)} - {""})
    at = chance.choice([place for place, part in enumerate(parts) if part.strip("_./-")] or [0])
    others = [other for other in [*elsewhere, "frob", "extra", "index", "mode", "async"] if other not in found[0]]
    parts[at] = chance.choice(others)
    return sentence[: found.start()] + "".join(parts) + sentence[found.end() :]
