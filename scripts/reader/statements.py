"""Claims made of questions and their answers: "Who wrote it?", "Jane Roe" → "Jane Roe wrote it".

They say what a passage says in words that people chose for a question, which a sentence taken from it never does.
"""

from __future__ import annotations

import re

_INVERTED = re.compile("did|do|does|can|could|will|would|should|has|have|had|may|might|must")
_BE = "is|are|was|were"
# Words that a question ends with whose answer belongs behind them: "What is it known for".
_LEFT_OPEN = re.compile(
    "about|after|as|at|be|by|called|do|during|for|from|have|in|into|known|like|made|mean|named|of|off|on|out|over|than|"
    "to|under|up|used|with|without"
)
_SUBJECT = re.compile(r"(?:who|what) (\S+) (.+)", re.IGNORECASE)
_VERB = re.compile(rf"{_BE}|\w+(?:ed|es|s)|wrote|sang|won|led|made|gave|played|began|became|took|held|lost|built|sold")
_KIND = re.compile(
    rf"(?:what|which) [^,]+? ((?:{_BE}) (?:\w+ed|\w+en|known|made|built|in|at|on|of|the) .+)", re.IGNORECASE
)
_COUNT = re.compile(r"(how (?:many|much) (.+))", re.IGNORECASE)
_WHEN = re.compile(
    rf"(?:(when|where)|(?:in |on )?(?:what|which) (year|date|month|day|city|country|state|place|location)) ({_BE}) "
    r"(.+?) "
    r"(\w+ed|born|built|made|known|held|found|written|sold|sent|taken|given|shown|seen|held|won|lost|begun|chosen)"
    r"( .*)?",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|from|during|after|before|between|near|around|about|since|until) ", re.IGNORECASE
)
_NUMBER_FIRST = re.compile(
    r"\D{0,12}\d|\w+(?:teen|ty|hundred|thousand|million|billion)\b|(?:two|three|four|five|six)\b"
)


def statement(question: str, answer: str) -> str:
    """What is said by `answer` where it answers `question`; empty where the order of words does not show it."""
    asked = " ".join(question.strip().rstrip("? .").split())
    answer = answer.strip().rstrip(".")
    if (found := _WHEN.fullmatch(asked)) is not None:
        link = "" if _PREPOSITION.match(answer) else f"{_link(found[1] or found[2], answer)} "
        return _sentence(f"{found[4]} {found[3].lower()} {found[5]}{found[6] or ''} {link}{answer}")
    if (found := _COUNT.fullmatch(asked)) is not None:
        is_open = any(_INVERTED.fullmatch(word.lower()) for word in found[2].split())
        return "" if is_open or not _NUMBER_FIRST.match(answer) else _sentence(f"{answer} {found[2]}")
    if _is_left_open(asked):
        return ""
    if (found := _SUBJECT.fullmatch(asked)) is not None and _says_on(found[1].lower()):
        return _sentence(f"{answer} {found[1].lower()} {found[2]}")
    if (found := _KIND.fullmatch(asked)) is not None:
        return _sentence(f"{answer} {found[1]}")
    return ""


def _says_on(verb: str) -> bool:
    """Whether what follows "who" is a verb that the answer can stand before."""
    return _INVERTED.fullmatch(verb) is None and _VERB.fullmatch(verb) is not None


def _is_left_open(asked: str) -> bool:
    """Whether the place of the answer is at the end."""
    return not asked or _LEFT_OPEN.fullmatch(asked.rsplit(maxsplit=1)[-1].lower()) is not None


def _link(asked: str, answer: str) -> str:
    if asked.lower() in {"date", "day"} or re.match(r"\w+ \d{1,2}\b|\d{1,2} [A-Z]", answer):
        return "on"
    return "in"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
