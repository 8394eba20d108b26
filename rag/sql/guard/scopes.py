"""Resolves the names in a statement: the sources of each SELECT, nested, and what each of them offers.

What a source offers is known in full before a name is looked up: a name that nobody offers is refused. The database
could find a column there that was not meant to be read, or take `x.name` for a call of the function `name`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from rag.sql.allowed import AllowedTable, SqlDialect, similar
from rag.sql.errors import RefusedError

_SHOWN = 30
_ROW_NUMBERS = frozenset({"rowid", "oid", "_rowid_"})


class Meaning(Enum):
    """What a name stands for."""

    COLUMN = "column"
    ROW = "row"  # PostgreSQL takes the name of a source for its whole row
    RESULT = "result"  # of the same SELECT, under the name that AS gives it


@dataclass(frozen=True, slots=True)
class Output:
    """The columns of anything that can follow FROM: `names` as the dialect folds them, `shown` as they are written."""

    names: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def renamed(self, names: tuple[str, ...], shown: tuple[str, ...]) -> Output:
        """With its first columns called otherwise."""
        return Output(names + self.names[len(names) :], shown + self.shown[len(shown) :])


Ctes = Mapping[str, Output | None]
"""What the names of WITH give; None for one whose query comes later."""


@dataclass(frozen=True, slots=True)
class Place:
    """One source in FROM, by its alias as folded and as shown; `table` is what may be read of it, if it is one."""

    alias: str
    output: Output
    table: AllowedTable | None = None
    shown: str = ""

    def hides(self, name: str) -> bool:
        """Whether `name` is, in any case, one of its columns that may not be read."""
        return self.table is not None and any(name.lower() == hidden.lower() for hidden in self.table.hidden)


@dataclass(slots=True)
class SelectScope:
    """One SELECT: its sources, the names of its results, and the enclosing SELECT."""

    dialect: SqlDialect
    outer: SelectScope | None = None
    places: list[Place] = field(default_factory=list)
    aliases: set[str] = field(default_factory=set)

    def around(self) -> Iterator[SelectScope]:
        """The scope and those around it, from the inside."""
        scope: SelectScope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def meaning(self, shown: str, name: str, table: str = "") -> Meaning:
        """What a name stands for.

        Args:
            shown: how the statement writes it.
            name: the column, folded.
            table: the alias of the table before it, folded; empty for none.

        Raises:
            RefusedError: no source offers it.
        """
        places = [place for scope in self.around() for place in scope.places if not table or place.alias == table]
        if table and not places:
            known = [place.shown for scope in self.around() for place in scope.places if place.shown]
            hint = f"the tables here are: {', '.join(known)}" if known else "the statement reads from no table"
            raise RefusedError(f"{shown}: there is no table {table!r} here", hint=hint)
        if any(name in place.output.names for place in places):
            return Meaning.COLUMN
        if not table and any(name in scope.aliases for scope in self.around()):
            return Meaning.RESULT
        if not table and self.dialect is SqlDialect.POSTGRESQL and self._is_place(name):
            return Meaning.ROW
        for place in places:
            if place.hides(name):
                raise RefusedError(
                    f"the column {name!r} of {place.shown!r} may not be read",
                    hint="leave it out; if another table's column is meant, put that table's name before it",
                )
        if self.dialect is SqlDialect.SQLITE and name in _ROW_NUMBERS:
            raise RefusedError(f"{shown}: the row numbers of SQLite are not given", hint="use the primary key")
        raise RefusedError(f"there is no column {shown!r}", hint=self._columns_hint(name, places))

    def _is_place(self, name: str) -> bool:
        return any(place.alias == name for scope in self.around() for place in scope.places)

    def _columns_hint(self, name: str, places: list[Place]) -> str:
        known = [column for place in places for column in place.output.shown]
        if self.dialect is SqlDialect.POSTGRESQL:
            for column in known:
                if column != name and column.lower() == name.lower():
                    return f'write it in double quotes: "{column}"'
        likely = similar(name, known)
        if likely:
            return f"did you mean {' or '.join(likely)}?"
        return "text goes in single quotes; columns are " + (", ".join(known[:_SHOWN]) or "not there without a table")
