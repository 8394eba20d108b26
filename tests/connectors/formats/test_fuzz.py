"""Two thousand mutated files: none ends the process, takes more than its size allows, or is lost in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.formats import parse
from tests.connectors.formats.fuzzing import Outcome, fuzzer, is_sound
from tests.connectors.samples.every_format import samples

FILES, BATCH = 2000, 200


@pytest.mark.slow
@pytest.mark.process
@pytest.mark.parametrize("first", range(0, FILES, BATCH))
def test_mutated_files_end_in_text_or_in_an_error_that_names_them(first: int) -> None:
    with fuzzer() as fuzz:
        trials = [fuzz.trial(seed) for seed in range(first, first + BATCH)]
    assert [trial for trial in trials if not is_sound(trial)] == []
    assert [trial for trial in trials if trial.outcome in {Outcome.LATE, Outcome.CRASHED}] == []
    assert sum(trial.outcome is Outcome.TEXT for trial in trials) > BATCH / 10


def test_the_samples_are_read_whole() -> None:
    for name, data in samples().items():
        parsed = parse(data, Path(name))
        assert parsed.text.strip(), name
        assert "left_out" not in parsed.metadata, name
