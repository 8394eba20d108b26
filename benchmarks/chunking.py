"""How much of what is retrieved was asked for: our splitter beside fixed windows, recursive and sentence splitters.

    pip install langchain-text-splitters llama-index-core matplotlib
    python benchmarks/chunking.py chunking_eval/ --keep /tmp/chunking --plot docs/chunking.svg

The data folder holds `corpora/*.md` and `qa.jsonl`: the general evaluation set of Smith & Troynikov, Evaluating
Chunking Strategies for Retrieval (Chroma, 2024), 472 questions with the exact spans that answer them. All corpora are
one knowledge base, whatever cut them; encoder, store and search are the same. The authors' definitions, in characters:

    recall            of the reference spans, how much is in the retrieved chunks
    precision         of the retrieved chunks, how much is in the reference spans; text retrieved twice counts twice
    IoU               what is in both, over the retrieved chunks and the reference text they miss
    precision-omega   IoU of the union of all chunks that touch a reference: the best any search could do

They are given for the best five chunks (`k=5`), for as many chunks as touch a reference, at most 20 (`min-k`), and for
the first 4,000 characters retrieved (`budget`, about 1,000 tokens), which compares chunks of different sizes at one
cost. After ± stands half a 95% interval of the mean over the questions.

Of chunks beyond its window of 254 word pieces the encoder sees the beginning only, as it would in anyone's use of it:
that concerns the splitters with 400 word pieces, and not BM25.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import command_line, kept_in
from connectors.chunking.splitter import Splitter
from connectors.document import Chunk, Document, Location
from connectors.errors import ConfigurationError, PilotfishError, SourceError
from connectors.registry import open_source
from connectors.source import Added
from indexes.encoding.base import Encoder
from indexes.encoding.loading import load_encoder
from indexes.store import Store
from indexes.writer import Batch, NewDocument
from rag import KnowledgeBase, Mode
from rag.knowledge_base import SPECIAL_PIECES

K = 5
MOST = 20  # chunks of `min-k`
BUDGET = 4_000  # characters, about 1,000 tokens
MODES = (Mode.DENSE, Mode.HYBRID)
MEASURES = ("recall", "precision", "IoU")

Span = tuple[int, int]
Found = tuple[str, int, int]  # corpus, start, end
Cutter = Callable[[Document], list[Chunk]]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A question about one corpus, with the spans that answer it."""

    text: str
    corpus: str
    references: tuple[Span, ...]


@dataclass(frozen=True)
class Result:
    """What one splitter reached: `scores[mode, depth]` has a row a question, a column for each of `MEASURES`."""

    name: str
    chunks: int
    pieces: float
    omega: Floats
    scores: Mapping[tuple[str, str], Floats]


def main() -> int:
    """Cut, index, ask, print."""
    parser = command_line(__doc__, keep="the knowledge bases")
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only splitters whose name begins so")
    parser.add_argument("--target", nargs="+", type=int, default=[], help="also our splitter with these targets")
    parser.add_argument("--plot", type=Path, help="draw recall against IoU into this file")
    arguments = parser.parse_args()
    documents = read_corpora(arguments.data)
    questions = read_questions(arguments.data)
    encoder = load_encoder()
    wanted = tuple(arguments.only or [""])
    makers = {name: make for name, make in cutters(arguments.target).items() if name.startswith(wanted)}
    chosen = {name: make(encoder) for name, make in makers.items()}  # what is not installed is missed at once
    results = []
    with kept_in(arguments.keep) as keep:
        for name, cut in chosen.items():
            print(f"{name} …", file=sys.stderr, flush=True)
            folder = keep / name.replace(" ", "-").replace("/", "-")
            results.append(measure(name, cut, folder, documents, questions))
    print("\n".join(table(results)))
    if arguments.plot:
        plot(results, arguments.plot)
    return 0


def read_corpora(data: Path) -> dict[str, Document]:
    """Corpus name → the document that indexing its file makes."""
    events = open_source(str(data / "corpora")).events({})
    documents = {Path(event.document.uri).stem: event.document for event in events if isinstance(event, Added)}
    if not documents:
        raise SourceError(f"{data / 'corpora'} holds no corpus", hint="see the head of this file for what is expected")
    return documents


def read_questions(data: Path) -> list[Question]:
    """The questions of `qa.jsonl`."""
    records = map(json.loads, (data / "qa.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Question(
            record["question"],
            record["gold_doc_ids"][0],
            tuple((span["start"], span["end"]) for span in record["spans"]),
        )
        for record in records
    ]


def cutters(targets: Sequence[int]) -> dict[str, Callable[[Encoder], Cutter]]:
    """Name → what makes the splitter for an encoder. Sizes are word pieces, or characters where `ch` says so."""
    return {
        "pilotfish": ours,
        "pilotfish bare": lambda encoder: bare(ours(encoder)),
        **{f"pilotfish {target}": partial(ours, target=target) for target in targets},
        "fixed 200/0": lambda encoder: fixed(encoder, 200, 0),
        "fixed 200/100": lambda encoder: fixed(encoder, 200, 100),
        "fixed 400/0": lambda encoder: fixed(encoder, 400, 0),
        "fixed 400/200": lambda encoder: fixed(encoder, 400, 200),
        "recursive 800/400 ch": lambda _: recursive(800, 400, len),
        "recursive 400/0 ch": lambda _: recursive(400, 0, len),
        "recursive 200/0": lambda encoder: recursive(200, 0, lambda text: len(encoder.spans(text))),
        "recursive 400/0": lambda encoder: recursive(400, 0, lambda text: len(encoder.spans(text))),
        "sentences 200/0": lambda encoder: sentences(encoder, 200, 0),
        "sentences 200/20": lambda encoder: sentences(encoder, 200, 20),
    }


def ours(encoder: Encoder, target: int | None = None) -> Cutter:
    """The splitter of this project, as `KnowledgeBase.index` makes it, or with another target."""
    window = encoder.window - SPECIAL_PIECES
    return (Splitter(encoder, window=window, target=target) if target else Splitter(encoder, window=window)).split


def bare(cutter: Cutter) -> Cutter:
    """The same chunks without their context."""
    return lambda document: [Chunk(chunk.text, "", chunk.location) for chunk in cutter(document)]


def fixed(encoder: Encoder, size: int, overlap: int) -> Cutter:
    """Windows of `size` word pieces that begin `size - overlap` apart, wherever that is."""

    def cut(document: Document) -> list[Chunk]:
        starts = [start for start, _ in encoder.spans(document.text)]
        edges = [*starts, len(document.text)]
        first = range(0, max(1, len(starts) - overlap), size - overlap)
        places = [(edges[at], edges[min(at + size, len(starts))]) for at in first]
        return _chunks(document, places)

    return cut


def recursive(size: int, overlap: int, length: Callable[[str], int]) -> Cutter:
    """LangChain's RecursiveCharacterTextSplitter with its default separators."""
    package = _installed("langchain_text_splitters", "langchain-text-splitters")
    splitter = package.RecursiveCharacterTextSplitter(
        chunk_size=size, chunk_overlap=overlap, length_function=length, add_start_index=True
    )

    def cut(document: Document) -> list[Chunk]:
        made = splitter.create_documents([document.text])
        starts = [(one.metadata["start_index"], len(one.page_content)) for one in made]
        return _chunks(document, [(start, start + long) for start, long in starts])

    return cut


def sentences(encoder: Encoder, size: int, overlap: int) -> Cutter:
    """LlamaIndex's SentenceSplitter, counting with the encoder's own word pieces."""
    core = _installed("llama_index.core", "llama-index-core")
    splitter = core.node_parser.SentenceSplitter(chunk_size=size, chunk_overlap=overlap, tokenizer=encoder.spans)

    def cut(document: Document) -> list[Chunk]:
        texts = [node.get_content() for node in splitter.get_nodes_from_documents([core.Document(text=document.text)])]
        return _chunks(document, list(_located(document.text, texts)))

    return cut


def _installed(module: str, package: str) -> Any:
    """A module of a package that only this benchmark needs.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{package} is not installed", hint=f"pip install {package}, or choose other splitters with --only"
        ) from error


def _located(text: str, pieces: Iterable[str]) -> Iterator[Span]:
    """Where the pieces stand, each beginning after the one before it."""
    after = 0
    for piece in pieces:
        start = text.find(piece, after)
        if start < 0:
            raise SourceError(f"the splitter changed the text: {piece[:80]!r} is not in it")
        yield start, start + len(piece)
        after = start + 1


def _chunks(document: Document, places: Sequence[Span]) -> list[Chunk]:
    """Chunks without context. A span of the wrong text would falsify every figure, so it ends the run."""
    if any(start < 0 or later[0] <= start for (start, _), later in pairwise(places)):
        raise SourceError(f"{document.uri}: a splitter lost its place in the text")
    return [
        Chunk(document.text[start:end], "", Location(start, end, line_start=1, line_end=1))
        for start, end in places
        if document.text[start:end].strip()
    ]


def measure(
    name: str,
    cut: Cutter,
    folder: Path,
    documents: Mapping[str, Document],
    questions: Sequence[Question],
) -> Result:
    """Index every corpus as one knowledge base and ask every question."""
    store = Store(folder, create=True)
    chunks = {corpus: cut(document) for corpus, document in documents.items()}
    with store.writer() as writer:
        source = writer.register("corpora")
        new = [NewDocument(source, document, chunks[corpus], "") for corpus, document in documents.items()]
        writer.commit(Batch(new))
        writer.finish()
    spans = {corpus: [(chunk.location.start, chunk.location.end) for chunk in made] for corpus, made in chunks.items()}
    kb = KnowledgeBase(store)
    rows: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for mode in MODES:
        for question in questions:
            hits = kb.search(question.text, MOST, mode=mode, fold=False)
            found = [(Path(hit.uri).stem, hit.location.start, hit.location.end) for hit in hits]
            needed = len(_touching(question, spans[question.corpus]))
            depths = {"k=5": found[:K], "min-k": found[:needed], "budget": _within(found, BUDGET)}
            for depth, kept in depths.items():
                rows.setdefault((mode, depth), []).append(score(question, kept))
    sizes = [len(store.encoder.spans(chunk.text)) for made in chunks.values() for chunk in made]
    kb.close()
    return Result(
        name,
        len(sizes),
        float(np.mean(sizes)),
        np.array([omega(question, spans[question.corpus]) for question in questions]),
        {key: np.array(row) for key, row in rows.items()},
    )


def score(question: Question, found: Sequence[Found]) -> tuple[float, float, float]:
    """Recall, precision and intersection over union of what was found, in the order of `MEASURES`."""
    wanted = sum(end - start for start, end in question.references)
    retrieved = sum(end - start for _, start, end in found)
    shared = _shared(question, [(start, end) for corpus, start, end in found if corpus == question.corpus])
    return shared / wanted, shared / retrieved if retrieved else 0.0, shared / (retrieved + wanted - shared)


def omega(question: Question, spans: Sequence[Span]) -> float:
    """Intersection over union of all chunks that touch a reference, their overlaps counted once."""
    touching = _touching(question, spans)
    wanted = sum(end - start for start, end in question.references)
    shared = _shared(question, touching)
    return shared / (_size(touching) + wanted - shared)


def _touching(question: Question, spans: Sequence[Span]) -> list[Span]:
    return [
        (start, end) for start, end in spans if any(start < last and first < end for first, last in question.references)
    ]


def _shared(question: Question, spans: Sequence[Span]) -> int:
    """Characters of the references that the spans hold."""
    cuts = [(max(start, first), min(end, last)) for start, end in spans for first, last in question.references]
    return _size([(start, end) for start, end in cuts if start < end])


def _size(spans: Sequence[Span]) -> int:
    """Characters in the union of the spans."""
    total = reached = 0
    for start, end in sorted(spans):
        total += max(0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _within(found: Sequence[Found], budget: int) -> list[Found]:
    """The first `budget` characters of what was found; the last chunk is cut short."""
    kept = []
    for corpus, start, end in found:
        if budget <= 0:
            break
        kept.append((corpus, start, min(end, start + budget)))
        budget -= end - start
    return kept


def table(results: Sequence[Result]) -> Iterator[str]:
    """Markdown: for each mode and depth a line a splitter, in per cent."""
    for mode in MODES:
        for depth in ("k=5", "min-k", "budget"):
            yield f"\n{mode}, {depth}\n"
            yield f"| splitter | chunks | pieces | precision-omega | {' | '.join(MEASURES)} |"
            yield "|---" * (4 + len(MEASURES)) + "|"
            for result in results:
                cells = [_cell(result.omega), *map(_cell, result.scores[mode, depth].T)]
                yield f"| {result.name} | {result.chunks:,} | {result.pieces:.0f} | {' | '.join(cells)} |"


def _cell(values: Floats) -> str:
    half = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{100 * values.mean():.1f} ± {100 * half:.1f}"


def plot(results: Sequence[Result], file: Path) -> None:
    """Recall against IoU at the budget, in hybrid mode: up and right is better."""
    figures = _installed("matplotlib.figure", "matplotlib")
    figure = figures.Figure(figsize=(7, 4.5))
    axes = figure.subplots()
    for result in results:
        recall, _, iou = 100 * result.scores[Mode.HYBRID, "budget"].mean(axis=0)
        ours = result.name.startswith("pilotfish")
        axes.scatter(iou, recall, color="tab:red" if ours else "tab:blue")
        axes.annotate(
            result.name,
            (iou, recall),
            xytext=(-5 if ours else 5, -8 if result.name == "pilotfish" else -2),
            textcoords="offset points",
            horizontalalignment="right" if ours else "left",
            fontsize=8,
        )
    axes.margins(x=0.25)
    axes.set(xlabel="IoU, %", ylabel="recall, %", title="The first 4,000 characters retrieved, hybrid search")
    figure.savefig(file, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PilotfishError as error:
        sys.exit(f"{error}\nhint: {error.hint}")
