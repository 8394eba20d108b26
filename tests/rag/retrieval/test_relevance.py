import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.retrieval.relevance import DEFAULT_MIN_RELEVANCE, MODEL_FILE, Features, relevance
from tests.rag.samples import indexed

NOTES = {
    "refunds": "Refunds are paid within 14 days to the card that was used.",
    "shipping": "Parcels leave the warehouse the next working day. Delivery takes two to five days.",
    "warranty": "Our machines are covered for two years. Send the receipt with the broken part.",
    "contact": "The office is open Monday to Friday, nine to five. Call 555-0100.",
}

features = st.builds(
    Features,
    cosine=st.floats(-1, 1),
    late=st.none() | st.floats(-1, 1),
    coverage=st.floats(0, 1),
    length=st.integers(1, 2_000),
)


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    files = {f"{name}.md": f"# {name.title()}\n\n{text}\n" for name, text in NOTES.items()}
    with indexed(tmp_path_factory.mktemp("relevance") / "notes", files) as base:
        yield base


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how long do refunds take?", "Refunds"),
        ("is my broken machine covered?", "Warranty"),
        ("refund", "Refunds"),
    ],
)
def test_the_right_passage_of_a_small_folder_is_more_likely_relevant_than_not(notes, question, title):
    first, second = notes.search(question, 2)
    assert first.title == title
    assert first.relevance >= 0.5
    assert second.relevance < DEFAULT_MIN_RELEVANCE


@pytest.mark.parametrize("question", ["asdf qwer zxcv", "blorf snarg", "xkqv", "how tall is mount everest?"])
def test_nonsense_and_what_the_documents_do_not_cover_is_not_relevant(notes, question):
    assert max(hit.relevance for hit in notes.search(question, 10)) <= 0.1


@pytest.mark.parametrize("mode", ["hybrid", "sparse", "dense"])
def test_relevance_does_not_depend_on_how_the_passage_was_found(notes, mode):
    expected = {hit.title: hit.relevance for hit in notes.search("how long do refunds take?", 4, mode="dense")}
    for hit in notes.search("how long do refunds take?", 4, mode=mode):
        assert hit.relevance == pytest.approx(expected[hit.title], abs=1e-6)


@given(features)
def test_it_is_a_probability(found):
    assert 0.0 <= relevance(found) <= 1.0


@given(features, st.floats(0, 1))
def test_more_evidence_never_means_less(found, more):
    assert relevance(replace(found, coverage=max(found.coverage, more))) >= relevance(found)
    assert relevance(replace(found, cosine=max(found.cosine, more))) >= relevance(found)


def test_it_generalised_to_the_sets_it_had_not_seen():
    held_out = json.loads(MODEL_FILE.read_text())["held_out"]
    assert all(figures["auroc"] >= 0.9 for figures in held_out.values())
    assert all(figures["ece"] <= 0.1 for figures in held_out.values())
