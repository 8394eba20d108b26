import json
import shutil

import pytest

from connectors.errors import ConfigurationError, SourceError
from rag.evaluation.collections.collection import CollectionKind
from rag.evaluation.question_making import BLANK, make_questions
from rag.evaluation.questions import Question, read_questions, write_questions
from rag.evaluator import evaluate, generate_questions
from rag.knowledge_base import KnowledgeBase
from rag.text.words import numbers, terms
from tests.rag.samples import indexed

TEXTS = {
    "bees.md": "Honey bees dance inside of the hive to tell each other in which direction the nectar is. A colony in "
    "summer holds about 40,000 workers, which live for six weeks, and a single queen, which lives for years.",
    "volcano.md": "Molten rock below the ground is called magma, and above the ground it is called lava by geologists. "
    "The eruption of Krakatoa in 1883 was heard on islands almost 4,800 kilometres away from the mountain.",
    "bread.md": "Sourdough bread rises because wild yeast in the starter ferments sugar and makes carbon dioxide. "
    "Bakers keep a starter alive for decades by feeding it flour and plenty of lukewarm water on every single morning.",
}


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    files = {name: f"# {name}\n\n{text}\n" for name, text in TEXTS.items()}
    with indexed(tmp_path_factory.mktemp("made") / "notes", files) as base:
        yield base


def test_a_cloze_is_a_sentence_without_its_rarest_word_and_its_numbers(notes):
    made = make_questions(notes, 3, None)
    assert {question.expected[0].rpartition("/")[2] for question in made.questions} == set(TEXTS)
    for question in made.questions:
        [text] = [text for name, text in TEXTS.items() if question.expected[0].endswith(name)]
        assert BLANK in question.text
        assert not numbers(question.text)
        assert set(terms(question.text)) < set(terms(text))
    assert made.overlap == 1.0, "which is why it flatters the sparse search"


def test_generated_questions_are_labelled_wherever_they_go(notes, tmp_path):
    file = tmp_path / "questions.jsonl"
    collection = generate_questions(notes, 3, save=file)
    result = evaluate(collection, kb=notes, modes=["sparse"])
    again = evaluate(file, kb=notes, modes=["sparse"])
    for each in (result, again):
        assert each.kind is CollectionKind.CLOZE
        assert each.to_json()["kind"] == "cloze"
        assert any("weaker than real questions" in notice for notice in each.notices)
    assert again.metrics == result.metrics
    assert again.identity == result.identity


def test_the_seed_decides(notes):
    def draw(seed):
        return [question.text for question in make_questions(notes, 2, None, seed).questions]

    assert draw(1) == draw(1)
    assert len({tuple(draw(seed)) for seed in range(6)}) > 1


def test_an_llm_writes_questions_about_fenced_passages(notes):
    seen = []

    def model(messages):
        seen.append(messages[-1]["content"])
        return "Sure!\nQuestion: What do keepers of hives see in the summer months?" if "bees" in seen[-1] else "No."

    collection = generate_questions(notes, 3, llm=model)
    assert list(collection.queries.values()) == ["What do keepers of hives see in the summer months?"]
    assert collection.kind is CollectionKind.GENERATED
    assert any("only 1 questions of 3" in notice for notice in collection.notices)
    assert all(content.startswith("<passage>") and content.count("</passage>") == 1 for content in seen)


def test_no_passage_and_no_number(notes, tmp_path):
    kb = KnowledgeBase.open(tmp_path / "empty")
    with pytest.raises(SourceError, match="suitable for a question"):
        make_questions(kb, 5, None)
    kb.close()
    with pytest.raises(ConfigurationError, match="not a number of questions"):
        make_questions(notes, 0, None)


def test_csv_and_jsonl_say_the_same(tmp_path):
    lines = [{"question": "what is lava?", "expected": ["a.md", "b.md"]}, {"question": 'why "so"?', "expected": "c.md"}]
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    csv = 'question,expected\nwhat is lava?,a.md\n"why ""so""?",c.md\nwhat is lava?,b.md\n'
    (tmp_path / "q.csv").write_text(csv, encoding="utf-8-sig")
    assert read_questions(tmp_path / "q.csv") == read_questions(tmp_path / "q.jsonl")


def test_questions_that_nothing_answers_are_kept_apart(notes, tmp_path):
    (tmp_path / "q.jsonl").write_text(
        '{"question": "what is lava?", "expected": "notes/volcano.md"}\n{"question": "who won?", "expected": []}\n'
    )
    (tmp_path / "q.csv").write_text("question,expected\nwhat is lava?,notes/volcano.md\nwho won?,-\n")
    assert read_questions(tmp_path / "q.csv") == read_questions(tmp_path / "q.jsonl")
    shutil.copy(tmp_path / "q.jsonl", notes.path.parent / "q.jsonl")
    result = evaluate(notes.path.parent / "q.jsonl", kb=notes, modes=["hybrid"])
    assert list(result.texts.values()) == ["what is lava?"]
    assert result.metrics["hybrid"]["MRR@10"] == 1.0
    assert any("1 questions that nothing answers were left out" in notice for notice in result.notices)
    (tmp_path / "none.csv").write_text("question,expected\nwho won?,-\n")
    with pytest.raises(SourceError, match="no question that has an answer"):
        evaluate(tmp_path / "none.csv", kb=notes)


@pytest.mark.parametrize("first", ['"b.md"', "[]"])
def test_a_question_that_is_answered_in_one_line_and_not_in_another(tmp_path, first):
    second = "[]" if first != "[]" else '"b.md"'
    (tmp_path / "q.jsonl").write_text(
        "".join(f'{{"question": "a?", "expected": {each}}}\n' for each in (first, second))
    )
    with pytest.raises(SourceError, match="line 2: nothing answers 'a\\?' in one line"):
        read_questions(tmp_path / "q.jsonl")


def test_what_is_written_is_read(tmp_path):
    questions = [
        Question("wie heißt\u2028das?", ("ä.md",), CollectionKind.GENERATED),
        Question("b?", ("a", "b")),
        Question("c?", ()),
    ]
    write_questions(tmp_path / "q.jsonl", questions)
    assert read_questions(tmp_path / "q.jsonl") == questions


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("q.csv", "frage,antwort\na,b\n", "line 1: the columns are"),
        ("q.csv", "question,expected\nwhat?,\n", "line 2: 'expected' is ''"),
        ("q.csv", 'question,expected\n"open,b\n', "line 2: not CSV"),
        ("q.csv", "", "line 1: the columns are None"),
        ("q.jsonl", '{"question": "a?", "expected": "b", "kind": "great"}\n', "line 1: 'kind' is 'great'"),
        ("q.jsonl", '{"question": "a?", "expected": "b"}\n{"question":\n', "line 2: not JSON"),
    ],
)
def test_a_broken_file_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SourceError) as caught:
        read_questions(tmp_path / name)
    assert message in str(caught.value)
    assert caught.value.hint


def test_topics_over_ones_own_documents(notes, tmp_path):
    (tmp_path / "topics.tsv").write_text("1\twhat is lava?\n2\twho feeds a starter?\n")
    (tmp_path / "qrels").write_text(f"1 0 {notes.path.parent}/notes/volcano.md 1\n2 0 gone.md 1\n")
    result = evaluate(kb=notes, topics=tmp_path / "topics.tsv", qrels=tmp_path / "qrels", modes=["hybrid"])
    assert result.outcomes["hybrid"]["1"].first_relevant == 1
    assert any("gone.md" in notice for notice in result.notices)
    with pytest.raises(ConfigurationError, match="no judgements"):
        evaluate(kb=notes, topics=tmp_path / "topics.tsv")
