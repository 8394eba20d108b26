"""Citations and the verdicts of their check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.document import Location
from rag.prompting.prompt import Background


class Verdict(StrEnum):
    """The verdict on a citation or a sentence.

    SUPPORTED: the source says it. UNSUPPORTED: neither the source nor another one does. MISATTRIBUTED: another source
    does. NO_SUCH_SOURCE: there is no source of this number. UNCHECKED: it was not judged, or could not be. UNVERIFIED,
    of a sentence: no source says it, a knowledge card does.
    """

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"
    MISATTRIBUTED = "misattributed"
    NO_SUCH_SOURCE = "no such source"
    UNCHECKED = "unchecked"
    UNVERIFIED = "unverified"


@dataclass(frozen=True, slots=True)
class Citation:
    """One `[n]` of an answer, checked: does source n exist, and does it support the sentence that cites it?

    Attributes:
        number: as the model wrote it.
        sentence: the answer's sentence that carries the mark, as shown.
        supported: whether source `number` supports it.
        uri: the document of source `shown`; empty where there is none, as are `location` and `quote`.
        location: the exact place of `quote`.
        quote: the best supporting sentence of source `shown`, verbatim.
        verdict: what the check found.
        moved_to: the source that supports the sentence where source `number` does not, or does not exist; the text of
            the answer names this one. None where the mark was left as it was.
        added: whether the model cited nothing, and the citation was found for it.
    """

    number: int
    sentence: str
    supported: bool
    uri: str = ""
    location: Location | None = None
    quote: str = ""
    verdict: Verdict = Verdict.UNSUPPORTED
    moved_to: int | None = None
    added: bool = False

    @property
    def shown(self) -> int:
        """The number in the text of the answer."""
        return self.number if self.moved_to is None else self.moved_to


@dataclass(frozen=True, slots=True)
class Unverified:
    """A sentence of an answer that no source supports, and the words of a card that do. Nobody has checked those."""

    sentence: str
    background: Background
