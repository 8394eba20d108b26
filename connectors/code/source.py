"""Turns source code into text with its definitions, their names, and the places where it may be cut."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from connectors.code.cuts import statement_cuts
from connectors.code.definitions import FILE, Definition, blocks, definitions
from connectors.code.languages import LANGUAGES, SQL, language_of
from connectors.code.names import MOST, names
from connectors.code.sql import MOST_CHARACTERS, read_script
from connectors.code.syntax import Leads, Span, Syntax
from connectors.document import CODE, Block, BlockKind, Metadata, MetadataValue, Symbol
from connectors.parsed import Parsed, parse_code

MOST_BROKEN = 0.5  # share of a file in which nothing could be parsed, beyond which its tree is not believed
_MOST_CHARACTERS = 8_000_000
_LONG_LINES, _SHORT = 400, 20_000  # characters: lines of this length on average are minified, but for a short file
_DEEPEST = 1_000  # brackets within brackets
_BRACKET = re.compile(r"[()\[\]{}]")
_PACKAGE_FILES = frozenset({"__init__", "index", "mod"})  # named for the folder they are in


def parse_file(text: str, path: Path) -> Parsed:
    """The code of a file, in the language that its name or first line shows; as plain lines where none is known."""
    return parse_source(text, language_of(path, text), module_name(path))


def parse_source(text: str, language: str, module: str = "") -> Parsed:
    r"""Code in a language of `LANGUAGES`, with its definitions as blocks; `module` is what to call it as a whole.

    What the parser cannot read stays, as code around the definitions it can; where that is most of the text, all is
    plain lines. Either way `syntax_errors` in the metadata counts it; `unparsed` says why a file was not even tried.

    >>> [name.text for name in parse_source("class Cart:\n    def total(self): ...", "python").names]
    ['Cart', 'Cart.total', 'total']
    """
    if not text.strip() or language not in {SQL, *LANGUAGES}:
        return parse_code(text)
    if reason := _unfit(text):
        return replace(parse_code(text), metadata={"code_language": language, "unparsed": reason})
    return _script(text, module) if language == SQL else _program(text, language, module)


def _program(text: str, language: str, module: str) -> Parsed:
    syntax = Syntax(text, language)
    matches = list(syntax.matches())
    metadata: dict[str, MetadataValue] = {"code_language": language}
    errors = _outermost([span for match in matches for span in match.captures.get("error", ())])
    if errors:
        metadata["syntax_errors"] = len(errors)
    if sum(end - start for start, end in errors) > MOST_BROKEN * len(text):
        return replace(parse_code(text), metadata=metadata)
    comments = [span for match in matches for span in match.captures.get("comment", ())]
    leads = Leads(syntax, comments, [span for match in matches for span in match.captures.get("lead", ())])
    outermost = definitions(syntax, LANGUAGES[language], matches, leads)
    docstring = leads.below(next((span for match in matches for span in match.captures.get("file", ())), (0, 0)))
    whole = _whole(text, module, docstring, outermost, statement_cuts(syntax, leads))
    return Parsed(text, CODE, metadata=metadata, blocks=(whole,), names=names(text, outermost, matches))


def _script(text: str, module: str) -> Parsed:
    script = read_script(text)
    if script is None:
        failure: Metadata = {"unparsed": "too large"} if len(text) > MOST_CHARACTERS else {"syntax_errors": 1}
        return replace(parse_code(text), metadata={"code_language": SQL, **failure})
    whole = _whole(text, module, (0, 0), script.created, script.cuts)
    return Parsed(text, CODE, metadata={"code_language": SQL}, blocks=(whole,), names=script.names[:MOST])


def _whole(
    text: str, module: str, docstring: Span, outermost: list[Definition], cuts: tuple[tuple[int, ...], ...]
) -> Block:
    """A file as the block around its definitions."""
    symbol = Symbol(module, FILE, docstring=docstring) if module else None
    parts = tuple(blocks(outermost))
    return Block(BlockKind.DEFINITION, 0, len(text), label=module, symbol=symbol, parts=parts, cuts=cuts)


def module_name(path: Path) -> str:
    """What people call the file as a part of a program: its stem, or its folder's name where the stem says nothing."""
    return path.parent.name if path.stem in _PACKAGE_FILES and path.parent.name else path.stem


def _unfit(text: str) -> str:
    """Why a text is not worth parsing, for nobody wrote it or will read it; nothing where it is."""
    if len(text) > _MOST_CHARACTERS:
        return "too large"
    if len(text) > _SHORT and len(text) > _LONG_LINES * (1 + text.count("\n") + text.count("\r")):
        return "minified"
    return "nested too deeply" if _depth(text) > _DEEPEST else ""


def _depth(text: str) -> int:
    """How deep its brackets nest, as far as it matters: the time of a parser grows with the square of that."""
    if max(map(text.count, "([{")) <= _DEEPEST:
        return 0
    depth = deepest = 0
    for found in _BRACKET.finditer(text):
        depth += 1 if found[0] in "([{" else -1
        deepest = max(deepest, depth)
    return deepest


def _outermost(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
