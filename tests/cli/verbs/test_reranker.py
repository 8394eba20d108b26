"""The flags of a heavier reranker: what they change, what they say, and what happens when it cannot be loaded."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import pytest

from rag.reranking.reranker import Reranking
from tests.cli.conftest import Rag, Shop, run_process
from tests.rag import tiny_models

QUERY = "how long do refunds take?"
MISSING = "no/such-model"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sentence_transformers", reason="needs the extra: pip install 'pilotfish[models]'")
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.mark.parametrize("verb", [["search", QUERY], ["ask", QUERY], ["eval", "--generate", "2"]])
def test_a_reranker_that_cannot_be_loaded_ends_every_verb_with_a_hint(shop: Shop, verb: list[str]) -> None:
    ran = shop.rag(*verb, "--reranker", MISSING)
    assert (ran.code, ran.out) == (2, "")
    assert MISSING in ran.err
    assert re.search(r"\nhint: .*(PILOTFISH_ALLOW_DOWNLOADS|pilotfish\[models\])", ran.err)


def test_without_the_extra_it_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as if it were not installed
    ran = shop.rag("search", QUERY, "--reranker", MISSING)
    assert ran.code == 2
    assert "needs sentence-transformers" in ran.err
    assert 'hint: install it with: pip install "pilotfish[models]"' in ran.err


def test_with_fallback_search_and_answer_go_on_and_say_so(shop: Shop) -> None:
    flags = ["--reranker", MISSING, "--fallback"]
    plain = shop.rag("search", QUERY, "--json").json
    ran = shop.rag("search", QUERY, *flags, "--json")
    assert ran.code == 0
    assert ran.json["hits"] == plain["hits"]
    told = ran.json["reranked"]
    assert (told["model"], told["scored"]) == (MISSING, 0)
    assert MISSING in told["failure"]
    assert ran.err == f"ranked without the reranker: {told['failure']}\n"
    answered = shop.rag("ask", QUERY, *flags, "--json")
    assert answered.json["reranked"] == told
    assert answered.err == ran.err
    assert ran.err in shop.rag("search", QUERY, *flags).err


@pytest.mark.parametrize("verb", [["search", QUERY], ["ask", QUERY], ["eval", "--generate", "2"]])
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--rerank-depth", "5"], "--rerank-depth needs --reranker"),
        (["--rerank-seconds", "5"], "--rerank-seconds needs --reranker"),
        (["--fallback"], "--fallback needs --reranker"),
        (["--reranker", MISSING, "--rerank-depth", "0"], "rerank depth of 0"),
        (["--reranker", MISSING, "--rerank-seconds", "nan"], "in nan seconds"),
        (["--reranker", " "], "does not name a reranker"),
    ],
)
def test_flags_that_do_not_fit_are_refused_with_a_hint(
    shop: Shop, verb: list[str], flags: list[str], said: str
) -> None:
    ran = shop.rag(*verb, *flags)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "\nhint: " in ran.err


def test_help_names_the_defaults(shop: Shop) -> None:
    shown = " ".join(shop.rag("search", "--help").out.replace("│", " ").split())
    default = {each.name: each.default for each in dataclasses.fields(Reranking)}
    assert f"judges ({default['depth']})" in shown
    assert f"question ({default['seconds']:g})" in shown


@pytest.mark.model
def test_a_model_reranks_and_explain_shows_its_part(shop: Shop, model: Path) -> None:
    flags = ["search", QUERY, "--reranker", str(model), "--rerank-depth", "2", "-k", "3"]
    found = shop.rag(*flags, "--json").json
    assert found["reranked"] == {"model": str(model), "candidates": 2, "scored": 2, "failure": None}
    first, second, third = found["hits"]
    for hit in (first, second):
        assert hit["score"] == hit["signals"]["reranker"] == hit["signals"]["contributions"]["reranker"]
    assert first["score"] >= second["score"]
    assert third["signals"]["reranker"] is None
    assert sum(third["signals"]["contributions"].values()) == pytest.approx(third["score"])
    assert third["signals"]["contributions"]["not_reranked"] < 0
    shown = shop.rag(*flags, "--explain").out
    assert len(re.findall(r"^ +reranker +-?\d+\.\d{3} +[+-]\d+\.\d{3} +alone orders", shown, re.MULTILINE)) == 2
    assert len(re.findall(r"^ +not_reranked +-\d+\.\d{3} +not reached by the reranker *$", shown, re.MULTILINE)) == 1


@pytest.mark.model
def test_what_there_was_no_time_for_is_told(rag: Rag, tmp_path: Path, model: Path) -> None:
    for number in range(20):  # more candidates than one batch
        (tmp_path / f"{number}.txt").write_text(f"Refund {number} was paid late.", encoding="utf-8")
    assert rag("index", ".").code == 0
    ran = rag("search", QUERY, "--reranker", str(model), "--rerank-seconds", "1e-9")
    assert ran.code == 0
    assert re.search(r"^reranked 8 of \d+ hits: no time for more$", ran.err, re.MULTILINE)


@pytest.mark.model
def test_an_evaluation_says_what_it_measured(shop: Shop, model: Path) -> None:
    ran = shop.rag("eval", "--generate", "2", "--mode", "hybrid", "--reranker", str(model), "--json")
    assert ran.code == 0
    assert any(notice.startswith(f"reranked by {model}: ") for notice in ran.json["notices"])


@pytest.mark.model
def test_nothing_of_the_libraries_reaches_stderr(shop: Shop, model: Path) -> None:
    ran = run_process("search", QUERY, "--reranker", model, cwd=shop.folder)
    assert (ran.code, ran.err) == (0, "")
