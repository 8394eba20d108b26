from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.encoding import BinaryContentError, decode
from connectors.legacy import legacy_encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("水泵在压力超过六巴时停止。阀门手动打开，然后工作人员检查吸位。\n", "gbk"),
        ("水泵", "gb2312"),
        ("会议 2025年3月 USB接口说明", "gbk"),
        ("水泵在壓力超過六巴時停止。閥門手動打開", "big5"),
        ("會議紀錄", "big5"),
        ("펌프는 압력이 높으면 멈춘다.", "euc-kr"),
        ("ポンプは停止します。", "shift_jis"),
        ("ポンプは停止します。", "euc-jp"),
        ("会議の記録", "shift_jis"),
        ("Привет, мир", "cp1251"),
        ("Насос остановлен.", "cp1251"),
        ("Насос остановлен.", "koi8-r"),
        ("Насос остановлен.", "cp866"),
        ("Договор № 5 от «Ромашка»", "cp1251"),
        ("Η αντλία σταματά.", "cp1253"),
        ("המשאבה נעצרת", "cp1255"),
        ("تتوقف المضخة", "cp1256"),
        ("ปั๊มหยุดทำงาน", "cp874"),
        ("Zażółć gęślą jaźń", "cp1250"),
        ("Příliš žluťoučký kůň", "cp1250"),
        ("Łódź", "cp1250"),
        ("şişe ağır ıslak", "cp1254"),
        ("Größe der Möbel", "cp850"),
    ],
)
def test_a_line_in_an_old_encoding_is_not_garbled(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Größe",
        "Café",
        "naïve",
        "É",
        "à",
        "½ Liter",
        "20 °C",
        "“Hello” – it’s",
        "Crème brûlée à 5 €",
        "CRÈME BRÛLÉE",
        "¿Qué pasó, señor?",
        "São Paulo, João",
        "Það er gott að sjá þig",
        "Ærø og Åbo",
        "l’été",
        "Le prix: 5£ ou 6€",
        "Übergrößenträger",
    ],
)
def test_western_words_stay_western(text: str) -> None:
    assert decode(text.encode("cp1252")).text == text


@pytest.mark.parametrize(
    ("other", "encoding"),
    [("Größe und Länge geändert", "cp1252"), ("Насос остановлен вчера", "cp1251"), ("水泵停止，阀门打开", "gbk")],
)
@pytest.mark.parametrize("share", [1, 5, 40])
def test_lines_of_two_encodings_are_each_read_in_their_own(other: str, encoding: str, share: int) -> None:
    lines = ["Die Gäste kamen früh: größtenteils zu Fuß, Сергей тоже, 小王也来了。"] * share
    data = "\n".join(lines).encode() + b"\n" + other.encode(encoding) + b"\nplain\n"
    assert decode(data).text == "\n".join([*lines, other, "plain", ""])


def test_a_bad_byte_in_a_good_line_is_only_that() -> None:
    assert decode("Die Gäste kamen früh".encode() + b" \xff!").text == "Die Gäste kamen früh \ufffd!"


@pytest.mark.parametrize("unit", [b"\xb0\xa1", b"\xe4", b"\xd0 ", b"\xff", b"a\xe4 \xc3\xa4\n", b"\x81\x40"])
def test_much_of_the_same_costs_little(unit: bytes) -> None:
    started = time.process_time()
    decode(unit * (2_000_000 // len(unit)))
    assert time.process_time() - started < 5


@given(st.binary(max_size=100))
def test_any_encoding_that_is_named_can_be_used(data: bytes) -> None:
    if encoding := legacy_encoding(data):
        data.decode(encoding, errors="replace")
    try:
        decode(data)
    except BinaryContentError:
        return
