"""KnowledgeBase: the public face. Open it, index sources, search, ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.source import Options, Source
from indexes.encoding.loading import load_encoder
from indexes.errors import ForeignError, NoKnowledgeBaseError
from indexes.store import CATALOG_FILE, DEFAULT_FOLDER, LOCK_TIMEOUT_SECONDS, Store
from rag.answering.answer import Answer
from rag.indexing.registered import RegisteredSources
from rag.indexing.report import IndexReport
from rag.indexing.trust import ForeignPart
from rag.prompting.prompt import Turn
from rag.query.query import Query
from rag.reranking.reranker import Reranker, Rerankers, Reranking
from rag.retrieval.hit import Filters, Hit, Mode
from rag.retrieval.retriever import Retriever
from rag.retrieval.search import SearchOptions, SearchResult
from rag.retrieval.tuned import SETTING, is_foreign, keep
from rag.status import Status, read_status

if TYPE_CHECKING:
    from connectors.chunking.splitter import Splitter
    from indexes.catalog.reading import Reading
    from indexes.doctor.findings import Check
    from indexes.encoding.base import Encoder
    from rag.answering.conversation import Conversation
    from rag.answering.options import AskOptions
    from rag.answering.resources import Resources
    from rag.cards.cards import Cards
    from rag.evaluation.collections.collection import Collection
    from rag.evaluation.measure import OnProgress
    from rag.indexing.synchroniser import Progress
    from rag.llm.base import LLM
    from rag.prompting.demonstrations import Demonstrations
    from rag.sql.answering import SqlAnswer
    from rag.sql.limits import StatementLimits
    from rag.sql.writing import Attempt
    from rag.tuning.keeping import KeptTuning
    from rag.tuning.verdicts import TuningReport

SPECIAL_PIECES = 2  # [CLS] and [SEP] take room in the encoder's window


class KnowledgeBase:
    r"""One folder holding a catalog and its indexes.

    Threads may share one; other processes may read it while one writes.

    Example:
        >>> import tempfile, pathlib
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "refunds.md").write_text("# Refunds\n\nRefunds are paid within 14 days.")
        >>> kb = KnowledgeBase.open(folder / ".rag")
        >>> kb.index(folder / "refunds.md").added
        1
        >>> kb.search("how long do refunds take?", k=1)[0].title
        'Refunds'
        >>> kb.close()
    """

    def __init__(self, store: Store, notify: Callable[[str], None] | None = None) -> None:
        self._store = store
        self._notify = notify or _ignore
        self._retriever = Retriever(store, notify=self._notify)
        self._rerankers = Rerankers()
        self._sources = RegisteredSources(store)

    @property
    def encoder(self) -> Encoder:
        """What makes its vectors; the one that is shipped, where somebody else chose it and nobody has allowed it."""
        try:
            return self._store.encoder
        except ForeignError:
            return load_encoder()

    @cached_property
    def cards(self) -> Cards:
        """The knowledge cards: small experts that offer background to an answer."""
        from rag.cards.cards import Cards

        def search(text: str, k: int) -> Sequence[Hit]:
            return self.search(text, k)

        def open_base(folder: Path) -> KnowledgeBase:
            return KnowledgeBase.open(folder, create=False)

        return Cards(self.path, lambda: self.encoder, self._splitter, search, open_base)

    @cached_property
    def demonstrations(self) -> Demonstrations:
        """Solved examples, the nearest of which show an LLM how to answer."""
        from rag.prompting.demonstrations import Demonstrations

        return Demonstrations(self.path, lambda: self.encoder, self._notify)

    @classmethod
    def open(
        cls,
        path: str | Path = DEFAULT_FOLDER,
        *,
        create: bool = True,
        encoder: str = "default",
        late: bool = True,
        notify: Callable[[str], None] | None = None,
    ) -> KnowledgeBase:
        """Open the knowledge base in the folder `path`.

        Args:
            path: the folder.
            create: make it when it is not there.
            encoder: the encoder of a new knowledge base; an existing one keeps its own.
            late: whether a new knowledge base keeps token vectors for late interaction, two thirds of its size.
            notify: called with one line whenever something had to be mended or ignored.

        Raises:
            NoKnowledgeBaseError: there is none and `create` is false.
            StoreError: it cannot be read, or a newer version wrote it.
        """
        notify = notify or _ignore
        return cls(Store(Path(path).absolute(), create=create, encoder=encoder, late=late, notify=notify), notify)

    @classmethod
    def find(cls, start: str | Path = ".", *, notify: Callable[[str], None] | None = None) -> KnowledgeBase:
        """Open the nearest `.rag` in `start` or a folder above it, as git finds `.git`.

        Raises:
            NoKnowledgeBaseError: there is none up to the root.
        """
        here = Path(start).absolute()
        for folder in (here, *here.parents):
            if (folder / DEFAULT_FOLDER / CATALOG_FILE).exists():
                return cls.open(folder / DEFAULT_FOLDER, create=False, notify=notify)
        raise NoKnowledgeBaseError(
            f"no knowledge base in {here} or above it", hint="run `rag index PATH` to create one, or name one with --kb"
        )

    @property
    def path(self) -> Path:
        """The folder."""
        return self._store.path

    def close(self) -> None:
        """Let go of the files."""
        if "cards" in self.__dict__:
            self.cards.close()
        self._store.close()

    def discard(self) -> bool:
        """Close and delete a knowledge base that holds nothing yet, neither documents nor sources.

        Returns whether it was deleted.

        Raises:
            LockedError: another process is writing.
            StoreError: the disk refuses.
        """
        from indexes.discarding import discard

        return discard(self._store)

    def index(
        self,
        *sources: str | Path | Source,
        encoder: str | None = None,
        late: bool | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    ) -> IndexReport:
        """Register sources and synchronise them; without sources, synchronise all registered ones.

        Only what changed is read, split and embedded. A document that cannot be read is reported and skipped; what was
        indexed of it before stays. The options of a source (`connectors.registry.open_source`) are remembered; a
        path or a URI names it with those, a Source object replaces them.

        Args:
            sources: paths, URIs or Source objects.
            encoder: change to this encoder first (every chunk is embedded again).
            late: keep token vectors from now on (what has none is embedded again), or drop them; None changes nothing.
            on_progress: called after every document and every embedded batch.
            lock_timeout: seconds to wait for another writer.

        Raises:
            LockedError: another process is writing.
            StoreError: the disk refuses; everything published before stays.
        """
        return self._sources.synchronise(
            sources,
            self._splitter,
            encoder=encoder,
            late=late,
            on_encoder_changed=lambda: self._kept_tuning.drop_outdated(self._notify),
            on_progress=on_progress,
            lock_timeout=lock_timeout,
        )

    def foreign_sources(self) -> dict[str, Options]:
        """URI → options of the registered sources that this user has not registered on this machine.

        A knowledge base that came from elsewhere can name any server, any folder, and any variable of the environment
        as a password. These are not opened before `trust` allows them.
        """
        return self._sources.foreign()

    def foreign_parts(self) -> dict[str, str]:
        """What else somebody else decided, and what it is: `encoder`, `tuning` and `demonstrations`, where they are.

        None of them is used before `trust` allows it: a search goes by words where the encoder is not allowed.
        """
        with self._store.catalog.reading() as reading:
            encoder, tuning = reading.foreign_encoder(), reading.setting(SETTING) if is_foreign(reading) else ""
        solved = self.demonstrations.foreign()
        parts = {
            ForeignPart.ENCODER: encoder,
            ForeignPart.TUNING: tuning,
            ForeignPart.DEMONSTRATIONS: f"{solved} of them" if solved else "",
        }
        return {str(part): what for part, what in parts.items() if what}

    def trust(self, uri: str) -> None:
        """Allow a source that came with the knowledge base, as it is registered, or another part of it.

        Args:
            uri: of a source (see `foreign_sources`), or the name of a part (see `foreign_parts`).

        Raises:
            ConfigurationError: there is no such source or part.
        """
        if uri in set(ForeignPart):
            self._trust_part(ForeignPart(uri))
        else:
            self._sources.trust(uri)

    def _trust_part(self, part: ForeignPart) -> None:
        if part is ForeignPart.DEMONSTRATIONS:
            self.demonstrations.trust()
            return
        with self._store.writer() as writer:
            if part is ForeignPart.ENCODER:
                writer.trust_encoder()
                return
            with self._store.catalog.writing() as writing:
                keep(writing, writing.setting(SETTING))

    def remove(self, source: str | Path) -> IndexReport:
        """Forget a source and its documents.

        Raises:
            ConfigurationError: the source is not registered.
        """
        return self._sources.remove(str(source))

    def search(
        self,
        query: Query | str,
        k: int | None = None,
        *,
        options: SearchOptions | None = None,
        mode: Mode | str | None = None,
        filters: Filters | None = None,
        min_relevance: float | None = None,
        explain: bool | None = None,
        reranker: Reranking | Reranker | str | None = None,
        fold: bool | None = None,
        diversity: float | None = None,
    ) -> SearchResult:
        """Find the best chunks for `query`, best first, with the time each step took.

        Args:
            query: words or a question.
            k: how many hits at most; 10 unless `options` says otherwise. Each of the other keywords, too, takes the
                place of what `options` has under its name.
            options: how to search; `SearchOptions` explains each of the keywords.
            mode: `hybrid`, `sparse` (BM25 alone) or `dense` (vectors alone).
            filters: what a document must meet, e.g. `{"kind": ["pdf", "docx"], "year": {">=": 2020}}`.
            min_relevance: leave out hits below this probability.
            explain: also say which terms and words matched.
            reranker: a heavier model that orders the best of what was found.
            fold: whether copies of a passage are one hit.
            diversity: how much a hit has to differ from those above it, from 0 to 1.

        Raises:
            ConfigurationError: the query cannot be searched, or the reranker cannot be loaded.
            RerankerError: the reranker failed.
            TypeError: the query is not text.
        """
        wanted = (options or SearchOptions()).changed(
            k=k,
            mode=mode,
            filters=filters,
            min_relevance=min_relevance,
            explain=explain,
            reranker=reranker,
            fold=fold,
            diversity=diversity,
        )
        reranking = wanted.reranking
        return self._retriever.search(query, wanted, self._rerankers.judge(reranking) if reranking else None)

    def ask(
        self,
        question: str,
        *,
        llm: LLM | object | str = "extractive",
        options: AskOptions | None = None,
        history: Sequence[Turn] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """Answer a question from the indexed documents, with checked citations.

        Args:
            question: what to answer.
            llm: a specification (`extractive`, `local`, `openai:MODEL`, `package.module:object`), a langchain-core
                chat model, or a callable that takes messages and returns text.
            options: how much evidence to use, and what counts as evidence.
            history: the questions and answers before this one, which it may lean on.
            on_text: hears the answer as it is written.
        """
        from rag.answering.ask import ask

        return ask(self._resources, question, llm=llm, options=options, history=history, on_text=on_text)

    def chat(self, *, llm: LLM | object | str = "extractive", options: AskOptions | None = None) -> Conversation:
        """Begin a conversation, in which a question may lean on those before it; arguments as for `ask`."""
        from rag.answering.conversation import Conversation

        for name in options.cards.names if options and options.cards else ():
            self.cards.get(name)  # one that is not there is told before the first question
        return Conversation(self._resources, llm, options)

    def sql(
        self,
        question: str,
        *,
        llm: LLM | object | str,
        database: str | None = None,
        limits: StatementLimits | None = None,
        base_url: str | None = None,
        on_attempt: Callable[[Attempt], None] | None = None,
    ) -> SqlAnswer:
        """Answer a question by one SELECT that a model writes, run read-only on a registered database.

        Args:
            question: what to answer.
            llm: as for `ask`; `extractive` writes no SQL.
            database: its address or name, where several are registered.
            limits: how much a statement may take.
            base_url: the server of an `openai:` model.
            on_attempt: hears of each statement that the model wrote.

        Raises:
            ConfigurationError: there is no such database, or no model that writes SQL.
            SourceError: the database cannot be reached.
            LLMError: the model could not answer.
        """
        from rag.llm.loading import as_llm, load_llm
        from rag.sql.asking import ask_database

        model = load_llm(llm, base_url=base_url) if isinstance(llm, str) else as_llm(llm)
        return ask_database(
            question, model, database, self._sources.options(), find=self._find, limits=limits, on_attempt=on_attempt
        )

    @cached_property
    def _resources(self) -> Resources:
        from rag.answering.resources import Resources

        return Resources(
            encoder=lambda: self.encoder,
            search=self.search,
            cards=lambda: self.cards,
            demonstrations=lambda: self.demonstrations,
            sources=self._sources.options,
        )

    def _find(self, question: str, k: int, filters: Filters) -> tuple[Hit, ...]:
        return self.search(question, k, filters=filters).hits

    def tune(
        self,
        questions: str | Path | Collection | None = None,
        *,
        topics: str | Path | None = None,
        qrels: str | Path | None = None,
        held_out: float = 0.5,
        seed: int = 0,
        dry_run: bool = False,
        on_progress: OnProgress | None = None,
        lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    ) -> TuningReport:
        """Fit the ranking, relevance and its threshold to questions, and keep what others of them confirm.

        Args:
            questions: as for `evaluate` with a knowledge base.
            topics: TREC topics, as for `evaluate`.
            qrels: judgements, as for `evaluate`.
            held_out: the share of the questions that decide, and are not fitted on.
            seed: of the split and the intervals.
            dry_run: only find out.
            on_progress: called after every question.
            lock_timeout: seconds to wait for another writer.

        Raises:
            SourceError: for a file that is missing or broken.
            ConfigurationError: there are too few questions, or they are not about this knowledge base.
            LockedError: another process is writing.
        """
        from rag.evaluation.questions import read_collection

        if questions is None or isinstance(questions, str | Path):
            questions = read_collection(questions, kb=self, topics=topics, qrels=qrels)
        return self._kept_tuning.tune(
            questions,
            held_out=held_out,
            seed=seed,
            dry_run=dry_run,
            on_progress=on_progress,
            lock_timeout=lock_timeout,
        )

    def reset_tuning(self, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> bool:
        """Go back to the defaults; returns whether there was anything to forget.

        Raises:
            LockedError: another process is writing.
        """
        return self._kept_tuning.reset(lock_timeout)

    def status(self) -> Status:
        """Sources, counts, sizes, encoder, generation and tuning."""
        with self._store.catalog.reading() as reading:
            return read_status(self.path, reading, self._retriever.tuning(reading))

    def reading(self) -> AbstractContextManager[Reading]:
        """One consistent snapshot of the catalog, for what needs the stored documents themselves."""
        return self._store.catalog.reading()

    def check(self) -> tuple[Check, ...]:
        """Examine everything that is stored, cards and demonstrations too; nothing is changed.

        The text of every passage and the bytes of every file that a card stands on are read.
        """
        from indexes.doctor.doctor import examine

        return (*examine(self._store).checks, *self.cards.check(), self.demonstrations.check())

    def repair(self, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> tuple[str, ...]:
        """Mend what `check` finds and can be mended; returns a line for each thing that was done.

        Indexes are made anew from the catalog. What is damaged in the catalog itself is forgotten, and the next run of
        `index` reads or embeds it again; nothing is embedded here. Cards and demonstrations are nowhere else: what is
        damaged of them stays as it is.

        Raises:
            LockedError: another process is writing.
            StoreError: the disk refuses; everything published before stays.
        """
        from indexes.doctor.repair import repair

        return repair(self._store, lock_timeout)

    def _splitter(self) -> Splitter:
        from connectors.chunking.splitter import Splitter

        encoder = self._store.encoder
        return Splitter(encoder, window=encoder.window - SPECIAL_PIECES)

    @cached_property
    def _kept_tuning(self) -> KeptTuning:
        from rag.tuning.keeping import KeptTuning

        return KeptTuning(self._store, self._retriever)


def _ignore(_message: str) -> None:
    pass
