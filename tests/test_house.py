"""The house: four rooms and the floors of `rag/`, imports that only point down, and no circle anywhere.

Imports inside functions and type-checking blocks count: whoever reads a file needs what it names.
"""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("connectors", "indexes", "rag", "cli")  # from the ground up
FLOORS = (  # of rag/, from the ground up: each may import those below it, and none beside it
    {"lazy"},
    {"text", "timing", "judging", "reader", "indexing"},
    {"query", "reranking"},
    {"retrieval"},
    {"status"},
    {"searchable"},
    {"prompting"},
    {"llm"},
    {"verification"},
    {"sql", "cards", "evaluation"},
    {"answering", "tuning"},
    {"knowledge_base"},
    {"evaluator", "langchain"},
)
MOST_MODULES = 14  # of a folder: beyond it nobody finds anything at the first guess


def module_name(path: Path, root: Path) -> str:
    """`rag/sql/__init__.py` is `rag.sql`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, modules: Set[str]) -> Iterator[str]:
    """The modules of the house that a file imports, wherever in the file, also as `from package import module`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where they point"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield from {name if name in modules else node.module or ""} & modules


def imports_of(root: Path) -> dict[str, set[str]]:
    """Module → the modules that it imports, of all four rooms."""
    paths = {module_name(path, root): path for room in ROOMS for path in sorted((root / room).rglob("*.py"))}
    return {name: set(imported(path, paths.keys())) - {name} for name, path in paths.items()}


def floor(module: str) -> tuple[int, int, str]:
    """How high a module stands: its room, then the floor in `rag/`, and the folder that it stands in there."""
    room, _, inside = module.partition(".")
    place = inside.partition(".")[0]
    if room != "rag" or not place:
        return ROOMS.index(room), len(FLOORS) if room == "rag" else 0, ""
    return ROOMS.index(room), next(at for at, names in enumerate(FLOORS) if place in names), place


def faults(imports: Mapping[str, set[str]]) -> list[str]:
    """What is wrong with the house, a line each."""
    found = []
    for module, others in imports.items():
        for other in sorted(others):
            mine, theirs = floor(module), floor(other)
            if theirs[:2] > mine[:2]:
                found.append(f"{module} imports {other}, which stands above it")
            elif theirs[:2] == mine[:2] and theirs[2] != mine[2]:
                found.append(f"{module} imports {other}, which stands beside it")
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as circle:
        found.append("a circle: " + " → ".join(circle.args[1]))
    return found


def test_imports_point_down_and_never_in_a_circle() -> None:
    assert not (found := faults(imports_of(ROOT))), "\n".join(found)


def test_the_picture_of_the_house_is_true() -> None:
    picture = runpy.run_path(str(ROOT / "scripts" / "draw_architecture.py"))
    _, drawn = picture["ROOMS"]["rag"]
    assert [{name.removesuffix(".py") for name, _ in row} for row in reversed(drawn)] == list(FLOORS)
    assert not list(picture["faults"]())
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == picture["picture"]()


def test_a_folder_can_be_overlooked() -> None:
    folders: dict[Path, int] = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if not path.name.startswith("__"):
                folders[path.parent] = folders.get(path.parent, 0) + 1
    full = [
        f"{folder.relative_to(ROOT)} has {count} modules" for folder, count in folders.items() if count > MOST_MODULES
    ]
    assert not full, "\n".join(full)


def test_the_check_can_fail() -> None:
    upward = faults({"rag.text.words": {"rag.query.query"}, "rag.query.query": set()})
    beside = faults({"rag.sql.limits": {"rag.cards.card"}, "rag.cards.card": set()})
    circle = faults({"indexes.store": {"indexes.writer"}, "indexes.writer": {"indexes.store"}})
    assert upward == ["rag.text.words imports rag.query.query, which stands above it"]
    assert beside == ["rag.sql.limits imports rag.cards.card, which stands beside it"]
    assert circle[0].startswith("a circle: ")


def test_imports_in_functions_count(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from rag.retrieval.hit import Hit\n    from rag import sql\n")
    assert set(imported(module, {"rag.retrieval.hit", "rag.sql", "rag"})) == {"rag.retrieval.hit", "rag.sql"}
