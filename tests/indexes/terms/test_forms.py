from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.document import CALLS, DEFINES, DocumentName
from indexes.catalog import form_rows
from indexes.catalog.dictionary import Dictionary, Meaning
from indexes.catalog.schema import name_forms
from indexes.store import Store
from indexes.terms.forms import forms
from indexes.terms.names import normal
from indexes.writer import Batch, NewDocument
from tests.indexes.conftest import make_document


@given(st.text(max_size=60))
def test_the_forms_are_those_of_the_normal_form(text):
    """They are dropped by it, when nothing has the name any more."""
    assert forms(text) == forms(normal(text))


def test_a_sentence_is_found_in_full_only():
    sentence = "this course introduces the basics of computer science to everybody who wants to know them"
    assert all(form[0] in "=^" for form in forms(sentence))


def test_an_address_is_found_in_full_only():
    assert "ann" not in forms("ann@example.com")
    assert "=annexamplecom" in forms("ann@example.com")


def _named(uri, *names):
    document, chunks = make_document(uri, f"text of {uri}")
    return replace(document, names=names), chunks


def test_forms_go_with_the_last_document_that_has_the_name(store: Store) -> None:
    name, other = DocumentName("Torque Wrench", "products.name"), DocumentName("Cart.total", DEFINES)
    with store.writer() as writer:
        source = writer.register("/names")
        documents = [_named("/names/1", name, other), _named("/names/2", name, DocumentName("total", CALLS))]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in documents]))
    forms_of_code = {"=cart total", "=total", "total"}
    for removed, kept in (("/names/1", True), ("/names/2", False)):
        with store.writer() as writer:
            writer.commit(Batch(removed=[removed]))
        with store.catalog.reading() as reading:
            dictionary = Dictionary(reading, reading.generation())
            assert dictionary.known({"=torqu wrench", "wrench", *forms_of_code}) == (
                {"=torqu wrench", "wrench"} if kept else set()
            )
            meaning = Meaning("torque wrench", "products.name", "Torque Wrench")
            assert [row.uri for row in dictionary.rows(meaning, 5)] == (["/names/2"] if kept else [])


def test_a_form_that_many_names_have_gives_some_of_them_and_one_more(store: Store) -> None:
    names = [DocumentName(f"Wrench {number:03d}", "products.name") for number in range(90)]
    with store.writer() as writer:
        document, chunks = _named("/names/1", *names)
        writer.commit(Batch([NewDocument(writer.register("/names"), document, chunks, "")]))
    with store.catalog.reading() as reading:
        dictionary = Dictionary(reading, reading.generation())
        found = dictionary.having({"wrench", "007", "=007 wrench", "spanner"}, 10)
    assert {form: len(each) for form, each in found.items()} == {"wrench": 11, "007": 1, "=007 wrench": 1}


def test_forms_are_compared_and_restored_in_pages(store: Store) -> None:
    names = [
        DocumentName(f"Torque Wrench {number % 5}", f"products.{column}") for number in range(9) for column in "ab"
    ]
    with store.writer() as writer:
        source = writer.register("/names")
        documents = [
            _named(f"/names/{number}", name, DocumentName("total", CALLS)) for number, name in enumerate(names)
        ]
        writer.commit(Batch([NewDocument(source, document, chunks, "") for document, chunks in documents]))
    with store.catalog.writing() as writing:
        connection = writing.connection
        before = {tuple(row) for row in connection.execute(select(name_forms))}
        assert form_rows.compare_forms(connection, page=3, at_once=2) == []
        connection.exec_driver_sql("DELETE FROM name_forms WHERE normal = 'torque wrench 3'")
        connection.exec_driver_sql("INSERT INTO name_forms VALUES ('total', 'total')")
        missing = len(forms("torque wrench 3"))
        assert form_rows.compare_forms(connection, page=3, at_once=2) == [
            f"{missing} forms of names are missing",
            "1 forms belong to no name",
        ]
        form_rows.restore_forms(connection, page=3)
        assert form_rows.compare_forms(connection, page=3, at_once=2) == []
        assert {tuple(row) for row in connection.execute(select(name_forms))} == before
