"""Cut the power: record a run, and check what the disk may hold when the run stops anywhere.

The recording is of system calls, so it has SQLite's, tantivy's and FAISS's as well as ours. It explains every byte
that the run left: nothing was written past it, through memory for example.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from tests.crash.disk import Disk, Entry, Left, read_recording, read_tree, write_tree
from tests.crash.harness import Kind, Trial, spread


@dataclass(frozen=True)
class Cut:
    """What came of one power cut.

    Attributes:
        after: how many calls of the run were done.
        left: what the disk kept of what was not synced.
        published: the generation left; None when there is no knowledge base.
        problem: what was wrong afterwards.
        rebuilt: what was said of indexes that had to be made anew.
    """

    scenario: str
    after: int
    left: Left
    published: int | None
    problem: str
    rebuilt: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.scenario} CUT {self.after}, {self.left} left of what was not synced: {self.problem or 'ok'}"


class PowerCuts:
    """A recorded run of a scenario.

    Attributes:
        entries: its calls.
        published: how many calls were done when a generation had been published → its number.
        unexplained: the files that the run left otherwise than its calls say.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        folder = trial.folder / "recorded"
        disk = folder / "disk"
        disk.mkdir(parents=True)
        trial.copy(disk / "kb")
        trial.copy(folder / "before" / "kb")
        before = trial.server.look(folder / "before", "read", folder / "before" / "kb")["generation"] or 0
        self._start = Disk(disk)
        ended = trial.server.rag(folder, disk / "kb", trial.arguments, Kind.RECORD)
        assert ended.code == 0, ended.stderr
        self.entries: list[Entry] = []
        self.published = {0: before}
        for each in read_recording(folder / "recording"):
            if isinstance(each, Entry):
                self.entries.append(each)
            else:
                self.published[len(self.entries)] = int(each)
        done = deepcopy(self._start)
        for entry in self.entries:
            done.apply(entry)
        expected, found = done.now(), read_tree(disk)
        # What SQLite shares between processes is in memory, and made anew by the first that opens the catalog.
        self.unexplained = sorted(
            path
            for path in expected.keys() | found.keys()
            if not path.endswith("-shm") and (path not in found or expected.get(path, "") != found[path])
        )

    def points(self, count: int, phase: float = 0.5) -> list[int]:
        """About `count` numbers of calls after which the power may go: right before and after something was synced."""
        synced = [number for number, entry in enumerate(self.entries) if entry.syncs]
        around = sorted({at for number in synced for at in (number, number + 1)})
        return sorted({*spread(around, count - 1, phase), len(self.entries)})

    def cut(
        self,
        points: Sequence[int],
        kinds: Sequence[Left] = tuple(Left),
        *,
        obeyed: Callable[[Entry], bool] = lambda _sync: True,
    ) -> Iterator[Cut]:
        """Cut the power at these points (ascending), at each with what the next of `kinds` leaves.

        Args:
            points: how many calls are done.
            kinds: taken in turn.
            obeyed: which of the calls that sync something the disk obeys.
        """
        disk = deepcopy(self._start)
        done = 0
        for number, point in enumerate(points):
            for entry in self.entries[done:point]:
                if not entry.syncs or obeyed(entry):
                    disk.apply(entry)
            done = point
            left = kinds[number % len(kinds)]
            yield self._check(point, left, disk.after_cut(left, seed=point))

    def _check(self, after: int, left: Left, tree: dict[str, bytes | None]) -> Cut:
        trial = self._trial
        folder = Path(tempfile.mkdtemp(prefix=f"cut-{after}-{left}-", dir=trial.folder))
        write_tree(folder / "disk", tree)
        kb = folder / "disk" / "kb"
        sure = max(generation for calls, generation in self.published.items() if calls <= after)
        published: int | None = None
        rebuilt: list[str] = []
        problem = ""
        try:
            stored = set(trial.server.look(folder / "stored", "stored_texts", kb))
            published, rebuilt = trial.check_published(folder, kb, orderly=left.orderly)
            assert (published or 0) >= sure, f"generation {sure} was published, and {published} is left"
            trial.check_completed(folder, kb, stored)
        except AssertionError as error:
            problem = str(error)
        if not problem:
            shutil.rmtree(folder)
        return Cut(trial.scenario.name, after, left, published, problem, tuple(rebuilt))
