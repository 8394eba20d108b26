"""Exact symbol look-up: how often the name of what code defines, searched alone, ranks its definition first.

    python benchmarks/symbols.py SOURCE… --sample 500

Every name that the files below the sources define is a query, qualified (`Cart.total`) and bare (`total`), or so many
of them drawn at random; where several define a name, any of them counts. `without` is the same search with what it
makes of names left out.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from contextlib import closing
from pathlib import Path

from sqlalchemy import select

from connectors.document import DEFINES
from indexes.catalog.schema import documents, names
from rag.knowledge_base import KnowledgeBase
from rag.retrieval.hit import Hit
from rag.retrieval.ranking import Ranking
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions

SEED = 7

Places = dict[str, set[tuple[str, int]]]  # name → the documents and offsets where it is defined


def main() -> None:
    """Index, search every name, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sources", nargs="+", type=Path, help="folders or files of code")
    parser.add_argument("--sample", type=int, default=500, help="how many names of each sort")
    parser.add_argument("--keep", type=Path, help="keep the knowledge base here, and reuse it")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pilotfish-symbols-", ignore_cleanup_errors=True) as folder,
        closing(KnowledgeBase.open(arguments.keep or Path(folder, "kb"))) as kb,
    ):
        kb.index(*arguments.sources)
        measure(kb, arguments.sample)


def measure(kb: KnowledgeBase, sample: int) -> None:
    """Print the share of names whose definition comes first, and within the first three."""
    places = defined(kb)
    sorts = {
        "qualified": [name for name in places if "." in name],
        "bare": [name for name in places if "." not in name],
    }
    searches = {
        "with names": Retriever(kb._store, Ranking()),
        "without": Retriever(kb._store, Ranking(defined_weight=0.0, named_weight=0.0)),
    }
    print(f"{'':<12}{'':<12}{'names':>7}{'first':>8}{'in three':>10}")
    for sort, every in sorts.items():
        chosen = random.Random(SEED).sample(sorted(every), min(sample, len(every)))  # noqa: S311
        for how, retriever in searches.items():
            ranks = [_rank(retriever.search(name, SearchOptions(k=3)).hits, places[name]) for name in chosen]
            first, three = (sum(rank <= depth for rank in ranks) / max(1, len(ranks)) for depth in (1, 3))
            print(f"{sort:<12}{how:<12}{len(ranks):>7}{first:>8.3f}{three:>10.3f}", flush=True)
            for name, rank in zip(chosen, ranks, strict=True):
                if rank > 1 and how == "with names":
                    print(f"    {name}: rank {rank if rank <= len(chosen) else 'beyond'}")


def defined(kb: KnowledgeBase) -> Places:
    """Every name that is defined, and where."""
    found: Places = {}
    with kb.reading() as reading:
        wanted = select(names.c.text, documents.c.uri, names.c.start)
        wanted = wanted.join(documents, documents.c.id == names.c.document_id).where(names.c.role == DEFINES)
        for text, uri, start in reading.connection.execute(wanted):
            found.setdefault(text, set()).add((uri, start))
    return found


def _rank(hits: tuple[Hit, ...], places: set[tuple[str, int]]) -> float:
    """The place of the first hit that holds one of the definitions."""
    for hit in hits:
        if any(hit.uri == uri and hit.location.start <= start < hit.location.end for uri, start in places):
            return hit.rank
    return float("inf")


if __name__ == "__main__":
    main()
