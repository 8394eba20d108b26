"""What is left out of folders although nobody asked for it, each with the reason that people are told."""

from __future__ import annotations

from collections.abc import Iterable


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _by_word(reasons: dict[str, str]) -> dict[str, str]:
    return {word: reason for reason, words in reasons.items() for word in words.split()}


_SILENT = ""  # nobody looks for what is in it
# What programs make from a project. Elsewhere a folder may be called so as well: a policy is found under `coverage`.
_BUILT = "folders of build output and dependencies"
_BUILT_FOLDERS = _words(
    "node_modules bower_components jspm_packages site-packages build dist target _build htmlcov coverage DerivedData"
    " venv"
)
_FOLDERS = _by_word(
    {
        _SILENT: ".git .hg .svn .bzr CVS .rag .Trash .Trashes .Spotlight-V100 .fseventsd __MACOSX",
        "folders of tools and caches": (
            "__pycache__ .venv .tox .nox .eggs .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis"
            " .ipynb_checkpoints .gradle .terraform .next .nuxt .svelte-kit .parcel-cache .turbo .idea .vs .vscode"
        ),
    }
)
_FOLDER_ENDINGS = (".egg-info", ".dist-info", ".xcodeproj", ".app", ".framework")
_PROJECT_FILES = _words(
    ".git .hg .svn pyproject.toml setup.py setup.cfg tox.ini package.json Cargo.toml go.mod pom.xml build.gradle"
    " build.gradle.kts settings.gradle CMakeLists.txt Makefile meson.build configure.ac composer.json Gemfile mix.exs"
    " Package.swift deno.json build.sbt WORKSPACE"
)
_KEYS = "keys and passwords"
_NAMES = _by_word(
    {
        _SILENT: ".DS_Store Thumbs.db desktop.ini .git .gitignore .gitattributes .gitmodules .ragignore .gitkeep",
        _KEYS: ".env .netrc .npmrc .pypirc id_rsa id_ed25519 id_ecdsa",
        "lock files": (
            "package-lock.json yarn.lock pnpm-lock.yaml npm-shrinkwrap.json bun.lockb poetry.lock uv.lock pdm.lock"
            " Pipfile.lock Cargo.lock Gemfile.lock composer.lock go.sum flake.lock mix.lock Podfile.lock"
            " gradle.lockfile"
        ),
    }
)
_LEFTOVERS = "temporary files and copies"
_ENDINGS = {
    **dict.fromkeys((".min.js", ".min.css", ".min.mjs", ".bundle.js", ".js.map", ".css.map"), "minified code"),
    "~": _LEFTOVERS,
}
_EXTENSIONS = _by_word(
    {
        "pictures": (
            "png jpg jpeg gif bmp tif tiff webp ico icns heic heif avif psd ai eps svg svgz raw cr2 nef xcf sketch fig"
            " drawio emf wmf pbm pgm ppm xpm"
        ),
        "sound and films": (
            "mp3 wav flac ogg oga opus m4a aac wma aiff mid midi mp4 m4v mkv webm avi mov wmv flv mpg mpeg 3gp"
        ),
        "archives and disk images": (
            "zip gz tgz bz2 tbz xz txz zst lz4 7z rar tar jar war ear whl egg deb rpm apk ipa dmg iso img cab msi pkg"
            " snap"
        ),
        "programs and what compilers leave behind": (
            "exe dll so dylib a o obj lib bin elf com sys pyc pyo pyd class wasm node pdb ilk nupkg beam rlib mo gmo"
        ),
        "fonts": "ttf otf woff woff2 eot",
        "data that is no text": (
            "db sqlite sqlite3 mdb accdb parquet feather arrow orc avro npy npz pkl pickle joblib h5 hdf5 mat rdata rds"
            " safetensors gguf ggml pt pth ckpt onnx tflite pb tfrecord faiss idx dat pcap dump core"
        ),
        _KEYS: "pem key p12 pfx crt cer der gpg asc sig keystore jks",
        _LEFTOVERS: "lock tmp temp swp swo bak orig part crdownload pid msf",
    }
)


def is_project(names: Iterable[str]) -> bool:
    """Whether a folder with these entries is the top of a code repository, or of a project that is built."""
    return not _PROJECT_FILES.isdisjoint(names)


def reason_to_ignore(name: str, *, is_folder: bool, in_project: bool) -> str | None:
    """Why an entry of this name is left out; empty where that is no news; None where it is read.

    >>> reason_to_ignore("logo.png", is_folder=False, in_project=False)
    'pictures'
    >>> reason_to_ignore("coverage", is_folder=True, in_project=False) is None
    True
    """
    if is_folder:
        if name in _BUILT_FOLDERS or name.endswith(_FOLDER_ENDINGS):
            return _BUILT if in_project or name not in _BUILT_FOLDERS else None
        return _FOLDERS.get(name)
    if name in _NAMES:
        return _NAMES[name]
    if name.startswith("~$"):
        return _LEFTOVERS
    lower = name.lower()
    ending = next((reason for ending, reason in _ENDINGS.items() if lower.endswith(ending)), None)
    return ending or (_EXTENSIONS.get(lower.rpartition(".")[2]) if "." in lower else None)
