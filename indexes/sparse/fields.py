"""The fields of the sparse index: what a chunk can be found by besides its text, and the weight of a match.

A match in a short field says more than one in a long text, so BM25 scores each field with its own length statistics,
and the weighted scores are added. The weights were chosen on queries about code (`benchmarks/code.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from connectors.document import CODE, ROW, Symbol
from indexes.catalog.rows import StoredChunk
from indexes.terms.abbreviations import definition_forms
from indexes.terms.analyzer import analyze
from indexes.terms.exact import exact_forms

BODY = "body"  # the indexed text: what every chunk has
NAME = "name"
BOOSTS: Mapping[str, float] = MappingProxyType({BODY: 1.0, NAME: 0.3})  # the name of a file or a column is a hint
CODE_BOOSTS: Mapping[str, float] = MappingProxyType(
    {"identifier": 3.0, "symbol": 0.4, "signature": 0.1, "docstring": 0.3, "path": 0.1}
)  # code alone has these; most of what is in them is in the body, too
EXACT = "exact"  # dates, codes, definitions of abbreviations; has no say in BM25: what is in it is looked up
FIELDS = (*BOOSTS, *CODE_BOOSTS, EXACT)

# Whole names weigh so much that a definition is above whatever says its name again and again: in the text, a term that
# comes ever so often counts 2.2 times as much as one that comes once.
K1, B = 1.2, 0.75  # BM25 as tantivy has it

_FOLDERS = 3  # the innermost folders of a file say what it is part of
_STEPS = re.compile(r"[/\\#]+")
_LABEL = re.compile(r"^[^\W\d][\w ]*(?=: )", re.MULTILINE)  # what stands before the value of a column


def field_terms(chunk: StoredChunk) -> dict[str, list[str]]:
    """Field → the terms that a chunk is indexed under in it, for the fields that it has."""
    terms = _terms(chunk)
    if chunk.kind != CODE:
        # A note may be called by its day, and an invoice by its number.
        terms[EXACT] = [*exact_forms(f"{_stem(chunk)}\n{chunk.indexed_text}"), *definition_forms(chunk.indexed_text)]
    return terms


def _terms(chunk: StoredChunk) -> dict[str, list[str]]:
    if chunk.kind == ROW:
        return _row_terms(chunk)
    terms = {BODY: analyze(chunk.indexed_text, chunk.language)}
    if names := _names(chunk):
        terms[NAME] = analyze(" ".join(names), chunk.language)
    symbol = chunk.location.symbol
    return terms if symbol is None else terms | _code_terms(chunk, symbol)


def _names(chunk: StoredChunk) -> list[str]:
    """What a document is called beside its text: its title, the name of its file, and the folders it is in."""
    # A title found in the content is in the context already.
    names = [] if chunk.title in chunk.context else [chunk.title]
    if chunk.kind != CODE:
        names += [_stem(chunk)] if chunk.metadata.get("filename") not in names else []
        names.append(str(chunk.metadata.get("folder", "")).strip("."))
    return [name for name in names if name]


def _stem(chunk: StoredChunk) -> str:
    return PurePath(str(chunk.metadata.get("filename", ""))).stem


def _row_terms(chunk: StoredChunk) -> dict[str, list[str]]:
    """The values of a row, and apart from them, as a hint, what its columns are called.

    Every row of a table has the same columns: in the body, their words would be rare in no passage, least of all in the
    one that describes the table.
    """
    values = f"{chunk.context}\n{_LABEL.sub('', chunk.text)}"
    labels = " ".join(_LABEL.findall(chunk.text))
    return {BODY: analyze(values, chunk.language), NAME: analyze(labels, chunk.language)}


def boosts(chunks: int, code: int) -> dict[str, float]:
    """Field → what its BM25 score is multiplied by in an index of so many chunks, of which `code` have those of code.

    BM25 measures a length by the mean of all chunks, which have none in the fields of code unless they are code: among
    many documents every name would seem long, and count for nothing. So in each field of code, a term that comes once
    in a stretch of the mean length of code counts as it would among code alone.
    """
    if not code:
        return dict(BOOSTS)
    shortening = (1 + K1 * (1 - B + B * max(1.0, chunks / code))) / (1 + K1)
    return dict(BOOSTS) | {field: boost * shortening for field, boost in CODE_BOOSTS.items()}


def _code_terms(chunk: StoredChunk, symbol: Symbol) -> dict[str, list[str]]:
    texts = {
        "signature": _stretch(chunk, symbol.signature),
        "docstring": _stretch(chunk, symbol.docstring),
        "path": " ".join(_STEPS.split(chunk.uri)[-_FOLDERS - 1 : -1]),
    }
    terms = {field: analyze(text, chunk.language) for field, text in texts.items()}
    return _name_terms(symbol.name, chunk.language) | terms


def _name_terms(name: str, language: str) -> dict[str, list[str]]:
    """The names in a qualified name that have several parts, whole, and with nothing between them; and all the parts.

    >>> _name_terms("Cart.get_user2", "en")
    {'identifier': ['get_user2', 'getuser2'], 'symbol': ['cart', 'get', 'user', '2']}
    """
    whole: list[str] = []
    parts: list[str] = []
    for each in re.findall(r"\w+", name):
        first, *others = analyze(each, language) or [""]
        parts += others or [first]
        if others:
            whole += dict.fromkeys([first, *analyze(each.replace("_", "").lower(), language)[:1]])
    return {"identifier": whole, "symbol": parts}


def _stretch(chunk: StoredChunk, span: tuple[int, int]) -> str:
    """A stretch of the document's text as far as this chunk has it."""
    start = chunk.location.start
    return chunk.text[max(0, span[0] - start) : max(0, span[1] - start)]
