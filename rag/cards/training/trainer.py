"""Trains a card: a small language model learns a domain's text, and is measured on held-out text.

The weights of the model stay frozen. Training learns a LoRA beside them (`rag.cards.training.lora`), some megabytes
that llama.cpp adds to the very GGUF file it was trained on; the weights of that file are dequantised for the training.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from connectors.errors import ConfigurationError
from rag.cards.card import CardError
from rag.cards.training.corpus import ModelTokenizer, TrainingBlock, TrainingCorpus, TrainingPassage
from rag.cards.training.lora import Pair, attach, write_gguf

if TYPE_CHECKING:
    import torch

ADAPTER = "adapter.gguf"
_CHECKPOINT = "checkpoint.safetensors"
CHECKPOINT_SECONDS = 60.0
_WARM_UP = 0.05  # of the steps
_CLIP = 1.0
_IGNORED = -100  # torch's name for a token that is not learned
_RESAMPLED = 2_000
_ALIKE = 8  # tokens: blocks that differ by less are as good as equally long


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """Options for training a card.

    Attributes:
        epochs: how often it reads everything.
        rank: of the matrices; the more, the more they can hold.
        alpha: how strong they are, beside `rank`.
        learning_rate: at its highest.
        batch: texts, or questions with their answers, a step.
        seed: decides what is held out, the start and the order.
    """

    epochs: int = 8
    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 1e-3
    batch: int = 4
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """Progress of a training: steps done, steps in total, mean loss per token (nats) of the last step."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The result of a successful training.

    Attributes:
        adapter: the LoRA, a GGUF file.
        perplexity_before: of the held-out text, without the LoRA.
        perplexity_after: with it.
        change: the mean change of the loss a token (nats) on held-out text, with its 95% interval.
        tokens: how many were learned in an epoch.
        seconds: how long it took, since it was last resumed.
    """

    adapter: Path
    perplexity_before: float
    perplexity_after: float
    change: tuple[float, float, float]
    tokens: int
    seconds: float


OnTrainingProgress = Callable[[TrainingProgress], None]


def train(
    base: Path,
    passages: Sequence[TrainingPassage],
    folder: Path,
    tokenizer: ModelTokenizer,
    *,
    options: TrainingOptions | None = None,
    on_progress: OnTrainingProgress | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Trained:
    """Teach the model in the GGUF file `base` a domain, and write the LoRA into `folder`.

    What an earlier run left in `folder` is gone on with, if it was the same text, model and options: every
    `checkpoint_seconds` it writes how far it is.

    Raises:
        ConfigurationError: the extra is missing, the model is not of a kind that can be adapted, too little text.
        CardError: it did not learn: held-out text became no more likely, beyond chance.
    """
    options = options or TrainingOptions()
    start = time.perf_counter()
    text = TrainingCorpus(passages, tokenizer, options.seed)
    run = _Run(base, text, folder, options)
    before = run.losses(text.held_out)
    run.learn(on_progress, checkpoint_seconds)
    after = run.losses(text.held_out)
    change = _change(before, after)
    if not change[2] < 0:
        raise CardError(
            f"the card did not learn: the loss on held-out text changed by {change[0]:+.3f} nats a token "
            f"[{change[1]:+.3f}, {change[2]:+.3f}]",
            hint="give it more text of one domain, or fewer epochs if it learned by heart",
        )
    write_gguf(folder / ADAPTER, run.pairs, run.model, options.alpha, folder.name)
    (folder / _CHECKPOINT).unlink(missing_ok=True)
    return Trained(
        folder / ADAPTER,
        _perplexity(before),
        _perplexity(after),
        change,
        text.tokens,
        round(time.perf_counter() - start, 1),
    )


Losses = tuple[np.ndarray, np.ndarray]
"""The summed loss of each block (nats), and its tokens."""


class _Run:
    """One training: the model, the matrix pairs beside its weights, and its progress."""

    def __init__(self, base: Path, text: TrainingCorpus, folder: Path, options: TrainingOptions) -> None:
        import torch

        self._text = text
        self._options = options
        self._file = folder / _CHECKPOINT
        self._key = json.dumps([text.fingerprint, asdict(options), base.name, base.stat().st_size])
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        # Half precision where the processor has it (1.5 times as fast), and not where it would be made up in software.
        self._fast = self._device == "cuda" or bool(torch.cpu.get_capabilities().get("avx512_bf16"))
        torch.manual_seed(options.seed)
        self.model = load_model(base).to(self._device)
        self.pairs: dict[str, Pair] = attach(self.model, options.rank, options.alpha, options.seed)
        if self._fast:
            for name in self.pairs:  # else autocast would convert them in every step, as they are not learned
                self.model.get_submodule(name).to(torch.bfloat16)
        parameters = [matrix for pair in self.pairs.values() for matrix in (pair.a, pair.b)]
        self._optimiser = torch.optim.AdamW(parameters, lr=options.learning_rate, weight_decay=0.0)
        self._step = 0

    def learn(self, on_progress: OnTrainingProgress | None, checkpoint_seconds: float) -> None:
        """Go through the text as often as was asked for, from where an earlier run was left.

        Raises:
            CardError: the loss is no number any more.
        """
        import torch

        self._resume()
        each = math.ceil(self._text.blocks / self._options.batch)  # steps of an epoch
        steps = self._options.epochs * each
        batches: list[list[TrainingBlock]] = []
        saved = time.perf_counter()
        self.model.train()
        while self._step < steps:
            epoch, at = divmod(self._step, each)
            if not batches or at == 0:
                batches = self._batches(epoch)
            for group in self._optimiser.param_groups:
                group["lr"] = self._options.learning_rate * _warmth(self._step, steps)
            loss, tokens = self._loss(batches[at])
            mean = loss.sum() / tokens.sum()
            if not torch.isfinite(mean):
                raise CardError("the training failed: its loss is no longer a number", hint="try a lower learning rate")
            torch.autograd.backward(mean)
            torch.nn.utils.clip_grad_norm_([m for pair in self.pairs.values() for m in (pair.a, pair.b)], _CLIP)
            self._optimiser.step()
            self._optimiser.zero_grad()
            self._step += 1
            if time.perf_counter() - saved > checkpoint_seconds:
                self._save()
                saved = time.perf_counter()
            if on_progress is not None:
                on_progress(TrainingProgress(self._step, steps, float(mean.detach())))
        self._save()

    def losses(self, blocks: Sequence[TrainingBlock]) -> Losses:
        """The loss of each block, with the pairs as they are now."""
        import torch

        self.model.eval()
        losses, counts = [], []
        with torch.no_grad():
            for start in range(0, len(blocks), self._options.batch):
                loss, tokens = self._loss(blocks[start : start + self._options.batch])
                losses += loss.tolist()
                counts += tokens.tolist()
        return np.array(losses), np.array(counts)

    def _loss(self, blocks: Sequence[TrainingBlock]) -> tuple[torch.Tensor, torch.Tensor]:
        """The summed loss and the number of learned tokens of each block, shape [blocks]."""
        import torch

        width = max(len(block.tokens) for block in blocks)
        tokens = torch.zeros(len(blocks), width, dtype=torch.long)
        labels = torch.full((len(blocks), width), _IGNORED)
        for row, block in enumerate(blocks):
            tokens[row, : len(block.tokens)] = torch.tensor(block.tokens)
            labels[row, : len(block.tokens)] = torch.tensor(
                [token if learned else _IGNORED for token, learned in zip(block.tokens, block.learned, strict=True)]
            )
        tokens, labels = tokens.to(self._device), labels.to(self._device)
        wanted = labels[:, 1:]
        places = wanted != _IGNORED
        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._fast):
            hidden = self.model.model(input_ids=tokens).last_hidden_state[:, :-1]
            # The vocabulary is by far the largest matrix: only what is learned goes through it.
            logits = self.model.lm_head(hidden[places])
        each = torch.zeros(wanted.shape, device=self._device)
        each[places] = torch.nn.functional.cross_entropy(logits.float(), wanted[places], reduction="none")
        return each.sum(dim=1), places.sum(dim=1)

    def _batches(self, epoch: int) -> list[list[TrainingBlock]]:
        """The blocks of each step; the same for the same seed, so that a run that was cut off goes on with them.

        Blocks of about the same length go together, so that little is padding.
        """
        rng = random.Random(f"{self._options.seed}:{epoch}")  # noqa: S311
        blocks = self._text.epoch(epoch)
        rng.shuffle(blocks)
        blocks.sort(key=lambda block: len(block.tokens) // _ALIKE)
        size = self._options.batch
        batches = [blocks[start : start + size] for start in range(0, len(blocks), size)]
        rng.shuffle(batches)
        return batches

    def _state(self) -> dict[str, torch.Tensor]:
        state = {}
        for name, pair in self.pairs.items():
            for side, matrix in (("a", pair.a), ("b", pair.b)):
                state[f"{name}.{side}"] = matrix.detach().cpu()
                for moment in ("exp_avg", "exp_avg_sq"):
                    if moment in self._optimiser.state[matrix]:
                        state[f"{name}.{side}.{moment}"] = self._optimiser.state[matrix][moment].cpu()
        return state

    def _save(self) -> None:
        from safetensors.torch import save

        from indexes.files import write_atomically

        write_atomically(self._file, save(self._state(), {"key": self._key, "step": str(self._step)}))

    def _resume(self) -> None:
        """Take up what an earlier run of the same training left; anything else is not looked at."""
        import torch
        from safetensors import SafetensorError, safe_open

        if not self._file.exists():
            return
        try:
            with safe_open(self._file, "pt") as saved:
                metadata = saved.metadata() or {}
                if metadata.get("key") != self._key:
                    return
                state = {name: saved.get_tensor(name) for name in saved.keys()}  # noqa: SIM118 — it is no mapping
        except (SafetensorError, OSError):
            return
        self._step = int(metadata["step"])
        for name, pair in self.pairs.items():
            for side, matrix in (("a", pair.a), ("b", pair.b)):
                matrix.data.copy_(state[f"{name}.{side}"])
                if f"{name}.{side}.exp_avg" in state:
                    self._optimiser.state[matrix] = {
                        "step": torch.tensor(float(self._step)),
                        "exp_avg": state[f"{name}.{side}.exp_avg"].to(self._device),
                        "exp_avg_sq": state[f"{name}.{side}.exp_avg_sq"].to(self._device),
                    }


def load_model(base: Path) -> Any:
    """The model in a GGUF file with its weights dequantised, in single precision.

    Raises:
        ConfigurationError: the extra is missing, or transformers does not know this kind of model.
    """
    try:
        import gguf  # noqa: F401 — transformers needs it, and says so badly
        import torch
        from transformers import AutoModelForCausalLM
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"training needs {error.name}", hint="pip install 'pilotfish[models]'") from error
    try:
        # Eager attention is the faster one for rows this short: on a CPU a step took 2.6 s, and 2.9 with the fused one.
        return AutoModelForCausalLM.from_pretrained(
            str(base.parent),
            gguf_file=base.name,
            dtype=torch.float32,
            attn_implementation="eager",
            local_files_only=True,
        )
    except (ValueError, OSError, KeyError, ImportError) as error:
        raise ConfigurationError(
            f"{base} cannot be trained: {error}", hint="use a model of the Llama family, such as SmolLM2"
        ) from error


def _warmth(step: int, steps: int) -> float:
    """The share of the highest learning rate: up in a line, down in half a cosine."""
    rise = max(1, round(_WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def _change(before: Losses, after: Losses) -> tuple[float, float, float]:
    """The change of the mean loss a token with its 95% interval, by resampling the held-out blocks."""
    (old, tokens), (new, _) = before, after
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(old), (_RESAMPLED, len(old)))
    changes = (new[drawn].sum(axis=1) - old[drawn].sum(axis=1)) / tokens[drawn].sum(axis=1)
    low, high = np.quantile(changes, (0.025, 0.975))
    return float((new.sum() - old.sum()) / tokens.sum()), float(low), float(high)


def _perplexity(losses: Losses) -> float:
    return float(np.exp(losses[0].sum() / losses[1].sum()))
