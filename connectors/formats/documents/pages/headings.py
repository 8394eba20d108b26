"""Headings, told by the outline of the document, by size and weight, and by their numbers; and their levels."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from connectors.formats.documents.pages.captions import is_caption
from connectors.formats.documents.pages.groups import Fonts, Group, Outline, Role
from connectors.formats.documents.pages.line import Style
from connectors.parsed import one_line

_HEADING_LIMIT = 160
_MOST_LINES = 4
_MAX_LEVEL = 6
_NUMBER = re.compile(r"(?:§\s*)?(?P<number>\d{1,2}(?:\.\d{1,2})*|[A-Z](?:\.\d{1,2})+|[A-Z](?=[.\s]))\.?\s+(?=[^\W\d_])")
_NAME_MARK = re.compile(r"[@∗†‡♠♥♣♦]|(?<=[^\W\d_])\*")  # of addresses, and of authors and where they work
_MOST_REPEATED = 2


def mark_headings(groups: Sequence[Group], fonts: Fonts, outline: Outline) -> None:
    """Give the groups that are headings their role and level."""
    found = [group for place, group in enumerate(groups) if _is_heading(groups, place, fonts, outline)]
    found = _without_labels(found)
    for group in found:
        group.role = Role.HEADING
    _assign_levels(found, outline)


def _without_labels(headings: Sequence[Group]) -> list[Group]:
    """Headings without what is larger than all numbered ones and stands there again and again: labels of figures."""
    texts = [one_line(group.text) for group in headings]
    times = Counter(texts)
    top = max(
        (group.lines[0].size for group, text in zip(headings, texts, strict=True) if _NUMBER.match(text)), default=0
    )
    return [
        group
        for group, text in zip(headings, texts, strict=True)
        if not top or group.lines[0].size <= top or times[text] <= _MOST_REPEATED
    ]


def _is_heading(groups: Sequence[Group], place: int, fonts: Fonts, outline: Outline) -> bool:
    group = groups[place]
    if group.role is Role.TABLE or len(group.lines) > _MOST_LINES:
        return False
    text = one_line(group.text)
    if outline.level_of(group.page, text):
        return True
    first = group.lines[0]
    if (
        not text
        or not _reads_as_heading(text)
        or group.lines[-1].hyphen
        or is_caption(first.text)
        or _is_row(group, text)
    ):
        return False
    stands_out = first.style in fonts.prominent or (first.bold and bool(_NUMBER.match(text)))
    capitals = bool(_NUMBER.match(text)) and first.size >= fonts.body.size and _is_capitals(text)
    return (stands_out or capitals) and _heads_text(groups, place)


def _reads_as_heading(text: str) -> bool:
    """Large type alone makes no heading: formulas, figures in the margin and mail addresses are set large too."""
    letters = sum(map(str.isalpha, text))
    starts_well = not text[0].islower() and text[0] not in "({}=+-<>|@#*"
    ends_well = not text.endswith((".", ",", ";", ":", "-"))
    enough = letters > max(2, 0.6 * len(text.replace(" ", "")))
    return starts_well and ends_well and enough and len(text) <= _HEADING_LIMIT and not _NAME_MARK.search(text)


def _is_row(group: Group, text: str) -> bool:
    """Whether the gaps in a line are those of a table, of names side by side, or of a table of contents."""
    gaps = max(line.gaps for line in group.lines)
    return gaps > 1 or (gaps == 1 and (not _NUMBER.match(text) or text[-1].isdigit()))


def _is_capitals(text: str) -> bool:
    return text.upper() == text and sum(map(str.isalpha, text)) > 3  # noqa: PLR2004


def _heads_text(groups: Sequence[Group], place: int) -> bool:
    """Whether text follows, and not only more labels of a figure; a title may have names below it."""
    group = groups[place]
    if not group.page:
        return True
    for other in groups[place + 1 : place + 4]:
        if other.role is not Role.ASIDE:
            return True
    return len(groups) <= place + 1


def _assign_levels(headings: Sequence[Group], outline: Outline) -> None:
    """Levels by the outline and by numbers; the other headings have that of the numbered ones they look like."""
    numbered: defaultdict[Style, Counter[int]] = defaultdict(Counter)
    depths: dict[int, int] = {}
    for place, group in enumerate(headings):
        if match := _NUMBER.match(one_line(group.text)):
            depths[place] = match["number"].count(".") + 1
            numbered[group.lines[0].style][depths[place]] += 1
    styles = sorted({group.lines[0].style for group in headings}, reverse=True)
    top = max(numbered, default=None)
    titled = bool(headings) and top is not None and headings[0].lines[0].style > top and 0 not in depths
    levels: dict[Style, int] = {}
    for rank, style in enumerate(styles):
        if style in numbered:
            levels[style] = numbered[style].most_common(1)[0][0] + titled
        elif top is not None and style > top:
            levels[style] = 1 if style == styles[0] else 1 + titled
        else:
            above = [levels[other] for other in styles[:rank]]
            levels[style] = max(above, default=0) + 1
    shift = titled and not outline.level_of(headings[0].page, one_line(headings[0].text))
    for place, group in enumerate(headings):
        level = outline.level_of(group.page, one_line(group.text))
        by_number = depths[place] + titled if place in depths else levels[group.lines[0].style]
        group.level = min(_MAX_LEVEL, level + shift if level else by_number)
