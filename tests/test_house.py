"""The house has four rooms and one direction: imports only ever point down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("connectors", "indexes", "rag", "cli")  # from the ground up
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imported_rooms(path: Path) -> Iterator[str]:
    """The rooms a module imports from, also inside functions and type-checking blocks."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where they point"
            names = [node.module or ""]
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    floor = ROOMS.index(path.relative_to(ROOT).parts[0])
    upward = {room for room in imported_rooms(path) if ROOMS.index(room) > floor}
    assert not upward, f"{path.relative_to(ROOT)} imports from a room above it: {sorted(upward)}"


def test_the_check_can_fail(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from rag.results import Hit\n")
    assert list(imported_rooms(module)) == ["rag"]
