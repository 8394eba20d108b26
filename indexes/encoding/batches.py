"""Puts texts of like lengths together, so that little is padded and few shapes are compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

LENGTH_STEP = 16  # texts are padded to a multiple of this
_HEAD_DIMENSIONS = 32  # of the attention of MiniLM


def padded(length: int) -> int:
    """The next multiple of 16, but never 32.

    On processors with AMX, OpenVINO 2026.4.1 computes the attention wrongly in bf16 when there are as many word pieces
    as a head has dimensions: at 32 the cosine to f32 falls to 0.74, in batches of any size, and at no other multiple of
    16 up to 256 below 0.997. It is right without AMX (ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16).
    """
    multiple = -(-length // LENGTH_STEP) * LENGTH_STEP
    return multiple + LENGTH_STEP if multiple == _HEAD_DIMENSIONS else multiple


def lengths_up_to(longest: int) -> list[int]:
    """Every length that texts of up to `longest` word pieces are padded to."""
    return sorted({padded(length) for length in range(1, longest + 1)})


def batches(lengths: Sequence[int], most_pieces: int) -> Iterator[list[int]]:
    """The places of the texts that go together, longest first, all of one padded length.

    Args:
        lengths: the word pieces of each text.
        most_pieces: of a batch, padding included; a longer text goes alone.
    """
    full = [padded(length) for length in lengths]
    order = sorted(range(len(full)), key=lambda text: (-full[text], text))
    start = 0
    while start < len(order):
        length = full[order[start]]
        end = start + 1
        while end < len(order) and full[order[end]] == length and (end - start + 1) * length <= most_pieces:
            end += 1
        yield order[start:end]
        start = end
