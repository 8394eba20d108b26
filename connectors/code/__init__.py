"""Source code as documents: parsed by tree-sitter into definitions, names and places to cut."""

from __future__ import annotations

from connectors.code.languages import LANGUAGES, language_of
from connectors.code.source import parse_source

__all__ = ["LANGUAGES", "language_of", "parse_source"]
