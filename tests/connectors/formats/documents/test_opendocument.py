from __future__ import annotations

from pathlib import Path

import pytest

from connectors.document import LEFT_OUT
from connectors.formats import Parsed, parse
from tests.connectors.samples.office import counted, items, odf

CLAUSES = (
    '<text:list-style style:name="L">'
    + counted(1, "1", 'style:num-suffix="."')
    + counted(2, "1", 'text:display-levels="2"')
    + counted(3, "a", 'style:num-prefix="(" style:num-suffix=")"')
    + '<text:list-level-style-bullet text:level="4" text:bullet-char="•"/></text:list-style>'
)
STYLED = 'text:style-name="L"'


def read(body: str, styles: str = "", **more: str) -> Parsed:
    return parse(odf(body, styles, **more), Path("a.odt"))


def styled(name: str, properties: str, family: str = "text") -> str:
    return (
        f'<style:style style:name="{name}" style:family="{family}"><style:text-properties {properties}/></style:style>'
    )


def span(style: str, text: str) -> str:
    return f'<text:span text:style-name="{style}">{text}</text:span>'


def test_clauses_have_the_numbers_that_the_program_counts() -> None:
    parsed = read(
        items("Definitions", f"<text:p>Liability</text:p>{items('is limited.', '<text:p>x</text:p>' + items('fraud'))}",
              more=f'xml:id="one" {STYLED}')
        + "<text:p>Between.</text:p>"
        + items(items(items("injury", f"<text:p>c</text:p>{items('dot')}")), "Fees",
                more=f'{STYLED} text:continue-numbering="true"')
        + items("anew", more=STYLED)
        + items("goes on", more=f'{STYLED} text:continue-list="one"'),
        CLAUSES,
    )  # fmt: skip
    assert parsed.text.split("\n") == [
        "1. Definitions", "2. Liability", "2.1 is limited.", "2.2 x", "(a) fraud", "", "Between.", "",
        "(b) injury", "(c) c", "- dot", "3. Fees", "1. anew", "4. goes on",
    ]  # fmt: skip


def test_headings_are_numbered_by_the_outline() -> None:
    level = '<text:outline-level-style text:level="{}" style:num-format="{}" {}/>'
    outline = "<text:outline-style>" + level.format(1, "I", 'style:num-suffix="."')
    outline += level.format(2, "1", 'text:display-levels="2"') + "</text:outline-style>"

    def heading(text: str, depth: int, more: str = "") -> str:
        return f'<text:h text:outline-level="{depth}" {more}>{text}</text:h>'

    body = heading("Scope", 1) + heading("Parties", 2) + heading("Term", 2) + heading("Fees", 1) + heading("Rates", 2)
    body += heading("Preface", 1, 'text:is-list-header="true"') + heading("Later", 1, 'text:start-value="7"')
    parsed = read(body, shared=f"<office:styles>{outline}</office:styles>")
    assert [block.label for block in parsed.blocks] == [
        "I. Scope", "I.1 Parties", "I.2 Term", "II. Fees", "II.1 Rates", "Preface", "VII. Later",
    ]  # fmt: skip


def test_lists_by_the_style_of_their_paragraphs_formats_of_libreoffice_and_second_paragraphs() -> None:
    styles = '<style:style style:name="P" style:family="paragraph" style:list-style-name="M"/>'
    styles += (
        '<text:list-style style:name="M">'
        + counted(1, "A", 'loext:num-list-format="Annex %1%:" text:start-value="27"')
        + "</text:list-style>"
    )
    parsed = read(items('<text:p text:style-name="P">Rates</text:p><text:p>More.</text:p>'), styles)
    assert parsed.text == "Annex AA: Rates\nMore."


def test_struck_hidden_raised_and_lowered_text_symbols_and_ruby() -> None:
    styles = (
        styled("struck", 'style:text-line-through-style="solid"') + styled("hidden", 'text:display="none"')
        + styled("up", 'style:text-position="super 58%"') + styled("down", 'style:text-position="sub 58%"')
        + styled("wing", 'style:font-name="W1"') + styled("Gone", 'style:text-line-through-type="single"', "paragraph")
        + '<style:style style:name="child" style:family="text" style:parent-style-name="struck"/>'
        + '<style:font-face style:name="W1" svg:font-family="Wingdings"/>'
    )  # fmt: skip
    parsed = read(
        f"<text:p>The limit is {span('struck', '50')}{span('child', '45')}65 dB{span('hidden', 'draft')}.</text:p>"
        f"<text:p>10{span('up', '3')} parts of H{span('down', '2')}O, see note{span('up', '4')}</text:p>"
        f"<text:p>{span('wing', '&#xF0FE;')} Pets {span('wing', '&#xF0A8;')} Smoking</text:p>"
        '<text:p text:style-name="Gone">No more.</text:p>'
        "<text:p><text:ruby><text:ruby-base>東京</text:ruby-base><text:ruby-text>とう</text:ruby-text></text:ruby></text:p>",
        styles,
    )
    assert parsed.text == ("The limit is 65 dB.\n\n10^3 parts of H2O, see note⁴\n\n☑ Pets ☐ Smoking\n\n東京(とう)")
    assert parsed.metadata[LEFT_OUT] == "struck-out text; text set as hidden"


def test_hidden_sections_and_deleted_text_do_not_stand() -> None:
    deleted = "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
    parsed = read(
        f"{deleted}</text:changed-region></text:tracked-changes>"
        '<text:section text:display="none"><text:p>secret</text:p></text:section><text:section><text:p>open</text:p>'
        '</text:section><text:p><text:hidden-paragraph text:is-hidden="true"/>not now</text:p>'
    )
    assert (parsed.text, parsed.metadata[LEFT_OUT]) == ("open", "text set as hidden")


def test_equations_and_charts_of_embedded_objects_are_text() -> None:
    frame = '<draw:frame text:anchor-type="as-char"><draw:object xlink:href="./{}"/></draw:frame>'
    fraction = "<mfrac><mi>ρgQH</mi><mi>η</mi></mfrac>"
    formula = f"<math xmlns='http://www.w3.org/1998/Math/MathML'><semantics><mrow><mi>P</mi><mo>=</mo>{fraction}</mrow>"
    formula += "<annotation>P = {ρgQH} over η</annotation></semantics></math>"
    row = "<table:table-row>{}</table:table-row>"
    cells = [
        "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in texts)
        for texts in (["", "Catch"], ["May", "10"])
    ]
    space = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = "".join(f' xmlns:{name}="{space}:{name}:1.0"' for name in ("office", "chart", "table", "text"))
    chart = (
        f"<office:document-content{spaces}><office:body><office:chart><chart:chart><chart:title><text:p>Cod</text:p>"
        f"</chart:title><table:table>{''.join(map(row.format, cells))}</table:table></chart:chart></office:chart>"
        "</office:body></office:document-content>"
    )
    body = f"<text:p>The power{frame.format('Object 1')}, where H is the head.</text:p>"
    body += f"<text:p>{frame.format('C')}</text:p>"
    parsed = read(body, **{"Object 1": formula, "C": chart})
    assert parsed.text == "The power P = ρgQH/η, where H is the head.\n\nCod\n\n | Catch\nMay | 10"


def test_notes_and_comments_belong_to_what_they_are_attached_to() -> None:
    def note(mark: str, text: str, kind: str = "footnote") -> str:
        return (
            f'<text:note text:note-class="{kind}"><text:note-citation>{mark}</text:note-citation><text:note-body>'
            f"<text:p>{text}</text:p></text:note-body></text:note>"
        )

    comment = "<office:annotation><dc:creator>Ann</dc:creator><text:p>Legal wants more.</text:p></office:annotation>"
    rows = "".join(
        f"<table:table-row>{''.join(f'<table:table-cell><text:p>{text}</text:p></table:table-cell>' for text in row)}"
        "</table:table-row>"
        for row in [("Berth", "Length"), ("B7", "42 m" + note("1", "With a permit."))]
    )
    parsed = read(
        f"<table:table>{rows}</table:table>"
        f"<text:p>It is dear{note('i', 'Of 2024.', 'endnote')} today.{comment}</text:p>"
    )
    assert parsed.text == (
        "Berth | Length\nB7 | 42 m ¹ (Note 1: With a permit.)\n\nIt is dear ⁱ today.\n\nEndnote i: Of 2024.\n\n"
        "Comment (Ann): Legal wants more."
    )


def test_headers_footers_alt_texts_and_boxes() -> None:
    frame = (
        "<draw:frame><draw:image/><svg:title>Crane</svg:title><svg:desc>image1.png</svg:desc></draw:frame>"
        "<draw:custom-shape><text:p>in a shape</text:p></draw:custom-shape>"
        "<draw:frame><draw:text-box><text:p>in a box</text:p></draw:text-box></draw:frame>"
    )
    margins = (
        "<style:header><text:p>Berth rules</text:p></style:header><style:footer><text:p>7</text:p></style:footer>"
        '<style:header-first style:display="false"><text:p>not shown</text:p></style:header-first>'
        "<style:footer-left><text:p>Berth rules</text:p></style:footer-left>"
    )
    shared = f"<office:master-styles><style:master-page>{margins}</style:master-page></office:master-styles>"
    parsed = read(f"<text:p>See {frame} here.</text:p>", shared=shared)
    assert parsed.text == "See here.\n\n[Picture: Crane]\n\nin a shape\n\nin a box\n\nBerth rules"


def test_boxes_of_forms() -> None:
    form = '<office:forms><form:form><form:checkbox form:id="c1" form:label="Pets" form:current-state="checked"/>'
    form += '<form:checkbox form:id="c2" form:label="Smoking"/></form:form></office:forms>'
    mark = '<field:fieldmark field:type="vnd.oasis.opendocument.field.FORMCHECKBOX"><field:param'
    mark += ' field:name="Checkbox_Checked" field:value="true"/></field:fieldmark>'
    parsed = read(
        f'{form}<text:p><draw:control draw:control="c1"/> <draw:control draw:control="c2"/></text:p>'
        f"<text:p>{mark} Paid</text:p>"
    )
    assert parsed.text == "☒ Pets ☐ Smoking\n\n☒ Paid"


def test_cells_that_span_stand_in_every_row_and_column_and_nested_tables_once() -> None:
    def cell(text: str, more: str = "") -> str:
        content = text if text.startswith("<") else f"<text:p>{text}</text:p>"
        return f"<table:table-cell {more}>{content}</table:table-cell>"

    covered = "<table:covered-table-cell/>"
    inner = [cell("Season") + cell("Rate"), cell("Summer") + cell("30")]
    nested = f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in inner)}</table:table>"
    rows = [
        cell("Route", 'table:number-rows-spanned="2"') + cell("Fare", 'table:number-columns-spanned="2"') + covered,
        covered + cell("adult") + cell("child"),
        cell("Kiel", 'table:number-rows-spanned="2"') + cell("80") + cell("40"),
        covered + cell("90") + cell(f"{nested}<text:p>45</text:p>"),
    ]
    parsed = read(f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in rows)}</table:table>")
    assert parsed.text == (
        "Route | Fare adult | Fare child\nKiel | 80 | 40\nKiel | 90 | 45\n\nSeason | Rate\nSummer | 30"
    )


def test_slides_have_their_notes_comments_and_alt_texts() -> None:
    text = "<draw:frame{}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    title, notes = ' presentation:class="title"', ' presentation:class="notes"'
    page = (
        f"<draw:page>{text.format(title, 'Cod')}"
        "<draw:frame><draw:image/><svg:desc>A net full of cod</svg:desc></draw:frame>"
        "<office:annotation><dc:creator>Ann</dc:creator><text:p>Too long.</text:p></office:annotation>"
        f"<presentation:notes><draw:page-thumbnail/>{text.format(notes, 'Mention the weather.')}</presentation:notes>"
        "</draw:page>"
    )
    parsed = parse(odf(page, kind="presentation"), Path("a.odp"))
    assert parsed.text == "Cod\n\n[Picture: A net full of cod]\n\nComment (Ann): Too long.\n\nMention the weather."
    assert parsed.title == "Cod"


@pytest.mark.parametrize(
    "body",
    [
        items("x", more=STYLED) * 20_000,
        "<text:list>" * 80 + "<text:list-item><text:p>x</text:p></text:list-item>" + "</text:list>" * 80,
        "<text:span>" * 90 + "x" + "</text:span>" * 90,
        '<text:p><draw:frame><draw:object xlink:href="./self"/></draw:frame></text:p>' * 500,
    ],
    ids=["lists", "depth", "spans", "objects"],
)
def test_hostile_lists_and_objects_take_no_time(body: str) -> None:
    own = '<style:style style:name="S" style:family="text" style:parent-style-name="S"/>'
    endless = '<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="I"'
    endless += ' text:start-value="999999999" text:display-levels="999999999"/></text:list-style>'
    parsed = read(
        f"{body}<text:p>{span('S', 'last')}</text:p>", own + endless, self="<math>" + "<mi>x</mi>" * 1000 + "</math>"
    )
    assert "last" in parsed.text
