from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.terms.exact import exact_forms, exact_things


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("what is new in 2.10.1", "## 2.10.1\n\nRemoves the fax module."),
        ("what does version 2.10 need", "2.10 needs Windows 11."),
        ("is v3.0 out", "Release 3.0 is out."),
        ("14 June 2025", "The next meeting is on 14.06.2025."),
        ("June 14th, 2025", "on 2025-06-14"),
        ("who came on 2025/03/04", "the list of 04/03/2025"),
        ("error E08", "E08: the door is open"),
        ("the invoice INV 20391", "inv-20391"),
        ("the invoice inv20391", "INV-20391"),
        ("order 20391", "No. 20391 was sent"),
        ("DE89370400440532013000", "IBAN: DE89 3704 0044 0532 0130 00"),
        ("whose number is +49 30 901820", "call 030 / 90 18 20 or write"),
        ("whose number is 0049 30 901820", "+49 (0)30 901820"),
        ("what costs EUR 12,400", "a fee of 12400 euros"),
        ("what does clause 4.2 say", "4.2 The tenant pays."),
        ("what does § 12a say", "§12a applies"),
        ("does ISO 9001 hold", "certified by ISO-9001"),
    ],
)
def test_the_same_thing_has_a_form_in_common_however_it_is_written(asked: str, written: str) -> None:
    (thing,) = exact_things(asked)
    assert set(thing.forms) & set(exact_forms(written))


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("what is new in 2.10.1", "2.10.0 adds the scanner, 2.1.10 the fax, 12.10.1 nothing"),
        ("14 June 2025", "14 July 2025, 2025-06-15, 14.06.2024"),
        ("error E08", "E80, E8, E081"),
        ("order 20391", "20319, 120391"),
        ("what does clause 4.2 say", "4.20, 14.2, 4.2.1"),
        ("DE89370400440532013000", "DE89 3704 0044 0532 0130 01"),
    ],
)
def test_another_thing_has_no_form_in_common(asked: str, written: str) -> None:
    (thing,) = exact_things(asked)
    assert not set(thing.forms) & set(exact_forms(written))


@pytest.mark.parametrize(
    "text", ["in 1998", "the 1990s", "1914-18 and 2019-2020", "the 3rd of 12 at 9am", "7 of 15", "no number", ""]
)
def test_what_much_else_has_too_is_no_exact_thing(text: str) -> None:
    assert exact_things(text) == []


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.sampled_from("0123456789 .,-/()+:EURabvVI€%\n№§ü"), max_size=80))
def test_what_a_question_names_is_found_in_the_same_words(text: str) -> None:
    forms = set(exact_forms(text))
    for thing in exact_things(text):
        assert set(thing.forms) <= forms
        assert not any(form.isspace() or " " in form or not form for form in thing.forms)


def test_a_long_list_of_numbers_costs_no_more_than_its_length() -> None:
    assert len(exact_forms(" ".join(f"A{number:06}" for number in range(50_000)))) <= 200
    assert exact_forms("1" * 100_000) == []
    assert exact_forms("1-" * 50_000) is not None
