"""Who did it and to whom, where the words of a text tell: "was done by them", and the two sides of "than"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from rag.stance import CLAUSE_END, WORD, content, in_words

_BE = in_words("is are was were be been being get gets got")
_NO_VERB_AFTER = _BE | in_words("a an the its their his her this that of in by")
_PREPOSITIONS = in_words("in at on for with to from during of under over after before since until than as")


@dataclass(frozen=True, slots=True)
class Passive:
    """Of "it was done to us by them": the verb, the stems those by whom, what is done, and all others."""

    verb: str
    agents: frozenset[str]
    patients: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class Active:
    """A clause that nobody is said to have done "by": its content words in order, and whether each may be a verb."""

    stems: tuple[str, ...]
    may_be_verb: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles in a text: those of its last passive clause and comparison, and its active clauses."""

    passive: Passive | None
    comparison: tuple[frozenset[str], frozenset[str]] | None
    actives: tuple[Active, ...]


@lru_cache(maxsize=1_000)
def roles(text: str) -> Roles:
    """The roles in `text`, by its words alone.

    >>> roles("Geese are hunted by foxes.").passive
    Passive(verb='hunt', agents=frozenset({'fox'}), patients=frozenset({'gees'}), others=frozenset())
    """
    passive: Passive | None = None
    comparison: tuple[frozenset[str], frozenset[str]] | None = None
    actives = []
    for clause in CLAUSE_END.split(text.casefold()):
        tokens = WORD.findall(clause)
        passive = _passive(tokens) or passive
        if "than" in tokens:
            place = tokens.index("than")
            comparison = _contents(tokens[: max(0, place - 1)]), _contents(tokens[place + 1 :])
        if "by" not in tokens:
            actives.append(_active(tokens))
    return Roles(passive, comparison, tuple(actives))


def are_swapped(one: Roles, other: Roles) -> bool:
    """Whether the two sides of a comparison, or who did it and to whom it was done, change places.

    >>> are_swapped(roles("The pupil was praised by the teacher."), roles("The pupil praised the teacher."))
    True
    """
    if one.comparison and other.comparison:
        (left, right), (its_left, its_right) = one.comparison, other.comparison
        return bool(left & its_right and right & its_left) and not (left & its_left or right & its_right)
    if one.passive and other.passive:
        return (
            one.passive.verb == other.passive.verb
            and bool(one.passive.agents & other.passive.patients and one.passive.patients & other.passive.agents)
            and not one.passive.agents & other.passive.agents
        )
    return _is_done_to(one.passive, other.actives) or _is_done_to(other.passive, one.actives)


def _is_done_to(passive: Passive | None, actives: Iterable[Active]) -> bool:
    """Whether in an active clause it is done to those by whom it was done."""
    if passive is None:
        return False
    for active in actives:
        for place, stem in enumerate(active.stems):
            if stem != passive.verb or not active.may_be_verb[place]:
                continue
            before, after = frozenset(active.stems[:place]), frozenset(active.stems[place + 1 :])
            if not passive.agents & after or passive.agents & before:
                continue
            if passive.others & before or (passive.patients & before and not passive.patients & after):
                return True
    return False


def _passive(tokens: Sequence[str]) -> Passive | None:
    be = next((place for place, token in enumerate(tokens) if token in _BE), len(tokens))
    if "by" not in tokens[be:]:
        return None
    by = tokens.index("by", be)
    done = [token for token in tokens[be:by] if content(token) and not token.endswith("ly")]
    agents = list(takewhile(lambda token: token not in _PREPOSITIONS, tokens[by + 1 :]))
    if not done or not _contents(agents):
        return None
    return Passive(
        verb=content(done[0])[0],
        agents=_contents(agents),
        patients=_contents(tokens[:be]),
        others=_contents([*done[1:], *tokens[by + 1 + len(agents) :]]),
    )


def _active(tokens: Sequence[str]) -> Active:
    found = [
        (stem, before not in _NO_VERB_AFTER)
        for before, token in zip(["", *tokens], tokens, strict=False)
        for stem in content(token)
    ]
    return Active(tuple(stem for stem, _ in found), tuple(may_be_verb for _, may_be_verb in found))


def _contents(tokens: Iterable[str]) -> frozenset[str]:
    return frozenset(stem for token in tokens for stem in content(token))
