"""Follow-up questions: rewrites "and in winter?" to stand alone before the search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.llm.base import Complete
from rag.prompting.prompt import Message, Turn
from rag.query.query import Query
from rag.text.names import names_in
from rag.text.words import STOP_WORDS, numbers, terms

_TURNS = 3  # that the LLM is shown
_CLIPPED = 400  # characters of an answer
_TOKENS = 96
_LONGEST = 400
_FEW = 2  # content words: with no more, a question hardly stands alone after another one
_MOST_CARRIED = 8  # names and words of the last question
_MOST_ANSWERED = 4  # names of its answer
_KEPT = 0.5  # of the content words of a follow-up that its rewriting has still

_LEANS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|that|these|those|there|then|one|ones|"
    r"the (?:same|former|latter|other|others|first|second|last))\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"^\s*(?:and|or|but|(?:what|how) about)\b|\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"^\s*(?:and|or|but|so|also|what about|how about|what if|why|how come|why not)\b", re.IGNORECASE)
_LABEL = re.compile(r"^\W*(?:rewritten )?question\W*:\W*", re.IGNORECASE)
_WORD = re.compile(r"[\w'’-]+")
_STOP = frozenset(STOP_WORDS.split())


@dataclass(frozen=True, slots=True)
class Standalone:
    """A question that can be understood without its conversation.

    Attributes:
        text: the question; as it was asked where it stood alone already.
        by: who rewrote it: `llm`, `words` (what the questions before were about was added), or empty for nobody.
        words: where words did it, those alone, without what only makes a sentence of them.
    """

    text: str
    by: str = ""
    words: str = ""

    @property
    def query(self) -> str:
        """What is searched for: "and what about those?" resembles any question, and no passage."""
        return self.words or self.text


def stand_alone(question: str, turns: Sequence[Turn], complete: Complete | None = None) -> Standalone:
    """`question`, made to stand alone after `turns`, by the LLM where there is one that writes.

    What a model makes of it must have most of its words and all of its numbers; else the words do it.

    Example:
        >>> turns = [Turn("How long do refunds take?", "14 days.")]
        >>> stand_alone("And for gift cards?", turns)
        Standalone(text='And for gift cards? (long, refunds, take)', by='words', words='long refunds take gift cards')
        >>> stand_alone("Who founded the company in Zurich?", turns)
        Standalone(text='Who founded the company in Zurich?', by='', words='')
    """
    if not turns or not leans(question):
        return Standalone(question)
    if complete is not None:
        written = complete(_messages(question, turns), _TOKENS)
        line = next((line for line in map(str.strip, written.splitlines()) if line), "")
        rewritten = _LABEL.sub("", line).strip(" \"'*")[:_LONGEST]
        if _keeps(rewritten, question):
            return Standalone(rewritten, "llm" if rewritten != question else "")
    carried = _carried(question, turns)
    if not carried:
        return Standalone(question)
    return Standalone(f"{question} ({', '.join(carried)})", "words", " ".join([*carried, *_content(question)]))


def leans(question: str) -> bool:
    """Whether a question leans on what was said before it.

    One that names what it is about does not, whatever points back behind the name: "Was Dali close to his father?"

    Example:
        >>> [leans(text) for text in ("Why is that?", "How long do refunds take in Switzerland?", "And in winter?")]
        [True, False, True]
    """
    named = min((question.find(name, 1) for name in names_in(question[1:])), default=None)
    if named is not None:
        back = _POINTS_BACK.search(question)
        return back is not None and back.start() < named
    return bool(_LEANS.search(question) or _GOES_ON.search(question)) or len(_content(question)) <= _FEW


def _carried(question: str, turns: Sequence[Turn]) -> list[str]:
    """What the last question was about and what the answer named, as far as this one does not say it.

    That are the names and the other content words of the one, and the names of the other.
    """
    before = turns[-1]
    have = frozenset(Query.of(question).terms)
    names = [name for name in Query.of(before.question).names if not have.issuperset(terms(name))]
    named = have.union(*map(terms, names))
    words = [word for word in _content(before.question) if not named.issuperset(terms(word))]
    named |= frozenset(term for word in words for term in terms(word))
    told = dict.fromkeys(names_in(before.answer) if before.answered else ())
    answered = [name for name in told if not named.issuperset(terms(name))]
    return list(dict.fromkeys([*names, *words]))[:_MOST_CARRIED] + answered[:_MOST_ANSWERED]


def _content(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word.casefold() not in _STOP]


def _messages(question: str, turns: Iterable[Turn]) -> list[Message]:
    said = "\n".join(
        f"User: {turn.question}\nAssistant: {' '.join(turn.answer.split())[:_CLIPPED]}"
        for turn in list(turns)[-_TURNS:]
    )
    system = (
        "Rewrite the user's last question so that it can be understood without the conversation: put in the names of "
        "what it refers to. Answer with the rewritten question alone. Do not answer it."
    )
    return [Message("system", system), Message("user", f"{said}\n\nLast question: {question}\nRewritten question:")]


def _keeps(rewritten: str, question: str) -> bool:
    """Whether a rewriting is the same question still: a small model may answer it, or ask another one."""
    mine, theirs = set(terms(" ".join(_content(question)))), set(terms(rewritten))
    if not rewritten or not Query.of(question).numbers <= numbers(rewritten):
        return False
    return len(mine & theirs) >= _KEPT * len(mine) and rewritten.rstrip().endswith(("?", "？", "؟", "."))
