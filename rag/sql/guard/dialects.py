"""How sqlglot reads and writes the SQL of each database, with fixes for the few constructs that do not round-trip."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from rag.sql.allowed import SqlDialect

if TYPE_CHECKING:
    from sqlglot.dialects.dialect import Dialect as Grammar
    from sqlglot.expressions import Expr


@cache
def grammar(dialect: SqlDialect) -> Grammar:
    """The grammar of `dialect`."""
    made = {SqlDialect.SQLITE: _sqlite, SqlDialect.POSTGRESQL: _postgresql, SqlDialect.MARIADB: _mariadb}
    return made[dialect]()()


def _sqlite() -> type[Grammar]:
    from sqlglot import exp
    from sqlglot.dialects.sqlite import SQLite
    from sqlglot.generators.sqlite import SQLiteGenerator
    from sqlglot.parsers.sqlite import SQLiteParser

    class _Parser(SQLiteParser):
        FUNCTIONS: ClassVar = _without(SQLiteParser.FUNCTIONS, "LOG10", "LOG2", "MOD")
        LAMBDAS: ClassVar = {}  # `d -> 'k'` as an argument is a value of JSON
        JOINS_HAVE_EQUAL_PRECEDENCE: ClassVar = False  # else a comma is written as CROSS JOIN, which fixes the order

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

    class _Generator(SQLiteGenerator):
        # These two are numbers that stay integers where they are, and REAL is not.
        TYPE_MAPPING: ClassVar = {
            **SQLiteGenerator.TYPE_MAPPING,
            exp.DType.DECIMAL: "NUMERIC",
            exp.DType.BOOLEAN: "NUMERIC",
        }

    class _SQLite(SQLite):
        Parser = _Parser
        Generator = _Generator

    return _SQLite


def _postgresql() -> type[Grammar]:
    from sqlglot import exp
    from sqlglot.dialects.postgres import Postgres
    from sqlglot.generators.postgres import PostgresGenerator
    from sqlglot.parsers.postgres import PostgresParser

    class _Parser(PostgresParser):
        FUNCTIONS: ClassVar = _without(PostgresParser.FUNCTIONS, "LOG10", "TO_HEX", "JSON_OBJECT")
        LAMBDAS: ClassVar = {}  # `d -> 'k'` as an argument is a value of JSON
        FUNCTION_PARSERS: ClassVar = _without(PostgresParser.FUNCTION_PARSERS, "JSON_OBJECT")

    class _Generator(PostgresGenerator):
        TRANSFORMS: ClassVar = {
            **PostgresGenerator.TRANSFORMS,
            exp.CurrentTimestamp: lambda self, node: (
                f"CURRENT_TIMESTAMP({self.sql(node, 'this')})" if node.this else "CURRENT_TIMESTAMP"
            ),
        }

    class _PostgreSQL(Postgres):
        Parser = _Parser
        Generator = _Generator

    return _PostgreSQL


def _mariadb() -> type[Grammar]:
    from sqlglot import exp
    from sqlglot.dialects.mysql import MySQL
    from sqlglot.generators.mysql import MySQLGenerator
    from sqlglot.parsers.mysql import MySQLParser

    class _Parser(MySQLParser):
        # LOG(10, 1000) is 2.9999999999999996 where LOG10 is 3; CHAR gives bytes where CHR gives text.
        FUNCTIONS: ClassVar = _without(MySQLParser.FUNCTIONS, "CHR", "LOG10", "LOG2", "TO_CHAR", "TO_DAYS")
        FUNCTION_PARSERS: ClassVar = _without(MySQLParser.FUNCTION_PARSERS, "CHR")
        LAMBDAS: ClassVar = {}

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
        Parser = _Parser
        Generator = _Generator

    return _MariaDB


def _without(functions: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`functions` but these, which sqlglot would write as others that give other results."""
    return {name: make for name, make in functions.items() if name not in names}


def written(tree: Expr, dialect: SqlDialect) -> str:
    """The statement of a syntax tree, without its comments."""
    from sqlglot import ErrorLevel

    return tree.sql(grammar(dialect), comments=False, unsupported_level=ErrorLevel.RAISE)
