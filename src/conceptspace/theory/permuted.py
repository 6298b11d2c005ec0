"""Whether two settings differ by more than they would if settings had changed places."""

import numpy as np
from jaxtyping import Float


def permuted_drop(
    values: Float[np.ndarray, "seed setting"], rng: np.random.Generator, num_resamples: int = 1000
) -> float:
    """How often the first setting exceeds the last by as much when each seed's settings permute.

    Args:
        values: one number for each seed and setting, without NaN; at least 2 settings.
        rng: permutes.
        num_resamples: how often.

    Returns:
        share of permutations, the order as it is counted as one.

    Example:
        >>> falling = np.tile([0.9, 0.5, 0.1], (6, 1))
        >>> permuted_drop(falling, np.random.default_rng(0)) < 0.01
        True
    """
    observed = (values[:, 0] - values[:, -1]).mean()
    order = rng.random((num_resamples, *values.shape)).argsort(axis=-1)[..., [0, -1]]
    drawn = np.take_along_axis(values[None], order, axis=-1)
    drops = (drawn[..., 0] - drawn[..., 1]).mean(axis=1)
    return float((1 + (drops >= observed - 1e-12).sum()) / (1 + num_resamples))
