"""Bytes to text: a byte order mark, then UTF-8, then UTF-16 without its mark, then a guess from statistics."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import NamedTuple

from connectors.errors import SourceError
from connectors.legacy import LATIN, legacy_encoding

_MARKS = (  # UTF-32 before UTF-16: their little-endian marks begin with the same two bytes
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Enough for a reliable guess, little enough for a quick one: the guesser decodes its sample in dozens of encodings.
_SAMPLE = 64 * 1024
_SEARCHED = 4 * 1024 * 1024  # how far into a file its telling bytes are looked for
_ENOUGH_TO_GUESS = 8  # with fewer words to go by than this, the commonest encoding is the better guess
_EXCLUDE_HINT = "exclude it, for example in .ragignore"
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTES = bytes(range(0x80, 0x100))
# Shares of the bytes beyond ASCII: in UTF-8 with damages, and in the lines of UTF-8 of a file of two encodings.
_MOSTLY, _PARTLY = 0.8, 0.2
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# Control characters that text has no use for; form feed, escape (terminal colours) and the like are left alone.
_CONTROLS = re.compile("[\x00-\x06\x0e-\x1a\x7f]")


class BinaryContentError(SourceError):
    """The bytes are not text in any encoding."""


class Decoded(NamedTuple):
    """Decoded text and its encoding."""

    text: str
    encoding: str


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """Decode `data` without mojibake where that can be avoided.

    `declared` is what the content says of itself (an HTML `meta`, a MIME charset): it is believed when it works and
    the bytes are not valid UTF-8. Raises `BinaryContentError` for bytes that no text has.

    >>> decode("naïve".encode("cp1252"), "windows-1252").text
    'naïve'
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Decoded(data.decode(encoding, errors="replace").removeprefix("\ufeff"), encoding)
    if b"\x00" in data:
        return _decode_wide(data)
    try:
        return _checked(Decoded(data.decode("utf-8"), "utf-8"))
    except UnicodeDecodeError:
        return _checked(_decode_declared(data, declared) or _decode_lines(data) or _guess(data))


def _decode_declared(data: bytes, declared: str | None) -> Decoded | None:
    # A declaration of ASCII or Latin-1 over bytes such as 0x93 means Windows-1252 (so does the HTML standard).
    encoding = (declared or "").strip().strip("\"'").lower()
    if encoding in {"us-ascii", "ascii", "latin-1", "latin1", "iso-8859-1", "iso8859-1"}:
        encoding = "cp1252"
    # cp932 is what is meant by shift_jis, and decodes all of it and more; likewise gb18030 and cp949.
    encoding = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc-kr": "cp949"}.get(encoding, encoding)
    try:
        return Decoded(data.decode(encoding), encoding)
    except (LookupError, ValueError):
        return None


def _decode_lines(data: bytes) -> Decoded | None:
    """UTF-8 with a few bad bytes (a cut file, a stray byte), or with lines that another program added in its encoding.

    Guessing again for all would garble the good lines.
    """
    lines = data.splitlines(keepends=True)
    valid = [_is_utf8(line) for line in lines]
    good = sum(len(sequence) for line in lines for sequence in _UTF8_SEQUENCE.findall(line))
    good_lines = sum(_high(line) for line, is_valid in zip(lines, valid, strict=True) if is_valid)
    high = _high(data)
    if good < _MOSTLY * high and good_lines < _PARTLY * high:
        return None
    # Where a bad line holds good characters as well, it is damaged UTF-8.
    others = [line for line, is_valid in zip(lines, valid, strict=True) if not is_valid and not _is_damaged(line)]
    other = legacy_encoding(b"".join(others)) if others else None
    text = "".join(
        _decode_line(line, "utf-8" if is_valid or other is None or _is_damaged(line) else other)
        for line, is_valid in zip(lines, valid, strict=True)
    )
    return Decoded(text, "utf-8")


def _decode_line(line: bytes, encoding: str) -> str:
    return line.decode(encoding, errors="replace")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_damaged(line: bytes) -> bool:
    good = sum(len(sequence) for sequence in _UTF8_SEQUENCE.findall(line))
    return good >= 0.5 * _high(line)


def _high(data: bytes) -> int:
    """How many bytes are beyond ASCII."""
    return len(data) - len(data.translate(None, _HIGH_BYTES))


def _guess(data: bytes) -> Decoded:
    from charset_normalizer import from_bytes

    sample = _telling_sample(data)
    candidates = [encoding for encoding in ("cp932", "euc_jp") if _holds_kana(sample, encoding)]
    read = legacy_encoding(sample)
    if read in LATIN | {None} and len(_HIGH_RUN.findall(sample)) >= _ENOUGH_TO_GUESS and not candidates:
        best = from_bytes(sample).best()
        candidates += [best.encoding] if best else []
    candidates += [read] if read else []
    for encoding in (*candidates, "cp1252"):
        try:
            return Decoded(data.decode(encoding), encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return Decoded(data.decode("cp1252", errors="replace"), "cp1252")


def _telling_sample(data: bytes) -> bytes:
    """Words around the bytes that tell encodings apart: long stretches of ASCII would drown them."""
    first = _HIGH_RUN.search(data)
    words = data[max(0, first.start() - 64) if first else 0 :][:_SEARCHED].split()
    groups = (b" ".join(words[start : start + 8]) for start in range(0, len(words), 8))
    return b"\n".join(group for group in groups if not group.isascii())[:_SAMPLE]


def _holds_kana(sample: bytes, encoding: str) -> bool:
    """Whether the bytes are Japanese in this encoding: syllable signs are in every sentence and in no misreading."""
    foreign = [character for character in sample.decode(encoding, errors="replace") if not character.isascii()]
    kana = sum("\u3041" <= character <= "\u30fc" for character in foreign)
    return kana > 0.2 * len(foreign) and foreign.count("\ufffd") <= 1


def _decode_wide(data: bytes) -> Decoded:
    """UTF-16 without a mark: the NULs of its ASCII characters (at least the spaces) mostly fall on one side."""
    sample = data[: _SAMPLE & ~1]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    encoding = "utf-16-le" if odd >= even else "utf-16-be"
    try:
        text = data[: len(data) & ~1].decode(encoding)
    except UnicodeDecodeError:
        text = ""
    if not _reads_as_text(text[:_SAMPLE]):
        raise BinaryContentError("binary content, not text", hint=_EXCLUDE_HINT)
    return Decoded(text, encoding)


def _reads_as_text(sample: str) -> bool:
    """Whether characters are all of a kind that texts have, some of them ASCII: bytes at random are not."""
    if not sample or _CONTROLS.search(sample):
        return False
    ascii_count = sum(map(str.isascii, sample))
    return ascii_count >= 0.02 * len(sample) and all(map(_is_assigned, set(sample)))


def _is_assigned(character: str) -> bool:
    return unicodedata.category(character) not in {"Cn", "Co", "Cs"}


def _checked(decoded: Decoded) -> Decoded:
    """Refuse bytes that decode but hold a density of control characters that only binary data has."""
    head = decoded.text[:_SAMPLE]
    if len(_CONTROLS.findall(head)) > 0.02 * len(head) + 1:
        raise BinaryContentError("binary content, not text", hint=_EXCLUDE_HINT)
    return decoded
