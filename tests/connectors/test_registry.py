from __future__ import annotations

from pathlib import Path

import pytest

from connectors.errors import ConfigurationError, SourceError
from connectors.registry import open_source, public_name
from connectors.source import Added, Configured, Options, Source


def test_a_path_and_a_file_uri_name_the_same_source(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n")
    for spec in (str(folder), folder.as_uri(), f"{folder}/", f"{folder}/../with space"):
        source = open_source(spec)
        assert isinstance(source, Source)
        assert source.uri == str(folder)
        assert [type(event) for event in source.events({})] == [Added]


def test_relative_and_home_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_source("docs").uri == str(tmp_path / "docs")
    assert open_source(".").uri == str(tmp_path)
    assert open_source("~/docs").uri == str(tmp_path / "docs")


def test_options_reach_the_source(tmp_path: Path) -> None:
    for name in ("a.md", "b.log", "build/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert open_source(str(tmp_path), {"use_ignore": False, "exclude": ["*.log"]}).size_hint() == 2
    assert open_source(str(tmp_path), {"include": ["build/"]}).size_hint() == 3
    database = open_source("postgresql://ann:pw@host/shop", {"tables": ["orders"], "password_from": "env:PW"})
    assert isinstance(database, Configured)
    assert database.options == {"tables": ["orders"], "user": "ann"}, "the password that was typed is for now"


@pytest.mark.parametrize(
    ("spec", "options"), [("docs", {"tables": ["orders"]}), ("postgresql://host/shop", {"include": ["*.md"]})]
)
def test_options_of_another_kind_of_source_are_refused(spec: str, options: Options) -> None:
    with pytest.raises(ConfigurationError, match="is not an option of") as caught:
        open_source(spec, options)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("spec", "reason", "hint"),
    [
        ("oracle://user:pw@host/db", "oracle databases", "export"),
        ("sqlite://shop.db", "names no file", "sqlite:///"),
        ("https://example.org/page", "https", "save"),
        ("git+https://example.org/x.git", "repositories", "clone"),
        ("file://host/share/a.txt", "another host", "file:///"),
        ("", "not a source", "name"),
        ("a\0b", "not a source", "name"),
    ],
)
def test_what_cannot_be_a_source_says_what_to_do_instead(spec: str, reason: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=reason) as caught:
        open_source(spec)
    assert hint in caught.value.hint
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "typed", ["postgresql:/ann:s3cret@host/shop", "postgres://ann:s3cret@host", "mysql:ann:s3cret@host"]
)
def test_no_error_repeats_a_password(typed: str) -> None:
    assert "s3cret" not in public_name(typed)
    with pytest.raises((ConfigurationError, SourceError)) as refused:
        open_source(typed).uri.strip()
    assert "s3cret" not in f"{refused.value} {refused.value.hint}"
