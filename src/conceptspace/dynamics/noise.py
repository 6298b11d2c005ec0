"""What resampling seeds, then samples, does to the mean path: draws of its sampling error.

The error of a mean path has two parts: the samples of each seed, and the seeds themselves. A plain
nested bootstrap counts the first part twice, since the spread of the seed means already holds it
(Davison & Hinkley 1997, section 3.8). Here the seeds' spread is first shrunk to what the samples do
not explain. Both levels use Gaussian multipliers in place of redrawn indices (the multiplier
bootstrap, van der Vaart & Wellner 1996, section 2.9): same covariance, and cheap.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import dct, idct
from scipy.ndimage import gaussian_filter1d

SMOOTH_BAND = 8
"""Cosines, out of one a checkpoint, in which differences between seeds are looked for: seeds differ
in smooth ways (rate, delay, step of the turn), samples in every frequency alike."""

TOLERANCE = 0.01
"""Standard deviation added to the sampling error in the weights. Near a corner the sampling error
vanishes, and departures of 1 % from an ideal shape must not outvote everything else there."""


@dataclass(frozen=True)
class PathNoise:
    """The sampling error of a mean path.

    Attributes:
        covariance: of the mean path at each checkpoint, from the samples alone.
        sample_curves: each sample's deviation from its seed's mean, scaled so that Gaussian
            multipliers give the covariance of the mean path. Used when samples are paired.
        seed_curves: each seed's smooth deviation from the mean path, beyond what its samples
            explain, scaled likewise.
        paired: whether sample i is one and the same at all checkpoints (drawn from the same noise).
        seed_share: the part of the smooth spread of seeds that samples do not explain, 0 to 1.
    """

    covariance: Float[np.ndarray, "checkpoint concept concept"]
    sample_curves: Float[np.ndarray, "curve checkpoint concept"]
    seed_curves: Float[np.ndarray, "seed checkpoint concept"]
    paired: bool
    seed_share: float

    @property
    def weights(self) -> Float[np.ndarray, "checkpoint concept"]:
        """Inverse variances for least squares, bounded by `TOLERANCE`."""
        return 1 / (np.einsum("kii->ki", self.covariance) + TOLERANCE**2)

    def draw(
        self, num_resamples: int, rng: np.random.Generator
    ) -> Float[np.ndarray, "resample checkpoint concept"]:
        """Errors of the mean path, one a resample."""
        if self.paired:
            multipliers = rng.standard_normal((num_resamples, len(self.sample_curves)))
            errors = np.tensordot(multipliers, self.sample_curves, axes=1)
        else:
            values, vectors = np.linalg.eigh(self.covariance)
            root = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
            standard = rng.standard_normal((num_resamples, *root.shape[:2]))
            errors = np.einsum("kij,bkj->bki", root, standard)
        if self.seed_share > 0:
            errors = errors + self._draw_seeds(num_resamples, rng)
        return errors

    def _draw_seeds(self, num_resamples: int, rng: np.random.Generator) -> np.ndarray:
        # Few seeds say little about their own spread: dividing by a chi makes Student's t of it.
        num_seeds = len(self.seed_curves)
        multipliers = rng.standard_normal((num_resamples, num_seeds))
        chi2 = rng.chisquare(num_seeds - 1, size=(num_resamples, 1))
        return np.tensordot(multipliers * np.sqrt((num_seeds - 1) / chi2), self.seed_curves, axes=1)


def path_noise(
    values: Float[np.ndarray, "seed checkpoint sample concept"], *, paired: bool | None = None
) -> PathNoise:
    """Estimate the sampling error of the mean path.

    Args:
        values: probe values per sample.
        paired: whether sample i is drawn from the same noise at every checkpoint, so that its
            deviations go together over checkpoints; None finds out from the data.

    Returns:
        the error's parts, from which `PathNoise.draw` makes resamples.
    """
    num_seeds, _, num_samples, _ = values.shape
    seed_means = values.mean(axis=2)
    deviations = values - seed_means[:, :, None]
    scale = 1 / (num_seeds * np.sqrt(num_samples * (num_samples - 1)))
    covariance = np.einsum("skni,sknj->kij", deviations, deviations) * scale**2
    # A checkpoint at which all samples agree has a small error, not none: ask its neighbours.
    covariance = gaussian_filter1d(covariance, 1.0, axis=0, mode="nearest")
    if paired is None:
        paired = _samples_go_together(deviations)
    seed_curves, seed_share = _seed_curves(seed_means, deviations, covariance)
    curves = deviations.transpose(0, 2, 1, 3).reshape(-1, *seed_means.shape[1:]) * scale
    return PathNoise(covariance, curves, seed_curves, paired, seed_share)


def _samples_go_together(deviations: np.ndarray) -> bool:
    """Whether a sample's deviations at neighbouring checkpoints are correlated (4 sigma)."""
    products = (deviations[:, 1:] * deviations[:, :-1]).sum(axis=-1)
    size = np.sqrt((products**2).sum())
    return bool(size > 0 and products.sum() / size > 4)


def _seed_curves(
    seed_means: np.ndarray, deviations: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, float]:
    """The seeds' smooth deviations from the mean path, shrunk by what samples explain."""
    num_seeds, num_checkpoints = seed_means.shape[:2]
    centred = seed_means - seed_means.mean(axis=0)
    if num_seeds == 1:
        return centred, 0.0
    band = slice(0, min(SMOOTH_BAND, num_checkpoints))
    scale = np.sqrt(np.einsum("kii->ki", covariance) + TOLERANCE**2)
    between = np.asarray(dct(centred / scale, axis=1, norm="ortho"))[:, band]
    within = np.asarray(dct(deviations / scale[:, None], axis=1, norm="ortho"))[:, band]
    num_samples = deviations.shape[2]
    total = (between**2).sum() / (num_seeds - 1)
    explained = (within**2).sum() / (num_seeds * num_samples * (num_samples - 1))
    # One standard error is allowed for, or chance alone would widen every interval.
    explained *= 1 + np.sqrt(2 / ((num_seeds - 1) * between[0].size))
    share = float(max(0.0, 1 - explained / total)) if total > 0 else 0.0
    smooth = np.asarray(idct(between, n=num_checkpoints, axis=1, norm="ortho")) * scale
    return smooth * np.sqrt(share / (num_seeds * (num_seeds - 1))), share
