"""Relevance judgements in TREC's four columns or BEIR's three; each line shows its format."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from connectors.errors import SourceError
from rag.evaluation.collections.lines import read_lines

_BEIR_COLUMNS, _TREC_COLUMNS = 3, 4
_FORM = (
    "each line must be: query id, document id and a whole number, separated by tabs; or TREC's: query 0 document number"
)


@dataclass(frozen=True, slots=True)
class Qrels:
    """Query id → document id → grade; `repeated` counts the lines that repeat an earlier one."""

    grades: dict[str, dict[str, int]] = field(default_factory=dict)
    repeated: int = 0


def read_judgements(file: Path, hint: str = "") -> Qrels:
    """The judgements of a file; a header line is passed over.

    Raises:
        SourceError: the file is missing, unreadable or empty, a line is no judgement, or two lines contradict.
    """
    grades: dict[str, dict[str, int]] = {}
    repeated = 0
    for where, line in read_lines(file, hint):
        if where.endswith(", line 1") and line.split("\t")[-1].strip() == "score":
            continue
        query, document, grade = _judgement(line, where)
        judged = grades.setdefault(query, {})
        if document in judged and judged[document] != grade:
            raise SourceError(
                f"{where}: {document!r} for the query {query!r} is {grade} here and {judged[document]} earlier",
                hint="keep one of the two judgements",
            )
        repeated += document in judged
        judged[document] = grade
    if not grades:
        raise SourceError(f"{file} holds no judgements", hint=_FORM)
    return Qrels(grades, repeated)


def _judgement(line: str, where: str) -> tuple[str, str, int]:
    cells = line.split("\t")
    try:
        if len(cells) == _BEIR_COLUMNS:
            query, document, grade = cells
        else:
            query, _, document, grade = line.split()
        return query, document, int(grade)
    except ValueError as error:
        raise SourceError(f"{where}: {line[:80]!r} is not a judgement", hint=_FORM) from error
