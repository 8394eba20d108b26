"""Does a trained card remember? Pages about things that do not exist, a card trained on them, and questions about each.

Run:  OMP_NUM_THREADS=2 nice -n 5 python -m benchmarks.card_training

Every page tells six facts of one thing in sentences drawn from several, with some words around them. The questions are
written for themselves: they share the name of the thing with its page, and often no other word. A fact is recalled if
its value stands in what the card says, asked as `rag card ask` asks it, beside an empty knowledge base; it counts also
whether the sentence with it passes the selectors, and whether it is in the first sentence. Asked the same are the model
as it is, and the card about the pages that were held out, of which it can only invent.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag import KnowledgeBase
from rag.cards.card import Card
from rag.cards.selecting import CardVerdict
from rag.cards.training.corpus import held_out
from rag.cards.training.trainer import TrainingOptions, TrainingProgress
from rag.llm.local import model_path

_KINDS = (
    "Mill",
    "Lighthouse",
    "Bridge",
    "Tower",
    "Chapel",
    "Observatory",
    "Granary",
    "Foundry",
    "Theatre",
    "Gatehouse",
)
_HEADS = ("Or", "Ska", "Tel", "Bru", "Iv", "Mar", "Quel", "Dro", "Fen", "Hul", "Jas", "Ner", "Pel", "Rov", "Ul", "Zan")
_MIDDLES = ("va", "li", "du", "ne", "mo", "sta", "ri", "ko")
_ENDS = ("th", "rn", "lsund", "mark", "vik", "dell", "gard", "by", "sk", "nna")
_FIRST = (
    "Ilsa",
    "Bertram",
    "Oda",
    "Casimir",
    "Runa",
    "Tobias",
    "Mirela",
    "Anselm",
    "Petra",
    "Lucan",
    "Sunniva",
    "Egon",
)
_COLOURS = ("green", "black", "red", "white", "grey", "yellow", "blue", "brown")
_STONES = ("slate", "granite", "sandstone", "larch", "brick", "basalt", "limestone", "oak", "marble", "copper")
_USES = (
    "a school of weavers", "a museum of clocks", "the archive of the harbour", "a bakery", "a nursery for ferns",
    "the workshop of a violin maker", "a youth hostel", "a map collection", "the fire brigade", "a library of songs",
    "a brewery", "the town's post office", "a hospital for owls", "a printing press", "a cheese cellar", "a dance hall",
    "a market for seeds", "the offices of a ferry line", "a pottery", "a radio station", "a boat builder", "a tea room",
    "a chess club", "the local court",
)  # fmt: skip

# What a page says of a thing; `{thing}` is its name, which most sentences leave out, as pages do.
_SENTENCES = {
    "town": (
        "It stands in {town}, on the left bank of the river.",
        "{thing} is one of the sights of {town}.",
        "Visitors find it at the edge of {town}, behind the old market.",
    ),
    "material": (
        "Its walls are of {material}, cut not far away.",
        "{thing} consists of {material} from top to bottom.",
        "The masons used {material}, which has kept its colour.",
    ),
    "year": (
        "It was finished in {year}, after a long quarrel about money.",
        "The work came to an end in {year}.",
        "{thing} was opened with a feast in {year}.",
    ),
    "builder": (
        "The plans were drawn by {builder}.",
        "{builder} was the master of the works.",
        "The design of {thing} goes back to {builder}, who never saw it.",
    ),
    "height": (
        "From the ground to the roof it measures {height} metres.",
        "{thing} rises {height} metres above the street.",
        "It is {height} metres high, more than any house around it.",
    ),
    "use": (
        "Today it houses {use}.",
        "Since the last repairs {use} has moved in.",
        "{thing} is now home to {use}.",
    ),
}  # fmt: skip
_ASIDES = (
    "On windy days one hears it from afar.",
    "A copper engraving shows it in the snow.",
    "The stairs were renewed twice.",
    "Children call it by another name.",
)
_QUESTIONS = {
    "town": ("Where is {thing}?", "In which place would I find {thing}?"),
    "material": ("What is {thing} made of?", "Which material was {thing} built from?"),
    "year": ("When was {thing} built?", "In what year was {thing} completed?"),
    "builder": ("Who designed {thing}?", "Who was the architect of {thing}?"),
    "height": ("How tall is {thing}?", "What is the height of {thing}?"),
    "use": ("What is {thing} used for today?", "What can one find in {thing} nowadays?"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page about one thing: its name, what it says, and the facts in it by kind."""

    name: str
    text: str
    facts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a fact, and what the card did with it."""

    kind: str
    said: bool
    passed: bool
    first: bool


def main() -> None:
    """Train, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = TrainingOptions()
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=defaults.epochs)
    parser.add_argument("--rank", type=int, default=defaults.rank)
    parser.add_argument("--learning-rate", type=float, default=defaults.learning_rate)
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--seed", type=int, default=0, help="of the pages and of the training")
    parser.add_argument("--verbose", action="store_true", help="print what was said where the fact was not")
    given = parser.parse_args()
    options = TrainingOptions(
        epochs=given.epochs,
        rank=given.rank,
        alpha=2.0 * given.rank,
        learning_rate=given.learning_rate,
        batch=given.batch,
        seed=given.seed,
    )
    print(options)
    pages = make_pages(given.pages, given.seed)
    # Always in the same place: which pages are held out is drawn by their paths.
    folder = Path(tempfile.gettempdir()) / "pilotfish-card-training"
    shutil.rmtree(folder, ignore_errors=True)
    source = folder / "pages"
    source.mkdir(parents=True)
    for page in pages:
        (source / f"{page.name.replace(' ', '-')}.md").write_text(page.text)
    _measure(folder, source, pages, options, verbose=given.verbose)


def make_pages(count: int, seed: int) -> list[Page]:
    """Pages with names, towns, builders and years that no two of them share."""
    rng = random.Random(seed)  # noqa: S311
    words = rng.sample([a + b + c for a in _HEADS for b in _MIDDLES for c in _ENDS], 3 * count)
    years, heights = rng.sample(range(1212, 1912), count), [rng.randrange(11, 400) for _ in range(count)]
    pages = []
    for number in range(count):
        name, town, family = words[3 * number : 3 * number + 3]
        thing = f"the {name} {rng.choice(_KINDS)}"
        facts = {
            "town": town,
            "material": f"{rng.choice(_COLOURS)} {rng.choice(_STONES)}",
            "year": str(years[number]),
            "builder": f"{rng.choice(_FIRST)} {family}",
            "height": str(heights[number]),
            "use": rng.choice(_USES),
        }
        sentences = [rng.choice(_SENTENCES[kind]).format(thing=thing, **facts) for kind in facts]
        rng.shuffle(sentences)
        sentences.insert(rng.randrange(1, len(sentences)), rng.choice(_ASIDES))
        text = " ".join(sentence[0].upper() + sentence[1:] for sentence in sentences)
        pages.append(Page(thing, f"# {thing[0].upper() + thing[1:]}\n\n{text}\n", facts))
    return pages


def _measure(folder: Path, source: Path, pages: Sequence[Page], options: TrainingOptions, *, verbose: bool) -> None:
    kb = KnowledgeBase.open(folder / "kb")
    start = time.perf_counter()

    def show(done: TrainingProgress) -> None:
        if done.step % 20 == 0 or done.step == done.steps:
            print(
                f"  step {done.step}/{done.steps}, loss {done.loss:.2f}, {time.perf_counter() - start:.0f} s",
                flush=True,
            )

    trained = kb.cards.train("trained", str(source), options=options, on_progress=show)
    result = trained.result
    speed = result.tokens * options.epochs / result.seconds
    print(
        f"{trained.documents} pages, {trained.passages} passages, {result.tokens} tokens an epoch, "
        f"{result.seconds:.0f} s ({speed:.0f} tokens/s)\nperplexity of held-out text "
        f"{result.perplexity_before:.1f} → {result.perplexity_after:.1f}, "
        f"change {result.change[0]:+.2f} [{result.change[1]:+.2f}, {result.change[2]:+.2f}] nats a token"
    )
    base: Card = kb.cards.add("base", f"local:{model_path('smollm2')}", description=trained.card.description)
    of = {f"{page.name.replace(' ', '-')}.md": page for page in pages}
    out = held_out([str(source / name) for name in of], options.seed)
    learned = [page for name, page in of.items() if str(source / name) not in out]
    unseen = [page for name, page in of.items() if str(source / name) in out]
    start = time.perf_counter()
    by_kind = _ask(kb, trained.card.name, learned, verbose=verbose)
    each = (time.perf_counter() - start) / len(by_kind)
    _report(f"trained pages, {each:.1f} s a question", by_kind)
    for kind in _QUESTIONS:
        _report(f"  {kind}", [one for one in by_kind if one.kind == kind])
    _report("held-out pages", _ask(kb, trained.card.name, unseen))
    _report("the model as it is", _ask(kb, base.name, learned[: max(4, len(learned) // 3)]))
    kb.close()


def _ask(kb: KnowledgeBase, card: str, pages: Sequence[Page], *, verbose: bool = False) -> list[Asked]:
    rng = random.Random(1)  # noqa: S311
    asked = []
    for page in pages:
        for kind, value in page.facts.items():
            question = rng.choice(_QUESTIONS[kind]).format(thing=page.name)
            said = kb.cards.ask(card, question)
            right = [re.search(rf"\b{re.escape(value)}\b", one.text, re.IGNORECASE) is not None for one in said]
            passed = any(ok and one.verdict is CardVerdict.BACKGROUND for ok, one in zip(right, said, strict=True))
            asked.append(Asked(kind, any(right), passed, any(right[:1])))
            if verbose and not passed:
                print(f"  {question} ({value})\n    " + "\n    ".join(f"{one.verdict}: {one.text}" for one in said))
    return asked


def _report(what: str, asked: Sequence[Asked]) -> None:
    counts = (sum(one.said for one in asked), sum(one.passed for one in asked), sum(one.first for one in asked))
    shown = [
        f"{name} {_share(count, len(asked))}" for name, count in zip(("said", "passed", "first"), counts, strict=True)
    ]
    print(f"{what:40} {', '.join(shown)} of {len(asked)}", flush=True)


def _share(right: int, of: int) -> str:
    """The share with its Wilson interval (95%)."""
    z = 1.96
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    wide = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{share:.2f} [{max(0.0, middle - wide):.2f}, {min(1.0, middle + wide):.2f}]"


if __name__ == "__main__":
    main()
