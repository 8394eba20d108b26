"""Python as the example of what a chunk of code is; the other languages are in test_languages.py."""

from connectors.code.source import parse_source
from connectors.document import CALLS, DEFINES, Chunk
from tests.connectors.code.checks import chunks_of, sample

TEXT = sample("cart.py")


def by_symbol(text: str) -> dict[str, Chunk]:
    """The first chunk of each symbol."""
    found: dict[str, Chunk] = {}
    for chunk in chunks_of(text, "python"):
        assert chunk.location.symbol is not None
        found.setdefault(chunk.location.symbol.name, chunk)
    return found


def test_a_chunk_is_a_function_a_method_or_the_head_of_a_class() -> None:
    chunks = by_symbol(TEXT)
    assert list(chunks) == [
        "shop", "Parcel", "Cart", "Cart.__init__", "Cart.total", "Cart.total.taxed", "Cart.ship", "main"
    ]  # fmt: skip
    kinds = {name: chunk.location.symbol and chunk.location.symbol.kind for name, chunk in chunks.items()}
    assert kinds["shop"] == "module"
    assert kinds["Cart"] == "class"
    assert kinds["Cart.ship"] == "method"
    assert kinds["main"] == "function"


def test_it_begins_with_its_decorators_and_the_comments_above_them() -> None:
    chunks = by_symbol(TEXT)
    assert chunks["Parcel"].text.startswith("# What the shop takes\n# for a parcel.\n@dataclass")
    assert chunks["Cart.total"].text.startswith("    # Prices are net.\n    @property\n    def total")


def test_signature_and_docstring_are_stretches_of_the_text() -> None:
    said = {
        name: (TEXT[slice(*symbol.signature)], TEXT[slice(*symbol.docstring)])
        for name, chunk in by_symbol(TEXT).items()
        if (symbol := chunk.location.symbol)
    }
    assert said["shop"] == ("", '"""Shopping carts."""')
    assert said["Parcel"] == ("class Parcel:", "# What the shop takes\n# for a parcel.")
    assert said["Cart"][1].startswith('"""What a customer')
    assert said["Cart.ship"] == ("def ship(self, parcel: Parcel, *, express: bool = False) -> str:", "")


def test_what_does_not_fit_is_cut_between_statements_and_stays_under_its_name() -> None:
    first, *rest = [
        chunk
        for chunk in chunks_of(TEXT, "python")
        if chunk.location.symbol and chunk.location.symbol.name == "Cart.ship"
    ]
    assert [chunk.text.lstrip().split(" ")[0] for chunk in rest] == ["if", "for"]
    assert first.context == "Cart\nPython method cart ship"
    assert {chunk.context for chunk in rest} == {"Cart > ship\nPython method cart ship"}
    assert all(chunk.location.symbol and chunk.location.symbol.signature == (0, 0) for chunk in rest)


def test_headings_are_the_path_and_the_location_names_the_symbol() -> None:
    chunk = by_symbol(TEXT)["Cart.total.taxed"]
    assert chunk.location.headings == ("shop", "Cart", "total", "taxed")
    assert str(chunk.location) == "Cart.total.taxed, lines 33-34"


def test_renaming_a_file_changes_no_text_that_is_indexed() -> None:
    before, after = chunks_of(TEXT, "python", "shop"), chunks_of(TEXT, "python", "store")
    assert [chunk.indexed_text for chunk in before] == [chunk.indexed_text for chunk in after]


def test_members_of_one_line_are_grouped() -> None:
    text = "class Point:\n" + "".join(f"    def {name}(self): return 0\n\n" for name in "abcdef")
    assert len(chunks_of(text, "python", window=254, target=200)) == 1


def test_a_short_line_between_functions_goes_with_one_of_them() -> None:
    body = "\n".join(f"    print('step {number}')" for number in range(8))
    text = f"def first():\n{body}\n\n_cache = {{}}\n\ndef second():\n{body}\n"
    assert [chunk.text.split("\n")[0] for chunk in chunks_of(text, "python", window=90, target=80)] == [
        "def first():", "_cache = {}"
    ]  # fmt: skip


def test_names_are_what_is_defined_and_what_is_called() -> None:
    names = parse_source(TEXT, "python", "shop").names
    defined = {name.text for name in names if name.role == DEFINES}
    called = {name.text for name in names if name.role == CALLS}
    assert {"Cart", "Cart.total", "total", "Cart.ship", "main"} <= defined
    assert {"Cart", "choose", "self.choose", "load", "carrier.load", "decimal.Decimal"} - called == {"self.choose"}
    assert all(
        name.text.rpartition(".")[2] == TEXT[name.start :][: len(name.text.rpartition(".")[2])] for name in names
    )


def test_offsets_are_those_of_characters() -> None:
    text = '"""Ünï 😀."""\n\n# ☃ 𝔸\ndef größe():\n    """€."""\n    return maß.länge()\n'
    (block,) = parse_source(text, "python", "shop").blocks[0].parts
    assert text[block.start : block.end] == text[text.index("# ☃") :].rstrip()
    assert block.symbol is not None
    assert text[slice(*block.symbol.docstring)] == '"""€."""'
    found = {name.text: name.start for name in parse_source(text, "python").names}
    assert found == {"größe": text.index("größe"), "länge": text.index("länge"), "maß.länge": text.index("länge")}


def test_a_broken_stretch_is_kept_and_counted() -> None:
    text = TEXT.replace("class Parcel:", "class Parcel(((:")
    parsed = parse_source(text, "python", "shop")
    assert parsed.metadata["syntax_errors"] == 1
    assert {"Cart.total", "main"} <= {name.text for name in parsed.names}
    assert "class Parcel(((:" in "".join(chunk.text for chunk in chunks_of(text, "python"))


def test_what_is_mostly_broken_is_plain_lines() -> None:
    text = ")) ] ;; }{ = = \n" * 40
    parsed = parse_source(text, "python", "shop")
    assert parsed.metadata["syntax_errors"]
    assert all(chunk.location.symbol is None for chunk in chunks_of(text, "python"))


def test_the_first_line_of_a_member_keeps_its_indentation_like_the_others() -> None:
    method = by_symbol(TEXT)["Cart.ship"]
    assert method.text.startswith("    ")
    assert TEXT[method.location.start : method.location.end] == method.text
    assert TEXT[method.location.start - 1] == "\n"
