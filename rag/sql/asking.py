"""Asks a registered database, for `rag sql` or beside the documents for `rag ask`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectors.document import ROW, SCHEMA
from connectors.errors import SourceError
from connectors.registry import is_database
from connectors.source import Options
from rag.llm.base import LLM, is_small
from rag.retrieval.hit import Filters, Hit
from rag.sql.answering import SqlAnswer, answer_from, no_model
from rag.sql.databases import Database, choose_database, open_database
from rag.sql.limits import StatementLimits
from rag.sql.values import Rows
from rag.sql.writing import Attempt

_TABLES_SOUGHT = 12

Find = Callable[[str, int, Filters], Sequence[Hit]]
"""Searches a knowledge base: the question, how many hits, and filters."""


def ask_database(
    question: str,
    model: LLM,
    asked: str | None,
    registered: Mapping[str, Options],
    *,
    find: Find | None = None,
    limits: StatementLimits | None = None,
    budget: int | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> SqlAnswer:
    """Answer `question` by SQL over the database `asked`, or over the one that is registered.

    Args:
        question: what to answer.
        model: what writes SQL.
        asked: the address or the name of a database; None where there is only one.
        registered: the sources of a knowledge base and their options.
        find: searches that knowledge base for the tables that matter.
        limits: how much a statement may take.
        budget: tokens of the prompt.
        on_attempt: hears of each statement.

    Raises:
        ConfigurationError: there is no such database, or no model that writes SQL.
        SourceError: the database cannot be reached.
        LLMError: the model could not answer.
    """
    if not model.can_write:  # before anybody is asked for a password
        raise no_model(model)
    database = open_database(*choose_database(asked, registered))
    nearest = _nearest(question, database, find)
    return answer_from(database, question, model, limits=limits, nearest=nearest, budget=budget, on_attempt=on_attempt)


def rows_beside(
    question: str,
    model: LLM,
    hits: Sequence[Hit],
    registered: Mapping[str, Options],
    *,
    wanted: bool | None,
    threshold: float,
    find: Find | None = None,
) -> SqlAnswer | None:
    """The rows that `rag ask` may cite beside documents; None where no database is asked.

    Unless it is said whether they are `wanted`, a database is asked where it makes sense: a row of it or a description
    of its tables is among the hits with at least the relevance `threshold`, and the model is none of the small ones.

    Raises:
        ConfigurationError: rows are wanted, and there is no database, or no telling which.
        LLMError: the model could not answer.
    """
    if wanted is False or (wanted is None and not (model.can_write and not is_small(model))):
        return None
    known = {uri: options for uri, options in registered.items() if is_database(uri) and not options.get("query")}
    about = (hit for hit in hits if hit.kind in {ROW, SCHEMA} and hit.relevance >= threshold)
    meant = next((uri for uri in map(_database_of, about) if uri in known), None)
    if meant is None and wanted is None:
        return None
    if not model.can_write:
        raise no_model(model)
    spec, options = (meant, known[meant]) if meant is not None else choose_database(None, registered)
    try:
        database = open_database(spec, options)
    except SourceError as error:  # the documents are there all the same
        return SqlAnswer(question, spec, "", Rows((), ()), str(error), error.hint)
    return answer_from(database, question, model, nearest=_nearest(question, database, find))


def _database_of(hit: Hit) -> str:
    """The URI of the database that a row, or a description of tables, is of."""
    return hit.uri.partition("#")[0]


def _nearest(question: str, database: Database, find: Find | None) -> list[str]:
    """The labels of the tables whose descriptions a search finds for the question, best first."""
    if find is None:
        return []
    hits = find(question, _TABLES_SOUGHT, {"kind": SCHEMA, "database": database.schema.database})
    mine = [hit for hit in hits if _database_of(hit) == database.uri]
    return list(dict.fromkeys(str(hit.metadata["table"]) for hit in mine if "table" in hit.metadata))
