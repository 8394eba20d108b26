"""Keeps in a knowledge base what tuning confirmed, and forgets it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from indexes.store import Store
from rag.retrieval.ranking import basis
from rag.retrieval.retriever import Retriever
from rag.retrieval.tuned import SETTING, keep, read, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.evaluation.collections.collection import Collection
    from rag.evaluation.measure import OnProgress
    from rag.tuning.verdicts import TuningReport


class KeptTuning:
    """The tuning of a store, which `retriever` searches with."""

    def __init__(self, store: Store, retriever: Retriever) -> None:
        self._store = store
        self._retriever = retriever

    def tune(
        self,
        questions: Collection,
        *,
        held_out: float,
        seed: int,
        dry_run: bool,
        on_progress: OnProgress | None,
        lock_timeout: float,
    ) -> TuningReport:
        """Tune to questions, and unless `dry_run` keep what others of them confirm.

        Raises:
            ConfigurationError: there are too few questions, or they are not about this knowledge base.
            LockedError: another process is writing.
        """
        from rag.tuning.tune import answerable, tune

        encoder = self._store.encoder.fingerprint
        with self._store.catalog.reading() as reading:
            now, collection = self._retriever.tuning(reading), answerable(questions, reading)
        search = self._retriever.candidates
        report = tune(search, collection, now, held_out=held_out, seed=seed, on_progress=on_progress)
        if dry_run or not report.improved:
            return report
        self._keep(written(report.tuning, encoder, basis()), lock_timeout)
        return replace(report, stored=True)

    def reset(self, lock_timeout: float) -> bool:
        """Go back to the defaults; returns whether there was anything to forget.

        Raises:
            LockedError: another process is writing.
        """
        with self._store.catalog.reading() as reading:
            tuned = bool(reading.setting(SETTING))
        if tuned:
            self._keep("", lock_timeout)
        return tuned

    def drop_outdated(self, notify: Callable[[str], None]) -> None:
        """Forget what was fitted for another encoder than that of now, and say so. Only for who holds the writer."""
        with self._store.catalog.writing() as writing:
            if read(writing.setting(SETTING), writing.setting("encoder"), basis())[1]:
                keep(writing, "")
                notify("dropped the tuning, which was for another encoder: `rag tune QUESTIONS` tunes anew")

    def _keep(self, setting: str, lock_timeout: float) -> None:
        with self._store.writer(lock_timeout), self._store.catalog.writing() as writing:
            keep(writing, setting)
