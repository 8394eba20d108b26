"""Makes an LLM from a spec of the command line, or from a Python object."""

from __future__ import annotations

import importlib
import operator
import re
import sys
from pathlib import Path

from connectors.errors import ConfigurationError
from rag.llm.base import LLM
from rag.llm.chat_models import CallableLLM, ChatModelLLM, is_chat_model
from rag.llm.extractive import ExtractiveLLM
from rag.llm.local import LocalLLM
from rag.llm.openai import OpenAILLM
from rag.llm.prices import PricedLLM, Prices
from rag.llm.reply import ReplyLimits
from rag.llm.reply_cache import CachedLLM, ReplyCache
from rag.text.sentence_encoder import SentenceEncoder

DEFAULT_LLM = "extractive"

_SPECS = "extractive, local, local:PATH.gguf, openai:MODEL or package.module:object"


def load_llm(
    spec: str = DEFAULT_LLM,
    *,
    encoder: SentenceEncoder | None = None,
    base_url: str | None = None,
    window: int | None = None,
    limits: ReplyLimits | None = None,
    prices: tuple[float, float] | None = None,
    cache: Path | None = None,
) -> LLM:
    """The LLM that `spec` names.

    Args:
        spec: `extractive` (no model: quotes the best supported sentences), `local` (SmolLM2 from the cache) or
            `local:PATH.gguf` (in-process llama.cpp), `openai:MODEL` (with `base_url` any OpenAI-compatible server),
            `package.module:object` (a LangChain chat model, or a callable: list of messages → text).
        encoder: helps `extractive` to find sentences that say it in other words.
        base_url: the server of `openai:`.
        window: the tokens that prompt and answer may take together, where the model does not tell, or less than it has.
        limits: how long a reply may take, and be.
        prices: what a million tokens cost, sent and given back; the usage then has a cost.
        cache: a file to keep replies in. Of `local` and `openai:` only: of other models nothing tells when they change.

    Raises:
        ConfigurationError: an unknown spec, a missing extra or model, an object that is no LLM, an option that means
            nothing to this LLM.

    Example:
        >>> load_llm("extractive").name
        'extractive'
    """
    kind = spec.strip().partition(":")[0]
    if base_url and kind != "openai":
        raise ConfigurationError(
            f"a base URL ({base_url}) does not apply to the LLM {spec!r}", hint="use it with openai:MODEL"
        )
    if window is not None and window <= 0:
        raise ConfigurationError(f"a window of {window} tokens holds nothing", hint="use the model's, such as 4096")
    llm = _named(spec.strip(), encoder, base_url, window, limits)
    if cache is not None:
        if not isinstance(llm, LocalLLM | OpenAILLM):
            raise ConfigurationError(
                f"the replies of the LLM {spec!r} cannot be cached: nothing shows when it has changed",
                hint="cache those of local or openai:MODEL",
            )
        llm = CachedLLM(llm, ReplyCache(cache))
    return llm if prices is None else PricedLLM(llm, Prices(*prices))


def _named(
    spec: str, encoder: SentenceEncoder | None, base_url: str | None, window: int | None, limits: ReplyLimits | None
) -> LLM:
    kind, _, rest = spec.partition(":")
    if kind == "extractive" and not rest:
        return ExtractiveLLM(encoder)
    if kind == "local":
        return LocalLLM(rest, window=window, limits=limits)
    if kind == "openai" and rest:
        return OpenAILLM(rest, base_url, window=window, limits=limits)
    if rest and re.fullmatch(r"\w+(\.\w+)*:\w+(\.\w+)*", spec):
        return as_llm(_imported(kind, rest), name=spec, window=window, limits=limits)
    raise ConfigurationError(f"unknown LLM {spec!r}", hint=f"use one of {_SPECS}")


def as_llm(model: object, *, name: str = "", window: int | None = None, limits: ReplyLimits | None = None) -> LLM:
    """A LangChain chat model, a callable (list of `{"role", "content"}` → text) or an LLM, as an LLM.

    An LLM stays itself: `window` and `limits` are for the others.

    Example:
        >>> as_llm(lambda messages: "Paris [1]").count("one two six")
        3
    """
    if is_chat_model(model):
        return ChatModelLLM(model, name, window=window, limits=limits)
    if isinstance(model, LLM) and not isinstance(model, type):
        return model
    if callable(model) and not isinstance(model, type):
        return CallableLLM(model, name, window=window, limits=limits)
    called = model.__name__ if isinstance(model, type) else type(model).__name__
    raise ConfigurationError(
        f"{name or called} is not an LLM, but a {'class' if isinstance(model, type) else called}",
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
