from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from rag.verification.support import SupportJudge

PASSAGE = (
    "Orders can be returned within 30 days. The customer pays the return shipping. "
    "A refund is issued to the original card within five working days."
)


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be returned within 30 days.",
        "Returning an order is possible within 30 days.",
        "The return shipping is paid by the customer.",
        "Refunds go to the original card within 5 working days.",
        "Orders can be returned within 30 days, and the customer pays the shipping.",
    ],
)
def test_what_the_passage_says_is_supported(claim):
    assert SupportJudge().judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be returned within 60 days.",
        "The return shipping costs 5 dollars.",
        "The company was founded in Geneva by two engineers.",
        "Gift cards are never refunded.",
    ],
)
def test_what_the_passage_does_not_say_is_not_supported(claim):
    assert not SupportJudge().judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    "claim", ["The price is 5,120 francs.", "The price is 5120 francs.", "The price is 5120.00 francs."]
)
def test_a_number_is_the_same_in_any_notation(claim):
    assert SupportJudge().judge(claim, "The price is 5,120 francs.").holds


def test_the_evidence_is_the_best_sentence():
    support = SupportJudge().judge("The customer pays return shipping.", PASSAGE)
    assert PASSAGE[support.start : support.end] == "The customer pays the return shipping."


def test_the_context_supplies_words_and_numbers():
    judge = SupportJudge()
    claim = "The Professional plan costs 20 dollars in 2024."
    row = "costs 20 dollars"
    assert not judge.judge(claim, row).holds
    assert judge.judge(claim, row, "Prices 2024 > Professional plan").holds


def test_a_row_of_a_table_is_read_with_its_columns():
    judge = SupportJudge()
    table = ("bell,piece,12.50,8\nlock,piece,29.90,15", "prices.csv\narticle,unit,price in euros,in stock", "csv")
    assert judge.judge("article: lock; unit: piece; price in euros: 29.90; in stock: 15", *table).holds
    support = judge.judge("article: lock; in stock: 15", *table)
    assert support.holds
    assert table[0][support.start : support.end] == "lock,piece,29.90,15"
    assert judge.judge("The price of a lock is 29.90 euros.", *table).holds
    assert not judge.judge("article: lock; in stock: 40", *table).holds


@pytest.fixture(scope="module")
def judge():
    return SupportJudge(load_encoder())


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be sent back for a month, within 30 days.",
        "Sending goods back is paid for by the customer.",
        "You get your money on the card you paid with, within five working days.",
    ],
)
def test_with_an_encoder_other_words_are_understood(judge, claim):
    assert judge.judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    "claim",
    [
        "Orders can be returned within 60 days.",
        "Orders cannot be returned within 30 days.",
        "The seller Mueller pays the return shipping to Zurich.",
        "Bananas grow in warm countries.",
    ],
)
def test_with_an_encoder_a_changed_number_name_or_denial_is_not_supported(judge, claim):
    assert not judge.judge(claim, PASSAGE).holds


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Orders can be returned within 60 days.", PASSAGE),
        ("A refund is issued to the card within nine working days.", PASSAGE),
        ("The oven cools for 20 minutes.", "The oven cools for 20 seconds."),
        ("The F-18 flies at night.", "It rains. The F-16 flies at night."),
    ],
)
def test_another_number_in_the_same_words_is_not_supported(judge, claim, passage):
    for one in (judge, SupportJudge()):
        assert not one.judge(claim, passage).holds


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("The pump is not suitable for salt water.", "It is cheap. The pump is suitable for salt water."),
        ("The pump is suitable for salt water.", "It is cheap. The pump is not suitable for salt water."),
        ("The pump is suitable for salt water.", "It is cheap. The pump is unsuitable for salt water."),
        ("The tickets are valid after midnight.", "No dogs. After midnight the tickets are no longer valid."),
    ],
)
def test_what_the_passage_denies_is_not_supported(judge, claim, passage):
    for one in (judge, SupportJudge()):
        assert not one.judge(claim, passage).holds


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("Malta has a sales tax of zero.", "Sales tax on the island of Jersey is zero."),
        ("Paper is fed to the TM-450 from above.", "Paper is fed to the scanner LX-200 from above."),
        ("The port is read from server.yaml at the start.", "The port is read from main.toml at the start."),
    ],
)
def test_another_name_in_the_same_words_is_not_supported(judge, claim, passage):
    assert not judge.judge(claim, passage).holds
    assert judge.judge(passage, claim + " " + passage).holds


@pytest.mark.parametrize(
    ("claim", "passage"),
    [
        ("The keys are read from conf/keys.yaml at the start.", "The keys are read from etc/keys.toml at the start."),
        ("Logs are kept in /var/log/shop for a week.", "Logs are kept in /var/log/desk for a week."),
        ("Its real part is the attribute z.index of it.", "Its real part is the attribute z.real of it."),
        ("A record at the async or higher is written.", "A record at the flushLevel or higher is written."),
        ("The table has duplicate async/matrix entries.", "The table has duplicate array/matrix entries."),
    ],
)
def test_another_identifier_or_path_in_the_same_words_is_not_supported(judge, claim, passage):
    assert not judge.judge(claim, passage).holds
    assert judge.judge(claim, f"{claim} {passage}").holds


@pytest.mark.parametrize(
    ("claim", "passage", "context"),
    [
        ("Hewland makes printers since 1972.", "It makes printers since 1972.", "Hewland GmbH"),
        ("Masks slow the spread of COVID-19.", "Masks slow the spread of the virus.", ""),
        ("Smoke was seen by the crew.", "The crew of the Aurora saw smoke.", ""),
        ("In Italy, bread is sold by weight.", "Italian shops sell bread by weight.", ""),
    ],
)
def test_a_name_in_another_form_or_left_to_a_pronoun_raises_no_alarm(judge, claim, passage, context):
    assert judge.judge(claim, passage, context).holds


def test_a_number_in_a_name_must_not_be_another_one():
    judge = SupportJudge()
    assert judge.judge("The F-16 flies at night.", "The F-16 flies at night.").holds
    assert not judge.judge("The F-18 flies at night.", "The F-16 flies at night.").holds


def test_a_definition_is_held_to_what_stands_beside_it(judge):
    passage = (
        'def foo(x):\n    """Creates the file."""\n' + "    x = 1\n" * 40 + 'def bar(x):\n    """Deletes the file."""\n'
    )
    assert judge.judge("`def foo(x)`: Creates the file.", passage).holds
    assert judge.judge("`def foo(x)`: Creates the file.", passage).probability > 0.98
    assert judge.judge("`def foo(x)`: Deletes the file.", passage).probability < 0.98


class _WithoutTokens:
    """An encoder that gives one vector a text and no vectors of its word pieces."""

    def __init__(self, encoder):
        self._encoder = encoder
        self.spans = encoder.spans
        self.encode_query = encoder.encode_query

    def encode(self, texts):
        return replace(self._encoder.encode(texts), tokens=[b""] * len(texts))


def test_an_encoder_without_token_vectors_will_do():
    judge = SupportJudge(_WithoutTokens(load_encoder()))
    assert judge.judge("The return shipping is paid by the customer.", PASSAGE).holds
    assert not judge.judge("Elephants are grey and live in herds.", PASSAGE).holds


def test_what_was_prepared_is_judged_as_what_was_not(judge):
    claims = ["Orders can be returned within 30 days.", "The customer pays nothing."]
    prepared = SupportJudge(load_encoder())
    prepared.prepare(claims, [(PASSAGE, "", "")])
    for claim in claims:
        assert prepared.judge(claim, PASSAGE).probability == pytest.approx(
            judge.judge(claim, PASSAGE).probability, abs=0.01
        )


def test_an_encoder_judges_hostile_text(judge):
    for claim in ("", " ", "\ud800", "....", "the of and", "漢字だ。", "a" * 5000, "\x00", "3" * 400):
        for passage in ("", PASSAGE, claim, "\n\n"):
            support = judge.judge(claim, passage)
            assert 0 <= support.probability <= 1
            assert 0 <= support.start <= support.end <= len(passage)


@settings(max_examples=100, deadline=None)
@given(claim=st.text(max_size=60), passage=st.text(max_size=120))
def test_any_text_can_be_judged(claim, passage):
    support = SupportJudge().judge(claim, passage)
    assert 0 <= support.probability <= 1
    assert 0 <= support.start <= support.end <= len(passage)


RESTATED = [
    ("The annual fee is EUR 120.", "Members pay an annual fee of 120 euros, due in January."),
    ("The annual fee is €120.", "Members pay an annual fee of 120 euros, due in January."),
    ("The contract was signed on 2024-03-14.", "The contract was signed on 14 March 2024 in Geneva."),
    ("The contract was signed on March 14, 2024.", "The contract was signed on 14.03.2024 in Geneva."),
    ("The site has 1.2k users.", "The site has 1,200 users and ten editors."),
    ("The city has 2,500,000 inhabitants.", "The city has 2.5 million inhabitants."),
    ("The city has 2.5M inhabitants.", "The city has 2,500,000 inhabitants."),
    ("The office opens at 9:00 am.", "The office opens at 9 a.m. and closes at noon."),
    ("The office opens at 09:00.", "The office opens at 9 am and closes at noon."),
    ("The trial lasts two weeks.", "The trial lasts 14 days; after that a licence is needed."),
    ("The trial lasts 14 days.", "The trial lasts two weeks; after that a licence is needed."),
    ("Prices rose by 5 percent.", "Prices rose by 5% last year."),
    ("Prices rose by 5%.", "Prices rose by five per cent last year."),
    ("1. Press the red button.", "Press the red button. Then wait."),
    ("2) Wait for ten minutes.", "Press the red button, then wait for 10 minutes."),
    ("Step 1: Open the cover.", "First open the cover. Then press the button."),
    ("- The battery lasts 12 hours.", "The battery lasts twelve hours."),
    ("It is on the 3rd floor.", "The library is on the third floor."),
    ("The warranty lasts 24 months.", "The warranty lasts two years."),
    ("The warranty lasts two years.", "The warranty lasts 24 months."),
    ("Version 2.10.1 adds the fax module.", "2.10.1: a fax module was added."),
    ("The file may be 1 GB at most.", "Files of up to 1000 MB are accepted."),
    ("The meeting is at 21:30.", "The meeting is at 9:30 pm."),
    ("The parcel weighs 1.5 kg.", "The parcel weighs 1,500 grams."),
    ("It was built between 1914 and 1918.", "It was built in 1914–18."),
    ("A dozen people came.", "Twelve people came."),
    ("The fee is $1,500.", "The fee is 1500 dollars."),
    ("The 2nd edition was printed in 1999.", "The second edition was printed in 1999."),
]
INVENTED = [
    ("Run `git frobnicate` to undo the last commit.", "To undo the last commit, run `git revert HEAD`."),
    (
        "Use --force to overwrite the file.",
        "Use --dry-run to see what would happen; the file is overwritten with --yes.",
    ),
    ("The settings are in /etc/pilot/extra.toml.", "The settings are in /etc/pilot/config.toml."),
    ("Invoice INV-20392 is overdue.", "Invoice INV-20391 is overdue since May."),
    ("Call parse_footer() to read the header.", "Call parse_header() to read the header."),
    ("Set maxRetries to 3.", "Set maxAttempts to 3 in the file."),
    ("The error code is E1043.", "The error code is E1042: disk full."),
    ("Visit https://example.org/help for support.", "Visit https://example.org/docs for support."),
    ("Install it with `pip install foo-extra`.", "Install it with `pip install foo`."),
    ("Write to max@example.org.", "Write to anna@example.org."),
    ("Set the variable PILOT_HOME.", "Set the variable PILOT_CACHE before the start."),
    (
        "X has the shape (n_samples, selection_features).",
        "X has the shape (n_samples, n_features), selection is later.",
    ),
    ("Set --max-results to 5.", "Set --max-rows to 5, the results are then cut."),
    ("os.fetch reads the file.", "os.read reads the file, which fetch does not."),
]
SHOWN = [
    ("Run `git revert` to undo the last commit.", "To undo the last commit, run `git revert HEAD`."),
    (
        "Use the option `--yes` to overwrite the file.",
        "Use --dry-run to see what would happen; the file is overwritten with --yes.",
    ),
    ("The settings are in `config.toml`.", "The settings are in /etc/pilot/config.toml."),
    ("Call parse_header to read the header.", "Call `parse_header()` to read the header."),
    ("Install it with `pip install 'foo[extra]'`.", "Install it with pip install 'foo[extra]' first."),
]


FIRE = "The warehouse in Basel was closed in May because of a fire. Doctor Meier led the repairs with Anna Lutz."


@pytest.mark.parametrize(
    "claim",
    [
        "The warehouse in Zurich was closed in May because of a fire.",
        "Doctor Meier led the repairs with Peter Graf.",
    ],
)
def test_a_sentence_with_another_name_in_it_is_not_supported(claim: str, encoder_held: Encoder) -> None:
    assert not SupportJudge(encoder_held).judge(claim, f"{FIRE} Peter Graf and the office in Zurich helped.").holds


@pytest.mark.parametrize(
    "claim",
    [
        "The warehouse in Basel was shut in May because of a fire.",
        "The depot in Basel was closed in May because of a fire.",
        "Dr Meier led the repairs with Anna Lutz.",
        "The warehouse in Basel was closed in May because of a blaze.",
    ],
)
def test_another_word_of_the_same_sense_is_supported(claim: str, encoder_held: Encoder) -> None:
    assert SupportJudge(encoder_held).judge(claim, FIRE).holds


@pytest.mark.parametrize(("claim", "passage"), RESTATED)
def test_another_notation_says_the_same(claim: str, passage: str, encoder_held: Encoder) -> None:
    assert SupportJudge(encoder_held).judge(claim, passage).holds
    assert SupportJudge().judge(claim, passage).holds


@pytest.mark.parametrize(("claim", "passage"), INVENTED)
def test_an_identifier_that_stands_nowhere_is_not_supported(claim: str, passage: str, encoder_held: Encoder) -> None:
    assert not SupportJudge(encoder_held).judge(claim, passage).holds
    assert not SupportJudge().judge(claim, passage).holds


@pytest.mark.parametrize(("claim", "passage"), SHOWN)
def test_an_identifier_that_stands_there_is_supported(claim: str, passage: str, encoder_held: Encoder) -> None:
    assert SupportJudge(encoder_held).judge(claim, passage).holds
