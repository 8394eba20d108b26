"""Train the reader: one small cross-encoder that reads question or claim and passage together.

    python -m venv build && build/bin/pip install torch==2.13.0 && build/bin/pip install "pilotfish[models]" nncf==3.4.0
    build/bin/python -m scripts.train_reader DATA --work FOLDER

DATA is the folder of the training sets (`scripts/reader/sets.py` names them, and their licences). What is made on the
way is kept in FOLDER: the pairs, and a checkpoint every few minutes, from which a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexes.encoding.encoder import DATA as ENCODER
from indexes.encoding.loading import load_encoder
from indexes.encoding.wordpiece import WordPieces
from scripts.build_encoder import fetch_model, general_passages
from scripts.reader.cloze import of_sentences
from scripts.reader.examples import Examples, fingerprint, of_pairs
from scripts.reader.network import reader_network
from scripts.reader.pairs import (
    Pair,
    Vectors,
    nearest,
    nearest_wrong,
    of_claims,
    of_passages,
    of_questions,
    of_statements,
)
from scripts.reader.sets import CLAIMS, QUESTIONS, rows
from scripts.reader.tables import of_tables
from scripts.reader.training import TrainingRun, measure, train

SEED = 7
_MADE = 800  # passages that claims are made from, of questions
_MADE_TECHNICAL = 400  # of documentation
_TABLES = "wikitablequestions_train"
_PASSAGES_FROM = ("squad_train_sample", "nq_qed_train", "boolq_val", "medquad", "covidqa", "pubmedqa_train")
_CLOZE_PASSAGES = {
    "squad_train_sample": 1_000,
    "nq_qed_train": 6_000,
    "boolq_val": 3_000,
    "covidqa": 2_000,
    "condaqa_dev": 500,
    "pubmedqa_train": 500,
    "medquad": 2_500,
    "policyqa_dev": 600,
}
"""Of how many passages of a set at most questions are made by leaving a stretch out."""
_CLOZE_TECHNICAL = 1_500  # of documentation
_FEWEST_WORDS = 30  # of such a passage


def main() -> None:
    """Make the pairs, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="where pairs and checkpoints are kept")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--pairs", type=int, help="train on so many pairs at most, for a learning curve")
    parser.add_argument("--cloze", type=int, default=70_000, help="first, so many questions made of sentences")
    parser.add_argument("--without", nargs="*", default=[], help="leave these sets out, to measure with them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, help="quantise, and write what is shipped into this folder")
    parser.add_argument("--prepare", action="store_true", help="only make the pairs")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    left_out = arguments.without
    examples = prepared(arguments.work, fingerprint(*left_out), lambda: made(arguments.data, left_out))
    first = prepared(arguments.work, "cloze", lambda: made_of_sentences(arguments.data))
    if arguments.prepare:
        return
    import torch

    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as scratch:
        network = reader_network(fetch_model(Path(scratch)))
    run = TrainingRun(examples, arguments.epochs, arguments.pairs, SEED)
    name = fingerprint(left_out, arguments.pairs, arguments.epochs, len(examples))
    before = TrainingRun(first, 1.0, arguments.cloze, SEED)
    if not (arguments.work / f"checkpoint-{name}.pt").exists():
        train(network, before, arguments.work / "checkpoint-cloze.pt")
    train(network, run, arguments.work / f"checkpoint-{name}.pt")
    for line in measure(network, examples):
        print(line)
    if arguments.output is not None:
        from scripts.reader.export import export

        pairs = len(run.rows())
        told = {"made of sentences": len(before.rows()), "pairs": pairs, "epochs": arguments.epochs, "seed": SEED}
        export(network, examples, arguments.output, told)


def prepared(work: Path, name: str, make: Callable[[], list[Pair]]) -> Examples:
    """Pairs as word pieces, made once."""
    path = work / f"pairs-{name}.npz"
    if not path.exists():
        pairs = make()
        random.Random(SEED).shuffle(pairs)
        of_pairs(pairs, WordPieces(ENCODER / "tokenizer.json"), SEED).save(path)
    examples = Examples.load(path)
    for number, source in enumerate(examples.sources):
        own = examples.source == number
        counts = [int((own & (examples.answers == label)).sum()) for label in (1, 0)]
        counts += [int((own & (examples.support == label)).sum()) for label in range(4)]
        print(
            f"{source:26} answers {counts[0]:6} not {counts[1]:6}  supports {counts[2]:5} neutral {counts[3]:5}", end=""
        )
        print(f" contradicts {counts[4]:5} not {counts[5]:5}  pieces {examples.lengths()[own].mean():.0f}")
    print(f"{len(examples)} pairs, {examples.lengths().mean():.0f} word pieces each")
    return examples


def made(data: Path, without: Sequence[str]) -> list[Pair]:
    """The pairs of all sets but those left out."""
    pairs: list[Pair] = []
    passages: list[str] = []
    for questions in QUESTIONS:
        if questions.name in without:
            continue
        found = rows(data, questions, SEED)
        mined = nearest_wrong(found, encode) if questions.mine else {}
        pairs += of_questions(found, questions, mined, SEED)
        pairs += of_statements(found, questions, mined, SEED)
        if questions.name == _TABLES:
            pairs += of_tables(rows(data, replace(questions, most=1_000_000), SEED), SEED)
        if questions.name in _PASSAGES_FROM:
            passages += [row["passage"] for row in found]
        print(questions.name, len(pairs), flush=True)
    for claims in CLAIMS:
        if claims.name not in without:
            found = rows(data, claims, SEED)
            pairs += of_claims(found, claims, SEED)
    pairs += of_passages(passages, encode, _MADE, SEED)
    pairs += of_passages(general_passages()[: 3 * _MADE_TECHNICAL], encode, _MADE_TECHNICAL, SEED)
    return pairs


def made_of_sentences(data: Path) -> list[Pair]:
    """Questions that are made by leaving a stretch of a sentence out."""
    passages: dict[str, None] = {}
    for questions in QUESTIONS:
        if (most := _CLOZE_PASSAGES.get(questions.name)) is not None:
            found = dict.fromkeys(row["passage"] for row in rows(data, replace(questions, most=1_000_000), SEED))
            passages |= dict.fromkeys([one for one in found if len(one.split()) >= _FEWEST_WORDS][:most])
    technical = [one for one in general_passages() if len(one.split()) >= _FEWEST_WORDS]
    passages |= dict.fromkeys(technical[:_CLOZE_TECHNICAL])
    return list(of_sentences(list(passages), nearest(encode(list(passages)), 4), SEED))


def encode(texts: Sequence[str]) -> Vectors:
    """Their vectors, [n, 384]."""
    encoder = load_encoder()
    return np.concatenate([encoder.encode(texts[at : at + 512]).vectors for at in range(0, len(texts), 512)])


if __name__ == "__main__":
    main()
