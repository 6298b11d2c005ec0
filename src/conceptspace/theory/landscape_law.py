"""The landscape model across settings: its parameters from the concept signal, and unseen settings.

log r is linear in the log of the axis's signal, and the log of the shift in that of the weakest
signal. With these laws fitted to all settings but one, the path of that one is predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Real
from scipy import stats

from conceptspace.theory.censored import LEAST_EVENTS, fit_times
from conceptspace.theory.landscape import Landscape, nearest_corner
from conceptspace.theory.landscape_fit import LandscapeFit, fit_landscape

LEAST_SETTINGS = 3


@dataclass(frozen=True)
class RateLaw:
    """log r = intercept + slope log signal.

    Attributes:
        intercept: at signal 1.
        slope: above 0 where a stronger signal is learned faster.
        slope_interval: 95 %, by Student's t.
        r2: share of the variation of log r that the law explains.
    """

    intercept: float
    slope: float
    slope_interval: tuple[float, float]
    r2: float

    def rate(self, signal: Real[np.ndarray, "*cell"]) -> Float[np.ndarray, "*cell"]:
        """The rate at a signal."""
        return np.asarray(np.exp(self.intercept + self.slope * np.log(signal)))


def fit_rates(
    signal: Real[np.ndarray, "setting axis"], rates: Real[np.ndarray, "setting axis"]
) -> RateLaw:
    """The law of rates, all axes together.

    Args:
        signal: concept signal, above 0.
        rates: r of each setting and axis, above 0.

    Raises:
        ValueError: if shapes differ, a number is not above 0, or there are fewer than 3 numbers or
            only one signal.
    """
    signal, rates = np.asarray(signal, dtype=float), np.asarray(rates, dtype=float)
    if signal.shape != rates.shape:
        raise ValueError(f"signal {signal.shape} and rates {rates.shape} differ in shape")
    for name, values in (("signal", signal), ("rates", rates)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise ValueError(f"{name} must hold finite numbers above 0")
    if signal.size < 3 or not np.ptp(signal):
        raise ValueError("signal must hold at least 3 numbers, two of them different")
    line: Any = stats.linregress(np.log(signal).ravel(), np.log(rates).ravel())
    reach = float(stats.t.ppf(0.975, signal.size - 2) * line.stderr)
    ends = (float(line.slope) - reach, float(line.slope) + reach)
    return RateLaw(float(line.intercept), float(line.slope), ends, float(line.rvalue**2))


@dataclass(frozen=True)
class LeftOut:
    """Each setting's path, predicted from the others.

    Attributes:
        predicted: from the signal alone.
        measured: what came.
        fits: the model fitted to each setting itself, which no prediction of it has seen.
        r2: of each prediction, about each axis's own mean over time.
        pooled_r2: of all together.
        baseline_r2: the same of the plain mean of the other settings' paths, which knows no signal.
        baseline: that mean.
    """

    predicted: Float[np.ndarray, "setting time axis"]
    measured: Float[np.ndarray, "setting time axis"]
    fits: Sequence[LandscapeFit]
    r2: Float[np.ndarray, " setting"]
    pooled_r2: float
    baseline_r2: float
    baseline: Float[np.ndarray, "setting time axis"]


def predict_left_out(
    times: Real[np.ndarray, " time"],
    measured: Real[np.ndarray, "setting time axis"],
    signal: Real[np.ndarray, "setting axis"],
    goal: Real[np.ndarray, " axis"],
    num_starts: int = 8,
) -> LeftOut:
    """Fit every setting, then predict each from the laws of the others.

    Args:
        times: of all settings, rising.
        measured: paths of one held-out class; NaN where not measured.
        signal: concept signal of each setting, above 0.
        goal: the class's own corner.
        num_starts: of each fit.

    Raises:
        ValueError: if shapes differ or there are fewer than 3 settings.
    """
    measured, signal = np.asarray(measured, dtype=float), np.asarray(signal, dtype=float)
    if measured.ndim != 3 or signal.shape != (len(measured), measured.shape[2]):
        raise ValueError(
            f"measured {measured.shape} must be (setting, time, axis) and signal {signal.shape} "
            "(setting, axis)"
        )
    if len(measured) < LEAST_SETTINGS:
        raise ValueError(f"measured has {len(measured)} settings; give at least {LEAST_SETTINGS}")
    origins = nearest_corner(goal, signal)
    fits = [
        fit_landscape(times, path, origin, goal, num_starts=num_starts)
        for path, origin in zip(measured, origins)
    ]
    return left_out(fits, signal, goal, origins)


def left_out(
    fits: Sequence[LandscapeFit],
    signal: Real[np.ndarray, "setting axis"],
    goal: Real[np.ndarray, " axis"],
    origins: Real[np.ndarray, "setting axis"],
) -> LeftOut:
    """Predict each setting from the laws of the others, all of them fitted already.

    Args:
        fits: of every setting, at the same times.
        signal: concept signal, above 0.
        goal: the class's own corner.
        origins: where each setting's prediction heads first; the goal itself for the model without
            a shift.
    """
    measured = np.stack([fit.measured for fit in fits])
    predicted, baseline = np.empty_like(measured), np.empty_like(measured)
    for setting in range(len(measured)):
        others = np.arange(len(measured)) != setting
        model = _from_others(setting, others, fits, signal, goal, origins[setting])
        predicted[setting] = model.path(fits[setting].times)
        baseline[setting] = np.nanmean(measured[others], axis=0)
    lost, around = squares(predicted, measured)
    missed, _ = squares(baseline, measured)
    return LeftOut(
        predicted, measured, fits, 1 - lost / around, float(1 - lost.sum() / around.sum()),
        float(1 - missed.sum() / around.sum()), baseline,
    )  # fmt: skip


def _from_others(
    setting: int,
    others: Bool[np.ndarray, " setting"],
    fits: Sequence[LandscapeFit],
    signal: np.ndarray,
    goal: np.ndarray,
    origin: np.ndarray,
) -> Landscape:
    """The model of one setting from the laws of the others."""
    known = [fit.landscape for fit, is_other in zip(fits, others) if is_other]
    law = fit_rates(signal[others], np.stack([model.rates for model in known]))
    weakest = np.where(np.asarray(goal) > 0, signal, np.inf).min(axis=-1)
    first, last = fits[setting].times[[0, -1]]
    shifts = np.array([float(model.shift) for model in known]) - first
    shift = _shift_from(weakest[others], shifts, float(last - first), weakest[setting])
    width = np.exp(np.mean([np.log(model.width) for model in known]))
    return Landscape(
        law.rate(signal[setting]), np.mean([model.start for model in known], axis=0),
        np.asarray(origin, dtype=float), np.asarray(goal, dtype=float),
        np.array(first + shift), np.array(width),
    )  # fmt: skip


def _shift_from(signal: np.ndarray, shifts: np.ndarray, span: float, wanted: float) -> float:
    """A shift, counted from the first time, from those of other settings."""
    shifts = np.maximum(shifts, 1e-3 * span)
    beyond = shifts > span  # only bounded by what was measured
    if (~beyond).sum() >= LEAST_EVENTS and np.ptp(signal[~beyond]) > 0:
        law = fit_times(signal, np.where(beyond, np.inf, shifts), span)
        return float(law.median(np.array(wanted)))
    return float(np.median(shifts))


def squares(path: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the misses, and of the variation about each axis's own mean, for each setting."""
    around = measured - np.nanmean(measured, axis=1, keepdims=True)
    return np.nansum((path - measured) ** 2, axis=(1, 2)), np.nansum(around**2, axis=(1, 2))
