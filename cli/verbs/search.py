"""`rag search`: the passages that match, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.opening import knowledge_base
from cli.options import (
    Fallback,
    Filter,
    Json,
    ModeOption,
    RerankDepth,
    Reranker,
    RerankSeconds,
    parse_filters,
    reranking,
)
from cli.output.answer import tell_reranked
from cli.output.terminal import encodable, near, note, print_json

if TYPE_CHECKING:
    from rag import Hit, KnowledgeBase
    from rag.retrieval import Filters

# Below this probability the best hit is called what it is. (What counts as evidence for `ask` has to be far surer.)
_NEAREST_SHOWN = 3
_DOUBTFUL = 0.1


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words or a question.")],
    k: Annotated[int, typer.Option("-k", metavar="N", help="The most hits to show.")] = 10,
    mode: Annotated[
        ModeOption,
        typer.Option(metavar="MODE", help="sparse: words (BM25); dense: meaning (vectors); hybrid: both."),
    ] = ModeOption.HYBRID,
    filters: Filter = None,
    min_relevance: Annotated[
        float, typer.Option(metavar="P", help="Leave out hits with a lower relevance, from 0 to 1.")
    ] = 0.0,
    fold: Annotated[
        bool,
        typer.Option(
            " /--no-fold", metavar="", show_default=False, help="Show every copy of a passage as its own hit."
        ),
    ] = True,
    diversity: Annotated[
        float, typer.Option(metavar="L", help="How much a hit must differ from those above it, from 0 to 1.")
    ] = 0.0,
    explain: Annotated[bool, typer.Option("--explain", metavar="", help="Show the evidence behind every hit.")] = False,
    reranker: Reranker = None,
    rerank_depth: RerankDepth = None,
    rerank_seconds: RerankSeconds = None,
    fallback: Fallback = False,
    json: Json = False,
) -> None:
    """Find the passages that match a question.

    The percentage beside a hit is the probability that it is relevant.

    [bold]Examples[/bold]
      rag search "how long do refunds take?"
      rag search refunds -k 3 --filter kind=pdf --explain
    """
    wanted, query = parse_filters(filters), encodable(query)
    judge = reranking(reranker, rerank_depth, rerank_seconds, fallback=fallback)
    with knowledge_base(context) as base:
        found = base.search(
            query,
            k,
            mode=str(mode),
            filters=wanted,
            min_relevance=min_relevance,
            explain=explain,
            reranker=judge,
            fold=fold,
            diversity=diversity,
        )
        nearest = _nearest(base, query, mode, wanted) if min_relevance and not found.hits else found.hits
    tell_reranked(found.reranked, failure_only=json)
    if json:
        from cli.output import as_json

        asked = {"query": query, "corrections": found.corrections, "abbreviations": found.abbreviations}
        told = {"reranked": found.reranked, "hits": found.hits, "timings_ms": found.timings_ms}
        print_json(as_json.encoded({**asked, **told}))
        return
    from cli.output.bars import percent
    from cli.output.hits import print_hit

    for word in found.corrections:
        note(f"searched for: {word.searched} (no passage contains {word.typed})")
        query += f" {word.searched}"  # to mark it, too
    for one in found.abbreviations:
        if explain:
            note(f"searched for: {one.other}, too ({one.said}, as {near(one.uri)} defines it)")
        query += f" {one.other}"
    if not nearest:
        note("nothing found" + (": no document passes the filters" if wanted else ""))
    shown = found.hits
    best = max((hit.relevance for hit in nearest), default=0.0)  # not always the first one's
    if nearest and (not shown or best < _DOUBTFUL):
        note(f"nothing relevant: the best hit has {percent(best)}")
        shown = shown[:_NEAREST_SHOWN]  # enough to see what there is instead
    for hit in shown:
        print_hit(hit, query, explain=explain)


def _nearest(base: KnowledgeBase, query: str, mode: ModeOption, filters: Filters) -> tuple[Hit, ...]:
    """The best hit with no threshold, to say how far off it is."""
    return base.search(query, 1, mode=str(mode), filters=filters).hits
