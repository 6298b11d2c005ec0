"""How fast a path moves, and whether a scalar curve changes slope at a given step.

Both are local: a speed is a slope over a few checkpoints, and a kink is what a hinge at the step
adds to a smooth curve around it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.ndimage import gaussian_filter1d

from conceptspace.dynamics.noise import path_noise
from conceptspace.dynamics.paths import LinearShapes
from conceptspace.dynamics.progress import Progress, clocks, progress_dictionary

SIDE = 4
"""Checkpoints needed on either side of a kink."""

VARIANCE_REACH = 6.0
"""Standard deviation in checkpoints of the Gaussian that smooths squared residuals."""


@dataclass(frozen=True)
class Speed:
    """Speed along the mean path.

    Attributes:
        steps: the checkpoints' steps.
        value: distance in concept space per training step, at each checkpoint.
        interval: its 95 % interval, low and high; not below 0.
    """

    steps: Float[np.ndarray, " checkpoint"]
    value: Float[np.ndarray, " checkpoint"]
    interval: Float[np.ndarray, "bound checkpoint"]


def speed(
    steps: Real[np.ndarray, " checkpoint"],
    points: Real[np.ndarray, "*path checkpoint concept"],
    *,
    smoothing: float = 1.5,
) -> Float[np.ndarray, "*path checkpoint"]:
    """Speed |dC/dt| of a path at each checkpoint.

    The path is first smoothed over checkpoints by a local linear fit with Gaussian weights, which
    unlike plain averaging does not shorten its ends. Steps may be spaced unevenly.

    Args:
        steps: training step of each checkpoint, rising; at least 2.
        points: coordinates of the path, or of many paths.
        smoothing: standard deviation of the Gaussian in checkpoints; 0 for plain differences.

    Returns:
        distance in concept space per training step.

    Raises:
        ValueError: if an argument has a wrong shape, holds NaN, or is out of range.

    Example:
        >>> speed(np.array([0, 10, 30]), np.array([[0.0, 0.0], [0.3, 0.4], [0.9, 1.2]]))
        array([0.05, 0.05, 0.05])
    """
    if np.ndim(points) < 2:
        raise ValueError(
            f"points must have the dimensions checkpoint, concept, not the shape {np.shape(points)}"
        )
    check_steps(steps, np.shape(points)[-2], 2)
    check_finite("points", points)
    if not 0 <= smoothing < np.inf:
        raise ValueError(f"smoothing must be 0 or above, not {smoothing}")
    slopes = _slope_weights(np.asarray(steps, dtype=float), smoothing)
    return np.linalg.norm(np.einsum("ij,...jc->...ic", slopes, points), axis=-1)


def speed_interval(
    steps: Real[np.ndarray, " checkpoint"],
    values: Real[np.ndarray, "seed checkpoint sample concept"],
    *,
    rng: np.random.Generator,
    smoothing: float = 1.5,
    num_resamples: int = 400,
) -> Speed:
    """Speed of the mean path with its interval, from resampling seeds first and samples second.

    Noise lengthens a path. What it adds to the squared speed is known from the resamples and taken
    off, so a path that rests has a speed near 0.

    Args:
        steps: training step of each checkpoint, rising; at least 2.
        values: probe values of each sample; at least 2 samples a seed.
        rng: draws the resamples.
        smoothing: as for `speed`.
        num_resamples: how many.
    """
    if np.ndim(values) != 4 or np.shape(values)[2] < 2:
        raise ValueError(
            "values must have the four dimensions seed, checkpoint, sample, concept with at least "
            f"2 samples, not the shape {np.shape(values)}"
        )
    check_steps(steps, np.shape(values)[1], 2)
    check_finite("values", values)
    values = np.asarray(values, dtype=float)
    path = values.mean(axis=(0, 2))
    errors = path_noise(values).draw(num_resamples, rng)
    from_noise = (speed(steps, errors, smoothing=smoothing) ** 2).mean(axis=0)
    observed = speed(steps, path, smoothing=smoothing) ** 2
    value = np.sqrt(np.maximum(observed - from_noise, 0))
    resampled = speed(steps, path + errors, smoothing=smoothing) ** 2
    # A resample carries the noise twice, once in the path and once in its own errors.
    drawn = np.sqrt(np.maximum(resampled - 2 * from_noise, 0))
    return Speed(np.asarray(steps, float), value, np.quantile(drawn, (0.025, 0.975), axis=0))


def _slope_weights(steps: np.ndarray, smoothing: float) -> Float[np.ndarray, "checkpoint source"]:
    """The weights with which each checkpoint enters the slope at each other."""
    if smoothing == 0:
        return np.asarray(np.gradient(np.eye(len(steps)), steps, axis=0))
    index = np.arange(len(steps))
    kernel = np.exp(-0.5 * ((index[:, None] - index) / smoothing) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    offset = steps - (kernel @ steps)[:, None]
    return kernel * offset / (kernel * offset**2).sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Kink:
    """A change of slope of a scalar curve.

    Attributes:
        step: where the change was looked for, or within an interval, where it fits best.
        change: slope after less slope before, in units of the curve per training step.
        interval: 95 % interval of the change.
        p_value: of a smooth curve.
        change_per_seed: change at the same step in each seed's own curve.
    """

    step: float
    change: float
    interval: tuple[float, float]
    p_value: float
    change_per_seed: Float[np.ndarray, " seed"]


def kink(
    steps: Real[np.ndarray, " checkpoint"],
    series: Real[np.ndarray, "seed checkpoint"],
    at: float | tuple[float, float],
    *,
    rng: np.random.Generator,
    num_resamples: int = 400,
    reach: int | None = None,
) -> Kink:
    """Whether the mean of scalar curves changes slope at a step beyond smooth curvature.

    Around the step, the smooth curve is `a + b t + c t^2 + d g(t)` with g an exponential, a power
    law or a sigmoid; the kinked one adds a hinge at the step. The statistic is that of
    `turning_points`, F, and so is the way its null distribution is found, with the residuals'
    local variance as the noise.

    Args:
        steps: training step of each checkpoint, rising; at least 12.
        series: one curve a seed, such as a loss or an accuracy.
        at: the step, or the interval in which it lies. At least 4 checkpoints on either side.
        rng: draws the resamples.
        num_resamples: how many.
        reach: checkpoints on either side of the step that are looked at; a quarter of them, and
            at least 10, if not given.

    Returns:
        p-value and slope change.

    Raises:
        ValueError: if an argument has a wrong shape, holds NaN, or is out of range.
    """
    steps, series = _checked_curves(steps, series)
    hinges = _hinge_places(steps, at)
    reach = max(10, len(steps) // 4) if reach is None else reach
    inside = slice(max(0, int(hinges[0]) - reach), int(hinges[-1]) + reach + 2)
    places = np.interp(hinges, np.arange(len(steps)), steps)
    mean = series.mean(axis=0)[inside]
    local = _LocalCurves(steps[inside], places, mean)
    hinged, scale = local.hinged_fit(mean)
    errors = scale * rng.standard_normal((num_resamples, len(mean)))
    statistic = local.statistic(mean[None])
    # The least favourable of the smooth curves counts.
    exceeded = [(local.statistic(s + errors) >= statistic).sum() for s in local.smooth_fits(mean)]
    place, change, spread = local.change(mean[None])
    _, drawn, drawn_spread = local.change(hinged + errors)
    # Studentised, since residuals of a flexible fit are too small, and by how much varies.
    reach_of_change = np.quantile(abs(drawn - change) / drawn_spread, 0.95) * spread[0]
    return Kink(
        step=float(places[place[0]]),
        change=float(change[0]),
        interval=(float(change[0] - reach_of_change), float(change[0] + reach_of_change)),
        p_value=float((1 + max(exceeded)) / (1 + num_resamples)),
        change_per_seed=local.change(series[:, inside], place[0])[1],
    )


class _LocalCurves:
    """Smooth and hinged curves around a step.

    Args:
        steps: of the checkpoints around it.
        places: steps at which there may be a hinge.
        curve: what is to be fitted; the dictionary is made finer where it suits.
    """

    def __init__(self, steps: np.ndarray, places: np.ndarray, curve: np.ndarray) -> None:
        self.steps, self.span = steps, float(steps[-1] - steps[0])
        self.hinges = np.maximum(steps - places[:, None], 0) / self.span
        self.freedom = len(steps) - 6
        # A power law is an exponential in the logarithm of the step.
        logarithm = np.log(steps - min(steps[0], 1.0) + 1.0)
        times = clocks(steps)
        times.append((logarithm - logarithm[0]) / (logarithm[-1] - logarithm[0]))
        known = [p for p in progress_dictionary(len(times)) if p.is_gentle]
        self._build(known, times)
        best = int(self.smooth.explained(curve[None, :, None]).argmax())
        self._build(known + known[best].neighbours(), times)

    def _build(self, shapes: list[Progress], times: list[np.ndarray]) -> None:
        curves = np.array([progress(times) for progress in shapes])
        self.is_sigmoid = np.array([len(progress.shape) > 1 for progress in shapes])
        time = (self.steps - self.steps[0]) / self.span
        plain = np.stack([np.ones_like(time), time, time**2], axis=1)
        smooth = np.array([np.column_stack([plain, curve]) for curve in curves])
        self.num_curves = len(curves)
        self.designs = np.array([np.column_stack([m, h]) for h in self.hinges for m in smooth])
        even = np.ones((len(time), 1))
        self.smooth, self.hinged = LinearShapes(smooth, even), LinearShapes(self.designs, even)

    def statistic(self, curves: np.ndarray) -> np.ndarray:
        """F for each curve."""
        total = (curves**2).sum(axis=1)
        smooth = total - self.smooth.explained(curves[..., None]).max(axis=(0, 2))
        hinged = total - self.hinged.explained(curves[..., None]).max(axis=(0, 2))
        return (smooth - hinged) / np.maximum(hinged / self.freedom, 1e-12 * total + 1e-300)

    def smooth_fits(self, curve: np.ndarray) -> list[np.ndarray]:
        """The best smooth curve of each kind, a parabola (on which F does not depend) included."""
        explained = self.smooth.explained(curve[None, :, None])[:, 0, 0]
        fits = [np.zeros_like(curve)]
        for is_sigmoid in (False, True):
            best = np.where(self.is_sigmoid == is_sigmoid, explained, -np.inf).argmax()
            fits.append(self.smooth.fitted(int(best), curve[:, None], 0))
        return fits

    def hinged_fit(self, curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The best hinged curve, and the local scale of its residuals."""
        best = int(self.hinged.explained(curve[None, :, None]).argmax())
        hinged = self.hinged.fitted(best, curve[:, None], 0)
        square = (curve - hinged) ** 2 * len(curve) / self.freedom
        return hinged, np.sqrt(gaussian_filter1d(square, VARIANCE_REACH, mode="reflect"))

    def change(
        self, curves: np.ndarray, place: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each curve's place of the hinge, best if not given, slope change, and its spread."""
        explained = self.hinged.explained(curves[..., None])[..., 0]
        first, last = 0, len(explained)
        if place is not None:
            first, last = place * self.num_curves, (place + 1) * self.num_curves
        best = first + explained[first:last].argmax(axis=0)
        changes, spreads = [], []
        for model, curve in zip(best, curves):
            design = self.designs[model]
            solver = np.linalg.pinv(design)
            parts = solver @ curve
            residual = np.linalg.norm(curve - design @ parts)
            changes.append(parts[-1] / self.span)
            spreads.append(max(residual * np.linalg.norm(solver[-1]), 1e-300) / self.span)
        return best // self.num_curves, np.array(changes), np.array(spreads)


def _hinge_places(steps: np.ndarray, at: float | tuple[float, float]) -> np.ndarray:
    """Where hinges are tried, in checkpoints: at the step, or twice a checkpoint in an interval."""
    bounds = np.atleast_1d(np.asarray(at, dtype=float))
    if bounds.size > 2 or not np.isfinite(bounds).all() or bounds[0] > bounds[-1]:
        raise ValueError(f"at must be a step or an interval (low, high), not {at}")
    if bounds[0] < steps[SIDE - 1] or bounds[-1] > steps[-SIDE]:
        raise ValueError(
            f"at must have {SIDE} checkpoints on either side, so it must lie between "
            f"{steps[SIDE - 1]:g} and {steps[-SIDE]:g}, not {at}"
        )
    low, high = np.interp([bounds[0], bounds[-1]], steps, np.arange(len(steps)))
    return np.linspace(low, high, 1 + int(np.ceil(2 * (high - low))))


def _checked_curves(steps: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if np.ndim(series) != 2 or np.shape(series)[0] < 1:
        raise ValueError(
            f"series must have the dimensions seed, checkpoint, not the shape {np.shape(series)}"
        )
    check_steps(steps, np.shape(series)[1], 12)
    check_finite("series", series)
    return np.asarray(steps, dtype=float), np.asarray(series, dtype=float)


def check_steps(steps: np.ndarray, num_checkpoints: int, minimum: int) -> None:
    """Refuse steps that do not rise, do not fit, or are too few."""
    if np.shape(steps) != (num_checkpoints,):
        raise ValueError(
            f"steps must hold one number for each of the {num_checkpoints} checkpoints, "
            f"not the shape {np.shape(steps)}"
        )
    if num_checkpoints < minimum:
        raise ValueError(f"steps must hold at least {minimum} checkpoints, not {num_checkpoints}")
    check_finite("steps", steps)
    falls = np.flatnonzero(np.diff(np.asarray(steps, dtype=float)) <= 0)
    if len(falls):
        first = falls[0]
        raise ValueError(
            f"steps must rise, but step {steps[first + 1]} follows step {steps[first]}"
        )


def check_finite(name: str, numbers: np.ndarray) -> None:
    """Refuse NaN and infinity."""
    bad = np.argwhere(~np.isfinite(np.asarray(numbers, dtype=float)))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"{name} must be finite numbers, but {len(bad)} are not, the first at {place}"
        )
