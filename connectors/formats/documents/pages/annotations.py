"""What people filled in and noted down on a page: the values of form fields, and comments."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from connectors.formats.documents.pages.line import PageLine

if TYPE_CHECKING:
    import pypdfium2

_MOST = 2_000  # of a page
_SIZE = 10.0  # of the letters of a value, which the field does not tell
_TICKED, _EMPTY = "☒", "☐"


def annotations_of(page: pypdfium2.PdfPage) -> Iterator[PageLine]:
    """The values of the fields of a page as lines where they are shown; comments have no size, and come last."""
    import pypdfium2.raw as pdfium

    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST)):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            kind = pdfium.FPDFAnnot_GetSubtype(annotation)
            if kind in {pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP}:
                continue
            if kind == pdfium.FPDF_ANNOT_WIDGET:
                text = _value(annotation, page.formenv.raw) if page.formenv else ""
            else:
                text = _read(lambda *room, at=annotation: pdfium.FPDFAnnot_GetStringValue(at, b"Contents", *room))
            if text and kind in {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT}:
                yield _placed(text, annotation)
            elif text:
                yield PageLine(f"Comment: {text}", 0, 0, 0, 0)
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _value(annotation: Any, form: Any) -> str:
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in {pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON}:
        return _TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else _EMPTY
    if kind not in {pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}:
        return ""  # a button, or a signature
    return _read(lambda *room: pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, *room))


def _placed(text: str, annotation: Any) -> PageLine:
    import pypdfium2.raw as pdfium

    place = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, place)
    height = abs(place.top - place.bottom)
    base = min(place.top, place.bottom) + min(0.25 * height, 3)
    if height > 3 * _SIZE:  # of several lines: the text begins at the top
        base = max(place.top, place.bottom) - _SIZE
    return PageLine(text, place.left, place.right, base, _SIZE)


def _read(call: Callable[..., int]) -> str:
    """A text that PDFium writes into a buffer, as long as it says it has to be."""
    import pypdfium2.raw as pdfium

    size = call(None, 0)
    if size <= 2:  # noqa: PLR2004  (the zero at the end)
        return ""
    room = ctypes.create_string_buffer(size)
    call(ctypes.cast(room, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return " ".join(room.raw[: size - 2].decode("utf-16-le", "replace").split())
