"""How well the support judge tells supported sentences from unsupported ones, beside ROUGE-2 recall and the cosine.

Run:  python benchmarks/citations.py collections/ [--without-encoder]

The data folder holds wice_dev, healthver_dev and begin_dev, each a data.jsonl with `response`, `context`, `label`.
Reported for each set: AUROC, and balanced accuracy at a threshold chosen on the other two; for the judge also at its
own threshold. Then how often it says that a passage contradicts a claim, and how often rightly (HealthVer tells which
are refuted); and what becomes of supported claims when a number or a name is changed, a "not" put in, two names
exchanged or a "before" made an "after". Then the calibration (slope, middle) that rag/verification/support.py carries,
fitted on all three sets, and the time that checking an answer takes.

Measured with the default encoder (AUROC / balanced accuracy at the threshold of the other two):

    set        judge        ROUGE-2 recall  cosine
    WiCE       .827 / .752  .715 / .610     .547 / .516
    HealthVer  .677 / .565  .526 / .505     .677 / .571
    BEGIN      .940 / .824  .920 / .821     .790 / .699

Only the thresholds are left out: the form of the score and its constants were chosen with a coarse grid over all three
sets. Chosen on WiCE and BEGIN alone, the cosine would have no weight, and HealthVer come to .661, below its baseline.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import auroc, command_line, read_json_lines
from indexes.encoding.loading import load_encoder
from rag.judging.fitting import fit_logistic
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.words import negations, words
from rag.verification.support import SupportJudge

_SETS = ("wice_dev", "healthver_dev", "begin_dev")
_STEPS = 200
_SOURCE_LENGTH = 900  # characters: a chunk of 200 word pieces

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """One data set: the labels, and each method's scores of the same pairs."""

    labels: Flags
    scores: Mapping[str, Floats]
    holds: Flags
    contradicts: Flags
    refuted: Flags
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
        _report_contradictions(name, one)
    slope, middle = _calibrate(list(scored.values()))
    print(f"calibration: slope {slope:.2f}, middle {middle:.3f}")
    if encoder is not None:
        _report_speed(arguments.data / "wice_dev" / "data.jsonl", encoder)


def _score(path: Path, encoder: SentenceEncoder | None) -> Scored:
    rows = read_json_lines(path)
    rows = [row for row in rows if row["response"].strip() and row["context"].strip()]
    pairs = [(row["response"].strip(), row["context"]) for row in rows]
    judge = SupportJudge(encoder)
    support = [judge.judge(claim, passage) for claim, passage in pairs]
    scores = {
        "judge": np.array([one.score for one in support]),
        "ROUGE-2 recall": np.array([rouge2(claim, passage) for claim, passage in pairs]),
    }
    if encoder is not None:
        scores["cosine"] = _cosines(pairs, encoder)
    labels = np.array([row["label"] == 1 for row in rows])
    return Scored(
        labels,
        scores,
        holds=np.array([one.holds for one in support]),
        contradicts=np.array([one.contradicts for one in support]),
        refuted=np.array([row.get("label_raw") == "Refutes" for row in rows]),
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
        found[f"{name} changed: contradicts"] = np.array([one.contradicts for one in support])
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
            line = f"{method:15} {name:14} n={len(one.labels):5} AUROC {area:.3f}"
            line += f"  balanced accuracy {balanced:.3f}"
            print(line + (f"  at its own threshold {_balanced(one.labels, one.holds):.3f}" * (method == "judge")))


def _report_contradictions(name: str, one: Scored) -> None:
    flagged = one.contradicts
    line = f"{name:14} contradicted {flagged.sum():4}, of these supported {one.labels[flagged].mean():.3f}"
    line += f" (of all {one.labels.mean():.3f})"
    if one.refuted.any():
        line += f"; refuted: precision {one.refuted[flagged].mean():.3f}, recall {flagged[one.refuted].mean():.3f}"
        line += f", of all {one.refuted.mean():.3f}"
    print(line)
    for what, flags in one.changed.items():
        print(f"{name:14} {what}: {flags.mean():.3f} of {len(flags)}" if len(flags) else f"{name:14} {what}: none")


def _report_speed(path: Path, encoder: SentenceEncoder, claims: int = 10, sources: int = 8, rounds: int = 9) -> None:
    """How long it takes to judge the sentences of an answer against its sources, none of them seen before."""
    rows = read_json_lines(path)
    seconds = []
    for turn in range(rounds):
        own = rows[turn * claims : (turn + 1) * claims]
        answer = [row["response"] for row in own]
        passages = [row["context"][:_SOURCE_LENGTH] for row in own[:sources]]
        start = time.perf_counter()
        judge = SupportJudge(encoder)
        judge.prepare(answer, [(passage, "") for passage in passages])
        for claim in answer:
            for passage in passages:
                judge.judge(claim, passage)
        seconds.append(time.perf_counter() - start)
    what = f"{claims} sentences against {sources} sources of {_SOURCE_LENGTH} characters"
    print(f"{what}: median {np.median(seconds) * 1_000:.0f} ms, least {min(seconds) * 1_000:.0f} ms")


def _calibrate(sets: Sequence[Scored]) -> tuple[float, float]:
    """Logistic regression of the label on the judge's score; sets and classes weigh the same."""
    score = np.concatenate([one.scores["judge"] for one in sets])
    label = np.concatenate([one.labels for one in sets]).astype(float)
    shares = [np.where(one.labels, 1 / one.labels.sum(), 1 / (~one.labels).sum()) for one in sets]
    weight = np.concatenate(shares)
    features = np.stack([np.ones_like(score), score], axis=1)
    beta = fit_logistic(features, label, np.zeros(2), np.zeros(2), weight)
    if not math.isfinite(beta[1]) or beta[1] <= 0:
        raise SystemExit("the score does not separate the classes: no calibration")
    return float(beta[1]), float(-beta[0] / beta[1])


if __name__ == "__main__":
    main()
