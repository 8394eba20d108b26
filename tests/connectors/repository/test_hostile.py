"""Repositories that somebody made to harm the reader, and broken ones: nothing of them runs, what is whole is read."""

from __future__ import annotations

import hashlib
import os
import shutil
import zlib
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError, SourceError
from connectors.registry import open_source
from connectors.repository.committed import CommittedSource
from connectors.repository.git import NoGitError
from connectors.repository.limits import RepositoryLimits
from connectors.source import Added, Changed, Failed, Source, Unchanged
from tests.connectors.repository.events import kinds, listed, remember
from tests.connectors.repository.repositories import commit, git, put, repository

FILES: dict[str, str | bytes] = {"README.md": "# Cart\n\nWords.\n", "src/cart.py": "total = 1\n", ".gitattributes": ""}


def sources(folder: Path) -> list[Source]:
    """A repository read in both ways."""
    return [open_source(str(folder)), open_source(str(folder), {"rev": "HEAD"})]


def test_nothing_that_a_repository_brings_is_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 $@ >> {tmp_path}/sprung\n")
    trap.chmod(0o755)
    attributes = "*.py filter=trap diff=trap\nlegacy/** linguist-vendored\n"
    folder = repository(tmp_path / "r", {**FILES, ".gitattributes": attributes, "legacy/a.c": "int a;\n"})
    for setting, value in {
        "core.fsmonitor": str(trap),
        "core.hooksPath": str(folder / "hooks"),
        "core.sshCommand": str(trap),
        "core.pager": str(trap),
        "core.askPass": str(trap),
        "core.editor": str(trap),
        "core.alternateRefsCommand": str(trap),
        "core.gitProxy": str(trap),
        "credential.helper": str(trap),
        "filter.trap.clean": str(trap),
        "filter.trap.smudge": str(trap),
        "filter.trap.process": str(trap),
        "filter.trap.required": "true",
        "diff.trap.textconv": str(trap),
        "diff.trap.command": str(trap),
        "diff.external": str(trap),
        "gpg.program": str(trap),
        "log.showSignature": "true",
        "alias.cat-file": f"!{trap}",
        "alias.ls-files": f"!{trap}",
        "pager.cat-file": str(trap),
        # an object that is missing would be fetched from here, by a program of its choice
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "remote.origin.url": str(tmp_path / "nowhere"),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": str(trap),
        "protocol.allow": "always",
        "protocol.file.allow": "always",
        "protocol.ext.allow": "always",
        "safe.directory": "*",
        "include.path": str(tmp_path / "more"),
    }.items():
        git(folder, "config", setting, value)
    (tmp_path / "more").write_text(f"[core]\n\tfsmonitor = {trap}\n")
    for hooks in (folder / "hooks", folder / ".git" / "hooks"):
        hooks.mkdir(exist_ok=True)
        for hook in ("post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman", "pre-commit"):
            shutil.copy(trap, hooks / hook)
    os.utime(folder / "src/cart.py", (1, 1))  # git would look whether it changed, through the filter
    missing = git(folder, "rev-parse", "HEAD:README.md")
    (folder / ".git/objects" / missing[:2] / missing[2:]).unlink()
    work_tree, committed = sources(folder)
    assert {"README.md", "src/cart.py"} < set(listed(work_tree))
    events = listed(committed)
    assert kinds(events) == {"README.md": Failed, "src/cart.py": Added}
    assert not (tmp_path / "sprung").exists()


def test_the_trap_of_the_test_above_springs_for_an_unguarded_git(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho $0 >> {tmp_path}/sprung\n")
    trap.chmod(0o755)
    folder = repository(tmp_path / "r", FILES)
    git(folder, "config", "core.fsmonitor", str(trap))
    git(folder, "status")
    assert (tmp_path / "sprung").exists()


def test_an_option_is_no_revision(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    for rev in ("--help", "-h", f"--output={tmp_path}/written", "HEAD:README.md", "nowhere", "a\nb"):
        with pytest.raises(SourceError, match="has no revision") as caught:
            listed(open_source(str(folder), {"rev": rev}))
        assert "git log" in caught.value.hint
    assert not (tmp_path / "written").exists()


def make_object(folder: Path, kind: str, data: bytes) -> str:
    """Write an object that no honest git would make."""
    content = f"{kind} {len(data)}\0".encode() + data
    name = hashlib.sha1(content).hexdigest()
    path = folder / ".git/objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(content))
    return name


def commit_of(folder: Path, tree_hash: str) -> str:
    person = "Ada <ada@example.org> 0 +0000"
    return make_object(folder, "commit", f"tree {tree_hash}\nauthor {person}\ncommitter {person}\n\nmade\n".encode())


def test_paths_that_no_file_can_have_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    blob = bytes.fromhex(git(folder, "rev-parse", "HEAD:README.md"))
    lines = [(b"100644", b"../evil.md"), (b"100644", b".."), (b"100644", b"fine.md"), (b"100644", b"not\xffutf8.md")]
    made = make_object(folder, "tree", b"".join(mode + b" " + name + b"\0" + blob for mode, name in lines))
    events = listed(open_source(str(folder), {"rev": commit_of(folder, made)}))
    assert kinds(events) == {"../evil.md": Failed, "..": Failed, "fine.md": Added, "not\\xffutf8.md": Failed}


@pytest.mark.slow
def test_a_few_trees_that_make_billions_of_paths_are_not_read(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    known = remember(listed(open_source(str(folder), {"rev": "HEAD"})))
    below = git(folder, "rev-parse", "HEAD:src")
    for _ in range(12):
        inside = b"".join(b"40000 %d\0" % number + bytes.fromhex(below) for number in range(10))
        below = make_object(folder, "tree", inside)
    git(folder, "update-ref", "refs/heads/main", commit_of(folder, below))
    source = CommittedSource(folder, rev="HEAD", limits=RepositoryLimits(files=4_000))
    assert source.size_hint() is None
    with pytest.raises(SourceError, match="more than 4,000 files"):
        list(source.events(known))


def test_a_pipe_in_the_place_of_an_object_is_not_waited_for(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    name = git(folder, "rev-parse", "HEAD:README.md")
    place = folder / ".git/objects" / name[:2] / name[2:]
    place.unlink()
    os.mkfifo(place)
    events = listed(CommittedSource(folder, rev="HEAD", limits=RepositoryLimits(seconds=1.0)))
    assert kinds(events) == {"README.md": Failed, "src/cart.py": Added}


def test_a_missing_or_damaged_file_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {**FILES, "docs/deep/a.md": "# A\n", "docs/b.md": "# B\n"})
    source = open_source(str(folder), {"rev": "HEAD"})
    known = remember(listed(source))
    commit(folder, {"README.md": "# Other\n", "src/cart.py": "total = 2\n", "docs/deep/a.md": "# Other A\n"})
    for name in ("HEAD:README.md", "HEAD:docs/deep"):
        key = git(folder, "rev-parse", name)
        place = folder / ".git/objects" / key[:2] / key[2:]
        place.chmod(0o644)
        if name.endswith("README.md"):
            place.write_bytes(b"damaged")
        else:
            place.unlink()
    events = listed(source, known)
    assert kinds(events) == {
        "README.md": Failed,
        "src/cart.py": Changed,
        "docs/deep": Failed,
        "docs/deep/a.md": Unchanged,  # kept: nobody knows that it is gone
        "docs/b.md": Unchanged,
    }
    lost = events["docs/deep"]
    assert isinstance(lost, Failed)
    assert "not in this repository" in lost.error
    assert lost.hint


def test_a_head_that_names_nothing_keeps_what_is_known(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    work_tree, committed = sources(folder)
    known = remember(listed(work_tree))
    (folder / ".git/HEAD").write_text("f" * 40)
    with pytest.raises(SourceError, match="has no revision"):
        listed(committed)
    with pytest.raises(SourceError, match="names no existing commit"):
        listed(open_source(str(folder / ".git")))
    assert set(kinds(listed(work_tree, known)).values()) == {Unchanged}
    assert any("names no existing commit" in note for note in work_tree.notes)
    (folder / ".git/index").write_bytes(b"damaged")
    assert set(kinds(listed(work_tree, known)).values()) == {Unchanged}
    (folder / ".git/HEAD").unlink()  # no repository any more: a folder
    assert set(kinds(listed(work_tree, known)).values()) == {Unchanged}


def test_a_repository_without_commits(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    git(folder, "init", "--quiet")
    put(folder, FILES)
    work_tree = open_source(str(folder))
    assert set(listed(work_tree)) == {"README.md", "src/cart.py"}
    assert work_tree.notes == []
    with pytest.raises(SourceError, match="has no commits on its branch main") as caught:
        listed(open_source(str(folder / ".git")))
    assert "commit" in caught.value.hint


def test_without_git_a_work_tree_is_a_folder_and_a_bare_clone_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository(tmp_path / "r", {**FILES, "vendor/a.go": "package a\n"})
    git(tmp_path, "clone", "--quiet", "--bare", "r", "r.git")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(listed(open_source(str(folder)))) == {"README.md", "src/cart.py"}
    bare = open_source(str(tmp_path / "r.git"))
    assert bare.size_hint() is None
    with pytest.raises(NoGitError, match="git is not installed") as caught:
        listed(bare)
    assert "install git" in caught.value.hint


def test_what_is_no_repository_has_no_revision(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", FILES)
    with pytest.raises(SourceError, match="is not a git repository"):
        listed(open_source(str(tmp_path), {"rev": "HEAD"}))
    with pytest.raises(SourceError, match="is only a folder of a git repository") as caught:
        listed(open_source(str(folder / "src"), {"rev": "HEAD"}))
    assert str(folder) in caught.value.hint
    with pytest.raises(ConfigurationError, match="remote repositories"):
        open_source("git://example.org/cart.git")
