from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.analyzer import MAX_TERM_LENGTH, analyze, detect_language, query_terms


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
        ("東京都庁", ["東京", "京都", "都庁"]),
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
        ("ﷺ", ["صلىاللهعليهوسلم"]),
        ("🙂 … !!!", []),
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
    ],
)
def test_a_word_is_found_with_and_without_its_accents(language: str, accented: str, plain: str) -> None:
    for indexed, asked in ((accented, plain), (plain, accented), (accented, accented)):
        (term,) = query_terms(asked, (language,))
        assert not set(analyze(indexed, language)).isdisjoint(term.stems), (indexed, asked)


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
