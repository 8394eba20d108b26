"""The examples run, on a real server too, and find what they are there to show."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import URL

from rag import Answer
from rag.cards.training.trainer import TrainingOptions

ROOT = Path(__file__).parent.parent
SHOP = ROOT / "examples" / "shop"


def example(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"{path.parent.name}_example", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shop() -> ModuleType:
    return example(SHOP / "ask.py")


def kinds(answer: Answer) -> set[str]:
    return {source.hit.kind for source in answer.sources}


def test_the_shop_answers_from_documents_rows_and_code_together(
    shop: ModuleType, postgresql: URL, tmp_path: Path
) -> None:
    database = postgresql.render_as_string(hide_password=False)
    shop.fill(database)
    shop.fill(database)  # what is there stays
    refund, function, supplier, waiting = shop.ask(tmp_path / "kb", database, shop.QUESTIONS)
    for answer in (refund, function, supplier, waiting):
        assert not answer.abstained
        assert answer.citations
        assert all(citation.supported for citation in answer.citations)
    assert kinds(waiting) == {"markdown", "row", "code"}
    places = [source.hit.uri.rpartition("#")[2] for source in refund.sources]
    assert places[:2] == ["orders/1007", "refunds/51"], "the order, and the refund that is tied to it"
    assert [citation.uri for citation in function.citations] == [str(SHOP / "src" / "refunds.py")]
    assert [citation.uri.rpartition("#")[2] for citation in supplier.citations] == ["products/TW-2007"]
    assert [citation.uri for citation in waiting.citations] == [str(SHOP / "docs" / "stock.md")]


def test_the_transcript_is_what_the_example_prints() -> None:
    done = subprocess.run([sys.executable, str(SHOP / "ask.py")], capture_output=True, text=True, check=True, cwd=ROOT)
    (shown,) = re.findall(
        r"```console\n\$ python examples/shop/ask\.py\n(.*?)```", (SHOP / "README.md").read_text(), re.DOTALL
    )
    assert done.stdout.strip() == shown.strip()


MILL = """# The mill of {town}

The mill of {town} was built in {year} by {builder}, who had seen one like it in the south; its walls are of
{stone}, and its four sails of larch turn in the lightest wind, so that for a hundred years the farmers of
{town} brought their rye there on carts. Today the mill is kept by a society, which grinds flour with it on
the first Sunday of each month, and lets visitors climb to the upper floor, from where one sees the river and
the road to the sea; the key hangs in the bakery, where one may ask for it, and where the old millstone lies
at the door.
"""
MILLS = (
    ("Skelmar", "1743", "Ilsa Varn", "green slate"),
    ("Orveth", "1688", "Tobias Hult", "grey granite"),
    ("Brudell", "1801", "Runa Marsk", "red brick"),
    ("Quelby", "1566", "Anselm Rov", "black basalt"),
    ("Zannvik", "1620", "Petra Ulgard", "white limestone"),
    ("Fenmark", "1799", "Egon Drosk", "yellow sandstone"),
)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("smollm2")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
def test_the_card_is_trained_once_and_asked_with_the_knowledge_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in ("torch", "transformers", "gguf"):
        pytest.importorskip(module, reason="needs the extra: pip install 'pilotfish[models]'")
    monkeypatch.setenv("PILOTFISH_DATA", str(tmp_path / "data"))
    folder = tmp_path / "mills"
    folder.mkdir()
    for town, year, builder, stone in MILLS:
        (folder / f"{town}.md").write_text(MILL.format(town=town, year=year, builder=builder, stone=stone))
    card = example(ROOT / "examples" / "card" / "expert.py")
    question = "Who built the mill of Skelmar?"
    said, answer = card.ask(tmp_path / "kb", str(folder), question, TrainingOptions(epochs=1, batch=8))
    assert "perplexity of held-out text" in capsys.readouterr().err
    assert said
    assert "Ilsa Varn" in answer.text
    again, _ = card.ask(tmp_path / "kb", str(folder), question)
    assert [one.text for one in again] == [one.text for one in said]
    assert "step" not in capsys.readouterr().err, "it is there already"
