"""Nothing leaves the machine: not by us, and not by what we import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

# Every address looked up or connected to, by any module and in any thread, is recorded by the interpreter itself.
WATCH = """
import atexit, json, sys
seen = []
def watch(event, arguments):
    if event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto", "subprocess.Popen"}:
        seen.append([event, str(arguments[0]) if event.startswith("socket.get") else str(arguments)])
sys.addaudithook(watch)
"""
WORK = """
from rag import KnowledgeBase
kb = KnowledgeBase.open(sys.argv[1])
report = kb.index(sys.argv[2])
assert report.added == 2, report
assert kb.search("refunds")
assert kb.ask("How long do refunds take?").citations
import time; time.sleep(1)
print(json.dumps({"seen": seen, "modules": sorted(sys.modules)}))
"""


def test_indexing_searching_and_asking_make_no_connection(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "refunds.md").write_text("# Refunds\n\nRefunds are paid within 14 days.\n")
    (documents / "page.html").write_text("<html><body><h1>Shop</h1><p>The shop is open all day.</p></body></html>")
    done = subprocess.run(
        [sys.executable, "-c", WATCH + WORK, str(tmp_path / "kb"), str(documents)],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin", "HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parent.parent)},
    )
    told = json.loads(done.stdout)
    assert [event for event in told["seen"] if event[0] != "subprocess.Popen"] == []
    assert "openvino_telemetry" not in told["modules"]
    assert not {"torch", "sentence_transformers"} & set(told["modules"])
