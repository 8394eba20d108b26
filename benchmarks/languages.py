"""Which questions find their document in other languages than English, by mode, and by English questions.

    python benchmarks/languages.py

The corpora are the small ones of `tests/rag/retrieval/languages`, some 35 documents and 45 questions each; the
questions in the corpus's own language differ from the documents in their endings, accents or script, or have one slip.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from rag.knowledge_base import KnowledgeBase
from rag.retrieval.hit import Mode

HOME = Path(__file__).parent.parent / "tests" / "rag" / "retrieval" / "languages"
LANGUAGES = ("german", "french", "spanish", "chinese")
DEPTH = 3
THRESHOLD = 0.2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--encoder", default=None, help="another encoder than the default")
    arguments = parser.parse_args()
    print("| documents | questions | | sparse | dense | hybrid | relevance of the right first hit |")
    print("|---|---|---|---|---|---|---|")
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory(prefix="pilotfish-languages-", ignore_cleanup_errors=True) as folder:
            kb = _index(language, Path(folder), arguments.encoder)
            asked = _read(f"{language}_questions")
            _row(kb, language, language, [each for each in asked if each["kind"] != "english"])
            _row(kb, language, "english", [each for each in asked if each["kind"] == "english"])
            kb.close()


def _read(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (HOME / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def _index(language: str, folder: Path, encoder: str | None) -> KnowledgeBase:
    (folder / "documents").mkdir()
    for place, document in enumerate(_read(language)):  # the names of the files tell nothing
        (folder / "documents" / f"{place}.txt").write_text(document["text"], encoding="utf-8")
    kb = KnowledgeBase.open(folder / "kb")
    kb.index(folder / "documents", encoder=encoder)
    return kb


def _row(kb: KnowledgeBase, documents: str, questions: str, asked: list[dict[str, str]]) -> None:
    ids = [document["id"] for document in _read(documents)]
    cells, sure = [], []
    for mode in (Mode.SPARSE, Mode.DENSE, Mode.HYBRID):
        first = third = 0
        for each in asked:
            hits = kb.search(each["question"], DEPTH, mode=mode, fold=False)
            found = [ids[int(Path(hit.uri).stem)] for hit in hits]
            third += each["expected"] in found
            if found[:1] == [each["expected"]]:
                first += 1
                if mode is Mode.HYBRID:
                    sure.append(hits[0].relevance)
        cells.append(f"{first} / {third}")
    told = (
        f"{statistics.median(sure):.2f}, {sum(map(THRESHOLD.__le__, sure))} of {len(sure)} ≥ {THRESHOLD}"
        if sure
        else ""
    )
    print(f"| {documents} | {questions} | {len(asked)} | {' | '.join(cells)} | {told} |", flush=True)


if __name__ == "__main__":
    main()
