"""The sets that the reader learns from: their licences, and how many rows of each are used at most."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """A set of questions with passages.

    Attributes:
        name: of its file, less `.jsonl.gz`.
        licence: as its source states it.
        most: how many rows are used at most.
        mine: whether passages that do not answer are looked for among those of the other questions. False where the
            set brings its own, or where any passage might answer.
        spans: whether the spans are exact enough to learn from.
        times: how often each row is seen.
        negatives: how many passages that do not answer stand beside a question, the first time that it is seen.
        embed: whether the passage is a sentence, to be put among others half of the time.
        statements: of how many rows at most claims are made.
    """

    name: str
    licence: str
    most: int
    mine: bool = True
    spans: bool = True
    times: int = 1
    negatives: int = 1
    embed: bool = False
    statements: int = 0


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """A set of claims with evidence.

    `most` rows are used at most; `lengthen` puts evidence among other sentences half of the time.
    """

    name: str
    licence: str
    most: int
    lengthen: bool = False


QUESTIONS = (
    QuestionSet("squad_train_sample", "CC BY-SA 4.0", 4_000, times=2, statements=2_500),
    QuestionSet("nq_qed_train", "CC BY-SA 3.0", 7_000, statements=3_000),
    QuestionSet("covidqa", "Apache-2.0", 1_200, mine=False, statements=400),
    QuestionSet("boolq_val", "CC BY-SA 3.0", 2_000),
    QuestionSet("condaqa_dev", "Apache-2.0", 400, mine=False),
    QuestionSet("fairytaleqa_train", "Apache-2.0", 800, mine=False),
    QuestionSet("narrativeqa_sample", "Apache-2.0", 200, mine=False),
    QuestionSet("pubmedqa_train", "MIT", 250),
    QuestionSet("medquad", "CC BY 4.0", 1_200, mine=False),
    QuestionSet("policyqa_dev", "MIT", 600, mine=False, spans=False),
    QuestionSet("dstc9_faq", "Apache-2.0", 2_000, mine=False),
    QuestionSet("qamr_dev", "MIT", 6_000, embed=True, statements=4_000),
    QuestionSet("qasrl_dense_dev", "MIT", 1_000, mine=False),
    QuestionSet("wikitablequestions_train", "CC BY-SA 4.0", 600, mine=False),
)
CLAIMS = (
    ClaimSet("cad_nli_train", "Apache-2.0, CC BY-SA 4.0", 6_000, lengthen=True),
    ClaimSet("checkcovid_train", "MIT", 1_700),
    ClaimSet("citint_train", "MIT", 1_000),
    ClaimSet("conjnli_train", "MIT", 1_000, lengthen=True),
    ClaimSet("expertqa_attr", "MIT", 900),
    ClaimSet("fever_course", "CC BY-SA 3.0", 4_000, lengthen=True),
    ClaimSet("fever_symmetric_dev", "MIT", 700, lengthen=True),
    ClaimSet("feverous_s_dev", "MIT, CC BY-SA 3.0", 2_000),
    ClaimSet("folio_train", "CC BY-SA 4.0", 400),
    ClaimSet("hans_perturbed", "MIT", 400, lengthen=True),
    ClaimSet("help_mono", "CC BY-SA 4.0", 400),
    ClaimSet("negation_nli", "MIT, Apache-2.0", 1_500, lengthen=True),
    ClaimSet("q2_wow", "Apache-2.0", 1_100, lengthen=True),
)
LEFT_OUT = {
    "anli_sample": "CC BY-NC 4.0",
    "averitec_dev": "CC BY-NC 4.0",
    "control_dev": "CC BY-NC-SA 4.0",
    "mlquestions_dev": "non-commercial",
    "topiocqa_train_turns": "CC BY-NC-SA 4.0",
    "sick_train": "CC BY-NC-SA 3.0",
    "nope_main": "CC BY-NC 4.0",
    "cb_train": "research use",
    "rte_train": "research use",
    "multirc_train": "research use",
    "mctest_statements": "research use",
    "wikiqa": "research use",
    "trecqa": "research use",
    "nfcorpus": "academic use",
    "subjqa_train": "that of the reviews",
    "conditionalqa_train": "none stated",
    "ester_train": "none stated",
    "mediqa_qa_train": "none stated",
    "monli_train": "none stated",
    "nli4ct_train": "none stated",
    "dnc_dev": "differs by part",
}
"""Sets at hand that the weights learn nothing from, and why: their terms."""


def rows(folder: Path, one: QuestionSet | ClaimSet, seed: int) -> list[dict[str, Any]]:
    """At most `one.most` rows of a set, in an order that depends on `seed` alone."""
    with gzip.open(folder / f"{one.name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    random.Random(f"{seed} {one.name}").shuffle(found)
    return _with_spans_first(found, one)[: one.most]


def _with_spans_first(found: Sequence[dict[str, Any]], one: QuestionSet | ClaimSet) -> list[dict[str, Any]]:
    """Of tables and tales only the questions whose answer stands there; a sentence need not be one for half of them."""
    if one.name in {"wikitablequestions_train", "fairytaleqa_train", "narrativeqa_sample"}:
        return [row for row in found if row["spans"]]
    return list(found)
