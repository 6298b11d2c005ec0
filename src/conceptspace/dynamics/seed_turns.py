"""The turn of each seed's own path, judged on that seed's samples alone.

Where seeds turn at different steps their mean path is smooth, and has no turn beyond noise although
each seed may have one. A seed's own path is noisier than the mean: what is found depends on the
number of samples.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.turns import MIN_CHECKPOINTS, turning_points


@dataclass(frozen=True)
class SeedTurns:
    """The best kink of each seed's path, whether or not it is a turn.

    Attributes:
        steps: where it is; NaN where there are too few checkpoints.
        intervals: of the step.
        p_values: of "straight or smooth".
        found: whether it is a turn.
    """

    steps: Float[np.ndarray, " seed"]
    intervals: Float[np.ndarray, "seed end"]
    p_values: Float[np.ndarray, " seed"]
    found: Bool[np.ndarray, " seed"]


def seed_turns(
    arrays: TrajectoryArrays,
    concept_class: str,
    rng: np.random.Generator,
    significance: float,
) -> SeedTurns:
    """Look for a turn in the path of each seed on its own.

    Args:
        arrays: of a trajectory.
        concept_class: whose path under naive prompting.
        rng: draws the resamples.
        significance: highest p-value at which the best kink counts as a turn.
    """
    values = arrays.coordinates(concept_class)
    num_seeds = len(values)
    steps, p_values = np.full(num_seeds, np.nan), np.full(num_seeds, np.nan)
    intervals = np.full((num_seeds, 2), np.nan)
    for seed in range(num_seeds):
        complete = arrays.trained & ~np.isnan(values[seed]).any(axis=(1, 2))
        if complete.sum() < MIN_CHECKPOINTS:
            continue
        own = values[seed : seed + 1, complete].astype(float)
        at = arrays.steps[complete].astype(float)
        best = turning_points(at, own, rng=rng, significance=significance).candidate
        steps[seed], p_values[seed], intervals[seed] = best.step, best.p_value, best.interval
    return SeedTurns(steps, intervals, p_values, p_values <= significance)
