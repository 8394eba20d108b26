"""Asking: search → cards → compose → LLM → checked citations, or a plain statement that there is no evidence."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigurationError
from rag.answering.abstention import abstain
from rag.answering.answer import Answer
from rag.answering.decomposition import Decomposed, Divide, decompose
from rag.answering.follow_up import Standalone, stand_alone
from rag.answering.options import AskOptions
from rag.answering.reading import READ_HITS, HitsReader, is_answered
from rag.answering.resources import Resources
from rag.answering.sub_questions import sub_questions
from rag.llm.base import LLM, complete, is_small
from rag.llm.loading import as_llm, load_llm
from rag.llm.reply import ANSWER_TOKENS, EmptyReplyError, Reply
from rag.llm.usage import Usage
from rag.prompting.composer import NOT_ANSWERED, Composer
from rag.prompting.fence_filter import FenceFilter
from rag.prompting.prompt import Message, Prompt, Turn
from rag.prompting.templates import load_template
from rag.query.abbreviations import written_out
from rag.query.query import Query
from rag.retrieval.hit import Hit
from rag.retrieval.search import SearchResult
from rag.text.sentence_encoder import RememberingEncoder, SentenceEncoder
from rag.timing import Clock
from rag.verification.citations import check

if TYPE_CHECKING:
    from rag.cards.consulting import Consulted
    from rag.llm.base import Complete
    from rag.sql.answering import SqlAnswer

DEFAULT_BUDGET = 3_000  # tokens of prompt for a model with a large window
_SMALL_BUDGET = 1_200  # for a small one, which is also a slow one: reading 1,200 tokens takes a CPU some seconds


def ask(
    resources: Resources,
    question: str,
    *,
    llm: LLM | object | str,
    options: AskOptions | None = None,
    history: Sequence[Turn] = (),
    on_text: Callable[[str], None] | None = None,
) -> Answer:
    """Answer `question` from what the knowledge base holds. See `KnowledgeBase.ask`."""
    options = options or AskOptions()
    encoder = RememberingEncoder(resources.encoder())
    model = as_model(llm, encoder, options)
    composer = Composer(_budget(model, options), model.count, encoder, load_template(options.template))
    clock = Clock()
    evidence = _gather(resources, question, model, options, history, clock)
    with clock("compose"):
        # Solved examples are for a model that can follow one.
        wanted = not is_small(model) if options.demonstrations is None else options.demonstrations
        shown = resources.demonstrations().nearest(evidence.standalone.text) if wanted and model.can_write else ()
        prompt = composer.compose(
            evidence.asked,
            evidence.hits,
            unanswered=not is_answered(evidence.hits, evidence.threshold),
            min_relevance=evidence.threshold,
            background=evidence.consulted.background,
            demonstrations=shown,
            history=history,
        )
    if not prompt.sources and not (model.can_write and _cards_answer(evidence, prompt, options)):
        return _abstention(question, evidence, prompt, encoder, clock, on_text)
    with clock("generate"):
        text, reply = _written(model, prompt, evidence.asked, on_text)
    with clock("check"):
        checked = check(text, prompt, encoder=encoder, chance=reply.chance)
    return evidence.answer(
        question,
        checked.text,
        prompt,
        clock.timings(),
        abstained=text == NOT_ANSWERED,
        citations=checked.citations,
        confidence=checked.confidence,
        usage=[reply.usage],
        unsupported=checked.unsupported,
        unverified=checked.unverified,
        unchecked=checked.unchecked,
        annotated=checked.annotated,
        raw=text,
        answer_span=None if model.can_write else _answer_span(checked.text, prompt),
    )


def as_model(llm: LLM | object | str, encoder: SentenceEncoder, options: AskOptions) -> LLM:
    """The LLM that `llm` is or names.

    Raises:
        ConfigurationError: there is none, or an option means nothing to it.
    """
    if not isinstance(llm, str):
        return as_llm(llm, window=options.window)
    return load_llm(
        llm,
        encoder=encoder,
        base_url=options.base_url,
        window=options.window,
        prices=options.prices,
        cache=options.cache,
    )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Everything found for a question before the prompt is composed."""

    standalone: Standalone
    asked: str
    expansions: tuple[str, ...]
    found: SearchResult
    decomposed: Decomposed
    rows: SqlAnswer | None
    consulted: Consulted
    threshold: float
    beside: tuple[Usage, ...]

    @property
    def hits(self) -> tuple[Hit, ...]:
        """What may become a source."""
        return self.consulted.hits

    def answer(
        self,
        question: str,
        text: str,
        prompt: Prompt,
        timings: Mapping[str, float],
        usage: Sequence[Usage] = (),
        **parts: Any,
    ) -> Answer:
        """An answer with all that led to it. `usage` is of its text; the short jobs beside it come on top."""
        spent = [*self.beside, *usage]
        total = reduce(operator.add, spent) if spent else Usage()
        bare = Answer(question, text, True, (), (), (), 0.0, total, annotated=text)
        return replace(
            bare,
            **parts,
            sources=prompt.sources,
            hits=self.hits,
            prompt=prompt,
            timings_ms=timings,
            reranked=self.found.reranked,
            sql=self.rows,
            standalone=self.standalone,
            expansions=self.expansions,
            parts=self.decomposed.parts,
            cards=self.consulted.consultations,
            card_topic=self.consulted.topic,
        )


def _gather(
    resources: Resources, question: str, model: LLM, options: AskOptions, history: Sequence[Turn], clock: Clock
) -> _Evidence:
    beside: list[Usage] = []
    writer = _writer(model, beside.append)
    with clock("rewrite"):
        standalone = stand_alone(question, history, writer)
        expansions = tuple(resources.cards().expansions(standalone.text))
    with clock("search"):
        expanded = f"{standalone.query} ({', '.join(expansions)})" if expansions else standalone.query
        reads = options.k > 0 and options.read_seconds > 0
        deep = replace(options, k=max(options.k, READ_HITS)) if reads else options
        found = resources.hits(Query.of(expanded), deep)
        # What JHC is short for is said by one document, and asked of the others.
        asked = written_out(standalone.text, found.abbreviations)
    if reads:
        with clock("read"):
            reader = _reader(options)
            if standalone.by == "words" and reader.min_relevance is None:
                # With words added it is no question, as a reader knows them: the search tells whether it is answered.
                reader = replace(reader, min_relevance=found.min_relevance)
            read = reader.read(standalone.text, found.hits, found.abbreviations, reorder=found.reranked is None)
            found = replace(found, hits=read[: options.k])
    threshold = found.min_relevance if options.min_relevance is None else options.min_relevance
    with clock("parts"):
        decomposed = Decomposed(found.hits)
        if options.parts:
            narrow = replace(options, reranking=None)
            decomposed = decompose(
                Query.of(standalone.text),
                found.hits,
                lambda part, k: resources.hits(Query.of(part), replace(narrow, k=k)),
                k=options.k,
                threshold=threshold,
                divide=_divider(model, beside.append, options.parts_seconds),
            )
    rows = resources.rows_beside(standalone.text, model, decomposed.hits, threshold, options.sql)
    hits = decomposed.hits
    if rows is not None:
        from rag.sql.evidence import with_rows

        hits = with_rows(hits, rows, threshold)
    with clock("cards"):
        consulted = resources.consult(standalone.text, hits, options.cards, writer)
    return _Evidence(standalone, asked, expansions, found, decomposed, rows, consulted, threshold, tuple(beside))


def _reader(options: AskOptions) -> HitsReader:
    return HitsReader(options.reader, options.read_seconds, options.min_relevance)


def _cards_answer(evidence: _Evidence, prompt: Prompt, options: AskOptions) -> bool:
    """Whether what cards say answers the question: where no document does, it makes an answer only then."""
    said = [one.text for one in prompt.background]
    return bool(said) and _reader(options).answered_by(evidence.standalone.text, said)


def _writer(model: LLM, on_usage: Callable[[Usage], None], seconds: float | None = None) -> Complete | None:
    """The LLM for short jobs beside the answer; None where it only quotes."""
    if not model.can_write:
        return None

    def write(messages: list[Message], tokens: int) -> str:
        return complete(model, messages, max_tokens=tokens, timeout=seconds, on_usage=on_usage)

    return write


def _divider(model: LLM, on_usage: Callable[[Usage], None], seconds: float) -> Divide | None:
    """The LLM for naming parts of a question; None where it adds nothing to the rules (benchmarks/decomposition.py)."""
    writer = _writer(model, on_usage, seconds)
    return None if writer is None or is_small(model) else partial(sub_questions, complete=writer)


def _written(model: LLM, prompt: Prompt, question: str, on_text: Callable[[str], None] | None) -> tuple[str, Reply]:
    """What the model writes but for echoed fences, heard by `on_text` as it comes, and its reply, which has ended."""
    said: list[str] = []
    unfenced = FenceFilter(prompt.fence)

    def hear(text: str) -> None:
        said.append(text)
        if text and on_text is not None:
            on_text(text)

    with model.stream(prompt, question) as reply:
        for piece in reply:
            hear(unfenced(piece))
        hear(unfenced.rest())
    text = "".join(said).strip()
    if not text:
        raise EmptyReplyError(
            f"the LLM {model.name!r} returned nothing but the tags of its prompt", hint="use a larger model"
        )
    return text, reply


def _budget(model: LLM, options: AskOptions) -> int:
    """The tokens of the prompt: what was asked for, as far as the model's window leaves room for an answer."""
    if model.window is None:
        return options.budget or DEFAULT_BUDGET
    room = model.window - min(ANSWER_TOKENS, model.window // 4)
    if options.budget is None:
        return min(DEFAULT_BUDGET, max(_SMALL_BUDGET, model.window // 3), room)
    if options.budget > room:
        raise ConfigurationError(
            f"a prompt budget of {options.budget} tokens does not fit {model.name}, which takes {model.window} tokens "
            "for prompt and answer together",
            hint=f"choose at most {room}",
        )
    return options.budget


def _answer_span(text: str, prompt: Prompt) -> tuple[int, int] | None:
    """Where the words stand in an answer that quotes them, of the source that answers best."""
    read = [(hit.reading, hit.text) for hit in (source.hit for source in prompt.sources) if hit.reading is not None]
    for reading, passage in sorted(read, key=lambda one: -one[0].answers):
        words = " ".join(passage[reading.start : reading.end].split())
        if words and (start := text.find(words)) >= 0:
            return start, start + len(words)
    return None


def _abstention(
    question: str,
    evidence: _Evidence,
    prompt: Prompt,
    encoder: SentenceEncoder,
    clock: Clock,
    on_text: Callable[[str], None] | None,
) -> Answer:
    text = abstain(question, evidence.hits, evidence.consulted.background, encoder)
    if on_text is not None:
        on_text(text)
    return evidence.answer(question, text, prompt, clock.timings())
