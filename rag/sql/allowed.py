"""What a statement may read: a database's dialect, its tables and their columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connectors.errors import ConfigurationError


class SqlDialect(StrEnum):
    """The supported SQL dialects; MySQL and MariaDB share one."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"

    @classmethod
    def of(cls, backend: str) -> SqlDialect:
        """The dialect of a backend as SQLAlchemy names it.

        Raises:
            ConfigurationError: nothing here knows how to keep that database safe.

        Example:
            >>> SqlDialect.of("mysql")
            <SqlDialect.MARIADB: 'mariadb'>
        """
        name = "mariadb" if backend == "mysql" else backend
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(cls)
            raise ConfigurationError(
                f"questions cannot be asked of a database of the kind {backend!r}", hint=f"supported: {known}"
            ) from None

    def fold(self, name: str, *, quoted: bool) -> str:
        """The form in which two names of columns are the same to this database.

        Example:
            >>> SqlDialect.POSTGRESQL.fold("Name", quoted=True), SqlDialect.SQLITE.fold("Name", quoted=True)
            ('Name', 'name')
        """
        return name if self is SqlDialect.POSTGRESQL and quoted else name.lower()

    def fold_table(self, name: str, *, quoted: bool) -> str:
        """The same for names of tables, whose case can matter to MariaDB."""
        return name if self is SqlDialect.MARIADB else self.fold(name, quoted=quoted)


@dataclass(frozen=True, slots=True)
class AllowedTable:
    """A table or view that may be read.

    Attributes:
        name: as the database has it.
        columns: those that may be read, in their order.
        hidden: those that it has too and that may not: what looks like a secret.
        schema: where it is; empty for the default schema.
        key: its primary key, where all of it may be read.
    """

    name: str
    columns: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    schema: str = ""
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AllowList:
    """The tables of one database that may be read.

    `default_schema` is the name under which tables without a schema are known too (`main`, `public`, the database).
    """

    dialect: SqlDialect
    tables: tuple[AllowedTable, ...]
    default_schema: str = ""

    def find(
        self, name: str, schema: str = "", *, quoted: bool = False, schema_quoted: bool = False
    ) -> AllowedTable | None:
        """The table that a statement means by `schema.name`; None when it may not be read."""
        wanted = self.dialect.fold_table(name, quoted=quoted)
        place = self.dialect.fold_table(schema, quoted=schema_quoted)
        if place == self._known(self.default_schema):
            place = ""
        for table in self.tables:
            if self._known(table.name) == wanted and self._known(table.schema) == place:
                return table
        return None

    def _known(self, name: str) -> str:
        return self.dialect.fold_table(name, quoted=True)

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        tables = [[table.schema, table.name, list(table.columns), list(table.hidden)] for table in self.tables]
        return {"dialect": self.dialect, "default_schema": self.default_schema, "tables": tables}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AllowList:
        """What `to_json` wrote."""
        tables = (
            AllowedTable(name, tuple(columns), tuple(hidden), schema)
            for schema, name, columns, hidden in data["tables"]
        )
        return cls(SqlDialect(data["dialect"]), tuple(tables), data["default_schema"])


def similar(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The names most like a mistaken one, best first."""
    from difflib import get_close_matches

    by_fold = {each.lower(): each for each in known}
    return [by_fold[fold] for fold in get_close_matches(name.lower(), by_fold, n=most, cutoff=0.6)]
