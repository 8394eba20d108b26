"""Packages that import each name on first use, so that importing the package is instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def offering(package: str, homes: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """A module's `__getattr__` for the names that other modules define.

    Args:
        package: the module that offers them.
        homes: module → the names that it defines.

    Example:
        >>> offering("rag.sql", {"rag.sql.limits": ["StatementLimits"]})("StatementLimits").__name__
        'StatementLimits'
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(modules[name]), name)

    return get
