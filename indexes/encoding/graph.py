"""Runs the encoder's graph with OpenVINO: compiled once per machine, for single queries and for many passages."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openvino

Floats = NDArray[np.float32]
Inputs = list[NDArray[Any]]
Outputs = tuple[Floats, Floats]

Batch = TypeVar("Batch")
Keep = Callable[[Batch, Outputs], None]

# OpenVINO's binding sets itself up in its first calls and lets go of the interpreter lock meanwhile: two threads that
# make them at once wait for each other for ever. So in the whole process one thread at a time starts a graph.
_STARTING = threading.Lock()
_TRUSTED: dict[str, str] = {}  # the precision chosen for a graph, where no cache can keep it; guarded by _STARTING
_LEAST_COSINE = 0.99  # of bf16 to f32: where OpenVINO was right none was below 0.997, where it was wrong most below 0.9
_CHECKSUM_BYTES = 4
_MOST_STREAMS = 8  # each has to be compiled; where a container may use a part of 64 processors, 64 would only cost


class _Runner:
    """A compiled graph that threads share; each thread uses its own request while it runs a batch."""

    def __init__(self, compiled: openvino.CompiledModel) -> None:
        self._compiled = compiled
        # Requests are used again for their memory: getting it anew for every batch costs a fifth of the time.
        self._idle: list[openvino.InferRequest] = []

    def run(self, inputs: Inputs) -> Outputs:
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        request.infer(inputs, share_inputs=True)
        outputs = request.get_output_tensor(0).data.copy(), request.get_output_tensor(1).data.copy()
        self._idle.append(request)
        return outputs


class Graph:
    """A graph with two outputs. Threads may share one. Compiled on first use, and again for the first `run_all`.

    Compiling takes half a second of processor time, most of a cold search, so what it gives is kept in `cache` (a
    folder; nothing is kept when it cannot be written) and read back in a fifth of that.

    What is not int8 runs in bf16 where the processor has it, a seventh faster than f32, but only after every batch of
    `probe` has given the vectors of f32: OpenVINO has computed wrong ones, on some processors and for some shapes
    (as in openvinotoolkit/openvino#38256). The probe costs a second or two, once a machine: the kept graph is named
    after the precision it ended in.

    Args:
        path: the graph.
        fingerprint: what tells it from any other.
        probe: the batches that bf16 is judged by.
        cache: where what compiling gives is kept.
        least_cosine: of a vector in bf16 to that in f32, for bf16 to be trusted.
    """

    def __init__(
        self,
        path: Path,
        *,
        fingerprint: str,
        probe: Sequence[Inputs],
        cache: Path,
        least_cosine: float = _LEAST_COSINE,
    ) -> None:
        self._path = path
        self._fingerprint = fingerprint
        self._probe = probe
        self._cache = cache
        self._least_cosine = least_cosine
        self._loading = threading.Lock()
        self._single: _Runner | None = None
        self._parallel: _Runner | None = None

    def run(self, inputs: Inputs) -> Outputs:
        """Both outputs for one batch, as soon as can be."""
        with self._loading:
            if self._single is None:
                self._single = self._runner(streams=1)
        return self._single.run(inputs)

    def run_all(self, batches: Iterable[Batch], inputs: Callable[[Batch], Inputs], keep: Keep[Batch]) -> None:
        """Run many batches on up to 8 processors; threads call `keep(batch, outputs)`, in any order."""
        with self._loading:
            if self._parallel is None:
                self._parallel = self._runner(_streams())
        parallel = self._parallel

        def work(batch: Batch) -> None:
            keep(batch, parallel.run(inputs(batch)))

        # A thread a stream; OpenVINO's own queue aborts the process when it is used again after a failure.
        with ThreadPoolExecutor(_streams()) as pool:
            for _ in pool.map(work, batches):
                pass

    def _runner(self, streams: int) -> _Runner:
        """A runner that has run once. Its first call sets up parts of OpenVINO that it does not guard."""
        with _STARTING:
            runner = _Runner(self._compiled(streams))
            runner.run([values[:1] for values in self._probe[0]])
        return runner

    def _compiled(self, streams: int) -> openvino.CompiledModel:
        openvino = import_openvino()
        core = openvino.Core()
        # A virtual processor's name says little, so what it can do counts too.
        able = sorted(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
        traits = (self._fingerprint, openvino.__version__, core.get_property("CPU", "FULL_DEVICE_NAME"), able)
        digest = hashlib.sha256(repr(traits).encode())
        for part in itertools.chain.from_iterable(self._probe):
            digest.update(part.tobytes())
        key = digest.hexdigest()[:16]
        offered = ("bf16", "f32") if "BF16" in able else ("f32",)
        for precision in offered:  # one of them is kept: the one that was trusted
            blob = _read(self._cache / f"{key}-{precision}.blob")
            if blob is not None:
                # Refused, it is only out of date: an OpenVINO that cannot read it compiles anew.
                with contextlib.suppress(RuntimeError):
                    return core.import_model(blob, "CPU", _settings(precision, streams))
        precision = _TRUSTED.get(key, offered[0])
        compiled = core.compile_model(self._path, "CPU", _settings(precision, streams))
        if precision == "bf16" and key not in _TRUSTED:
            reference = core.compile_model(self._path, "CPU", _settings("f32", streams))
            if not self._agree(compiled, reference):
                precision, compiled = "f32", reference
        _TRUSTED[key] = precision
        _write(self._cache / f"{key}-{precision}.blob", compiled)
        return compiled

    def _agree(self, one: openvino.CompiledModel, other: openvino.CompiledModel) -> bool:
        """Whether every vector, and on average the token vectors, of each batch of the probe point the same way.

        Vectors are what the last dimension of an output holds, of unit length or not.
        """
        runners = _Runner(one), _Runner(other)
        for inputs in self._probe:
            vectors, tokens = (
                _cosines(*both) for both in zip(*(runner.run(inputs) for runner in runners), strict=True)
            )
            least = self._least_cosine
            if not (vectors.min() >= least and tokens[inputs[1] == 1].mean() >= least):
                return False
        return True


def _cosines(one: Floats, other: Floats) -> Floats:
    """The cosine of each vector of the one with its fellow."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    cosines: Floats = (one * other).sum(-1) / np.maximum(lengths, 1e-9)
    return cosines


def _settings(precision: str, streams: int) -> dict[str, Any]:
    # One thread a stream: no sum is ever split between threads, so the bits do not depend on their number.
    return {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams, "INFERENCE_PRECISION_HINT": precision}


def import_openvino() -> Any:
    """OpenVINO without its telemetry.

    `import openvino` reports itself to Google Analytics whenever the package `openvino_telemetry`, which it depends on,
    can be imported. It takes a missing one in its stride, so for the time of the import that package is missing.
    """
    is_ours = "openvino_telemetry" not in sys.modules
    if is_ours:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        if is_ours:
            del sys.modules["openvino_telemetry"]
    return openvino


def _read(path: Path) -> bytes | None:
    """The compiled graph kept at `path`, or None when there is none or not every byte of it is as written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    blob, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    return blob if _checksum(blob) == checksum else None


def _write(path: Path, compiled: openvino.CompiledModel) -> None:
    """Keep a compiled graph in place of all others of its folder, whole or not at all."""
    # A cache only saves time: where it cannot be written (a full disk, a read-only home) there is none.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        blob = compiled.export_model().getvalue()
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
            try:
                part.write(blob)
                part.write(_checksum(blob))
                part.close()
                Path(part.name).replace(path)
            except OSError:
                Path(part.name).unlink()
                raise
        for other in path.parent.glob("*.blob"):
            if other != path:
                other.unlink(missing_ok=True)


def _checksum(blob: bytes) -> bytes:
    return zlib.crc32(blob).to_bytes(_CHECKSUM_BYTES, "little")


def _streams() -> int:
    """One for each processor that this process may use, within reason."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(processors, _MOST_STREAMS)
