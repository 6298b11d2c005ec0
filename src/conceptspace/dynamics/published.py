"""The published readings of elicitation, for comparison under their own definitions.

(Park et al. 2024, sections 4.3 and 5.) Accuracy is the product over concepts of the mean
probability, at the strength that is best on the very samples that are scored. A time is the middle
one of the first three checkpoints above 0.9, and one that is never reached counts as the last step.
Neither is used for a claim: the best of many strengths on the same samples is too high, and a mean
over cut-off times is too low.
"""

import numpy as np
from jaxtyping import Float, Real

PUBLISHED_THRESHOLD = 0.9
CHECKPOINTS_ABOVE = 3


def published_accuracy(
    probability: Float[np.ndarray, "*cell strength sample concept"],
) -> Float[np.ndarray, "*cell"]:
    """The product over concepts of the mean probability, at the strength that is best here.

    Args:
        probability: of the value that is right; NaN where not measured.

    Example:
        >>> float(published_accuracy(np.array([[[1.0, 0.5], [0.5, 0.5]], [[0.5, 0.5]] * 2])))
        0.375
    """
    measured = ~np.isnan(probability)
    count = measured.sum(axis=-2)
    total = np.where(measured, probability, 0.0).sum(axis=-2, dtype=np.float64)
    means = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    product = means.prod(axis=-1)
    known = ~np.isnan(product)
    best = np.where(known, product, -np.inf).max(axis=-1)
    return np.where(known.any(axis=-1), best, np.nan)


def published_times(
    steps: Real[np.ndarray, " checkpoint"],
    accuracy: Float[np.ndarray, "*cell checkpoint"],
    threshold: float = PUBLISHED_THRESHOLD,
) -> Float[np.ndarray, "*cell"]:
    """The middle one of the first three checkpoints above the threshold, in a row or not; the last
    step where there are fewer.

    Args:
        steps: rising.
        accuracy: as `published_accuracy` gives it.
        threshold: what must be exceeded.

    Example:
        >>> float(published_times(np.array([1, 2, 3, 4]), np.array([0.95, 0.5, 0.95, 0.95])))
        3.0
    """
    steps = np.asarray(steps, dtype=float)
    count = np.cumsum(accuracy > threshold, axis=-1)
    middle = (count == (CHECKPOINTS_ABOVE + 1) // 2).argmax(axis=-1)
    return np.where(count[..., -1] >= CHECKPOINTS_ABOVE, steps[middle], steps[-1])
