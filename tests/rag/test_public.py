"""The public face: what it offers is there, is documented, and is enough for every signature that it shows."""

from __future__ import annotations

import ast
import inspect
import re
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("rag", "connectors", "indexes", "cli")
FACES = [
    ".".join(path.parent.relative_to(ROOT).parts)
    for path in sorted((ROOT / "rag").rglob("__init__.py"))
    if "offering(" in path.read_text(encoding="utf-8")
]
PLAIN = {"MetadataValue", "Condition"}  # aliases of what Python has itself


def offered(face: str) -> dict[str, Any]:
    module = import_module(face)
    return {name: getattr(module, name) for name in module.__all__}


PUBLIC = {name: found for face in FACES for name, found in offered(face).items()}


@pytest.mark.parametrize("face", FACES)
def test_every_face_says_the_same_to_people_and_to_type_checkers(face: str) -> None:
    tree = ast.parse((ROOT / face.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.name: node.module for node in block.body for alias in node.names}  # type: ignore[attr-defined]
    (call,) = (node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call))
    homes = ast.literal_eval(call.args[1])
    assert typed == {name: module for module, names in homes.items() for name in names}
    assert sorted(typed) == sorted(offered(face))


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_is_public_is_documented(name: str) -> None:
    if inspect.isclass(PUBLIC[name]) or inspect.isfunction(PUBLIC[name]):
        assert inspect.getdoc(PUBLIC[name]), f"{name} has no docstring"


def test_a_page_of_the_reference_shows_every_face() -> None:
    shown = {
        found
        for page in (ROOT / "docs" / "reference").glob("*.md")
        for found in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert set(FACES) <= shown


def signatures(found: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The function itself, or the public methods of a class."""
    if inspect.isfunction(found):
        yield found.__name__, found
    for name, member in vars(found).items() if inspect.isclass(found) else ():
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        function = function.fget if isinstance(function, property) else getattr(function, "func", function)
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"{found.__name__}.{name}", function


def named(function: Callable[..., Any]) -> set[str]:
    """The names of this project in the annotations of a function."""
    module = inspect.getmodule(function)
    assert isinstance(module, ModuleType)
    words = {word for each in function.__annotations__.values() for word in re.findall(r"\w+", str(each))}
    imported = {
        alias.asname or alias.name: node.module
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS
        for alias in node.names
    }
    own = {
        name for name, value in vars(module).items() if inspect.isclass(value) and value.__module__ == module.__name__
    }
    return words & (imported.keys() | own)


def test_whatever_stands_in_a_public_signature_is_public() -> None:
    lacking = {
        f"{where} names {name}"
        for found in PUBLIC.values()
        for where, function in signatures(found)
        for name in named(function) - PUBLIC.keys() - PLAIN
        if not isinstance(found, ModuleType) and found is not typing
    }
    assert not lacking, "\n".join(sorted(lacking))


def test_docs_examples_and_the_command_line_import_nothing_private_of_rag() -> None:
    texts = {
        path: path.read_text(encoding="utf-8") for room in ("cli", "examples") for path in (ROOT / room).rglob("*.py")
    }
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        texts[page] = "\n".join(blocks)
    public = {face: set(offered(face)) for face in FACES} | {"rag.langchain": None}
    private = []
    for path, text in texts.items():
        for module, names in re.findall(r"^\s*from (rag[\w.]*) import \(?([\w, ]+)", text, re.MULTILINE):
            there = public.get(module, set())
            taken = {name.split(" as ")[0].strip() for name in names.split(",") if name.strip()}
            if there is not None and taken - there:
                private.append(f"{path.relative_to(ROOT)}: {module} offers no {', '.join(sorted(taken - there))}")
    assert not private, "\n".join(private)
