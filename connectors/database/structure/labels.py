"""The label of a row: the columns of a table that read like a name."""

from __future__ import annotations

from connectors.database.structure.kinds import ColumnKind
from connectors.database.structure.secrets import looks_secret, words_of
from connectors.database.structure.tables import Column, Table

_WHOLE = ("name", "title", "label", "subject", "headline", "caption")
_QUALIFIED = ("full", "display", "company", "organisation", "organization", "product", "common", "official", "long")
_FIRST = ("first", "given", "fore")
_LAST = ("last", "family", "sur")
_HANDLES = ("username", "login", "nickname", "nick", "handle", "alias", "slug", "code", "sku", "email", "mail")
_NAMED = frozenset({ColumnKind.TEXT, ColumnKind.ENUM})
_LAST_RESORT = 3  # a table with at most so many columns of text is called by the first of them that may be a name
_NO_NAMES = frozenset(
    {
        "status", "state", "type", "kind", "category", "class", "level", "priority", "role", "gender", "sex", "grade",
        "currency", "country", "language", "lang", "locale", "unit", "color", "colour", "version", "url", "path",
        "phone", "fax", "method", "mode", "source", "reason", "cause", "period", "day", "month", "address", "ip", "ips",
        "id", "ids", "uuid", "guid",
    }
)  # fmt: skip
_DESCRIPTIONS = frozenset({"desc", "description"})
_PROSE = _DESCRIPTIONS | frozenset(
    {
        "text", "body", "content", "message", "note", "notes", "remark", "remarks", "comment", "comments", "summary",
        "abstract", "bio", "biography", "detail", "details", "review", "feedback", "explanation", "instructions",
    }
)  # fmt: skip


def label_columns(table: Table) -> tuple[str, ...]:
    """The columns that say what a row is called, in the order in which they are said; none where nothing does.

    >>> from connectors.database.structure.schema import Column, Table
    >>> text = [(name, ColumnKind.TEXT) for name in ("LastName", "FirstName", "Title")]
    >>> columns = (("EmployeeID", ColumnKind.INTEGER), *text)
    >>> label_columns(Table("Employees", columns=tuple(Column(name, kind) for name, kind in columns)))
    ('FirstName', 'LastName')
    """
    pointing = {name for key in table.foreign_keys for name in key.columns}
    candidates = [
        column
        for column in table.columns
        if column.kind in _NAMED and not looks_secret(column.name, column.kind) and column.name not in pointing
    ]
    person = _person(candidates)
    ranked = sorted((rank, place) for place, each in enumerate(candidates) if (rank := _rank(each, table)) is not None)
    if person and not (ranked and ranked[0][0] <= 1):
        return person
    if ranked:
        return (candidates[ranked[0][1]].name,)
    others = [each for each in candidates if each.name not in table.primary_key]
    likely = [each.name for each in others if each.kind is ColumnKind.TEXT and _is_possible(words_of(each.name), table)]
    return tuple(likely[:1]) if len(others) <= _LAST_RESORT else ()


def _is_possible(words: list[str], table: Table) -> bool:
    """Whether a column whose name has these words may hold names: neither values that many rows share, nor prose.

    The description of a region, in a table of regions, is mostly its name.
    """
    if not _NO_NAMES.isdisjoint(words):
        return False
    is_own = words[-1] in _DESCRIPTIONS and len(words) > 1 and not _own(table).isdisjoint(map(_singular, words))
    return is_own or _PROSE.isdisjoint(words)


def _own(table: Table) -> set[str]:
    return set(map(_singular, words_of(table.name)))


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.rstrip("s")


def _person(candidates: list[Column]) -> tuple[str, ...]:
    def named(starts: tuple[str, ...]) -> str | None:
        for column in candidates:
            name = "".join(words_of(column.name))
            if any(name.endswith(f"{start}name") for start in starts):
                return column.name
        return None

    first, last = named(_FIRST), named(_LAST)
    return (first, last) if first and last else ()


def _rank(column: Column, table: Table) -> int | None:
    """How much a column reads like a name, 0 most; None not at all.

    `name`, and `album_name` in albums; `full_name`; a title, which may be that of a job; anything that ends so.
    """
    words = words_of(column.name)
    own = _own(table)
    bare = [word for word in words if _singular(word) not in own] or words
    if words in (["name"], [*words[:-1], "name"]) and bare == ["name"]:
        return 0
    if words[-1:] == ["name"] and words[0] in _QUALIFIED:
        return 1
    if len(bare) == 1 and bare[0] in _WHOLE:
        return 2 + _WHOLE.index(bare[0])
    if words[-1:] == ["name"] and not {"file", "host", "domain", "middle", *_FIRST, *_LAST}.intersection(words):
        return 10
    if words[-1:] == ["title"] and not {"job", "contact"}.intersection(words):
        return 11
    if len(bare) == 1 and bare[0] in _HANDLES:
        return 20 + _HANDLES.index(bare[0])
    if bare == ["user", "name"]:
        return 20
    return None
