"""Demonstrations: solved examples; the ones closest to a question show the LLM how to answer.

After Cheng et al., *UPRISE: Universal Prompt Retrieval for Improving Zero-Shot Evaluation* (EMNLP 2023), with the
knowledge base's own encoder as the retriever.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from connectors.errors import ConfigurationError
from indexes.doctor.findings import Check
from indexes.errors import ForeignError, StoreError
from indexes.files import read_checked, write_checked, writer_lock
from indexes.seals import is_derived_sealed, seal
from indexes.store import LOCK_TIMEOUT_SECONDS
from rag.prompting.prompt import Demonstration

if TYPE_CHECKING:
    from indexes.encoding.base import Encoder

FILE = "demonstrations.json"
_SEALED = "demonstrations"
_LARGEST = 256 << 20  # bytes of the file
_MOST = 10_000
_LONGEST = 8_000  # characters of a question, and of an answer
_LEAST_SIMILAR = 0.35  # right answers of WikiQA and HotpotQA lie above this with their questions in 95 of 100
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class StoredDemonstration:
    """A demonstration and its number, used to remove it."""

    number: int
    question: str
    answer: str


class Demonstrations:
    """The solved examples of one knowledge base, in one file beside the catalog, always replaced as a whole.

    What came with the knowledge base and this user has not allowed is listed, and never shown to a model.

    Args:
        knowledge_base: its folder.
        encoder: gives its encoder.
        notify: called with one line when the examples are not used.
    """

    def __init__(
        self, knowledge_base: Path, encoder: Callable[[], Encoder], notify: Callable[[str], None] | None = None
    ) -> None:
        self._folder = knowledge_base
        self._encoder = encoder
        self._notify = notify

    def all(self) -> list[StoredDemonstration]:
        """Every example, the oldest first.

        Raises:
            StoreError: the file is damaged.
        """
        return [
            StoredDemonstration(entry["number"], entry["question"], entry["answer"])
            for entry in self._read()["entries"]
        ]

    def add(
        self, examples: Iterable[tuple[str, str]], *, lock_timeout: float = LOCK_TIMEOUT_SECONDS
    ) -> list[StoredDemonstration]:
        """Keep questions with their answers; one that is there already gets the new answer.

        Raises:
            ConfigurationError: a question or an answer is empty or endless, or there are too many.
            ForeignError: somebody else added those that are there.
            LockedError: another process is writing.
            StoreError: the file is damaged or cannot be written.
        """
        checked = [(_checked(question, "question"), _checked(answer, "answer")) for question, answer in examples]
        with writer_lock(self._folder, lock_timeout):
            values = self._own()
            added = []
            by_question = {entry["question"]: entry for entry in values["entries"]}
            for question, answer in checked:
                number = by_question[question]["number"] if question in by_question else values["next"]
                values["next"] = max(values["next"], number + 1)
                by_question[question] = {"number": number, "question": question, "answer": answer}
                added.append(StoredDemonstration(number, question, answer))
            if len(by_question) > _MOST:
                raise ConfigurationError(f"{len(by_question):,} demonstrations", hint=f"{_MOST:,} are the most")
            self._write(values["next"], list(by_question.values()))
        return added

    def remove(self, number: int, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> StoredDemonstration:
        """Forget the example of that number.

        Raises:
            ConfigurationError: there is none.
            ForeignError: somebody else added those that are there.
            LockedError: another process is writing.
        """
        with writer_lock(self._folder, lock_timeout):
            values = self._own()
            kept = [entry for entry in values["entries"] if entry["number"] != number]
            if len(kept) == len(values["entries"]):
                raise ConfigurationError(f"there is no demonstration {number}", hint="list them with `rag demo list`")
            (gone,) = (entry for entry in values["entries"] if entry["number"] == number)
            self._write(values["next"], kept)
        return StoredDemonstration(gone["number"], gone["question"], gone["answer"])

    def nearest(self, question: str) -> tuple[Demonstration, ...]:
        """The few examples whose questions are most like `question`, the most similar first.

        Raises:
            StoreError: the file is damaged.
        """
        if not (self._folder / FILE).exists():
            return ()
        values = self._read()
        entries = values["entries"]
        if not entries:
            return ()
        if not _is_own(values):
            if self._notify is not None:
                self._notify(f"{_FOREIGN}: none is used ({_HINT})")
            return ()
        encoder = self._encoder()
        cosines = self._vectors(values, encoder) @ encoder.encode_query(question).vector
        order = cosines.argsort(kind="stable")[::-1][:_SHOWN].tolist()
        return tuple(
            Demonstration(entries[i]["question"], entries[i]["answer"], float(cosines[i]))
            for i in order
            if cosines[i] >= _LEAST_SIMILAR
        )

    def foreign(self) -> int:
        """How many somebody else added and this user has not allowed.

        Raises:
            StoreError: the file is damaged.
        """
        values = self._read()
        return 0 if _is_own(values) else len(values["entries"])

    def trust(self, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> None:
        """Use those that came with the knowledge base.

        Raises:
            LockedError: another process is writing.
            StoreError: the file is damaged or cannot be written.
        """
        with writer_lock(self._folder, lock_timeout):
            values = self._read()
            self._write(values["next"], values["entries"])

    def check(self) -> Check:
        """Examine their file; nothing is changed."""
        try:
            count = len(self.all())
            if self.foreign():
                return Check("demonstrations", ok=False, detail=_FOREIGN, hint=_HINT)
        except StoreError as error:
            return Check("demonstrations", ok=False, detail=str(error), hint=error.hint)
        return Check("demonstrations", ok=True, detail=f"{count:,} can be read" if count else "there are none")

    def _vectors(self, values: dict[str, Any], encoder: Encoder) -> NDArray[np.float32]:
        """The questions' vectors, shape [examples, dimensions]; made anew where another encoder made those kept."""
        if values["encoder"] == encoder.fingerprint:
            return _unpacked(values)
        return encoder.encode([entry["question"] for entry in values["entries"]]).vectors

    def _own(self) -> dict[str, Any]:
        values = self._read()
        if not _is_own(values):
            raise ForeignError(f"{_FOREIGN} in {self._folder}", hint=_HINT)
        return values

    def _read(self) -> dict[str, Any]:
        try:
            values = read_checked(self._folder / FILE, most_bytes=_LARGEST)
            _check_shape(values)
        except FileNotFoundError:
            return {"next": 1, "entries": [], "encoder": "", "vectors": ""}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{self._folder / FILE} is damaged: {error}", hint="delete it, and add the demonstrations again"
            ) from error
        return values

    def _write(self, following: int, entries: Sequence[dict[str, Any]]) -> None:
        encoder = self._encoder()
        vectors = encoder.encode([entry["question"] for entry in entries]).vectors if entries else np.zeros((0, 1))
        packed = base64.b64encode(np.ascontiguousarray(vectors, dtype=np.float32).tobytes()).decode()
        values = {"next": following, "entries": list(entries), "encoder": encoder.fingerprint, "vectors": packed}
        values["seal"] = seal(_SEALED, values)
        try:
            write_checked(self._folder / FILE, values)
        except OSError as error:
            raise StoreError(
                f"cannot write {self._folder / FILE}: {error.strerror}", hint="check the disk's free space"
            ) from error


def _is_own(values: Mapping[str, Any]) -> bool:
    unsealed = {key: value for key, value in values.items() if key != "seal"}
    return not values["entries"] or is_derived_sealed(_SEALED, unsealed, values.get("seal", ""))


_FOREIGN = "you did not add the demonstrations on this machine"
_HINT = "see them with `rag demo list`, and allow them with `rag trust demonstrations`"


def _check_shape(values: dict[str, Any]) -> None:
    """See that the values of a file are demonstrations: the knowledge base may come from anywhere.

    Raises:
        ValueError, KeyError, TypeError: they are not.
    """
    texts, numbers = [values["encoder"], values["vectors"]], [values["next"]]
    for entry in values["entries"]:
        texts += entry["question"], entry["answer"]
        numbers.append(entry["number"])
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(number, int) for number in numbers):
        raise TypeError("it holds something else")
    if values["entries"]:
        _unpacked(values)


def _unpacked(values: dict[str, Any]) -> NDArray[np.float32]:
    """The vectors of the questions, shape [examples, dimensions]."""
    packed = np.frombuffer(base64.b64decode(values["vectors"]), dtype=np.float32)
    return packed.reshape(len(values["entries"]), -1)


def _checked(text: str, what: str) -> str:
    line = text.strip()
    if not line:
        raise ConfigurationError(f"a demonstration needs a {what}", hint="give a question and its answer")
    if len(line) > _LONGEST:
        raise ConfigurationError(f"the {what} has {len(line):,} characters", hint=f"{_LONGEST:,} are the most")
    return line


def read_examples(file: Path) -> list[tuple[str, str]]:
    """The questions and answers of a file: JSON lines, or CSV with a header, each with `question` and `answer`.

    Raises:
        ConfigurationError: the file cannot be read, or a record of it lacks one of the two.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        records = (
            [json.loads(line) for line in text.splitlines() if line.strip()]
            if file.suffix.lower() in {".jsonl", ".ndjson", ".json"}
            else list(csv.DictReader(io.StringIO(text)))
        )
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error}", hint="give JSON lines or CSV, in UTF-8, with question and answer"
        ) from error
    for number, record in enumerate(records, 1):
        for key in ("question", "answer"):
            if not isinstance(record, dict) or not isinstance(record.get(key), str):
                raise ConfigurationError(
                    f"record {number} of {file} has no {key}", hint="each needs question and answer"
                )
    return [(record["question"], record["answer"]) for record in records]
