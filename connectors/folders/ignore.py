"""Ignored files: version control, caches, build output, binaries, and anything that ignore files list."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pathspec import GitIgnoreSpec

from connectors.errors import ConfigurationError

OWN_FILE = ".ragignore"
IGNORE_FILES = (".gitignore", OWN_FILE)
"""Read in every folder, gitignore syntax; of two in one folder the later decides."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FOLDERS = _words(
    ".git .hg .svn .bzr CVS .rag node_modules bower_components jspm_packages __pycache__ site-packages .venv venv"
    " .tox .nox .eggs .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .ipynb_checkpoints .gradle .terraform"
    " .next .nuxt .svelte-kit .parcel-cache .turbo .idea .vs .vscode .Trash .Trashes .Spotlight-V100 .fseventsd"
    " __MACOSX build dist target _build htmlcov coverage DerivedData"
)
_FOLDER_ENDINGS = (".egg-info", ".dist-info", ".xcodeproj", ".app", ".framework")
_NAMES = _words(
    ".DS_Store Thumbs.db desktop.ini .git .gitignore .gitattributes .gitmodules .ragignore .gitkeep .env .netrc .npmrc"
    " .pypirc id_rsa id_ed25519 id_ecdsa package-lock.json yarn.lock"
    " pnpm-lock.yaml npm-shrinkwrap.json bun.lockb poetry.lock uv.lock pdm.lock Pipfile.lock Cargo.lock Gemfile.lock"
    " composer.lock go.sum flake.lock mix.lock Podfile.lock gradle.lockfile"
)
_ENDINGS = (".min.js", ".min.css", ".min.mjs", ".bundle.js", ".js.map", ".css.map", "~")
_EXTENSIONS = _words(
    # images
    "png jpg jpeg gif bmp tif tiff webp ico icns heic heif avif psd ai eps svg svgz raw cr2 nef xcf sketch fig drawio"
    " emf wmf pbm pgm ppm xpm"
    # sound and moving pictures
    " mp3 wav flac ogg oga opus m4a aac wma aiff mid midi mp4 m4v mkv webm avi mov wmv flv mpg mpeg 3gp"
    # archives and disk images
    " zip gz tgz bz2 tbz xz txz zst lz4 7z rar tar jar war ear whl egg deb rpm apk ipa dmg iso img cab msi pkg snap"
    # programs and what compilers leave behind
    " exe dll so dylib a o obj lib bin elf com sys pyc pyo pyd class wasm node pdb ilk nupkg beam rlib mo gmo"
    # fonts
    " ttf otf woff woff2 eot"
    # data that is not text
    " db sqlite sqlite3 mdb accdb parquet feather arrow orc avro npy npz pkl pickle joblib h5 hdf5 mat rdata rds"
    " safetensors gguf ggml pt pth ckpt onnx tflite pb tfrecord faiss idx dat pcap dump core"
    # keys, locks and leftovers
    " pem key p12 pfx crt cer der gpg asc sig keystore jks lock tmp temp swp swo bak orig part crdownload pid msf"
)
_MAX_FILE = 1_000_000
_MAX_STARS = 3  # within one path segment: a hostile `*a*a*a*a*b` would take hours to match


class Tracking(Protocol):
    """What a repository knows about its files."""

    def tracks(self, path: str) -> bool:
        """Whether a file is tracked although `.gitignore` matches it, or a folder leads to such a one."""
        ...

    def leaves_out(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or folder is not the repository's own."""
        ...


class Spec(NamedTuple):
    """The ignore files of one folder: all patterns, and those that also apply to tracked files."""

    folder: str
    patterns: GitIgnoreSpec
    ours: GitIgnoreSpec


class IgnoreScope(NamedTuple):
    """The ignore files in force in one folder, nearest first."""

    specs: tuple[Spec, ...] = ()
    ignored: bool = False
    """Whether the folder is ignored itself, and entered only for what is included below it."""


class IgnoreRules:
    """Decides which entries below `root` to leave out.

    In order: `exclude` patterns, `include` patterns (both relative to `root`), the ignore files from the nearest
    folder up to the top of the repository, the built-in list, and what the repository around it knows (`tracking`).
    `use_ignore=False` switches off the last three.
    """

    def __init__(
        self, root: str, *, use_ignore: bool = True, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> None:
        self.tracking: Tracking | None = None
        self._root = root
        self._use_ignore = use_ignore
        self._include = _compiled(include)
        self._exclude = _compiled(exclude)
        # The fixed beginnings of the include patterns: the folders that must be entered to reach what they match.
        self._included_paths = tuple(_fixed_part(pattern) for pattern in include)

    def top(self) -> IgnoreScope:
        """The rules that come from above the root: those of the repository it lies in.

        They do not count when they leave out the root itself: whoever names an ignored folder means it.
        """
        scope = IgnoreScope()
        if self._use_ignore:
            for folder in _repository_above(Path(self._root)):
                scope = IgnoreScope(_specs(str(folder), IGNORE_FILES, _text_of) + scope.specs)
                if _by_files(scope, self._root, is_folder=True):
                    return IgnoreScope()
        return scope

    def enter(
        self, scope: IgnoreScope, folder: str, names: Collection[str], read: Callable[[Path], str] | None = None
    ) -> IgnoreScope | None:
        """The rules in force in `folder`, whose entries are `names`, given its parent's; None when it is left out.

        `read` gives the text of an ignore file that is not on disk.
        """
        if not self._use_ignore:
            return scope
        if "pyvenv.cfg" in names:  # a virtual environment, whatever it is called
            return None
        ignored = scope.ignored or (folder != self._root and self._is_ignored(scope, folder, is_folder=True))
        return IgnoreScope(_specs(folder, names, read or _text_of) + scope.specs, ignored)

    def skips(self, scope: IgnoreScope, path: str, *, is_folder: bool) -> bool:
        """Whether the entry at `path` is left out."""
        relative = _relative(self._root, path, is_folder=is_folder)
        if self._exclude.match_file(relative):
            return True
        if self._include.match_file(relative):
            return False
        if is_folder and any(included.startswith(relative) for included in self._included_paths):
            return False
        if not self._use_ignore:
            return False
        tracked = self.tracking is not None and self.tracking.tracks(path)
        if (scope.ignored and not tracked) or self._is_ignored(scope, path, is_folder=is_folder, tracked=tracked):
            return True
        return self.tracking is not None and self.tracking.leaves_out(path, is_folder=is_folder)

    def includes(self, path: str) -> bool:
        """Whether a file is read whatever speaks against it."""
        return self._include.match_file(_relative(self._root, path, is_folder=False))

    def _is_ignored(self, scope: IgnoreScope, path: str, *, is_folder: bool, tracked: bool = False) -> bool:
        decided = _by_files(scope, path, is_folder=is_folder, tracked=tracked)
        return _by_default(os.path.basename(path), is_folder=is_folder) if decided is None else decided  # noqa: PTH119


def _compiled(patterns: Sequence[str]) -> GitIgnoreSpec:
    for pattern in patterns:
        if not _is_valid(pattern):
            raise ConfigurationError(f"{pattern!r} is not a pattern", hint="write patterns as in .gitignore")
    return GitIgnoreSpec.from_lines(patterns)


def _specs(folder: str, names: Collection[str], read: Callable[[Path], str]) -> tuple[Spec, ...]:
    lines = {name: _lines(Path(folder, name), read) for name in IGNORE_FILES if name in names}
    every = [line for found in lines.values() for line in found]
    if not every:
        return ()
    ours = GitIgnoreSpec.from_lines(lines.get(OWN_FILE, []))
    return (Spec(folder, GitIgnoreSpec.from_lines(every), ours),)


def _by_files(scope: IgnoreScope, path: str, *, is_folder: bool, tracked: bool = False) -> bool | None:
    """What the ignore files say; None when none of them speaks of the path."""
    for folder, patterns, ours in scope.specs:
        spec = ours if tracked else patterns
        decided = spec.check_file(_relative(folder, path, is_folder=is_folder)).include
        if decided is not None:
            return decided
    return None


def _by_default(name: str, *, is_folder: bool) -> bool:
    if is_folder:
        return name in _FOLDERS or name.endswith(_FOLDER_ENDINGS)
    if name in _NAMES or name.startswith("~$"):
        return True
    lower = name.lower()
    return lower.endswith(_ENDINGS) or ("." in lower and lower.rpartition(".")[2] in _EXTENSIONS)


def _relative(folder: str, path: str, *, is_folder: bool) -> str:
    relative = path[len(folder) :].lstrip("/\\").replace("\\", "/")
    return f"{relative}/" if is_folder else relative


def _repository_above(root: Path) -> Iterable[Path]:
    """The folders from the top of the repository that holds `root` down to its parent; none outside a repository."""
    above = list(root.parents)
    if (root / ".git").exists():
        return ()
    for count, folder in enumerate(above, start=1):
        if (folder / ".git").exists():
            return above[:count][::-1]
    return ()


def _lines(path: Path, read: Callable[[Path], str]) -> list[str]:
    """The usable patterns of an ignore file. It is found data: what is malformed or meant to hang us is passed over."""
    try:
        lines = read(path)[:_MAX_FILE].splitlines()
    except OSError:
        return []
    return [line for line in lines if _is_usable(line)]


def _text_of(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(_MAX_FILE)


def _is_usable(line: str) -> bool:
    if any(segment.count("*") > _MAX_STARS for segment in line.split("/")) or line.count("**") > _MAX_STARS + 1:
        return False
    return _is_valid(line)


def _is_valid(pattern: str) -> bool:
    try:
        with warnings.catch_warnings():  # on character classes that look like mistakes
            warnings.simplefilter("error")
            GitIgnoreSpec.from_lines([pattern])
    except (ValueError, re.error, FutureWarning):
        return False
    return True


def _fixed_part(pattern: str) -> str:
    """What a pattern begins with before its first wildcard."""
    for position, character in enumerate(pattern):
        if character in "*?[":
            return pattern[:position].lstrip("/")
    return pattern.lstrip("/")
