"""Questions of several parts, over passages that hold one part each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import KnowledgeBase
from rag.answering.decomposition import Decomposed, Divide, QuestionPart, decompose
from rag.query.query import Query
from rag.text.names import names_in

PAGES = {
    "film": "Silver Harbour is a 2014 comedy film that was written and directed by Marta Quillon.",
    "director": "Marta Quillon is a writer who lives in the town of Aldersund with two dogs.",
    "other": "Golden Harbour is a marina with a restaurant and forty berths for sailing boats.",
    "town": "The annual regatta takes place on the first Sunday of June, whatever the weather.",
    "recipe": "Stir the flour into the butter and add the milk slowly, then season with nutmeg.",
}
QUESTION = "In what town is the home of the person who directed the comedy film Silver Harbour?"


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "pages").mkdir()
    for name, text in PAGES.items():
        (folder / "pages" / f"{name}.txt").write_text(text)
    base = KnowledgeBase.open(folder / "kb")
    base.index(folder / "pages")
    yield base
    base.close()


def parts_of(kb: KnowledgeBase, question: str, k: int = 4, divide: Divide | None = None) -> Decomposed:
    found = kb.search(question, k)
    return decompose(
        Query.of(question),
        found.hits,
        lambda part, n: kb.search(part, n).hits,
        k=k,
        threshold=found.min_relevance,
        divide=divide,
    )


def names(decomposed: Decomposed, least: float = 0.0) -> list[str]:
    return [Path(hit.uri).stem for hit in decomposed.hits if hit.relevance >= least]


def test_what_the_best_passage_names_leads_to_the_rest_of_the_answer(kb: KnowledgeBase) -> None:
    found = parts_of(kb, QUESTION)
    assert names(found, 0.2)[:2] == ["film", "director"]
    (part,) = [part for part in found.parts if part.name == "Marta Quillon"]
    assert part.bridge is not None
    assert Path(part.bridge.uri).stem == "film"
    hit = next(hit for hit in found.hits if hit.uri.endswith("director.txt"))
    assert hit.signals.named.startswith("answers a part of the question: Marta Quillon")
    assert "part" in hit.signals.log_odds


def test_a_question_that_is_covered_is_searched_for_once(kb: KnowledgeBase) -> None:
    question = "Who directed the 2014 comedy film Silver Harbour?"
    found = kb.search(question, 4)
    calls: list[str] = []

    def search(part: str, n: int):
        calls.append(part)
        return ()

    assert decompose(Query.of(question), found.hits, search, k=4, threshold=found.min_relevance).hits == found.hits
    assert calls == []


def test_parts_that_somebody_names_are_searched_for_before_those_of_the_rules(kb: KnowledgeBase) -> None:
    part = QuestionPart("Where does marta quillon live?", "")
    found = parts_of(kb, QUESTION, divide=lambda question, relevant: [part])
    assert "director" in names(found, 0.2)
    assert found.parts[0].question == part.question
    assert found.parts[0].found is not None


def test_parts_that_lead_nowhere_take_nothing_from_the_rules(kb: KnowledgeBase) -> None:
    astray = [QuestionPart(f"What is {word}?", "") for word in ("zxcv", "qwer", "asdf")]
    assert parts_of(kb, QUESTION, divide=lambda question, relevant: astray) == parts_of(kb, QUESTION)


def test_nobody_is_asked_about_a_question_that_is_covered(kb: KnowledgeBase) -> None:
    question = "Who directed the 2014 comedy film Silver Harbour?"
    assert parts_of(kb, question, divide=lambda question, relevant: pytest.fail(question)).parts == ()


@pytest.mark.parametrize("question", ["asdf qwer zxcv", "", "?"])
def test_nonsense_has_no_parts(kb: KnowledgeBase, question: str) -> None:
    hits = kb.search("asdf qwer zxcv", 4).hits
    assert decompose(Query.of(question), hits, lambda part, n: pytest.fail(part), k=4, threshold=0.9).parts == ()


def test_no_passage_that_is_relevant_for_the_question_itself_gives_way(kb: KnowledgeBase) -> None:
    found = kb.search(QUESTION, 4)
    relevant = [hit.chunk_id for hit in found.hits if hit.relevance >= found.min_relevance]
    wider = parts_of(kb, QUESTION)
    assert [hit.chunk_id for hit in wider.hits[: len(relevant)]] == relevant
    assert len({hit.chunk_id for hit in wider.hits}) == len(wider.hits)


def test_where_all_places_are_taken_nothing_is_added(kb: KnowledgeBase) -> None:
    found = kb.search(QUESTION, 1)
    assert decompose(Query.of(QUESTION), found.hits, lambda part, n: (), k=1, threshold=0.0).hits == found.hits


def test_names_are_words_in_capitals() -> None:
    assert list(names_in("The House of Lords met in Zürich. It was 1998, said Dr. Émile O'Neill-Ó Briain.")) == [
        "House of Lords",
        "Zürich",
        "Dr. Émile O'Neill-Ó Briain",
    ]
    assert list(names_in("nothing here, 42, a I")) == []
