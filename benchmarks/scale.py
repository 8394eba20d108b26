"""Query and indexing times of a knowledge base of 10,000, 100,000 and 1,000,000 chunks of real text.

    python benchmarks/scale_corpus.py /tmp/corpus --chunks 1000000
    python benchmarks/scale.py /tmp/corpus --keep /tmp/scale --plot docs/scale.svg

The corpus is repeat-free documentation (see `scale_corpus.py`). Its vectors come from `static_encoder.py`, because the
real encoder would take hours for a million; the real one runs for every query all the same, so that its time and its
memory are counted. The queries are sentences, questions and keywords. Every size is searched by a process of its own,
which has read nothing before; the first twenty queries warm it up. Its files are read once before, so that they are in
the system's page cache where there is memory for that: a million chunks are 7 GB. Recall is counted against every
vector compared.

Indexing is timed with the vectors of record already there: all there is to do but the encoder's work. On a busy
machine every number is too high.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

import indexes.encoding.encoder
import indexes.store
from benchmarks.static_encoder import StaticEncoder
from connectors.document import Chunk, Document, Location
from indexes.encoding.base import EncodedQuery
from indexes.encoding.encoder import DefaultEncoder
from indexes.store import Store
from indexes.terms.analyzer import analyze
from indexes.writer import Batch, NewDocument, text_hash
from rag import KnowledgeBase
from rag.indexing.synchroniser import BATCH_CHUNKS
from rag.query.query import Query
from rag.query.spelling import respell

SIZES = (10_000, 100_000, 1_000_000)
QUERIES, WARM_UP = 320, 20
DEPTH = 100  # of the recall
PEER_SIZE, PEER_QUERIES = 100_000, 20
TARGETS = {
    "sparse p95 ms": "≤ 15",
    "dense p95 ms": "≤ 20",
    "dense recall@100": "≥ 0.97",
    "hybrid p95 ms": "≤ 60",
    "resident MB": "≤ 700",
    "indexed chunks/s": "≥ 3,000",
    "changed file s": "≤ 1",
    "open s": "< 1",
    "rank-bm25 / sparse": "≥ 100",
}
Row = dict[str, float]


class QueryEncoder(DefaultEncoder):
    """The real encoder, which answers with what the static one made of the same queries before."""

    made: dict[str, EncodedQuery]

    def encode_query(self, text: str) -> EncodedQuery:
        """Encode a query for real, and throw the result away for the vector that fits the index."""
        super().encode_query(text)
        return self.made[text]

    @classmethod
    def load(cls, _spec: str = "default") -> QueryEncoder:
        """What takes the place of `indexes.encoding.loading.load_encoder`."""
        encoder = cls(Path(indexes.encoding.encoder.__file__).parent / "encoder_data")
        encoder.name, encoder.fingerprint = StaticEncoder.name, StaticEncoder.fingerprint
        return encoder


def documents(corpus: Path, chunks: int) -> Iterator[tuple[Document, list[Chunk]]]:
    """Documents of the corpus with their chunks, until there are so many chunks."""
    left = chunks
    with gzip.open(corpus / "chunks.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            made = json.loads(line)
            cut = [Chunk(each["text"], each["context"], Location(*each["location"])) for each in made["chunks"][:left]]
            text = "\n\n".join(chunk.text for chunk in cut)
            package = made["uri"].partition("/")[0]
            yield Document(made["uri"], made["title"], text, "html", "1", {"package": package, "chunks": len(cut)}), cut
            left -= len(cut)
            if not left:
                return


def build(corpus: Path, folder: Path, chunks: int) -> Row:
    """Index so many chunks; returns what it took without the encoder."""
    store = Store(folder, create=True)
    with store.writer() as writer:
        texts = (chunk.indexed_text for _, cut in documents(corpus, chunks) for chunk in cut)
        while page := list(islice(texts, 10_000)):
            writer.embed(store.encoder, [(text_hash(text), text) for text in page], None)
        source, batch, spent = writer.register("/corpus"), Batch(), 0.0
        for document, cut in documents(corpus, chunks):
            batch.documents.append(NewDocument(source, document, cut, ""))
            if batch.chunks >= BATCH_CHUNKS:
                spent += _seconds(lambda: writer.commit(batch))  # noqa: B023 - called at once
                batch = Batch()
        spent += _seconds(lambda: writer.commit(batch))
        spent += _seconds(writer.finish)
    store.close()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {"indexed chunks/s": chunks / spent, "on disk GB": size / 1e9}


def exact(folder: Path, queries: list[str]) -> np.ndarray:
    """The ids of the nearest chunks of each query [queries, DEPTH], by comparing every vector; kept in a file."""
    kept = folder.with_suffix(".exact.npy")
    if not kept.exists():
        store = Store(folder)
        encoder = StaticEncoder()
        wanted = np.array([encoder.encode_query(query).vector for query in queries])
        best = np.full((len(queries), DEPTH), -2, np.float32)
        best_ids = np.zeros((len(queries), DEPTH), np.int64)
        with store.catalog.reading() as reading:
            ids = reading.born_chunks(0, reading.generation())
            for start in range(0, len(ids), 20_000):
                page, vectors = reading.vectors_by_id(encoder.fingerprint, ids[start : start + 20_000], wanted.shape[1])
                scores = np.hstack([best, wanted @ vectors.T])
                every = np.hstack([best_ids, np.broadcast_to(page, (len(queries), len(page)))])
                top = np.argpartition(-scores, DEPTH, axis=1)[:, :DEPTH]
                best, best_ids = np.take_along_axis(scores, top, 1), np.take_along_axis(every, top, 1)
        np.save(kept, best_ids)
    found: np.ndarray = np.load(kept)
    return found


def search(folder: Path, queries: list[str]) -> Row:
    """Open and search in this process; the first of the figures is what a fresh process pays."""
    start = time.perf_counter()
    base = KnowledgeBase.open(folder, create=False)
    store = base._store
    with store.view():
        opened = time.perf_counter() - start
    nearest: list[np.ndarray] = []
    steps: dict[str, Callable[[str], object]] = {
        "sparse": lambda query: base.search(query, mode="sparse"),
        "hybrid": base.search,
    }
    row = {"open s": opened}
    sparse, dense = [], []
    encoder = store.encoder
    for query in queries[:WARM_UP]:
        base.search(query)
    queries = queries[WARM_UP:]
    for query in queries:
        encoded = encoder.encode_query(query)
        terms = analyze(query)
        with store.view() as view:
            mask = view.mask({})
            sparse.append(_seconds(lambda: view.indexes.sparse.search(terms, DEPTH, mask)))  # noqa: B023
            dense.append(_seconds(lambda: nearest.append(view.nearest(encoded.vector, DEPTH, mask)[0])))  # noqa: B023
    row |= _percentiles("sparse", sparse) | _percentiles("dense", dense)
    for name, step in steps.items():
        spent = [_seconds(lambda: step(query)) for query in queries]  # noqa: B023
        row |= _percentiles(name if name == "hybrid" else f"{name} mode", spent)
    hits = [
        len(np.intersect1d(found, truth)) / DEPTH for found, truth in zip(nearest, exact(folder, queries), strict=True)
    ]
    row["dense recall@100"] = float(np.mean(hits))
    row["resident MB"] = _status("VmRSS")
    return row


def change(folder: Path) -> Row:
    """Change one document: seconds until another, open reader finds it, and until the run is over."""
    store, reader = Store(folder), Store(folder)
    store.encoder.encode(["warm"])
    with reader.view():
        pass
    found, over = [], []
    for number in range(5):
        word = "zyxwvu" + "abcde"[number] * 3
        text = f"The {word} was changed just now."
        document = Document("/changed", "changed", text, "text", str(number))
        chunk = Chunk(text, "", Location(0, len(text), 1, 1))
        start = time.perf_counter()
        with store.writer() as writer:
            source = writer.register("/corpus")
            writer.commit(Batch([NewDocument(source, document, [chunk], "")]))
            with reader.view() as view:
                ids, _ = view.indexes.sparse.search(analyze(word), 5, view.mask({}))
                near, _ = view.nearest(store.encoder.encode_query(text).vector, 1, view.mask({}))
                assert ids.tolist() == near.tolist(), (ids, near)  # noqa: S101
            found.append(time.perf_counter() - start)
        over.append(time.perf_counter() - start)
    return {"changed file s": float(np.median(found)), "changed file, run over s": float(np.median(over))}


def peer(corpus: Path, folder: Path, queries: list[str]) -> Row:
    """How many times as long rank-bm25 takes for the same queries over the same terms."""
    from rank_bm25 import BM25Okapi

    texts = [chunk.indexed_text for _, cut in documents(corpus, PEER_SIZE) for chunk in cut]
    ranker = BM25Okapi([analyze(text) for text in texts])
    store = Store(folder)
    ratios = []
    with store.view() as view:
        for query in queries[:PEER_QUERIES]:
            terms = analyze(query)
            ours = min(_seconds(lambda: view.indexes.sparse.search(terms, 10, view.mask({}))) for _ in range(3))  # noqa: B023
            theirs = _seconds(lambda: np.argsort(-ranker.get_scores(terms))[:10])  # noqa: B023
            ratios.append(theirs / ours)
    return {"rank-bm25 / sparse": float(np.median(ratios))}


def measure(corpus: Path, keep: Path, chunks: int) -> Row:
    """Everything about one size: building (once), then searching in a process of its own."""
    folder, kept = keep / str(chunks), keep / f"{chunks}.json"
    if not kept.exists():
        kept.write_text(json.dumps(build(corpus, folder, chunks)))
    queries = (corpus / "queries.txt").read_text("utf-8").splitlines()[:QUERIES]
    exact(folder, queries[WARM_UP:])
    static = StaticEncoder()
    with closing(Store(folder, create=False)) as store, store.view() as view:
        spelled = [respell(Query.of(query), view, static).text for query in queries]  # what a search has encoded
    made = {text: static.encode_query(text) for text in spelled}
    (keep / "queries.json").write_text(
        json.dumps({query: [each.vector.tolist(), each.tokens.tolist(), each.spans] for query, each in made.items()})
    )
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as content:
                while content.read(1 << 24):
                    pass
    command = [sys.executable, __file__, str(corpus), "--keep", str(keep), "--only", str(chunks)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    row: Row = {**json.loads(kept.read_text()), **json.loads(found.stdout), **change(folder)}
    return row | peer(corpus, folder, queries) if chunks == PEER_SIZE else row


def table(rows: dict[int, Row]) -> str:
    """The figures of every size beside their targets, in Markdown."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = ["| | " + " | ".join(f"{size:,}" for size in rows) + " | target |", "|---" * (len(rows) + 2) + "|"]
    for name in names:
        cells = " | ".join(f"{row[name]:,.3g}" if name in row else "" for row in rows.values())
        lines.append(f"| {name} | {cells} | {TARGETS.get(name, '')} |")
    return "\n".join(lines)


def plot(rows: dict[int, Row], path: Path) -> None:
    """Query time against size, both logarithmic, with the line that linear growth would follow."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    sizes = list(rows)
    for name in ("sparse", "dense", "hybrid"):
        axes.plot(sizes, [rows[size][f"{name} p50 ms"] for size in sizes], marker="o", label=f"{name}, median")
        axes.plot(
            sizes,
            [rows[size][f"{name} p95 ms"] for size in sizes],
            marker=".",
            linestyle=":",
            color=axes.lines[-1].get_color(),
            label=f"{name}, p95",
        )
    first = rows[sizes[0]]["sparse p50 ms"]
    axes.plot(sizes, [first * size / sizes[0] for size in sizes], color="grey", linewidth=0.8, label="linear growth")
    axes.set(xscale="log", yscale="log", xlabel="chunks", ylabel="milliseconds a query")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _encode_with(encoder: type[StaticEncoder | QueryEncoder]) -> None:
    """Make it the encoder of every store opened from now on."""
    indexes.store.load_encoder = encoder.load  # type: ignore[attr-defined, assignment]


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def _percentiles(name: str, seconds: list[float]) -> Row:
    p50, p95 = np.percentile(np.array(seconds) * 1_000, [50, 95])
    return {f"{name} p50 ms": float(p50), f"{name} p95 ms": float(p95)}


def _status(key: str) -> float:
    """Megabytes of this process's memory, as Linux counts them."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1_000


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="what scale_corpus.py made")
    parser.add_argument(
        "--keep", type=Path, required=True, help="folder for the knowledge bases, used again when there"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--plot", type=Path, help="where to draw query time against size (needs matplotlib)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        _encode_with(QueryEncoder)
        QueryEncoder.made = {
            query: EncodedQuery(np.array(vector, np.float32), np.array(tokens, np.float32), [(a, b) for a, b in spans])
            for query, (vector, tokens, spans) in json.loads((chosen.keep / "queries.json").read_text()).items()
        }
        print(json.dumps(search(chosen.keep / str(chosen.only), list(QueryEncoder.made))))
        return
    _encode_with(StaticEncoder)
    chosen.keep.mkdir(parents=True, exist_ok=True)
    rows: dict[int, Any] = {size: measure(chosen.corpus, chosen.keep, size) for size in chosen.sizes}
    print(json.dumps(rows) if chosen.json else table(rows))
    if chosen.plot:
        plot(rows, chosen.plot)


if __name__ == "__main__":
    main()
