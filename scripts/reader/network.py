"""The network: a BERT of six layers that reads two texts as one, and three heads on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.reader.examples import Examples
from scripts.reader.pairs import NOT_SUPPORTED, SUPPORTS

_SPAN_WEIGHT = 0.5
_SUPPORT_WEIGHT = 1.0


def reader_network(model_folder: Path) -> Any:
    """A torch module: ids, mask and types [n, t] → judgements [n, 4] and spans [n, t, 2], all of them log-odds.

    The first of the four judgements is whether the passage answers the question, the other three what it is to the
    claim. A span is where it begins and where it ends; [CLS] stands for nothing.
    """
    import torch
    from transformers import BertConfig, BertModel

    # Without dropout: each pair is seen about once, and drawing the noise takes as long as all the rest.
    config = BertConfig.from_pretrained(model_folder, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

    class ReaderNetwork(torch.nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be absent
        def __init__(self) -> None:
            super().__init__()
            # With the texts as short as these, "eager" takes two thirds of the time of the fused attention.
            self.bert = BertModel.from_pretrained(
                model_folder, config=config, attn_implementation="eager", add_pooling_layer=False
            )
            width = self.bert.config.hidden_size
            self.pooled = torch.nn.Linear(width, width)
            self.judge = torch.nn.Linear(width, 4)
            self.place = torch.nn.Linear(width, 2)

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> tuple[Any, Any]:
            return self.read(self.bert.embeddings.word_embeddings(input_ids), attention_mask, token_type_ids)

        def read(self, vectors: Any, attention_mask: Any, token_type_ids: Any) -> tuple[Any, Any]:
            """As `forward`, from the vectors of the word pieces, [n, t, 384]."""
            states = self.bert(
                inputs_embeds=vectors, attention_mask=attention_mask, token_type_ids=token_type_ids
            ).last_hidden_state
            return self.judge(torch.tanh(self.pooled(states[:, 0]))), self.place(states)

    return ReaderNetwork()


def inputs(examples: Examples, batch: npt.NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """Ids, mask and types of some pairs, padded to the longest, as tensors."""
    import torch

    lengths = examples.lengths()[batch]
    width = int(-(-lengths.max() // 8) * 8)
    ids = np.zeros((len(batch), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    types = np.zeros_like(ids)
    for row, (example, length) in enumerate(zip(batch, lengths, strict=True)):
        start = examples.starts[example]
        ids[row, :length] = examples.pieces[start : start + length]
        mask[row, :length] = 1
        types[row, examples.second[example] : length] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(types)


def loss(judged: Any, places: Any, examples: Examples, batch: npt.NDArray[np.int64], types: Any, mask: Any) -> Any:
    """The mean loss of a batch: of whether it answers, of where, and of support, each where it is known."""
    import torch
    from torch.nn import functional

    judged, places = judged.float(), places.float()
    answers = torch.from_numpy(examples.answers[batch]).long()
    support = torch.from_numpy(examples.support[batch]).long()
    spans = torch.from_numpy(examples.spans[batch]).long()
    total = judged.sum() * 0
    asked = answers >= 0
    if asked.any():
        total = total + functional.binary_cross_entropy_with_logits(
            judged[asked, 0], answers[asked].float(), reduction="sum"
        )
    known = spans[:, 0] >= 0
    if known.any():
        # A span lies in the passage; [CLS] stands for none.
        readable = (types == 1) & (mask == 1)
        readable[:, 0] = True
        allowed = places.masked_fill(~readable.unsqueeze(-1), -1e4)[known]
        for side in (0, 1):
            found = functional.cross_entropy(allowed[:, :, side], spans[known, side], reduction="sum")
            total = total + _SPAN_WEIGHT * found
    claimed = support >= 0
    if claimed.any():
        log = functional.log_softmax(judged[claimed, 1:], dim=-1)
        labels = support[claimed]
        exact = labels != NOT_SUPPORTED
        # Neutral or contradicts: what is not support.
        rest = torch.logsumexp(log[:, SUPPORTS + 1 :], dim=-1)
        each = torch.where(exact, log.gather(1, labels.clamp(max=2).unsqueeze(1)).squeeze(1), rest)
        total = total - _SUPPORT_WEIGHT * each.sum()
    return total / len(batch)
