"""Code as code against the same code as plain text, and how often a symbol is found by its name.

    python benchmarks/code.py collections/ --keep /tmp/code
    python benchmarks/code.py collections/ pydoc_code --split test
    python benchmarks/code.py --repository .

Of each collection of Python functions (a BEIR folder; `dev`, else `test` unless `--split` says otherwise) MRR@10 over
documents: indexed as text, indexed as Python files, and the difference with its 95% interval and p of the randomisation
test. Copies are not folded. Of a repository, looked up as `rag search` would: the share of queries whose first hit is
in the lines of the definition they are made of. `fields` ranks without the hook for exact names.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from connectors.code.source import parse_source
from connectors.document import Document
from rag import KnowledgeBase
from rag.evaluation.collections.beir import BeirCorpus
from rag.evaluation.collections.collection import beir_collection
from rag.evaluation.outcome import Evaluation
from rag.evaluation.significance import compare, interval
from rag.evaluator import evaluate
from rag.retrieval.hit import Hit, Mode
from rag.retrieval.ranking import Ranking
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions

MODES = (Mode.SPARSE, Mode.DENSE, Mode.HYBRID)
FUNCTIONS = ("function", "method")
LOOKUPS = 300
SEED = 0


class PlainFunctions(BeirCorpus):
    """The documents of a collection as text, whatever they look like."""

    def _documents(self) -> Iterator[Document]:
        return (replace(document, kind="text") for document in super()._documents())


class PythonFunctions(BeirCorpus):
    """The documents of a collection, each as a Python file."""

    def _documents(self) -> Iterator[Document]:
        for document in super()._documents():
            code = parse_source(document.text, "python")
            yield replace(
                document, kind=code.kind, metadata=code.metadata, blocks=code.blocks, names=code.names, title="code.py"
            )


def main() -> None:
    """Evaluate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of BEIR folders")
    parser.add_argument("names", nargs="*", default=("cosqa", "pydoc_code"), help="which collections")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    parser.add_argument("--split", help="whose judgements")
    parser.add_argument("--repository", type=Path, help="look up the symbols of the Python code in this folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilotfish-code-") as temporary:
        keep = arguments.keep or Path(temporary)
        if arguments.folder is not None:
            print(f"{'collection':<12}{'split':<7}{'queries':>8}  {'mode':<8}{'text':>7}{'code':>7}  difference")
            for name in arguments.names:
                _compare(arguments.folder / name, arguments.split, keep)
        if arguments.repository is not None:
            _look_up(arguments.repository, keep / "repository")


def _compare(home: Path, split: str | None, keep: Path) -> None:
    split = split or ("dev" if (home / "qrels" / "dev.tsv").exists() else "test")
    collection = beir_collection(home, split)
    measured: list[Evaluation] = [
        evaluate(
            replace(collection, corpus=corpus(home)),
            modes=MODES,
            folder=keep / f"{home.name}-{corpus.__name__}",
            depth=20,
        )
        for corpus in (PlainFunctions, PythonFunctions)
    ]
    for mode in MODES:
        plain, code = (
            [outcome.metrics["MRR@10"] for outcome in each.outcomes[str(mode)].values()] for each in measured
        )
        pair = compare([(code, plain)], SEED)[0]
        print(
            f"{home.name:<12}{split:<7}{len(plain):>8}  {mode:<8}{sum(plain) / len(plain):>7.4f}"
            f"{sum(code) / len(code):>7.4f}  {pair.difference:+.4f} "
            f"[{pair.low:+.4f}, {pair.high:+.4f}] p = {pair.p:.4f}",
            flush=True,
        )


def _look_up(repository: Path, folder: Path) -> None:
    kb = KnowledgeBase.open(folder)
    kb.index(*(str(path) for path in sorted(repository.iterdir()) if any(path.rglob("*.py")) and path.name[0] != "."))
    with kb._store.view() as view:
        stored = [
            chunk for chunk in view.reading.chunks_of_generation(0, view.indexes.generation) if chunk.location.symbol
        ]
    made: list[tuple[str, Mapping[str, str]]] = []
    for chunk in stored:
        symbol, start = chunk.location.symbol, chunk.location.start
        if (
            symbol is None
            or symbol.kind not in FUNCTIONS
            or symbol.docstring[1] <= start
            or symbol.signature[1] <= start
        ):
            continue
        name = symbol.name.rpartition(".")[2]
        said = chunk.text[max(0, symbol.docstring[0] - start) : symbol.docstring[1] - start].strip("rR\"'# \n")
        queries = {
            "name": name,
            "qualified": symbol.name,
            "where is it": f"where is {name} defined?",
            "what calls it": f"what calls {name}?",
            "what it does": f"what does {name} do?",
            "definition": f"definition of {name}",
            "show me": f"show me {name}",
            "signature": " ".join(chunk.text[symbol.signature[0] - start : symbol.signature[1] - start].split())[:80],
            "words": " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", name)).lower(),
            "docstring": re.split(r"(?<=[.!?:])\s", " ".join(said.split()))[0],
        }
        made.append((name, queries))
    drawn = [made[place] for place in np.random.default_rng(SEED).permutation(len(made))[:LOOKUPS].tolist()]
    print(f"\n{len(stored)} chunks of code, {len(drawn)} functions drawn\n{'query':<14}{'fields':>8}{'all':>8}  95%")
    rankings = {"fields": Ranking(defined_weight=0.0), "all": Ranking()}
    searches = {name: Retriever(kb._store, ranking) for name, ranking in rankings.items()}
    for sort in drawn[0][1]:
        found = {
            name: [
                float(_defines(search.search(queries[sort], SearchOptions(k=1)).hits, called))
                for called, queries in drawn
                if queries[sort]
            ]
            for name, search in searches.items()
        }
        low, high = interval(found["all"], SEED)
        shares = "".join(f"{sum(values) / len(values):>8.3f}" for values in found.values())
        print(f"{sort:<14}{shares}  [{low:.3f}, {high:.3f}]", flush=True)
    kb.close()


def _defines(hits: tuple[Hit, ...], called: str) -> bool:
    """Whether the first hit is about a symbol of this name, or holds its definition among others."""
    for hit in hits[:1]:
        symbol = hit.location.symbol
        if symbol is not None and symbol.name.rpartition(".")[2] == called:
            return True
        return re.search(rf"\b(?:def|class)\s+{re.escape(called)}\b", hit.text) is not None
    return False


if __name__ == "__main__":
    main()
