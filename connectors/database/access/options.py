"""The options for reading a database, checked, and in the form in which they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from connectors.errors import ConfigurationError
from connectors.source import Option, Options

_LISTS = frozenset({"tables", "exclude_tables", "key", "text_columns", "parameters"})


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Options for reading a database.

    Attributes:
        tables: only these tables, and these views; none for all tables and no view.
        exclude_tables: not these.
        query: the rows of this query instead of tables.
        name: what the query is called.
        key: the columns that tell rows apart, where there is no primary key: of the query, or of views and tables.
        text_columns: the columns that make the text of a row, in this order; others can be filtered by.
        cursor: a column that grows whenever a row changes: only newer rows are read again.
        user: who reads, where that is not a secret: a name, or `${NAME}`.
        password_from: where the password is: `env:NAME` or `keyring:SERVICE`.
        parameters: what the address said after its `?`, as `key=value`.
    """

    tables: tuple[str, ...] = ()
    exclude_tables: tuple[str, ...] = ()
    query: str = ""
    name: str = ""
    key: tuple[str, ...] = ()
    text_columns: tuple[str, ...] = ()
    cursor: str = ""
    user: str = ""
    password_from: str = ""
    parameters: tuple[str, ...] = ()

    @classmethod
    def read(cls, options: Options) -> DatabaseOptions:
        """The options as they are stored or were typed.

        Raises:
            ConfigurationError: one is unknown, of the wrong type, or does not go with another.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                raise ConfigurationError(
                    f"{name} is not an option of a database", hint=f"its options are: {', '.join(known)}"
                )
        values: dict[str, Any] = {
            name: _value(name, value) for name, value in options.items() if value not in (None, "", [])
        }
        read = cls(**values)
        read._check()
        return read

    def _check(self) -> None:
        if self.query and (self.tables or self.exclude_tables):
            raise ConfigurationError(
                "a query already says what to read", hint="leave out either the query or the tables"
            )
        if self.name and not self.query:
            raise ConfigurationError(f"{self.name!r} names a query, but there is none", hint="add the query")
        if self.key and not (self.query or self.tables):
            raise ConfigurationError("a key needs a query, or named tables or views", hint="add a query or tables")
        if both := sorted({*self.tables} & {*self.exclude_tables}):
            raise ConfigurationError(f"{both[0]} is both included and excluded", hint="remove one of the two")

    @property
    def query_name(self) -> str:
        """What the query is called: its name, else one made of what it says."""
        return self.name or f"query-{hashlib.blake2b(self.query.encode(), digest_size=4).hexdigest()}"

    def stored(self) -> Options:
        """As they are stored: what is not set is left out."""
        found: dict[str, Option] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value:
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    def parameter_map(self) -> Mapping[str, str]:
        """The parameters by name."""
        return dict(each.partition("=")[::2] for each in self.parameters)


def _value(name: str, value: Option) -> str | tuple[str, ...]:  # as the field of this name wants it
    if name in _LISTS:
        values = [value] if isinstance(value, str) else value
        if isinstance(values, list) and all(isinstance(each, str) and each for each in values):
            return tuple(values)
        raise ConfigurationError(f"{name}: {value!r} is not a list of names", hint="give it a list of texts")
    if not isinstance(value, str):
        raise ConfigurationError(f"{name}: {value!r} is not a text", hint="give it a text")
    return value
