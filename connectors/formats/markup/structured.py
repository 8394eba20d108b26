"""JSON and XML: the file verbatim if it was written for people, else an outline that reads like text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from connectors.formats.limits import parse_xml, text_for
from connectors.parsed import Parsed, TextBuilder, clean, one_line, parse_code

_LONG_LINE = 500
_MAX_OUTLINED = 20_000_000  # characters: the values of a larger one would take gigabytes
_MAX_INDENT = 40
_MOST_ATTRIBUTES = 1_000  # of an element
_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_TITLE_TAGS = ("title", "name", "headline", "subject")


def parse_json(text: str) -> Parsed:
    """JSON as it stands when it is indented and readable; packed on one line or full of escapes, as an outline.

    What is not valid JSON (comments, a cut file) or nests too deeply is kept as it stands.
    """
    packed = max(map(len, text.splitlines()), default=0) > _LONG_LINE or _ESCAPE.search(text)
    if not packed or len(text) > _MAX_OUTLINED:
        return replace(parse_code(text), kind="json")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return replace(parse_code(text), kind="json")
    return replace(parse_code(clean("\n".join(_outline(value)))), kind="json", has_lines=False)


def _outline(root: object) -> Iterator[str]:
    """A JSON value as indented `key: value` lines, `- ` before list items; the depth is the file's: no recursion."""
    pending: list[tuple[str, str, object]] = [("", "", root)]  # what the line begins with, the key, the value
    while pending:
        start, key, value = pending.pop()
        if not isinstance(value, dict | list) or not value:
            yield f"{start}{key}: {_scalar(value)}" if key else f"{start}{_scalar(value)}"
            continue
        if key:
            yield f"{start}{key}:"
        indent = start.replace("-", " ")[:_MAX_INDENT] + ("  " if key else "")
        items = [(str(name), child) for name, child in value.items()] if isinstance(value, dict) else None
        lines = [(indent, *item) for item in items] if items else [(f"{indent}- ", "", item) for item in value]
        if not key:  # the first line of a list item's object stands behind its dash
            lines[0] = (start + ("" if items else "- "), *lines[0][1:])
        pending += lines[::-1]


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def parse_xml_text(text: str) -> Parsed:
    """XML as text: `name: value` lines for elements with one value, whole paragraphs where text and markup mix.

    What is not well-formed is kept as it stands, for a recovered tree can lack half of it; so is what has elements of
    very many attributes.
    """
    try:
        # The text is decoded already: an encoding declared in it is history, and lxml would believe it.
        root = parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode("utf-8", "replace"), recover=False)
    except etree.XMLSyntaxError:
        return replace(parse_code(text), kind="xml")
    # The library searches an element's attributes for each of them.
    if any(len(element.attrib) > _MOST_ATTRIBUTES for element in root.iter(etree.Element)):
        return replace(parse_code(text), kind="xml")
    builder = TextBuilder(text_for(len(text)))
    for record in _xml_records(root):
        builder.paragraph("\n".join(record))
    title = next((one_line(child.text or "") for tag in _TITLE_TAGS for child in root.iterchildren(f"{{*}}{tag}")), "")
    return builder.build("xml", title)


def _xml_records(root: etree._Element) -> Iterator[list[str]]:
    """The lines of the document, gathered by the element that holds them."""
    record: list[str] = []
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if _is_mixed(element):
            yield record
            yield [one_line(" ".join(element.itertext()))]
            record = []
            walk.skip_subtree()
        elif len(element):
            yield record
            record = [_xml_line(element)]
        elif element.attrib or (element.text or "").strip():
            record.append(_xml_line(element))
    yield record


def _is_mixed(element: etree._Element) -> bool:
    """Whether text and elements stand side by side, as in a paragraph with emphasis."""
    if not len(element):
        return False
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)


def _xml_line(element: etree._Element) -> str:
    name = _local(str(element.tag))
    attributes = " ".join(f"{_local(str(key))}={value}" for key, value in element.attrib.items())
    label = f"{name} ({attributes})" if attributes else name
    text = one_line(element.text or "")
    return f"{label}: {text}" if text else f"{label}:" if len(element) else label


def _local(name: str) -> str:
    return name.rpartition("}")[2]
