"""How long linking a question takes among many names, and how long it takes to write them down.

    python -m benchmarks.linking_scale --names 1000000 --keep /tmp/names

The names are made of syllables: given and family names in two columns, companies with legal forms, products of three
words, article numbers, and a status that hundreds of thousands of rows share. Times are of the processor, which other
work on the machine changes little, and `found` is how many of the questions led to the name they were made with.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path

import numpy as np

from connectors.document import DocumentName
from indexes.catalog.catalog import Catalog
from indexes.catalog.dictionary import Dictionary
from indexes.catalog.rows import DocumentRow
from indexes.encoding.loading import load_encoder
from rag.query.entity_linking import Linker
from rag.query.query import Query
from rag.query.spelling import is_general

SEED = 1
IN_ONE_COMMIT = 2_000
QUESTIONS = 100
CONSONANTS = "b c d f g h k l m n p r s t v w z br st tr kl"
SYLLABLES = [first + vowel for first in CONSONANTS.split() for vowel in "aeiou"]
ENDINGS = ("", "n", "r", "s", "t", "ng", "ck", "ll", "rd", "m")
NOUNS = (
    "steel wood light power chair table lamp garden kitchen office paper river stone cotton silver mountain travel "
    "winter summer music book"
)
LEGAL = ("GmbH", "Inc.", "Ltd", "LLC", "Group")
STATUS = ("active", "pending", "closed", "open")


class Maker:
    """Makes rows and questions, the same every time."""

    def __init__(self) -> None:
        self.chance = random.Random(SEED)  # noqa: S311
        self.given = [self.word(2) for _ in range(2_000)]
        self.family = [self.word(3) for _ in range(40_000)]
        self.nouns = [noun.title() for noun in NOUNS.split()]

    def word(self, syllables: int) -> str:
        """A word that nobody knows."""
        return ("".join(self.chance.choices(SYLLABLES, k=syllables)) + self.chance.choice(ENDINGS)).title()

    def rows(self) -> Iterator[tuple[DocumentName, ...]]:
        """The names of one row after another, for ever."""
        draw = self.chance.choice
        while True:
            yield (
                DocumentName(draw(self.given), "customers.first_name"),
                DocumentName(draw(self.family), "customers.last_name"),
                DocumentName(draw(STATUS), "customers.status"),
            )
            company = f"{draw(self.family)} {draw(self.nouns)} {draw(LEGAL)}"
            yield (DocumentName(company, "suppliers.company_name"), DocumentName(draw(self.family), "suppliers.city"))
            number = f"{draw('ABCDEFG')}{draw('XYZ')}-{self.chance.randrange(10**6):06d}"
            product = f"{self.word(2)} {draw(self.nouns)} {draw(self.nouns)}"
            yield (DocumentName(product, "products.name"), DocumentName(number, "products.article_number"))

    def questions(self, rows: list[tuple[DocumentName, ...]]) -> dict[str, tuple[str, str]]:
        """Sort → a question about one of these rows, and the name that it should lead to."""
        first, last, _ = (name.text for name in self._one(rows, "customers.first_name"))
        company = self._one(rows, "suppliers.company_name")[0].text
        product, number = (name.text for name in self._one(rows, "products.name"))
        place = self.chance.randrange(1, len(product.split()[0]) - 1)
        mistyped = product[:place] + product[place + 1] + product[place] + product[place + 2 :]
        many_words = (
            f"We received a complaint from {first} {last} about the {product} delivered by {company}: please list all "
            "active orders with their status and date of delivery, and tell me which suppliers were late"
        )
        return {
            "a company": (f"Which orders did {company} deliver last month?", company),
            "without its legal form": (f"orders of {company.rpartition(' ')[0]} in 2023", company),
            "two columns": (f"How many open invoices does {first} {last} have in the last quarter?", last),
            "a number": (f"price of {number.replace('-', '')}", number),
            "mistyped": (f"Who supplies the {mistyped} to customers in the north?", product),
            "none": ("How many customers bought more than five products in each region, ordered by revenue?", ""),
            "many words": (many_words, product),
        }

    def _one(self, rows: list[tuple[DocumentName, ...]], role: str) -> tuple[DocumentName, ...]:
        return self.chance.choice([names for names in rows if names[0].role == role])


def main() -> None:
    """Write the names, link questions, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--names", type=int, default=1_000_000, help="how many")
    parser.add_argument("--keep", type=Path, help="keep the catalog in this folder, and reuse it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilotfish-names-") as folder:
        path = (arguments.keep or Path(folder)) / "catalog.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new, maker = not path.exists(), Maker()
        with closing(Catalog(path, create=True)) as catalog:
            sample = list(islice(maker.rows(), 3_000))
            if is_new:
                fill(catalog, maker, sample, arguments.names)
            link(catalog, maker, sample)


def fill(catalog: Catalog, maker: Maker, sample: list[tuple[DocumentName, ...]], wanted: int) -> None:
    """Write rows until there are as many names, those of the sample first."""
    start, written, keys, rows = time.process_time(), 0, count(1), iter(sample)
    with catalog.writing() as writing:
        writing.add_source("benchmark")
    while written < wanted:
        found = list(islice(rows, IN_ONE_COMMIT)) or list(islice(rows := maker.rows(), IN_ONE_COMMIT))
        documents = [_document(next(keys), names) for names in found]
        with catalog.writing() as writing:
            writing.add_documents(documents, 1)
        written += sum(map(len, found))
    print(f"{written} names written in {time.process_time() - start:.0f} s")


def link(catalog: Catalog, maker: Maker, sample: list[tuple[DocumentName, ...]]) -> None:
    """Link some questions of every sort."""
    encoder = load_encoder()
    times: dict[str, list[float]] = {}
    found: dict[str, int] = {}
    with catalog.reading() as reading:
        linker = Linker(Dictionary(reading, 1), lambda word: is_general(word, encoder))
        linker.link(Query.of("warm up"))
        for _ in range(QUESTIONS):
            for sort, (question, name) in maker.questions(sample).items():
                start = time.process_time()
                links = linker.link(Query.of(question))
                times.setdefault(sort, []).append((time.process_time() - start) * 1_000)
                right = any(each.name == name for each in links) if name else not links
                found[sort] = found.get(sort, 0) + right
    print(f"{'':<24}{'median ms':>10}{'p95':>8}{'found':>8}")
    for sort, each in times.items():
        median, worst = np.percentile(each, [50, 95])
        print(f"{sort:<24}{median:>10.1f}{worst:>8.1f}{found[sort] / QUESTIONS:>8.2f}")


def _document(key: int, names: tuple[DocumentName, ...]) -> DocumentRow:
    return DocumentRow(
        id=key,
        source_id=1,
        uri=f"row/{key}",
        title="",
        kind="row",
        language="en",
        revision="",
        stamp="",
        metadata={},
        first_chunk=key,
        chunks=1,
        names=names,
    )


if __name__ == "__main__":
    main()
