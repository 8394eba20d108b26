"""Who did what to whom, as far as the words of a text tell: "was done by them", and the two sides of "than"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile, islice, takewhile

from rag.verification.polarity import CLAUSE_END, WORD, content, in_words

_BE = in_words("is are was were be been being get gets got")
_NO_VERB_AFTER = _BE | in_words("a an the its their his her this that of in by")
_NEAR = 6  # words before and behind a verb
_MOST_DEEDS = 50  # of a clause are compared: time stays bounded
_ARTICLES = in_words("a an the its their his her this that these those")
_AUXILIARIES = in_words("has have had will would can could may might must shall should do does did also then")
# In other languages the object may come first: "los gastos los paga el cliente". One of the first tells English, or two
# of the second.
_ENGLISH = in_words("the and from with their its this that these those for by")
_PERHAPS_ENGLISH = in_words("of as after on")
# What one does to another, the other does to it as well.
_SYMMETRIC = frozenset(
    stem
    for word in in_words("marry married meet met border resemble equal match adjoin join touch face fight fought play")
    for stem in content(word)
)
_PREPOSITIONS = in_words("in at on for with to from during of under over after before since until than as")


@dataclass(frozen=True, slots=True)
class Passive:
    """Of "it was done to us by them": the verb, the stems of the agent, of what is done, and all others."""

    verb: str
    agents: frozenset[str]
    patients: frozenset[str]
    others: frozenset[str]


@dataclass(frozen=True, slots=True)
class Active:
    """A clause without a "by" agent: its content words in order, and whether each may be a verb."""

    stems: tuple[str, ...]
    may_be_verb: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """A word that may be a verb, and the stems of the nouns directly before and after it."""

    verb: str
    subject: frozenset[str]
    object: frozenset[str]

    def is_reverse_of(self, other: Deed) -> bool:
        """Whether the subject of one is the object of the other, and the reverse."""
        if self.verb != other.verb:
            return False
        subject, its_object = self.subject - self.object, other.object - other.subject
        object_, its_subject = self.object - self.subject, other.subject - other.object
        return bool(subject & its_object and object_ & its_subject) and not (
            subject & its_subject or object_ & its_object
        )


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles in a text: those of its last passive clause and comparison, its active clauses, and who does what."""

    passive: Passive | None
    comparison: tuple[frozenset[str], frozenset[str]] | None
    actives: tuple[Active, ...]
    deeds: tuple[Deed, ...]


@lru_cache(maxsize=1_000)
def roles(text: str) -> Roles:
    """The roles in `text`, by its words alone.

    >>> roles("Geese are hunted by foxes.").passive
    Passive(verb='hunt', agents=frozenset({'fox'}), patients=frozenset({'gees'}), others=frozenset())
    """
    passive: Passive | None = None
    comparison: tuple[frozenset[str], frozenset[str]] | None = None
    actives, deeds = [], list[Deed]()
    every = frozenset(WORD.findall(text.casefold()))
    is_english = not every.isdisjoint(_ENGLISH) or len(every & _PERHAPS_ENGLISH) > 1
    for clause in CLAUSE_END.split(text.casefold()):
        tokens = WORD.findall(clause)
        passive = _passive(tokens) or passive
        if "than" in tokens:
            place = tokens.index("than")
            comparison = _contents(tokens[: max(0, place - 1)]), _contents(tokens[place + 1 :])
        if is_english:
            deeds += islice(_deeds(tokens), _MOST_DEEDS)
        if "by" not in tokens:
            actives.append(_active(tokens))
    return Roles(passive, comparison, tuple(actives), tuple(deeds))


def are_swapped(one: Roles, other: Roles) -> bool:
    """Whether the two sides of a comparison, or who did it and to whom it was done, change places.

    >>> are_swapped(roles("The pupil was praised by the teacher."), roles("The pupil praised the teacher."))
    True
    """
    if one.comparison and other.comparison:
        (left, right), (its_left, its_right) = one.comparison, other.comparison
        return bool(left & its_right and right & its_left) and not right & its_right
    if one.passive and other.passive:
        return (
            one.passive.verb == other.passive.verb
            and bool(one.passive.agents & other.passive.patients and one.passive.patients & other.passive.agents)
            and not one.passive.agents & other.passive.agents
        )
    return (
        _is_done_to(one.passive, other.actives)
        or _is_done_to(other.passive, one.actives)
        or any(mine.is_reverse_of(its) for mine in one.deeds for its in other.deeds)
    )


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


def _deeds(tokens: Sequence[str]) -> Iterator[Deed]:
    for place in range(1, len(tokens) - 1):
        verb = content(tokens[place])
        if not verb or not _SYMMETRIC.isdisjoint(verb) or tokens[place - 1] in _NO_VERB_AFTER:
            continue
        before = dropwhile(_AUXILIARIES.__contains__, reversed(tokens[max(0, place - _NEAR) : place]))
        behind = tokens[place + 1 : place + 1 + _NEAR]
        behind = behind[behind[0] in _ARTICLES :]
        subject = _contents(takewhile(lambda token: bool(content(token)), before))
        object_ = _contents(takewhile(lambda token: bool(content(token)), behind))
        if subject and object_:
            yield Deed(verb[0], subject, object_)


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
