"""A large corpus of real text for benchmarks at scale: a million chunks, none of them twice, and a thousand queries.

    python benchmarks/scale_corpus.py FOLDER --chunks 1000000 --questions DATASETS

It needs a Debian system: documentation packages and the kernel's source are fetched by `apt-get download` and unpacked
with nothing installed, 0.9 GB to fetch and 8.5 GB unpacked, which `--packages` lets several runs share. The product's
own parsers and splitter make the chunks, a million in a quarter of an hour on two busy cores, of 1.75 million that
there are. FOLDER gets

- `chunks.jsonl.gz`, one line a document: `uri`, `title`, and `chunks` of `text`, `context` and `location`, which is
  `[start, end, line_start, line_end]`. No text stands in it twice. Documents lie in the order of a hash of their
  names, so that the first N chunks are a fair sample of all.
- `queries.txt`, one query a line: headings and sentences of documents held out of the corpus, a few rare words out of
  one passage of them, and, from `--questions`, real questions of data sets in BEIR's layout. The same every time.

The same package versions give the same corpus; they are printed, with what each contributed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import multiprocessing
import os
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import command_line
from connectors.chunking.splitter import Splitter
from connectors.document import Chunk, Document
from connectors.errors import SourceError
from connectors.formats.dispatch import parse_here
from connectors.sentences import sentence_spans
from indexes.encoding.loading import load_encoder
from rag.knowledge_base import SPECIAL_PIECES

PACKAGES = """
    apache2-doc bind9-doc cmake-doc cppreference-doc-en-html crystal-doc db5.3-doc debian-handbook debian-policy
    debian-reference-en developers-reference erlang-doc erlang-manpages freebsd-manpages gap-doc ghc-doc git-doc
    gnuplot-doc groovy-doc installation-guide-amd64 libboost1.81-doc libglib2.0-doc libgtk-4-doc libreoffice-help-en-us
    libssl-doc lilypond-doc-html linux-doc-6.1 llvm-14-doc manpages manpages-dev maxima-doc nodejs-doc octave-doc
    openjdk-17-doc perl-doc postfix-doc postgresql-doc-15 python-astropy-doc python-django-doc python-pandas-doc
    python-scipy-doc python-sklearn-doc python-sqlalchemy-doc python-statsmodels-doc python-sympy-doc python3.11-doc
    qtbase5-doc-html qtcreator-doc qtdeclarative5-doc-html racket-doc rust-doc sagemath-doc scala-doc singular-doc
    sumo-doc tcl8.6-doc tk8.6-doc twisted-doc vim-doc wireshark-doc wx3.2-doc zsh-doc linux-source-6.1
""".split()  # noqa: SIM905 - a list would take a line for each
SOURCE_CODE = "linux-source-6.1"
SOURCE_CODE_SHARE = 0.25  # of its files; all of them would be most of the corpus
HELD_OUT_SHARE = 0.01  # of all documents
QUERIES = {"phrases": 400, "questions": 300, "keywords": 300}
SEED = 7

MAX_BYTES = 4_000_000
MIN_CHARACTERS = 40
MIN_LETTERS = 0.3  # of the visible characters
MAX_NUMBERS = 0.3  # of the words
RARE = range(2, 9)  # in so many held-out chunks a rare word stands

_SUFFIXES = frozenset({".html", ".htm", ".txt", ".md", ".rst", ".pod", ".c", ".h", ".rs", ".S"})
# Copies of the same pages as source text, listings with line numbers, generated indexes, register headers.
_SKIPPED_FOLDERS = frozenset({"_sources", "class-use", "src-html", "src"})
_SKIPPED_NAMES = re.compile(
    r"(genindex|index-all|allclasses|overview-tree|package-(tree|use)|functions|globals|namespacemembers|doc-index"
    r"|search|py-modindex).*\.html?|.*(-members|_source|-use)\.html?|.*(_sh_mask|_offset|_d|_enum)\.h"
)
_LANGUAGES = re.compile(
    r"(ar|bg|ca|cs|da|de|el|es|fa|fi|fr|gl|hr|hu|id|it|ja|ko|lt|nb|nl|pl|pt|ro|ru|sk|sr|sv|tr|uk|vi|zh)"
    r"([-_][A-Za-z]{2,4})?"
)
_MANUAL = re.compile(r"/man/man\d\w*/[^/]+$")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|\d\w*")
_PHRASE = re.compile(r"[A-Z]\w*(?:[ ,/'’-]{1,2}[\w()]+){3,13}[.?!]?")  # 4 to 14 words that begin like a sentence
_KEYWORD = re.compile(r"[A-Za-z]{5,20}")


class Cut(NamedTuple):
    """One document in chunks."""

    uri: str
    title: str
    chunks: list[Chunk]


def main() -> None:
    """Fetch, cut, write, and say what was used."""
    parser = command_line(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunks", type=int, default=1_000_000)
    parser.add_argument("--questions", type=Path, help="a folder of data sets with a queries.jsonl each")
    parser.add_argument("--packages", type=Path, help="where packages are kept (default: in FOLDER)")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    os.nice(5)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    packages: Path = arguments.packages or arguments.folder / "packages"
    versions = fetch(packages)
    files = in_order(packages)
    with multiprocessing.Pool(arguments.processes) as pool:
        cuts = pool.imap(partial(cut, root=packages), files, chunksize=16)
        counts, held_out = write(cuts, arguments.chunks, arguments.folder / "chunks.jsonl.gz")
    queries = make_queries(held_out, arguments.questions)
    (arguments.folder / "queries.txt").write_text("\n".join(queries) + "\n", encoding="utf-8")
    for package, count in counts.most_common():
        print(f"{count:>9,}  {package} {versions[package]}")
    print(f"{counts.total():>9,}  chunks; {len(queries):,} queries")


# --- packages ---------------------------------------------------------------------------------------------------------


def fetch(folder: Path) -> dict[str, str]:
    """Download and unpack what is not there yet; the version of every package."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package in PACKAGES if not list(folder.glob(f"{package}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "download", "--quiet", *missing], cwd=folder, check=True)
    versions = {}
    for package in PACKAGES:
        (archive,) = folder.glob(f"{package}_*.deb")
        query = subprocess.run(["dpkg-deb", "--field", archive, "Version"], check=True, capture_output=True, text=True)
        versions[package] = query.stdout.strip()
        if not (folder / package).exists():
            partial_folder = folder / f"{package}.partial"
            subprocess.run(["dpkg-deb", "--extract", archive, partial_folder], check=True)
            for source in partial_folder.glob("usr/src/*.tar.xz"):
                subprocess.run(["tar", "--extract", "--file", source, "--directory", source.parent], check=True)
            partial_folder.rename(folder / package)
    return versions


def in_order(folder: Path) -> list[Path]:
    """The files that are read, by the hash of their names."""
    files = [path for package in PACKAGES for path in (folder / package).rglob("*") if _is_read(path, folder)]
    return sorted(files, key=lambda path: _hash(_uri(path, folder)))


def _is_read(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    name = path.name.removesuffix(".gz")
    if Path(name).suffix not in _SUFFIXES and not _MANUAL.search(str(path)):
        return False
    if _SKIPPED_NAMES.fullmatch(name) or any(map(_LANGUAGES.fullmatch, parts)):
        return False
    if parts[0] == SOURCE_CODE:
        # The kernel's documentation is a package of its own; amd/include is some hundred megabytes of register names.
        if "Documentation" in parts or "/amd/include/" in str(path) or _share(_uri(path, folder)) > SOURCE_CODE_SHARE:
            return False
    elif _SKIPPED_FOLDERS & set(parts):
        return False
    return path.is_file() and not path.is_symlink()


def _uri(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _share(text: str) -> float:
    """A number in [0, 1), equally likely anywhere, that says nothing about the order of `in_order`."""
    return _hash(f"share of {text}") / 2**64


# --- documents --------------------------------------------------------------------------------------------------------


def cut(path: Path, root: Path) -> Cut:
    """The chunks of one file; none when it is too large or cannot be read."""
    uri = _uri(path, root)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    name = Path(uri.removesuffix(".gz"))
    if _MANUAL.search(uri):
        data, name = manual_as_markdown(data.decode("utf-8", "replace")).encode(), name.with_suffix(".md")
    if len(data) > MAX_BYTES:
        return Cut(uri, "", [])
    try:
        parsed = parse_here(data, name)
    except SourceError:
        return Cut(uri, "", [])
    document = Document(
        uri=uri,
        title=parsed.title or name.name,
        text=parsed.text,
        kind=parsed.kind,
        revision="",
        context=parsed.title,
        blocks=parsed.blocks,
    )
    return Cut(uri, document.title, [chunk for chunk in _splitter().split(document) if is_text(chunk.text)])


@cache
def _splitter() -> Splitter:
    encoder = load_encoder()
    return Splitter(encoder, window=encoder.window - SPECIAL_PIECES)


def is_text(text: str) -> bool:
    """Whether a passage says something: not a scrap, and not a table of numbers or signs."""
    visible = "".join(text.split())
    words = _WORD.findall(text)
    numbers = sum(_NUMBER.fullmatch(word) is not None for word in words)
    return (
        len(visible) >= MIN_CHARACTERS
        and sum(map(str.isalpha, visible)) >= MIN_LETTERS * len(visible)
        and numbers <= MAX_NUMBERS * len(words)
    )


def manual_as_markdown(text: str) -> str:
    r"""A manual page's text with its headings, without its typography.

    >>> manual_as_markdown('.TH LS 1\n.SH NAME\nls \\- list\n.PP\n.B \\-a')
    '# LS 1\n\n## NAME\nls - list\n\n-a'
    """
    lines = []
    for line in text.splitlines():
        if not line.startswith((".", "'")):
            lines.append(line)
            continue
        macro, _, rest = line[1:].strip().partition(" ")
        rest = rest.replace('"', "")
        if macro in {"TH", "Dt"}:
            lines += [f"# {' '.join(rest.split()[:2])}"]
        elif macro in {"SH", "SS", "Sh", "Ss"}:
            lines += ["", f"{'##' if macro.endswith(('H', 'h')) else '###'} {rest}"]
        elif macro in {"PP", "LP", "P", "TP", "IP", "HP", "Pp", "It"}:
            lines += ["", *filter(None, [rest])]
        elif macro in {"B", "I", "BR", "BI", "IR", "IB", "RB", "RI", "Nm", "Nd", "Fl", "Ar", "Xr", "Pa", "Cm", "Dv"}:
            lines.append(rest)
    text = re.sub(r"\\f(\[\w*\]|\(..|.)|\\s[-+]?\d|\\\*\(..|\\[&|^/,:%]", "", "\n".join(lines))
    return re.sub(r"\\(\[|\()(lq|rq|aq|dq)\]?", "'", text).replace("\\-", "-").replace("\\e", "\\").replace("\\ ", " ")


# --- the corpus -------------------------------------------------------------------------------------------------------


def write(cuts: Iterable[Cut], limit: int, path: Path) -> tuple[Counter[str], list[Cut]]:
    """Write documents until there are `limit` chunks; how many each package gave, and the documents held out."""
    counts: Counter[str] = Counter()
    held_out = []
    seen: set[int] = set()
    with gzip.open(path, "wt", compresslevel=1, encoding="utf-8") as file:
        for uri, title, chunks in cuts:
            fresh = [chunk for chunk in chunks if _is_new(chunk, seen)]
            if _share(f"held out: {uri}") < HELD_OUT_SHARE:
                held_out.append(Cut(uri, title, fresh))
                continue
            fresh = fresh[: limit - counts.total()]
            if fresh:
                line = {"uri": uri, "title": title, "chunks": list(map(_as_json, fresh))}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                counts[uri.partition("/")[0]] += len(fresh)
            if counts.total() >= limit:
                return counts, held_out
    raise SystemExit(f"all packages together have no more than {counts.total():,} chunks")


def _is_new(chunk: Chunk, seen: set[int]) -> bool:
    """Whether neither the text nor what is indexed of it has been seen; from now on both have."""
    hashes = {_hash(chunk.text), _hash(chunk.indexed_text)}
    is_new = seen.isdisjoint(hashes)
    seen |= hashes
    return is_new


def _as_json(chunk: Chunk) -> dict[str, str | list[int]]:
    place = chunk.location
    location = [place.start, place.end, place.line_start, place.line_end]
    text, context = (part.encode("utf-8", "replace").decode("utf-8") for part in (chunk.text, chunk.context))
    return {"text": text, "context": context, "location": location}


# --- queries ----------------------------------------------------------------------------------------------------------


def make_queries(held_out: Sequence[Cut], questions: Path | None) -> list[str]:
    """The queries, in a random order: as many of each sort as `QUERIES` says, or as there are."""
    chunks = [chunk for document in held_out for chunk in document.chunks]
    chance = random.Random(SEED)  # noqa: S311 - nothing secret
    found = {
        "phrases": sorted(set(_phrases(chunks))),
        "questions": sorted(set(_questions(questions, chance))) if questions else [],
        "keywords": sorted(set(_keywords(chunks, chance))),
    }
    chosen = [query for sort, count in QUERIES.items() for query in _sample(found[sort], count, chance)]
    return _sample(chosen, len(chosen), chance)


def _sample(queries: Sequence[str], count: int, chance: random.Random) -> list[str]:
    return chance.sample(queries, min(count, len(queries)))


def _phrases(chunks: Iterable[Chunk]) -> Iterator[str]:
    """Headings and sentences of 4 to 14 words."""
    for chunk in chunks:
        sentences = [chunk.text[start:end] for start, end in sentence_spans(chunk.text, 0, len(chunk.text))]
        for text in (*chunk.location.headings, *sentences):
            line = " ".join(text.split())
            if _PHRASE.fullmatch(line):
                yield line


def _questions(folder: Path, chance: random.Random) -> Iterator[str]:
    """As many questions of each data set, so that a large one does not stand for all."""
    for path in sorted(folder.glob("*/queries.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        texts = sorted({" ".join(json.loads(line)["text"].split()) for line in lines})
        yield from _sample(texts, QUERIES["questions"] // 10, chance)


def _keywords(chunks: Sequence[Chunk], chance: random.Random) -> Iterator[str]:
    """One to three rare words of each passage that has them."""
    words = [sorted({word.lower() for word in _KEYWORD.findall(chunk.text)}) for chunk in chunks]
    frequency = Counter(word for passage in words for word in passage)
    for passage in words:
        rare = [word for word in passage if frequency[word] in RARE]
        if rare:
            yield " ".join(_sample(rare, chance.randint(1, 3), chance))


if __name__ == "__main__":
    main()
