"""`rag search` as a process: hits, JSON, and every bad query."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import rag
from cli.options import ModeOption
from tests.cli.conftest import REFUNDS, SHIPPING, Rag, Shop

HIT_KEYS = {"rank", "score", "relevance", "uri", "title", "location", "text", "metadata", "signals"}


def test_hits_for_people(shop: Shop) -> None:
    ran = shop.rag("search", "how long do refunds take?")
    assert ran.code == 0
    assert ran.err == ""
    first = ran.out.split("\n\n")[0]
    assert "Refunds" in first.splitlines()[0]
    assert first.splitlines()[0].endswith("%")
    assert "docs/refunds.md:" in first
    assert "within 14 days" in " ".join(first.split())


def test_an_abbreviation_that_a_document_defines_is_told_with_explain(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "terms.md").write_text("# Terms\n\nThe Joint Harbour Council (JHC) meets on Tuesdays.\n")
    (tmp_path / "minutes.md").write_text("# Minutes\n\nJHC approved dredging of basin 4.\n")
    assert rag("index", "terms.md", "minutes.md").code == 0
    question = "what did the Joint Harbour Council approve?"
    assert "searched for: JHC, too (Joint Harbour Council, as terms.md defines it)" in " ".join(
        (rag("search", question, "--explain").err + rag("search", question, "--explain").out).split()
    )
    (told,) = rag("search", question, "--json").json["abbreviations"]
    assert (told["said"], told["other"]) == ("Joint Harbour Council", "JHC")


def test_hits_as_json(shop: Shop) -> None:
    found = shop.rag("search", "how long do refunds take?", "--json", "-k", "2").json
    assert list(found) == ["query", "corrections", "abbreviations", "reranked", "hits", "timings_ms"]
    assert found["reranked"] is None
    assert found["corrections"] == []
    assert found["query"] == "how long do refunds take?"
    assert len(found["hits"]) == 2
    best = found["hits"][0]
    assert set(best) >= HIT_KEYS
    assert best["uri"] == str(shop.folder / "docs" / "refunds.md")
    place = best["location"]
    text = (shop.folder / "docs" / "refunds.md").read_text(encoding="utf-8")
    assert text[place["start"] : place["end"]] == best["text"]
    assert place["text"].startswith("line")
    assert place["page"] is None
    assert isinstance(place["headings"], list)
    assert place["line_start"] <= place["line_end"]
    assert 0 <= best["relevance"] <= 1
    assert best["signals"]["terms"] == {}
    assert found["timings_ms"]["total"] > 0


def test_a_mistyped_word_is_searched_as_the_documents_spell_it(shop: Shop) -> None:
    ran = shop.rag("search", "refnuds", "-k", "1")
    assert ran.code == 0
    assert "searched for: refunds (no passage contains refnuds)" in ran.err
    assert "Refunds" in ran.out
    found = shop.rag("search", "refnuds", "-k", "1", "--json")
    assert found.err == ""
    assert found.json["query"] == "refnuds"
    assert found.json["corrections"] == [{"typed": "refnuds", "searched": "refunds"}]


def test_explain_shows_the_evidence(shop: Shop) -> None:
    ran = shop.rag("search", "refunds in days", "-k", "1", "--explain")
    assert all(word in ran.out for word in ("BM25", "cosine", "late", "coverage", "refunds "))
    best = shop.rag("search", "refunds in days", "-k", "1", "--explain", "--json").json["hits"][0]
    assert best["signals"]["terms"]["refunds"] > 0
    assert {"query", "passage", "similarity", "weight"} == set(best["signals"]["aligned"][0])


def test_what_explain_shows_adds_up(shop: Shop) -> None:
    best = shop.rag("search", "refunds in days", "-k", "1", "--explain", "--json").json["hits"][0]
    signals = best["signals"]
    assert sum(signals["contributions"].values()) == pytest.approx(best["score"])
    assert 1 / (1 + math.exp(-sum(signals["log_odds"].values()))) == pytest.approx(best["relevance"])
    assert sum(signals["terms"].values()) == pytest.approx(signals["bm25"], rel=1e-4)
    assert sum(pair["similarity"] * pair["weight"] for pair in signals["aligned"]) == pytest.approx(
        signals["late"], abs=1e-4
    )
    shown = shop.rag("search", "refunds in days", "-k", "1", "--explain").out
    added = [
        float(number)
        for number in re.findall(r"^ +(?:BM25|cosine|late|feedback|hubness) .*?([+-]\d\.\d{3})", shown, re.MULTILINE)
    ]
    (total,) = re.findall(r"^ +score +(-?\d+\.\d{3}) *$", shown, re.MULTILINE)
    assert len(added) == len(signals["contributions"])
    assert sum(added) == pytest.approx(float(total), abs=0.004)


@pytest.fixture
def copied(tmp_path: Path, rag: Rag) -> Shop:
    """The shop with the page on refunds in six more folders."""
    docs = tmp_path / "docs"
    for name in "abcdef":
        (docs / name).mkdir(parents=True)
        (docs / name / "refunds.md").write_text(REFUNDS, encoding="utf-8")
    (docs / "shipping.md").write_text(SHIPPING, encoding="utf-8")
    return Shop(tmp_path, rag("index", "docs", "--json"), rag)


def test_copies_are_listed_in_one_line(copied: Shop) -> None:
    ran = copied.rag("search", "how long do refunds take?")
    line = next(line for line in ran.out.splitlines() if "also in:" in line)
    assert re.fullmatch(r" {4}also in: docs/b/refunds\.md:\d+-\d+, docs/c/refunds\.md:\d+-\d+, and 3 more", line)
    assert len(line) <= 80
    assert "also in:" not in copied.rag("search", "express parcels", "-k", "1").out
    assert "also in: docs/b/refunds.md" in copied.rag("ask", "how long do refunds take?").out


def test_copies_as_json_and_unfolded(copied: Shop) -> None:
    best = copied.rag("search", "how long do refunds take?", "--json").json["hits"][0]
    assert [Path(copy["uri"]).parent.name for copy in best["copies"]] == list("bcdef")
    assert all(copy["title"] == "Refunds" and copy["location"] == best["location"] for copy in best["copies"])
    hits = copied.rag("search", "how long do refunds take?", "--json", "--no-fold").json["hits"]
    assert sorted(Path(hit["uri"]).parent.name for hit in hits[:6]) == list("abcdef")
    assert all(hit["copies"] == [] for hit in hits)
    source = copied.rag("ask", "how long do refunds take?", "--json").json["sources"][0]
    assert source["copies"] == best["copies"]


def test_diversity_is_explained(shop: Shop) -> None:
    ran = shop.rag("search", "refunds", "--diversity", "0.9", "--explain")
    assert ran.out.count("diversity ") == len(re.findall("^ *relevance ", ran.out, re.MULTILINE))
    hits = shop.rag("search", "refunds", "--diversity", "0.9", "--json").json["hits"]
    assert set(hits[1]["signals"]["diversity"]) == {
        "rank_by_score",
        "normalized_score",
        "most_similar_rank",
        "cosine",
        "mmr_score",
    }
    assert shop.rag("search", "refunds", "--json").json["hits"][0]["signals"]["diversity"] is None
    assert shop.rag("search", "refunds", "--diversity", "2").code == 2


def test_the_modes_are_those_of_the_library() -> None:
    assert [str(mode) for mode in ModeOption] == [str(mode) for mode in rag.Mode]


@pytest.mark.parametrize("mode", ["sparse", "dense"])
def test_modes(shop: Shop, mode: str) -> None:
    found = shop.rag("search", "express parcels", "--mode", mode, "--json").json
    assert found["hits"][0]["title"] == "Shipping"


def test_filters(shop: Shop) -> None:
    assert shop.rag("search", "refunds", "--filter", "kind=pdf", "--json").json["hits"] == []
    ran = shop.rag("search", "refunds", "--filter", "kind=pdf")
    assert (ran.code, ran.out) == (0, "")
    assert "no document passes the filters" in ran.err
    either = shop.rag("search", "refunds", "--filter", "kind=pdf", "--filter", "kind=markdown", "--json").json
    assert either["hits"]


def test_a_threshold_that_nothing_reaches(shop: Shop) -> None:
    ran = shop.rag("search", "quantum chromodynamics", "--min-relevance", "0.9")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing relevant: the best hit has" in ran.err


@pytest.mark.parametrize("query", ["the of and", "🐟🐟🐟", "refund " * 7_200, "caf\udce9", "-- ; DROP TABLE *\"'"])
def test_odd_queries_are_answered(shop: Shop, query: str) -> None:
    ran = shop.rag("search", "--json", "--", query)
    assert ran.code == 0
    assert isinstance(ran.json["hits"], list)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([""], "empty"),
        (["  \n "], "empty"),
        (["refunds", "-k", "0"], "k is 0"),
        (["refunds", "-k", "-3"], "k is -3"),
        (["refunds", "--min-relevance", "7"], "7"),
    ],
)
def test_bad_searches_are_refused_with_a_hint(shop: Shop, arguments: list[str], said: str) -> None:
    ran = shop.rag("search", *arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert said in ran.err.splitlines()[0]
    assert "\nhint: " in ran.err


def test_k_beyond_the_corpus(shop: Shop) -> None:
    total = shop.indexed.json["chunks"]["total"]
    assert len(shop.rag("search", "refunds", "-k", "5000", "--json").json["hits"]) <= total


def test_codes_in_documents_stay_text(shop: Shop) -> None:
    ran = shop.rag("search", "colour codes", "-k", "1")
    assert "Notes [bold]and[/bold] codes" in ran.out
    assert "\ufffd[31mred" in ran.out
    assert "\x07" not in ran.out
    found = shop.rag("search", "colour codes", "-k", "1", "--json").json
    assert "\x1b[31mred" in found["hits"][0]["text"]


def test_an_unknown_filter_key_names_the_known_ones(shop: Shop) -> None:
    ran = shop.rag("search", "refunds", "--filter", "colour=red")
    assert ran.code == 2
    assert ran.out == ""
    assert "colour" in ran.err.splitlines()[0]
    assert "kind" in ran.err.splitlines()[1]
