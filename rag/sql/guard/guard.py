"""The guard: returns one SELECT over allowed data, or an error that names what is not allowed.

The output is not the input text. It is generated from the syntax tree, in which every table was replaced by a query
that offers what may be read of it (`confining`), so that nothing unchecked can run, whatever comments, encodings or a
server's own extensions may hide in the input. The generated text is then parsed and confined again, because it is that
text that runs: it has to stay the same.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from sqlglot import exp  # noqa: TID253 — only who runs SQL imports this module

from rag.sql.allowed import AllowList, SqlDialect
from rag.sql.errors import RefusedError
from rag.sql.guard.confining import confine
from rag.sql.guard.dialects import grammar, written
from rag.sql.guard.functions import allowed_functions, is_syntax
from rag.sql.guard.growth import bound_growth

if TYPE_CHECKING:
    from sqlglot.tokenizer_core import Token

LONGEST_STATEMENT = 20_000  # characters
_MOST_TIMES = 3  # a statement is written out until it stays the same
# What sqlglot stumbles over when a function gets other arguments than it knows.
_MISREAD = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_ONE_SELECT = "write one SELECT that only reads"

# What a statement may be made of, beside functions: the class names of sqlglot's syntax tree. Anything that is not
# listed is refused, so what a later version learns to read is refused until it is looked at.
_QUERIES = frozenset({"Select", "Union", "Except", "Intersect", "Subquery", "Values"})
_PART_NAMES = """
    Alias AggFunc All Any AtTimeZone Aliases Array Between Boolean Bracket Case Cast Collate Column ColumnDef CTE Cube
    CurrentDate CurrentTime CurrentTimestamp DataType DataTypeParam Distinct DPipe Escape Exists Fetch Filter From Group
    GroupingSets Having HexString BitString Identifier If IgnoreNulls In Interval IntervalOp IntervalSpan Is Join
    JSONColumnDef JSONPath JSONPathKey JSONPathRoot JSONPathSubscript JSONPathSlice JSONPathWildcard JSONPathSelector
    JSONPathUnion JSONPathFilter JSONPathScript JSONPathRecursive JSONKeyValue JSONSchema JSONExtract JSONExtractScalar
    JSONBExtract JSONBExtractScalar JSONBContains JSONBContainsAnyTopKeys JSONBContainsAllTopKeys
    Lateral Limit LimitOptions Literal Localtime Localtimestamp MatchAgainst Match National Neg Not Null Offset Order
    Ordered Paren RawString RespectNulls Rollup Slice Star Table TableAlias TableFromRows TableSample Tuple Unnest Var
    TsOrDsToDate TsOrDsToDatetime TsOrDsToTime TsOrDsToTimestamp
    WeekStart Where Window WindowSpec With WithinGroup Overlaps ByteString
    Add Sub Mul Div IntDiv Mod And Or Xor BitwiseAnd BitwiseOr BitwiseXor BitwiseNot BitwiseLeftShift BitwiseRightShift
    EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Like ILike SimilarTo Glob RegexpLike RegexpILike Distance
    ArrayContainsAll ArrayContainedBy ArrayOverlaps Adjacent ExtendsLeft ExtendsRight JSONArrayContains Pow
    JSONValue Nvl2
"""
_PARTS = frozenset(_PART_NAMES.split())
# TRIM(LEADING …) is LTRIM(…), and the NULLS are LAST by themselves.
_WRITTEN_OTHERWISE = frozenset({"both", "leading", "trailing", "nulls", "first", "last"})
_EXECUTABLE_COMMENT = re.compile(r"\s*(?:M?!|\+)")


@dataclass(frozen=True, slots=True)
class GuardedStatement:
    """A statement that may run: `text` is what runs, `shown` the same for people, before it was confined."""

    text: str
    shown: str


def guard(sql: str, allowed: AllowList) -> GuardedStatement:
    """The statement `sql` as it may run.

    Raises:
        RefusedError: it is not one SELECT over `allowed`; the message names what in it is refused.

    Example:
        >>> from rag.sql.allowed import AllowedTable, AllowList, SqlDialect
        >>> shop = AllowList(SqlDialect.SQLITE, (AllowedTable("users", ("id", "name"), hidden=("password",)),))
        >>> guard("select * from users -- all of them", shop).text
        'SELECT * FROM (SELECT "id", "name" FROM "users") AS "users"'
        >>> guard("select password from users", shop)
        Traceback (most recent call last):
        ...
        rag.sql.errors.RefusedError: the column 'password' of 'users' may not be read
    """
    _check_text(sql)
    try:
        with _Quiet():
            found = _checked(sql, allowed)
            text = found.text
            for _ in range(_MOST_TIMES):  # some functions are written as others, and these in one way of several
                before, text = text, _checked(text, allowed).text
                if text == before:
                    return GuardedStatement(text, found.shown)
    except RecursionError:
        raise RefusedError("the statement is nested too deeply", hint="write it in a simpler way") from None
    raise RefusedError(
        f"the statement does not stay the same when it is written out: {text!r}", hint="write it in a simpler way"
    )


def _check_text(sql: str) -> None:
    if len(sql) > LONGEST_STATEMENT:
        raise RefusedError(f"the statement has {len(sql):,} characters", hint=f"at most {LONGEST_STATEMENT:,} are read")
    for sign in sql:
        if not (sign.isprintable() or sign in "\n\r\t \xa0\u3000"):
            raise RefusedError(f"the statement holds the control character {sign!r}", hint="write it without")


def _parsed(sql: str, dialect: SqlDialect) -> exp.Expr:
    """The syntax tree of the one statement in `sql`."""
    from sqlglot.errors import SqlglotError

    language = grammar(dialect)
    try:
        tokens = language.tokenize(sql)
        _check_comments(tokens)
        _check_literals(tokens, sql, dialect)
        trees = [tree for tree in language.parser().parse(tokens, sql) if tree is not None]
    except (SqlglotError, *_MISREAD) as error:
        raise RefusedError(f"this is not SQL that can be read: {_short(error)}", hint=_ONE_SELECT) from None
    if len(trees) != 1:
        found = f"{len(trees)} statements" if trees else "no statement"
        raise RefusedError(f"{found} where one is allowed", hint=_ONE_SELECT)
    return trees[0]


def _checked(sql: str, allowed: AllowList) -> GuardedStatement:
    """`sql` written anew and confined, when all of it is allowed."""
    from sqlglot.errors import SqlglotError

    tree = _parsed(sql, allowed.dialect)
    if type(tree).__name__ not in _QUERIES:
        verb = str(tree.this) if isinstance(tree, exp.Command) else _words(type(tree).__name__)
        raise RefusedError(f"{verb.upper()} is no SELECT", hint=_ONE_SELECT)
    try:
        _check_parts(tree, allowed.dialect)
        shown = written(tree, allowed.dialect)
        _check_nothing_lost(sql, shown, allowed.dialect)
        confine(tree, allowed)
        bound_growth(tree, allowed.dialect)
        text = written(tree, allowed.dialect)
    except (SqlglotError, *_MISREAD) as error:
        raise RefusedError(
            f"this cannot be written for {allowed.dialect}: {_short(error)}",
            hint="give functions their usual arguments",
        ) from None
    _check_calls(text, tree, allowed.dialect)
    return GuardedStatement(text, shown)


def _check_parts(tree: exp.Expr, dialect: SqlDialect) -> None:
    """Refuse every part that is neither listed nor a function, and what only some functions may be given."""
    for node in tree.walk():
        kind = type(node).__name__
        if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) and not isinstance(node.this, str):
            raise RefusedError(f"the function {node.sql()} is not allowed", hint="write its name without quotes")
        if kind in _PARTS or kind in _QUERIES:
            _check_clause(node, dialect)
        elif not isinstance(node, exp.Func):
            raise RefusedError(f"{_shown(node)} is not allowed ({_words(kind)})", hint=_ONE_SELECT)
        elif not re.match(
            r"\w+\(", written(node, dialect)
        ):  # CURRENT_USER, NEXT VALUE FOR: no name for the text's check
            raise RefusedError(f"{_shown(node)} is not allowed", hint=_ONE_SELECT)


def _check_clause(node: exp.Expr, dialect: SqlDialect) -> None:
    """Refuse what hides in the arguments of a part that is allowed otherwise."""
    if isinstance(node, exp.Select) and node.args.get("kind"):
        raise RefusedError(f"SELECT AS {node.args['kind']} is not allowed", hint=_ONE_SELECT)
    if isinstance(node, exp.Cast) and dialect is SqlDialect.SQLITE and node.to.this in exp.DataType.TEMPORAL_TYPES:
        raise RefusedError(
            f"SQLite has no type {node.to.sql()}: a cast to it gives a number", hint="write date(…) or datetime(…)"
        )
    if isinstance(node, exp.DataType) and node.this is exp.DType.USERDEFINED:
        raise RefusedError(f"the type {node.sql()} is not allowed", hint="use one of the types of the SQL standard")


def _check_calls(text: str, tree: exp.Expr, dialect: SqlDialect) -> None:
    """Refuse every name before a parenthesis that is neither an allowed function nor syntax, in the text that will run.

    The tree has classes of its own for the functions that sqlglot knows, under names of its own. In the text they have
    the names by which the database will call them.
    """
    from sqlglot.tokenizer_core import TokenType

    functions = allowed_functions(dialect)
    # The names that stand before a parenthesis because their columns are named in it: `WITH "t"("a", "b") AS …`. They
    # are written in quotes, and no call of a function is.
    renamed = sum(bool(alias.args.get("columns")) for alias in tree.find_all(exp.TableAlias))
    tokens = grammar(dialect).tokenize(text)
    for token, after in pairwise(tokens):
        if after.token_type is not TokenType.L_PAREN or not re.match(r"\w", token.text):
            continue
        if token.token_type in {TokenType.NUMBER, TokenType.STRING}:
            continue
        name = token.text.lower()
        if token.token_type is TokenType.IDENTIFIER:
            renamed -= 1
            if renamed >= 0:
                continue
        elif name in functions or is_syntax(name):
            continue
        raise RefusedError(
            f"the function {token.text} is not allowed",
            hint="use the usual functions for text, numbers, dates and sums",
        )


def _check_nothing_lost(sql: str, text: str, dialect: SqlDialect) -> None:
    """Refuse what is not all there when it is written anew, such as the second argument of HEX(name, 1)."""
    from sqlglot.tokenizer_core import TokenType

    leaves = {TokenType.VAR, TokenType.IDENTIFIER, TokenType.STRING, TokenType.NUMBER}
    kept = Counter(word for token in grammar(dialect).tokenize(text) for word in _words_of(token))
    tokens = grammar(dialect).tokenize(sql)
    for token, after in zip_longest(tokens, tokens[1:]):
        is_call = after is not None and after.token_type is TokenType.L_PAREN  # a function may have another name
        if token.token_type in leaves and not is_call:
            kept.subtract(words := _words_of(token))
            if any(kept[word] < 0 for word in words):
                raise RefusedError(
                    f"{_cut(token.text)!r} would be lost when the statement is written out",
                    hint="give functions their usual arguments",
                )


def _words_of(token: Token) -> list[str]:
    """What has to stay of a token, however the rest is written: the 5 of `.5`, the 1 of `INTERVAL '1' DAY`."""
    from sqlglot.tokenizer_core import TokenType

    text = token.text.lower()
    if token.token_type is TokenType.NUMBER:
        return [text.removeprefix("0.").removesuffix(".")]
    return [word for word in re.findall(r"\w+", text) or [text] if word not in _WRITTEN_OTHERWISE]


def _check_comments(tokens: Sequence[Token]) -> None:
    """Refuse comments that a server would run or obey: what was meant by them would be lost."""
    for token in tokens:
        for comment in getattr(token, "comments", ()):
            if _EXECUTABLE_COMMENT.match(comment):
                raise RefusedError(f"the comment /*{_cut(comment)}*/ is meant to be run", hint="write no such comments")


def _check_literals(tokens: Sequence[Token], sql: str, dialect: SqlDialect) -> None:
    """Refuse what is read as something else than the database would take it for."""
    from sqlglot.tokenizer_core import TokenType

    for token, after in zip_longest(tokens, tokens[1:]):
        shown = sql[token.start : token.end + 1]
        if token.token_type is TokenType.HEX_STRING and dialect is not SqlDialect.SQLITE and shown[:2].lower() == "0x":
            raise RefusedError(f"{shown} is not allowed", hint="write it as a number, or as text")
        if after is None:
            continue
        if token.token_type is TokenType.NUMBER and after.start == token.end + 1 and after.text.startswith("_"):
            raise RefusedError(f"{shown}{after.text} is not allowed", hint="write numbers without _")
        is_path = token.token_type in {TokenType.ARROW, TokenType.DARROW} and after.token_type is TokenType.STRING
        if dialect is SqlDialect.SQLITE and is_path and "." in after.text and not after.text.startswith("$"):
            raise RefusedError(f"the key {after.text!r} is not allowed", hint="write a path: '$.\"a.b\"'")


def _words(kind: str) -> str:
    """The name of a class as words: `IntoTable` is into table."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()


def _shown(node: exp.Expr) -> str:
    try:
        return _cut(node.sql(comments=False))
    except Exception:  # noqa: BLE001 — a part of a statement need not be writable alone; its kind is said anyway
        return _words(type(node).__name__)


def _short(error: Exception) -> str:
    """What sqlglot says, without its underlining."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return _cut(re.sub(r"\x1b\[\d*m", "", line), 200)


def _cut(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


class _Quiet:
    """Keeps sqlglot from logging what it cannot parse: the error reports it."""

    def __enter__(self) -> None:
        import logging

        self._logger = logging.getLogger("sqlglot")
        self._before = self._logger.disabled
        self._logger.disabled = True

    def __exit__(self, *_: object) -> None:
        self._logger.disabled = self._before
