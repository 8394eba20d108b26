"""Word and OpenDocument files written by hand, part by part."""

from __future__ import annotations

from tests.connectors.samples import make

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SPACES = " ".join(
    f'xmlns:{prefix}="{space}"'
    for prefix, space in {
        "w": _WORD,
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
        "v": "urn:schemas-microsoft-com:vml",
    }.items()
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def run(text: str, properties: str = "") -> str:
    """A run of text in Word."""
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content: str, properties: str = "") -> str:
    """A paragraph in Word; what is no XML is the text of a run."""
    runs = "".join(part if part.startswith("<") else run(part) for part in content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def listed(text: str, level: int = 0, number: int = 1) -> str:
    """A paragraph of a numbered list in Word."""
    properties = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return paragraph(text, properties=properties)


def level(place: int, number_format: str, text: str, more: str = "", start: int = 1) -> str:
    """A level of a numbered list in Word."""
    return (
        f'<w:lvl w:ilvl="{place}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def docx(body: str, **parts: str) -> bytes:
    """A Word document: its body, and the content of other parts by their kind (`numbering`, `footnotes`, `header`)."""
    names = {"footnotes": "footnotes", "header": "hdr", "footer": "ftr"}
    members = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml"'
            ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Type="{_OFFICE}/officeDocument"'
            ' Target="word/document.xml"/></Relationships>'
        ),
        "word/document.xml": f"<w:document {_SPACES}><w:body>{body}</w:body></w:document>",
    }
    relations = ""
    for kind, content in parts.items():
        root = names.get(kind, kind)
        relations += f'<Relationship Id="r-{kind}" Type="{_OFFICE}/{kind}" Target="{kind}.xml"/>'
        members[f"word/{kind}.xml"] = f"<w:{root} {_SPACES}>{content}</w:{root}>"
    members["word/_rels/document.xml.rels"] = (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}</Relationships>'
    )
    return make.zipped(members)


def numbering(*levels: str, more: str = "") -> str:
    """The numbering part of a Word document: one list of these levels."""
    return (
        f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>{more}'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )


_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODF_SPACES = " ".join(
    f'xmlns:{prefix}="{space}"'
    for prefix, space in {
        **{name: f"{_ODF}:{name}:1.0" for name in ("office", "text", "table", "style", "presentation", "meta", "form")},
        "draw": f"{_ODF}:drawing:1.0",
        "svg": f"{_ODF}:svg-compatible:1.0",
        "chart": f"{_ODF}:chart:1.0",
        "dc": "http://purl.org/dc/elements/1.1/",
        "xlink": "http://www.w3.org/1999/xlink",
        "math": "http://www.w3.org/1998/Math/MathML",
        "field": "urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0",
        "loext": "urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",
    }.items()
)


def odf(body: str, styles: str = "", *, kind: str = "text", shared: str = "", **objects: str) -> bytes:
    """An OpenDocument file: its body, its own styles, the content of `styles.xml`, and of embedded objects."""
    members = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content {_ODF_SPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>",
        **{f"{name}/content.xml": content for name, content in objects.items()},
    }
    if shared:
        members["styles.xml"] = f"<office:document-styles {_ODF_SPACES}>{shared}</office:document-styles>"
    return make.zipped(members)


def items(*content: str, more: str = "") -> str:
    """A list in OpenDocument; what is no XML is the text of a paragraph."""
    written = (part if part.startswith("<") else f"<text:p>{part}</text:p>" for part in content)
    return f"<text:list {more}>{''.join(f'<text:list-item>{part}</text:list-item>' for part in written)}</text:list>"


def counted(place: int, number_format: str, more: str = "") -> str:
    """A level of a list or an outline in OpenDocument."""
    return f'<text:list-level-style-number text:level="{place}" style:num-format="{number_format}" {more}/>'
