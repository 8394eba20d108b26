from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pptx
import pytest
import xlsxwriter
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from connectors.document import Block, BlockKind
from connectors.errors import SourceError
from connectors.formats import Parsed, parse
from tests.connectors.samples import make

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
ODF = "".join(
    f' xmlns:{prefix}="{_OFFICE}:{name}:1.0"'
    for prefix, name in [
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
        ("meta", "meta"),
    ]
)


def saved(document: Any) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def tables(parsed: Parsed) -> list[Block]:
    return [block for block in parsed.blocks if block.kind is BlockKind.TABLE]


def headings(parsed: Parsed) -> list[tuple[int, str]]:
    return [(block.level, block.label) for block in parsed.blocks if block.kind is BlockKind.HEADING]


def word_document() -> Any:
    document = docx.Document()
    document.add_heading("The fish report", 0)
    document.add_paragraph("An introduction.")
    document.add_heading("Prices", 1)
    table = document.add_table(rows=0, cols=3)
    for row in (["name", "", "price"], ["cod", "", "3"], ["eel", "", "5"]):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_heading("Details", 2)
    document.add_paragraph("first item", style="List Bullet")
    document.add_paragraph("second item", style="List Bullet")
    document.sections[0].header.paragraphs[0].text = "Confidential"
    return document


def test_docx_keeps_the_order_of_headings_tables_and_lists() -> None:
    parsed = parse(saved(word_document()), Path("a.docx"))
    assert parsed.text == (
        "The fish report\n\nAn introduction.\n\nPrices\n\nname | price\ncod | 3\neel | 5\n\nDetails\n\n"
        "- first item\n- second item\n\nConfidential"
    )
    assert (parsed.kind, parsed.title) == ("docx", "The fish report")
    assert headings(parsed) == [(1, "The fish report"), (1, "Prices"), (2, "Details")]
    (table,) = tables(parsed)
    assert table.header == "name | price"
    assert parsed.text[table.start : table.end] == "name | price\ncod | 3\neel | 5"


def test_docx_text_boxes_content_controls_and_edits_are_not_lost() -> None:
    document = docx.Document()
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    run = "<w:r><w:t>{}</w:t></w:r>"
    deleted = "<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    box = f"<w:r><w:pict><w:txbxContent><w:p>{run.format('in a box')}</w:p></w:txbxContent></w:pict></w:r>"
    control = f"<w:sdtContent><w:p>{run.format('controlled')}</w:p></w:sdtContent>"
    for element in (
        f"<w:p {space}>{run.format('kept')}{deleted}<w:ins>{run.format(', inserted')}</w:ins></w:p>",
        f"<w:p {space}>{run.format('anchor')}{box}</w:p>",
        f"<w:sdt {space}>{control}</w:sdt>",
    ):
        document.element.body.append(docx.oxml.parse_xml(element))
    assert parse(saved(document), Path("a.docx")).text == "kept, inserted\n\nanchor\n\nin a box\n\ncontrolled"


def test_docx_title_comes_from_the_properties_when_no_paragraph_is_one() -> None:
    document = docx.Document()
    document.add_paragraph("Text.")
    document.core_properties.title = "From the properties"
    document.core_properties.author = "Ann"
    parsed = parse(saved(document), Path("a.docx"))
    assert (parsed.title, parsed.metadata["author"]) == ("From the properties", "Ann")


def test_pptx_slides_are_pages_with_their_tables_charts_and_notes() -> None:
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Fish markets"
    first.placeholders[1].text = "Cod is up\nEel is down"
    first.notes_slide.notes_text_frame.text = "Mention the weather."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Prices"
    table = second.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(1)).table
    for row, texts in enumerate([["name", "price"], ["cod", "3"]]):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    chart = CategoryChartData()
    chart.categories = ["May", "June"]
    chart.add_series("Catch", (10, 20))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(2), chart)
    parsed = parse(saved(presentation), Path("a.pptx"))
    assert parsed.text == (
        "Fish markets\n\nCod is up\nEel is down\n\nMention the weather.\n\n"
        "Prices\n\nname | price\ncod | 3\n\n | Catch\nMay | 10.0\nJune | 20.0"
    )
    assert parsed.title == "Fish markets"
    assert headings(parsed) == [(1, "Fish markets"), (1, "Prices")]
    assert parsed.pages == (0, parsed.text.index("Prices"))
    assert tables(parsed)[0].header == "name | price"


def blank_slide() -> tuple[Any, Any]:
    presentation = pptx.Presentation()
    return presentation, presentation.slides.add_slide(presentation.slide_layouts[6])


def chart_slide(kind: XL_CHART_TYPE, data: Any) -> bytes:
    presentation, slide = blank_slide()
    chart = slide.shapes.add_chart(kind, 0, 0, Inches(4), Inches(2), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Catch"
    return saved(presentation)


def repacked(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """An archive with its members changed, or left out where `change` gives None."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if (body := change(name, old.read(name))) is not None:
                new.writestr(name, body)
    return stream.getvalue()


def test_pptx_slides_come_in_the_order_they_are_shown() -> None:
    presentation = pptx.Presentation()
    for title in ("one", "two", "three"):
        presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = title
    order = presentation.slides._sldIdLst
    order.insert(0, order[2])
    assert headings(parse(saved(presentation), Path("a.pptx"))) == [(1, "three"), (1, "one"), (1, "two")]


def test_pptx_text_in_groups_fields_and_line_breaks_is_not_lost() -> None:
    presentation, slide = blank_slide()
    inner = slide.shapes.add_group_shape().shapes.add_group_shape().shapes
    inner.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "deep in two groups"
    frame = slide.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame
    frame.text = "a line\vbroken"
    space = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    field = f'<a:fld {space} id="{{0}}" type="slidenum"><a:t> 7</a:t></a:fld>'
    frame.paragraphs[0]._p.append(pptx.oxml.parse_xml(field))
    assert parse(saved(presentation), Path("a.pptx")).text == "deep in two groups\n\na line\nbroken 7"


def test_pptx_a_title_without_its_own_index_is_one_and_the_properties_give_the_name() -> None:
    presentation = pptx.Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text = "On the slide"
    presentation.core_properties.title = "In the properties"
    presentation.core_properties.author = "Ann"
    parsed = parse(saved(presentation), Path("a.pptx"))
    assert headings(parsed) == [(1, "On the slide")]
    assert (parsed.title, dict(parsed.metadata)) == ("In the properties", {"author": "Ann", "pages": 1})


def test_pptx_charts_with_missing_values_levels_and_points_of_their_own() -> None:
    data = CategoryChartData()
    data.categories = ["May", "June", "July"]
    data.add_series("cod", (10, None, 30))
    data.add_series("eel", (1.5, 2, None))
    text = parse(chart_slide(XL_CHART_TYPE.LINE, data), Path("a.pptx")).text
    assert text == "Catch\n\n | cod | eel\nMay | 10.0 | 1.5\nJune |  | 2.0\nJuly | 30.0"
    levels = CategoryChartData()
    for year, months in (("2023", ["May", "June"]), ("2024", ["July"])):
        category = levels.add_category(year)
        for month in months:
            category.add_sub_category(month)
    levels.add_series("cod", (1, 2, 3))
    text = parse(chart_slide(XL_CHART_TYPE.COLUMN_CLUSTERED, levels), Path("a.pptx")).text
    assert text == "Catch\n\n | cod\nMay | 1.0\nJune | 2.0\nJuly | 3.0"
    points = XyChartData()
    one, other = points.add_series("cod"), points.add_series("eel")
    one.add_data_point(1, 2)
    other.add_data_point(3, 4)
    other.add_data_point(5, 6)
    text = parse(chart_slide(XL_CHART_TYPE.XY_SCATTER, points), Path("a.pptx")).text
    assert text == "Catch\n\n | cod\n1 | 2.0\n\n | eel\n3 | 4.0\n5 | 6.0"


def test_pptx_a_chart_that_claims_a_billion_points_has_those_that_are_there() -> None:
    data = CategoryChartData()
    data.categories = ["May"]
    data.add_series("cod", (10,))
    slides = repacked(
        chart_slide(XL_CHART_TYPE.COLUMN_CLUSTERED, data),
        lambda name, body: body.replace(b'ptCount val="1"', b'ptCount val="1000000000"'),
    )
    assert parse(slides, Path("a.pptx")).text == "Catch\n\n | cod\nMay | 10.0"


def test_pptx_in_the_strict_variant_of_the_format_is_read_too() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Fish", "Cod"
    transitional = rb"http://schemas.openxmlformats.org/(officeDocument|presentationml|drawingml)/2006"
    strict = rb"http://purl.oclc.org/ooxml/\1"
    data = repacked(saved(presentation), lambda _, body: re.sub(transitional, strict, body))
    assert parse(data, Path("a.pptx")).text == "Fish\n\nCod"


def test_pptx_with_a_part_missing_keeps_the_others() -> None:
    presentation = pptx.Presentation()
    for title in ("one", "two"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = title
        slide.notes_slide.notes_text_frame.text = f"notes of {title}"
    gone = {"ppt/slides/slide1.xml", "ppt/notesSlides/notesSlide2.xml"}
    data = repacked(saved(presentation), lambda name, body: None if name in gone else body)
    assert parse(data, Path("a.pptx")).text == "two"


def workbook() -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet("Catch")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write(0, 0, "Catch by boat")
    for column, text in enumerate(["boat", "tons", "when"]):
        sheet.write(2, column, text)
    sheet.write_row(3, 0, ["Nora", 12])
    sheet.write_datetime(3, 2, date(2024, 2, 29), day)
    sheet.write_row(5, 0, ["Otto", 3.5])
    sheet.write(5, 2, True)
    book.add_worksheet("Empty")
    groups = book.add_worksheet("Groups")
    for row, texts in enumerate([["", "cod", "", "eel"], ["boat", "tons", "price", "tons"], ["Nora", 1, 2, 3]]):
        groups.write_row(row, 0, texts)
    book.close()
    return stream.getvalue()


def test_xlsx_sheets_are_headings_and_tables_with_headers() -> None:
    parsed = parse(workbook(), Path("a.xlsx"))
    assert parsed.text == (
        "Catch\n\nCatch by boat\n\nboat | tons | when\nNora | 12 | 2024-02-29\n\nOtto | 3.5 | TRUE\n\n"
        "Groups\n\n | cod |  | eel\nboat | tons | price | tons\nNora | 1 | 2 | 3"
    )
    assert headings(parsed) == [(1, "Catch"), (1, "Groups")]
    first, after_a_gap, grouped = tables(parsed)
    assert first.header == "boat | tons | when"
    assert after_a_gap.header == "boat | tons | when"
    assert grouped.header == "boat | cod tons | price | eel tons"


def odf(kind: str, body: str, styles: str = "", **more: str) -> bytes:
    content = f"<office:document-content{ODF}>{styles}<office:body>{body}</office:body></office:document-content>"
    return make.zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **more})


def test_ods_is_read_as_a_spreadsheet() -> None:
    def cell(text: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'

    rows = "".join(f"<table:table-row>{cell(a)}{cell(b)}</table:table-row>" for a, b in [("name", "sea"), ("cod", "N")])
    body = f'<office:spreadsheet><table:table table:name="Fish">{rows}</table:table></office:spreadsheet>'
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    parsed = parse(odf("spreadsheet", body, **{"META-INF/manifest.xml": manifest}), Path("a.ods"))
    assert parsed.text == "Fish\n\nname | sea\ncod | N"


def test_odt_headings_lists_tables_notes_and_title() -> None:
    table = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{t}</text:p></table:table-cell>' for t in row)}"
        "</table:table-row>"
        for row in [("name", "price"), ("cod", "3")]
    )
    body = (
        '<office:text><text:p text:style-name="P1">The fish book</text:p>'
        '<text:h text:outline-level="2">Prices</text:h>'
        '<text:p>Two<text:s text:c="2"/>words<text:note><text:note-body><text:p>A note.</text:p></text:note-body>'
        "</text:note> and more.</text:p>"
        "<text:list><text:list-item><text:p>one</text:p></text:list-item><text:list-item><text:p>two</text:p>"
        f"</text:list-item></text:list><table:table>{table}</table:table></office:text>"
    )
    styles = '<style:style style:name="P1" style:parent-style-name="Title"/>'
    parsed = parse(odf("text", body, styles), Path("a.odt"))
    assert parsed.text == (
        "The fish book\n\nPrices\n\nTwo words and more.\n\nA note.\n\n- one\n- two\n\nname | price\ncod | 3"
    )
    assert (parsed.kind, parsed.title) == ("odt", "The fish book")
    assert headings(parsed) == [(2, "Prices")]
    assert tables(parsed)[0].header == "name | price"


def test_odp_slides_are_pages() -> None:
    frame = "<draw:frame{}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    title = ' presentation:class="title"'
    pages = "".join(
        f"<draw:page>{frame.format(title, t)}{frame.format('', b)}</draw:page>" for t, b in [("A", "x"), ("B", "y")]
    )
    parsed = parse(odf("presentation", f"<office:presentation>{pages}</office:presentation>"), Path("a.odp"))
    assert (parsed.text, parsed.pages) == ("A\n\nx\n\nB\n\ny", (0, 6))
    assert headings(parsed) == [(1, "A"), (1, "B")]


def test_epub_chapters_in_the_order_of_the_spine() -> None:
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>The sea</dc:title><dc:creator>Ann</dc:creator></metadata><manifest>"
        '<item id="one" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="toc" href="toc.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>'
        '<spine><itemref idref="toc"/><itemref idref="two"/><itemref idref="one"/></spine></package>'
    )
    head = '<?xml version="1.0" encoding="utf-8"?><html><head><title>t</title></head>'
    chapter = head + "<body><h1>{}</h1><p>{}</p></body></html>"
    container = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
    book = make.zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OPS/book.opf": package,
            "OPS/text/one a.xhtml": chapter.format("Second", "Größe"),
            "OPS/text/two.xhtml": chapter.format("First", "Begin"),
            "OPS/toc.xhtml": chapter.format("Contents", "First Second"),
        }
    )
    parsed = parse(book, Path("a.epub"))
    assert parsed.text == "First\n\nBegin\n\nSecond\n\nGröße"
    assert (parsed.title, parsed.metadata["author"]) == ("The sea", "Ann")


def test_rtf_text_tables_and_title() -> None:
    text = (
        r"{\rtf1\ansi\ansicpg1252{\info{\title Fish \'fcber alles}{\author Ann}}{\fonttbl{\f0 Times;}}"
        r"\f0 First \b bold\b0  paragraph.\par Gr\u246?\'dfe \u8364?5\par"
        r"\trowd a\cell b\cell\row\trowd 1\cell 2\cell\row }"
    )
    parsed = parse(text.encode(), Path("a.rtf"))
    assert parsed.text.startswith("First bold paragraph.\n\nGröße €5\n\na | b\n1 | 2")
    assert (parsed.title, parsed.metadata["author"]) == ("Fish über alles", "Ann")
    assert tables(parsed)[0].header == "a | b"


@pytest.mark.parametrize(
    ("streams", "name", "reason", "hint"),
    [
        ({"WordDocument": b"x"}, "a.doc", "Word 97-2003", "--convert-to docx"),
        ({"PowerPoint Document": b"x"}, "a.ppt", "PowerPoint 97-2003", "--convert-to pptx"),
        ({"EncryptedPackage": b"x", "EncryptionInfo": b"x"}, "a.docx", "encrypted", "password"),
        ({"Something": b"x"}, "a.pub", "OLE", "PDF"),
    ],
)
def test_office_files_that_cannot_be_read_say_what_to_do(
    streams: dict[str, bytes], name: str, reason: str, hint: str
) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        parse(make.ole(streams), Path(name))
    assert str(caught.value).startswith(f"{name}: ")
    assert hint in caught.value.hint


def test_a_wrong_extension_changes_nothing() -> None:
    data = saved(word_document())
    assert parse(data, Path("a.txt")).text == parse(data, Path("a.docx")).text
    assert parse(workbook(), Path("a.docx")).kind == "spreadsheet"


def sheet_file(rows: str, *, sheets: int = 1, strings: str = "", before: str = "") -> bytes:
    """A workbook written by hand: all its sheets are the same part."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, sheets + 1))
    parts = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        for n in range(1, sheets + 1)
    )
    parts += f'<Relationship Id="s" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
    return make.zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{office}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{parts}</Relationships>',
            "xl/sharedStrings.xml": f'<sst xmlns="{main}">{strings}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{before}<sheetData>{rows}</sheetData></worksheet>',
        }
    )


def test_a_string_shared_by_very_many_cells_is_cut_and_told() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 5001))
    data = sheet_file(rows, strings=f"<si><t>{'fish ' * 2000}</t></si>")
    parsed = parse(data, Path("a.xlsx"))
    assert 2_000_000 < len(parsed.text) < 4_000_000 < 5000 * 10_000
    assert str(parsed.metadata["left_out"]).startswith("text beyond 2,")


def test_a_sheet_shown_a_thousand_times_is_cut_and_told() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 101))
    parsed = parse(sheet_file(rows, sheets=1000, strings=f"<si><t>{'fish ' * 1000}</t></si>"), Path("a.xlsx"))
    assert len(parsed.text) < 4_000_000
    assert parsed.metadata["left_out"]


def test_a_sheet_that_lies_about_its_size_is_read() -> None:
    first = '<row r="1"><c r="A1"><v>1</v></c></row>'
    data = sheet_file(first, before='<dimension ref="A1:XFD1048576"/>')
    assert parse(data, Path("a.xlsx")).text == "S1\n\n1"


def test_a_gap_of_a_million_rows_costs_little() -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>2</v></c></row>'
    assert parse(sheet_file(rows), Path("a.xlsx")).text == "S1\n\n1\n\n2"


def test_a_row_of_every_column_does_not_make_all_rows_as_long() -> None:
    wide = "".join(f'<c r="{xlsxwriter.utility.xl_col_to_name(n)}1"><v>1</v></c>' for n in range(16_384))
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c><c r="B{n}"><v>2</v></c></row>' for n in range(2, 1000))
    parsed = parse(sheet_file(f'<row r="1">{wide}</row>{rows}'), Path("a.xlsx"))
    assert parsed.text.endswith("\n1 | 2\n1 | 2")
    assert "left_out" not in parsed.metadata


@pytest.mark.parametrize(("rows", "columns"), [(2_000, 1000), (500_000, 5)])
def test_a_cell_repeated_by_its_word_is_cut_and_told(rows: int, columns: int) -> None:
    body = (
        f'<table:table table:name="S"><table:table-row table:number-rows-repeated="{rows}"><table:table-cell'
        f' office:value-type="string" table:number-columns-repeated="{columns}"><text:p>fish</text:p>'
        "</table:table-cell></table:table-row></table:table>"
    )
    content = f"<office:document-content{ODF}><office:body><office:spreadsheet>{body}</office:spreadsheet>"
    members = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "META-INF/manifest.xml": "<manifest/>",
        "content.xml": f"{content}</office:body></office:document-content>",
    }
    parsed = parse(make.zipped(members), Path("a.ods"))
    assert len(parsed.text) < 3_000_000
    assert parsed.metadata["left_out"]


@pytest.mark.parametrize(
    "damage", [("</table:table>", ""), ("</table:table>", "</t\r\rable:table>"), ("</text:p>", "")]
)
def test_a_sheet_that_breaks_off_is_refused_at_once(damage: tuple[str, str]) -> None:
    row = '<table:table-row><table:table-cell office:value-type="string"><text:p>fish</text:p></table:table-cell>'
    body = f'<office:spreadsheet><table:table table:name="S">{row}</table:table-row></table:table></office:spreadsheet>'
    whole = {"META-INF/manifest.xml": "<manifest/>"}
    assert "fish" in parse(odf("spreadsheet", body, **whole), Path("a.ods")).text
    with pytest.raises(SourceError, match=r"a\.ods: damaged: content\.xml: "):
        parse(odf("spreadsheet", body.replace(*damage), **whole), Path("a.ods"))


def odt_of(body: str) -> bytes:
    content = f"<office:document-content{ODF}><office:body><office:text>{body}</office:text></office:body>"
    members = {"mimetype": "application/vnd.oasis.opendocument.text"}
    return make.zipped({**members, "content.xml": f"{content}</office:document-content>"})


def test_text_boxes_in_text_boxes_are_read_once() -> None:
    depth = 60
    boxes = "<text:p>out<draw:text-box>" * depth + "<text:p>in</text:p>" + "</draw:text-box></text:p>" * depth
    parsed = parse(odt_of(boxes), Path("a.odt"))
    assert (parsed.text.count("out"), parsed.text.count("in")) == (depth, 1)


def test_columns_beyond_those_of_any_program_are_told() -> None:
    cell = '<table:table-cell table:number-columns-repeated="100"><text:p>x</text:p></table:table-cell>'
    row = f"<table:table-row>{cell * 20_000}</table:table-row>"
    parsed = parse(odt_of(f"<table:table>{row * 2}</table:table>"), Path("a.odt"))
    assert parsed.metadata["left_out"] == "columns beyond 16,384"


def word_file(body: str, styles: str = "") -> bytes:
    data = saved(docx.Document())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    members["word/document.xml"] = f"<w:document {space}><w:body>{body}</w:body></w:document>".encode()
    if styles:
        members["word/styles.xml"] = f"<w:styles {space}>{styles}</w:styles>".encode()
    return make.zipped(members)


def test_a_long_line_of_styles_takes_no_square_of_time() -> None:
    chain = "".join(
        f'<w:style w:styleId="s{n}"><w:name w:val="n{n}"/><w:basedOn w:val="s{n + 1}"/></w:style>'
        for n in range(20_000)
    )
    chain += '<w:style w:styleId="s20000"><w:name w:val="heading 2"/><w:basedOn w:val="s0"/></w:style>'
    body = '<w:p><w:pPr><w:pStyle w:val="s0"/></w:pPr><w:r><w:t>Fish</w:t></w:r></w:p>'
    assert [block.level for block in parse(word_file(body, chain), Path("a.docx")).blocks] == [2]


@pytest.mark.parametrize(
    "body",
    [
        "<w:p " + " ".join(f'a{n}="1"' for n in range(40_000)) + "><w:r><w:t>said</w:t></w:r></w:p>",
        "<w:p><w:r><w:t>said</w:t><w:txbxContent>" * 50 + "</w:txbxContent></w:r></w:p>" * 50,
        (
            "<w:p><w:r><w:t>said</w:t></w:r></w:p>"
            f"<w:tbl><w:tr>{'<w:tc><w:p/></w:tc>' * 50_000}</w:tr>{'<w:tr><w:tc><w:p/></w:tc></w:tr>' * 1000}</w:tbl>"
        ),
    ],
    ids=["attributes", "boxes", "columns"],
)
def test_hostile_bodies_of_word_files_are_read(body: str) -> None:
    assert "said" in parse(word_file(body), Path("a.docx")).text


def test_a_slide_named_very_often_is_shown_once() -> None:
    show = pptx.Presentation()
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "Tides"
    with zipfile.ZipFile(io.BytesIO(saved(show))) as archive:
        members = {name: archive.read(name).decode("latin-1") for name in archive.namelist()}
    named = "ppt/presentation.xml"
    members[named] = re.sub("<p:sldId [^>]*/>", lambda match: match[0] * 20_000, members[named])
    data = make.zipped({name: content.encode("latin-1") for name, content in members.items()})
    parsed = parse(data, Path("a.pptx"))
    assert (parsed.text, parsed.metadata["pages"]) == ("Tides", 1)


@pytest.mark.parametrize("tail", ["<text:p>lost & found</text:p><", "<text:span>" * 300 + "deep"])
def test_text_lost_with_damaged_xml_is_told(tail: str) -> None:
    parsed = parse(odt_of(f"<text:p>said</text:p>{tail}"), Path("a.odt"))
    assert parsed.text.startswith("said")
    assert parsed.metadata["left_out"] == "what is damaged in its XML"


def test_a_document_without_any_text_is_told() -> None:
    parsed = parse(saved(docx.Document()), Path("a.docx"))
    assert (parsed.text, parsed.metadata["left_out"]) == ("", "any text, for none was found")
