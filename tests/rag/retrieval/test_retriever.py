from contextlib import closing

import pytest

from connectors.errors import ConfigurationError
from rag.knowledge_base import KnowledgeBase

SUBJECTS = (
    "volcanoes",
    "sourdough",
    "chess",
    "glaciers",
    "pianos",
    "beekeeping",
    "sailing",
    "comets",
    "saffron",
    "locks",
)


@pytest.fixture(scope="module")
def kb(tmp_path_factory):
    home = tmp_path_factory.mktemp("retriever")
    (home / "notes").mkdir()
    for number in range(120):
        subject = SUBJECTS[number % len(SUBJECTS)]
        text = f"Note {number} on {subject}.\n\nWhat beginners ask about {subject}: question {number}, and its answer."
        (home / "notes" / f"{number}.txt").write_text(text)
    knowledge_base = KnowledgeBase.open(home / "kb")
    knowledge_base.index(home / "notes")
    yield knowledge_base
    knowledge_base.close()


@pytest.mark.parametrize("mode", ["hybrid", "sparse", "dense"])
def test_the_first_hits_and_their_scores_do_not_depend_on_k(kb, mode):
    few = kb.search("what do beginners ask about comets?", 5, mode=mode)
    many = kb.search("what do beginners ask about comets?", 100, mode=mode)
    assert [hit.uri for hit in few] == [hit.uri for hit in many[:5]]
    assert [hit.score for hit in few] == pytest.approx([hit.score for hit in many[:5]], abs=1e-6)
    assert all("comets" in hit.text for hit in few)


def test_every_candidate_of_a_hybrid_search_has_every_signal(kb):
    for hit in kb.search("saffron", 60):
        assert hit.signals.late is not None
        assert (hit.signals.bm25 > 0) == ("saffron" in hit.text)
        assert hit.signals.coverage == pytest.approx(1.0 if "saffron" in hit.text else 0.0)


def test_k_beyond_the_corpus_returns_what_there_is(kb):
    assert len(kb.search("chess", 10_000, mode="dense")) == 120


@pytest.mark.parametrize(("query", "k"), [("", 5), (" \n", 5), ("chess", 0), ("chess", -1)])
def test_what_cannot_be_searched_is_refused_with_a_hint(kb, query, k):
    with pytest.raises(ConfigurationError) as caught:
        kb.search(query, k)
    assert caught.value.hint


@pytest.mark.parametrize("query", ["the of and", "🎻🎻", "?!", "chess " * 10_000, "\x00", "の"])
def test_odd_queries_give_hits_without_failing(kb, query):
    hits = kb.search(query, 5)
    assert all(0.0 <= hit.relevance <= 1.0 for hit in hits)


@pytest.mark.parametrize("mode", ["hybrid", "sparse", "dense"])
@pytest.mark.parametrize("k", [5, 110])
def test_the_addends_of_a_hit_add_up_to_its_score(kb, mode, k):
    hits = kb.search("what beginners ask about comets", k, mode=mode)
    assert len(hits) > 3
    for hit in hits:
        assert sum(hit.signals.contributions.values()) == pytest.approx(hit.score, abs=1e-9)


def test_a_word_said_twice_counts_twice(kb):
    (once,) = kb.search("comets", 1, mode="sparse")
    (twice,) = kb.search("comets comets", 1, mode="sparse")
    assert twice.score == pytest.approx(2 * once.score, rel=1e-5)


def test_of_a_long_query_no_word_is_lost_to_another_said_often(kb):
    query = "saffron " + "zeppelin " * 100
    assert "saffron" in kb.search(query, 1, mode="sparse")[0].text


def test_on_code_all_but_the_cosine_weighs_half(kb, tmp_path):
    for name in ("prose", "code"):
        (tmp_path / name).mkdir()
    for number in range(12):
        lines = f"def number_{number}(comets):\n    return comets + {number}\n"
        (tmp_path / "code" / f"{number}.py").write_text(lines)
        (tmp_path / "prose" / f"{number}.txt").write_text(lines)
    with closing(KnowledgeBase.open(tmp_path / "kb")) as mixed:
        mixed.index(tmp_path / "code")
        code = mixed.search("comets", 24)
        mixed.index(tmp_path / "prose")
        both = mixed.search("comets", 24)
    with closing(KnowledgeBase.open(tmp_path / "other")) as other:
        other.index(tmp_path / "prose")
        prose = other.search("comets", 24)
    weights = {name: {_late_weight(hit) for hit in hits} for name, hits in (("code", code), ("prose", prose))}
    assert weights == {"code": {0.5}, "prose": {1.0}}
    assert {_late_weight(hit) for hit in both} == {0.75}  # one scale for all candidates of a query


def _late_weight(hit):
    return round(hit.signals.contributions["late"] / hit.signals.late, 4)
