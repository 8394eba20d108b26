"""A third look at a statement: what the server itself, in its plan, says that it would read and call.

The guard allows by name what stands in the text. The plan names what these became: a server that understood the text
otherwise than the guard shows it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag.sql.allowed import AllowList
from rag.sql.guard.functions import allowed_functions, is_syntax

Relation = tuple[str, str]
"""A schema and a name."""

_CALL = re.compile(r"(?<![\w\"$])(?:\"?(\w+)\"?\.)?\"?([a-z_]\w*)\"?\(")
_TEXT = re.compile(r"'(?:[^']|'')*'")
# MariaDB writes the statement that it made of one, every name in backticks.
_SOURCE = re.compile(r"\b(?:from|join)\s+\(*`([^`]+)`\.`([^`]+)`")
_STORED = re.compile(r"`([^`]+)`\(")


def relations(allowed: AllowList) -> frozenset[Relation]:
    """What may be read, by schema and name."""
    return frozenset((table.schema or allowed.default_schema, table.name) for table in allowed.tables)


def read_by(plan: Any) -> frozenset[Relation]:
    """The relations that a plan of PostgreSQL reads.

    >>> sorted(read_by([{"Plan": {"Plans": [{"Relation Name": "orders", "Schema": "public"}]}}]))
    [('public', 'orders')]
    """
    found = (node for node in _nodes(plan) if "Relation Name" in node)
    return frozenset((str(node.get("Schema", "")), str(node["Relation Name"])) for node in found)


def called_by(plan: Any, allowed: AllowList) -> frozenset[str]:
    """The functions that a plan of PostgreSQL calls and that nobody allowed: `lower` is, `shop.paid_to` is not."""
    known = allowed_functions(allowed.dialect)
    found: set[str] = set()
    for text in _texts(plan):
        for schema, name in _CALL.findall(_TEXT.sub("''", text)):
            if schema not in {"", "pg_catalog"} or not (name in known or is_syntax(name)):
                found.add(name)
    return frozenset(found)


def read_by_statement(rewritten: str) -> frozenset[Relation]:
    """The tables that a statement reads as MariaDB wrote it out, or a view as it keeps it.

    >>> sorted(read_by_statement("select `o`.`id` AS `id` from (`shop`.`orders` `o` join `shop`.`items`)"))
    [('shop', 'items'), ('shop', 'orders')]
    """
    return frozenset(_SOURCE.findall(_TEXT.sub("''", rewritten)))


def stored_in_statement(rewritten: str) -> frozenset[str]:
    """The functions of the database that it calls: those of the server itself stand without backticks."""
    return frozenset(_STORED.findall(_TEXT.sub("''", rewritten)))


def _nodes(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, dict):
        yield plan
    for part in plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ():
        yield from _nodes(part)


def _texts(plan: Any) -> Iterator[str]:
    if isinstance(plan, str):
        yield plan
    for part in plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ():
        yield from _texts(part)
