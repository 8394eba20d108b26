"""The app under `examples/app`, run as the page says, and asked over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_app_answers_with_its_sources_and_escapes_what_it_is_given(tmp_path: Path) -> None:
    app = (ROOT / "examples" / "app" / "app.py").read_text()
    assert app.count("8000") == 2
    port = str(20_000 + os.getpid() % 20_000)
    (tmp_path / "app.py").write_text(app.replace("8000", port))
    server = subprocess.Popen(
        [sys.executable, "app.py", str(ROOT / "examples" / "handbook")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        page = ask(port, "How long do refunds take?")
        assert "within 14 days" in page
        assert "refunds.md, line" in page
        hostile = ask(port, "<script>alert(1)</script>")
        assert "<script>alert" not in hostile
        with pytest.raises(urllib.error.HTTPError, match="403"):
            ask(port, "How long do refunds take?", host="rebound.example")
    finally:
        server.kill()
        server.communicate()


def ask(port: str, question: str, host: str = "") -> str:
    query = urllib.parse.urlencode({"q": question})
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/?{query}", headers={"Host": host} if host else {})
    for _ in range(300):
        try:
            with urllib.request.urlopen(asked, timeout=60) as response:
                return response.read().decode()
        except urllib.error.HTTPError:
            raise
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)  # it is indexing
    raise AssertionError("the app does not answer")
