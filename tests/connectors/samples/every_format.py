"""A small real file of every format that is read."""

from __future__ import annotations

import io
import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from tests.connectors.samples import make

_ROOT = Path(__file__).parents[3]
_CODE = _ROOT / "tests/connectors/code/samples"
_HANDBOOK = _ROOT / "examples/handbook"


def samples() -> dict[str, bytes]:
    """A small real file of every format that is read, by its name."""
    prose = (
        "# Pilot fish\n\nThe pilot fish swims with the shark.\n\n"
        "| fish | price |\n|---|---|\n| cod | 3 |\n\n- one\n- two\n"
    )
    found = {
        "a.txt": prose.encode(),
        "a.md": prose.encode() + b"\n```python\nx = 1\n```\n\n> quoted [link](target) *bold*\n",
        "a.rst": b"Pilot fish\n==========\n\nIt swims::\n\n    x = 1\n\n"
        b"===== =====\nfish  price\n===== =====\ncod   3\n===== =====\n",
        "a.org": b"#+TITLE: Pilot fish\n* TODO Swim :sea:\n#+begin_src python\nx = 1\n#+end_src\n"
        b"| fish | price |\n|---+---|\n| cod | 3 |\n",
        "a.html": b"<!doctype html><html><head><title>Fish</title><meta name=author content=Ann></head><body>"
        b"<nav><a href=#>x</a></nav><main><h1>Pilot fish</h1><p>It <b>swims</b> with the shark.</p>"
        b"<table><tr><th>fish<th>price<tr><td>cod<td>3</table><ul><li>one<li>two</ul>"
        b"<pre>x = 1</pre></main></body></html>",
        "a.vtt": b"WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ann>The pilot fish swims.</v>\n",
        "a.srt": b"1\n00:00:01,000 --> 00:00:04,000\nThe pilot fish swims.\n",
        "a.mbox": b"From a@b Tue Mar 04 09:12:00 2025\n" + _letter(),
        "a.csv": b'fish,price\ncod,"3,5"\nhake,4\n',
        "a.tsv": b"fish\tprice\ncod\t3\n",
        "a.json": json.dumps({"fish": [{"name": "cod", "price": n, "seen": "größer"} for n in range(40)]}).encode(),
        "a.jsonl": b'{"fish": "cod", "price": 3}\n{"fish": "hake", "price": 4}\n',
        "a.xml": b'<?xml version="1.0"?><catalogue><title>Fish</title>'
        b'<fish name="cod" price="3">It <b>swims</b>.</fish></catalogue>',
        "a.yaml": b"fish:\n  - name: cod\n    price: 3\n",
        "a.toml": b'[fish]\nname = "cod"\nprice = 3\n',
        "a.rtf": b"{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\info{\\title Fish}}"
        b"Pilot fish {\\b swim} \\u246?\\par cod\\cell 3\\cell\\row }",
        "a.ipynb": json.dumps(_notebook()).encode(),
        "a.pdf": (_HANDBOOK / "travel-expenses.pdf").read_bytes(),
        "b.pdf": make.pdf(
            [[("Pilot fish", 18), ("", 11), ("It swims with the shark.", 11)], [("More.", 11)]], title="Fish"
        ),
        "a.msg": make.msg("Quarterly figures", "Dear all,\r\nthe cod is growing.\r\n"),
        "a.eml": _letter(),
        "a.docx": _word(),
        "a.pptx": _slides(),
        "a.xlsx": _workbook(),
        "a.ods": _open_document("spreadsheet", _TABLE),
        "a.odt": _open_document("text", f"<text:h>Fish</text:h><text:p>It swims.</text:p>{_TABLE}"),
        "a.odp": _open_document("presentation", _SLIDE),
        "a.epub": make.epub("<html><body><h1>Pilot fish</h1><p>It swims with the shark.</p></body></html>"),
    }
    return {**found, **{file.name: file.read_bytes() for file in sorted(_CODE.iterdir()) if file.is_file()}}


def _notebook() -> dict[str, Any]:
    output = {"output_type": "stream", "text": ["1\n"]}
    code = {"cell_type": "code", "source": ["x = 1\n", "print(x)"], "outputs": [output]}
    return {"cells": [{"cell_type": "markdown", "source": "# Fish\n\nIt swims."}, code], "metadata": {}, "nbformat": 4}


def _letter() -> bytes:
    message = EmailMessage()
    for name, value in {
        "Subject": "Catch",
        "From": "Ann Müller <ann@example.org>",
        "To": "Bob <bob@example.org>",
    }.items():
        message[name] = value
    message.set_content("Dear Bob,\n\nthe cod is größer.\n")
    message.add_alternative("<p>Dear Bob, <b>HTML</b></p>", subtype="html")
    message.add_attachment(b"# Prices\n\ncod 3\n", maintype="text", subtype="plain", filename="prices.md")
    return message.as_bytes()


def _saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _word() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("Pilot fish", 1)
    document.add_paragraph("It swims with the shark.")
    table = document.add_table(2, 2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["fish", "price", "cod", "3"], strict=True):
        cell.text = text
    return _saved(document)


def _slides() -> bytes:
    import pptx

    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Pilot fish"
    slide.placeholders[1].text = "It swims with the shark."
    slide.notes_slide.notes_text_frame.text = "Say hello."
    return _saved(show)


def _workbook() -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet("Prices")
        for index, row in enumerate([["fish", "price"], ["cod", 3], ["hake", 4.5]]):
            sheet.write_row(index, 0, row)
    return stream.getvalue()


_TABLE = (
    '<table:table table:name="Prices">'
    '<table:table-row><table:table-cell office:value-type="string"><text:p>fish</text:p>'
    '</table:table-cell><table:table-cell office:value-type="float" office:value="3" table:number-columns-repeated="2">'
    "<text:p>3</text:p></table:table-cell></table:table-row></table:table>"
)


_SLIDE = "<draw:page><draw:frame><draw:text-box><text:p>It swims.</text:p></draw:text-box></draw:frame></draw:page>"


def _open_document(kind: str, body: str) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    names = {"office": "office", "text": "text", "table": "table", "draw": "drawing"}
    spaces = "".join(f' xmlns:{prefix}="{space}:{name}:1.0"' for prefix, name in names.items())
    content = (
        f'<?xml version="1.0"?><office:document-content{spaces}><office:body><office:{kind}>{body}</office:{kind}>'
    )
    return make.zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"{content}</office:body></office:document-content>",
            "META-INF/manifest.xml": "<manifest/>",
        }
    )
