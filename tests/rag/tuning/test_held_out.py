from hypothesis import given
from hypothesis import strategies as st

from rag.tuning.held_out import split

names = st.text("abcdefgh", min_size=1, max_size=4)
asked = st.dictionaries(names, st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=2), min_size=1, max_size=30)


@given(asked, st.floats(0.2, 0.8), st.integers(0, 9))
def test_every_question_is_in_one_part_and_every_source_too_if_they_are_apart(expected, share, seed):
    parts = split(expected, share, seed)
    assert sorted((*parts.fitting, *parts.held_out)) == sorted(expected)
    assert len(parts.held_out) <= round(share * len(expected))
    fitting, held = ({source for key in part for source in expected[key]} for part in (parts.fitting, parts.held_out))
    assert not parts.apart or not fitting & held


@given(asked, st.integers(0, 9))
def test_neither_order_nor_time_changes_it(expected, seed):
    turned = dict(reversed(expected.items()))
    assert split(expected, 0.5, seed) == split(turned, 0.5, seed)


def test_about_the_share_is_held_out_and_the_seed_decides_which():
    expected = {f"question {number}": [f"source {number // 2}"] for number in range(100)}
    parts = [split(expected, 0.4, seed) for seed in range(5)]
    assert all(part.apart and len(part.held_out) == 40 for part in parts)
    assert len({part.held_out for part in parts}) == 5


def test_questions_about_one_source_are_parted_all_the_same():
    parts = split({f"question {number}": ["the manual"] for number in range(40)}, 0.5, seed=0)
    assert len(parts.held_out) == 20
    assert not parts.apart
