"""Repositories from the command line: indexed, pulled, renamed, bare, and shown with their commit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Rag
from tests.connectors.repository.repositories import commit, git, repository

FILES: dict[str, str | bytes] = {
    "README.md": "# Cart\n\nThe cart holds what a customer wants to buy.\n",
    "shop/refunds.py": 'def refund(order):\n    """Pay the money for an order back."""\n    return -order.total\n',
    "vendor/lib/zip.go": "package zip\n\n// Compress squeezes what it is given.\nfunc Compress() {}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return repository(tmp_path / "shop", FILES)


def test_a_repository_is_indexed_pulled_and_shown_with_its_commit(rag: Rag, folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "shop", "mine")
    first = rag("index", "mine")
    assert first.code == 0
    assert first.out.startswith("added 2 ·")
    assert "left out as vendored or generated: vendor (--vendored reads them)" in first.err
    head = commit(folder, {"README.md": "# Cart\n\nThe cart is empty when a customer comes.\n"})
    git(tmp_path / "mine", "pull", "--quiet")
    assert "added 0 · changed 1 · unchanged 1 · removed 0" in rag("index").out
    (source,) = rag("status", "--json").json["sources"]
    assert (source["commit"], source["branch"]) == (head, "main")
    assert f"main {head[:12]}" in rag("status").out


def test_a_renamed_file_is_not_embedded_again(rag: Rag, folder: Path) -> None:
    rag("index", "shop")
    git(folder, "mv", "shop/refunds.py", "shop/returns.py")
    commit(folder)
    done = rag("index", "--json").json
    assert done["documents"] == {"added": 1, "changed": 0, "unchanged": 1, "removed": 1, "failed": 0}
    assert done["embedded"] == 0
    (hit, *_) = rag("search", "pay the money back", "--json").json["hits"]
    assert (hit["uri"], hit["metadata"]["renamed_from"]) == (f"{folder}/shop/returns.py", "shop/refunds.py")


def test_what_was_asked_for_is_remembered(rag: Rag, folder: Path) -> None:
    assert rag("index", "shop", "--vendored").out.startswith("added 3 ·")
    assert "unchanged 3" in rag("index").out
    assert "removed 1" in rag("index", "shop", "--no-vendored").out
    refused = rag("index", "--vendored")
    assert refused.code == 2
    assert "--vendored needs a folder" in refused.err


def test_a_bare_clone_and_a_revision(rag: Rag, folder: Path, tmp_path: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    git(folder, "tag", "v1")
    git(tmp_path, "clone", "--quiet", "--bare", "shop", "shop.git")
    assert rag("index", "shop.git").out.startswith("added 2 ·")
    commit(folder, {"README.md": "# Cart\n\nNew words.\n"})
    old = rag("index", "shop", "--rev", "v1", "--json").json
    assert (old["documents"]["added"], old["embedded"]) == (2, 0), "the same text as in the clone"
    shown = {source["uri"]: source["commit"] for source in rag("status", "--json").json["sources"]}
    assert shown == {f"git://{tmp_path}/shop.git": first, f"git://{folder}?rev=v1": first}
    hit = rag("search", "the cart holds what a customer wants", "-k", "1")
    assert "shop.git#README.md, line" in hit.out.replace("\n    ", "")
    assert "unchanged 4" in rag("index").out
    assert "removed 2" in rag("remove", "shop.git").out
    unknown = rag("index", "shop", "--rev", "v2")
    assert unknown.code == 1
    assert "has no revision 'v2'" in unknown.err
    assert "hint: name a branch, a tag or a commit" in unknown.err


def test_a_clone_that_is_gone_keeps_what_was_indexed(rag: Rag, folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "shop", "shop.git")
    rag("index", "shop.git")
    shutil.rmtree(tmp_path / "shop.git")
    ran = rag("index")
    assert ran.code == 1
    assert "chunks 2" in ran.out
    assert f"{tmp_path}/shop.git does not exist" in ran.err.replace("\n", "")
    assert "rag remove" in ran.err
