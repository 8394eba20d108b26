from __future__ import annotations

from pathlib import Path

import pytest

from connectors.folders.ignore import IgnoreRules
from connectors.folders.walk import FolderEntry, Unreadable, Walk


def grow(root: Path, *names: str, **files: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def found(root: Path, **options: object) -> set[str]:
    entries = list(Walk(str(root), IgnoreRules(str(root), **options)))  # type: ignore[arg-type]
    assert not [entry for entry in entries if isinstance(entry, Unreadable)]
    paths = [Path(entry.path).relative_to(root).as_posix() for entry in entries if isinstance(entry, FolderEntry)]
    assert len(paths) == len(set(paths))
    return set(paths)


NOISE = [
    ".git/config",
    ".rag/catalog.db",
    "node_modules/left-pad/index.js",
    "src/__pycache__/a.py",
    ".venv/lib/x.py",
    "build/lib/a.py",
    "dist/a.txt",
    "a.egg-info/PKG-INFO",
    "photo.JPG",
    "film.mp4",
    "archive.tar.gz",
    "app.exe",
    "package-lock.json",
    "jquery.min.js",
    "~$report.docx",
    "notes.txt~",
    ".env",
    "server.key",
    ".DS_Store",
]


def test_the_usual_noise_is_left_out_unless_asked_for(tmp_path: Path) -> None:
    grow(tmp_path, "README.md", "src/a.py", "docs/.hidden/b.md", *NOISE)
    assert found(tmp_path) == {"README.md", "src/a.py", "docs/.hidden/b.md"}
    assert found(tmp_path, use_ignore=False) == {"README.md", "src/a.py", "docs/.hidden/b.md", *NOISE}


def test_a_folder_called_as_a_built_one_is_read_outside_code(tmp_path: Path) -> None:
    grow(tmp_path, "coverage/policy.md", "build/permit.md", "target/2025.md", "app/src/a.py", "app/pyproject.toml")
    grow(tmp_path, "app/coverage/index.md", "app/ui/dist/b.md", "notes/.cache/c.md")
    names = {"coverage/policy.md", "build/permit.md", "target/2025.md", "app/src/a.py", "app/pyproject.toml"}
    assert found(tmp_path) == names
    (tmp_path / ".git").mkdir()
    assert found(tmp_path) == {"app/src/a.py", "app/pyproject.toml"}
    assert found(tmp_path / "app" / "ui") == set(), "the repository is above"


def test_what_the_built_in_list_leaves_out_is_counted_by_reason(tmp_path: Path) -> None:
    grow(tmp_path, "a.md", *(f"{n}.png" for n in range(7)), "deep/fonts/x.ttf", "env/pyvenv.cfg", ".DS_Store", "b.log")
    grow(tmp_path, ".git/config", "dist/b.md", "id_rsa", "c.tmp", "drafts/d.md", "drafts/e.png")
    write(tmp_path / ".gitignore", "*.log\ndrafts\n")
    walk = Walk(str(tmp_path), IgnoreRules(str(tmp_path)))
    assert [Path(entry.path).name for entry in walk] == ["a.md"]
    told = {each.reason: (each.count, each.examples) for each in walk.left_out.by_reason()}
    assert told == {
        "pictures": (7, ("0.png", "1.png", "2.png", "3.png", "4.png")),
        "fonts": (1, ("deep/fonts/x.ttf",)),
        "virtual environments": (1, ("env",)),
        "folders of build output and dependencies": (1, ("dist",)),
        "keys and passwords": (1, ("id_rsa",)),
        "temporary files and copies": (1, ("c.tmp",)),
    }


def test_transcripts_are_read(tmp_path: Path) -> None:
    grow(tmp_path, "council.vtt", "film.srt", "film.mkv")
    assert found(tmp_path) == {"council.vtt", "film.srt"}


def test_a_virtual_environment_is_known_by_its_marker_under_any_name(tmp_path: Path) -> None:
    grow(tmp_path, "a.md", "my-env/pyvenv.cfg", "my-env/lib/b.py")
    assert found(tmp_path) == {"a.md"}


def test_gitignore_rules_nest_and_the_nearest_decides(tmp_path: Path) -> None:
    grow(tmp_path, "a.log", "keep.log", "sub/a.log", "sub/b.txt", "sub/deep/b.txt", "sub/deep/c.txt", "drafts/x.md")
    write(tmp_path / ".gitignore", "*.log\n!keep.log\n/drafts/\n")
    write(tmp_path / "sub/.gitignore", "!a.log\n/b.txt\n")
    assert found(tmp_path) == {"keep.log", "sub/a.log", "sub/deep/b.txt", "sub/deep/c.txt"}


def test_ragignore_decides_over_gitignore_and_over_the_built_in_list(tmp_path: Path) -> None:
    grow(tmp_path, "secret.md", "build/guide.md", "notes.md", "data.txt")
    write(tmp_path / ".gitignore", "data.txt\n")
    write(tmp_path / ".ragignore", "secret.md\n!build/\n!data.txt\n")
    assert found(tmp_path) == {"build/guide.md", "notes.md", "data.txt"}


def test_the_rules_of_the_repository_above_count(tmp_path: Path) -> None:
    grow(tmp_path, "docs/a.md", "docs/draft.md", "docs/deep/b.md")
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".gitignore", "draft.md\n/docs/deep/\n")
    assert found(tmp_path / "docs") == {"a.md"}


def test_an_ignored_folder_that_is_named_itself_is_read(tmp_path: Path) -> None:
    grow(tmp_path, "data/a.md")
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".gitignore", "data/\n")
    assert found(tmp_path) == set()
    assert found(tmp_path / "data") == {"a.md"}
    grow(tmp_path, "build/b.md")
    assert found(tmp_path / "build") == {"b.md"}


def test_rules_above_a_folder_outside_any_repository_do_not_count(tmp_path: Path) -> None:
    grow(tmp_path, "docs/a.md")
    write(tmp_path / ".gitignore", "*.md\n")
    assert found(tmp_path / "docs") == {"a.md"}


@pytest.mark.parametrize(
    ("include", "names"),
    [
        (["build/docs/*.md"], {"a.md", "build/docs/b.md"}),
        (["*.log"], {"a.md", "x.log"}),
        (["build/"], {"a.md", "build/docs/b.md", "build/c.txt"}),
    ],
)
def test_include_brings_back_what_is_ignored(tmp_path: Path, include: list[str], names: set[str]) -> None:
    grow(tmp_path, "a.md", "x.log", "build/docs/b.md", "build/c.txt")
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".gitignore", "*.log\n")
    assert found(tmp_path, include=include) == names


def test_exclude_is_the_last_word(tmp_path: Path) -> None:
    grow(tmp_path, "a.md", "b.txt", "drafts/c.md")
    assert found(tmp_path, exclude=["*.txt", "drafts"], include=["b.txt"]) == {"a.md"}
    assert found(tmp_path, exclude=["*.txt"], use_ignore=False) == {"a.md", "drafts/c.md"}


def test_an_ignore_file_is_found_data_and_cannot_break_or_hang_the_walk(tmp_path: Path) -> None:
    grow(tmp_path, "a" * 100 + ".md", "b.log")
    write(tmp_path / ".gitignore", "*a*a*a*a*a*a*a*a*a*a*a*a*b\n!\n\\\n[z-a]\n///\n*.log\n")
    assert found(tmp_path) == {"a" * 100 + ".md"}
    (tmp_path / ".gitignore").write_bytes(b"\xff\xfe\x00*.md\n*.log\n")
    assert "b.log" not in found(tmp_path)


def test_an_ignore_file_that_is_a_folder_is_no_rule(tmp_path: Path) -> None:
    grow(tmp_path, ".gitignore/a.md", "b.md")
    assert "b.md" in found(tmp_path)
