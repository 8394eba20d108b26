"""Train a small expert on a folder of text, and let it help to answer.

    pip install 'pilotfish[local,models]'
    rag models pull smollm2
    python examples/card/expert.py notes/ "Who built the mill?"

The first run trains, which takes minutes for some pages; a run that is cut off goes on where it was. The next ones only
ask.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from rag import Answer, AskOptions, KnowledgeBase
from rag.cards import CardStatement, CardUse, TrainingOptions, TrainingProgress

NAME = "expert"


def main() -> None:
    """Show what becomes of each sentence that the card says, and the answer."""
    folder, question = sys.argv[1:3]
    os.environ["TQDM_DISABLE"] = "1"  # the bars of a library that reads the model
    said, answer = ask(Path(".rag-card"), folder, question)
    for one in said:
        print(f"{one.verdict:12} {one.text}")
    print(f"\n{answer.text}")


def ask(
    home: Path, folder: str, question: str, options: TrainingOptions | None = None
) -> tuple[list[CardStatement], Answer]:
    """Index `folder`, train a card on it unless there is one, and ask the card alone and then both together."""
    with closing(KnowledgeBase.open(home)) as kb:
        kb.index(folder)
        if NAME not in [shelved.card.name for shelved in kb.cards.all()]:
            result = kb.cards.train(NAME, folder, options=options, on_progress=show).result
            before, after = result.perplexity_before, result.perplexity_after
            print(f"\nperplexity of held-out text: {before:.1f} → {after:.1f}", file=sys.stderr)
        said = kb.cards.ask(NAME, question)
        return said, kb.ask(question, options=AskOptions(cards=CardUse(names=(NAME,))))


def show(done: TrainingProgress) -> None:
    """Write over the line before."""
    print(f"\rstep {done.step}/{done.steps}, loss {done.loss:.2f}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
