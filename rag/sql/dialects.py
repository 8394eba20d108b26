"""How sqlglot reads and writes the SQL of each database, with the few places mended where it does not round-trip."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from rag.sql.allowed import Dialect

if TYPE_CHECKING:
    from sqlglot.dialects.dialect import Dialect as Grammar
    from sqlglot.expressions import Expr


@cache
def grammar(dialect: Dialect) -> Grammar:
    """The grammar of `dialect`."""
    made = {Dialect.SQLITE: _sqlite, Dialect.POSTGRESQL: _postgresql, Dialect.MARIADB: _mariadb}
    return made[dialect]()()


def _sqlite() -> type[Grammar]:
    from sqlglot import exp
    from sqlglot.dialects.sqlite import SQLite
    from sqlglot.parsers.sqlite import SQLiteParser

    class _Parser(SQLiteParser):
        def _parse_limit(self, this: Any = None, top: bool = False, skip_limit_token: bool = False) -> Any:
            """LIMIT takes any expression: `LIMIT 2 - x % 2` is no percentage here."""
            limit = super()._parse_limit(this, top, skip_limit_token)
            if (
                isinstance(limit, exp.Limit)
                and (options := limit.args.get("limit_options"))
                and options.args["percent"]
            ):
                limit.set("limit_options", None)
                limit.set("expression", exp.Mod(this=limit.expression, expression=self._parse_unary()))
            return limit

    class _SQLite(SQLite):
        Parser = _Parser

    return _SQLite


def _postgresql() -> type[Grammar]:
    from sqlglot.dialects.postgres import Postgres

    return Postgres


def _mariadb() -> type[Grammar]:
    from sqlglot import exp
    from sqlglot.dialects.mysql import MySQL
    from sqlglot.generators.mysql import MySQLGenerator

    def infix(operator: str) -> Any:
        return lambda self, node: self.binary(node, operator)

    class _Generator(MySQLGenerator):
        # MySQL 8 has REGEXP_LIKE(), MariaDB has not; both have the operator. Only MariaDB has MEDIAN().
        TRANSFORMS: ClassVar = {
            **MySQLGenerator.TRANSFORMS,
            exp.RegexpLike: infix("RLIKE"),
            exp.Median: lambda self, node: self.func("MEDIAN", node.this),
        }

    class _MariaDB(MySQL):
        Generator = _Generator

    return _MariaDB


def written(tree: Expr, dialect: Dialect) -> str:
    """The statement of a syntax tree, without its comments."""
    return tree.sql(grammar(dialect), comments=False, unsupported_level=_strict())


def _strict() -> Any:
    from sqlglot import ErrorLevel

    return ErrorLevel.RAISE
