"""Explains a hit's rank: the signals that `--explain` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from cli.output.bars import percent
from cli.output.terminal import near, one_line

if TYPE_CHECKING:
    from rag import Hit
    from rag.retrieval import DiversityShift, Reference, References, Signals

_PAIRS_SHOWN = 8
_CLOSE, _NEAR = 0.7, 0.5  # of a pair of words: all but the same, akin
_MEANINGS = {
    "feedback": "similarity to the best candidates",
    "hubness": "similarity to everything found",
    "depth": "from beyond the pool",
    "not_reranked": "not reached by the reranker",
}


def evidence(hit: Hit) -> Table:
    """A table of the signals: each with its value, its place in its list, what it adds to the score, and why."""
    signals = hit.signals
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    for _ in range(3):
        table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_row("", Text("value", "dim"), Text("place", "dim"), Text("adds", "dim"), "")
    late = "–" if signals.late is None else f"{signals.late:.3f}"
    _add(table, "BM25", f"{signals.bm25:.2f}", signals.sparse_rank, signals.contributions.get("bm25"), _words(signals))
    _add(table, "cosine", f"{signals.cosine:.3f}", signals.dense_rank, signals.contributions.get("cosine"), Text())
    _add(table, "late", late, None, signals.contributions.get("late"), _pairs(signals))
    for name, meaning in _MEANINGS.items():
        if name in signals.contributions:
            _add(table, name, "", None, signals.contributions[name], Text(meaning, "dim"))
    if signals.named:
        why = Text(f"named in the query: {one_line(signals.named)}", "dim")
        _add(table, "named", "", None, signals.contributions.get("named"), why)
    if signals.reranker is not None:
        why = Text("alone orders the hits it judged", "dim")
        _add(table, "reranker", f"{signals.reranker:.3f}", None, signals.reranker, why)
    table.add_row("score", "", "", Text(f"{hit.score:.3f}", "bold"), "")
    if signals.diversity is not None:
        table.add_row(
            "diversity",
            f"{signals.diversity.mmr_score:.3f}",
            f"#{signals.diversity.rank_by_score}",
            "",
            _moved(signals.diversity),
        )
    table.add_row("coverage", percent(signals.coverage), "", "", Text("of the query's rare words", "dim"))
    table.add_row("relevance", Text(percent(hit.relevance), "bold"), "", "", _odds(signals.log_odds))
    if hit.references is not None:
        _add_references(table, hit.references)
    return table


def _add_references(table: Table, found: References) -> None:
    """Who calls a definition and what it calls: found by name, which the first row says."""
    for role, told, more in (
        ("called by", found.callers, found.more_callers),
        ("calls", found.callees, found.more_callees),
    ):
        if told:
            of_many = role == "called by" and len({each.name for each in told}) > 1
            places = Text(" · ").join(_reference(each, named=of_many) for each in told)
            rest = Text(f" and {more} more" if more else "", "dim")
            table.add_row(role, "", "", "", Text.assemble(places, rest, (" (by name)", "dim")))


def _reference(each: Reference, *, named: bool) -> Text:
    name = f" {one_line(each.name)}" if named else ""
    unsure = f" 1 of {each.candidates}" if each.candidates > 1 else ""
    symbol = f"{one_line(each.symbol)} " if each.symbol else ""
    line = f":{each.line}" if each.line else ""
    return Text.assemble((symbol, "bold"), (f"{one_line(near(each.uri))}{line}", "cyan"), name, (unsure, "dim"))


def _add(table: Table, name: str, value: str, place: int | None, adds: float | None, why: Text) -> None:
    table.add_row(name, value, f"#{place}" if place else "", "" if adds is None else f"{adds:+.3f}", why)


def _moved(why: DiversityShift) -> Text:
    """Why diversity put a hit where it is; its place by its score stands before this."""
    like = "" if why.most_similar_rank is None else f", cosine {why.cosine:.2f} with hit {why.most_similar_rank}"
    return Text(f"score {why.normalized_score:.2f}{like}", "dim")


def _words(signals: Signals) -> Text:
    """The words that matched, each with its share of BM25."""
    words = (Text.assemble((one_line(word), "yellow"), f" {score:.2f}") for word, score in signals.terms.items())
    return Text(" · ").join(words)


def _pairs(signals: Signals) -> Text:
    """Words of the query and of the passage that met, green where they are all but the same."""
    pairs = []
    for pair in signals.aligned[:_PAIRS_SHOWN]:
        colour = "green" if pair.similarity >= _CLOSE else "yellow" if pair.similarity >= _NEAR else "red"
        words = f"{one_line(pair.query)}→{one_line(pair.passage)}"
        pairs.append(Text.assemble((words, colour), f" {pair.similarity:.2f}×{pair.weight:.2f}"))
    if hidden := signals.aligned[_PAIRS_SHOWN:]:
        rest = sum(pair.similarity * pair.weight for pair in hidden)
        pairs.append(Text(f"{len(hidden)} more words {rest:.2f}", "dim"))
    return Text(" · ").join(pairs)


def _odds(log_odds: Mapping[str, float]) -> Text:
    """The log-odds and what makes them up."""
    parts = " ".join(f"{value:+.2f} {name}" for name, value in log_odds.items())
    return Text(f"log-odds {sum(log_odds.values()):+.2f} = {parts}", "dim")
