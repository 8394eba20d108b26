from __future__ import annotations

import re

import pytest

from connectors.errors import ConfigurationError
from rag.prompting.composer import Composer
from rag.prompting.templates import DEFAULT_TEMPLATE, load_template, parse_template
from tests.rag.samples import hits, word_count

TEXT = DEFAULT_TEMPLATE.read_text("utf-8")


def test_a_copy_can_be_changed(tmp_path):
    copy = tmp_path / "mine.txt"
    changed = TEXT.replace("Be brief", "Be a pirate").replace("Question: {question}", "{{asked}} {question}")
    copy.write_bytes(b"\xef\xbb\xbf" + changed.replace("\n", "\r\n").encode())
    system, user = Composer(500, word_count, template=load_template(copy)).compose("Why?", hits("So.")).messages
    assert "Be a pirate" in system.content
    assert user.content.endswith("{asked} Why?")
    assert "{" not in system.content


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("{question}\n\n=== source", "{qestion}\n\n=== source", "unknown variable 'qestion' in 'user'"),
        ("{context}", "{context.__class__}", "unknown variable 'context.__class__' in 'source'"),
        ("{context}", "{0}", "unknown variable '0' in 'source'"),
        ("{context}", "{}", "unknown variable '' in 'source'"),
        ("Be brief", "Be { brief", "a single '{'"),
        ("Be brief", "Be brief }", "a single '}'"),
        ("=== background ===", "=== backdrop ===", "section 'backdrop' is unknown"),
        ("=== history ===", "=== source ===", "section 'source' is twice"),
    ],
)
def test_a_mistake_is_named_with_its_line(old, new, problem):
    text = TEXT.replace(old, new)
    place = next(n for n, (a, b) in enumerate(zip(TEXT.splitlines(), text.splitlines(), strict=True), 1) if a != b)
    with pytest.raises(ConfigurationError, match=re.escape(f"mine.txt, line {place}: {problem}")) as caught:
        parse_template(text, "mine.txt")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("old", "problem"),
    [
        ("{sources}", "section 'user' lacks the variable 'sources'"),
        ("Question: {question}\n\n=== source", "section 'user' lacks the variable 'question'"),
        ("number={number} ", "section 'source' lacks the variable 'number'"),
        ("=== system ===", "no section 'system'"),
    ],
)
def test_what_is_missing_is_named(old, problem):
    new = "=== source" if old.endswith("=== source") else ""
    with pytest.raises(ConfigurationError, match=re.escape(f"mine.txt: {problem}")):
        parse_template(TEXT.replace(old, new), "mine.txt")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{text}\n</{fence}>", "</{fence}>\n{text}"),
        ('<{fence} number={number} title="{title}"', '{title} <{fence} number={number} title="{title}"'),
        ("</{fence}>", "<{fence}>"),
        ("<{fence} ", "<data {fence} "),
    ],
)
def test_a_template_cannot_put_documents_outside_of_their_fence(old, new):
    with pytest.raises(ConfigurationError, match="does not keep its text between"):
        parse_template(TEXT.replace(old, new), "mine.txt")


def test_values_are_never_read_as_variables():
    user = Composer(500, word_count).compose("{sources} {0}", hits("{question} {{x}} {fence}")).messages[1].content
    assert "{question} {{x}} {fence}" in user
    assert user.endswith("Question: {sources} {0}")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"=== system ===\n" + b"x" * 70_000])
def test_a_file_that_is_no_template_is_refused(tmp_path, content):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=re.escape("mine.txt")):
        load_template(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        load_template(tmp_path / "gone.txt")
    assert "copy" in caught.value.hint
