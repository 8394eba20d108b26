from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.text.names import proper_names, subject
from rag.verification.proper_names import known


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The office moved to Geneva in May.", ["Geneva", "May"]),
        ("Geneva is a city by the lake.", []),
        ("How To Cook Rice In Ten Minutes", []),
        ("The NASA report of J. Berg", ["NASA", "Berg"]),
        ("It was NOT said that Prof. Lang would sing part II.", ["Lang"]),
        ("Set --quiet and read /etc/hosts.", ["--quiet", "/etc/hosts"]),
        ("Is read_line() in main.py called by openFile?", ["read_line", "main.py", "openFile"]),
        ("An 18-year-old and/or 3.5 km, e.g. in the mid-1990s", []),
    ],
)
def test_names_are_what_has_a_capital_inside_a_sentence_or_is_written_as_no_word(text, names):
    assert [name.text for name in proper_names(text)] == names


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("the North Atlantic Treaty Organization", "The question is for NATO."),
        ("as NATO said", "The North Atlantic Treaty Organization said so."),
        ("the Massachusetts Institute of Technology", "The question is for MIT."),
        ("the Italian coast", "The beach is long in Italy."),
        ("J. R. Moser", "The wooden door is made by Johann Moser."),
        ("the Wi-Fi network", "The WiFi works."),
        ("connect() of the class Session", "Then it calls Session.connect()."),
        ("Der Hund mag Brot, und die Katze mag Milch.", "Brot mag der Dackel."),
    ],
)
def test_a_passage_has_a_name_in_another_form(passage, sentence):
    assert all(known(passage).has(name) for name in proper_names(sentence))


@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        ("in Austria", "The beach is long in Australia."),
        ("the World Health Organization", "The question is for the FDA."),
        ("J. R. Moser", "The wooden door is made by Karl Moser."),
        ("the LX-200", "The printer here is the LX-300."),
        (
            "Der Hund von Anna Maler mag Brot und Milch.",
            "Milch trinkt und mag nur der Hund von Anna Schneider, nicht aber sonst einer.",
        ),
    ],
)
def test_another_name_is_no_form_of_it(passage, sentence):
    assert not all(known(passage).has(name) for name in proper_names(sentence))


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("Vera sold the boat.", "Vera"),
        ("Texas has no such tax.", "Texas"),
        ("Bologna's students sing.", "Bologna"),
        ("Customers need a card.", None),
        ("Payday at the mill is Friday.", None),
        ("Parking costs the visitor nothing.", None),
        ("The mill closed.", None),
    ],
)
def test_a_sentence_may_begin_with_the_name_of_who_does_something(sentence, name):
    found = subject(sentence)
    assert (found.text if found else None) == name


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=120))
def test_any_text_has_its_own_names(text):
    assert all(known(text).has(name) for name in proper_names(text))
