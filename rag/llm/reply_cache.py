"""Caches LLM replies in a file, so that no request is paid for, or waited for, twice. Off by default."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from connectors.errors import ConfigurationError
from indexes.seals import is_derived_sealed, seal_derived
from rag.llm.base import LLM, DelegatingLLM
from rag.llm.reply import Reply
from rag.llm.usage import Usage
from rag.prompting.prompt import Prompt

T = TypeVar("T")

CACHE_FILE = "replies.sqlite"
"""Its name in the folder of a knowledge base."""

# Raised when what is sent, or how a reply is read, changes in this package: older replies are then not found.
_VERSION = 1
_TABLE = (
    "CREATE TABLE replies (key TEXT PRIMARY KEY, text TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, "
    "completion_tokens INTEGER NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL, seal TEXT NOT NULL) WITHOUT ROWID"
)
_TABLE_BEFORE = _TABLE.replace(", seal TEXT NOT NULL", "")  # whose replies anybody could have written
_SEALED = "reply"
_MOST_BYTES = 64_000_000
_LONGEST_REPLY = 1_000_000  # bytes


class ReplyCache:
    """A SQLite file of replies, at most `most_bytes` of text, for any number of processes; evicts the least used first.

    Another process that writes to it is waited for, `lock_seconds` at most. Replies that somebody else put there are
    not found. A file that cannot be written to for now is passed over: the model is then asked.

    Raises:
        ConfigurationError: `path` is something else than such a file.

    Example:
        >>> import tempfile
        >>> cache = ReplyCache(Path(tempfile.mkdtemp()) / "replies.sqlite")
        >>> cache.put("some key", "Paris [1].", Usage(20, 4))
        >>> cache.get("some key")
        ('Paris [1].', Usage(prompt_tokens=20, completion_tokens=4, cost=0.0, cached=True))
    """

    def __init__(self, path: Path, *, most_bytes: int = _MOST_BYTES, lock_seconds: float = 5.0) -> None:
        self._path = path.expanduser()
        self._most = most_bytes
        self._lock_seconds = lock_seconds
        try:
            # It holds what documents say: nobody else's to read.
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigurationError(
                f"the reply cache {str(path)!r} cannot be opened: {error.strerror or error}",
                hint="name a file in a folder that you may write to",
            ) from error
        self._locked(self._prepare)

    def get(self, key: str) -> tuple[str, Usage] | None:
        """The reply kept under `key`, and its usage; None where there is none."""

        def read(connection: sqlite3.Connection) -> tuple[object, ...] | None:
            row: tuple[object, ...] | None = connection.execute(
                "UPDATE replies SET used = ? WHERE key = ? AND length(text) <= ? "
                "RETURNING text, prompt_tokens, completion_tokens, seal",
                (time.time(), key, _LONGEST_REPLY),
            ).fetchone()
            return row

        match self._locked(read):
            case (str(text), int(asked), int(written), code) if text and is_derived_sealed(
                _SEALED, _values(key, text, asked, written), code
            ):
                return text, Usage(asked, written, cost=0.0, cached=True)
        return None

    def put(self, key: str, text: str, usage: Usage) -> None:
        """Keep a reply under `key`, and drop those used least recently where there are too many."""
        size = len(text.encode("utf-8", "replace"))
        if size > min(_LONGEST_REPLY, self._most):
            return
        asked, written = usage.prompt_tokens, usage.completion_tokens
        code = seal_derived(_SEALED, _values(key, text, asked, written))
        row = (key, text, asked, written, size, time.time(), code)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute(
                "DELETE FROM replies WHERE key IN (SELECT key FROM (SELECT key, SUM(bytes) OVER "
                "(ORDER BY used DESC, key) AS total FROM replies) WHERE total > ?)",
                (self._most,),
            )

        self._locked(write)

    def _locked(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What `work` gives in a transaction; None where another process holds the file for longer than we wait."""
        try:
            with self._transaction() as connection:
                return work(connection)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL}:
                return None
            raise self._spoilt(error) from error
        except sqlite3.DatabaseError as error:
            raise self._spoilt(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=self._lock_seconds, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        schema = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
        if schema == [(_TABLE_BEFORE,)]:
            connection.execute("DROP TABLE replies")
            schema = []
        if not schema:
            connection.execute(_TABLE)
        elif schema != [(_TABLE,)]:
            # A trigger or a view of somebody else's would run with our statements.
            raise self._spoilt("it holds other tables")

    def _spoilt(self, why: object) -> ConfigurationError:
        return ConfigurationError(
            f"{str(self._path)!r} is not a reply cache, or is damaged: {why}", hint="delete it, or name another file"
        )


def _values(key: str, text: str, asked: int, written: int) -> dict[str, object]:
    return {"key": key, "text": text, "prompt_tokens": asked, "completion_tokens": written}


class IdentifiedLLM(LLM, Protocol):
    """An LLM that can identify everything besides the messages that decides its reply."""

    @property
    def identity(self) -> dict[str, object]:
        """It, as what JSON can hold."""
        ...


class CachedLLM(DelegatingLLM):
    """`llm`, whose replies are kept in `cache`. Only whole replies are: none that was broken off or cut."""

    def __init__(self, llm: IdentifiedLLM, cache: ReplyCache) -> None:
        super().__init__(llm)
        self._identified = llm
        self._cache = cache

    def stream(self, prompt: Prompt, question: str) -> Reply:
        """The reply kept for the same messages, else the model's."""
        asked = super().stream(prompt, question)

        def produce(reply: Reply) -> Generator[str]:
            key = self._key(prompt, reply.limits.tokens)
            kept = self._cache.get(key)
            if kept is not None:
                text, reply.usage = kept
                yield text
                return
            reply.at_end += [*asked.at_end, partial(self._keep, key, reply)]
            yield from asked.produce(reply)

        return Reply(produce, self.name, asked.limits)

    def _key(self, prompt: Prompt, tokens: int) -> str:
        messages = [(message.role, message.content) for message in prompt.messages]
        request = {"version": _VERSION, "llm": self._identified.identity, "tokens": tokens, "messages": messages}
        return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()

    def _keep(self, key: str, reply: Reply, text: str, usage: Usage) -> Usage:
        if reply.stopped is None:
            self._cache.put(key, text, usage)
        return usage
