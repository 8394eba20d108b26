from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.encoding import BinaryContentError, decode

GERMAN = "Die Größe der Fische überrascht die Gäste; schöne Grüße aus Köln und Düsseldorf.\n" * 3
RUSSIAN = "Рыбы-лоцманы сопровождают акул и питаются остатками их добычи. Они плавают рядом.\n" * 3
JAPANESE = "ブリモドキは鮫と一緒に泳ぐ魚です。鮫の食べ残しを食べます。\n" * 3


@pytest.mark.parametrize("text", [GERMAN, RUSSIAN, JAPANESE, "plain ASCII\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_read_with_and_without_a_mark(text: str, encoding: str) -> None:
    assert decode(("a b " + text).encode(encoding)).text == "a b " + text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (JAPANESE, "shift_jis"), (JAPANESE, "euc-jp")],
)
def test_old_encodings_are_guessed_from_the_text(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_bytes_far_into_a_file_decide_its_encoding() -> None:
    text = "plain words " * 20_000 + RUSSIAN
    assert decode(text.encode("cp1251")).text == text


def test_a_declared_encoding_is_believed_when_the_bytes_allow_it() -> None:
    assert decode("naïve".encode("cp1252"), "ISO-8859-1").text == "naïve"
    assert decode("naïve".encode(), "ISO-8859-1").text == "naïve"
    assert decode("naïve “quoted”".encode("cp1252"), "no-such-encoding").text == "naïve “quoted”"


def test_a_few_bad_bytes_do_not_garble_the_good_ones() -> None:
    damaged = GERMAN.encode().replace(b"Gast", b"") + b"\xff\xfe broken \xc3"
    text = decode(damaged).text
    assert text.startswith(GERMAN)
    assert "\ufffd broken \ufffd" in text


@pytest.mark.parametrize("data", [bytes(range(256)) * 8, b"\x00\x01\x02\x03" * 100, b"\x01\x02\x03\x04\x05" * 200])
def test_binary_content_is_refused(data: bytes) -> None:
    with pytest.raises(BinaryContentError, match="binary") as caught:
        decode(data)
    assert caught.value.hint


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_utf8_comes_back_as_it_was(text: str) -> None:
    text = text.lstrip("\ufeff")
    assert decode(text.encode()).text == text


@given(st.binary(max_size=300))
def test_any_bytes_give_text_that_can_be_stored_or_a_clear_error(data: bytes) -> None:
    try:
        text = decode(data).text
    except BinaryContentError:
        return
    text.encode("utf-8")
