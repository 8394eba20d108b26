from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pptx
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from connectors.document import LEFT_OUT
from connectors.formats import Parsed, parse

SPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    ' xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


def read(show: Any) -> Parsed:
    stream = io.BytesIO()
    show.save(stream)
    return parse(stream.getvalue(), Path("a.pptx"))


def slide_with(*paragraphs: str) -> tuple[Any, Any]:
    """A presentation of one slide, whose text box holds these paragraphs of XML."""
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    body = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame._txBody
    body.remove(body.p_lst[0])
    for paragraph in paragraphs:
        body.append(pptx.oxml.parse_xml(f"<a:p {SPACES}>{paragraph}</a:p>"))
    return show, slide


def run(text: str, attributes: str = "", inside: str = "") -> str:
    return f"<a:r><a:rPr {attributes}>{inside}</a:rPr><a:t>{text}</a:t></a:r>"


def numbered(kind: str, text: str, level: int = 0, start: str = "") -> str:
    return f'<a:pPr lvl="{level}"><a:buAutoNum type="{kind}" {start}/></a:pPr>{run(text)}'


def test_struck_raised_and_lowered_text_symbols_and_equations() -> None:
    fraction = "<m:f><m:num><m:r><m:t>ρgQH</m:t></m:r></m:num><m:den><m:r><m:t>η</m:t></m:r></m:den></m:f>"
    equation = f"<a14:m><m:oMath><m:r><m:t>P=</m:t></m:r>{fraction}</m:oMath></a14:m>"
    show, _ = slide_with(
        run("The limit is ") + run("50", 'strike="sngStrike"') + run("65 dB", 'strike="noStrike"'),
        run("10") + run("3", 'baseline="30000"') + run(" parts of H") + run("2", 'baseline="-25000"') + run("O"),
        run("The power") + f"<mc:AlternateContent><mc:Choice>{equation}</mc:Choice><mc:Fallback>{run('picture')}"
        "</mc:Fallback></mc:AlternateContent>" + run(", where H is the head."),
        run("þ", inside='<a:latin typeface="Wingdings"/>') + run(" Pets"),
    )
    parsed = read(show)
    assert parsed.text == ("The limit is 65 dB\n10^3 parts of H2O\nThe power P=ρgQH/η, where H is the head.\n☑ Pets")
    assert parsed.metadata[LEFT_OUT] == "struck-out text"


def test_lists_have_the_numbers_that_the_program_counts() -> None:
    show, _ = slide_with(
        numbered("arabicPeriod", "Scope"), numbered("alphaLcParenBoth", "one", 1),
        numbered("alphaLcParenBoth", "two", 1),
        numbered("arabicPeriod", "Fees"), numbered("alphaLcParenBoth", "again", 1), run("between"),
        numbered("romanUcParenR", "late", start='startAt="4"'),
    )  # fmt: skip
    assert read(show).text == "1. Scope\n(a) one\n(b) two\n2. Fees\n(a) again\nbetween\nIV) late"


def test_cells_that_span_stand_in_every_row_and_column_they_cover() -> None:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[6])
    rows = [["Route", "Fare", ""], ["", "adult", "child"], ["Kiel", "80", "40"], ["", "90", "45"]]
    table = slide.shapes.add_table(4, 3, 0, 0, Inches(4), Inches(1)).table
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(2, 0).merge(table.cell(3, 0))
    assert read(show).text == "Route | Fare adult | Fare child\nKiel | 80 | 40\nKiel | 90 | 45"


def test_comments_old_and_new_and_alt_texts() -> None:
    show, slide = slide_with(run("Cod"))
    slide.shapes[0]._element.nvSpPr.cNvPr.set("descr", "A crane lifts a container")
    space = "http://schemas.openxmlformats.org/presentationml/2006/main"
    new = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
    authors = f'<p:cmAuthorLst xmlns:p="{space}"><p:cmAuthor id="0" name="Ann"/></p:cmAuthorLst>'
    old = f'<p:cmLst xmlns:p="{space}"><p:cm authorId="0"><p:text>Too long.</p:text></p:cm></p:cmLst>'
    reply = f'<n:reply authorId="0"><n:txBody><a:p>{run("Yes.")}</a:p></n:txBody></n:reply>'
    modern = (
        f'<n:cmLst xmlns:n="{new}" {SPACES}><n:cm authorId="x"><n:replyLst>{reply}</n:replyLst>'
        f"<n:txBody><a:p>{run('Cut it?')}</a:p></n:txBody></n:cm></n:cmLst>"
    )
    parts = [
        (show.part, RELATIONSHIP_TYPE.COMMENT_AUTHORS, authors),
        (slide.part, RELATIONSHIP_TYPE.COMMENTS, old),
        (slide.part, "http://schemas.microsoft.com/office/2018/10/relationships/comments", modern),
    ]
    for number, (source, kind, content) in enumerate(parts):
        name = PackURI(f"/ppt/comments/part{number}.xml")
        source.relate_to(Part(name, "application/xml", show.part.package, content.encode()), kind)
    text = read(show).text
    assert text.startswith("[Picture: A crane lifts a container]\n\nCod\n\n")
    assert sorted(text.split("\n\n")[2:]) == ["Comment (Ann): Too long.", "Comment (Ann): Yes.", "Comment: Cut it?"]
