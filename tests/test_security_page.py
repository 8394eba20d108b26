"""The page about security names its proofs: they have to be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_proof_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert len(named) > 20
    assert not (gone := sorted(path for path in named if not (ROOT / path).exists())), gone


def test_every_part_of_the_guard_in_the_picture_is_a_module() -> None:
    picture = PAGE.partition("```mermaid")[2].partition("```")[0]
    parts = {name for names in re.findall(r"\(([a-z_, ]+)\)\"\]", picture) for name in names.split(", ")}
    parts |= set(re.findall(r"\((\w+)\);", picture))
    assert len(parts) > 8
    places = [ROOT / "rag" / "sql" / folder for folder in ("guard", "process")]
    assert not (gone := sorted(part for part in parts if not any((at / f"{part}.py").exists() for at in places))), gone
