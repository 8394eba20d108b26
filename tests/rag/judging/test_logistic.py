import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.judging.logistic import LogisticModel, fingerprint

SMALL = st.floats(-5, 5)
MODEL = LogisticModel(-1.0, {"a": 2.0, "b": -0.5})


def written(path, coefficients, **more):
    path.write_text(json.dumps({"coefficients": coefficients, **more}), encoding="utf-8")
    return path


@given(SMALL, SMALL)
def test_contributions_add_up_to_the_log_odds_of_the_probability(a, b):
    features = {"a": a, "b": b}
    total = sum(MODEL.contributions(features).values())
    assert total == MODEL.log_odds(features) == pytest.approx(-1 + 2 * a - b / 2)
    assert MODEL.probability(features) == pytest.approx(1 / (1 + math.exp(-total)))


def test_a_feature_left_out_adds_nothing():
    assert MODEL.contributions({"b": 2.0}) == {"start": -1.0, "b": -1.0}
    assert MODEL.log_odds({}) == -1.0


def test_a_feature_that_was_not_fitted_is_an_error():
    with pytest.raises(KeyError, match="unheard"):
        MODEL.log_odds({"unheard": 1.0})


def test_a_file_holds_one_model_or_several(tmp_path):
    one = written(tmp_path / "one.json", {"intercept": -1.0, "a": 2.0, "b": -0.5})
    two = written(
        tmp_path / "two.json", {"plain": {"intercept": 0.0}, "full": {"intercept": -1.0, "a": 2.0, "b": -0.5}}
    )
    assert LogisticModel.read(one) == LogisticModel.read(two, "full") == MODEL
    assert LogisticModel.read(two, "plain").log_odds({}) == 0.0


def test_a_fingerprint_tells_coefficients_apart_and_nothing_else(tmp_path):
    first = written(tmp_path / "1.json", {"intercept": 0.0, "a": 1.0}, fitted_on=["these"])
    same = written(tmp_path / "2.json", {"a": 1.0, "intercept": 0.0}, fitted_on=["those"])
    other = written(tmp_path / "3.json", {"intercept": 0.0, "a": 1.1}, fitted_on=["these"])
    assert fingerprint(first) == fingerprint(same) != fingerprint(other)
