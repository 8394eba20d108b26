from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest

from connectors.formats import parse
from connectors.formats.titles import claimed_author, claimed_title
from tests.connectors.samples import make


def saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "title",
    [
        "PowerPoint Presentation",
        "PowerPoint-Präsentation",
        "Présentation PowerPoint",
        "Presentación de PowerPoint",
        "Microsoft Word - minutes final.doc",
        "Microsoft PowerPoint - deck",
        "(anonymous)",
        "[no title]",
        "untitled",
        "Untitled-2",
        "Dokument1",
        "Document2.docx",
        "Document1 - Word",
        "Unbenannt 1",
        "Word Document",
        "Slide 1",
        "Mappe1",
        " \n",
        "---",
    ],
)
def test_what_programs_write_as_a_title_is_none(title: str) -> None:
    assert not claimed_title(title)


@pytest.mark.parametrize(
    "title",
    [
        "Torque list",
        "1984",
        "Book of hours",
        "Word of mouth",
        "Office rules",
        "Documentation",
        "Title IX rules",
        "Slide rule",
        "Home rules",
        "2025-03-05",
        "Untitled goose",
        "Excel for beginners",
        "東京",
    ],
)
def test_titles_that_only_look_like_it_stay(title: str) -> None:
    assert claimed_title(f" {title}\n") == title


def test_authors_that_are_programs_are_none() -> None:
    names = ["(anonymous)", "python-docx", "Microsoft Office User", "Ann", "User Müller"]
    assert [name for name in map(claimed_author, names) if name] == ["Ann", "User Müller"]


def test_office_files_ask_the_list() -> None:
    letter = docx.Document()
    letter.add_heading("Torque list", 1)
    letter.core_properties.title, letter.core_properties.author = "Dokument1", "(anonymous)"
    show = pptx.Presentation()
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "Torque list"
    show.core_properties.title, show.core_properties.author = "PowerPoint-Präsentation", "Ann"
    web = b"<title>Untitled document</title><h1>Torque list</h1><p>Bolts.</p>"
    rich = rb"{\rtf1{\info{\title Microsoft Word - torque.doc}{\author Ann}}Bolts.\par}"
    read = [
        parse(data, Path(name))
        for data, name in [(saved(letter), "a.docx"), (saved(show), "a.pptx"), (web, "a.html"), (rich, "a.rtf")]
    ]
    assert [found.title for found in read] == ["Torque list", "Torque list", "Torque list", ""]
    assert [found.metadata.get("author") for found in read] == [None, "Ann", None, "Ann"]


def two_sections(name: str) -> bytes:
    if name == "a.docx":
        document = docx.Document()
        for title in ("Roof", "Walls"):
            document.add_heading(title, 1)
            document.add_paragraph(f"Boards for the {title.lower()}.")
        return saved(document)
    if name == "a.html":
        return b"<h1>Roof</h1><p>Shingles.</p><h1>Walls</h1><p>Boards.</p>"
    if name == "a.odt":
        space = "urn:oasis:names:tc:opendocument:xmlns"
        spaces = f'xmlns:office="{space}:office:1.0" xmlns:text="{space}:text:1.0"'
        body = "".join(
            f'<text:h text:outline-level="1">{title}</text:h><text:p>x</text:p>' for title in ("Roof", "Walls")
        )
        content = f"<office:document-content {spaces}><office:body><office:text>{body}</office:text></office:body>"
        mime = {"mimetype": "application/vnd.oasis.opendocument.text"}
        return make.zipped({**mime, "content.xml": f"{content}</office:document-content>"})
    if name == "a.rst":
        return b"Roof\n====\n\nShingles.\n\nWalls\n=====\n\nBoards.\n"
    return b"# Roof\n\nShingles.\n\n# Walls\n\nBoards.\n"


@pytest.mark.parametrize("name", ["a.md", "a.docx", "a.odt", "a.html", "a.rst"])
def test_the_first_of_several_sections_is_not_the_title_of_the_whole(name: str) -> None:
    parsed = parse(two_sections(name), Path(name))
    assert (parsed.title, [block.label for block in parsed.blocks]) == ("", ["Roof", "Walls"])


def test_a_heading_above_parts_alone_names_the_whole() -> None:
    assert parse(b"# Pump\n\nA pump.\n\n# 1. Safety\n\nx\n\n# Installation\n", Path("a.md")).title == "Pump"
