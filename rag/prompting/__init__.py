"""Composing the prompt: sources within a budget, fenced as data; solved examples; templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.lazy import offering

if TYPE_CHECKING:
    from rag.prompting.composer import Composer
    from rag.prompting.demonstrations import Demonstrations, StoredDemonstration, read_examples
    from rag.prompting.prompt import Background, Demonstration, LeftOut, Message, Prompt, PromptPart, PromptSource, Turn
    from rag.prompting.templates import Template, load_template

__all__ = [
    "Background",
    "Composer",
    "Demonstration",
    "Demonstrations",
    "LeftOut",
    "Message",
    "Prompt",
    "PromptPart",
    "PromptSource",
    "StoredDemonstration",
    "Template",
    "Turn",
    "load_template",
    "read_examples",
]

__getattr__ = offering(
    __name__,
    {
        "rag.prompting.composer": ["Composer"],
        "rag.prompting.demonstrations": ["Demonstrations", "StoredDemonstration", "read_examples"],
        "rag.prompting.prompt": [
            "Background",
            "Demonstration",
            "LeftOut",
            "Message",
            "Prompt",
            "PromptPart",
            "PromptSource",
            "Turn",
        ],
        "rag.prompting.templates": ["Template", "load_template"],
    },
)
