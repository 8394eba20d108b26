"""The training loop: resumes where it stopped, and measures on the pairs that are held out."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import auroc
from scripts.reader.examples import Examples, batches
from scripts.reader.network import inputs, loss
from scripts.reader.pairs import SUPPORTS

_BATCH_PIECES = 6_000  # word pieces in a batch, padding included
_LEARNING_RATE = 1.5e-4
_WEIGHT_DECAY = 0.01
_WARM_UP = 0.06  # of all steps
_CLIP = 1.0
_CHECKPOINT_SECONDS = 240.0
_REPORT_STEPS = 50

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What is trained on, and for how long: `epochs` times the pairs that are not held out, `pairs` of them at most."""

    examples: Examples
    epochs: float
    pairs: int | None
    seed: int

    def rows(self) -> Rows:
        """The pairs that are trained on."""
        usable = np.flatnonzero(self.examples.held_out == 0)
        order = np.random.default_rng(self.seed).permutation(usable)
        return order[: self.pairs]

    def steps(self) -> list[Rows]:
        """The batches of all epochs."""
        found: list[Rows] = []
        rows = self.rows()
        for epoch in range(math.ceil(self.epochs)):
            share = min(1.0, self.epochs - epoch)
            own = list(batches(self.examples, rows, _BATCH_PIECES, self.seed + epoch))
            found += own[: math.ceil(share * len(own))]
        return found


def train(network: Any, run: TrainingRun, checkpoint: Path) -> None:
    """Train in place; goes on from `checkpoint` where there is one, and leaves it there."""
    import torch

    steps = run.steps()
    network.bert.embeddings.word_embeddings.weight.requires_grad_(requires_grad=False)  # rare words stay as they were
    trained = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(steps)))
    torch.manual_seed(run.seed)
    done = 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        done = kept["done"]
    fast = torch.cpu._is_amx_tile_supported()  # without it bfloat16 takes longer than single precision
    network.train()
    saved = began = time.monotonic()
    recent: list[float] = []
    pairs = 0
    for step in range(done, len(steps)):
        batch = steps[step]
        ids, mask, types = inputs(run.examples, batch)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
            judged, places = network(ids, mask, types)
        found = loss(judged, places, run.examples, batch, types, mask)
        optimizer.zero_grad(set_to_none=True)
        found.backward()
        torch.nn.utils.clip_grad_norm_(trained, _CLIP)
        optimizer.step()
        schedule.step()
        recent.append(float(found.detach()))
        pairs += len(batch)
        if (step + 1) % _REPORT_STEPS == 0:
            speed = pairs / (time.monotonic() - began)
            left = (len(steps) - step - 1) / max(1e-9, (step + 1 - done) / (time.monotonic() - began)) / 60
            print(
                f"step {step + 1}/{len(steps)} loss {np.mean(recent):.4f}, {speed:.1f} pairs/s, {left:.0f} min left",
                flush=True,
            )
            recent.clear()
        if time.monotonic() - saved > _CHECKPOINT_SECONDS or step + 1 == len(steps):
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
            part = checkpoint.with_suffix(".part")
            torch.save({**state, "schedule": schedule.state_dict(), "done": step + 1}, part)
            part.replace(checkpoint)
            saved = time.monotonic()
    network.eval()


def _rate(step: int, steps: int) -> float:
    """The share of the learning rate: it rises, and then falls evenly to nothing."""
    warm = max(1, round(_WARM_UP * steps))
    return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))


def measure(network: Any, examples: Examples) -> Iterator[str]:
    """On the pairs held out, set by set: AUROC of `answers` and of support, and how often the span is right."""
    import torch

    rows = np.flatnonzero(examples.held_out == 1)
    judged = np.zeros((len(examples), 4), dtype=np.float32)
    spans = np.zeros((len(examples), 2), dtype=np.int64)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for batch in batches(examples, rows, 2 * _BATCH_PIECES, 0):
            ids, mask, types = inputs(examples, batch)
            found, places = network(ids, mask, types)
            judged[batch] = found.float().numpy()
            places = places.float().masked_fill(((types == 0) | (mask == 0)).unsqueeze(-1), -1e4)
            spans[batch] = places.argmax(1).numpy()
    for number, name in enumerate(examples.sources):
        own = rows[examples.source[rows] == number]
        answers, support = examples.answers[own], examples.support[own]
        line = f"{name:26} {len(own):5}"
        if (answers == 1).any() and (answers == 0).any():
            line += f"  answers {auroc(judged[own[answers == 1], 0], judged[own[answers == 0], 0]):.3f}"
        known = own[examples.spans[own, 0] > 0]
        if len(known):
            line += f"  span F1 {np.mean([_overlap(spans[row], examples.spans[row]) for row in known]):.3f}"
        if (support == SUPPORTS).any() and (support > SUPPORTS).any():
            score = judged[own, 1] - np.logaddexp(judged[own, 2], judged[own, 3])
            line += f"  supports {auroc(score[support == SUPPORTS], score[support > SUPPORTS]):.3f}"
        yield line


def _overlap(found: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """F1 of two stretches of word pieces."""
    shared = min(found[1], right[1]) - max(found[0], right[0]) + 1
    if shared <= 0:
        return 0.0
    return float(2 * shared / (max(found[1] - found[0] + 1, 1) + right[1] - right[0] + 1))
