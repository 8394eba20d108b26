"""Echoed fences: removes the prompt's tags that a small model repeats in its answer, even while it streams.

Only tags with the prompt's own fence name are removed. No document contains that name, so no answer can quote it.
"""

from __future__ import annotations

import re

_LONGEST_ATTRIBUTES = 600  # characters; a label has at most 120


class FenceFilter:
    r"""Removes the tags named `fence` from a text that arrives in pieces; without a name, removes nothing.

    A tag that has a line to itself takes the line with it.

    Example:
        >>> unfenced = FenceFilter("data-lwjsbg")
        >>> unfenced("It is blue. [1]\n</data-l"), unfenced("wjsbg>\nAlways.") + unfenced.rest()
        ('It is blue. [1]\n', 'Always.')
    """

    def __init__(self, fence: str) -> None:
        inside = rf"(?:[^\S\n][^<>\n]{{0,{_LONGEST_ATTRIBUTES}}})?"
        begun = "|".join(re.escape(fence[:length]) for length in range(len(fence) - 1, 0, -1))
        self._fence = fence
        self._tag = re.compile(rf"</?{re.escape(fence)}{inside}>(?P<end>[^\S\n]*\n?)")
        # What may become a tag, and a tag whose line may go on with white space.
        self._unsure = re.compile(rf"<(?:/?(?:{re.escape(fence)}{inside}(?:>[^\S\n]*)?|{begun}|))?\Z")
        self._broken_off = re.compile(rf"</?{re.escape(fence)}{inside}\Z")
        self._held = ""
        self._begins_line = True

    def __call__(self, piece: str) -> str:
        """What of the text is sure to stay, now that `piece` has come."""
        if not self._fence:
            return piece
        text = self._held + piece
        unsure = self._unsure.search(text)
        place = unsure.start() if unsure else len(text)
        self._held = text[place:]
        return self._without_tags(text[:place])

    def rest(self) -> str:
        """What was held back and stays, now that no more comes: not a tag that is broken off."""
        held, self._held = self._held, ""
        return self._without_tags(self._broken_off.sub("", held))

    def _without_tags(self, text: str) -> str:
        pieces, done = [], 0
        for tag in self._tag.finditer(text):
            pieces.append(self._kept(text[done : tag.start()]))
            if not self._begins_line:
                pieces.append(self._kept(tag["end"]))
            done = tag.end()
        return "".join([*pieces, self._kept(text[done:])])

    def _kept(self, text: str) -> str:
        if text:
            self._begins_line = text.endswith("\n")
        return text
