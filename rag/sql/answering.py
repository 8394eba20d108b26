"""Answers a question with rows: a model writes a statement, the guard checks it, the executor runs it.

Errors are sent back to the model, at most twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.errors import ConfigurationError
from rag.llm.base import LLM
from rag.llm.reply import ANSWER_TOKENS
from rag.llm.usage import Usage
from rag.prompting.prompt import Prompt
from rag.sql.databases import Database
from rag.sql.description import describe
from rag.sql.errors import DatabaseUnreachableError, RefusedError, SqlError
from rag.sql.executor import execute
from rag.sql.guard.guard import guard
from rag.sql.limits import StatementLimits
from rag.sql.values import Rows
from rag.sql.writing import Attempt, declines, fence_for, instructions, messages, statement_in
from rag.timing import Clock

REPAIRS = 2  # how often an error goes back to the model
_BUDGET = 3_000  # tokens of prompt for a model with a large window
_ROOM_FOR_ERRORS = 400
_LONGEST_QUESTION = 2_000  # characters


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """The answer to a question about a database.

    Attributes:
        question: what was asked.
        database: the URI of the database.
        sql: the statement that ran, or the last that was tried; empty where none was written.
        rows: what it gave; without columns where there was an error.
        error: why there are no rows; None when the statement ran.
        hint: what to do about it.
        attempts: all statements, in order, with what was wrong with those before the last.
        usage: tokens of all calls of the model.
        timings_ms: `write`, `run` and `total`.
    """

    question: str
    database: str
    sql: str
    rows: Rows
    error: str | None = None
    hint: str = ""
    attempts: tuple[Attempt, ...] = ()
    usage: Usage = field(default_factory=Usage)
    timings_ms: Mapping[str, float] = field(default_factory=dict)


def no_model(model: LLM) -> ConfigurationError:
    """The error for a question that needs SQL, with an LLM that cannot write any."""
    return ConfigurationError(
        f"a question to a database needs a language model that writes SQL, but {model.name!r} is not one",
        hint="choose one: --llm openai:MODEL, --llm local:FILE.gguf or --llm package.module:object",
    )


def answer_from(
    database: Database,
    question: str,
    model: LLM,
    *,
    limits: StatementLimits | None = None,
    nearest: Sequence[str] = (),
    budget: int | None = None,
    on_attempt: Callable[[Attempt], None] | None = None,
) -> SqlAnswer:
    """Ask `database` a question by a statement that `model` writes.

    Args:
        database: from `open_database`.
        question: what to answer.
        model: what writes SQL.
        limits: how much the statement may take.
        nearest: labels of tables that a search has found for the question, best first.
        budget: tokens of the prompt; None chooses by the model's window.
        on_attempt: hears of each statement when it is known what became of it.

    Raises:
        ConfigurationError: the model is none that can write SQL, or the question is empty.
        LLMError: the model could not answer.
    """
    if not model.can_write:
        raise no_model(model)
    if not question.strip():
        raise ConfigurationError("the question is empty", hint='ask something: rag sql "how many customers are there?"')
    return _Asking(database, question[:_LONGEST_QUESTION], model, limits or StatementLimits(), on_attempt).run(
        nearest, budget
    )


class _Asking:
    """A question being answered."""

    def __init__(
        self,
        database: Database,
        question: str,
        model: LLM,
        limits: StatementLimits,
        on_attempt: Callable[[Attempt], None] | None,
    ) -> None:
        self._database = database
        self._question = question.encode("utf-8", "replace").decode()
        self._model = model
        self._limits = limits
        self._on_attempt = on_attempt or _ignore
        self._attempts: list[Attempt] = []
        self._usage = Usage()
        self._clock = Clock("write", "run")

    def run(self, nearest: Sequence[str], budget: int | None) -> SqlAnswer:
        database = self._database
        window = self._model.window
        if not budget:
            budget = _BUDGET if window is None else min(_BUDGET, window - min(ANSWER_TOKENS, window // 4))
        room = budget - self._fixed_cost()
        description = describe(
            self._question, database.tables, database.allowed.dialect, room, self._model.count, nearest
        )
        hint = ""
        while len(self._attempts) <= REPAIRS:
            reply = self._write(description)
            sql = statement_in(reply)
            if declines(reply):
                error, hint = "the model found no answer in the tables of this database", "ask about what is in them"
                self._note(Attempt("", error))
                break
            try:
                rows = self._execute(sql)
            except SqlError as failure:
                hint = failure.hint
                self._note(Attempt(sql, f"{failure} ({hint})" if hint else str(failure)))
                error = str(failure)
                if isinstance(failure, DatabaseUnreachableError):
                    break
            else:
                self._note(Attempt(rows[0]))
                return self._answer(*rows)
        return self._answer(self._attempts[-1].sql, Rows((), ()), error, hint)

    def _write(self, description: str) -> str:
        sent = messages(self._question, description, self._database.allowed.dialect, self._attempts)
        cost = sum(self._model.count(message.content) for message in sent)
        with self._clock("write"), self._model.stream(Prompt(sent, (), (), cost), self._question) as reply:
            text = "".join(reply)
        before, now = self._usage, reply.usage
        self._usage = Usage(before.prompt_tokens + now.prompt_tokens, before.completion_tokens + now.completion_tokens)
        return text

    def _execute(self, sql: str) -> tuple[str, Rows]:
        """The statement as people read it, and its rows."""
        if not sql:
            raise RefusedError("there is no SQL in the reply", hint="reply with one SELECT in a ```sql block")
        statement = guard(sql, self._database.allowed)
        with self._clock("run"):
            rows = execute(self._database.url, statement.text, self._database.allowed, self._limits)
        return statement.shown, rows

    def _note(self, attempt: Attempt) -> None:
        self._attempts.append(attempt)
        self._on_attempt(attempt)

    def _answer(self, sql: str, rows: Rows, error: str | None = None, hint: str = "") -> SqlAnswer:
        timings = self._clock.timings()
        return SqlAnswer(
            question=self._question,
            database=self._database.uri,
            sql=sql,
            rows=rows,
            error=error,
            hint=hint,
            attempts=tuple(self._attempts),
            usage=self._usage,
            timings_ms={**timings, "total": round(sum(timings.values()), 3)},
        )

    def _fixed_cost(self) -> int:
        """The tokens of a prompt beside the tables, with room for what went wrong before."""
        told = instructions(self._database.allowed.dialect, fence_for(self._question))
        return self._model.count(f"{told}\n{self._question}") + _ROOM_FOR_ERRORS


def _ignore(_attempt: Attempt) -> None:
    """Nobody listens."""
