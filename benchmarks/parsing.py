"""How much of a PDF's text is read, and in which order: documents made from known text, and papers.

    pip install matplotlib
    python benchmarks/parsing.py --papers FOLDER

Writes 24 documents with matplotlib, in one and in two columns: sections with numbers, words cut by hyphens, running
heads and page numbers, notes, tables, captions and algorithms at the head of a column. Half of those in two columns
are drawn row by row, across both. Then it reads them as `rag index` does, and as PDFium gives their text:

    words        of the words written, how many are read; a word cut by a hyphen has to be whole
    order        of the words of the running text, how many are read in its order
    sentences    of the sentences of the running text, how many stand in what is read, word by word
    rows         of the rows of tables, how many are read as rows, each cell in its place
    headings     of the headings, how many are read as headings of their level

Of papers in a folder the text is not known. What is printed of them is how many chunks, headings and tables aside,
hold whole sentences only, the first beginning with no small letter and the last ending with a stop, and how many
have a section as their heading, which is not the title.
"""

from __future__ import annotations

import io
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import chain, zip_longest
from pathlib import Path

from benchmarks.common import command_line
from connectors.chunking.splitter import Splitter
from connectors.document import BlockKind, Document
from connectors.formats import parse
from indexes.encoding.loading import load_encoder
from rag.knowledge_base import SPECIAL_PIECES

DOCUMENTS, SECTIONS = 24, 7
PAGE_WIDTH, PAGE_HEIGHT, TOP, BOTTOM, GUTTER, MARGIN = 612, 792, 716, 84, 20, 60
BODY, SMALL, PITCH = 10, 8, 12.5
_TEXT = """
the harbour of a small town with boats that sail to islands and fishermen who carry nets along wet stones
every morning before the lighthouse keeper turns his lamp off while merchants from northern countries unload
official documents about different salt prices efficient shipping regulations insurance agreements between
neighbouring communities measured temperatures observations navigation instruments construction engineering
traditional celebrations international competition government representatives responsibilities
"""
WORDS = _TEXT.split()


@dataclass
class Written:
    """A document: its bytes, and what has to be read in it."""

    data: bytes
    columns: int
    paragraphs: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


@dataclass
class Line:
    """A text and where it is set."""

    x: float
    y: float
    text: str
    size: float = BODY
    bold: bool = False


class Setter:
    """Sets a document, column by column."""

    def __init__(self, seed: int, columns: int, width_of: Callable[[str, float, bool], float]) -> None:
        self.written = Written(b"", columns)
        self.pages: list[list[list[Line]]] = []
        self._random = random.Random(seed)  # noqa: S311
        self._width_of = width_of
        self._columns = columns
        self._width = (PAGE_WIDTH - 2 * MARGIN - GUTTER * (columns - 1)) / columns
        self._column = columns
        self._y = float(BOTTOM)
        self._floor = float(BOTTOM)
        self._floats = 0

    def document(self, title: str) -> None:
        """Set a title and sections with all that stands beside them."""
        self._break()
        self._line(title, 16, bold=True, after=26)
        self.written.headings.append((1, title))
        for section in range(1, SECTIONS + 1):
            self._heading(2, f"{section} {self._name()}", 12)
            for paragraph in range(3):
                if paragraph == 1:
                    self._heading(3, f"{section}.1 {self._name()}", BODY)
                self._paragraph()
            if section % 3 == 2:  # noqa: PLR2004
                self._table()

    def _name(self) -> str:
        return " ".join(self._random.sample([word for word in WORDS if 4 < len(word) < 12], 2)).capitalize()  # noqa: PLR2004

    def _sentence(self) -> str:
        words = self._random.choices(WORDS, k=self._random.randint(8, 22))
        return " ".join(words).capitalize() + "."

    def _heading(self, level: int, text: str, size: float) -> None:
        if self._y - 4 * PITCH < self._floor:
            self._break()
        self._y -= 8
        self._line(text, size, bold=True, after=18)
        self.written.headings.append((level, text))

    def _paragraph(self) -> None:
        text = " ".join(self._sentence() for _ in range(self._random.randint(3, 7)))
        self.written.paragraphs.append(text)
        for line in self._broken(text, BODY):
            self._line(line, BODY)
        self._y -= 6

    def _broken(self, text: str, size: float) -> Iterator[str]:
        """Lines as wide as the column; long words are cut."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if self._width_of(longer, size, False) <= self._width:
                line = longer
                continue
            half = len(word) // 2
            cut = f"{line} {word[:half]}-"
            if len(word) > 8 and "-" not in word and self._width_of(cut, size, False) <= self._width:  # noqa: PLR2004
                yield cut
                line = word[half:]
            else:
                yield line
                line = word
        yield line

    def _line(self, text: str, size: float, *, bold: bool = False, after: float = PITCH) -> None:
        if self._y - size < self._floor:
            self._break()
        x = MARGIN + self._column * (self._width + GUTTER)
        self.pages[-1][self._column].append(Line(x, self._y, text, size, bold))
        self._y -= after

    def _table(self) -> None:
        rows = [["Harbour", "Depth", "Year"]]
        for name in self._random.sample([word for word in WORDS if len(word) < 10], 4):  # noqa: PLR2004
            depth, year = self._random.randint(3, 30), self._random.randint(1700, 2020)
            rows.append([name.capitalize(), f"{depth} m", str(year)])
        if self._y - (len(rows) + 2) * PITCH < self._floor:
            self._break()
        self._y -= 4
        for row in rows:
            for place, cell in enumerate(row):
                x = MARGIN + self._column * (self._width + GUTTER) + place * self._width / 3
                self.pages[-1][self._column].append(Line(x, self._y, cell))
            self._y -= PITCH + 1
        self._y -= 8
        self.written.rows += [" | ".join(row) for row in rows]

    def _break(self) -> None:
        """Go on at the head of the next column, below what floats there, and above its notes."""
        self._column += 1
        if self._column >= self._columns:
            self.pages.append([[] for _ in range(self._columns)])
            self._column = 0
        self._y, self._floor = float(TOP), float(BOTTOM)
        first = len(self.pages) == 1 and self._column == 0
        kind = self._random.choice(["figure", "algorithm", "note", ""]) if not first else ""
        if kind:
            self._floats += 1
        if kind == "figure":
            self._y -= 90
            self._beside(f"Figure {self._floats}: {self._sentence()}")
        elif kind == "algorithm":
            self._beside(f"Algorithm {self._floats} {self._name()}")
            for number in range(1, 4):
                self._beside(f"{number}: return {self._random.choice(WORDS)} of {self._random.choice(WORDS)}")
        elif kind == "note":
            lines = list(self._broken(f"{self._floats} {self._sentence()}", SMALL))
            self.written.beside.append(f"{self._floats} " + " ".join(lines).split(" ", 1)[1].replace("- ", ""))
            self._floor = BOTTOM + len(lines) * 10 + 8
            x = MARGIN + self._column * (self._width + GUTTER)
            for place, line in enumerate(lines):
                self.pages[-1][self._column].append(Line(x, self._floor - 12 - place * 10, line, SMALL))
        self._y -= 10 if kind in {"figure", "algorithm"} else 0

    def _beside(self, text: str) -> None:
        self.written.beside.append(text)
        for line in self._broken(text, SMALL):
            self._line(line, SMALL, after=10)


def documents() -> Iterator[Written]:
    """The documents, made anew and always the same."""
    import matplotlib
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, get_font

    matplotlib.rcParams["pdf.fonttype"] = 42
    fonts = {bold: get_font(findfont(FontProperties(weight="bold" if bold else "normal"))) for bold in (False, True)}

    def width_of(text: str, size: float, bold: bool) -> float:
        fonts[bold].set_size(size, 72)
        fonts[bold].set_text(text)
        return float(fonts[bold].get_width_height()[0]) / 64

    for number in range(DOCUMENTS):
        setter = Setter(number, 1 + number % 2, width_of)
        setter.document(f"Old harbours, part {number + 1}")
        stream = io.BytesIO()
        with PdfPages(stream) as file:
            for place, columns in enumerate(setter.pages, 1):
                by_rows = number % 4 == 3  # noqa: PLR2004
                drawn = chain.from_iterable(zip_longest(*columns) if by_rows else columns)
                head = Line(MARGIN, 752, f"Annals of the harbours, volume {number}", SMALL)
                figure = Figure(figsize=(PAGE_WIDTH / 72, PAGE_HEIGHT / 72))
                for line in (head, *filter(None, drawn), Line(300, 40, str(place), SMALL)):
                    weight = "bold" if line.bold else "normal"
                    x, y = line.x / PAGE_WIDTH, line.y / PAGE_HEIGHT
                    figure.text(x, y, line.text, fontsize=line.size, fontweight=weight, parse_math=False)
                file.savefig(figure)
        setter.written.data = stream.getvalue()
        yield setter.written


def words_of(text: str) -> list[str]:
    """Words as compared: without the marks around them."""
    return re.findall(r"\w+(?:[-']\w+)*", text)


def measured(written: Written, text: str, headings: Sequence[tuple[int, str]]) -> dict[str, tuple[float, float]]:
    """For each measure how much was found, and of how much."""
    body = words_of(" ".join(written.paragraphs))
    everything = [*written.paragraphs, *(text for _, text in written.headings), *written.rows, *written.beside]
    expected, found = Counter(words_of(" ".join(everything))), Counter(words_of(text))
    matcher = SequenceMatcher(None, body, words_of(text), autojunk=False)
    flat = " ".join(text.split())
    sentences = [sentence for paragraph in written.paragraphs for sentence in re.findall(r"[^.]+\.", paragraph)]
    lines = Counter(text.splitlines())
    return {
        "words": ((expected & found).total(), expected.total()),
        "order": (sum(block.size for block in matcher.get_matching_blocks()), len(body)),
        "sentences": (sum(sentence.strip() in flat for sentence in sentences), len(sentences)),
        "rows": ((Counter(written.rows) & lines).total(), len(written.rows)),
        "headings": ((Counter(written.headings) & Counter(headings)).total(), len(written.headings)),
    }


def read_by_us(data: bytes) -> tuple[str, list[tuple[int, str]]]:
    """The text and the headings, as `rag index` reads them."""
    parsed = parse(data, Path("a.pdf"))
    return parsed.text, [(block.level, block.label) for block in parsed.blocks if block.kind is BlockKind.HEADING]


def read_as_drawn(data: bytes) -> tuple[str, list[tuple[int, str]]]:
    """The text as PDFium gives it; it marks cut words and joins them."""
    import pypdfium2

    with pypdfium2.PdfDocument(data) as document:
        texts = [page.get_textpage().get_text_range() for page in document]
    return "\n".join(texts).replace("\ufffe", ""), []


def papers(folder: Path, splitter: Splitter) -> dict[str, float]:
    """What the chunks of the papers in a folder are like: shares of all that are prose."""
    whole = sections = count = 0
    for path in sorted(folder.glob("*.pdf")):
        parsed = parse(path.read_bytes(), path)
        document = Document(str(path), parsed.title or path.name, parsed.text, "pdf", "", blocks=parsed.blocks)
        tables = [block for block in parsed.blocks if block.kind is BlockKind.TABLE]
        for chunk in splitter.split(document):
            start, end = chunk.location.start, chunk.location.end
            if any(table.start < end and start < table.end for table in tables):
                continue
            labels = [b.label for b in parsed.blocks if b.kind is BlockKind.HEADING and start <= b.start < end]
            text = parsed.text[start:end].strip()
            if text in labels:
                continue
            count += 1
            whole += not text[0].islower() and bool(re.search(r"[.!?:。][\"'”’)\]]*\d{0,2}$", text))
            sections += any(heading != parsed.title for heading in chunk.location.headings) or bool(labels)
    return {"chunks": count, "whole sentences": whole / count, "with a section": sections / count}


def main() -> None:
    """Print a table of the documents, and what the chunks of the papers are like."""
    parser = command_line(__doc__)
    parser.add_argument("--papers", type=Path, metavar="FOLDER", help="a folder of papers in PDF")
    arguments = parser.parse_args()
    readers = {"rag index": read_by_us, "as drawn": read_as_drawn}
    totals: dict[tuple[str, str], dict[str, list[float]]] = {}
    for number, written in enumerate(documents()):
        kind = "one column" if written.columns == 1 else "two, by rows" if number % 4 == 3 else "two columns"  # noqa: PLR2004
        for name, reader in readers.items():
            total = totals.setdefault((kind, name), {})
            for measure, (found, of) in measured(written, *reader(written.data)).items():
                sums = total.setdefault(measure, [0.0, 0.0])
                sums[0] += found
                sums[1] += of
    measures = list(next(iter(totals.values())))
    print(f"{'':14}{'read':12}" + "".join(f"{measure:>11}" for measure in measures))
    for (kind, name), total in sorted(totals.items()):
        print(f"{kind:14}{name:12}" + "".join(f"{found / of:11.3f}" for found, of in total.values()))
    if arguments.papers:
        encoder = load_encoder()
        print()
        for what, value in papers(arguments.papers, Splitter(encoder, window=encoder.window - SPECIAL_PIECES)).items():
            print(f"{what:20}{value:8.3f}" if value <= 1 else f"{what:20}{value:8.0f}")


if __name__ == "__main__":
    main()
