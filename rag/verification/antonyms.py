"""Antonyms: pairs of words, in any form, where one denies the other."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from indexes.terms.analyzer import analyze

_WORDS = """
increase rise risen rose raise grow grew grown gain climb expand more higher upward
    : decrease reduce fall fell fallen drop decline shrink shrank shrunk less fewer lower downward
gain win won : lose lost
allow permit authorise authorize : forbid forbidden forbade prohibit ban outlaw
accept approve grant admit : reject deny denied refuse decline
support favour favor endorse : oppose
include : exclude
open : close closed shut
enable activate : disable deactivate
minimum : maximum
required require mandatory compulsory obligatory obliged must : optional voluntary
pass passed succeed success : fail failed failure
start begin began begun : end finish stop stopped
create build built : destroy demolish
import : export
buy bought purchase : sell sold
arrive arrival enter entry : leave depart departure exit
hit : miss
love : hate
better best improve : worse worst worsen deteriorate
guilty convict : innocent acquit
"""
# Also in "-er" and "-est".
_ADJECTIVES = """
early : late latest
safe harmless : dangerous harmful
legal : illegal
possible : impossible
true correct right : false wrong
low : high
upper top : lower bottom
hot warm : cold cool
wet moist humid : dry
fast quick rapid : slow
short brief : long
large big great tall : small little tiny
heavy : light
strong : weak
rich : poor
cheap inexpensive free : expensive costly
hard difficult : easy simple
young new : old
full : empty
first : last
internal inner : external outer
left : right
north northern : south southern
east eastern : west western
public : private
male man : female woman
present : absent
interesting exciting : boring dull
good positive beneficial : bad negative
alive : dead
common frequent : rare
"""
# They count together with the content word behind them: when, where, and how many.
_BOUND = """
before : after
above over : below under
all every each everyone everything always most many often usually : few rarely seldom hardly scarcely
"""
BOUND = frozenset(_BOUND.replace(":", " ").split())

_COMPARED = re.compile(r"(?:er|est)$")  # colder, coldest
_DOUBLED = re.compile(r"([bdgnt])\1$")  # bigger: its base is "bigg"


@lru_cache(maxsize=50_000)
def sides(word: str) -> tuple[str, ...]:
    """The sides that a word in small letters stands on: the same with "+" and "-" before it are opposite.

    >>> sides("forbids"), sides("permitted"), sides("shorter")
    (('-allow/forbid',), ('+allow/forbid',), ('+short/long',))
    """
    stems = dict.fromkeys(analyze(word))
    found = [side for stem in stems for side in _table(_WORDS).get(stem, ())]
    if (base := _COMPARED.sub("", word)) != word:
        single = _DOUBLED.sub(r"\1", base)
        stems |= dict.fromkeys(analyze(f"{base} {base}e {single}"))
    return tuple(dict.fromkeys([*found, *(side for stem in stems for side in _table(_ADJECTIVES).get(stem, ()))]))


@cache
def bound_sides(word: str) -> tuple[str, ...]:
    """The sides of one of `BOUND`."""
    return tuple(side for stem in analyze(word) for side in _table(_BOUND).get(stem, ()))


@cache
def _table(lines: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\n\s+:", " :", lines.strip()).splitlines():
        one, other = line.split(":")
        name = f"{one.split()[0]}/{other.split()[0]}"
        for sign, words in (("+", one), ("-", other)):
            for stem in dict.fromkeys(analyze(words)):
                found.setdefault(stem, []).append(f"{sign}{name}")
    return found
