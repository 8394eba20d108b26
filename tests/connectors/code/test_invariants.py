"""Whatever the code: no character is lost, none is in two chunks, nothing is too long, every offset is right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.code.languages import language_of
from tests.connectors.code.checks import chunks_of

SAMPLES = sorted(path for path in (Path(__file__).parent / "samples").iterdir() if path.is_file())
STRANGE = ["\x00", "\ufeff", "\r", "\r\n", "\t", "(", "}", '"', "'''", "/*", "//", "#", "é", "😀", "\u2028", "<?php"]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample(path: Path) -> None:
    text = path.read_text("utf-8")
    language = language_of(path, text)
    for window, target in ((16, 8), (60, 48), (254, 200)):
        chunks_of(text, language, window=window, target=target)
    chunks_of(text.replace("\n", "\r\n"), language)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_every_prefix_and_mutation(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(SAMPLES))
    text = path.read_text("utf-8")
    language = language_of(path, text)
    text = text[: data.draw(st.integers(0, len(text)))]
    for _ in range(data.draw(st.integers(0, 4))):
        first = data.draw(st.integers(0, len(text)))
        last = first + data.draw(st.integers(0, 30))
        text = text[:first] + data.draw(st.sampled_from(STRANGE) | st.text(max_size=3)) + text[last:]
    chunks_of(text, language, window=data.draw(st.sampled_from([16, 60])), target=16)
