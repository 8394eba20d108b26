"""The knowledge base's results as the JSON objects that other programs rely on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from connectors.document import Location
from rag.answering.answer import Answer
from rag.indexing.report import IndexReport
from rag.prompting.prompt import LeftOut, Prompt, PromptSource
from rag.reranking.reranker import Reranked
from rag.retrieval.hit import Hit, Moved, Reference, References, Signals
from rag.status import Status
from rag.verification.verdicts import Citation

if TYPE_CHECKING:
    from indexes.doctor.findings import Check
    from rag.answering.decomposition import Part
    from rag.answering.follow_up import Standalone
    from rag.cards.consulting import Consultation
    from rag.cards.selecting import Said
    from rag.sql.answering import SqlAnswer


def location(place: Location) -> dict[str, Any]:
    """Where a passage stands; `text` says it as people do."""
    return {
        "text": str(place),
        "start": place.start,
        "end": place.end,
        "line_start": place.line_start,
        "line_end": place.line_end,
        "page": place.page_start,
        "page_end": place.page_end,
        "headings": list(place.headings),
        "symbol": None if place.symbol is None else {"name": place.symbol.name, "kind": place.symbol.kind},
    }


def hit(found: Hit) -> dict[str, Any]:
    """One hit of a search."""
    return {
        "rank": found.rank,
        "score": found.score,
        "relevance": found.relevance,
        "uri": found.uri,
        "title": found.title,
        "kind": found.kind,
        "location": location(found.location),
        "context": found.context,
        "text": found.text,
        "metadata": dict(found.metadata),
        "copies": copies(found),
        "signals": signals(found.signals),
        "references": references(found.references),
    }


def references(found: References | None) -> dict[str, Any] | None:
    """Who calls a definition and what it calls; null without --explain, and for what is no definition."""
    if found is None:
        return None
    told = {
        "callers": [_reference(each) for each in found.callers],
        "callees": [_reference(each) for each in found.callees],
    }
    return {"approximate": True, **told, "more_callers": found.more_callers, "more_callees": found.more_callees}


def _reference(each: Reference) -> dict[str, Any]:
    return {
        "symbol": each.symbol,
        "uri": each.uri,
        "line": each.line,
        "name": each.name,
        "candidates": each.candidates,
    }


def copies(found: Hit) -> list[dict[str, Any]]:
    """The other places where a hit's passage stands."""
    return [{"uri": copy.uri, "title": copy.title, "location": location(copy.location)} for copy in found.copies]


def signals(evidence: Signals) -> dict[str, Any]:
    """The evidence behind a hit; `terms` and `aligned` are for --explain, `moved` is for --diversity."""
    return {
        "bm25": evidence.bm25,
        "cosine": evidence.cosine,
        "late": evidence.late,
        "reranker": evidence.reranker,
        "sparse_rank": evidence.sparse_rank,
        "dense_rank": evidence.dense_rank,
        "coverage": evidence.coverage,
        "addends": dict(evidence.addends),
        "log_odds": dict(evidence.log_odds),
        "terms": dict(evidence.terms),
        "named": evidence.named,
        "aligned": [
            {"query": pair.query, "passage": pair.passage, "similarity": pair.similarity, "weight": pair.weight}
            for pair in evidence.aligned
        ],
        "moved": _moved(evidence.moved),
    }


def reranked(done: Reranked | None) -> dict[str, Any] | None:
    """What a reranker did; null where none was asked for."""
    if done is None:
        return None
    failure = done.failure or None
    return {"model": done.model, "candidates": done.candidates, "reached": done.reached, "failure": failure}


def answer(given: Answer) -> dict[str, Any]:
    """An answer with its checked citations and numbered sources."""
    return {
        "question": given.question,
        "answer": given.text,
        "marked": given.marked,
        "written": given.written,
        "abstained": given.abstained,
        "citations": [_citation(each) for each in given.citations],
        "unsupported": list(given.unsupported),
        "unverified": [
            {
                "sentence": each.sentence,
                "card": each.rests_on.card,
                "said": each.rests_on.text,
                "origin": each.rests_on.origin or None,
            }
            for each in given.unverified
        ],
        "unchecked": list(given.unchecked),
        "sources": [_source(each) for each in given.sources],
        "confidence": given.confidence,
        "usage": {
            "prompt_tokens": given.usage.prompt_tokens,
            "completion_tokens": given.usage.completion_tokens,
            "cost": given.usage.cost,
            "cached": given.usage.cached,
        },
        "timings_ms": dict(given.timings_ms),
        "reranked": reranked(given.reranked),
        "sql": None if given.sql is None else sql(given.sql),
        "standalone": _standalone(given.standalone),
        "expansions": list(given.expansions),
        "parts": [_part(each) for each in given.parts],
        "cards": [_consultation(each) for each in given.cards],
        "card_topic": given.card_topic,
    }


def _standalone(made: Standalone | None) -> dict[str, Any] | None:
    return None if made is None else {"text": made.text, "by": made.by or None}


def _part(each: Part) -> dict[str, Any]:
    return {
        "question": each.question,
        "name": each.name,
        "named_by": None if each.bridge is None else each.bridge.uri,
        "found": None if each.found is None else {"uri": each.found.uri, "location": location(each.found.location)},
    }


def _consultation(each: Consultation) -> dict[str, Any]:
    return {
        "card": each.card,
        "about": each.about,
        "asked": each.asked,
        "why": each.why or None,
        "failed": each.failed,
        "hint": each.hint or None,
        "said": [said(one) for one in each.said],
        "seconds": each.seconds,
    }


def said(one: Said) -> dict[str, Any]:
    """A sentence of a card, and what became of it."""
    passage = one.passage
    return {
        "text": one.text,
        "relevance": one.relevance,
        "verdict": one.verdict.value,
        "origin": one.origin,
        "support": one.support,
        "passage": None if passage is None else {"uri": passage.uri, "location": location(passage.location)},
    }


def sql(given: SqlAnswer) -> dict[str, Any]:
    """What became of a question to a database; `error` is null where the statement ran."""
    from rag.sql.values import to_json

    return {
        "question": given.question,
        "database": given.database,
        "sql": given.sql,
        "columns": list(given.rows.columns),
        "rows": [[to_json(value) for value in row] for row in given.rows.rows],
        "truncated": given.rows.truncated,
        "cut": given.rows.cut,
        "error": given.error,
        "hint": given.hint,
        "attempts": [{"sql": each.sql, "error": each.error or None} for each in given.attempts],
        "usage": {
            "prompt_tokens": given.usage.prompt_tokens,
            "completion_tokens": given.usage.completion_tokens,
        },
        "timings_ms": dict(given.timings_ms),
    }


def prompt(sent: Prompt) -> dict[str, Any]:
    """What the model was sent, and what was left out of it."""
    return {
        "messages": [{"role": message.role, "content": message.content} for message in sent.messages],
        "tokens": sent.tokens,
        "left_out": [_left_out(each) for each in sent.left_out],
    }


def _left_out(each: LeftOut) -> dict[str, Any]:
    return {
        "part": each.part,
        "uri": each.uri or None,
        "location": None if each.location is None else location(each.location),
        "text": each.text,
        "reason": each.reason,
    }


def index_report(done: IndexReport) -> dict[str, Any]:
    """What a run of `index` or `remove` did."""
    return {
        "documents": {
            "added": done.added,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "removed": done.removed,
            "failed": len(done.failures),
        },
        "failures": [{"uri": each.uri, "error": each.error, "hint": each.hint} for each in done.failures],
        "notes": list(done.notes),
        "chunks": {"added": done.chunks_added, "removed": done.chunks_removed, "total": done.chunks_total},
        "embedded": done.embedded,
        "seconds": done.seconds,
        "generation": done.generation,
    }


def status(state: Status) -> dict[str, Any]:
    """The state of a knowledge base; sizes are bytes. A source that is a repository has its commit and branch."""
    return {
        "path": state.path,
        "sources": [
            {**source.facts, "uri": source.uri, "documents": source.documents, "chunks": source.chunks}
            for source in state.sources
        ],
        "documents": state.documents,
        "chunks": state.chunks,
        "sizes": dict(state.sizes),
        "encoder": state.encoder,
        "generation": state.generation,
        "schema_version": state.schema_version,
        "tuning": state.tuning.to_json() if state.tuning else None,
    }


def examination(checks: Sequence[Check], repaired: Sequence[str]) -> dict[str, Any]:
    """What was checked, after what was repaired."""
    return {
        "checks": [
            {"name": check.name, "ok": check.ok, "detail": check.detail, "hint": check.hint} for check in checks
        ],
        "repaired": list(repaired),
    }


def _moved(why: Moved | None) -> dict[str, Any] | None:
    if why is None:
        return None
    return {
        "place": why.place,
        "standing": why.standing,
        "like": why.like,
        "cosine": why.cosine,
        "worth": why.worth,
    }


def _citation(each: Citation) -> dict[str, Any]:
    return {
        "number": each.number,
        "sentence": each.sentence,
        "supported": each.supported,
        "verdict": str(each.verdict),
        "moved_to": each.moved_to,
        "added": each.added,
        "uri": each.uri,
        "location": None if each.location is None else location(each.location),
        "quote": each.quote,
    }


def _source(each: PromptSource) -> dict[str, Any]:
    return {
        "number": each.number,
        "uri": each.hit.uri,
        "title": each.hit.title,
        "location": location(each.hit.location),
        "relevance": each.hit.relevance,
        "copies": copies(each.hit),
        "text": each.text,
        "spans": [list(span) for span in each.spans],
    }
