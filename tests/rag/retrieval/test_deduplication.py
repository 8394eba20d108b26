"""Copies become one hit that lists the other places; with the real encoder where it is about searching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.document import Location
from indexes.catalog.rows import StoredChunk
from rag.knowledge_base import KnowledgeBase
from rag.reranking.reranker import Reranking
from rag.retrieval.deduplication import Foldable, Group, fold
from rag.retrieval.hit import Hit, Mode
from rag.text.near_duplicates import Fingerprint
from rag.text.words import negations, numbers_in_order

REFUND = (
    "Refunds are paid within 14 days of the return of the parcel to our warehouse, by the same way that the order "
    "was paid, and a gift card is refunded as a new gift card that expires on the same date as the old one did."
)
GUARANTEE = (
    "This appliance comes without any guarantee, to the extent that the law permits, and the maker is not liable for "
    "damage that comes from its use, from a fall, from water or from batteries that are not its own."
)
REPAIRS = (
    "A kettle under guarantee is repaired by the shop in Basle.",
    "The guarantee of a lamp ends when its seal is broken.",
    "Guarantee claims for mixers go to the maker in Turin.",
    "Extend the guarantee of a stove at the counter.",
    "No guarantee covers the filter of a vacuum cleaner.",
    "The receipt of a toaster is its guarantee.",
    "Guarantees of used irons are half as long.",
    "A fridge has a guarantee on its motor alone.",
    "Shavers are exchanged, never repaired, under guarantee.",
    "A guarantee card lies in the box of each radio.",
    "Scales lose their guarantee when they are opened.",
    "The guarantee of a heater starts with the heating season.",
)
QUESTION = "when are refunds paid?"
MANY = 70  # copies: more than a list is read deep


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("folding")
    files = {
        "1/refunds.txt": REFUND,
        "2/refunds.txt": REFUND,
        "3/capitals.txt": REFUND.upper(),
        "4/lines.txt": REFUND.replace(" ", "\n"),
        "5/footer.txt": f"{REFUND}\nPrinted by the intranet.",
        "6/thirty.txt": REFUND.replace("14", "30"),
        "7/denied.txt": REFUND.replace("is refunded", "is never refunded"),
        "swiss.md": f"# Swiss customers\n\n{GUARANTEE.replace('appliance', 'machine')}",
        "french.md": f"# French customers\n\n{GUARANTEE.replace('appliance', 'machine')}",
        **{f"guarantee/{number}.txt": GUARANTEE for number in range(MANY)},
        **{f"repairs/{number}.txt": text for number, text in enumerate(REPAIRS)},
    }
    for name, text in files.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    return home


@pytest.fixture(scope="module")
def kb(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    base = KnowledgeBase.open(tmp_path_factory.mktemp("kb"))
    base.index(home / "1", home / "2")
    base.index(home)  # so the chunks of 1 and 2 are the oldest
    yield base
    base.close()


def places(hit: Hit) -> list[str]:
    return [Path(uri).parent.name for uri in (hit.uri, *(copy.uri for copy in hit.copies))]


@pytest.mark.parametrize("mode", list(Mode))
def test_copies_are_one_hit_that_lists_the_other_places(kb: KnowledgeBase, mode: Mode) -> None:
    hits = kb.search(QUESTION, 3, mode=mode)
    assert [set(places(hit)) for hit in sorted(hits, key=places)] == [{"1", "2", "3", "4", "5"}, {"6"}, {"7"}]
    assert [hit.rank for hit in hits] == [1, 2, 3]
    (capitals,) = (copy for hit in hits for copy in hit.copies if "capitals" in copy.uri)
    assert capitals.title == "capitals.txt"
    assert (capitals.location.start, capitals.location.end) == (0, len(REFUND))


def test_the_best_is_shown_and_of_exact_copies_the_oldest(kb: KnowledgeBase) -> None:
    unfolded = kb.search(QUESTION, 7, fold=False)
    (folded,) = (hit for hit in kb.search(QUESTION, 3) if hit.copies)
    members = [hit for hit in unfolded if places(hit)[0] in places(folded)]
    best = members[0]
    assert folded.text == best.text
    assert folded.chunk_id == min(hit.chunk_id for hit in members if hit.text == best.text)
    assert folded.score == pytest.approx(best.score, abs=1e-6)
    assert sum(folded.signals.contributions.values()) == pytest.approx(folded.score, abs=1e-9)


def test_unfolded_every_copy_is_a_hit(kb: KnowledgeBase) -> None:
    hits = kb.search(QUESTION, 7, fold=False)
    assert sorted(places(hit)[0] for hit in hits) == list("1234567")
    assert not any(hit.copies for hit in hits)


@pytest.mark.parametrize("mode", list(Mode))
def test_there_are_k_hits_although_copies_fill_the_lists(kb: KnowledgeBase, mode: Mode) -> None:
    assert {hit.text for hit in kb.search(GUARANTEE, 50, mode=mode, fold=False)} == {GUARANTEE}
    hits = kb.search(GUARANTEE, 10, mode=mode)
    assert [hit.rank for hit in hits] == list(range(1, 11))
    assert len({hit.text for hit in hits}) == 10
    assert all(hit.signals.late is not None for hit in hits)
    assert len({hits[0].uri, *(copy.uri for copy in hits[0].copies)}) == MANY


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("question", [QUESTION, "guarantee of the appliance", "guarantee for Swiss customers"])
def test_the_first_hits_do_not_depend_on_k(kb: KnowledgeBase, question: str, mode: Mode) -> None:
    many = kb.search(question, 60, mode=mode)
    for k in (1, 4, 12):
        few = kb.search(question, k, mode=mode)
        assert [hit.uri for hit in few] == [hit.uri for hit in many[:k]]
        assert [hit.score for hit in few] == pytest.approx([hit.score for hit in many[:k]], abs=1e-6)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    """Seventy copies of what answers best, and many more passages than are read before or after going deeper."""
    home = tmp_path_factory.mktemp("crowded")
    (home / "lines").mkdir()
    for number in range(300):
        copy = number < MANY
        text = "The lamp in the hall is broken." if copy else f"Lamp {number} of hall {number % 7} burns, or is broken."
        (home / "lines" / f"{number}.txt").write_text(text)
    base = KnowledgeBase.open(home / "kb")
    base.index(home / "lines")
    yield base
    base.close()


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_hits_do_not_depend_on_k_where_copies_make_a_search_go_deeper(
    crowded: KnowledgeBase, mode: Mode
) -> None:
    found = {k: crowded.search("is the lamp in the hall broken?", k, mode=mode) for k in (7, 40, 75, 130)}
    for k, hits in found.items():
        assert len(hits) == k
        assert len(hits[0].copies) >= 49
        assert [hit.uri for hit in hits] == [hit.uri for hit in found[130][:k]]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in found[130][:k]], abs=1e-5)


def test_more_hits_than_there_are_passages(kb: KnowledgeBase) -> None:
    hits = kb.search("guarantee", 1_000)
    chunks = kb.status().chunks
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert sum(1 + len(hit.copies) for hit in hits) == chunks
    assert len(hits) == chunks - (MANY - 1) - 4 - 1


def test_a_copy_that_the_filter_excludes_does_not_appear(kb: KnowledgeBase, home: Path) -> None:
    allowed = [str(home / "2" / "refunds.txt"), str(home / "5" / "footer.txt"), str(home / "6" / "thirty.txt")]
    hits = kb.search(QUESTION, 10, filters={"uri": allowed})
    assert sorted(sorted(places(hit)) for hit in hits) == [["2", "5"], ["6"]]


def test_a_heading_that_was_asked_for_keeps_the_same_text_apart(kb: KnowledgeBase) -> None:
    def titles(question: str) -> list[list[str]]:
        hits = kb.search(question, 5)
        return [[hit.title, *(copy.title for copy in hit.copies)] for hit in hits if "machine" in hit.text]

    assert titles("liability of the machine for Swiss customers") == [["Swiss customers", "French customers"]]
    both = titles("liability of the machine for Swiss and for French customers")
    assert sorted(both) == [["French customers"], ["Swiss customers"]]


def test_an_answer_has_no_copies_among_its_sources_and_names_their_places(kb: KnowledgeBase) -> None:
    answer = kb.ask("within how many days are refunds paid?")
    assert [left.reason for left in answer.prompt.left_out if "duplicate" in left.reason] == []
    (copied,) = (source for source in answer.sources if source.hit.copies)
    assert set(places(copied.hit)) == {"1", "2", "3", "4", "5"}


class Longest:
    """A reranker that prefers long passages, and remembers what it was given to read."""

    name = "longest"

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        self.read += passages
        return [float(len(passage)) for passage in passages]


def test_a_reranker_reads_no_copies(kb: KnowledgeBase) -> None:
    longest = Longest()
    hits = kb.search(QUESTION, 3, reranker=Reranking(longest, depth=8, seconds=1_000))
    assert len(longest.read) == 8
    assert sum("14 days" in " ".join(text.casefold().split()) for text in longest.read) == 2  # one of them "never"
    assert [hit.score for hit in hits] == sorted(map(float, map(len, longest.read)), reverse=True)[:3]
    (copied,) = (hit for hit in kb.search(QUESTION, 8, reranker=Longest()) if "1" in places(hit))
    assert set(places(copied)) == {"1", "2", "3", "4", "5"}


WORDS = st.sampled_from(["Refunds", "refunds", "are", "paid", "not", "never", "14", "30", "1,400", "\n", "  ", "days"])
PASSAGES = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=12)


def folded(texts: list[str], k: int, seed: int = 0) -> list[Group]:
    """Texts in the order of their ranks, all of which have nearly the same vector, and whose age is arbitrary."""
    chunks = {
        row: StoredChunk(row, text, "", Location(0, len(text), 1, 1), f"/{row}", "", "text", "", {})
        for row, text in enumerate(texts)
    }
    ids = np.random.default_rng(seed).permutation(len(texts)).astype(np.int64)
    vectors = np.ones((len(texts), 1), np.float32)
    found = Foldable(range(len(texts)), ids, vectors, np.zeros(len(texts), np.intp))
    return fold(found, k, lambda _rows: chunks, lambda _chunk: ())


@given(PASSAGES, st.integers(0, 5))
def test_no_place_is_lost_and_none_is_listed_twice(texts: list[str], seed: int) -> None:
    rows = [row for group in folded(texts, len(texts), seed) for row in (group.row, *group.copies)]
    assert sorted(rows) == list(range(len(texts)))


@given(PASSAGES)
def test_texts_whose_numbers_or_negations_differ_are_never_folded(texts: list[str]) -> None:
    for group in folded(texts, len(texts)):
        for row in group.copies:
            assert numbers_in_order(texts[row]) == numbers_in_order(texts[group.row])
            assert negations(texts[row]) == negations(texts[group.row])


@given(PASSAGES, st.integers(1, 12), st.integers(0, 5))
def test_groups_keep_the_order_of_the_ranks_and_do_not_depend_on_k(texts: list[str], k: int, seed: int) -> None:
    every = folded(texts, len(texts), seed)
    assert folded(texts, k, seed) == every[:k]
    best = [min(group.row, *group.copies) if group.copies else group.row for group in every]
    assert best == sorted(best)
    for group, row in zip(every, best, strict=True):
        assert texts[group.row] == texts[row]


@given(PASSAGES)
def test_no_two_shown_are_copies(texts: list[str]) -> None:
    shown = [Fingerprint(texts[group.row]) for group in folded(texts, len(texts))]
    assert not any(one.is_copy_of(other) for place, one in enumerate(shown) for other in shown[:place])


def test_thousands_of_akin_passages_are_folded_in_blocks() -> None:
    texts = [f"Line {number // 2} of the log says that the disk is full." for number in range(2_400)]
    groups = folded(texts, 1_100)
    assert len(groups) == 1_100
    assert all(len(group.copies) == 1 for group in groups)
