from __future__ import annotations

import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xlsxwriter

from connectors.errors import SourceError
from connectors.files import FileSource
from connectors.formats import parse
from connectors.formats.isolation import Worker
from connectors.source import Added, Failed
from tests.connectors.samples import make

PDF = make.pdf([[("Pilot fish swim.", 11)]])


def stray_cell() -> bytes:
    """A sheet that a parser lays out as seventeen thousand million cells: one is in the last corner."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "first")
    sheet.write(1_048_575, 16_383, "last")
    book.close()
    return stream.getvalue()


def test_a_file_that_crashes_its_parser_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(PDF)
    (tmp_path / "b.xlsx").write_bytes(stray_cell())
    (tmp_path / "c.pdf").write_bytes(PDF)
    first, second, third = FileSource(tmp_path).events({})
    assert isinstance(first, Added)
    assert isinstance(second, Failed)
    assert second.error.startswith("b.xlsx: ")
    assert second.hint
    assert isinstance(third, Added)
    assert third.document.text == "Pilot fish swim."


def test_a_parser_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    worker = Worker()
    try:
        with pytest.raises(SourceError, match=r"longer than 0\.001 seconds"):
            worker.parse(PDF, Path("a.pdf"), seconds=0.001)
        assert worker.parse(PDF, Path("a.pdf")).text == "Pilot fish swim."
    finally:
        worker.stop()


def test_a_worker_that_was_killed_is_replaced() -> None:
    worker = Worker()
    try:
        assert worker.parse(PDF, Path("a.pdf")).kind == "pdf"
        worker.stop()
        assert worker.parse(PDF, Path("a.pdf")).kind == "pdf"
    finally:
        worker.stop()


def test_the_answer_is_complete() -> None:
    data = make.pdf(
        [[("A heading", 20), ("", 11), ("Some text of the body.", 11)], [("More.", 11)]], title="The title of it"
    )
    parsed = parse(data, Path("a.pdf"))
    assert (parsed.title, parsed.metadata["pages"], parsed.pages) == ("The title of it", 2, (0, 35))
    assert parsed.blocks[0].label == "A heading"
    with pytest.raises(TypeError):
        parsed.metadata["new"] = 1  # type: ignore[index]


def test_modules_lying_in_the_current_folder_are_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "connectors", "lxml"):
        (tmp_path / f"{name}.py").write_text("open('was-run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    worker = Worker()
    try:
        assert worker.parse(PDF, Path("a.pdf")).kind == "pdf"
    finally:
        worker.stop()
    assert not (tmp_path / "was-run").exists()


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="needs Linux")
def test_the_process_that_parses_can_write_to_no_file() -> None:
    worker = Worker()
    try:
        worker.parse(PDF, Path("a.pdf"))
        limits = Path(f"/proc/{worker.process_id}/limits").read_text()
    finally:
        worker.stop()
    assert re.search(r"^Max file size +0 +0 ", limits, re.MULTILINE)


def test_threads_get_their_own_answers() -> None:
    files = {f"{number}.html": f"<p>number {number}</p>".encode() for number in range(40)}
    with ThreadPoolExecutor(4) as pool:
        texts = pool.map(lambda name: parse(files[name], Path(name)).text, files)
    assert list(texts) == [f"number {number}" for number in range(40)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_starts_its_own_worker() -> None:
    assert parse(PDF, Path("a.pdf")).kind == "pdf"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, parse(PDF, Path("a.pdf")).text.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert os.read(reader, 100) == b"Pilot fish swim."
    os.close(reader)
    assert parse(PDF, Path("a.pdf")).kind == "pdf"
