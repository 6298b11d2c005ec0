"""Accuracy: the share of samples with every concept right, at strengths chosen on other samples.

Taking the best of many strengths on the samples that are scored would inflate accuracy. So samples
are split into two folds, even and odd, and each is scored at the strength that the other found
best. One checkpoint's half of the samples chooses poorly, and the best strength changes slowly, so
the choice looks at the other fold's accuracy smoothed over checkpoints; the score does not.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Int8
from scipy.ndimage import gaussian_filter1d

NUM_FOLDS = 2

CHOICE_SMOOTHING = 1.5
"""Checkpoints: standard deviation of the Gaussian over which a strength is chosen, the same that
smooths per-concept accuracies for learning times."""


def joint_right(
    correct: Int8[np.ndarray, "*cell sample concept"],
    off_manifold: Int8[np.ndarray, "*cell sample"],
) -> Float[np.ndarray, "*cell sample"]:
    """1 where every concept is right and the sample is on the manifold, 0 where not.

    Args:
        correct: 1 right, 0 wrong, -1 not measured.
        off_manifold: 1 off the manifold, 0 on it, -1 not measured.

    Returns:
        1, 0, or NaN where not measured.
    """
    right = (correct == 1).all(axis=-1) & (off_manifold == 0)
    measured = (correct >= 0).all(axis=-1) & (off_manifold >= 0)
    return np.where(measured, right, np.nan).astype(np.float32)


def concept_right(
    correct: Int8[np.ndarray, "*cell sample concept"],
    doubtful: Int8[np.ndarray, "*cell sample concept"],
) -> Float[np.ndarray, "*cell sample concept"]:
    """As `joint_right`, for each concept on its own.

    Args:
        correct: 1 right, 0 wrong, -1 not measured.
        doubtful: 1 if the sample is unlike anything G draws or the probes disagree on the concept,
            0 if not, -1 not measured.
    """
    right, measured = (correct == 1) & (doubtful == 0), (correct >= 0) & (doubtful >= 0)
    return np.where(measured, right, np.nan).astype(np.float32)


def mean_measured(values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Mean over what is not NaN; NaN where nothing is."""
    measured = ~np.isnan(values)
    count = measured.sum(axis=axis)
    total = np.where(measured, values, 0).sum(axis=axis, dtype=np.float64)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


@dataclass(frozen=True)
class ChosenAccuracy:
    """Accuracy at strengths that were chosen on other samples.

    Attributes:
        accuracy: mean over both folds; NaN where not measured.
        strength: index of the strength at which each fold was scored; -1 where not measured.
    """

    accuracy: Float[np.ndarray, "seed checkpoint"]
    strength: Int[np.ndarray, "seed checkpoint fold"]


def chosen_accuracy(right: Float[np.ndarray, "seed checkpoint strength sample"]) -> ChosenAccuracy:
    """Score each fold of samples at the strength that the other found best.

    Args:
        right: 1, 0, or NaN where not measured. Ties go to the smallest strength.

    Raises:
        ValueError: if there are fewer than two samples to make folds of.
    """
    if right.ndim != 4 or right.shape[-1] < NUM_FOLDS:
        raise ValueError(
            "right must have shape (seed, checkpoint, strength, sample) with at least "
            f"{NUM_FOLDS} samples, not {right.shape}"
        )
    means = np.stack([mean_measured(fold, axis=-1) for fold in split_folds(right)], axis=-2)
    accuracy, strength = score_folds(means)
    return ChosenAccuracy(accuracy, strength)


def split_folds(values: np.ndarray) -> list[np.ndarray]:
    """The even and the odd entries of the last axis, which is that of samples."""
    return [values[..., fold::NUM_FOLDS] for fold in range(NUM_FOLDS)]


def score_folds(
    means: Float[np.ndarray, "*cell checkpoint fold strength"],
) -> tuple[Float[np.ndarray, "*cell checkpoint"], Int[np.ndarray, "*cell checkpoint fold"]]:
    """Accuracy over both folds, and the strength at which each is scored.

    Args:
        means: accuracy of each fold at each strength; NaN where not measured.
    """
    smoothed = smooth(np.moveaxis(means, -3, -1), CHOICE_SMOOTHING)
    smoothed = np.moveaxis(smoothed, -1, -3)
    known = np.where(np.isnan(smoothed), -1.0, smoothed)
    # argmax takes the first of equals, which is the smallest strength.
    best = np.argmax(known, axis=-1)
    strength = best[..., ::-1]
    scored = np.take_along_axis(means, strength[..., None], axis=-1)[..., 0]
    strength = np.where(np.isnan(scored), -1, strength)
    return scored.mean(axis=-1), strength


def smooth(
    values: Float[np.ndarray, "*cell checkpoint"], sigma: float
) -> Float[np.ndarray, "*cell checkpoint"]:
    """Smooth over checkpoints with a Gaussian of `sigma` checkpoints; NaN stays where it is."""
    if sigma == 0 or values.size == 0:
        return values
    measured = ~np.isnan(values)
    if measured.all():
        return gaussian_filter1d(values, sigma, axis=-1, mode="nearest")
    # What is not measured has no weight.
    total = gaussian_filter1d(np.where(measured, values, 0.0), sigma, axis=-1, mode="nearest")
    weight = gaussian_filter1d(measured.astype(float), sigma, axis=-1, mode="nearest")
    return np.divide(total, weight, out=np.full_like(total, np.nan), where=measured)
