from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm.loading import load_llm
from rag.llm.prices import PricedLLM, Prices
from rag.llm.reply import LLMError, Reply
from rag.llm.reply_cache import _TABLE_BEFORE, CachedLLM, ReplyCache
from rag.llm.tokens import estimate_tokens
from rag.llm.usage import Usage
from rag.prompting.prompt import Message, Prompt


def asking(text: str = "What colour is the sky?") -> Prompt:
    return Prompt((Message("user", text),), (), (), 10)


class Counted:
    """An LLM that says something else every time it is asked."""

    name = "counted"
    window = None
    can_write = True

    def __init__(self, *pieces: str, fails: bool = False) -> None:
        self.identity: dict[str, object] = {"model": "counted"}
        self.asked = 0
        self._pieces = pieces
        self._fails = fails

    def count(self, text: str) -> int:
        return estimate_tokens(text)

    def stream(self, prompt: Prompt, question: str) -> Reply:
        def produce(reply: Reply):
            self.asked += 1
            yield f"Answer {self.asked}. "
            yield from self._pieces
            if self._fails:
                raise LLMError("broken off")
            reply.usage = Usage(10, 4)

        return Reply(produce, self.name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.sqlite"


def said(llm, prompt: Prompt | None = None, tokens: int | None = None) -> tuple[str, Usage]:
    with llm.stream(prompt or asking(), "") as reply:
        reply.limits = reply.limits.within(tokens=tokens)
        return "".join(reply), reply.usage


def test_the_same_request_is_answered_from_the_file(path):
    model = Counted("The sky is blue.")
    first, usage = said(CachedLLM(model, ReplyCache(path)))
    again, kept = said(CachedLLM(model, ReplyCache(path)))
    assert first == again == "Answer 1. The sky is blue."
    assert model.asked == 1
    assert usage == Usage(10, 4)
    assert kept == Usage(10, 4, cost=0.0, cached=True)


def test_whatever_matters_makes_another_request(path):
    model = Counted()
    llm = CachedLLM(model, ReplyCache(path))
    said(llm)
    said(llm, asking("What colour is grass?"))
    said(llm, Prompt((Message("system", "What colour is the sky?"),), (), (), 10))
    said(llm, tokens=20)
    model.identity = {"model": "counted", "temperature": 1}
    said(llm)
    assert model.asked == 5


def test_only_whole_replies_are_kept(path):
    cut = Counted(*["word "] * 5000)
    for _ in range(2):
        said(CachedLLM(cut, ReplyCache(path)))
    assert cut.asked == 2
    broken = Counted(fails=True)
    for _ in range(2):
        with pytest.raises(LLMError):
            said(CachedLLM(broken, ReplyCache(path)))
    assert broken.asked == 2
    left = Counted("The sky is blue.")
    for _ in range(2):
        with CachedLLM(left, ReplyCache(path)).stream(asking(), "") as reply:
            next(reply)
    assert left.asked == 2


def test_a_kept_reply_costs_nothing(path):
    model = PricedLLM(CachedLLM(Counted(), ReplyCache(path)), Prices(100.0, 1000.0))
    assert said(model)[1] == Usage(10, 4, cost=0.005)
    assert said(model)[1].cost == 0.0


def test_the_file_is_bounded_and_the_least_used_goes_first(path):
    cache = ReplyCache(path, most_bytes=1_000)
    for number in range(10):
        cache.put(f"key {number}", f"{number}" * 100, Usage())
    assert cache.get("key 0")
    cache.put("another", "x" * 100, Usage())
    assert cache.get("key 0")
    assert cache.get("key 1") is None
    assert cache.get("another")
    cache.put("too large", "x" * 1_001, Usage())
    assert cache.get("too large") is None
    assert cache.get("key 0")


def test_it_is_nobody_elses_to_read(path):
    ReplyCache(path)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def keep(path: Path, numbers: Sequence[int]) -> None:
    cache = ReplyCache(path)
    for number in numbers:
        cache.put(f"key {number}", f"reply {number}", Usage(number, number))


def test_processes_share_the_file(path):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=keep, args=(path, range(start, 60, 3))) for start in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    cache = ReplyCache(path)
    kept = [cache.get(f"key {number}") for number in range(60)]
    assert [entry[0] for entry in kept if entry is not None] == [f"reply {number}" for number in range(60)]


def test_what_is_no_such_file_is_refused_and_left_alone(tmp_path: Path, path: Path):
    path.write_text("my precious notes, and more than a hundred bytes of them " * 20)
    with pytest.raises(ConfigurationError, match="is not a reply cache") as caught:
        ReplyCache(path)
    assert caught.value.hint
    assert path.read_text().startswith("my precious notes")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        ReplyCache(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        ReplyCache(tmp_path / "none" / "replies.sqlite")


def test_a_file_that_would_run_something_is_refused(path):
    ReplyCache(path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TRIGGER t AFTER UPDATE ON replies BEGIN DELETE FROM replies; END")
    connection.close()
    with pytest.raises(ConfigurationError, match="holds other tables"):
        ReplyCache(path)


def test_a_file_that_is_damaged_later_is_named(path):
    cache = ReplyCache(path)
    cache.put("key", "reply " * 1000, Usage())
    path.write_bytes(b"SQLite format 3\x00" + bytes(5000))
    with pytest.raises(ConfigurationError, match="is damaged") as caught:
        said(CachedLLM(Counted(), cache))
    assert "delete" in caught.value.hint


@pytest.mark.parametrize(
    "row",
    [
        (b"bytes", 1, 1),
        ("", 1, 1),
        ("text", -1, 1),
        ("text", 1, "many"),
        ("text", 1.5, 1),
        ("x" * 1_000_001, 1, 1),
        ("The account has moved to 551.", 10, 4),
    ],
    ids=["bytes", "empty", "negative", "no number", "half a token", "endless", "plausible"],
)
def test_a_reply_that_somebody_planted_is_not_found(path, row):
    cache = ReplyCache(path)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO replies VALUES ('key', ?, ?, ?, 1, 0, 'seal')", row)
    connection.close()
    assert cache.get("key") is None


def test_a_reply_that_somebody_changed_or_moved_is_not_found(path):
    cache = ReplyCache(path)
    for key in ("changed", "moved", "left"):
        cache.put(key, f"reply {key}", Usage(1, 1))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE replies SET text = 'another' WHERE key = 'changed'")
        connection.execute("UPDATE replies SET key = 'here' WHERE key = 'moved'")
    connection.close()
    assert [cache.get(key) is not None for key in ("changed", "moved", "here", "left")] == [False, False, False, True]


def test_a_cache_of_before_replies_were_sealed_begins_anew(path):
    with sqlite3.connect(path) as connection:
        connection.execute(_TABLE_BEFORE)
        connection.execute("INSERT INTO replies VALUES ('key', 'text', 1, 1, 4, 0)")
    connection.close()
    cache = ReplyCache(path)
    assert cache.get("key") is None
    cache.put("key", "text", Usage(1, 1))
    assert cache.get("key")


def test_a_file_that_is_locked_is_passed_over(path):
    cache = ReplyCache(path, lock_seconds=0.05)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    model = Counted()
    assert said(CachedLLM(model, cache))[0] == "Answer 1. "
    holder.execute("ROLLBACK")
    holder.close()
    assert said(CachedLLM(model, cache))[0] == "Answer 2. "
    assert said(CachedLLM(model, cache))[0] == "Answer 2. "


def test_what_may_change_unseen_is_not_kept(path):
    with pytest.raises(ConfigurationError, match="'extractive' cannot be cached") as caught:
        load_llm("extractive", cache=path)
    assert "local" in caught.value.hint
    assert not path.exists()
