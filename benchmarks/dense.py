"""Which structure and which parameters of the dense index: recall@100 and processor time by codes, lists, share, depth.

    python benchmarks/dense.py VECTORS.npy QUERIES.npy
    python benchmarks/dense.py --knowledge-base /tmp/scale/1000000 /tmp/corpus/queries.txt --lists 1000 2000 4000

Vectors and queries are arrays [n, dimensions], or they come from a knowledge base of `scale.py`. Recall is that of the
candidates: their cosines are computed from the vectors of record afterwards, so depth is what that costs. Times are of
one thread, in processor seconds.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.common import command_line

Floats = npt.NDArray[np.float32]
IP = faiss.METRIC_INNER_PRODUCT
RECALL_DEPTH = 100
DEPTHS = (200, 300, 400, 600)
SHARES = (0.08, 0.15, 0.25, 0.35, 1.0)
CODES = ("4-bit products of 2", "4-bit products of 1", "2 bits", "3 bits", "4-bit scalars")


def make(codes: str, quantizer: faiss.IndexFlatIP, dimensions: int, lists: int) -> faiss.IndexIVF:
    """An empty inverted file with these codes."""
    if codes.startswith("4-bit products"):
        parts = dimensions // int(codes[-1])
        return faiss.IndexIVFPQFastScan(quantizer, dimensions, lists, parts, 4, IP)
    if codes == "4-bit scalars":
        kind = faiss.ScalarQuantizer.QT_4bit
        return faiss.IndexIVFScalarQuantizer(quantizer, dimensions, lists, kind, IP, True)
    return faiss.IndexIVFRaBitQ(quantizer, dimensions, lists, IP, True, int(codes[0]))


def exact(vectors: Floats, queries: Floats) -> tuple[npt.NDArray[np.int64], float]:
    """The true nearest [queries, RECALL_DEPTH], and milliseconds a query when every vector is compared."""
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    start = time.process_time()
    nearest = np.concatenate([flat.search(query[np.newaxis], RECALL_DEPTH)[1] for query in queries])
    return nearest, (time.process_time() - start) / len(queries) * 1_000


def study(vectors: Floats, queries: Floats, lists: int, chosen: list[str]) -> None:
    """Print recall and time of every combination for one number of lists."""
    rng = np.random.default_rng(0)
    dimensions = vectors.shape[1]
    nearest, exact_ms = exact(vectors, queries)
    truth = [set(found.tolist()) for found in nearest]
    print(f"\n{len(vectors):,} vectors, {lists:,} lists; comparing every vector takes {exact_ms:.1f} ms")
    sample = vectors[rng.permutation(len(vectors))[: 40 * lists]]
    quantizer = faiss.IndexFlatIP(dimensions)
    clustering = faiss.Clustering(dimensions, lists)
    clustering.niter, clustering.spherical, clustering.min_points_per_centroid = 10, True, 1
    clustering.train(sample, quantizer)
    for codes in chosen:
        index = make(codes, quantizer, dimensions, lists)
        index.train(sample[:20_000])
        start = time.process_time()
        index.add(vectors)
        print(f"\n{codes}: {index.code_size} bytes a vector, {time.process_time() - start:.0f} s to add")
        print("| share of lists | " + " | ".join(f"best {depth}" for depth in DEPTHS) + " | ms |")
        print("|---" * (len(DEPTHS) + 2) + "|")
        for share in SHARES:
            parameters = faiss.SearchParametersIVF(nprobe=math.ceil(share * lists))  # type: ignore[call-arg]
            start = time.process_time()
            found = [index.search(query[np.newaxis], DEPTHS[-1], params=parameters)[1][0] for query in queries]
            spent = (time.process_time() - start) / len(queries) * 1_000
            recalls = [
                np.mean([len(true.intersection(ids[:depth].tolist())) for true, ids in zip(truth, found, strict=True)])
                for depth in DEPTHS
            ]
            cells = " | ".join(f"{recall / RECALL_DEPTH:.3f}" for recall in recalls)
            print(f"| {share:.0%} | {cells} | {spent:.1f} |", flush=True)


def from_knowledge_base(folder: Path, queries: Path) -> tuple[Floats, Floats]:
    """All vectors of record of a knowledge base of `scale.py`, and some of the queries as it encodes them."""
    from benchmarks.static_encoder import StaticEncoder
    from indexes.catalog.catalog import Catalog

    encoder = StaticEncoder()
    catalog = Catalog(folder / "catalog.sqlite", create=False)
    with catalog.reading() as reading:
        ids = reading.born_chunks(0, reading.generation())
        _, vectors = reading.vectors_by_id(encoder.fingerprint, ids, encoder.dimensions)
    lines = queries.read_text("utf-8").splitlines()[:200]
    return vectors, np.array([encoder.encode_query(line).vector for line in lines])


def main() -> None:
    """Study the vectors named on the command line."""
    parser = command_line(__doc__)
    parser.add_argument("vectors", type=Path, help="an .npy file, or with --knowledge-base a folder")
    parser.add_argument("queries", type=Path, help="an .npy file, or with --knowledge-base a text file")
    parser.add_argument("--knowledge-base", action="store_true")
    parser.add_argument("--lists", type=int, nargs="+", help="default: 2 times the root of the number of vectors")
    parser.add_argument("--codes", nargs="+", choices=CODES, default=CODES)
    chosen = parser.parse_args()
    if chosen.knowledge_base:
        vectors, queries = from_knowledge_base(chosen.vectors, chosen.queries)
    else:
        vectors, queries = (np.load(file).astype(np.float32) for file in (chosen.vectors, chosen.queries))
    faiss.omp_set_num_threads(1)
    for lists in chosen.lists or [round(2 * math.sqrt(len(vectors)))]:
        study(vectors, queries[:200], lists, chosen.codes)


if __name__ == "__main__":
    main()
