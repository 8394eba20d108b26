"""What late interaction gains for its bytes and milliseconds: ways to keep the token vectors, to weigh, to compare.

    python benchmarks/late.py collections/ cranfield cisi npl cacm --keep /tmp/eval --queries 60

Three tables of nDCG@10, a column a collection. In the first two the best 25 candidates by BM25 and cosine are ranked by
those and one form of late interaction; every one is encoded anew, with the states before the projection as an output,
which takes most of the time. The third searches as it is, with pools of several depths. Projections are fitted on
Python's language reference. Quality depends on the code alone, the times on the machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage  # type: ignore[import-untyped]
from tokenizers import Tokenizer

from indexes.encoding import encoder as encoder_module
from indexes.terms.analyzer import query_terms
from rag.evaluation.collections.collection import Collection, beir_collection
from rag.evaluation.metrics import ndcg
from rag.evaluator import indexed
from rag.knowledge_base import KnowledgeBase
from rag.query.term_weights import idf, piece_weights
from rag.retrieval.hit import Hit
from rag.retrieval.ranking import Ranking
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions

POOL = 100  # at most: the best 50 of either list
RANKED = 25
DEPTHS = (25, 50, 100, 200)
SEED = 7
DATA = Path(encoder_module.__file__).parent / "encoder_data"
STATES = "__module.bert.encoder.layer.5.output.LayerNorm/aten::layer_norm/Add"
BITS = {2: (0.4528, 1.5104), 4: (0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326)}  # Max (1960)
EXACT = 32  # bits of a value that is kept as it is
LONGEST = 254  # word pieces of a query that the encoder reads
TABLES = {
    "kept": ("token vectors kept", "bytes a passage"),
    "weighed": ("query weights, similarity", ""),
    "depth": ("candidates", "ms"),
}
WEIGHTS: Mapping[str, float] = {"idf": 1.0, "root of idf": 0.5, "all alike": 0.0}

Floats = npt.NDArray[np.float32]
FORMS: Mapping[str, Callable[[Floats], Floats]] = {
    "only what is above the candidates' mean": lambda best: np.maximum(0.0, best - best.mean(axis=0)),
    "only what is above 0.5": lambda best: np.maximum(0.0, best - 0.5),
    "squared": lambda best: np.maximum(0.0, best) ** 2,
    "in deviations over the candidates, a tenth": lambda best: best / (best.std(axis=0) + 1e-3) / 10,
}


@dataclass(frozen=True)
class Kept:
    """A way to keep token vectors: a projection, bits a value, and the share of a passage's vectors that is left."""

    projection: Floats | None = None
    bits: int = EXACT
    share: float = 1.0

    def passage(self, states: Floats) -> Floats:
        """What is left of a passage's states [tokens, 384]."""
        tokens = _pooled(self.query(states), self.share)
        return tokens if self.bits == EXACT else _quantised(tokens, self.bits)

    def query(self, states: Floats) -> Floats:
        """A query's states [tokens, 384] in the space of the passages."""
        return states if self.projection is None else _unit(states @ self.projection)

    def bytes_a_piece(self, dimensions: int = 384) -> float:
        """Bytes for each word piece of a passage."""
        values = dimensions if self.projection is None else self.projection.shape[1]
        return values * self.bits / 8 * self.share


@dataclass(frozen=True)
class Asked:
    """A query, its candidates by their score without late interaction, and the states of all."""

    key: str
    weights: Floats
    states: Floats
    fused: Floats
    uris: Sequence[str]
    passages: Sequence[Floats]


class States:
    """The final token states of the shipped encoder, before its projection."""

    def __init__(self) -> None:
        import openvino

        core = openvino.Core()
        graph = core.read_model(DATA / "encoder.xml")
        (node,) = (node for node in graph.get_ops() if node.get_friendly_name() == STATES)
        graph.add_outputs([node.output(0)])
        self._request = core.compile_model(graph, "CPU", {"INFERENCE_NUM_THREADS": 2}).create_infer_request()
        self._tokenizer = Tokenizer.from_file(str(DATA / "tokenizer.json"))
        self._tokenizer.enable_truncation(256)
        self._known: dict[str, Floats] = {}

    def __call__(self, text: str) -> Floats:
        """Unit states of the word pieces of `text` [tokens, 384], specials excluded."""
        if text not in self._known:
            ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
            self._request.infer([ids, np.ones_like(ids)])
            self._known[text] = _unit(self._request.get_output_tensor(2).data[0, 1:-1]).astype(np.float16)
        return self._known[text].astype(np.float32)

    def forget(self) -> None:
        """Let go of the states of one collection's passages."""
        self._known.clear()

    @cached_property
    def directions(self) -> Floats:
        """The principal directions of the states of general text, strongest first [384, 384]."""
        states = np.concatenate([self(text[:1000]) for text in topics.values()])
        return np.asarray(np.linalg.eigh(states.T @ states)[1][:, ::-1], dtype=np.float32)

    def projection(self, dimensions: int) -> Floats:
        """The strongest directions, rotated so that one scale suits every component [384, dimensions]."""
        normal = np.random.default_rng(SEED).standard_normal((dimensions, dimensions))
        return np.asarray(self.directions[:, :dimensions] @ np.linalg.qr(normal)[0], dtype=np.float32)


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of BEIR folders")
    parser.add_argument("names", nargs="+", help="the collections")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    parser.add_argument("--queries", type=int, default=60, help="how many of each collection")
    arguments = parser.parse_args()
    states = States()
    columns: list[dict[tuple[str, str], list[float]]] = []
    for name in arguments.names:
        home: Path = arguments.folder / name
        split = "test" if (home / "qrels" / "test.tsv").exists() else "dev"
        collection = beir_collection(home, split)
        chosen = sorted(np.random.default_rng(SEED).permutation(sorted(collection.queries))[: arguments.queries])
        with indexed(home, arguments.keep / name if arguments.keep else None) as (kb, _):
            asked = [query for key in chosen if (query := _ask(kb, collection, key, states)) is not None]
            columns.append(dict(_measure(asked, collection, states)) | dict(_depths(kb, collection, chosen)))
        states.forget()
    _print(arguments.names, columns)


def _ask(kb: KnowledgeBase, collection: Collection, key: str, states: States) -> Asked | None:
    text = collection.queries[key]
    hits = [hit for hit in kb.search(text, POOL, fold=False) if hit.uri != key]
    hits = sorted(hits, key=lambda hit: -_fused(hit))[:RANKED]
    weights = _weights(text, kb)
    if not hits or not weights.sum() > 0:
        return None
    return Asked(
        key=key,
        weights=weights,
        states=states(text),
        fused=np.array([_fused(hit) for hit in hits], dtype=np.float32),
        uris=[hit.uri for hit in hits],
        passages=[states(f"{hit.context}\n{hit.text}" if hit.context else hit.text) for hit in hits],  # as indexed
    )


def _fused(hit: Hit) -> float:
    return hit.signals.contributions.get("bm25", 0.0) + hit.signals.contributions.get("cosine", 0.0)


def _weights(text: str, kb: KnowledgeBase) -> Floats:
    """What each word piece of a query counts for in the hybrid mode."""
    with kb._store.view() as view:
        languages, sparse = view.indexes.languages, view.indexes.sparse
        terms = {term: idf(term, sparse) for term in query_terms(text, languages)}
    return np.array(piece_weights(kb._store.encoder.spans(text)[:LONGEST], terms), dtype=np.float32)


# --- what is compared -------------------------------------------------------------------------------------------------


def _measure(
    asked: Sequence[Asked], collection: Collection, states: States
) -> Iterator[tuple[tuple[str, str], list[float]]]:
    """(table, row) → nDCG@10, and for the ways to keep vectors also bytes a passage."""
    rank = partial(_ndcg, asked, collection)
    yield ("kept", "no late interaction"), [rank([query.fused for query in asked]), 0.0]
    pieces = float(np.mean([len(passage) for query in asked for passage in query.passages]))
    for name, kept in _ways(states).items():
        late = [_weighted(best, query.weights) for query, best in _bests(asked, kept)]
        scores = [query.fused + values for query, values in zip(asked, late, strict=True)]
        yield ("kept", name), [rank(scores), pieces * kept.bytes_a_piece()]
    bests = list(_bests(asked, Kept(states.projection(64), 4)))
    for name, power in WEIGHTS.items():
        scores = [query.fused + _weighted(best, query.weights**power) for query, best in bests]
        yield ("weighed", name), [rank(scores)]
    for name, form in FORMS.items():
        scores = [query.fused + _weighted(form(best), query.weights) for query, best in bests]
        yield ("weighed", name), [rank(scores)]


def _ways(states: States) -> dict[str, Kept]:
    ways = {"384 dimensions, float32": Kept()}
    for dimensions in (96, 64, 48, 32, 16):
        for bits in (EXACT, 4, 2):
            ways[f"{dimensions} dimensions, {bits} bits"] = Kept(states.projection(dimensions), bits)
    for share in (2, 3, 4):
        ways[f"64 dimensions, 4 bits, 1/{share} of the vectors"] = Kept(states.projection(64), 4, 1 / share)
    return ways


def _bests(asked: Sequence[Asked], kept: Kept) -> Iterator[tuple[Asked, Floats]]:
    """Each query with the best cosine of each of its word pieces in each candidate [candidates, pieces]."""
    for query in asked:
        tokens = kept.query(query.states)
        yield (
            query,
            np.array([(kept.passage(passage) @ tokens.T).max(axis=0, initial=0.0) for passage in query.passages]),
        )


def _weighted(best: Floats, weights: Floats) -> Floats:
    return np.asarray(best @ (weights / weights.sum()), dtype=np.float32)


def _ndcg(asked: Sequence[Asked], collection: Collection, scores: Sequence[Floats]) -> float:
    values = []
    for query, found in zip(asked, scores, strict=True):
        order = np.argsort(-found, kind="stable").tolist()
        documents = list(dict.fromkeys(query.uris[place] for place in order))  # each by its best chunk
        values.append(ndcg(documents, collection.grades[query.key], 10))
    return float(np.mean(values))


def _depths(
    kb: KnowledgeBase, collection: Collection, keys: Sequence[str]
) -> Iterator[tuple[tuple[str, str], list[float]]]:
    """(table, row) → nDCG@10 and milliseconds of late interaction, reading and decoding included."""
    for depth in DEPTHS:
        retriever = Retriever(kb._store, Ranking(pool=depth))
        values, spent = [], []
        for key in keys:
            found = retriever.search(collection.queries[key], SearchOptions(k=RANKED, fold=False))
            documents = list(dict.fromkeys(hit.uri for hit in found.hits if hit.uri != key))
            values.append(ndcg(documents, collection.grades[key], 10))
            spent.append(found.timings_ms["late"])
        yield ("depth", f"best {depth} of each list"), [float(np.mean(values)), float(np.median(spent))]


# --- token vectors ----------------------------------------------------------------------------------------------------


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def _quantised(tokens: Floats, bits: int) -> Floats:
    """The nearest of the values that lose least of a normal variable of the components' deviation."""
    upper = np.array(BITS[bits])
    levels = np.concatenate([-upper[::-1], upper]) / np.sqrt(tokens.shape[1])
    return np.asarray(levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, tokens)], dtype=np.float32)


def _pooled(tokens: Floats, share: float) -> Floats:
    """The directions of clusters (Ward), as many as `share` of the tokens.

    Clavié, Chaffin and Adams, "Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via
    Token Pooling" (2024), https://arxiv.org/abs/2409.14683.
    """
    wanted = max(1, round(len(tokens) * share))
    if wanted >= len(tokens):
        return tokens
    labels = fcluster(linkage(tokens, "ward"), wanted, "maxclust") - 1
    sums = np.zeros((labels.max() + 1, tokens.shape[1]), dtype=np.float32)
    np.add.at(sums, labels, tokens)
    return _unit(sums)


# --- the tables -------------------------------------------------------------------------------------------------------


def _print(names: Sequence[str], columns: Sequence[Mapping[tuple[str, str], list[float]]]) -> None:
    for table, (title, last) in TABLES.items():
        print(f"\n| {title} | " + " | ".join(names) + f" | mean |{f' {last} |' if last else ''}")
        print("|---" * (len(names) + 2 + bool(last)) + "|")
        for key in (key for key in columns[0] if key[0] == table):
            quality = [column[key][0] for column in columns]
            cells = [f"{value:.4f}" for value in [*quality, float(np.mean(quality))]]
            cells += [f"{np.mean([column[key][1] for column in columns]):,.0f}"] if last else []
            print(f"| {key[1]} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
