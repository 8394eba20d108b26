"""What the documentation's site needs beyond mkdocs.yml: pages and links outside docs/, and examples in docstrings.

mkdocs calls the functions named `on_…`; griffe, which reads the docstrings, the class `Examples`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
# Pages of the site that stand beside docs/, where people and hosting sites look for them.
BESIDE = {name: f"project/{name.lower()}" for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}
_ORIGINS = {page: name for name, page in BESIDE.items()}
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<path>(?!\w+:|#)[^)\s#]+)(?P<anchor>#[^)\s]*)?\)")
_DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*|\n *(?=\n *>>> ))*", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that stand beside docs/."""
    for name, page in BESIDE.items():
        if (ROOT / name).exists():
            files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Point the links that leave docs/ to the page that the site has, else into the repository if it has an address."""
    here = page.file.src_uri
    origin = _ORIGINS.get(here, f"docs/{here}")

    def moved(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link["path"]))
        if path.startswith("docs/"):
            target = path.removeprefix("docs/")
        elif path in BESIDE:
            target = BESIDE[path]
        elif not (ROOT / path).exists():
            return link[0]  # which mkdocs complains of
        elif config.repo_url:
            return f"[{link['text']}]({config.repo_url.rstrip('/')}/blob/HEAD/{path}{link['anchor'] or ''})"
        else:
            return link["text"]
        return f"[{link['text']}]({posixpath.relpath(target, posixpath.dirname(here) or '.')}{link['anchor'] or ''})"

    return _LINK.sub(moved, markdown)


class Examples(griffe.Extension):
    """Fences the examples in docstrings, which Markdown would take for quotations of quotations."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence those of one module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _DOCTEST.sub(_fenced, obj.docstring.value)


def _fenced(example: re.Match[str]) -> str:
    indent = example["indent"]
    return f"{indent}```pycon\n{example[0]}\n{indent}```"
