"""The landscape model fitted to measured trajectories, and whether its target shifts at all.

Least squares from several starts. The model without a shift is fitted too, and a shift is claimed
only where it explains the path better than its two parameters cost (the Bayesian information
criterion). Errors of neighbouring checkpoints count as independent.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Real
from scipy import optimize

from conceptspace.theory.landscape import Landscape

STRONG_EVIDENCE = 10.0
"""Difference of the criterion from which evidence counts as very strong (Kass & Raftery 1995)."""
RATE_RANGE = (1e-2, 1e3)
SHIFT_RANGE = (-0.5, 2.0)
WIDTH_RANGE = (2e-3, 1.0)
"""Where parameters are looked for, in units of the measured span of time."""
MOST_TRIES, FEW_TRIES = 200, 25
"""Steps of a search; few where it starts near, since a noisy path may never settle on a width."""


@dataclass(frozen=True)
class LandscapeFit:
    """A fitted model of one trajectory.

    Attributes:
        landscape: the parameters found, in the trajectory's own units of time.
        times: of the trajectory.
        measured: what was fitted.
        fitted: the model at those times.
        residual: root mean squared difference.
        r2: share of the variation over time, about each axis's mean, that the model explains.
        criterion: Bayesian information criterion; the difference of two fits counts.
        shifts: whether the target may shift in this model.
    """

    landscape: Landscape
    times: Float[np.ndarray, " time"]
    measured: Float[np.ndarray, "time axis"]
    fitted: Float[np.ndarray, "time axis"]
    residual: float
    r2: float
    criterion: float
    shifts: bool

    @property
    def is_beyond(self) -> bool:
        """Whether the target shifts later than the last time: then how late is only bounded."""
        return bool(self.landscape.shift > self.times[-1])


@dataclass(frozen=True)
class ShiftVerdict:
    """The same trajectory with and without a shift.

    Attributes:
        shifting: heads for the origin first, then for the goal.
        resting: heads for the goal all the way.
        evidence: criterion of the resting model less that of the shifting one.
    """

    shifting: LandscapeFit
    resting: LandscapeFit
    evidence: float

    @property
    def is_found(self) -> bool:
        """Whether the shift is needed: the evidence for it is very strong."""
        return self.evidence > STRONG_EVIDENCE

    @property
    def best(self) -> LandscapeFit:
        return self.shifting if self.is_found else self.resting


def fit_landscape(
    times: Real[np.ndarray, " time"],
    measured: Real[np.ndarray, "time axis"],
    origin: Real[np.ndarray, " axis"],
    goal: Real[np.ndarray, " axis"],
    weights: Real[np.ndarray, "time axis"] | None = None,
    num_starts: int = 8,
    near: Landscape | None = None,
) -> LandscapeFit:
    """Fit rates, start, and where it differs from the goal, the shift and its width.

    Args:
        times: rising, such as training steps.
        measured: coordinates in concept space; NaN where not measured.
        origin: first target, such as a training corner; the goal itself for a target that rests.
        goal: last target, the class's own corner.
        weights: of the squared errors, such as inverse variances; 0 leaves out.
        num_starts: how many shifts, spread over time, the search starts from; at least 1.
        near: where the one search starts instead, such as the fit of a path like this one.

    Raises:
        ValueError: if shapes differ, times do not rise, a weight is negative, or there are fewer
            numbers than parameters.
    """
    problem = _Problem(times, measured, origin, goal, weights)
    if num_starts < 1:
        raise ValueError(f"num_starts must be at least 1, not {num_starts}")
    low, high = problem.bounds()
    slopes: Any = problem.slopes  # scipy's types know only names here
    searches = [
        optimize.least_squares(
            problem.errors, np.clip(guess, low + 1e-9, high - 1e-9), jac=slopes,
            bounds=(low, high), x_scale="jac", max_nfev=MOST_TRIES if near is None else FEW_TRIES,
        )
        for guess in problem.guesses(num_starts, near)
    ]  # fmt: skip
    return problem.report(min(searches, key=lambda search: search.cost).x)


def judge_shift(
    times: Real[np.ndarray, " time"],
    measured: Real[np.ndarray, "time axis"],
    origin: Real[np.ndarray, " axis"],
    goal: Real[np.ndarray, " axis"],
    weights: Real[np.ndarray, "time axis"] | None = None,
    num_starts: int = 8,
) -> ShiftVerdict:
    """Fit the model with and without a shift; arguments as in `fit_landscape`."""
    shifting = fit_landscape(times, measured, origin, goal, weights, num_starts)
    resting = fit_landscape(times, measured, goal, goal, weights, num_starts)
    return ShiftVerdict(shifting, resting, resting.criterion - shifting.criterion)


class _Problem:
    """Least squares in units of the span: log rates, start, and perhaps shift and log width."""

    def __init__(self, times, measured, origin, goal, weights) -> None:
        self.times = np.asarray(times, dtype=float)
        self.measured = np.asarray(measured, dtype=float)
        self.origin, self.goal = np.asarray(origin, dtype=float), np.asarray(goal, dtype=float)
        known = np.isfinite(self.measured)
        weights = known.astype(float) if weights is None else np.asarray(weights, dtype=float)
        self._check(weights)
        self.weights = np.where(known, weights, 0.0)
        self.num_axes = self.measured.shape[1]
        self.shifts = bool((self.origin != self.goal).any())
        self.span = float(self.times[-1] - self.times[0])
        self.num_parameters = 2 * self.num_axes + 2 * self.shifts
        self.count = int((self.weights > 0).sum())
        if self.count <= self.num_parameters:
            raise ValueError(
                f"measured has {self.count} numbers with weight for {self.num_parameters} "
                "parameters; measure at more checkpoints"
            )

    def _check(self, weights: np.ndarray) -> None:
        if self.times.ndim != 1 or len(self.times) < 2 or not (np.diff(self.times) > 0).all():
            raise ValueError("times must be a row of at least two rising numbers")
        if self.measured.ndim != 2 or len(self.measured) != len(self.times):
            raise ValueError(
                f"measured must be (time, axis) with {len(self.times)} times, not "
                f"{self.measured.shape}"
            )
        for name, corner in (("origin", self.origin), ("goal", self.goal)):
            if corner.shape != self.measured.shape[1:] or not np.isfinite(corner).all():
                raise ValueError(
                    f"{name} must hold {self.measured.shape[1]} finite numbers, not {corner}"
                )
        if weights.shape != self.measured.shape or not (weights >= 0).all():
            raise ValueError("weights must be as many as measured, each 0 or more")
        if not (np.where(np.isfinite(self.measured), weights, 0).sum(axis=0) > 0).all():
            raise ValueError("measured must hold a number with weight on every axis")

    def landscape(self, at: Float[np.ndarray, "*setting parameter"]) -> Landscape:
        """Parameters in the trajectory's own units."""
        axes, setting = self.num_axes, at.shape[:-1]
        shift = self.times[0] + self.span * at[..., 2 * axes] if self.shifts else np.inf
        width = self.span * np.exp(at[..., 2 * axes + 1]) if self.shifts else self.span
        origin, goal = (np.broadcast_to(c, (*setting, axes)) for c in (self.origin, self.goal))
        return Landscape(
            np.exp(at[..., :axes]) / self.span, at[..., axes : 2 * axes], origin, goal,
            np.broadcast_to(shift, setting), np.broadcast_to(width, setting),
        )  # fmt: skip

    def errors(self, at: np.ndarray) -> np.ndarray:
        """Weighted differences (*setting, number)."""
        differences = self.landscape(at).path(self.times) - np.nan_to_num(self.measured)
        return (np.sqrt(self.weights) * differences).reshape(*at.shape[:-1], -1)

    def slopes(self, at: np.ndarray) -> np.ndarray:
        """Their derivatives by central differences, all in one pass."""
        steps = 1e-5 * np.eye(len(at))
        both = self.errors(np.concatenate([at + steps, at - steps]))
        return (both[: len(at)] - both[len(at) :]).T / 2e-5

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        ends = []
        for side in (0, 1):
            rates = [np.log(RATE_RANGE[side])] * self.num_axes
            starts = [(-1.0, 2.0)[side]] * self.num_axes
            moved = [SHIFT_RANGE[side], np.log(WIDTH_RANGE[side])] * self.shifts
            ends.append(np.array([*rates, *starts, *moved]))
        return ends[0], ends[1]

    def guesses(self, num_starts: int, near: Landscape | None):
        """Shifts spread over the span, each with slow and fast rates in turn; or what is near."""
        if near is not None:
            moved = [(near.shift - self.times[0]) / self.span, np.log(near.width / self.span)]
            yield np.array([*np.log(near.rates * self.span), *near.start, *moved * self.shifts])
            return
        first = [next(iter(col[np.isfinite(col)]), 0.5) for col in self.measured.T]
        for place in range(num_starts):
            rates = [np.log((3.0, 10.0, 30.0)[place % 3])] * self.num_axes
            shift = (place + 0.5) / num_starts
            yield np.array([*rates, *first, *[shift, np.log(0.05)] * self.shifts])

    def report(self, at: np.ndarray) -> LandscapeFit:
        fitted = self.landscape(at).path(self.times)
        apart = np.where(self.weights > 0, fitted - self.measured, 0.0)
        mean = (self.weights * np.nan_to_num(self.measured)).sum(0) / self.weights.sum(0)
        around = np.where(self.weights > 0, self.measured - mean, 0.0)
        lost, there = (self.weights * apart**2).sum(), (self.weights * around**2).sum()
        scale = self.weights.sum() / self.count
        per_number = max(lost / scale / self.count, 1e-12)
        criterion = self.count * np.log(per_number) + self.num_parameters * np.log(self.count)
        return LandscapeFit(
            self.landscape(at), self.times, self.measured, fitted,
            float(np.sqrt(lost / self.weights.sum())), float(1 - lost / there) if there else np.nan,
            float(criterion), self.shifts,
        )  # fmt: skip
