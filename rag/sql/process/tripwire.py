"""A second check of a statement, by its words alone: it shares nothing with the guard, and so none of its bugs.

It would let through much that the guard refuses. It refuses only what a read-only transaction does not stop: functions
that reach files, other connections or the server, and anything that hides such names.
"""

from __future__ import annotations

import re

from rag.sql.allowed import SqlDialect
from rag.sql.process.session import FailedError

_BEGINS = re.compile(r"[\s(]*(select|with|values)\b", re.IGNORECASE)

_POSTGRESQL = r"""
    \bpg_\w+"?\s*\( | \bpg_catalog\b | \binformation_schema\b |
    \bpg_(?:authid|shadow|user|roles|auth_members|hba\w*|file_settings|settings|largeobject\w*|stat\w*|proc|class)\b |
    \blo_\w+"?\s*\( | \bloread\b | \blowrite\b | \bdblink\w*\b | \b(?:file|postgres)_fdw\w* |
    \b(?:query|table|cursor|schema|database)_to_xml\w*\b | \bts_(?:stat|rewrite)\b | \bcrosstab\w*\b |
    \bxpath_table\b | \bconnectby\b | \bset_config\b | \bcurrent_setting\b | \btxid_\w+ |
    \b(?:nextval|setval|currval|lastval)\b | \binto\b | \bu&["']
"""
_MARIADB = r"""
    \bload_file\b | \binto\b | \boutfile\b | \bdumpfile\b | \bsleep\b | \bbenchmark\b | @ | := | /\*M?! |
    \b(?:get|release|is_used|is_free|release_all)_locks?\b | \b(?:master|source)_(?:gtid|pos)_wait\b |
    \bprocedure\b\s*\w | \bsys_(?:exec|eval|get|set)\b | \bmysql\b[\s`]*\. | \b(?:information|performance)_schema\b |
    \b(?:nextval|lastval|setval)\b | \bnext\s+value\b | \bfor\s+update\b | \bshare\s+mode\b | \bwsrep_\w+ |
    \blast_insert_id\b | \buuid_short\b | \bdes_encrypt\b
"""
_WIDE = re.compile(r"%[^'\sa-z%]*(?:\d{5,}|\*)", re.IGNORECASE)  # format('%1000000000s'), which looks at no clock
_FLAGS = re.IGNORECASE | re.VERBOSE
_WORDS = {
    SqlDialect.POSTGRESQL: re.compile(_POSTGRESQL, _FLAGS),
    SqlDialect.MARIADB: re.compile(_MARIADB, _FLAGS),
}
# Where text and comments begin; how far they go differs.
_OPENINGS = {
    SqlDialect.SQLITE: re.compile(r"'|--|/\*"),
    SqlDialect.POSTGRESQL: re.compile(r"\be'|'|--|/\*|\$(?:[a-z_]\w*)?\$", re.IGNORECASE),
    SqlDialect.MARIADB: re.compile(r"'|\"|--\s|\#|/\*(?!M?!)"),
}


def second_look(sql: str, dialect: SqlDialect) -> None:
    """Refuse a statement that is no query, or has words in it that no query over tables needs.

    Raises:
        FailedError: it is refused.
    """
    bare = without_text(sql, dialect)
    if not _BEGINS.match(bare):
        raise FailedError("refused", f"this is no query: {bare.strip()[:60]!r}", "write one SELECT that only reads")
    if dialect is SqlDialect.POSTGRESQL and "format" in bare.lower() and (wide := _WIDE.search(sql)):
        raise FailedError("refused", f"a width of {wide.group()!r} is not allowed in a query")
    if dialect in _WORDS and (found := _WORDS[dialect].search(bare)):
        raise FailedError("refused", f"{found.group().strip()!r} is not allowed in a query")


def without_text(sql: str, dialect: SqlDialect) -> str:
    """`sql` with an empty text for each text in it, and a space for each comment.

    Example:
        >>> without_text("SELECT 'it''s' /* x */, y", SqlDialect.POSTGRESQL)
        "SELECT ''  , y"
    """
    kept: list[str] = []
    position = 0
    while opening := _OPENINGS[dialect].search(sql, position):
        kept.append(sql[position : opening.start()])
        mark = opening.group()
        position = _end(sql, opening.end(), mark, dialect)
        kept.append("''" if mark[-1] in "'\"$" else " ")
    return "".join([*kept, sql[position:]])


def _end(sql: str, start: int, mark: str, dialect: SqlDialect) -> int:
    """Where what `mark` opened before `start` ends; the end of all, where it is not closed."""
    if mark.startswith(("--", "#")):
        closing = re.compile(r"\n|\Z")
    elif mark == "/*":
        return _comment_end(sql, start, nested=dialect is SqlDialect.POSTGRESQL)
    elif mark[0] == "$":
        closing = re.compile(re.escape(mark) + r"|\Z")
    else:
        quote, escapes = mark[-1], dialect is SqlDialect.MARIADB or mark[0] in "eE"
        inner = rf"[^{quote}\\]|\\.|{quote}{quote}" if escapes else rf"[^{quote}]|{quote}{quote}"
        closing = re.compile(rf"(?:{inner})*+(?:{quote}|\Z)", re.DOTALL)
        matched = closing.match(sql, start)
        return matched.end() if matched else len(sql)
    found = closing.search(sql, start)
    return found.end() if found else len(sql)


def _comment_end(sql: str, start: int, *, nested: bool) -> int:
    depth = 1
    for mark in re.compile(r"/\*|\*/").finditer(sql, start):
        depth += (1 if nested else 0) if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(sql)
