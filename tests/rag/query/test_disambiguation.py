import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from indexes.catalog.dictionary import Meaning
from indexes.terms.forms import stem
from indexes.terms.names import normal
from rag.query.disambiguation import MODEL_FILE, ONE_ROW, Mention, MentionJudge, linking_model, similarity
from rag.query.tokens import TokenizedQuestion

AGAINST = {
    *("common word", "stop word", "schema word", "number"),
    *("inflected", "initials", "two initials", "part", "part missing", "unlike"),
}
RELATED = {"orders": {stem("customer")}}
NAMES = st.text("abcdé -.\U0001f600", max_size=90) | st.text(max_size=20)
TEXTS = st.text(alphabet="aB1 -'\"", min_size=1, max_size=12)


def features(question, first, last, name, role="orders.status", **how):
    judge = MentionJudge(TokenizedQuestion(question), RELATED, {"order", "status"}, {"open", "is", "the", "order"})
    return judge.features(Mention(first, last, **how), Meaning(normal(name), role, name))


def what_counts(*arguments, **how):
    """The features that are not 0."""
    return {name: value for name, value in features(*arguments, **how).items() if value}


@pytest.mark.parametrize(
    ("question", "first", "last", "name", "expected"),
    [
        ("Which orders became open?", 3, 4, "open", {"category", "common word", "close"}),
        ("Which orders are open?", 3, 4, "open", {"category", "common word", "beside"}),  # "are" is no distance
        ("Which open orders?", 1, 2, "open", {"category", "common word", "beside"}),
        ("Which open customer?", 1, 2, "open", {"category", "common word", "beside"}),
        ("is 'open' the status of orders?", 1, 2, "open", {"category", "quoted", "beside", "further word"}),
        ("where is the order now", 2, 3, "The", {"category", "stop word", "beside"}),
        ("is it Ready Now?", 2, 4, "Ready Now", {"category", "capital", "several words"}),
        ("is KX7 there", 1, 2, "KX7", {"category", "capital", "same code", "rare word"}),
        ("is the zyx there", 2, 3, "zyxes", {"category", "rare word", "inflected"}),
        ("the order 7", 2, 3, "7", {"category", "numbered", "beside"}),
        ("the 7 orders", 1, 2, "7", {"category", "number", "beside"}),
    ],
)
def test_what_counts_for_and_against_a_mention(question, first, last, name, expected):
    assert what_counts(question, first, last, name).keys() == expected


def test_a_table_that_is_tied_to_it_counts_half():
    assert what_counts("Which open orders?", 1, 2, "open")["beside"] == 1.0
    assert what_counts("Which open customer?", 1, 2, "open")["beside"] == 0.5


def test_how_the_mention_differs_from_the_name_is_measured():
    part = what_counts("is Kangaroo there", 1, 2, "Kangaroo Tools", part=True)
    mistyped = what_counts("is Kangarou there", 1, 2, "Kangaroo", mistyped=True)
    initials = what_counts("the UK there", 1, 2, "United Kingdom", shortened=True)
    assert part["part missing"] == pytest.approx(5 / 13)
    assert mistyped["unlike"] == pytest.approx(1 / 8)
    assert initials["initials"] == initials["two initials"] == 1.0


@given(TEXTS, TEXTS, st.booleans(), st.booleans(), st.booleans())
def test_every_feature_has_a_coefficient(question, name, part, mistyped, shortened):
    if TokenizedQuestion(question).tokens and TokenizedQuestion(name).tokens:
        found = features(question, 0, 1, name, part=part, mistyped=mistyped, shortened=shortened)
        assert found.keys() <= linking_model().coefficients.keys()
        assert all(value >= 0 for value in found.values())


def test_what_speaks_against_a_mention_lowers_its_probability():
    model = linking_model()
    assert ONE_ROW in model.coefficients
    for name, value in model.coefficients.items():
        assert (value < 0) == (name in AGAINST), name


def test_the_fit_is_better_on_databases_it_has_not_seen():
    held_out = json.loads(MODEL_FILE.read_text(encoding="utf-8"))["held_out"]
    assert held_out["fitted"]["log_loss"] < held_out["expected"]["log_loss"]
    assert held_out["fitted"]["f1"] >= held_out["expected"]["f1"]


@given(NAMES, NAMES)
@example("", "")
@example("", "a")
@example("international business machines", "internatonal busines machine")
def test_similarity_has_every_bit_of_the_reference(one: str, other: str) -> None:
    assert similarity(one, other) == fuzz.ratio(one, other)
