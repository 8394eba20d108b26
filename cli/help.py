"""Help pages that hide the type of `--help`, displayed by typer as `<bool>`."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

CONTEXT = {"help_option_names": ["-h", "--help"]}


def _untyped(option: TyperOption | None) -> TyperOption | None:
    if option is not None:
        option.metavar = ""
    return option


class Verb(TyperCommand):
    """A verb of the command line."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`."""
        return _untyped(super().get_help_option(ctx))


class Family(TyperGroup):
    """A group of verbs, such as `rag card`."""

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """The option `--help`."""
        return _untyped(super().get_help_option(ctx))
