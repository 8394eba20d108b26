"""The compiled graph that is kept between runs: it saves time, and never changes or breaks anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import indexes.encoding.graph
from indexes.encoding.graph import Graph, Inputs, Outputs, import_openvino

XML = Path(indexes.encoding.graph.__file__).parent / "encoder_data" / "encoder.xml"
INPUTS = [np.array([[101, 4937, 102]], np.int64), np.ones((1, 3), np.int64)]
UNREACHABLE = 1.01  # more than rounding leaves of any cosine, so bf16 is as good as wrong


def graph(cache: Path, fingerprint: str = "one", probe: Inputs = INPUTS, **settings: float) -> Graph:
    return Graph(XML, fingerprint=fingerprint, probe=[probe], cache=cache, **settings)


def filled(length: int) -> Inputs:
    """A batch of one row of other word pieces in each place."""
    return [1000 + np.arange(length, dtype=np.int64)[None], np.ones((1, length), np.int64)]


def f32(inputs: Inputs) -> Outputs:
    """What the graph gives without bf16."""
    settings = {"NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    outputs = import_openvino().Core().compile_model(XML, "CPU", settings)(inputs)
    return outputs[0], outputs[1]


def vector(made: Graph) -> bytes:
    return made.run(INPUTS)[0].tobytes()


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.iterdir() if path.is_file()]


def test_the_graph_read_back_gives_the_same_bits(tmp_path: Path) -> None:
    compiled = vector(graph(tmp_path))
    (blob,) = kept(tmp_path)
    written = blob.stat().st_mtime_ns

    assert vector(graph(tmp_path)) == compiled
    assert blob.stat().st_mtime_ns == written


@pytest.mark.parametrize("keep", [3, -1])
def test_a_damaged_copy_is_replaced(tmp_path: Path, keep: int) -> None:
    compiled = vector(graph(tmp_path))
    (blob,) = kept(tmp_path)
    whole = blob.read_bytes()
    blob.write_bytes(whole[:keep] if keep >= 0 else whole[:-9] + b"wrong" + whole[-4:])

    assert vector(graph(tmp_path)) == compiled
    assert blob.stat().st_size > len(whole) // 2


def test_another_encoder_replaces_the_copy_of_the_last(tmp_path: Path) -> None:
    graph(tmp_path, "one").run(INPUTS)
    (first,) = kept(tmp_path)

    graph(tmp_path, "two").run(INPUTS)

    (second,) = kept(tmp_path)
    assert first != second


def test_where_nothing_can_be_kept_it_still_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    assert vector(graph(tmp_path / "file")) == vector(graph(tmp_path / "folder"))


def test_where_bf16_disagrees_it_is_not_used_then_or_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = vector(graph(tmp_path, "distrusted", least_cosine=UNREACHABLE))
    monkeypatch.setattr(indexes.encoding.graph, "_TRUSTED", {})  # as in another process
    (blob,) = kept(tmp_path)
    written = blob.stat().st_mtime_ns

    assert first == f32(INPUTS)[0].tobytes()
    assert vector(graph(tmp_path, "distrusted")) == first
    assert blob.stat().st_mtime_ns == written


def test_where_nothing_can_be_kept_a_process_chooses_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    first = vector(graph(tmp_path / "file", "chosen once", least_cosine=UNREACHABLE))

    assert vector(graph(tmp_path / "file", "chosen once")) == first == f32(INPUTS)[0].tobytes()


def test_a_shape_that_a_processor_gets_wrong_in_bf16_is_right_once_it_is_in_the_probe(tmp_path: Path) -> None:
    inputs = filled(32)  # wrong with AMX: see `indexes.encoding.batches.padded`

    for found, expected in zip(graph(tmp_path, probe=inputs).run(inputs), f32(inputs), strict=True):
        assert ((found * expected).sum(-1) > 0.98).all()


def test_many_batches_give_what_one_query_gives(tmp_path: Path) -> None:
    made = graph(tmp_path)
    found: dict[int, bytes] = {}

    made.run_all(
        range(1, 9),
        lambda size: [part.repeat(size, axis=0) for part in INPUTS],
        lambda size, outputs: found.update({size: outputs[0][-1].tobytes()}),
    )

    assert found == dict.fromkeys(range(1, 9), vector(made))


def test_a_failure_while_keeping_results_is_the_callers_and_spoils_nothing(tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError("cannot keep")

    made = graph(tmp_path)
    with pytest.raises(ArithmeticError, match="cannot keep"):
        made.run_all(range(50), lambda _: INPUTS, fail)

    found: list[int] = []
    made.run_all([7], lambda _: INPUTS, lambda batch, _: found.append(batch))
    assert found == [7]


@pytest.mark.slow
def test_threads_that_start_at_once_do_not_wait_for_each_other_for_ever() -> None:
    # Switching threads at every chance made every second such process hang.
    program = """
import sys
sys.setswitchinterval(1e-6)
import indexes.encoding.graph
indexes.encoding.graph._streams = lambda: 8
from indexes.encoding.loading import load_encoder
load_encoder().encode([f"text number {n} " * (1 + n % 40) for n in range(100)])
"""
    for _ in range(4):
        subprocess.run([sys.executable, "-c", program], check=True, timeout=100, cwd=Path(__file__).parents[3])
