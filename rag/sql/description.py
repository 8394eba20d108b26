"""Describes the tables relevant to a question as compact CREATE TABLE text, the form language models read best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from connectors.database.structure.secrets import words_of
from connectors.database.structure.tables import Column, ForeignKey, Table
from rag.query.query import Query
from rag.sql.allowed import SqlDialect
from rag.text.bm25 import bm25

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_PLAIN_ANY_CASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SAMPLES = 12
_LONGEST_SAMPLE = 40
_LONGEST_COMMENT = 160
_FEW_SAMPLES = 3
_NAME_COUNTS = 3  # the name of a table says more than that of a column


def describe(
    question: str,
    tables: Sequence[Table],
    dialect: SqlDialect,
    budget: int,
    count: Callable[[str], int],
    nearest: Sequence[str] = (),
) -> str:
    """As many of `tables` as fit into `budget` tokens, those that matter for `question` first.

    What the tables that matter point to is there too. Where not even the first fits, it is shortened.

    Args:
        question: what is asked.
        tables: without columns that may not be read.
        dialect: whose quotes names are written in.
        budget: tokens, as `count` counts them.
        count: tokens of a text.
        nearest: labels of tables that a search has found for the question, best first.
    """
    chosen: list[str] = []
    for table in ordered(question, tables, nearest):
        for text in _versions(table, dialect):
            cost = count(text + "\n\n")
            if cost <= budget:
                chosen.append(text)
                budget -= cost
                break
    return "\n\n".join(chosen)


def ordered(question: str, tables: Sequence[Table], nearest: Sequence[str] = ()) -> list[Table]:
    """The tables, those first that matter most, and after each what it points to or what joins it to others.

    Example:
        >>> shop = [Table("orders"), Table("weather", comment="daily rain")]
        >>> [table.name for table in ordered("how much rain fell?", shop)]
        ['weather', 'orders']
    """
    by_label = {table.label: table for table in tables}
    scores = bm25(Query.of(question).terms, [_searched(table) for table in tables])
    ranked = [tables[index] for index in (-scores).argsort(kind="stable").tolist()]
    matching = {tables[index].label for index in range(len(tables)) if scores[index] > 0}
    found = [by_label[label] for label in nearest if label in by_label]
    first = _unique([*found, *(table for table in ranked if table.label in matching)])
    neighbours = [by_label[label] for table in first for label in _neighbours(table, tables) if label in by_label]
    return _unique([*first, *neighbours, *ranked])


def _unique(tables: Sequence[Table]) -> list[Table]:
    return list({table.label: table for table in tables}.values())


def _neighbours(table: Table, tables: Sequence[Table]) -> Iterator[str]:
    """What `table` points to, then what points to it."""
    yield from (key.table for key in table.foreign_keys)
    for other in tables:
        if any(key.table == table.label for key in other.foreign_keys):
            yield other.label


def _searched(table: Table) -> str:
    """The words by which a question may mean a table; names of columns fall apart into theirs."""
    names = [*[table.name] * _NAME_COUNTS, *(column.name for column in table.columns)]
    words = [word for name in names for word in words_of(name)]
    comments = [table.comment, *(column.comment for column in table.columns)]
    samples = [sample for column in table.columns for sample in column.values]
    return " ".join([*names, *words, *comments, *samples])


def _versions(table: Table, dialect: SqlDialect) -> Iterator[str]:
    """A table in full, with fewer samples, and with names and types alone."""
    yield table_text(table, dialect)
    yield table_text(table, dialect, samples=_FEW_SAMPLES)
    yield table_text(table, dialect, samples=0, comments=False)


def table_text(table: Table, dialect: SqlDialect, *, samples: int = _SAMPLES, comments: bool = True) -> str:
    """One table: its columns with types, keys, comments and sample values.

    Comments and values come from the database: they stand behind `--`, on one line, cut to a length.
    """
    pointing = {key.columns[0]: key for key in table.foreign_keys if len(key.columns) == 1}
    lines = [_column(column, table, pointing.get(column.name), dialect) for column in table.columns]
    if len(table.primary_key) > 1:
        lines.append(f"PRIMARY KEY ({_names(table.primary_key, dialect)})")
    lines += [
        f"FOREIGN KEY ({_names(key.columns, dialect)}) REFERENCES {table_name(key.table, dialect)} "
        f"({_names(key.referred, dialect)})"
        for key in table.foreign_keys
        if len(key.columns) > 1
    ]
    remarks = [_remark(column, samples, comments=comments) for column in table.columns]
    remarks += [""] * (len(lines) - len(remarks))
    last = len(lines) - 1
    body = [
        f"  {line}{'' if number == last else ','}{remark}"
        for number, (line, remark) in enumerate(zip(lines, remarks, strict=True))
    ]
    about = f" -- {_one_line(table.comment, _LONGEST_COMMENT)}" if comments and table.comment else ""
    kind = "VIEW" if table.is_view else "TABLE"
    return "\n".join([f"CREATE {kind} {table_name(table.label, dialect)} ({about}", *body, ");"])


def _column(column: Column, table: Table, key: ForeignKey | None, dialect: SqlDialect) -> str:
    parts = [column_name(column.name, dialect), column.sql_type]
    if (column.name,) == table.primary_key:
        parts.append("PRIMARY KEY")
    if key is not None:
        parts.append(f"REFERENCES {table_name(key.table, dialect)} ({_names(key.referred, dialect)})")
    return " ".join(filter(None, parts))


def _remark(column: Column, samples: int, *, comments: bool) -> str:
    parts = [_one_line(column.comment, _LONGEST_COMMENT)] if comments and column.comment else []
    if column.values and samples:
        shown = [f"'{_one_line(value, _LONGEST_SAMPLE)}'" for value in column.values[:samples]]
        more = ", …" if len(column.values) > samples else ""
        parts.append(f"values: {', '.join(shown)}{more}")
    return f" -- {'; '.join(parts)}" if parts else ""


def _one_line(text: str, most: int) -> str:
    """Text of the database on one line, without what could end the fence around it."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    line = line.translate(str.maketrans("<>`", "‹›'"))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def column_name(name: str, dialect: SqlDialect) -> str:
    """A name as a statement has to write it: quoted where the database would not know it otherwise.

    Example:
        >>> column_name("CustomerId", SqlDialect.POSTGRESQL), column_name("CustomerId", SqlDialect.SQLITE)
        ('"CustomerId"', 'CustomerId')
    """
    plain = _PLAIN if dialect is SqlDialect.POSTGRESQL else _PLAIN_ANY_CASE
    if plain.fullmatch(name) and name.lower() not in _RESERVED:
        return name
    mark = "`" if dialect is SqlDialect.MARIADB else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"


def table_name(label: str, dialect: SqlDialect) -> str:
    """The same for the label of a table, which has its schema before a dot where that is not the default one."""
    return ".".join(column_name(part, dialect) for part in label.split("."))


def _names(names: Sequence[str], dialect: SqlDialect) -> str:
    return ", ".join(column_name(name, dialect) for name in names)


_RESERVED_WORDS = """
all and any as asc between both by case cast check collate column constraint create cross current_date current_time
current_timestamp default delete desc distinct do drop else end except exists false fetch for foreign from full grant
group groups having in index inner insert intersect into is join key lateral leading left like limit natural not null
offset on only or order outer primary range rank references right row rows select session_user set some system table
then to trailing true union unique update user using values when where window with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
