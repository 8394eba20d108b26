import random
import string

import pytest

from rag.knowledge_base import KnowledgeBase
from rag.query.query import Query
from rag.query.spelling import respell

NOTES = {
    "refunds": "Refunds are paid within fourteen days. A refund goes back to the card that was used.",
    "parcels": "Parcels arrive in two days. The courier calls before each delivery.",
    "warranty": "The warranty covers manufacturing defects for three years, and antioxidants in the coating.",
    "müller": "Ask Mr Müller at the café about the jalapeño soup. Zoë answers when he is away.",
    "server": "The call getUserName fails with ERR-4711 when config_file.yaml is missing. NASA sent a report.",
    "office": "The Wi-Fi in the meeting room is slow. A motel near the coast has glides and a database.",
    "русский": "Возврат средств осуществляется в течение четырнадцати дней после получения посылки.",
}


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    home = tmp_path_factory.mktemp("spelling")
    (home / "notes").mkdir()
    for name, text in NOTES.items():
        (home / "notes" / f"{name}.txt").write_text(text)
    (home / "notes" / "quarterly.txt").write_text("Nothing here says what the file is called.")
    knowledge_base = KnowledgeBase.open(home / "kb")
    knowledge_base.index(home / "notes")
    yield knowledge_base
    knowledge_base.close()


@pytest.fixture(scope="module")
def view(kb):
    with kb._store.view() as view:
        yield view


@pytest.mark.parametrize(
    ("query", "searched"),
    [
        ("refnud", "refund"),  # swapped
        ("refnuds", "refunds"),
        ("how long do refuds take", "how long do refunds take"),  # one missing
        ("warrannty", "warranty"),  # one more
        ("Warrantx, please", "Warranty, please"),  # another
        ("xarranty", "warranty"),  # the first letter
        ("the parcesl", "the parcels"),
        ("REFNUD FOR PARCELS", "REFUND FOR PARCELS"),
        ("refnud for a parecl", "refund for a parcel"),
        ("antioxidnts", "antioxidants"),  # and not "antioxidents", which has the same stem
        ("jalapneo", "jalapeño"),  # as the passage writes it
        ("jalapen\u0303os soup", "jalapeños soup"),
        ("возрват", "возврат"),
        ("quartrely", "quarterly"),  # only the name of a file has it
        ("warrantt", "warranty"),  # the key beside
        ("wifi is slow", "wi-fi is slow"),  # a hyphen forgotten
        ("meetingroom", "meeting room"),  # a space forgotten
        ("Parcelsarrive", "Parcels Arrive"),
    ],
)
def test_one_slip_is_put_right(kb, view, query, searched):
    assert respell(Query.of(query), view, kb._store.encoder).text == searched


@pytest.mark.parametrize(
    "query",
    [
        "refunded",  # another form of a word that is there
        "muller cafe zoe jalapeno",  # nor do accents make a word unknown
        "refund of the parcel",
        "zebra",  # no neighbour
        "hotel",  # nor is a word of its own that the documents lack: they have "motel"
        "guides",  # "glides"
        "ghost",  # "coast" is two letters off
        "asdf",
        "bard",  # "card": the first letter of a short word
        "seup",  # "soup": another letter of a short word
        "roommeeting",  # no passage has them so
        "rfd",  # too short
        "ERR-4712",
        "getUserNmae",
        "confgi_file.yaml",
        "parcesl.txt",
        "http://refnud",
        "a NSAA report",  # an abbreviation
        '"refnud" of the parcel',  # meant as it stands
        "refnd4",
        "wxyzq qwerp asdfg zxcvb refnud",  # more unknown words than a mistyped query has
        "退款政策",
        "🎻🎻",
        "!!! ...",
    ],
)
def test_what_is_no_slip_is_left_as_it_is(kb, view, query):
    found = respell(Query.of(query), view, kb._store.encoder)
    assert (found.text, found.corrections) == (query, ())


def test_a_spelling_that_only_the_stemmer_could_have_made_is_none(tmp_path):
    """ "Leseren" has the stem of "lesen", and is one slip from "leeren"; it is no word."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "one.txt").write_text(
        "Die Kinder lesen bei uns kostenlos, und sie dürfen alle Bücher leihen."
    )
    (tmp_path / "notes" / "two.txt").write_text("Das Fahrrad steht im Keller. Die Kette wird monatlich geölt.")
    kb = KnowledgeBase.open(tmp_path / "kb")
    kb.index(tmp_path / "notes")
    with kb._store.view() as view:
        assert respell(Query.of("Wann leeren"), view, kb._store.encoder).corrections == ()
        assert respell(Query.of("Kinder leihn"), view, kb._store.encoder).text == "Kinder leihen"
        assert respell(Query.of("Fahrradkette"), view, kb._store.encoder).text == "Fahrrad Kette"
        assert respell(Query.of("Fahrradlampe"), view, kb._store.encoder).corrections == ()
    kb.close()


def test_words_with_points_and_signs_are_words(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "ar.txt").write_text("تعيد الشركة ثمن البضاعة خلال أربعة عشر يوما من استلامها في المستودع.")
    kb = KnowledgeBase.open(tmp_path / "kb")
    kb.index(tmp_path / "notes")
    with kb._store.view() as view:
        assert respell(Query.of("ثَمَن البِضَاعَة"), view, kb._store.encoder).corrections == ()
        assert [word.typed for word in respell(Query.of("المتسودع"), view, kb._store.encoder).corrections] == [
            "المتسودع"
        ]
    kb.close()


def test_the_corrections_say_what_was_typed(kb):
    found = kb.search("refnud of my parecl")
    assert [(word.typed, word.searched) for word in found.corrections] == [("refnud", "refund"), ("parecl", "parcel")]
    assert found.hits[0].uri.endswith("refunds.txt")


@pytest.mark.parametrize("mode", ["sparse", "dense", "hybrid"])
def test_a_mistyped_query_ranks_as_if_typed_well_but_is_relevant_with_less_certainty(kb, mode):
    well, mistyped = kb.search("warranty", 3, mode=mode), kb.search("warrnaty", 3, mode=mode)
    assert [hit.uri for hit in mistyped] == [hit.uri for hit in well]
    assert mistyped[0].signals.coverage < well[0].signals.coverage
    assert mistyped[0].relevance < well[0].relevance


def test_nonsense_stays_irrelevant(kb):
    letters = random.Random(7)
    for _ in range(30):
        query = " ".join("".join(letters.choices(string.ascii_lowercase, k=6)) for _ in range(3))
        assert all(hit.relevance < 0.1 for hit in kb.search(query, 3)), query


def test_explained_terms_are_those_searched(kb):
    hit = kb.search("refnud", 1, explain=True).hits[0]
    assert list(hit.signals.terms) == ["refund"]
    assert sum(hit.signals.terms.values()) == pytest.approx(hit.signals.bm25, abs=1e-4)


@pytest.mark.parametrize(
    "word", ["a" * 100_000, "x-" * 50_000, '"' * 50_000, "ab." * 30_000, "A1 " * 33_000, "EUR 1, " * 15_000]
)
def test_a_word_of_a_hundred_thousand_letters_is_searched_at_once(kb, word):
    """Looking for codes took the square of its length: minutes."""
    assert kb.search(f"refunds {word}").hits
