"""Where one of two things begins to come first, as a setting grows."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy import optimize, stats

from conceptspace.dynamics.bootstrap import JEFFREYS

HALF = 0.5


@dataclass(frozen=True)
class Flip:
    """How often the first of two things comes first, setting by setting.

    Attributes:
        share: of the seeds with a known order, a tie counting half; NaN without any.
        interval: Jeffreys' interval of each share; NaN likewise.
        num_known: seeds with a known order.
        crossing: the setting at which the share, made to rise, passes one half; minus infinity if
            it lies above everywhere, infinity if below everywhere, NaN if nothing is known.
        crossing_interval: from redrawing seeds, and never narrower than the two settings between
            which the share passes one half; infinite ends as above.
    """

    share: Float[np.ndarray, " setting"]
    interval: Float[np.ndarray, "setting end"]
    num_known: Float[np.ndarray, " setting"]
    crossing: float
    crossing_interval: tuple[float, float]


def flip(
    setting: Real[np.ndarray, " setting"],
    first: Real[np.ndarray, "setting seed"],
    second: Real[np.ndarray, "setting seed"],
    rng: np.random.Generator,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> Flip:
    """Where the order of two times turns round as a setting grows.

    A time that is censored is later than one that is not; where both are, the order is unknown and
    the seed is left out at that setting.

    Args:
        setting: rising.
        first: times of what should come first at large settings; infinite where never, NaN where
            there is no such seed.
        second: times of the other.
        rng: redraws the seeds, all settings of a seed together.
        num_resamples: bootstrap resamples.
        confidence: of the intervals.

    Raises:
        ValueError: if shapes differ or the settings do not rise.
    """
    setting = np.asarray(setting, dtype=float)
    if first.shape != second.shape or first.shape[:1] != setting.shape:
        raise ValueError(
            f"first {first.shape} and second {second.shape} must be (setting, seed) with "
            f"{len(setting)} settings"
        )
    if (np.diff(setting) <= 0).any():
        raise ValueError(f"setting must rise, not {setting.tolist()}")
    comes_first = _order(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    known = (~np.isnan(comes_first)).sum(axis=1)
    right = np.nansum(comes_first, axis=1)
    share = np.divide(right, known, out=np.full(len(setting), np.nan), where=known > 0)
    around = _jeffreys(right, known, confidence)
    num_seeds = comes_first.shape[1]
    drawn = rng.integers(num_seeds, size=(num_resamples, num_seeds))
    # Few seeds can be redrawn in few ways: 126 of 5, however many resamples there are.
    ways, which = np.unique(np.sort(drawn, axis=1), axis=0, return_inverse=True)
    crossings = np.array([_crossing(setting, comes_first[:, seeds]) for seeds in ways])
    draws = crossings[which.reshape(-1)]
    return Flip(
        share, around, known.astype(float), _crossing(setting, comes_first)[1],
        _outer_interval(draws[~np.isnan(draws[:, 1])], confidence),
    )  # fmt: skip


def _jeffreys(
    right: Float[np.ndarray, " setting"], known: np.ndarray, confidence: float
) -> Float[np.ndarray, "setting end"]:
    """Jeffreys' interval of each share (Brown et al. 2001); NaN where nothing is known."""
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    around = stats.beta.ppf(tails, (right + JEFFREYS)[:, None], (known - right + JEFFREYS)[:, None])
    around[:, 0] = np.where(right == 0, 0.0, around[:, 0])
    around[:, 1] = np.where(right == known, 1.0, around[:, 1])
    around[known == 0] = np.nan
    return around


def _outer_interval(draws: Float[np.ndarray, "draw 3"], confidence: float) -> tuple[float, float]:
    """From the low brackets to the high ones: between two settings a crossing is anywhere.

    Its ends are draws themselves, since some of them may be infinite.
    """
    if len(draws) < 2:
        return np.nan, np.nan
    lowest, _, highest = np.sort(draws, axis=0).T
    outside = int((1 - confidence) / 2 * (len(draws) - 1))
    return float(lowest[outside]), float(highest[len(draws) - 1 - outside])


def _order(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 where the first is earlier, 0 where later, 1/2 where neither; NaN where unknown."""
    order = np.where(first < second, 1.0, np.where(first > second, 0.0, HALF))
    unknown = (np.isinf(first) & np.isinf(second)) | np.isnan(first) | np.isnan(second)
    return np.where(unknown, np.nan, order)


def _crossing(setting: np.ndarray, comes_first: np.ndarray) -> tuple[float, float, float]:
    """Where the shares, made to rise by isotonic regression, pass one half.

    Returns:
        the last setting below one half, the crossing by a straight line, the first above.
    """
    known = (~np.isnan(comes_first)).sum(axis=1)
    there = known > 0
    if not there.any():
        return np.nan, np.nan, np.nan
    x, weights = setting[there], known[there]
    shares = np.nansum(comes_first, axis=1)[there] / weights
    rising = optimize.isotonic_regression(shares, weights=weights).x
    below, above = np.flatnonzero(rising < HALF - 1e-12), np.flatnonzero(rising > HALF + 1e-12)
    if not len(below) and not len(above):
        return np.nan, np.nan, np.nan
    if not len(below):
        return -np.inf, -np.inf, float(x[above[0]])
    if not len(above):
        return float(x[below[-1]]), np.inf, np.inf
    i, j = below[-1], above[0]
    crossing = x[i] + (HALF - rising[i]) / (rising[j] - rising[i]) * (x[j] - x[i])
    return float(x[i]), float(crossing), float(x[j])
