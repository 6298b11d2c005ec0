"""What a late conditioning path does in earlier networks of the same training, over seeds.

A seed counts if its last checkpoint shows the class when prompted, so that there is a path to hand
over, and an earlier one does not. Both are known from other samples than those that are compared:
among checkpoints chosen for a low reading, the same reading is too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.bootstrap import percentile_interval, resample_means, resample_seeds

CONTRASTS = ("gain", "over another seed", "over untrained", "early into late")


@dataclass(frozen=True)
class PatchReadings:
    """Right samples (1 or 0) of one setting; donors and recipients are the same checkpoints.

    Attributes:
        right: of every donor in every recipient; on the diagonal nothing is patched.
        other_seed: of another seed's last donor.
        untrained: of the untrained conditioning path.
        fails: whether the recipient's own prompting fails, known from other samples.
        shows: whether the last checkpoint's own prompting shows the class, likewise.
    """

    right: Float[np.ndarray, "seed donor recipient sample"]
    other_seed: Float[np.ndarray, "seed recipient sample"]
    untrained: Float[np.ndarray, "seed recipient sample"]
    fails: Bool[np.ndarray, "seed recipient"]
    shows: Bool[np.ndarray, " seed"]

    @property
    def early(self) -> Bool[np.ndarray, "seed recipient"]:
        """The recipients that are looked at: their own prompting fails, the last one's does not."""
        early = self.fails & self.shows[:, None]
        early[:, -1] = False
        return early

    @property
    def counts(self) -> Bool[np.ndarray, " seed"]:
        """Whether a seed can tell anything."""
        return np.asarray(self.early.any(axis=1))


@dataclass(frozen=True)
class Contrast:
    """A difference of accuracies, over seeds.

    Attributes:
        value: mean over seeds and settings that count; NaN if there are none.
        interval: from redrawing seeds, then samples; NaN likewise.
        per_seed: of every seed in every setting, NaN where it does not count.
    """

    value: float
    interval: tuple[float, float]
    per_seed: Float[np.ndarray, "setting seed"]


def patch_contrasts(
    settings: Sequence[PatchReadings],
    rng: np.random.Generator,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> dict[str, Contrast]:
    """How a late conditioning path compares, where the recipient's own prompting fails.

    Args:
        settings: one or more, with the same number of seeds.
        rng: redraws seeds, in all settings together, and samples.
        num_resamples: how many.
        confidence: of the intervals.

    Returns:
        by name: `gain`, the last donor's accuracy less the recipient's own; `over another seed` and
        `over untrained`, less that of those donors; `early into late`, the last checkpoint's own
        accuracy less that with the path of a checkpoint whose own prompting fails.

    Raises:
        ValueError: if there is no setting, or they differ in their number of seeds.
    """
    if len({len(reading.shows) for reading in settings}) != 1:
        raise ValueError("settings must be at least one, all with the same number of seeds")
    point, drawn = [], []
    for reading in settings:
        parts = (reading.right, reading.other_seed, reading.untrained)
        right, other_seed, untrained = (part.mean(axis=-1) for part in parts)
        point.append(_differences(right, other_seed, untrained, reading.early))
        right, other_seed, untrained = (
            resample_means(part, num_resamples, rng, are_shares=True) for part in parts
        )
        drawn.append(_differences(right, other_seed, untrained, reading.early))
    found = {}
    redraw = int(rng.integers(2**31))
    for name in CONTRASTS:
        values = np.stack([by_name[name] for by_name in point])
        bank = np.stack([by_name[name] for by_name in drawn], axis=-1)  # (resample, seed, setting)
        draws = mean_measured(resample_seeds(bank, np.random.default_rng(redraw)), axis=(1, 2))
        draws = draws[np.isfinite(draws)]
        interval = percentile_interval(draws, confidence) if len(draws) > 1 else (np.nan, np.nan)
        value = float(mean_measured(values, axis=(0, 1)))
        found[name] = Contrast(value, (float(interval[0]), float(interval[1])), values)
    return found


def _differences(
    right: Float[np.ndarray, "*draw seed donor recipient"],
    other_seed: Float[np.ndarray, "*draw seed recipient"],
    untrained: Float[np.ndarray, "*draw seed recipient"],
    early: Bool[np.ndarray, "seed recipient"],
) -> dict[str, Float[np.ndarray, "*draw seed"]]:
    """Each contrast of each seed, averaged over its early checkpoints."""
    patched = right[..., -1, :]
    own = np.diagonal(right, axis1=-2, axis2=-1)
    backwards = right[..., -1, -1][..., None] - right[..., :, -1]
    parts = (patched - own, patched - other_seed, patched - untrained, backwards)
    return {
        name: mean_measured(np.where(early, part, np.nan), axis=-1)
        for name, part in zip(CONTRASTS, parts)
    }
