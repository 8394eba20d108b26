import pytest

from connectors.document import Location
from indexes.catalog.rows import StoredChunk
from indexes.sparse.sparse import SparseIndex, SparseReader, SparseState
from indexes.terms.analyzer import query_terms
from rag.query.term_weights import idf, piece_weights


def chunk(number: int, text: str) -> StoredChunk:
    return StoredChunk(number, text, "", Location(0, len(text), 1, 1), f"/{number}", "", "text", "en", {})


@pytest.fixture
def reader(tmp_path):
    index = SparseIndex(tmp_path)
    texts = ["Refunds are paid within 14 days.", "Parcels arrive in two days.", "Call the office."]
    index.rebuild([chunk(number, text) for number, text in enumerate(texts, 1)], SparseState(1))
    index.close()
    return SparseReader(tmp_path)


def weights(query: str, reader: SparseReader) -> dict[str, float]:
    return {query[term.start : term.end]: idf(term, reader) for term in query_terms(query)}


def test_function_words_weigh_little_even_where_they_are_rare(reader):
    found = weights("how do refunds work", reader)
    assert found["refunds"] > 5 * found["how"]
    assert found["refunds"] > 5 * found["do"]


def test_an_unknown_word_weighs_most(reader):
    found = weights("refunds days zebra", reader)
    assert found["zebra"] > found["refunds"] > found["days"] > 0


def test_the_pieces_of_a_word_share_the_weight_of_its_rarest_term():
    query = "getUserName, please"
    terms = query_terms(query)
    values = {term: float(number) for number, term in enumerate(terms, 1)}
    rarest = max(values[term] for term in terms if term.end == len("getUserName"))
    found = piece_weights([(0, 3), (3, 7), (7, 11), (11, 12), (13, 19)], values)
    assert found == pytest.approx([rarest / 3, rarest / 3, rarest / 3, 0.0, values[terms[-1]]])
