from __future__ import annotations

from pathlib import Path

import pytest

from connectors.document import LEFT_OUT, BlockKind
from connectors.formats import Parsed, parse
from tests.connectors.samples.office import docx, level, listed, numbering, paragraph, run

CLAUSES = (
    level(0, "decimal", "%1."),
    level(1, "decimal", "%1.%2"),
    level(2, "lowerLetter", "(%3)"),
    level(3, "upperRoman", "%4)"),
)


def read(body: str, **parts: str) -> Parsed:
    return parse(docx(body, **parts), Path("a.docx"))


def test_moved_and_deleted_text_stands_at_its_new_place_or_nowhere() -> None:
    moved = "The deposit is 900 euros."
    parsed = read(
        f'<w:p><w:pPr><w:rPr><w:moveFrom w:id="1"/></w:rPr></w:pPr><w:moveFrom w:id="1">{run(moved)}</w:moveFrom></w:p>'
        + paragraph("Bins are emptied", f"<w:del>{run(' daily')}</w:del>", f"<w:ins>{run(' on Monday.')}</w:ins>")
        + paragraph(f'<w:moveTo w:id="2">{run(moved)}</w:moveTo>')
        + f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{paragraph('old')}</w:tc><w:tc>{paragraph('row')}</w:tc></w:tr>"
        f"<w:tr><w:tc>{paragraph('new')}</w:tc><w:tc>{paragraph('one')}</w:tc></w:tr></w:tbl>"
    )
    assert parsed.text == f"Bins are emptied on Monday.\n\n{moved}\n\nnew | one"
    assert LEFT_OUT not in parsed.metadata


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next_and_counts_no_number() -> None:
    gone = paragraph(
        f"<w:del>{run('gone')}</w:del>",
        properties='<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr><w:rPr><w:del w:id="1"/></w:rPr>',
    )
    half = paragraph("Half a ", properties="<w:rPr><w:del/></w:rPr>")
    parsed = read(listed("one") + gone + listed("two") + half + paragraph("sentence."), numbering=numbering(*CLAUSES))
    assert parsed.text == "1. one\n2. two\n\nHalf a sentence."


INHERITED = (
    '<w:style w:styleId="gone"><w:rPr><w:strike/></w:rPr></w:style>'
    '<w:style w:styleId="child"><w:basedOn w:val="gone"/></w:style>'
)


@pytest.mark.parametrize(
    ("properties", "styles"),
    [
        ("<w:strike/>", ""),
        ('<w:dstrike w:val="true"/>', ""),
        ('<w:rStyle w:val="gone"/>', '<w:style w:styleId="gone"><w:rPr><w:strike/></w:rPr></w:style>'),
        ('<w:rStyle w:val="child"/>', INHERITED),
    ],
)
def test_struck_text_is_left_out_and_told(properties: str, styles: str) -> None:
    parsed = read(paragraph("The limit is ", run("50", properties), "65 dB."), styles=styles)
    assert parsed.text == "The limit is 65 dB."
    assert parsed.metadata[LEFT_OUT] == "struck-out text"


def test_what_was_struck_before_a_change_or_is_switched_off_stays() -> None:
    before = "<w:rPrChange><w:rPr><w:strike/></w:rPr></w:rPrChange>"
    parsed = read(paragraph(run("50", before), " and ", run("60", '<w:strike w:val="0"/>')))
    assert (parsed.text, dict(parsed.metadata)) == ("50 and 60", {})


def test_hidden_text_is_left_out_and_told() -> None:
    parsed = read(paragraph("Seen.", run("hidden draft", "<w:vanish/>")))
    assert (parsed.text, parsed.metadata[LEFT_OUT]) == ("Seen.", "text set as hidden")


def test_raised_and_lowered_digits_are_no_digits_of_the_number_before() -> None:
    up, down = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
    parsed = read(
        paragraph(
            "10", run("3", up), " parts of H", run("2", down), "O in 5 m", run("2", up), ", see note", run("4", up)
        )
        + paragraph("10", run("-", up), run("6", up), " on the 1", run("st", up), " of May, 42", run("7", down))
    )
    assert parsed.text == "10^3 parts of H2O in 5 m², see note⁴\n\n10^-6 on the 1st of May, 42_7"


def test_raised_letters_and_marks_stay_apart_from_words_and_numbers() -> None:
    up = '<w:vertAlign w:val="superscript"/>'
    parsed = read(
        paragraph("Smith", run("a,b", up), " of Acme", run("TM", up), " saw M", run("lle", up), " Roux")
        + paragraph("2", run("n", up), " ships, U", run("235", up))
        + paragraph(run("1", up), "See the (sum)", run("2", up))
    )
    assert parsed.text == "Smith^(a,b) of Acme™ saw M^lle Roux\n\n2^n ships, U²³⁵\n\n¹ See the (sum)²"


def test_a_column_that_the_program_numbers_and_text_that_ends_nowhere_are_not_lost() -> None:
    rows = "".join(f"<w:tr><w:tc>{listed('')}</w:tc><w:tc>{paragraph(text)}</w:tc></w:tr>" for text in ("cod", "eel"))
    tail = paragraph("The end", properties="<w:rPr><w:del/></w:rPr>")
    parsed = read(f"{tail}<w:tbl>{rows}</w:tbl>{tail}", numbering=numbering(*CLAUSES))
    assert parsed.text == "The end\n\n1. | cod\n2. | eel\n\nThe end"


def test_symbols_ticked_and_empty_boxes_and_ruby() -> None:
    control = (
        "<w:sdt><w:sdtPr><w14:checkbox><w14:checked w14:val='{}'/></w14:checkbox></w:sdtPr>"
        "<w:sdtContent>{}</w:sdtContent></w:sdt>"
    )
    field = "<w:r><w:fldChar w:fldCharType='begin'><w:ffData><w:checkBox>{}</w:checkBox></w:ffData></w:fldChar></w:r>"
    ruby = f"<w:r><w:ruby><w:rt>{run('とうきょう')}</w:rt><w:rubyBase>{run('東京')}</w:rubyBase></w:ruby></w:r>"
    parsed = read(
        paragraph(
            '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>',
            " Pets ",
            '<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>',
            " Smoking ",
            '<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>',
        )
        + paragraph(control.format(1, run("x")), " Paid ", control.format(0, run("y")), " Refunded")
        + paragraph(field.format("<w:checked/>"), " Yes ", field.format('<w:default w:val="0"/>'), " No")
        + paragraph(ruby, "は首都です。")
        + paragraph(run("þ", '<w:rFonts w:ascii="Wingdings" w:hAnsi="Wingdings"/>'), " Done")
    )
    assert parsed.text == (
        "☑ Pets ☐ Smoking α\n\n☒ Paid ☐ Refunded\n\n☒ Yes ☐ No\n\n東京(とうきょう)は首都です。\n\n☑ Done"
    )


def test_a_symbol_that_is_not_known_is_told() -> None:
    parsed = read(paragraph("a", '<w:r><w:sym w:font="Wingdings" w:char="F07F"/></w:r>'))
    assert parsed.metadata[LEFT_OUT] == "symbols of the font Wingdings"


def test_clauses_have_the_numbers_that_the_program_counts() -> None:
    parsed = read(
        listed("Definitions") + listed("Supplier means Harbour Tools.", 1) + listed("Liability")
        + listed("Liability is limited.", 1) + listed("fraud is excepted;", 2) + listed("injury is excepted.", 2)
        + listed("deep", 3) + listed("The cap is yearly.", 1) + listed("again", 2),
        numbering=numbering(*CLAUSES),
    )  # fmt: skip
    assert parsed.text.split("\n") == [
        "1. Definitions", "1.1 Supplier means Harbour Tools.", "2. Liability", "2.1 Liability is limited.",
        "(a) fraud is excepted;", "(b) injury is excepted.", "I) deep", "2.2 The cap is yearly.", "(a) again",
    ]  # fmt: skip


def test_headings_are_numbered_through_their_styles() -> None:
    style = (
        '<w:style w:styleId="H{0}"><w:name w:val="heading {0}"/><w:pPr>'
        '<w:numPr>{1}<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    styles = style.format(1, "") + style.format(2, '<w:ilvl w:val="1"/>')
    styles += '<w:style w:styleId="Own"><w:basedOn w:val="H2"/></w:style>'
    levels = (
        level(0, "upperRoman", "Article %1", '<w:pStyle w:val="H1"/>'),
        level(1, "decimal", "%1.%2", '<w:isLgl/><w:pStyle w:val="H2"/>'),
    )

    def heading(text: str, style: str, more: str = "") -> str:
        return paragraph(text, properties=f'<w:pStyle w:val="{style}"/>{more}')

    parsed = read(
        heading("Scope", "H1") + heading("Parties", "H2") + heading("Term", "Own") + heading("Fees", "H1")
        + heading("Rates", "H2") + heading("Annex", "H1", '<w:numPr><w:numId w:val="0"/></w:numPr>'),
        styles=styles,
        numbering=numbering(*levels),
    )  # fmt: skip
    assert [block.label for block in parsed.blocks] == [
        "Article I Scope", "1.1 Parties", "1.2 Term", "Article II Fees", "2.1 Rates", "Annex",
    ]  # fmt: skip
    assert all(block.kind is BlockKind.HEADING for block in parsed.blocks)


def test_lists_restart_go_on_and_start_where_the_document_says() -> None:
    more = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/>'
        '</w:lvlOverride></w:num><w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="4"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0"><w:lvl>'
        '<w:start w:val="7"/>'
        '<w:numFmt w:val="lowerRoman"/><w:lvlText w:val="%1)"/></w:lvl></w:lvlOverride></w:num>'
    )
    levels = (level(0, "decimal", "%1.", start=5), level(1, "decimalZero", "%2", '<w:lvlRestart w:val="0"/>'))
    body = (
        listed("five") + listed("a", 1) + listed("six") + listed("b", 1) + listed("one", number=2)
        + listed("two", number=3) + listed("three", number=4) + listed("bullet", number=9)
    )  # fmt: skip
    parsed = read(body, numbering=numbering(*levels, more=more))
    assert parsed.text.split("\n") == [
        "5. five", "01 a", "6. six", "02 b", "1. one", "2. two", "iii) three", "- bullet",
    ]  # fmt: skip


def test_bullets_and_levels_of_a_linked_list_style() -> None:
    linked = '<w:pPr><w:numPr><w:numId w:val="5"/></w:numPr></w:pPr>'
    styles = f'<w:style w:type="numbering" w:styleId="Linked">{linked}</w:style>'
    more = (
        '<w:abstractNum w:abstractNumId="7"><w:numStyleLink w:val="Linked"/></w:abstractNum>'
        f'<w:abstractNum w:abstractNumId="8">{level(0, "upperLetter", "%1.")}{level(1, "bullet", "·")}</w:abstractNum>'
        '<w:num w:numId="5"><w:abstractNumId w:val="8"/></w:num><w:num w:numId="6"><w:abstractNumId w:val="7"/></w:num>'
    )
    parsed = read(listed("one", number=6) + listed("x", 1, 6) + listed("two", number=6), styles=styles, numbering=more)
    assert parsed.text == "A. one\n- x\nB. two"


def test_equations_are_text() -> None:
    fraction = "<m:f><m:num><m:r><m:t>ρgQH</m:t></m:r></m:num><m:den><m:r><m:t>η</m:t></m:r></m:den></m:f>"
    parsed = read(
        paragraph("The power is", f"<m:oMath><m:r><m:t>P=</m:t></m:r>{fraction}</m:oMath>", ", where H is the head.")
        + paragraph("<m:oMathPara><m:oMath><m:r><m:t>NPSH=14.2 m</m:t></m:r></m:oMath></m:oMathPara>")
    )
    assert parsed.text == "The power is P=ρgQH/η, where H is the head.\n\nNPSH=14.2 m"


def test_notes_and_comments_belong_to_what_they_are_attached_to() -> None:
    note, mark = '<w:footnote w:id="{}">{}</w:footnote>', '<w:r><w:footnoteReference w:id="{}"/></w:r>'
    cells = ["Berth", "Length", "B7", paragraph("42 m", mark.format(2))]
    filled = [cell if cell.startswith("<") else paragraph(cell) for cell in cells]
    rows = "".join(f"<w:tr><w:tc>{a}</w:tc><w:tc>{b}</w:tc></w:tr>" for a, b in [filled[:2], filled[2:]])
    parsed = read(
        f"<w:tbl>{rows}</w:tbl>"
        + paragraph("The limit is 50 dB", mark.format(3), " by day and 40 dB", mark.format(4), " by night.")
        + paragraph(
            "It is dear.", '<w:r><w:commentReference w:id="1"/></w:r>', '<w:r><w:endnoteReference w:id="9"/></w:r>'
        ),
        footnotes="".join(
            note.format(n, paragraph(t)) for n, t in [(2, "With a permit."), (3, "Inside."), (4, "Out.")]
        ),
        endnotes=f'<w:endnote w:id="9">{paragraph("Prices of 2024.")}</w:endnote>',
        comments=f'<w:comment w:id="1" w:author="Ann">{paragraph("Legal wants 80,000.")}</w:comment>',
    )
    assert parsed.text == (
        "Berth | Length\nB7 | 42 m ¹ (Note 1: With a permit.)\n\n"
        "The limit is 50 dB ² by day and 40 dB ³ by night.\n\nNote 2: Inside.\n\nNote 3: Out.\n\n"
        "It is dear.ⁱ\n\nEndnote i: Prices of 2024.\n\nComment (Ann): Legal wants 80,000."
    )


def test_a_note_that_very_many_cells_refer_to_is_told_once() -> None:
    mark = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    row = f"<w:tr><w:tc>{paragraph('a', mark)}</w:tc><w:tc>{paragraph('b', mark)}</w:tc></w:tr>"
    note = f'<w:footnote w:id="2">{paragraph("word " * 20_000)}</w:footnote>'
    parsed = read(f"<w:tbl>{row * 2000}</w:tbl>", footnotes=note)
    assert parsed.text.count("word") == 20_000
    assert LEFT_OUT not in parsed.metadata


def test_text_boxes_alt_texts_watermarks_headers_and_footers() -> None:
    box = f"<w:txbxContent>{paragraph('in a box')}</w:txbxContent>"
    told = 'name="Picture 1" descr="A crane, Description automatically generated"'
    drawing = f'<w:drawing><wp:inline><wp:docPr id="1" {told}/>{box}</wp:inline></w:drawing>'
    both = (
        f"<w:r><mc:AlternateContent><mc:Choice>{drawing}</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    file_name = '<w:r><w:drawing><wp:docPr id="2" name="x" descr="image1.png"/></w:drawing></w:r>'
    mark = '<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'
    cell = f"<w:tbl><w:tr><w:tc>{paragraph('a')}</w:tc><w:tc>{paragraph('b', both)}</w:tc></w:tr></w:tbl>"
    parsed = read(
        paragraph("See", both, file_name) + cell, header=paragraph("Berth rules", mark), footer=paragraph("7")
    )
    assert parsed.text == (
        "See\n\n[Picture: A crane]\n\nin a box\n\na | b [Picture: A crane] in a box\n\nBerth rules\nDRAFT"
    )


def test_cells_that_span_stand_in_every_row_and_column_and_nested_tables_once() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    wide = '<w:gridSpan w:val="2"/>'
    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    inner = f"<w:tbl><w:tr>{cell('Season')}{cell('Rate')}</w:tr><w:tr>{cell('Summer')}{cell('30')}</w:tr></w:tbl>"
    parsed = read(
        f"<w:tbl><w:tr>{cell('Route', down)}{cell('Fare', wide)}</w:tr>"
        f"<w:tr>{cell('', on)}{cell('adult')}{cell('child')}</w:tr>"
        f"<w:tr>{cell('Kiel', down)}{cell('80')}{cell('40')}</w:tr><w:tr>{cell('', on)}{cell('90')}<w:tc>{inner}"
        f"{paragraph('45')}</w:tc></w:tr></w:tbl>"
    )
    assert parsed.text == (
        "Route | Fare adult | Fare child\nKiel | 80 | 40\nKiel | 90 | 45\n\nSeason | Rate\nSummer | 30"
    )


def test_a_frame_of_one_cell_is_read_as_what_is_in_it() -> None:
    styles = '<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    head = paragraph("Tides", properties='<w:pStyle w:val="H1"/>')
    parsed = read(f"<w:tbl><w:tr><w:tc>{head}{paragraph('Twice a day.')}</w:tc></w:tr></w:tbl>", styles=styles)
    assert (parsed.text, parsed.title) == ("Tides\n\nTwice a day.", "Tides")


def test_the_strict_variant_of_the_format_is_read_too() -> None:
    import io
    import zipfile

    from tests.connectors.samples import make

    with zipfile.ZipFile(io.BytesIO(docx(paragraph("Fish")))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    old, new = (
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/",
        b"http://purl.oclc.org/ooxml/wordprocessingml/",
    )
    strict = {name: body.replace(old, new) for name, body in members.items()}
    assert parse(make.zipped(strict), Path("a.docx")).text == "Fish"


WIDE = '<w:tc><w:tcPr><w:vMerge/><w:gridSpan w:val="999999"/></w:tcPr><w:p/></w:tc>'


@pytest.mark.parametrize(
    "body",
    [
        listed("x", number=1) * 30_000,
        f"<w:tbl>{f'<w:tr>{WIDE * 3}</w:tr>' * 5000}</w:tbl>",
        paragraph(*["<m:f><m:num>"] * 60, "x", *["</m:num></m:f>"] * 60).replace("<w:r>", "<m:r>"),
    ],
    ids=["numbers", "spans", "fractions"],
)
def test_hostile_numbers_spans_and_equations_take_no_time(body: str) -> None:
    cyclic = '<w:abstractNum w:abstractNumId="0"><w:numStyleLink w:val="L"/></w:abstractNum>'
    levels = level(0, "upperRoman", "%1%1%2%9", start=999_999_999)
    parts = f'<w:abstractNum w:abstractNumId="1">{levels}</w:abstractNum>{cyclic}'
    parts += (
        '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/></w:num>'
    )
    styles = (
        '<w:style w:type="numbering" w:styleId="L"><w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>'
    )
    parsed = read(body + listed("last", number=2), numbering=parts, styles=styles)
    assert parsed.text.endswith("last")
