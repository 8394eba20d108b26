import pytest

from indexes.encoding.loading import load_encoder
from rag.query.language_coverage import sparse_trust


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


@pytest.mark.parametrize(
    ("query", "low", "high"),
    [
        ("how long do refunds take?", 1.0, 1.0),
        ("payment", 1.0, 1.0),
        ("Wie entlüfte ich einen Heizkörper?", 4.0, 5.0),
        ("préavis des locataires", 2.0, 5.0),
        ("洗衣机无法排水怎么办", 5.0, 5.0),
        ("茶", 5.0, 5.0),
        ("?!", 1.0, 1.0),
    ],
)
def test_words_count_for_more_the_less_the_encoder_knows_the_language(encoder, query, low, high):
    assert low <= sparse_trust(query, encoder.spans(query)) <= high


def test_an_encoder_that_has_the_words_is_trusted():
    query = "Wie entlüfte ich"
    assert sparse_trust(query, [(0, 3), (4, 12), (13, 16)]) == 1.0
