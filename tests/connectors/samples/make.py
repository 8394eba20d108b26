"""Small real files of every format, made on the spot."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import closing

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def zipped(members: Mapping[str, str | bytes], *, stored: Sequence[str] = ("mimetype",)) -> bytes:
    """A zip archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, compress_type=kind)
    return stream.getvalue()


def epub(chapter: str) -> bytes:
    """A book of one chapter."""
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="p.opf"/></rootfiles></container>',
            "p.opf": '<package><manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="c"/></spine></package>',
            "c.xhtml": chapter,
        }
    )


def pdf(
    pages: Sequence[Sequence[tuple[str, float]]], *, title: str = "", font: str = "Helvetica", encrypted: bool = False
) -> bytes:
    """A PDF: pages of lines, each a text and its size, set below one another."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", ""]
    kids = []
    for lines in pages:
        content = "BT\n"
        y = 780.0
        for text, size in lines:
            y -= size * 1.25 if text else size * 2
            shown = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            content += f"/F1 {size} Tf 1 0 0 1 72 {y} Tm ({shown}) Tj\n" if text else ""
        content += "ET"
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 800] "
            f"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /{font} >> >> >> "
            f"/Contents {len(objects) + 2} 0 R >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    trailer = ""
    if title:
        objects.append(f"<< /Title ({title}) /Author (A. Writer) /CreationDate (D:20240229120000Z) >>")
        trailer += f"/Info {len(objects)} 0 R "
    if encrypted:  # the hashes are made up, so no password opens it
        objects.append(f"<< /Filter /Standard /V 1 /R 2 /P -44 /O <{'41' * 32}> /U <{'42' * 32}> >>")
        trailer += f"/Encrypt {len(objects)} 0 R /ID [<{'43' * 16}> <{'43' * 16}>] "
    body = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer}>>\nstartxref\n{len(body)}\n%%EOF"
    return body + end.encode()


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE compound file (Office 97-2003, Outlook) with these small streams at its root, all in its mini stream."""
    starts, mini, mini_chains = [], b"", []
    for content in streams.values():
        starts.append(len(mini_chains))
        count = -(-len(content) // 64)
        mini_chains += [*range(len(mini_chains) + 1, len(mini_chains) + count), _END]
        mini += content.ljust(64 * count, b"\0")
    entries = _ole_entry("Root Entry", 5, _FREE, 1, 3 + len(streams) // 4, len(mini))
    for index, (name, content) in enumerate(streams.items()):
        following = index + 2 if index + 1 < len(streams) else _FREE
        entries += _ole_entry(name, 2, following, _FREE, starts[index], len(content))
    entries = _padded(entries)
    mini = _padded(mini)
    # Sector 0 is the table of sectors, 1 that of mini sectors; then the directory, then the mini stream.
    chains = [_FAT, _END]
    for part in (entries, mini):
        chains += [*range(len(chains) + 1, len(chains) + len(part) // _SECTOR), _END]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 2, 0, 4096, 1, 1, _END, 0, 0)
    header += struct.pack("<108I", *[_FREE] * 108)
    return header + _ole_table(chains) + _ole_table(mini_chains) + entries + mini


def _padded(data: bytes) -> bytes:
    return data.ljust(-(-len(data) // _SECTOR) * _SECTOR, b"\0")


def _ole_table(chains: Sequence[int]) -> bytes:
    assert len(chains) <= _SECTOR // 4
    return struct.pack("<128I", *chains, *[_FREE] * (128 - len(chains)))


def _ole_entry(name: str, kind: int, following: int, child: int, start: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
    return entry + struct.pack("<III", _FREE, following, child) + bytes(36) + struct.pack("<IQ", start, size)


def msg(subject: str, body: str) -> bytes:
    """An Outlook message."""
    properties = {"0037": subject, "1000": body, "001A": "IPM.Note", "0C1A": "Ann Sender", "0C1F": "ann@example.org"}
    table = bytes(32)
    for tag, value in properties.items():
        table += struct.pack("<IIII", int(tag, 16) << 16 | 0x1F, 6, 2 * len(value) + 2, 0)
    streams = {f"__substg1.0_{tag}001F": value.encode("utf-16-le") for tag, value in properties.items()}
    return ole({"__properties_version1.0": table, **streams})


def docx_zip_bomb(megabytes: int = 100) -> bytes:
    """A file that says it is DOCX and unpacks to far more than it weighs."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w") as member:
            block = b"a" * (1024 * 1024)
            for _ in range(megabytes):
                member.write(block)
    return stream.getvalue()


def lying_zip(data: bytes, name: str, declared: int) -> bytes:
    """The archive with the size of one member declared smaller than it is, everywhere it is declared."""
    with closing(zipfile.ZipFile(io.BytesIO(data))) as archive:
        actual = struct.pack("<I", archive.getinfo(name).file_size)
    return data.replace(actual, struct.pack("<I", declared))
