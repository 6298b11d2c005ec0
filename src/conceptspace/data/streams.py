"""Named random streams: every random number of a run follows from its seed and what it is for.

A stream is made anew wherever it is needed, from (seed, name, ...), so nothing about random states
has to be stored for a run to continue with the same bits.
"""

import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def entropy(seed: int, *names: str | int) -> np.random.SeedSequence:
    """The seed sequence of a stream; names are words and counts such as ("noise", step)."""
    words = [name if isinstance(name, int) else zlib.crc32(name.encode()) for name in names]
    return np.random.SeedSequence([seed, *words])


def numpy_stream(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose."""
    return np.random.default_rng(entropy(seed, *names))


def torch_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed for torch for one purpose."""
    return int(entropy(seed, *names).generate_state(1, np.uint64)[0] >> np.uint64(1))


def torch_stream(
    seed: int, *names: str | int, device: "str | torch.device" = "cpu"
) -> "torch.Generator":
    """A torch generator for one purpose; its numbers differ from one kind of device to another."""
    import torch

    return torch.Generator(device).manual_seed(torch_seed(seed, *names))
