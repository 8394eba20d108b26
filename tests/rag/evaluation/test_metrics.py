import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from rag.evaluation.metrics import METRICS, first_relevant, mean_metrics, ndcg, ranking, recall, reciprocal_rank

ids = st.text("abcdefgh0123", min_size=1, max_size=3)
queries = st.sampled_from(["q1", "q2", "q3", "q4", "q5"])
# Multiples of 1/8 are exact in the float32 of trec_eval, so that a tie here is a tie there.
scores = st.integers(-40, 40).map(lambda n: n / 8)
qrels = st.dictionaries(queries, st.dictionaries(ids, st.integers(-2, 4), min_size=1, max_size=30), min_size=1)
runs = st.dictionaries(queries, st.dictionaries(ids, scores, max_size=140))


def _clipped(judged: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Negative judgements as 0: the compiled trec_eval behind ir-measures writes out of bounds on them, and crashes."""
    return {query: {key: max(0, grade) for key, grade in grades.items()} for query, grades in judged.items()}


def _without_ties(run: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        query: {document: -float(place) for place, document in enumerate(ranking(scored))}
        for query, scored in run.items()
    }


@settings(max_examples=300, deadline=None)
@given(qrels, runs)
def test_metrics_agree_with_ir_measures(judged, run):
    reference = ir_measures.calc_aggregate([nDCG @ 10, R @ 10, R @ 100], _clipped(judged), run)
    # For RR@k alone ir-measures orders ties the other way round; its other measures follow trec_eval, as ours do.
    reference |= ir_measures.calc_aggregate([RR @ 10], judged, _without_ties(run))
    ours = mean_metrics(run, judged)
    assert ours["nDCG@10"] == pytest.approx(reference[nDCG @ 10], abs=1e-6)
    assert ours["Recall@10"] == pytest.approx(reference[R @ 10], abs=1e-6)
    assert ours["Recall@100"] == pytest.approx(reference[R @ 100], abs=1e-6)
    assert ours["MRR@10"] == pytest.approx(reference[RR @ 10], abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(qrels, st.dictionaries(queries, st.dictionaries(ids, scores, max_size=10)))
def test_ties_are_broken_as_trec_eval_breaks_them(judged, run):
    reference = ir_measures.calc_aggregate([RR], _clipped(judged), run)
    assert mean_metrics(run, judged)["MRR@10"] == pytest.approx(reference[RR], abs=1e-6)


def test_the_gain_is_the_grade_itself():
    # With 2^rel - 1 it would be 0.7098.
    assert ndcg(["weak", "strong"], {"strong": 2, "weak": 1}, 10) == pytest.approx(0.8597186)


def test_cut_offs():
    ranked = [f"d{place}" for place in range(1, 201)]
    assert reciprocal_rank(ranked, {"d10": 1}, 10) == pytest.approx(0.1)
    assert reciprocal_rank(ranked, {"d11": 1}, 10) == 0.0
    assert recall(ranked, {"d100": 1, "d101": 1}, 100) == 0.5
    assert ndcg(ranked, {"d11": 3}, 10) == 0.0


def test_nothing_to_average():
    assert mean_metrics({}, {}) == dict.fromkeys(METRICS, 0.0)


def test_the_first_relevant_document():
    assert first_relevant(["a", "b", "c"], {"a": 0, "c": 2, "b": 1}) == 2
    assert first_relevant(["a"], {"b": 1}) is None
