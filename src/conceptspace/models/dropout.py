"""Dropout whose randomness is handed in, as bits drawn before the network runs.

Torch's own dropout draws from a global state, and on a CPU takes as long as a convolution. With
the bits as an input a step follows from its seed alone, also where steps of several models are
captured and replayed side by side.
"""

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor

_LEVELS = 2**16
# Probabilities are rounded to multiples of 1 / 65 536: 0.1 becomes 0.100006.


def random_bits(num: int, generator: torch.Generator) -> Int16[Tensor, " num"]:
    """Uniform 16-bit numbers on the generator's device, which determines them."""
    if generator.device.type != "cpu":
        return refill(torch.empty(num, dtype=torch.int16, device=generator.device), generator)
    # NumPy's raw 64-bit words are four numbers each, five times faster than torch's.
    seed = int(torch.randint(2**62, (), generator=generator))
    words = np.random.SFC64(seed).random_raw(-(-num // 4))
    return torch.from_numpy(words.view(np.int16)[:num])


def refill(bits: Int16[Tensor, "*shape"], generator: torch.Generator) -> Int16[Tensor, "*shape"]:
    """Draw the bits anew, into the same memory."""
    return bits.random_(-_LEVELS // 2, _LEVELS // 2, generator=generator)


def dropped(
    hidden: Float[Tensor, "*shape"], bits: Int16[Tensor, "*shape"], probability: float
) -> Float[Tensor, "*shape"]:
    """`hidden` with entries set to 0 with a probability, the others scaled up to keep the mean."""
    threshold = round(probability * _LEVELS)
    scale = _LEVELS / (_LEVELS - threshold)
    kept = (bits >= threshold - _LEVELS // 2).to(hidden.dtype)
    return hidden * (kept * scale)
