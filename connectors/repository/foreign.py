"""The files left out of a repository because they are not its own, and the notes about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from connectors.repository.vendored import has_generated_name, is_generated, is_minified, vendored_part
from connectors.summaries import shortened

_LARGE_FILE = b"version https://git-lfs.github.com/spec/"


class Foreign:
    """Decides which files to leave out, and remembers them for the notes. Paths are relative to the repository's top.

    Arguments:
        marked: path → whether `.gitattributes` say that it is vendored or generated; they decide before the names.
        submodules: where other repositories are mounted.
        within: the folder that is read, with a slash behind it: what is above it says nothing about what is in it.
        everything: read vendored and generated code, too.
    """

    def __init__(
        self,
        marked: Mapping[str, bool] | None = None,
        submodules: Collection[str] = (),
        *,
        within: str = "",
        everything: bool = False,
    ) -> None:
        self._marked = marked or {}
        self._submodules = frozenset(submodules)
        self._within = within
        self._everything = everything or self._marked.get(within.rstrip("/"), False)
        self._own = {folder for path, foreign in self._marked.items() if not foreign for folder in folders_above(path)}
        self._mounted: list[str] = []
        self._left_out: set[str] = set()
        self._large: list[str] = []

    def skips(self, path: str, *, is_folder: bool) -> bool:
        """Whether a file or folder is not read."""
        if path in self._submodules:
            self.mount(path)
            return True
        left_out = "" if self._everything else self._foreign_part(path, is_folder=is_folder)
        if left_out:
            self._left_out.add(left_out)
        return bool(left_out)

    def mount(self, path: str) -> None:
        """Remember that another repository is mounted there, whose files are not read."""
        self._mounted.append(path)

    def skips_content(self, path: str, data: bytes) -> bool:
        """Whether a file is not read because of what is in it."""
        if data.startswith(_LARGE_FILE):
            self._large.append(path)
            return True
        if self._everything or self._marked.get(path) is False:
            return False
        from connectors.formats.sniff import Format, text_format

        is_code = text_format("", Path(path)) is Format.CODE
        if not is_minified(path, data) and not (is_code and is_generated(data)):
            return False
        self._left_out.add(path)
        return True

    def notes(self) -> list[str]:
        """What was left out, in lines for people."""
        said = []
        if self._left_out:
            said.append(f"left out as vendored or generated: {shortened(self._left_out)} (--vendored reads them)")
        if self._mounted:
            what = "submodules (separate repositories)"
            said.append(f"left out {what}: {shortened(self._mounted)} (name them as sources)")
        if self._large:
            said.append(f"left out files stored in Git LFS: {shortened(self._large)} (`git lfs pull` downloads them)")
        return said

    def _foreign_part(self, path: str, *, is_folder: bool) -> str:
        """What makes a file or folder one that is left out: a folder around it, itself, or nothing."""
        inside = path.removeprefix(self._within)
        above = path[: len(path) - len(inside)]
        vendored = vendored_part(inside)
        if is_folder:
            return above + vendored if vendored and path not in self._own else ""
        marked = self._marked.get(path)
        if marked is None:
            return above + vendored if vendored else path if has_generated_name(inside) else ""
        return path if marked else ""


def folders_above(path: str) -> list[str]:
    """The folders that `path` is in, from the outermost; none for what is in no folder."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
