"""How well the support judge tells supported sentences from unsupported ones, beside words, their pairs and the cosine.

Run:  python benchmarks/citations.py collections/ [--without-encoder]

The data folder holds wice_dev, healthver_dev and begin_dev, each a data.jsonl with `response`, `context`, `label`.
Reported for each set: AUROC, and balanced accuracy at a threshold chosen on the other two; for the judge also at its
own threshold. Then what becomes of supported claims when a number or a name is changed, a "not" put in, two names
exchanged or a "before" made an "after". Then what passes of sentences of xquad_en and of documentation that were said
otherwise, or changed by rule; and the time that checking an answer takes. Nothing was trained or chosen on these sets.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import auroc, auroc_interval, command_line, read_json_lines
from connectors.sentences import sentence_spans
from indexes.encoding.loading import load_encoder
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.words import negations, terms, words
from rag.verification.support import SupportJudge
from scripts.build_encoder import general_passages
from scripts.reader.made import denied, renamed, renumbered, respelled, restatements, reworded

_SETS = ("wice_dev", "healthver_dev", "begin_dev")
_STEPS = 200
_SOURCE_LENGTH = 900  # characters: a chunk of 200 word pieces

_LEAST = 6  # spaces in a sentence that claims are made of
_TECHNICAL = 300  # passages of documentation, which have identifiers

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """One data set: the labels, and each method's scores of the same pairs."""

    labels: Flags
    scores: Mapping[str, Floats]
    holds: Flags
    changed: Mapping[str, Flags]


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--without-encoder", action="store_true")
    arguments = parser.parse_args()
    encoder = None if arguments.without_encoder else load_encoder()
    scored = {name: _score(arguments.data / name / "data.jsonl", encoder) for name in _SETS}
    _report(scored)
    for name, one in scored.items():
        _report_changed(name, one)
    paragraphs = [row["text"] for row in read_json_lines(arguments.data / "xquad_en" / "corpus.jsonl")]
    _report_made(SupportJudge(encoder), [*paragraphs, *general_passages()[-_TECHNICAL:]])
    if encoder is not None:
        _report_speed(arguments.data / "wice_dev" / "data.jsonl", encoder)


def _score(path: Path, encoder: SentenceEncoder | None) -> Scored:
    rows = read_json_lines(path)
    rows = [row for row in rows if row["response"].strip() and row["context"].strip()]
    pairs = [(row["response"].strip(), row["context"]) for row in rows]
    judge = SupportJudge(encoder)
    judge.signals(pairs)  # encodes all at once
    support = [judge.judge(claim, passage) for claim, passage in pairs]
    scores = {
        "judge": np.array([one.log_odds for one in support]),
        "words found": idf_recall(pairs),
        "ROUGE-2 recall": np.array([rouge2(claim, passage) for claim, passage in pairs]),
    }
    if encoder is not None:
        scores["cosine"] = _cosines(pairs, encoder)
    labels = np.array([row["label"] == 1 for row in rows])
    return Scored(
        labels,
        scores,
        holds=np.array([one.holds for one in support]),
        changed=_changed(
            judge, [pair for pair, one, true in zip(pairs, support, labels, strict=True) if true and one.holds]
        ),
    )


def _changed(judge: SupportJudge, believed: Sequence[tuple[str, str]]) -> Mapping[str, Flags]:
    """Of claims that are supported, and found so: what becomes of them when something in them is changed."""
    found: dict[str, Flags] = {}
    strangers = [name for claim, passage in believed for name in _names_of(claim, passage)]
    changes = {
        "number": [(_other_number(claim), passage) for claim, passage in believed],
        "denial": [(_denied(claim), passage) for claim, passage in believed],
        "name": [(_renamed(claim, passage, strangers), passage) for claim, passage in believed],
        "two names": [(_exchanged(claim, passage), passage) for claim, passage in believed],
        "order": [(_reordered(claim), passage) for claim, passage in believed],
    }
    for name, several in changes.items():
        support = [judge.judge(changed, passage) for changed, passage in several if changed is not None]
        found[f"{name} changed: no longer supported"] = np.array([not one.holds for one in support])
    return found


def _names_of(claim: str, passage: str) -> list[str]:
    """Words of the claim that the passage has with a capital inside a sentence, and nowhere in small letters."""
    inside = set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b", passage))
    small = set(re.findall(r"\b[a-z]+\b", passage))
    capitals = dict.fromkeys(re.findall(r"\b[A-Z][a-z]{2,}\b", claim))
    return [word for word in capitals if word in inside and word.lower() not in small]


def _other_number(claim: str) -> str | None:
    changed = re.sub(r"(?<![\w.,-])\d+(?![\w.,-]*\w)", lambda match: str(int(match.group()) + 3), claim, count=1)
    return None if changed == claim else changed


def _denied(claim: str) -> str | None:
    if negations(claim):
        return None
    changed = re.sub(r"\b(is|are|was|were|can|will|has|have|had)\b", r"\1 not", claim, count=1)
    return None if changed == claim else changed


def _renamed(claim: str, passage: str, strangers: Sequence[str]) -> str | None:
    """The claim with its first name replaced by one that the passage has nowhere, of another claim."""
    names = _names_of(claim, passage)
    if not names:
        return None
    known = passage.casefold() + claim.casefold()
    others = [stranger for stranger in strangers if stranger.casefold() not in known]
    return re.sub(rf"\b{names[0]}\b", others[len(claim) % len(others)], claim) if others else None


def _exchanged(claim: str, passage: str) -> str | None:
    """The claim with its first and its last name in each other's place."""
    names = _names_of(claim, passage)
    if len(names) <= 1 or "and" in claim.split():
        return None
    change = {names[0]: names[-1], names[-1]: names[0]}
    return re.sub(rf"\b(?:{names[0]}|{names[-1]})\b", lambda match: change[match.group()], claim)


def _reordered(claim: str) -> str | None:
    pairs = [("before", "after"), ("first", "last"), ("earlier", "later"), ("since", "until")]
    change = {**dict(pairs), **{later: earlier for earlier, later in pairs}}
    changed = re.sub(rf"\b(?:{'|'.join(change)})\b", lambda match: change[match.group()], claim, count=1)
    return None if changed == claim else changed


def rouge2(claim: str, passage: str) -> float:
    """The share of the claim's word pairs that occur in the passage."""
    wanted, found = Counter(pairwise(words(claim))), Counter(pairwise(words(passage)))
    return (wanted & found).total() / max(1, wanted.total())


def idf_recall(pairs: Sequence[tuple[str, str]]) -> Floats:
    """The share of the claim's words in the passage, each counting for its idf among the passages."""
    passages = [frozenset(terms(passage)) for _, passage in pairs]
    frequency = Counter(term for passage in passages for term in passage)
    idf = {term: math.log(1 + len(passages) / count) for term, count in frequency.items()}
    most = math.log(1 + len(passages))
    found = []
    for (claim, _), passage in zip(pairs, passages, strict=True):
        own = frozenset(terms(claim))
        whole = sum(idf.get(term, most) for term in own)
        found.append(sum(idf[term] for term in own & passage) / max(whole, 1e-9))
    return np.array(found)


def _cosines(pairs: Sequence[tuple[str, str]], encoder: SentenceEncoder) -> Floats:
    """The cosine of the claim and the passage, each as one text (as far as the encoder's window reaches)."""
    claims, passages = (encoder.encode(texts).vectors for texts in zip(*pairs, strict=True))
    cosines: Floats = np.einsum("nd,nd->n", claims, passages).astype(np.float64)
    return cosines


def _balanced(labels: Flags, predicted: Flags) -> float:
    return float((predicted[labels].mean() + (~predicted[~labels]).mean()) / 2)


def _threshold(others: Sequence[tuple[Flags, Floats]]) -> float:
    candidates = np.quantile(np.concatenate([scores for _, scores in others]), np.linspace(0, 1, _STEPS))
    return float(max(candidates, key=lambda t: sum(_balanced(labels, scores >= t) for labels, scores in others)))


def _report(scored: Mapping[str, Scored]) -> None:
    for method in next(iter(scored.values())).scores:
        for name, one in scored.items():
            others = [(scored[key].labels, scored[key].scores[method]) for key in _SETS if key != name]
            balanced = _balanced(one.labels, one.scores[method] >= _threshold(others))
            scores = one.scores[method]
            area = auroc(scores[one.labels], scores[~one.labels])
            low, high = auroc_interval(scores[one.labels], scores[~one.labels])
            line = f"{method:15} {name:14} n={len(one.labels):5} AUROC {area:.3f} [{low:.3f}, {high:.3f}]"
            line += f"  balanced accuracy {balanced:.3f}"
            print(line + (f"  at its own threshold {_balanced(one.labels, one.holds):.3f}" * (method == "judge")))


def _report_changed(name: str, one: Scored) -> None:
    for what, flags in one.changed.items():
        print(f"{name:14} {what}: {flags.mean():.3f} of {len(flags)}" if len(flags) else f"{name:14} {what}: none")


def _report_speed(path: Path, encoder: SentenceEncoder) -> None:
    """How long it takes to judge the sentences of an answer against its sources, none of them seen before."""
    claims, sources, rounds = 10, 8, 9
    rows = read_json_lines(path)
    seconds = []
    for turn in range(rounds):
        own = rows[turn * claims : (turn + 1) * claims]
        answer = [row["response"] for row in own]
        passages = [row["context"][:_SOURCE_LENGTH] for row in own[:sources]]
        start = time.perf_counter()
        judge = SupportJudge(encoder)
        judge.prepare(answer, [(passage, "", "") for passage in passages])
        for claim in answer:
            for passage in passages:
                judge.judge(claim, passage)
        seconds.append(time.perf_counter() - start)
    what = f"{claims} sentences against {sources} sources of {_SOURCE_LENGTH} characters"
    print(f"{what}: median {np.median(seconds) * 1_000:.0f} ms, least {min(seconds) * 1_000:.0f} ms")


def _report_made(judge: SupportJudge, passages: Sequence[str]) -> None:
    """What becomes of a sentence of each passage, said otherwise, and with something in it changed by rule."""
    chance = random.Random(0)  # noqa: S311 — reproducible, not secret
    words = sorted({word for passage in passages for word in re.findall(r"\b[a-z]{4,12}\b", passage)})
    odds: dict[str, list[float]] = defaultdict(list)
    for passage in passages:
        spans = sentence_spans(passage)
        fit = [
            text for text in (" ".join(passage[start:end].split()) for start, end in spans) if text.count(" ") > _LEAST
        ]
        if not fit:
            continue
        sentence = chance.choice(fit)
        claims = {
            "true": chance.choice(restatements(sentence, chance)),
            "another name of the passage": renamed(sentence, passage, chance),
            "another content word": reworded(sentence, passage, words, chance),
            "another number": renumbered(sentence, passage, chance),
            "a not more or less": denied(sentence),
            "an identifier that is not there": respelled(sentence, passage, chance),
        }
        for what, claim in claims.items():
            if claim and claim not in passage:
                odds[what].append(judge.judge(claim, passage).log_odds)
    least = float(np.quantile(odds["true"], 0.1))
    for what, several in odds.items():
        values = np.array(several)
        print(f"{what:32} of {len(values):4}: passes {(values >= 0).mean():.3f}, where .90 of the true do ", end="")
        print(f"{(values >= least).mean():.3f}")


if __name__ == "__main__":
    main()
