"""When a text has begun to repeat itself for ever, as small models do at temperature 0."""

from __future__ import annotations

# What is looked at: the end of the text. A loop of up to a third of it is found.
TAIL = 3_000
# A sentence said three times running is a loop. What is shorter must go on for longer: dashes under a heading, "ha ha".
_SENTENCE = 20
_SHORT_LOOP = 240


def repeats_itself(text: str) -> bool:
    """Whether `text` ends in a loop: a stretch of 20 characters or more three times running, or a shorter one for 240.

    Example:
        >>> repeats_itself("The fish swims in the sea. " * 3)
        True
        >>> repeats_itself("ha ha ha"), repeats_itself("-" * 80), repeats_itself("la " * 200)
        (False, False, True)
    """
    tail = text[-TAIL:]
    ending = tail[-_SENTENCE:]
    if len(ending) < _SENTENCE:
        return False
    last = len(tail) - _SENTENCE
    place = tail.rfind(ending, 0, len(tail) - 1)
    while place >= 0:
        if _is_loop(tail, last - place):
            return True
        place = tail.rfind(ending, 0, place + _SENTENCE - 1)
    return False


def _is_loop(tail: str, period: int) -> bool:
    """Whether `tail` ends in a stretch of `period` characters often enough."""
    covered = 3 * period if period >= _SENTENCE else _SHORT_LOOP
    # A stretch has the period p where it equals itself moved by p.
    if covered > len(tail) or tail[-covered:-period] != tail[len(tail) - covered + period :]:
        return False
    stretch = tail[-period:]
    # Sixty dashes are also three times twenty: what is made of something shorter must go on as long as that has to.
    return period < _SENTENCE or (stretch + stretch).find(stretch, 1) >= _SENTENCE
