"""A conversation: every question may build on earlier ones."""

from __future__ import annotations

from collections.abc import Callable

from rag.answering.answer import Answer
from rag.answering.ask import as_model, ask
from rag.answering.options import AskOptions
from rag.answering.resources import Resources
from rag.llm.base import LLM
from rag.prompting.prompt import Turn
from rag.prompting.templates import load_template

_MOST_TURNS = 20  # that are kept; the composer shows fewer


class Conversation:
    """A series of questions and answers over one knowledge base, with one LLM.

    `turns` holds each question as it stands alone, so that what it is about is never lost, and its answer.
    """

    def __init__(self, resources: Resources, llm: LLM | object | str, options: AskOptions | None = None) -> None:
        self._resources = resources
        self._options = options or AskOptions()
        self._llm = as_model(llm, resources.encoder(), self._options)
        load_template(self._options.template)  # one that cannot be used is told before the first question
        self.turns: list[Turn] = []

    def ask(self, question: str, *, on_text: Callable[[str], None] | None = None) -> Answer:
        """Answer the next question; `on_text` hears the answer as it is written. One that fails leaves no trace."""
        answer = ask(
            self._resources, question, llm=self._llm, options=self._options, history=tuple(self.turns), on_text=on_text
        )
        asked = answer.standalone.text if answer.standalone is not None else question
        self.turns = [*self.turns, Turn(asked, answer.text, not answer.abstained)][-_MOST_TURNS:]
        return answer

    def forget(self) -> None:
        """Begin anew."""
        self.turns = []
