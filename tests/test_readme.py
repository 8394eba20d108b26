"""The commands of the README and of the pages for beginners run in their order, and print what the pages show."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs between two machines: times, and the last digits of probabilities.
VARYING = re.compile(r"\d+\.\d s\b|\d+%|[▰▱]+|relevance \d\.\d\d")

WALKED = {"rag", "echo", "rm", "python"}
WRONG_USAGE = 2


@dataclass
class Command:
    line: str
    shown: list[str] = field(default_factory=list)


def commands(page: str = README) -> list[Command]:
    found: list[Command] = []
    for language, body in BLOCK.findall(page):
        for line in body.splitlines() if language == "console" else ():
            if line.startswith("$ "):
                found.append(Command(line.removeprefix("$ ")))
            else:
                found[-1].shown.append(line)
    return found


def python_blocks(page: str = README) -> list[str]:
    return [body for language, body in BLOCK.findall(page) if language == "python"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README is walked."""
    return prepared(tmp_path_factory.mktemp("readme"))


def prepared(folder: Path) -> Path:
    """`folder` with the examples, and with `rag` on the path."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "bin").mkdir()
    script = folder / "bin" / "rag"
    script.write_text(f"#!{sys.executable}\nfrom cli.main import run\nrun()\n")
    script.chmod(0o755)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def run(line: str, place: Path, code: int = 0) -> str:
    """What a command prints, and behind it what it tells."""
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
    }
    done = subprocess.run(line, check=False, shell=True, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def steady(line: str) -> str:
    return VARYING.sub("…", line).rstrip()


@pytest.mark.slow
def test_the_walk_prints_what_the_readme_shows(place: Path) -> None:
    walked = [command for command in commands() if command.line.split()[0] in WALKED]
    assert len(walked) >= 8
    walk(walked, place)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["quick-start", "files", "search", "ask"])
def test_a_page_for_beginners_prints_what_it_shows(name: str, tmp_path: Path) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    walked = [command for command in commands(page) if command.line.split()[0] in WALKED]
    assert len(walked) >= 3
    walk(walked, prepared(tmp_path))


@pytest.mark.slow
def test_the_examples_of_cards_print_what_their_page_shows(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "cards.md").read_text(encoding="utf-8")
    walked = commands(page.partition("| kind |")[0])
    assert len(walked) >= 6
    walk(walked, prepared(tmp_path))


def walk(walked: list[Command], place: Path) -> None:
    for command in walked:
        if "--llm" in command.line or "models" in command.line:
            continue
        code = WRONG_USAGE if command.shown[:1] and command.shown[0].startswith("error: ") else 0
        printed = [steady(line) for line in run(command.line, place, code).splitlines()]
        for line in map(steady, command.shown):
            assert line in printed, f"$ {command.line}\nshould print {line!r}, but prints\n" + "\n".join(printed)


@pytest.mark.usefixtures("smollm2")
def test_the_local_model_answers_as_the_readme_says(tmp_path: Path) -> None:
    place = prepared(tmp_path / "readme")
    run("rag index examples/handbook", place)
    for command in commands():
        if command.line.startswith("rag") and ("--llm" in command.line or "models" in command.line):
            assert run(command.line, place).strip()


def test_the_python_example_runs(place: Path) -> None:
    (example,) = python_blocks()
    assert "True" in run(f"{sys.executable} -c {_quoted(example)}", place)


def test_the_page_about_python_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    example = "\n".join(python_blocks(page))
    assert "1 supported We pay the money back" in run(f"{sys.executable} -c {_quoted(example)}", prepared(tmp_path))


def test_the_two_commands_are_targets() -> None:
    made = [command.line.split("#")[0].split() for command in commands() if command.line.startswith("make")]
    assert made == [["make", "demo"], ["make", "test"]]
    for line in made:
        subprocess.run([*line, "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_what_is_installed_in_the_readme_is_an_extra() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"pip install '\.\[(\w+)\]'", README):
        assert re.search(rf"^{extra} = ", pyproject, re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_what_the_context_benchmark_quotes_stands_in_its_page() -> None:
    for line in (ROOT / "benchmarks" / "context_questions.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        page = " ".join((ROOT / asked["file"]).read_text(encoding="utf-8").split())
        assert page.count(" ".join(asked["quote"].split())) == 1, asked


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"
