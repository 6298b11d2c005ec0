"""Hiding the condition from some examples of a batch, so that a model also learns without it."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

NO_CONDITION = -1.0
"""What every entry of h holds where the condition is hidden (Park et al. 2024)."""


def drop_conditions(
    vectors: Float[Tensor, "batch width"],
    probability: float,
    rng: np.random.Generator,
    fill: float = NO_CONDITION,
) -> Float[Tensor, "batch width"]:
    """The conditioning vectors of a batch with some rows hidden.

    Args:
        vectors: h of each example; not changed.
        probability: that a row is hidden, in [0, 1]; nothing is drawn where it is 0.
        rng: one draw a row; a stream of the seed and the step makes training resumable.
        fill: what all entries of a hidden row become.

    Example:
        >>> drop_conditions(torch.zeros(2, 1), 1.0, np.random.default_rng(0)).tolist()
        [[-1.0], [-1.0]]
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability must be between 0 and 1, not {probability}")
    if probability == 0.0:
        return vectors
    hidden = torch.from_numpy(rng.random(len(vectors)) < probability).to(vectors.device)
    return vectors.masked_fill(hidden[:, None], fill)


def no_condition(width: int) -> Float[Tensor, "1 width"]:
    """h where the condition is hidden, one row."""
    return torch.full((1, width), NO_CONDITION)
