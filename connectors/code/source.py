"""Source code to text with its definitions, their names, and the places where it may be cut."""

from __future__ import annotations

from pathlib import Path

from connectors.code.cuts import statement_cuts
from connectors.code.definitions import FILE, blocks, definitions
from connectors.code.languages import LANGUAGES, language_of
from connectors.code.names import names
from connectors.code.syntax import Leads, Match, Span, Syntax
from connectors.document import CODE, Block, BlockKind, MetadataValue, Symbol
from connectors.formats.parsed import Parsed
from connectors.formats.plain import parse_code

MOST_BROKEN = 0.5  # share of a file in which nothing could be parsed, beyond which its tree is not believed
_PACKAGE_FILES = frozenset({"__init__", "index", "mod"})  # named for the folder they are in


def parse_file(text: str, path: Path) -> Parsed:
    """The code of a file, in the language that its name or first line shows; as plain lines where none is known."""
    return parse_source(text, language_of(path, text), module_name(path))


def parse_source(text: str, language: str, module: str = "") -> Parsed:
    r"""Code in a language of `LANGUAGES`, with its definitions as blocks; `module` is what to call it as a whole.

    What the parser cannot read stays, as code around the definitions it can; where that is most of the text, all is
    plain lines. Either way `syntax_errors` in the metadata counts it.

    >>> [name.text for name in parse_source("class Cart:\n    def total(self): ...", "python").names]
    ['Cart', 'Cart.total', 'total']
    """
    if language not in LANGUAGES or not text.strip():
        return parse_code(text)
    syntax = Syntax(text, language)
    matches = list(syntax.matches())
    metadata: dict[str, MetadataValue] = {"code_language": language}
    errors = _outermost([span for match in matches for span in match.captures.get("error", ())])
    if errors:
        metadata["syntax_errors"] = len(errors)
    if sum(end - start for start, end in errors) > MOST_BROKEN * len(text):
        return Parsed(text, CODE, metadata=metadata, blocks=parse_code(text).blocks)
    leads = _leads(syntax, matches)
    outermost = definitions(syntax, LANGUAGES[language], matches, leads)
    docstring = leads.below(next((span for match in matches for span in match.captures.get("file", ())), (0, 0)))
    whole = Block(
        BlockKind.DEFINITION,
        0,
        len(text),
        label=module,
        symbol=Symbol(module, FILE, docstring=docstring) if module else None,
        parts=tuple(blocks(outermost)),
        cuts=statement_cuts(syntax, leads),
    )
    return Parsed(text, CODE, metadata=metadata, blocks=(whole,), names=names(text, outermost, matches))


def module_name(path: Path) -> str:
    """What people call the file as a part of a program: its stem, or its folder's name where the stem says nothing."""
    return path.parent.name if path.stem in _PACKAGE_FILES and path.parent.name else path.stem


def _leads(syntax: Syntax, matches: list[Match]) -> Leads:
    comments = [span for match in matches for span in match.captures.get("comment", ())]
    return Leads(syntax, comments, [span for match in matches for span in match.captures.get("lead", ())])


def _outermost(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
