"""The support judge: does a passage support the claim of a sentence? Signals → log-odds → probability → policy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

from indexes.encoding.late import unpack
from indexes.terms.quantities import quantities, restated, without_list_mark
from rag.judging.logistic import LogisticModel
from rag.judging.odds import log_odds_of, probability
from rag.judging.policy import Policy
from rag.text.comments import without_comment_signs
from rag.text.sentence_encoder import SentenceEncoder
from rag.text.tables import TableRow, sentences_and_rows
from rag.text.words import negations, numbers, terms
from rag.verification.alignment import (
    Claim,
    Floats,
    Passage,
    alignment,
    covered,
    piece_weights,
    with_pairs,
)
from rag.verification.claims import Assertion, assertion, counted, numbered_names
from rag.verification.polarity import agree, differ
from rag.verification.proper_names import known
from rag.verification.substitution import replaced

MODEL_FILE = Path(__file__).with_name("support.json")
_MODELS = {name: LogisticModel.read(MODEL_FILE, name) for name in ("tokens", "vectors", "words")}
"""What the signals make of a claim, by what its words were aligned with."""

# Both errors cost the same: an invention passed, a fact marked as invented.
_SUPPORTED = Policy(wrong=1, missed=1)
_INVENTED = -0.2  # log-odds at most of a claim with a number or an identifier that the passage has nowhere
_NOTHING = -50.0  # log-odds of a claim beside a passage without sentences
_DENIED_LEFT = 0.85  # what is left of the alignment with a sentence that denies what the claim asserts
_QUOTED = 0.99  # the probability that a claim is supported which stands there word for word
_FEWEST_QUOTED = 4  # words of it
_DEFINITION = re.compile(r"`([^`]*\([^`]*|(?:\w+ )+\w+)`(?:: (.+))?", re.DOTALL)  # as `extractive` quotes one
_BESIDE = 80  # characters between a signature and what is said of it
_COLUMN_WORD = re.compile(r"[^\W\d_]+|[€$£¥%]")
_LEFT_OUT = "… "  # what a quotation shows in the place of what it leaves out
_SAME_WORDS = 0.6  # of a claim, or of its rest: where a sentence has another name, a number or a "not" in their place


Evidence: TypeAlias = tuple[str, str, str]
"""A passage, what stands above it (title, headings, table header), and the kind of its document."""


@dataclass(frozen=True, slots=True)
class Support:
    """How far a passage supports a claim; `passage[start:end]` is its best evidence, one sentence or two.

    `other_number` tells that the evidence has most of the claim's words, and the passage another number than the claim.
    """

    log_odds: float
    start: int
    end: int
    other_number: bool = False

    @property
    def probability(self) -> float:
        """That the passage supports the claim."""
        return probability(self.log_odds)

    @property
    def holds(self) -> bool:
        """The policy: whether the claim counts as supported."""
        return _SUPPORTED.accepts(self.probability)


class SupportJudge:
    """Judges claims against passages, and caches its work on each.

    Few signals make a probability (`scripts/fit_support.py`): how well the claim's words align with the best one or two
    sentences of the passage, and exact forms: a number, a name or a piece of code that is nowhere in the passage is
    invented, whatever else agrees. It reads words, not logic: who did what to whom it cannot tell.

    Args:
        encoder: its vectors align words; without one the words themselves are compared.

    Example:
        >>> judge = SupportJudge()
        >>> judge.judge("Refunds take 14 days.", "Please wait. A refund takes 14 days.").holds
        True
        >>> judge.judge("Refunds take 30 days.", "Please wait. A refund takes 14 days.").holds
        False
    """

    def __init__(self, encoder: SentenceEncoder | None = None) -> None:
        self._encoder = encoder
        self._claims: dict[str, Claim] = {}
        self._passages: dict[Evidence, Passage] = {}
        self._pieces: dict[Evidence, list[tuple[int, int, TableRow | None]]] = {}
        self._encoded: dict[str, tuple[Floats, Floats | None]] = {}

    def prepare(self, claims: Iterable[str], passages: Iterable[Evidence]) -> None:
        """Encode many claims and passages at once: judging them is then quick."""
        pieces = [(passage[0], piece) for passage in dict.fromkeys(passages) for piece in self._said(passage)]
        self._encode([*claims, *(_unwrapped(_text(passage, piece)) for passage, piece in pieces)])

    def judge(self, claim: str, passage: str, context: str = "", kind: str = "") -> Support:
        """How far `passage` supports `claim`; `context` (title, headings, table header) may supply words to it.

        The `kind` of its document tells what in it is a table: a row is read with its columns. What stands in the
        passage word for word is supported, whatever it looks like: code, say, or a row.
        """
        quoted = _verbatim(claim, passage) or _defined(claim, passage) or self._row(claim, (passage, context, kind))
        if quoted is not None:
            return Support(log_odds_of(_QUOTED), *quoted)
        ready = self._passage((passage, context, kind))
        if not ready.windows:
            return Support(_NOTHING, 0, 0)
        said = self._claim(restated(without_list_mark(claim), passage))
        by, best, signals = self._signals(said, ready)
        odds = _MODELS[by].log_odds(signals)
        if (
            signals["number"]
            or signals["name"]
            or signals["replaced name"]
            or not all(_stands(word, ready.folded) for word in said.asserts.code)
            or _denies_alone(said.asserts, ready)
            or _is_denied(said, ready, best)
        ):
            odds = min(odds, _INVENTED)
        other = bool(signals["number"]) and _has_most_words(said, ready, best)
        return Support(odds, *ready.windows[best], other_number=other)

    def signals(self, pairs: Sequence[tuple[str, str]]) -> list[dict[str, float]]:
        """What is known of each claim and passage: numbers by name, none where the passage has no sentence."""
        self.prepare([claim for claim, _ in pairs], [(passage, "", "") for _, passage in pairs])
        found = []
        for claim, passage in pairs:
            ready = self._passage((passage, "", ""))
            said = self._claim(restated(without_list_mark(claim), passage))
            found.append(self._signals(said, ready)[-1] if ready.windows else {})
        return found

    def _signals(self, said: Claim, ready: Passage) -> tuple[str, int, dict[str, float]]:
        """By what the claim's words were aligned, the window that they align with best, and the signals."""
        by, aligned = alignment(said, ready)
        # A sentence that denies a word that the claim asserts, or asserts one that the claim denies, counts for less.
        denying = [differ(said.asserts.polarity, its.polarity) for its in ready.sentences]
        aligned = aligned * np.where(with_pairs(np.array(denying, dtype=np.float32)) > 0, _DENIED_LEFT, 1.0)
        best = int(aligned.argmax())
        name, word = replaced(said, ready)
        found = {
            "aligned": float(aligned[best]),
            "number": float(said.asserts.exact.missing_from(ready.exact) or _renumbered(said.asserts, ready)),
            "name": float(_names_another(said.asserts, ready, best)),
            "replaced name": float(name),
            "replaced word": float(word),
        }
        return by, best, found

    def _claim(self, claim: str) -> Claim:
        if claim not in self._claims:
            vector, tokens = self._encode([claim])[0] if self._encoder else (None, None)
            spans: Sequence[tuple[int, int]] = ()
            if self._encoder is not None and tokens is not None:
                spans = self._encoder.spans(claim)[: len(tokens)]
            self._claims[claim] = Claim(assertion(claim), vector, tokens, spans, piece_weights(claim, spans))
        return self._claims[claim]

    def _passage(self, evidence: Evidence) -> Passage:
        if evidence not in self._passages:
            self._passages[evidence] = self._prepared(evidence)
        return self._passages[evidence]

    def _prepared(self, evidence: Evidence) -> Passage:
        passage, context, _ = evidence
        said = self._said(evidence)
        spans = [(start, end) for start, end, _ in said]
        pairs = [(start, end) for (start, _), (_, end) in pairwise(spans)]
        texts = [_text(passage, piece) for piece in said]
        encoded = self._encode(list(map(_unwrapped, texts)))
        tokens = [each for _, each in encoded if each is not None]
        whole = f"{context}\n{passage}"
        counts = [len(each) for each in tokens]
        sentences = list(map(assertion, texts))
        return Passage(
            windows=spans + pairs,
            sentences=sentences,
            vectors=np.stack([vector for vector, _ in encoded]) if encoded else None,
            tokens=np.concatenate(tokens) if tokens and len(tokens) == len(texts) else None,
            starts=np.cumsum([0, *counts[:-1]]),
            around=frozenset(terms(context)) if context else frozenset(),
            known=known(whole),
            folded=whole.casefold(),
            exact=quantities(f"{whole}\n{_with_units(said)}", spelled=True),
            numbers=numbers(whole, spelled=True),
            numbered=numbered_names(whole),
            counted=counted(whole, digits=True),
            denies=bool(negations(whole)) or any(sentence.polarity.unclear for sentence in sentences),
        )

    def _row(self, claim: str, evidence: Evidence) -> tuple[int, int] | None:
        """Where the row of a table stands that a claim reads out."""
        rows = (row for *_, row in self._said(evidence) if row is not None and row.cells)
        return next(((row.start, row.end) for row in rows if row.says(_unwrapped(claim))), None)

    def _said(self, evidence: Evidence) -> list[tuple[int, int, TableRow | None]]:
        """The sentences and rows of a passage."""
        if evidence not in self._pieces:
            self._pieces[evidence] = sentences_and_rows(*evidence)
        return self._pieces[evidence]

    def _encode(self, texts: Sequence[str]) -> list[tuple[Floats, Floats | None]]:
        """The vector of each text and those of its word pieces, where the encoder gives any; nothing without one."""
        if self._encoder is None:
            return []
        new = [text for text in dict.fromkeys(texts) if text not in self._encoded]
        if new:
            encoded = self._encoder.encode(new)
            for text, vector, codes in zip(new, encoded.vectors, encoded.tokens, strict=True):
                self._encoded[text] = (vector, unpack(codes) if codes else None)
        return [self._encoded[text] for text in texts]


def _text(passage: str, piece: tuple[int, int, TableRow | None]) -> str:
    """What a sentence says, or a row with its columns."""
    start, end, row = piece
    return "; ".join(row.said) if row is not None and row.cells else passage[start:end]


def _with_units(pieces: Iterable[tuple[int, int, TableRow | None]]) -> str:
    """The cells of tables, each before every word of its column, one of which may be its unit: "29.90 euros"."""
    cells = [cell for *_, row in pieces if row is not None for cell in row.cells]
    return "\n".join(f"{value} {word}" for column, value in cells for word in _COLUMN_WORD.findall(column))


def _unwrapped(sentence: str) -> str:
    """The sentence as the answer would have it: where it was wrapped tells nothing, and it may be encoded already."""
    return " ".join(sentence.split())


def _verbatim(claim: str, passage: str) -> tuple[int, int] | None:
    """Where `claim` stands in `passage`, but for white space; None for less than a few words, which prove little."""
    pieces = claim.strip(_LEFT_OUT).split()
    # Most claims do not stand there, and a pattern takes longer to make than to look for.
    if len(pieces) < _FEWEST_QUOTED or " ".join(pieces) not in " ".join(passage.split()):
        return None
    found = _found(claim, passage)
    return None if found is None else found.span()


def _found(words: str, text: str) -> re.Match[str] | None:
    """Where words stand, however they are wrapped."""
    return re.search(r"\s+".join(map(re.escape, words.strip(_LEFT_OUT).split())), text)


def _defined(claim: str, passage: str) -> tuple[int, int] | None:
    """Where a definition stands that is quoted by its signature and the beginning of what is said of it beside that."""
    found = _DEFINITION.fullmatch(claim.strip())
    if found is None:
        return None
    plain = without_comment_signs(passage)
    signature, said = (_found(part, plain) if part else None for part in found.groups())
    if signature is None or (found[2] and said is None):
        return None
    if said is not None and min(abs(said.start() - signature.end()), abs(signature.start() - said.end())) > _BESIDE:
        return None
    return min(one.start() for one in (signature, said) if one), max(one.end() for one in (signature, said) if one)


def _stands(word: str, text: str) -> bool:
    """Whether a word of code stands in the text by itself: `foo` does not in `foo-extra`."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _names_another(claim: Assertion, passage: Passage, window: int) -> bool:
    """Whether the claim has a name that the passage has nowhere.

    What has an acronym or a number in its name may be called by another, and a plain word may begin the claim: these
    count only where the window has yet another name in nearly the same words.
    """
    missing = [name for name in claim.names if not passage.known.has(name)]
    if not all(name.is_loose for name in missing):
        return True
    if claim.subject is not None and not passage.known.has(claim.subject):
        missing.append(claim.subject)
    if not missing:
        return False
    rest = claim.terms.difference(*(name.stems for name in missing))
    sentences = passage.within(window)
    if len(rest.intersection(frozenset().union(*(one.terms for one in sentences)))) < _SAME_WORDS * len(rest):
        return False
    mine = known(claim.text)
    others = [name for one in sentences for name in (*one.names, one.subject) if name and not mine.has(name)]
    return any(name.is_loose or not other.is_code for other in others for name in missing)


def _denies_alone(claim: Assertion, passage: Passage) -> bool:
    """Whether the claim denies something, and the passage nothing."""
    if not claim.polarity.turned or claim.polarity.unclear or passage.denies:
        return False
    return not any(agree(claim.polarity, sentence.polarity) for sentence in passage.sentences)


def _is_denied(claim: Claim, passage: Passage, window: int) -> bool:
    """Whether a sentence of the window denies what the claim says in nearly its words, or says what it denies."""
    differing = any(differ(claim.asserts.polarity, sentence.polarity) for sentence in passage.within(window))
    return differing and _has_most_words(claim, passage, window)


def _has_most_words(claim: Claim, passage: Passage, window: int) -> bool:
    return bool(covered(claim, passage)[window] >= _SAME_WORDS)


def _renumbered(claim: Assertion, passage: Passage) -> bool:
    """Whether the passage has a name, or a thing counted, with other numbers only: the F-16, and not the F-18."""
    if any(not several & passage.numbered.get(name, several) for name, several in claim.numbered.items()):
        return True
    return any(
        name in passage.counted and not several & (passage.numbers | passage.counted[name])
        for name, several in claim.counted.items()
    )
