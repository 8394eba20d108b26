from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.terms.analyzer import MAX_TERM_LENGTH, UNSPACED, analyze, detect_language, query_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Refunds, refunded & refunding!", ["refund", "refund", "refund"]),
        ("getUserName", ["getusernam", "get", "user", "name"]),
        ("parse_http_request", ["parse_http_request", "pars", "http", "request"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("5,120 and 1,000.50", ["5120", "and", "1000.50"]),
        ("3.14 v1.2.3", ["3.14", "v1.2.3"]),
        ("user's don't", ["user", "don't"]),
        ("東京都庁", ["东京", "京都", "都庁", "东", "京", "都", "庁"]),
        ("猫 is a cat", ["猫", "is", "a", "cat"]),
        ("Größe", ["grosse", "gross"]),
        ("cafe\u0301 CAFÉ", ["cafe", "cafe"]),
        ("İstanbul ısı ĞÜŞ", ["istanbul", "isi", "gus"]),
        ("Søren Łódź Æsir œuvre", ["soren", "lodz", "aesir", "oeuvr"]),
        ("мой ёлка", ["мой", "елка"]),
        ("ガイド ｶﾞｲﾄﾞ", ["ガイ", "イド", "ガイ", "イド"]),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["한글"]),
        ("\u0301", []),
        ("ｆｕｌｌｗｉｄｔｈ", ["fullwidth"]),
        ("ﷺ", ["صلياللهعليهوسلم"]),
        ("🙂 … !!! ❤\ufe0f", []),
        ("1\ufe0f\u20e3", ["1"]),
        ("٢٠٢٤ २०२४", ["2024", "2024"]),
        ("हिन्दी की किताब", ["हिन्दी", "की", "किताब"]),
        ("क्\u200dष", ["क्ष"]),
        ("தமிழ் မြန်မာ", ["தமிழ்", "မြ", "ြန", "န်", "်မ", "မာ"]),
        ("كِتَابٌ", ["كتاب"]),
        ("شَـجَرَة", ["شجرة"]),
        ("שָׁלוֹם", ["שלום"]),
        ("می\u200cخواهم", ["مي", "خواهم"]),
        ("l’été aujourd’hui", ["l'ete", "aujourd'hui"]),
        ("Wi-Fi密码", ["wi", "fi", "密码", "密", "码"]),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert analyze(text) == terms


def test_a_query_finds_identifiers_by_part_and_whole() -> None:
    indexed = set(analyze("def getUserName(): ..."))
    for query in ("getUserName", "user name", "getusername"):
        assert {stem for term in query_terms(query) for stem in term.stems} & indexed, query


@pytest.mark.parametrize(
    ("language", "accented", "plain"),
    [
        ("en", "Müller", "Muller"),
        ("en", "café", "cafe"),
        ("de", "Müller", "Mueller"),
        ("de", "Größe", "Groesse"),
        ("de", "Straße", "Strasse"),
        ("fr", "publié", "publie"),
        ("fr", "élèves", "eleves"),
        ("es", "niños", "ninos"),
        ("es", "había", "habia"),
        ("pt", "informações", "informacoes"),
        ("tr", "kırmızı", "kirmizi"),
        ("el", "άνθρωπος", "ανθρωπος"),
        ("de", "überqueren", "ueberqueren"),
        ("fr", "l’hôtel", "hotel"),
        ("it", "dell'università", "universita"),
        ("ar", "مُدَرِّسَة", "مدرسة"),
        ("ar", "أحمد", "احمد"),
        ("ar", "الكِتاب", "كتاب"),
        ("en", "هُدًى", "هدى"),
        ("en", "کتاب", "كتاب"),
        ("en", "עִבְרִית", "עברית"),
        ("hi", "ज़रूरत", "जरूरत"),
        ("hi", "हँसी", "हंसी"),
    ],
)
def test_a_word_is_found_with_and_without_its_accents(language: str, accented: str, plain: str) -> None:
    for indexed, asked in ((accented, plain), (plain, accented), (accented, accented)):
        (term,) = query_terms(asked, (language,))
        assert not set(analyze(indexed, language)).isdisjoint(term.stems), (indexed, asked)


@pytest.mark.parametrize(("one", "other"), [("किताब", "कतब"), ("मिल", "मेल"), ("கால்", "கல்"), ("กา", "กี")])
def test_vowel_signs_are_letters(one: str, other: str) -> None:
    assert set(analyze(one, "hi")).isdisjoint(analyze(other, "hi"))


def test_a_mark_never_parts_a_word() -> None:
    """Every mark of the living scripts, as this Python's Unicode knows them."""
    marks = [chr(code) for code in range(0x300, 0x2100) if unicodedata.category(chr(code)).startswith("M")]
    assert len(marks) > 1_000
    parted = [mark for mark in marks if not re.match(UNSPACED, mark) and len(query_terms(f"a{mark}b")) != 1]
    assert parted == []


@pytest.mark.parametrize(("traditional", "simplified"), [("圖書館", "图书馆"), ("臺灣", "台湾"), ("電腦", "电脑")])
def test_traditional_and_simplified_characters_meet(traditional: str, simplified: str) -> None:
    assert query_terms(traditional) == query_terms(simplified)
    assert analyze(traditional) == analyze(simplified)


def test_one_character_is_found_in_a_run_and_a_run_is_asked_for_by_pairs() -> None:
    indexed = analyze("我家的猫很胖")
    assert {stem for term in query_terms("猫") for stem in term.stems} <= set(indexed)
    assert [term.stems for term in query_terms("猫很胖")] == [("猫很",), ("很胖",)]
    assert set(analyze("わたしのねこ")).isdisjoint("わたしのねこ")  # kana spell words, they are none


def test_accents_help_the_stemmer() -> None:
    assert set(analyze("informações", "pt")) & set(analyze("informação", "pt"))


def test_a_pair_of_a_half_width_run_stands_where_the_run_stands() -> None:
    assert {(term.stems, term.start, term.end) for term in query_terms("x ｶﾞｲﾄﾞ")} == {
        (("x",), 0, 1),
        (("ガイ",), 2, 7),
        (("イド",), 2, 7),
    }


def test_stems_follow_the_language() -> None:
    assert analyze("Häuser", "de") == analyze("Haus", "de")
    assert analyze("Häuser", "en") != analyze("Haus", "en")


def test_a_query_over_several_languages_asks_for_every_stem() -> None:
    (term,) = query_terms("Häuser", ("en", "de"))
    assert term.stems == (*analyze("Häuser", "en"), *analyze("Haus", "de"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The committee decided that the report should be published by the end of the year.", "en"),
        ("Der Ausschuss hat beschlossen, dass der Bericht bis Ende des Jahres veröffentlicht werden soll.", "de"),
        ("Le comité a décidé que le rapport devait être publié avant la fin de l'année prochaine.", "fr"),
        ("洗衣机不排水时，多半是过滤器堵塞了，请联系 IT 部门。", "zh"),
        ("圖書館的讀者證可以借十本書。", "zh"),
        ("図書館の利用者カードで本を十冊まで借りられます。", "ja"),
        ("도서관에서는 책을 열 권까지 빌릴 수 있습니다.", "ko"),
        ("ห้องสมุดให้ยืมหนังสือได้สิบเล่ม", "th"),
        ("The word 猫 is Chinese for cat, and it is the only one here.", "en"),
        ("x", "en"),
        ("", "en"),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert detect_language(text) == language


@given(st.text())
def test_any_text_gives_clean_terms(text: str) -> None:
    for term in analyze(text):
        assert term
        assert len(term) <= MAX_TERM_LENGTH
        assert not any(character.isspace() for character in term)


@given(st.text())
def test_places_lie_in_the_text(text: str) -> None:
    for term in query_terms(text):
        assert 0 <= term.start < term.end <= len(text)
