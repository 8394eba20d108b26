"""What a slip of the finger costs, and what the spelling of the knowledge base's own words gives back.

    python benchmarks/typos.py collections/ nfcorpus cranfield --keep /tmp/eval

Of every query one content word that some passage has is mistyped: a letter left out, a letter too many (doubled, or of
a key beside), two letters swapped, or a letter of the key beside. The same slips (a fixed seed) are searched with and
without spelling, in both modes. Then the price: how many queries that are typed well spelling changes. Small knowledge
bases lack most words, so that is where a word they lack may be taken for a slip of one they have: `--small` makes some
of random passages and asks them the same questions, typed well and mistyped.
"""

from __future__ import annotations

import argparse
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexes.terms.analyzer import analyze, query_terms
from rag.evaluation.collections.beir import BeirCorpus
from rag.evaluation.collections.collection import Collection, beir_collection
from rag.evaluation.metrics import ndcg
from rag.evaluation.significance import compare
from rag.evaluator import indexed
from rag.knowledge_base import KnowledgeBase
from rag.query.query import Query
from rag.query.spelling import Correction, respell
from rag.query.term_weights import common_stems
from rag.retrieval.hit import Mode
from rag.retrieval.ranking import Ranking
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions

DEPTH = 30
SEED = 7
SHORTEST = 4
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
ACCENTED = dict(zip("aceinosuyz", "áçéíñóśüýž", strict=True))
_WORD = re.compile(r"(?<![\w.'-])[a-z]+(?![\w'-]|\.\w)", re.IGNORECASE)


def _beside() -> dict[str, str]:
    """Key → the keys beside it on a QWERTY keyboard, those above and below included."""
    places = {key: (row, column + row / 2) for row, keys in enumerate(ROWS) for column, key in enumerate(keys)}
    return {
        key: "".join(
            other
            for other, (row, column) in places.items()
            if other != key and abs(row - places[key][0]) <= 1 and abs(column - places[key][1]) <= 1
        )
        for key in places
    }


BESIDE = _beside()


def left_out(word: str, place: int, _: random.Random) -> str:
    """A letter missing."""
    return word[:place] + word[place + 1 :]


def too_many(word: str, place: int, chance: random.Random) -> str:
    """A letter doubled, or the key beside it hit as well."""
    return word[: place + 1] + chance.choice(word[place] + BESIDE[word[place].lower()]) + word[place + 1 :]


def swapped(word: str, place: int, _: random.Random) -> str:
    """A letter before the one it follows."""
    return word[: place - 1] + word[place] + word[place - 1] + word[place + 1 :]


def replaced(word: str, place: int, chance: random.Random) -> str:
    """The key beside instead."""
    return word[:place] + chance.choice(BESIDE[word[place].lower()]) + word[place + 1 :]


Slip = Callable[[str, int, random.Random], str]
SLIPS: Mapping[str, Slip] = {"left out": left_out, "too many": too_many, "swapped": swapped, "replaced": replaced}


@dataclass(frozen=True)
class MistypedQuery:
    """A query with one word mistyped.

    Attributes:
        word, typed: the word as it was, and as it is typed now.
        slip: which of `SLIPS` it is.
        clean, mistyped, accented: the query as it was, with the slip, and with a wrong accent in the same word.
    """

    key: str
    word: str
    typed: str
    slip: str
    clean: str
    mistyped: str
    accented: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="a folder of BEIR folders")
    parser.add_argument("names", nargs="+", help="the collections")
    parser.add_argument("--keep", type=Path, help="keep the knowledge bases here, and reuse them")
    parser.add_argument("--split", default="test", help="whose queries")
    parser.add_argument("--small", type=int, nargs="*", default=[20, 200], help="passages of the small knowledge bases")
    arguments = parser.parse_args()
    for name in arguments.names:
        home: Path = arguments.folder / name
        collection = beir_collection(home, arguments.split)
        with indexed(home, arguments.keep / name if arguments.keep else None) as (kb, _):
            queries = list(_mistype(kb, collection))
            print(f"\n{name}: {len(queries)} queries with a slip, of {len(collection.queries)}\n")
            _quality(kb, collection, queries)
            _repairs(kb, collection.queries, queries, f"{name}, all")
        for size in arguments.small:
            with _small(home, size) as kb:
                queries = list(_mistype(kb, collection))
                _repairs(kb, collection.queries, queries, f"{name}, {size} passages")


# --- slips ------------------------------------------------------------------------------------------------------------


def _mistype(kb: KnowledgeBase, collection: Collection) -> Iterator[MistypedQuery]:
    for key, text in collection.queries.items():
        chance = random.Random(f"{SEED} {key}")  # noqa: S311 - of its own, so that no query's slip hangs on another's
        words = [word for word in _WORD.finditer(text) if _is_content(word[0]) and _held(kb, word[0])]
        if not words:
            continue
        word = chance.choice(words)
        slip = chance.choice(list(SLIPS))
        typed = word[0]
        while typed.lower() == word[0].lower():  # two equal letters swapped are no slip
            typed = SLIPS[slip](word[0], chance.randrange(1, len(word[0])), chance)
        accented = "".join(ACCENTED.get(letter, letter) for letter in word[0])

        def put(instead: str, text: str = text, word: re.Match[str] = word) -> str:
            return text[: word.start()] + instead + text[word.end() :]

        yield MistypedQuery(key, word[0], typed, slip, text, put(typed), put(accented))


def _is_content(word: str) -> bool:
    long_enough = len(word) >= SHORTEST and len(set(word[1:].lower())) > 1
    return long_enough and (word.islower() or word.istitle()) and not set(analyze(word)) <= common_stems()


def _held(kb: KnowledgeBase, word: str) -> bool:
    with kb._store.view() as view:
        occurrences, terms = view.indexes.sparse.occurrences, query_terms(word, view.indexes.languages)
        return any(occurrences(stem) for term in terms for stem in term.stems)


# --- quality ----------------------------------------------------------------------------------------------------------


def _quality(kb: KnowledgeBase, collection: Collection, queries: Sequence[MistypedQuery]) -> None:
    print("| | typed well | wrong accents | one slip, not corrected | corrected | gain | typed well, gain |")
    print("|---|---|---|---|---|---|---|")
    by_slip: dict[str, dict[str, tuple[list[float], ...]]] = {}
    on, off = Retriever(kb._store), Retriever(kb._store, Ranking(spelling=False))
    for mode in (Mode.SPARSE, Mode.HYBRID):
        clean, clean_off = (_ndcg(kind, collection, mode, [(q.key, q.clean) for q in queries]) for kind in (on, off))
        accented = _ndcg(on, collection, mode, [(query.key, query.accented) for query in queries])
        without, within = (_ndcg(kind, collection, mode, [(q.key, q.mistyped) for q in queries]) for kind in (off, on))
        gain, cost = compare([(within, without), (clean, clean_off)])
        means = " | ".join(f"{np.mean(values):.3f}" for values in (clean, accented, without, within))
        print(
            f"| {mode} | {means} | {gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] "
            f"| {cost.difference:+.4f} [{cost.low:+.4f}, {cost.high:+.4f}] |"
        )
        for slip in SLIPS:
            chosen = [place for place, query in enumerate(queries) if query.slip == slip]
            each = tuple([values[place] for place in chosen] for values in (clean, without, within))
            by_slip.setdefault(slip, {})[str(mode)] = each
    print("\n| slip | queries | sparse: typed well, not corrected, corrected | hybrid |")
    print("|---|---|---|---|")
    for slip, modes in by_slip.items():
        cells = [", ".join(f"{np.mean(values):.3f}" for values in each) for each in modes.values()]
        print(f"| {slip} | {len(next(iter(modes.values()))[0])} | " + " | ".join(cells) + " |")


def _ndcg(retriever: Retriever, collection: Collection, mode: Mode, asked: Sequence[tuple[str, str]]) -> list[float]:
    """nDCG@10 of each query."""
    values = []
    for key, text in asked:
        hits = retriever.search(text, SearchOptions(k=DEPTH, mode=mode, fold=False)).hits
        documents = list(dict.fromkeys(hit.uri for hit in hits if hit.uri != key))
        values.append(ndcg(documents, collection.grades[key], 10))
    return values


# --- which words are changed ------------------------------------------------------------------------------------------


def _repairs(kb: KnowledgeBase, texts: Mapping[str, str], queries: Sequence[MistypedQuery], where: str) -> None:
    """How many slips are put right, and how many queries typed well are changed."""
    counts: Counter[str] = Counter()
    with kb._store.view() as view:
        encoder = kb._store.encoder
        for query in queries:
            stems = set(query_terms(query.word, view.indexes.languages)[0].stems)
            found = respell(Query.of(query.mistyped), view, encoder)
            counts[_outcome(query, found.corrections, stems, view.indexes.languages)] += 1
        changed = {
            key: found.corrections
            for key, text in texts.items()
            if (found := respell(Query.of(text), view, encoder)).corrections
        }
    shares = ", ".join(f"{name} {counts[name]}" for name in ("right", "wrong", "left"))
    print(f"\n{where}: of {len(queries)} slips {shares}; of {len(texts)} queries typed well changed {len(changed)}")
    for corrections in list(changed.values())[:8]:
        print("    " + ", ".join(f"{each.typed} → {each.searched}" for each in corrections))


def _outcome(query: MistypedQuery, corrections: Sequence[Correction], stems: set[str], languages: Sequence[str]) -> str:
    """Whether the mistyped word was put right, made another, or left as it was."""
    for each in corrections:
        if each.typed == query.typed:
            terms = query_terms(each.searched, languages)
            return "right" if any(not stems.isdisjoint(term.stems) for term in terms) else "wrong"
    return "left"


@contextmanager
def _small(home: Path, size: int) -> Iterator[KnowledgeBase]:
    """A knowledge base of some documents of a collection, the same ones every time."""
    lines = (home / "corpus.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    with tempfile.TemporaryDirectory(prefix="pilotfish-typos-", ignore_cleanup_errors=True) as folder:
        chosen = random.Random(SEED).sample(lines, size)  # noqa: S311
        Path(folder, "corpus.jsonl").write_text("".join(chosen), encoding="utf-8")
        kb = KnowledgeBase.open(Path(folder, "kb"))
        try:
            kb.index(BeirCorpus(Path(folder)))
            yield kb
        finally:
            kb.close()


if __name__ == "__main__":
    main()
