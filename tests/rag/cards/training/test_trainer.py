"""Training a card: a tiny model that learns, one that does not, one that is killed; and the LoRA of a real one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.errors import ConfigurationError
from rag.cards.card import CardError
from rag.cards.training.corpus import ModelTokenizer, TrainingCorpus, TrainingPassage, held_out

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as for a real training; it is read when torch is loaded
pytest.importorskip("torch", reason="needs the extra: pip install 'pilotfish[models]'")
pytest.importorskip("gguf", reason="needs the extra: pip install 'pilotfish[models]'")

from rag.cards.training import trainer as training
from rag.cards.training.trainer import Trained, TrainingOptions, train
from rag.llm.gguf import read_header

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning"),
]

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789 .?\n"
TOKENIZER = ModelTokenizer(
    tokens=lambda text: [3 + LETTERS.find(letter) % len(LETTERS) for letter in text.lower()],
    asked=lambda message: [1, *(3 + LETTERS.find(letter) % len(LETTERS) for letter in message.lower()[-12:]), 1],
    end=[2],
)
QUICK = TrainingOptions(epochs=3, rank=4, alpha=8.0, learning_rate=2e-2, batch=8)


def write_tiny_model(path: Path, *, architecture: str = "llama") -> Path:
    """A model of two blocks with random weights, as a GGUF file."""
    import gguf
    import numpy as np

    width, inner, heads, shared, words, blocks = 32, 64, 4, 2, 64, 2
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_context_length(512)
    writer.add_embedding_length(width)
    writer.add_block_count(blocks)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(shared)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(words)
    writer.add_token_list([f"<{number}>" for number in range(words)])

    def put(name: str, *shape: int) -> None:
        weights = np.ones(shape) if len(shape) == 1 else rng.normal(0, 0.08, shape)
        writer.add_tensor(name, weights.astype(np.float32))

    put("token_embd.weight", words, width)
    put("output_norm.weight", width)
    for block in range(blocks):
        put(f"blk.{block}.attn_norm.weight", width)
        put(f"blk.{block}.attn_q.weight", width, width)
        put(f"blk.{block}.attn_k.weight", width * shared // heads, width)
        put(f"blk.{block}.attn_v.weight", width * shared // heads, width)
        put(f"blk.{block}.attn_output.weight", width, width)
        put(f"blk.{block}.ffn_norm.weight", width)
        put(f"blk.{block}.ffn_gate.weight", inner, width)
        put(f"blk.{block}.ffn_up.weight", inner, width)
        put(f"blk.{block}.ffn_down.weight", width, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def regular() -> list[TrainingPassage]:
    """A language with a rule: every word is followed by the next one."""
    words = ["one", "two", "three", "four", "five", "six"]
    rng = random.Random(0)
    texts = []
    for _ in range(30):
        start = rng.randrange(6)
        texts.append(" ".join(words[(start + step) % 6] for step in range(24)) + ".")
    return [TrainingPassage(f"doc{number}", "", text) for number, text in enumerate(texts)]


def noise() -> list[TrainingPassage]:
    rng = random.Random(0)
    return [
        TrainingPassage(f"doc{number}", "", "".join(rng.choice(LETTERS[:36]) for _ in range(150)))
        for number in range(30)
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("base") / "tiny.gguf")


def trained(base: Path, folder: Path, passages: Sequence[TrainingPassage] | None = None, **options: Any) -> Trained:
    folder.mkdir(exist_ok=True)
    return train(base, regular() if passages is None else passages, folder, TOKENIZER, options=QUICK, **options)


def test_a_card_learns_and_becomes_an_adapter(base: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    result = trained(base, tmp_path / "card", on_progress=lambda done: steps.append(done.step))
    assert result.perplexity_after < 0.8 * result.perplexity_before
    assert result.change[1] <= result.change[0] <= result.change[2] < 0
    assert steps == list(range(1, len(steps) + 1))
    header = read_header(result.adapter)
    assert header.metadata["general.type"] == "adapter"
    assert header.metadata["adapter.type"] == "lora"
    assert header.metadata["adapter.lora.alpha"] == 8.0
    assert header.tensors == 2 * 7 * 2
    assert [path.name for path in (tmp_path / "card").iterdir()] == ["adapter.gguf"]


def test_a_card_that_did_not_learn_is_none(base: Path, tmp_path: Path) -> None:
    options = TrainingOptions(epochs=1, rank=1, alpha=0.0001, learning_rate=1e-9, batch=4)
    with pytest.raises(CardError, match="did not learn") as caught:
        train(base, noise(), tmp_path, TOKENIZER, options=options)
    assert caught.value.hint
    assert not (tmp_path / "adapter.gguf").exists()


def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(base: Path, tmp_path: Path) -> None:
    whole = trained(base, tmp_path / "whole", checkpoint_seconds=0.0)

    class CutOffError(Exception):
        pass

    def cut(done: training.TrainingProgress) -> None:
        if done.step == 5:
            raise CutOffError

    with pytest.raises(CutOffError):
        trained(base, tmp_path / "cut", on_progress=cut, checkpoint_seconds=0.0)
    steps: list[int] = []
    again = trained(base, tmp_path / "cut", on_progress=lambda done: steps.append(done.step))
    assert steps[0] == 6
    assert again.perplexity_after == pytest.approx(whole.perplexity_after, rel=1e-3)


def test_a_killed_run_leaves_a_checkpoint_that_is_gone_on_with(base: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.rag.cards.training import test_trainer as t;"
        "t.trained(Path(sys.argv[1]), Path(sys.argv[2]), on_progress=lambda done: print(done.step, flush=True),"
        " checkpoint_seconds=0.0)"
    )
    root = Path(__file__).parents[4]
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script, base, tmp_path / "card"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 4:
            child.send_signal(signal.SIGKILL)
            break
    child.stdout.close()
    child.wait()
    steps: list[int] = []
    trained(base, tmp_path / "card", on_progress=lambda done: steps.append(done.step))
    assert steps[0] >= 4


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", b"\xff" * 100])
def test_a_damaged_checkpoint_is_not_looked_at(base: Path, tmp_path: Path, damage: bytes) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_bytes(damage)
    steps: list[int] = []
    trained(base, folder, on_progress=lambda done: steps.append(done.step))
    assert steps[0] == 1


def test_the_same_seed_gives_the_same_card(base: Path, tmp_path: Path) -> None:
    one, two = trained(base, tmp_path / "one"), trained(base, tmp_path / "two")
    assert one.perplexity_after == pytest.approx(two.perplexity_after, rel=1e-4)


@pytest.mark.parametrize(
    "passages", [[], [TrainingPassage("a", "", "Too little.")], [TrainingPassage("a", "", "")] * 9]
)
def test_too_little_text_is_told(base: Path, tmp_path: Path, passages: list[TrainingPassage]) -> None:
    with pytest.raises(ConfigurationError, match="too few to learn from"):
        trained(base, tmp_path / "card", passages)


def test_what_is_held_out_is_whole_documents_and_is_never_learned() -> None:
    passages = [
        TrainingPassage(f"doc{number // 3}", f"Name{number}", f"Only {number} is of this. " * 12)
        for number in range(60)
    ]
    made = TrainingCorpus(passages, TOKENIZER, seed=0)
    out = held_out([passage.document for passage in passages], seed=0)
    assert len(out) == 2
    assert made.fingerprint != TrainingCorpus(passages, TOKENIZER, seed=1).fingerprint
    read = ["".join(LETTERS[token - 3] for token in block.tokens if token > 2) for block in made.epoch(0)]
    for passage in passages:
        assert any(passage.context.lower() in text for text in read) == (passage.document not in out)


def test_each_reading_asks_something_else_and_the_same_seed_the_same() -> None:
    one, two = TrainingCorpus(regular(), TOKENIZER, seed=0), TrainingCorpus(regular(), TOKENIZER, seed=0)
    assert one.epoch(3) == two.epoch(3)
    assert one.epoch(3) != one.epoch(4)
    assert len(one.epoch(3)) == len(one.epoch(4)) == one.blocks


def test_only_the_answer_to_a_question_is_learned() -> None:
    made = TrainingCorpus(regular(), TOKENIZER, seed=0)
    pairs = [block for block in made.epoch(0) if not all(block.learned)]
    assert pairs
    for block in pairs:
        start = block.learned.index(True)
        assert all(block.learned[start:])
        assert block.tokens[start - 1] == 1, "what ends the question"
        assert block.tokens[-1] == 2, "what ends the answer"


def test_a_file_that_cannot_be_trained_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(ConfigurationError, match="cannot be trained"):
        trained(broken, tmp_path / "card")


@pytest.mark.usefixtures("smollm2")
def test_a_training_that_cannot_be_gone_on_with_leaves_nothing(tmp_path: Path) -> None:
    from rag import KnowledgeBase

    note = tmp_path / "note.md"
    note.write_text("# A note\n\nIt says little.\n")
    kb = KnowledgeBase.open(tmp_path / "kb")
    with pytest.raises(ConfigurationError, match="too few to learn from"):
        kb.cards.train("small", str(note))
    kb.close()
    assert not list((tmp_path / "kb").rglob("*training*"))


@pytest.mark.timeout(600)
def test_llama_cpp_reads_the_adapter_as_torch_does(tmp_path: Path, smollm2: Path) -> None:
    """A LoRA of random numbers changes what both say next, in the same way: no row is in the wrong place."""
    import torch

    from rag.cards.training.lora import attach, write_gguf
    from rag.llm.local import LocalLLM

    plain = LocalLLM()
    text = "The refund of a parcel that was sent back takes"
    tokens = plain.tokens(text)
    model = training.load_model(plain.path).eval()
    with torch.no_grad():
        before = model(torch.tensor([tokens])).logits[0, -1].log_softmax(0)
        pairs = attach(model, 4, 8.0, seed=0)
        generator = torch.Generator().manual_seed(1)
        for pair in pairs.values():
            pair.b.copy_(torch.randn(pair.b.shape, generator=generator) * 0.05)
        after = model(torch.tensor([tokens])).logits[0, -1].log_softmax(0)
    write_gguf(tmp_path / "adapter.gguf", pairs, model, 8.0, "test")
    assert (after - before).abs().max() > 0.5, "the LoRA has to matter"

    def said(lora: Path | None) -> dict[int, float]:
        engine = (plain if lora is None else LocalLLM(lora=lora))._engine
        replies: list[Any] = []
        request = {"prompt": tokens, "max_tokens": 1, "n_predict": 1, "n_probs": 20, "temperature": 0, "logprobs": 20}
        engine._server.handle_completions(request, lambda reply: bool(replies.append(reply)))
        content = replies[0]["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        return {one["id"]: one["logprob"] for one in content}

    for lora, expected in ((None, before), (tmp_path / "adapter.gguf", after)):
        found = said(lora)
        difference = [abs(value - float(expected[token])) for token, value in list(found.items())[:10]]
        assert sum(difference) / len(difference) < 0.25, (lora, found)
