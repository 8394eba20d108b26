"""Train a small expert on a folder of text, and let it help to answer.

    pip install 'pilotfish[local,models]'
    rag models pull smollm2
    python examples/card/expert.py docs/ "How does a commit work?"

The first run trains, which takes minutes; a run that is cut off goes on where it was. The next ones only ask.
"""

from __future__ import annotations

import sys

from rag import AskOptions, KnowledgeBase
from rag.cards.consulting import CardUse

NAME = "expert"


def main() -> None:
    """Train the card unless it is there, and show what becomes of each sentence that it says."""
    folder, question = sys.argv[1:3]
    kb = KnowledgeBase.open(".rag-card")
    kb.index(folder)
    if NAME not in [shelved.card.name for shelved in kb.cards.all()]:
        trained = kb.cards.train(
            NAME, folder, on_progress=lambda done: print(f"\rstep {done.step}/{done.steps}", end="")
        )
        result = trained.result
        print(f"\rperplexity of held-out text: {result.perplexity_before:.1f} → {result.perplexity_after:.1f}")

    for said in kb.cards.ask(NAME, question):
        print(f"{said.verdict:12} {said.text}")
    answer = kb.ask(question, options=AskOptions(cards=CardUse(names=(NAME,))))
    print(f"\n{answer.text}")
    kb.close()


if __name__ == "__main__":
    main()
