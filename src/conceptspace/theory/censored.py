"""Learning times against signals, some times censored: a regression and a rank correlation.

A time is infinite where a concept was never learned, and is then known to be later than its end, as
in `conceptspace.dynamics.learning`. The regression is the log-normal accelerated-failure-time
model, by maximum likelihood: log T = intercept + slope log signal + spread times a normal number.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Real
from scipy import optimize, special, stats

LEAST_EVENTS = 3
LEAST_SPREAD = 1e-6
"""Times on a line leave no spread, and its logarithm must stay finite."""
LOG_ROOT_TWO_PI = float(np.log(2 * np.pi) / 2)


@dataclass(frozen=True)
class TimeLaw:
    """How learning times follow from signals: log T = intercept + slope log signal + noise.

    Attributes:
        intercept: of log T, at signal 1.
        slope: of log T against log signal; below 0 where a stronger signal is learned sooner.
        spread: standard deviation of log T around the line.
        covariance: of intercept, slope and log spread, from the observed information.
    """

    intercept: float
    slope: float
    spread: float
    covariance: Float[np.ndarray, "3 3"]

    def median(self, signal: Real[np.ndarray, "*cell"]) -> Float[np.ndarray, "*cell"]:
        """The time by which half are expected to have learned."""
        return np.asarray(np.exp(self.intercept + self.slope * np.log(signal)))

    def deviation(self, signal: Real[np.ndarray, "*cell"]) -> Float[np.ndarray, "*cell"]:
        """Standard deviation of log T as predicted: the spread, and how well the line is known."""
        log = np.log(signal)
        of_line = self.covariance[0, 0] + 2 * self.covariance[0, 1] * log
        return np.asarray(np.sqrt(self.spread**2 + of_line + self.covariance[1, 1] * log**2))

    def interval(
        self, signal: Real[np.ndarray, "*cell"], confidence: float = 0.95
    ) -> Float[np.ndarray, "*cell end"]:
        """Where the central `confidence` of new times is expected to lie."""
        reach = float(stats.norm.ppf(0.5 + confidence / 2)) * self.deviation(signal)
        return self.median(signal)[..., None] * np.exp(np.stack([-reach, reach], axis=-1))

    def slope_interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Of the slope; seeds of one setting count as independent."""
        reach = float(stats.norm.ppf(0.5 + confidence / 2)) * self.covariance[1, 1] ** 0.5
        return self.slope - reach, self.slope + reach


def fit_times(
    signal: Real[np.ndarray, " observation"],
    times: Real[np.ndarray, " observation"],
    ends: Real[np.ndarray, " observation"] | float,
) -> TimeLaw:
    """Fit log T against log signal, a censored time counting as later than its end.

    Args:
        signal: above 0.
        times: above 0; infinite where never.
        ends: until when each was watched, above 0.

    Returns:
        the law of highest likelihood (Tobin 1958; Kalbfleisch & Prentice 2002, chapter 3).

    Raises:
        ValueError: if shapes differ, a number is out of range, all signals are the same, or fewer
            than 3 times are not censored.

    Example:
        >>> law = fit_times(np.array([1.0, 2, 4, 8]), np.array([80.0, 42, 19, 10]), 100.0)
        >>> round(law.slope, 1)
        -1.0
    """
    signal, cut, happened = checked_observations(signal, times, ends)
    if happened.sum() < LEAST_EVENTS:
        raise ValueError(
            f"only {happened.sum()} of {len(cut)} times are not censored: a law needs "
            f"{LEAST_EVENTS}; train for longer or lower the threshold"
        )
    if np.ptp(signal) == 0:
        raise ValueError(f"all signals are {signal[0]:g}: a law needs two different ones")
    if not np.ptp(signal[happened]):
        raise ValueError("all times that are not censored are of one signal")
    design = np.stack([np.ones_like(signal), np.log(signal)], axis=1)
    logs = np.log(cut)
    line, *_ = np.linalg.lstsq(design, logs, rcond=None)
    spread = max(float(np.std(logs - design @ line)), 10 * LEAST_SPREAD)
    found = optimize.minimize(
        lambda at: _likelihood(at, design, logs, happened)[:2],
        np.array([*line, np.log(spread)]), jac=True, method="L-BFGS-B",
        bounds=[(None, None), (None, None), (np.log(LEAST_SPREAD), None)],
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9},
    )  # fmt: skip
    information = _likelihood(found.x, design, logs, happened).curvature
    covariance = np.linalg.pinv(information, hermitian=True)
    return TimeLaw(float(found.x[0]), float(found.x[1]), float(np.exp(found.x[2])), covariance)


class _Likelihood(NamedTuple):
    """Of the log-normal model, negative, with its slope and its curvature."""

    value: float
    slope: np.ndarray
    curvature: np.ndarray


def _likelihood(at: np.ndarray, design: np.ndarray, logs: np.ndarray, happened: np.ndarray):
    spread = np.exp(at[2])
    z = (logs - design @ at[:2]) / spread
    log_tail = special.log_ndtr(-z)  # scipy.stats has the same, after 0.1 ms of checks
    hazard = np.exp(-(z**2) / 2 - LOG_ROOT_TWO_PI - log_tail)
    bend = np.where(happened, 1.0, hazard * (hazard - z))  # how fast the pull changes with z
    pull = np.where(happened, z, hazard)
    value = np.where(happened, at[2] + z**2 / 2, -log_tail).sum()
    on_spread = (happened - pull * z).sum()
    slope = np.array([*(-(pull / spread) @ design), on_spread])
    cross = ((bend * z + pull) / spread) @ design
    curvature = np.empty((3, 3))
    curvature[:2, :2] = (design.T * bend) @ design / spread**2
    curvature[:2, 2] = curvature[2, :2] = cross
    curvature[2, 2] = ((bend * z + pull) * z).sum()
    return _Likelihood(float(value), slope, curvature)


@dataclass(frozen=True)
class Concordance:
    """How well predicted times order measured ones.

    Attributes:
        share: of comparable pairs that are in the predicted order, a tie of the prediction
            counting half (Harrell's C); NaN without pairs.
        num_pairs: how many pairs are comparable: the earlier of the two is not censored.
        interval: of the share, from redrawing groups; NaN where it was not asked for.
    """

    share: float
    num_pairs: int
    interval: tuple[float, float] = (np.nan, np.nan)

    @property
    def tau(self) -> float:
        """Kendall's tau of the comparable pairs: 1 all in order, 0 by chance, -1 all reversed."""
        return 2 * self.share - 1


def concordance(
    predicted: Real[np.ndarray, " observation"],
    times: Real[np.ndarray, " observation"],
    ends: Real[np.ndarray, " observation"] | float,
    groups: Int[np.ndarray, " observation"] | None = None,
    rng: np.random.Generator | None = None,
    num_resamples: int = 500,
) -> Concordance:
    """Harrell's C of predicted against measured times (Harrell et al. 1996).

    Args:
        predicted: any number that rises with the predicted time.
        times: infinite where censored.
        ends: until when each was watched.
        groups: what is redrawn together for the interval, such as the setting of each seed.
        rng: draws the groups; without it there is no interval.
        num_resamples: bootstrap resamples.

    Raises:
        ValueError: if shapes differ or a time is out of range.
    """
    _, cut, happened = checked_observations(np.ones_like(times, dtype=float), times, ends)
    predicted = np.asarray(predicted, dtype=float)
    if predicted.shape != cut.shape:
        raise ValueError(f"predicted {predicted.shape} and times {cut.shape} differ in shape")
    comparable = comparable_pairs(cut, happened)
    agrees = np.sign(predicted - predicted[:, None]) / 2 + 0.5
    found = _share(comparable, agrees, np.ones(len(cut)))
    if rng is None:
        return Concordance(found, int(comparable.sum()))
    labels = np.arange(len(cut)) if groups is None else np.unique(groups, return_inverse=True)[1]
    num = int(labels.max()) + 1
    counts = rng.multinomial(num, np.full(num, 1 / num), size=num_resamples)
    draws = np.array([_share(comparable, agrees, count[labels]) for count in counts])
    draws = draws[np.isfinite(draws)]
    low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) > 1 else (np.nan, np.nan)
    return Concordance(found, int(comparable.sum()), (float(low), float(high)))


def comparable_pairs(
    cut: Float[np.ndarray, " observation"], happened: Bool[np.ndarray, " observation"]
) -> Bool[np.ndarray, "earlier later"]:
    """Which observation is known to be earlier than which: the earlier of the two is not censored.

    Args:
        cut: times, cut off at their ends.
        happened: which of them are not censored.
    """
    later = (cut[:, None] < cut) | ((cut[:, None] == cut) & ~happened)
    return happened[:, None] & later


def _share(comparable: np.ndarray, agrees: np.ndarray, weight: np.ndarray) -> float:
    pairs = comparable * np.outer(weight, weight)
    total = pairs.sum()
    return float((pairs * agrees).sum() / total) if total else float("nan")


def checked_observations(signal, times, ends) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signals, times cut off at their ends, and which of them happened.

    Raises:
        ValueError: if shapes differ, there are none, or a number is out of range.
    """
    signal, times = np.asarray(signal, dtype=float), np.asarray(times, dtype=float)
    if signal.shape != times.shape or times.ndim != 1 or not times.size:
        raise ValueError(f"signal {signal.shape} and times {times.shape} must be equally long rows")
    ends = np.broadcast_to(np.asarray(ends, dtype=float), times.shape)
    for name, values in (("signal", signal), ("ends", ends)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must hold finite numbers above 0")
    if np.isnan(times).any() or (times <= 0).any():
        raise ValueError("times must be above 0, infinite where never; leave out what is NaN")
    happened = np.isfinite(times)
    if (times[happened] > ends[happened]).any():
        raise ValueError("ends must not lie before times that are not censored")
    return signal, np.where(happened, times, ends), happened
