from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from connectors.chunking.splitter import Splitter
from connectors.document import Document, Place
from connectors.formats import Parsed, parse
from connectors.formats.spreadsheets.marks import Area, area_of, cell_at, column_name
from connectors.formats.spreadsheets.number_formats import shown
from tests.connectors.formats.documents.test_office import odf, repacked, sheet_file, tables

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class Words:
    """A tokenizer of words: the splitter needs no more than places to cut."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        found, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            found.append((at, at + len(word)))
            at += len(word)
        return found


def written(write: Callable[[Any], None]) -> Parsed:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        write(book)
    return parse(stream.getvalue(), Path("a.xlsx"))


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.081, "0.0%", "8.1%"),
        (0.081, "0%", "8%"),
        (-0.5, "0%", "-50%"),
        (1067.0, "00000", "01067"),
        (1250.5, '#,##0.00 "EUR"', "1,250.50 EUR"),
        (-1250.5, "#,##0.00;(#,##0.00)", "(1,250.50)"),
        (-3.0, "_-* #,##0.00\\ [$€-407]_-;-* #,##0.00\\ [$€-407]_-", "-3.00 €"),
        (0.0, '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)', "-"),
        (1234.0, "$#,##0", "$1,234"),
        (5551234567.0, "(000) 000-0000", "(555) 123-4567"),
        (49123456.0, "00 00 00 00", "49 12 34 56"),
        (1234567.0, '0.0,,"M"', "1.2M"),
        (12345.0, "0.00E+00", "1.23E+04"),
        (1.5, "# ?/?", "1 1/2"),
        (0.25, "# ?/8", "2/8"),
        (2.675, "0.00", "2.68"),
        (0.5, "0", "1"),
        (3.0, "0.##", "3"),
        (-0.001, "0.0", "0.0"),
        (7.0, '"Nr. "0', "Nr. 7"),
        (1500.0, '[>=1000]0.0,"k";0', "1.5k"),
        (5.0, "[Red]0", "5"),
        (5.0, ";;;", "5"),
        (5.0, "0" + "%" * 200, "5"),
        (1e300, "0", "1e+300"),
        (float("nan"), "0.0", "nan"),
        (89.90000000000001, "", "89.9"),
        (timedelta(hours=36), "[h]:mm", "36:00"),
        (timedelta(hours=36), "", "36:00:00"),
        (timedelta(minutes=95), "[m]", "95"),
        (timedelta(hours=-5), "[h]:mm", "-5:00"),
        (time(8, 30), "hh:mm", "08:30"),
        (time(14, 5), "h:mm AM/PM", "2:05 PM"),
        (time(1, 2, 3, 500_000), "mm:ss.0", "02:03.5"),
        (date(2024, 2, 3), "dd/mm/yyyy", "2024-02-03"),
        (date(2024, 2, 3), "[$-407]dddd, d. mmmm yyyy", "2024-02-03"),
        (date(2024, 2, 3), "mmm yyyy", "Feb 2024"),
        (date(2024, 2, 3), "yyyy", "2024"),
        (datetime(2025, 11, 2, 14, 30), "yyyy-mm-dd h:mm", "2025-11-02 14:30"),
        (datetime(2025, 11, 2, 14, 30), "", "2025-11-02 14:30:00"),
        (True, "0.0", "TRUE"),
        ("Rope", '"Nr. "@', "Nr. Rope"),
        ("Rope", "0.0", "Rope"),
    ],
)
def test_a_cell_says_what_it_shows(value: Any, code: str, text: str) -> None:
    assert shown(value, code) == text


@given(st.floats(allow_nan=False) | st.text(max_size=9), st.text('#0?,.%/E+-"\\_*[]<>=$;@ hmsdyAP/Ge', max_size=30))
def test_no_format_loses_a_value(value: float | str, code: str) -> None:
    assert shown(value, code) or not str(value).split()


@given(st.floats(min_value=-1e15, max_value=1e15), st.integers(0, 6), st.booleans())
def test_numbers_are_rounded_as_people_round(value: float, decimals: int, grouped: bool) -> None:
    code = ("#,##0" if grouped else "0") + ("." + "0" * decimals if decimals else "")
    text = shown(value, code)
    assert abs(float(text.replace(",", "")) - value) <= 0.5 * 10**-decimals + abs(value) * 1e-14
    assert len(text.partition(".")[2]) == decimals


def test_an_excel_sheet_is_read_as_it_is_shown() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet("Terms")
        sheet.write_row(0, 0, ["Name", "VAT", "Fee", "Zip", "Worked", "Since", "Ratio"])
        for column, (value, code) in enumerate(
            [(0.081, "0.0%"), (1250.5, '#,##0.00 "EUR"'), (1067, "00000"), (1.5, "[h]:mm"), (45325, "dd/mm/yyyy")], 1
        ):
            sheet.write_number(1, column, value, book.add_format({"num_format": code}))
        sheet.write(1, 0, "Harbour office")
        sheet.write_formula(1, 6, "=1/0", None, "#DIV/0!")

    parsed = written(write)
    assert parsed.text.endswith("Harbour office | 8.1% | 1,250.50 EUR | 01067 | 36:00 | 2024-02-03 | #DIV/0!")


def test_an_open_document_sheet_is_read_as_it_is_shown() -> None:
    def cell(text: str, **attributes: str) -> str:
        told = "".join(f' office:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
        return f"<table:table-cell{told}>{text and f'<text:p>{text}</text:p>'}</table:table-cell>"

    rows = [
        [cell("Name"), cell("VAT"), cell("Fee"), cell("Zip"), cell("Worked"), cell("Since"), cell("Ratio")],
        [
            cell("Harbour<text:s/>office"),
            cell("8.1%", value_type="percentage", value="0.081"),
            cell("1.250,50 €", value_type="currency", value="1250.5"),
            cell("01067", value_type="float", value="1067"),
            cell("36:00", value_type="time", time_value="PT36H00M00S"),
            cell("03.02.24", value_type="date", date_value="2024-02-03"),
            cell("#DIV/0!", value_type="string"),
        ],
        [  # as programs write it that leave the words to others
            cell("Dock", value_type="string"),
            cell("", value_type="percentage", value="0.025"),
            cell("", value_type="currency", value="80", currency="EUR"),
            cell("", value_type="float", value="99"),
            cell("", value_type="time", time_value="PT36H05M00S"),
            cell("", value_type="date", date_value="2024-02-03T14:30:00"),
            cell("", value_type="boolean", boolean_value="true"),
        ],
    ]
    body = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    table = f'<office:spreadsheet><table:table table:name="Terms">{body}</table:table></office:spreadsheet>'
    assert parse(odf("spreadsheet", table), Path("a.ods")).text.splitlines()[3:] == [
        "Harbour office | 8.1% | 1.250,50 € | 01067 | 36:00 | 2024-02-03 | #DIV/0!",
        "Dock | 2.5% | 80 EUR | 99 | 36:05 | 2024-02-03 14:30:00 | TRUE",
    ]


def formula(reference: str, text: str, result: str = "") -> str:
    return f'<c r="{reference}"><f>{text}</f><v>{result}</v></c>'


def test_a_formula_without_a_value_is_shown_and_named() -> None:
    rows = (
        '<row r="1"><c r="A1"><v>40</v></c><c r="B1"><v>3.5</v></c>'
        f'{formula("C1", "A1*B1")}<c r="D1" t="str"><f>IF(A1&gt;50,"x","")</f><v></v></c></row>'
        '<row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>2</v></c><c r="C2"><f>A2*B2</f></c></row>'
        '<row r="3"><c r="A3"><v>7</v></c><c r="B3"><v>2</v></c>' + formula("C3", "A3&amp;B3", "72") + "</row>"
    )
    parsed = parse(sheet_file(rows), Path("a.xlsx"))
    assert parsed.text == "S1\n\n40 | 3.5 | =A1*B1\n7 | 2 | =A2*B2\n7 | 2 | 72"
    assert parsed.metadata["left_out"] == "the values of 2 formulas never calculated: S1!C1, S1!C2"


def test_formulas_beyond_the_last_value_are_shown() -> None:
    rows = (
        f'<row r="2"><c r="B2"><v>4</v></c>{formula("D2", "B2*2")}</row><row r="9">{formula("A9", "SUM(B2:B8)")}</row>'
    )
    parsed = parse(sheet_file(rows), Path("a.xlsx"))
    assert parsed.text.split() == ["S1", "4", "|", "=B2*2", "=SUM(B2:B8)"]
    assert parsed.metadata["left_out"] == "the values of 2 formulas never calculated: S1!D2, S1!A9"
    alone = parse(sheet_file(f'<row r="1">{formula("A1", "NOW()")}</row>'), Path("a.xlsx"))
    assert alone.text == "S1\n\n=NOW()"


def test_a_formula_whose_zero_stands_for_no_value_is_named() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet("Stock")
        sheet.write_row(0, 0, ["Rope", 40, 3.5])
        sheet.write_formula(0, 3, "=B1*C1")  # this writer stores zero, and asks the next program to calculate

    parsed = written(write)
    assert parsed.text.endswith("Rope | 40 | 3.5 | =B1*C1")
    assert parsed.metadata["left_out"] == "the values of 1 formula never calculated: Stock!D1"


def test_an_open_document_formula_without_a_value_is_shown_and_named() -> None:
    cells = (
        '<table:table-cell office:value-type="float" office:value="4"><text:p>4</text:p></table:table-cell>'
        '<table:table-cell table:formula="of:=[.A1]*SUM([.A1:.A2])"/>'
    )
    body = f'<table:table table:name="Stock"><table:table-row>{cells}</table:table-row></table:table>'
    parsed = parse(odf("spreadsheet", f"<office:spreadsheet>{body}</office:spreadsheet>"), Path("a.ods"))
    assert parsed.text == "Stock\n\n4 | =A1*SUM(A1:A2)"
    assert parsed.metadata["left_out"] == "the values of 1 formula never calculated: Stock!B1"


def test_a_workbook_that_says_nothing_of_its_places_is_read() -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="9"/></cellXfs>'
    data = sheet_file('<row><c><v>1</v></c><c s="1"><v>.5</v></c></row><row><c s="1"><v>.25</v></c></row>')
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>')
    assert parse(stream.getvalue(), Path("a.xlsx")).text == "S1\n\n1 | 50%\n25%"


def test_merged_cells_stand_in_every_row_and_column() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet("Rota")
        sheet.merge_range("A1:D1", "Rota of the harbour")
        sheet.merge_range("A2:A3", "Site")
        sheet.merge_range("B2:C2", "Shift")
        sheet.write("D2", "Phone")
        sheet.write_row("B3", ["from", "to"])
        sheet.merge_range("A4:A6", "Northgate")
        sheet.write_row("B4", ["06:00", "14:00", 4411])
        sheet.write_row("B6", ["14:00", "22:00", 4412])

    parsed = written(write)
    assert parsed.text == (
        "Rota\n\nRota of the harbour\n\nSite | Shift | Shift | Phone\nSite | from | to\n"
        "Northgate | 06:00 | 14:00 | 4411\nNorthgate | 14:00 | 22:00 | 4412"
    )
    assert [table.header for table in tables(parsed)] == ["Site | Shift from | Shift to | Phone"]
    assert [place[1:] for place in parsed.places] == [
        ("Rota", "row", 1, 1),
        ("Rota", "row", 2, 4),
        ("Rota", "row", 6, 6),
    ]


def test_merged_cells_of_an_open_document_stand_in_every_row() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell{more}><text:p>{text}</text:p></table:table-cell>"

    rows = [
        [cell("Site"), cell("Shift")],
        [cell("Northgate", ' table:number-rows-spanned="2" table:number-columns-spanned="1"'), cell("early")],
        ["<table:covered-table-cell/>", cell("late")],
    ]
    body = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    table = f'<office:spreadsheet><table:table table:name="Rota">{body}</table:table></office:spreadsheet>'
    assert parse(odf("spreadsheet", table), Path("a.ods")).text.endswith("Northgate | early\nNorthgate | late")


def test_merged_cells_that_lie_upon_another_cost_little() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="B{n}"><v>1</v></c></row>' for n in range(1, 3001))
    merged = "".join(f'<mergeCell ref="A{n % 9 + 1}:XFD1048576"/>' for n in range(3000))
    data = repacked(
        sheet_file(rows),
        lambda name, body: (
            body.replace(b"</sheetData>", b"</sheetData>" + merged.encode()) if "sheet1" in name else body
        ),
    )
    parsed = parse(data, Path("a.xlsx"))
    assert "merged cells" in str(parsed.metadata["left_out"])
    assert parsed.text.endswith("3000 | 1")


def test_notes_stand_in_their_cells() -> None:
    def write(book: Any) -> None:
        sheet = book.add_worksheet("Stock")
        sheet.write_row(0, 0, ["Article", "Price"])
        sheet.write_row(1, 0, ["Anchor", 89.9])
        sheet.write_comment(1, 1, "Recalled in May,\ndo not sell")
        sheet.write_comment(2, 0, "Ask Ann")

    assert written(write).text.endswith("Anchor | 89.9 [note: Recalled in May, do not sell]\n[note: Ask Ann]")


def test_notes_of_an_open_document_stand_in_their_cells() -> None:
    note = "<office:annotation><text:p>Ask Ann</text:p></office:annotation>"
    row = f"<table:table-row><table:table-cell>{note}<text:p>Anchor</text:p></table:table-cell></table:table-row>"
    table = f'<office:spreadsheet><table:table table:name="Stock">{row}</table:table></office:spreadsheet>'
    assert parse(odf("spreadsheet", table), Path("a.ods")).text == "Stock\n\nAnchor [note: Ask Ann]"


def test_hidden_sheets_and_rows_are_read() -> None:
    def write(book: Any) -> None:
        book.add_worksheet("Prices").write_row(0, 0, ["Rope", 12])
        old = book.add_worksheet("Old prices")
        old.write_row(0, 0, ["Rope", 9])
        old.set_row(0, None, None, {"hidden": True})
        old.hide()

    assert written(write).text == "Prices\n\nRope | 12\n\nOld prices\n\nRope | 9"


def gap(book: Any) -> None:
    book.add_worksheet("First").write_row(0, 0, ["Code", "Meaning"])
    sheet = book.add_worksheet("Gap")
    sheet.write_row(4, 0, ["Code", "Meaning"])
    sheet.write_row(5, 0, ["E-17", "sensor blocked"])
    sheet.write_row(6, 0, ["E-18", "sensor lost"])
    sheet.write_row(20, 0, ["E-99", "controller failure"])


def places(parsed: Parsed, *, target: int) -> dict[str, str]:
    document = Document(
        "/a", "a", parsed.text, parsed.kind, "1", blocks=parsed.blocks, places=parsed.places, has_lines=parsed.has_lines
    )
    chunks = Splitter(Words(), window=40, target=target).split(document)
    return {chunk.text: str(chunk.location) for chunk in chunks}


def test_a_row_of_a_sheet_is_a_place() -> None:
    found = places(written(gap), target=8)
    assert found["E-99 | controller failure"] == "Gap, row 21"
    assert next(iter(found.values())) == "First, row 1"
    assert found["Code | Meaning\nE-17 | sensor blocked\nE-18 | sensor lost"] == "Gap, rows 5-7"


def test_a_row_of_an_open_document_sheet_is_a_place() -> None:
    def row(*cells: str) -> str:
        told = "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
        return f"<table:table-row>{told}</table:table-row>"

    blank = '<table:table-row table:number-rows-repeated="13"><table:table-cell/></table:table-row>'
    body = row("Code", "Meaning") + row("E-17", "blocked") + blank + row("E-99", "failure")
    table = f'<office:spreadsheet><table:table table:name="Gap">{body}</table:table></office:spreadsheet>'
    found = places(parse(odf("spreadsheet", table), Path("a.ods")), target=30)
    assert found == {"Code | Meaning\nE-17 | blocked": "Gap, rows 1-2", "E-99 | failure": "Gap, row 16"} or (
        list(found.values()) == ["Gap, rows 1-16"]
    )


def test_a_quote_in_a_sheet_has_the_row_it_stands_in() -> None:
    parsed = written(gap)
    document = Document("/a", "a", parsed.text, "spreadsheet", "1", places=parsed.places, has_lines=False)
    (chunk,) = Splitter(Words(), window=254, target=200).split(document)
    start = chunk.text.index("sensor lost")
    assert str(chunk.location.part(chunk.text, start, start + 11)) == "Gap, row 7"
    start = chunk.text.index("E-99")
    assert str(chunk.location.part(chunk.text, start, start + 4)) == "Gap, row 21"


def test_rows_of_one_column_are_places() -> None:
    def write(book: Any) -> None:
        book.add_worksheet("List").write_column(2, 0, ["rope", "anchor"])

    parsed = written(write)
    assert [(parsed.text[place.start :].split()[0], place.first) for place in parsed.places] == [
        ("rope", 3),
        ("anchor", 4),
    ]


def test_references_of_cells() -> None:
    assert [column_name(cell_at(f"{name}7")[1]) for name in ("A", "Z", "AA", "XFD")] == ["A", "Z", "AA", "XFD"]  # type: ignore[index]
    assert area_of("B2:C4") == Area(1, 1, 3, 2)
    assert [area_of(text) for text in ("B2", "C4:B2", "B4:C2", "", "R1C1:R2C2", "A1:A9999999")] == [None] * 6
    assert str(Place(0, "Gap", "row", 1, 3).part(5, 1, 9)) == str(Place(5, "Gap", "row", 2, 3))
