"""The programming languages parsed into syntax trees, as data: how to recognise each, and its grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SQL = "sql"  # read statement by statement instead

_HEAD = 20_000  # characters of a header that are looked at
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*(?:\w+=\S*\s+)*)?(?:\S*/)?([a-zA-Z]+)")
# A header (.h) may be C or C++: what only C++ has tells.
_CPLUSPLUS = re.compile(
    r"^\s*(?:class\s+\w[^;]*$|namespace\b|template\s*<|(?:public|private|protected)\s*:|using\s+\w|virtual\s)"
    r"|\bstd::|\bconstexpr\b|#\s*include\s*<\w+>",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Language:
    """A programming language.

    Attributes:
        name: as `code_language` in the metadata says it.
        grammar: the module of its grammar and the function in it.
        endings: of the files written in it.
        queries: the files in `queries/` that say what its definitions, comments and calls look like.
        interpreters: of scripts that begin with `#!`.
        joint: what stands between a class and its member in a name (`Cart.total`).
        method_joint: the same before a method, where it is another.
    """

    name: str
    grammar: str
    endings: tuple[str, ...]
    queries: tuple[str, ...]
    interpreters: tuple[str, ...] = ()
    joint: str = "."
    method_joint: str = ""


def _endings(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SHELLS = ("bash", "sh", "dash", "zsh", "ksh", "bats")
_CPLUSPLUS_ENDINGS = _endings("cpp cc cxx hpp hh hxx ipp tpp inl cppm")
LANGUAGES = {
    language.name: language
    for language in (
        Language("bash", "tree_sitter_bash:language", _endings("sh bash zsh ksh bats"), ("bash",), _SHELLS, joint="::"),
        Language("c", "tree_sitter_c:language", _endings("c h"), ("c",), joint="::"),
        Language("cpp", "tree_sitter_cpp:language", _CPLUSPLUS_ENDINGS, ("c", "cpp"), joint="::"),
        Language("csharp", "tree_sitter_c_sharp:language", _endings("cs csx"), ("csharp",)),
        Language("go", "tree_sitter_go:language", _endings("go"), ("go",)),
        Language("java", "tree_sitter_java:language", _endings("java"), ("java",)),
        Language(
            "javascript",
            "tree_sitter_javascript:language",
            _endings("js jsx mjs cjs"),
            ("javascript", "fields", "jsx"),
            ("node", "nodejs", "bun"),
        ),
        Language("php", "tree_sitter_php:language_php", _endings("php phtml"), ("php",), ("php",), joint="::"),
        Language("python", "tree_sitter_python:language", _endings("py pyi pyw"), ("python",), ("python", "pypy")),
        Language(
            "ruby",
            "tree_sitter_ruby:language",
            _endings("rb rake gemspec rakefile gemfile vagrantfile podfile"),
            ("ruby",),
            ("ruby", "jruby"),
            joint="::",
            method_joint="#",
        ),
        Language("rust", "tree_sitter_rust:language", _endings("rs"), ("rust",), joint="::"),
        Language(
            "typescript",
            "tree_sitter_typescript:language_typescript",
            _endings("ts mts cts"),
            ("javascript", "typescript"),
            ("deno", "tsx"),
        ),
        Language("tsx", "tree_sitter_typescript:language_tsx", _endings("tsx"), ("javascript", "typescript", "jsx")),
    )
}
_BY_ENDING = {ending: language.name for language in LANGUAGES.values() for ending in language.endings} | dict.fromkeys(
    ("sql", "ddl", "dml", "pgsql"), SQL
)
_BY_INTERPRETER = {name: language.name for language in LANGUAGES.values() for name in language.interpreters}


def language_of(path: Path, text: str) -> str:
    """The language a file is written in, by its name, or by the first line of a script; empty when not known here.

    >>> language_of(Path("cart.py"), ""), language_of(Path("run"), "#!/usr/bin/env python3"), language_of(Path("a"), "")
    ('python', 'python', '')
    """
    ending = path.suffix.lower().removeprefix(".") or path.name.lower()
    found = _BY_ENDING.get(ending, "")
    if ending == "h" and _CPLUSPLUS.search(text, 0, _HEAD):
        return "cpp"
    if not found and text.startswith("#!") and (shebang := _SHEBANG.match(text, 0, 200)):
        return _BY_INTERPRETER.get(shebang[1].lower(), "")
    return found
