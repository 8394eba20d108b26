"""Resolves the names in a statement: the sources of each SELECT, nested.

A name counts as a forbidden column wherever it could mean one, even if the database would look elsewhere first:
databases differ in where they look, and a statement can always say which table it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rag.sql.allowed import AllowedTable, SqlDialect, similar
from rag.sql.errors import RefusedError

_ROW_IDS = frozenset({"rowid", "oid", "_rowid_"})  # of every ordinary table of SQLite, under three names


@dataclass(frozen=True, slots=True)
class Output:
    """The columns of anything that can follow FROM, by name as folded by the dialect.

    `shown` are the names as they are written. An `open` one may have others that only the database knows.
    """

    names: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    open: bool = False

    def renamed(self, names: tuple[str, ...], shown: tuple[str, ...]) -> Output:
        """With its first columns called otherwise."""
        return Output(names + self.names[len(names) :], shown + self.shown[len(shown) :], open=self.open)


@dataclass(frozen=True, slots=True)
class Place:
    """One source in FROM: an existing table (`table`), or the result of a query or function."""

    alias: str
    output: Output
    table: AllowedTable | None = None
    shown: str = ""
    quoted: bool = False

    def hides(self, name: str) -> bool:
        """Whether `name` is, in any case, one of its columns that may not be read."""
        return self.table is not None and any(name.lower() == hidden.lower() for hidden in self.table.hidden)

    def offers(self, name: str, dialect: SqlDialect) -> bool:
        """Whether it has a column `name` that may be read."""
        if name in self.output.names or self.output.open:
            return True
        return self.table is not None and dialect is SqlDialect.SQLITE and name in _ROW_IDS


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

    def check(self, shown: str, name: str, table: str = "") -> None:
        """Refuse a column, named with or without its table, that may not be read or is not there.

        Args:
            shown: how the statement writes it.
            name: the column, folded.
            table: the alias of the table before it, folded; empty for none.
        """
        places = [place for scope in self.around() for place in scope.places if not table or place.alias == table]
        if table and not places:
            known = [place.shown for scope in self.around() for place in scope.places if place.shown]
            hint = f"the tables here are: {', '.join(known)}" if known else "the statement reads from no table"
            raise RefusedError(f"{shown}: there is no table {table!r} here", hint=hint)
        for place in places:
            if place.hides(name):
                raise RefusedError(
                    f"the column {name!r} of {place.shown!r} may not be read",
                    hint="leave it out; if another table's column is meant, put that table's name before it",
                )
        if any(place.offers(name, self.dialect) for place in places):
            return
        if not table and self.dialect is SqlDialect.POSTGRESQL and (row := self._whole_row(name)) is not None:
            if row.table is None or not row.table.hidden:
                return
            raise RefusedError(
                f"{shown}: a whole row of {row.shown!r} holds columns that may not be read", hint="name the columns"
            )
        if not table and any(name in scope.aliases for scope in self.around()):
            return
        raise RefusedError(f"there is no column {shown!r}", hint=self._columns_hint(name, places))

    def _whole_row(self, name: str) -> Place | None:
        """The source whose rows PostgreSQL takes for one value each by its name."""
        return next((place for scope in self.around() for place in scope.places if place.alias == name), None)

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


_SHOWN = 30
