"""To which side a held-out class of two concepts first heads: which of them it gets right first.

Two measures of each seed. The first compares how far either coordinate falls below where it began:
a class that heads to the training class with only the second concept right loses the first one
most. The second is where the path runs: on which side of the straight line from the class of
neither concept to its own corner, on average. Both are positive on the side where the first
concept is right, and around 0 on a straight path.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.memorisation import memorisation
from conceptspace.dynamics.settings import FindingsSettings

NUM_CONCEPTS = 2


@dataclass(frozen=True)
class Sides:
    """Where each seed's path heads; NaN where it was not measured.

    Attributes:
        falls: lowest nearness to the own corner less the starting one, of each concept.
        side: fall of the first concept less that of the second; negative where the first falls
            further, so that the path heads to where only the second is right.
        lean: nearness of the first concept less that of the second, mean over checkpoints.
    """

    falls: Float[np.ndarray, "seed 2"]
    side: Float[np.ndarray, " seed"]
    lean: Float[np.ndarray, " seed"]


def sides(
    nearness: Float[np.ndarray, "seed checkpoint sample concept"],
    *,
    rng: np.random.Generator,
    settings: FindingsSettings | None = None,
) -> Sides:
    """Both measures of every seed.

    Args:
        nearness: to the class's own corner along each of two concepts, 0 to 1, at the checkpoints
            after training began.
        rng: draws resamples.
        settings: where a path begins, and smoothing.

    Raises:
        ValueError: if there are not two concepts, or too few samples or checkpoints.
    """
    if nearness.ndim != 4 or nearness.shape[-1] != NUM_CONCEPTS:
        raise ValueError(
            "nearness must have shape (seed, checkpoint, sample, concept) with two concepts, not "
            f"{nearness.shape}"
        )
    found = [memorisation(nearness[..., i], rng=rng, settings=settings) for i in (0, 1)]
    falls = np.stack([one.fall_per_seed for one in found], axis=-1)
    path = mean_measured(nearness, axis=2)
    lean = mean_measured(path[..., 0] - path[..., 1], axis=1)
    return Sides(falls, falls[:, 0] - falls[:, 1], lean)
