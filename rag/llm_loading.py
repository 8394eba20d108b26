"""How a spec of the command line, or an object in Python, becomes an LLM."""

from __future__ import annotations

import importlib
import operator
import re
import sys
from pathlib import Path

from connectors.errors import ConfigurationError
from rag.chat_models import CallableLLM, ChatModelLLM, is_chat_model, openai_chat_model
from rag.extractive import ExtractiveLLM
from rag.llm import LLM
from rag.local import LocalLLM
from rag.sentence_encoder import SentenceEncoder

DEFAULT_LLM = "extractive"

_SPECS = "extractive, local, local:PATH.gguf, openai:MODEL or package.module:object"


def load_llm(spec: str = DEFAULT_LLM, *, encoder: SentenceEncoder | None = None, base_url: str | None = None) -> LLM:
    """The LLM that `spec` names.

    Args:
        spec: `extractive` (no model: quotes the best supported sentences), `local` (SmolLM2 from the cache) or
            `local:PATH.gguf` (in-process llama.cpp), `openai:MODEL` (with `base_url` any OpenAI-compatible server),
            `package.module:object` (a LangChain chat model, or a callable: list of messages → text).
        encoder: helps `extractive` to find sentences that say it in other words.
        base_url: the server of `openai:`.

    Raises:
        ConfigurationError: an unknown spec, a missing extra or model, an object that is no LLM.

    Example:
        >>> load_llm("extractive").name
        'extractive'
    """
    kind, _, rest = spec.strip().partition(":")
    if base_url and kind != "openai":
        raise ConfigurationError(
            f"a base URL ({base_url}) means nothing to the LLM {spec!r}", hint="it goes with openai:MODEL"
        )
    if kind == "extractive" and not rest:
        return ExtractiveLLM(encoder)
    if kind == "local":
        return LocalLLM(rest)
    if kind == "openai" and rest:
        return as_llm(openai_chat_model(rest, base_url), name=spec)
    if rest and re.fullmatch(r"\w+(\.\w+)*:\w+(\.\w+)*", spec.strip()):
        return as_llm(_imported(kind, rest), name=spec)
    raise ConfigurationError(f"unknown LLM {spec!r}", hint=f"use one of {_SPECS}")


def as_llm(model: object, *, name: str = "") -> LLM:
    """A LangChain chat model, a callable (list of `{"role", "content"}` → text) or an LLM, as an LLM.

    Example:
        >>> as_llm(lambda messages: "Paris [1]").count("one two six")
        3
    """
    if is_chat_model(model):
        return ChatModelLLM(model, name)
    if isinstance(model, LLM) and not isinstance(model, type):
        return model
    if callable(model) and not isinstance(model, type):
        return CallableLLM(model, name)
    called = model.__name__ if isinstance(model, type) else type(model).__name__
    raise ConfigurationError(
        f"{name or called} is no LLM: it is a {'class' if isinstance(model, type) else called}",
        hint="give a LangChain chat model, or a callable that takes the list of messages and returns text",
    )


def _imported(module_name: str, attribute: str) -> object:
    """The object a spec names. The current folder comes last on the path: it must not shadow installed packages."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    spec = f"{module_name}:{attribute}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        own = error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}."))
        problem = "it is neither on PYTHONPATH nor in the current folder" if own else f"it needs {error.name}"
        raise ConfigurationError(
            f"cannot import {module_name!r} of the LLM {spec!r}: {problem}", hint=f"LLMs are: {_SPECS}"
        ) from error
    except Exception as error:
        raise ConfigurationError(
            f"importing {module_name!r} of the LLM {spec!r} failed: {type(error).__name__}: {error}",
            hint=f"try: python -c 'import {module_name}'",
        ) from error
    try:
        return operator.attrgetter(attribute)(module)
    except AttributeError as error:
        raise ConfigurationError(
            f"the module {module_name!r} has no {attribute!r}", hint=f"it is {module.__file__}"
        ) from error
