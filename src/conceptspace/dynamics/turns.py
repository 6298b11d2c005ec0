"""Turns: where the mean path changes direction beyond what noise and smooth curvature explain.

The statistic compares two fits of the mean path over time: the best smooth one (a bend, or
independent learning of each concept) and the best kinked one (two straight legs). It is

    F = (chi2_smooth - chi2_kinked) / (chi2_kinked / degrees of freedom),

the larger the more a kink explains. What it would be without a turn comes from paths drawn from the
fitted smooth ones, with the error of resampled seeds and samples added (a parametric bootstrap,
Efron & Tibshirani 1993, chapter 16); there are no tables, since without a kink there is no knot
(Davies 1987). The interval of the step inverts the same profile over knots (Hinkley 1969, Feder
1975), with its threshold taken from paths drawn from the fitted kinked one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Real
from scipy.stats import chi2

from conceptspace.dynamics.noise import path_noise
from conceptspace.dynamics.paths import (
    KinkedFit,
    KinkedPaths,
    SmoothPaths,
    refine,
)
from conceptspace.dynamics.speed import check_finite, check_steps

MIN_CHECKPOINTS = 8
COVERAGE = 0.95


@dataclass(frozen=True)
class Turn:
    """A change of direction of the mean path.

    Attributes:
        step: estimated step of the turn, in the units of `steps`.
        interval: 95 % interval of the step.
        angle: degrees between the directions before and after, 0 to 180.
        p_value: of "straight or smooth".
        point: coordinates of the corner.
        leg_lengths: distance travelled before and after the corner.
        statistic: F, as above.
        smooth_shape: the smooth shape that came nearest ("bend", "independent learning", or
            "straight" with a sudden change of speed).
    """

    step: float
    interval: tuple[float, float]
    angle: float
    p_value: float
    point: Float[np.ndarray, " concept"]
    leg_lengths: tuple[float, float]
    statistic: float
    smooth_shape: str


@dataclass(frozen=True)
class TurnAnalysis:
    """The turns of a path.

    Attributes:
        turns: the turns found, strongest first; empty if smooth shapes explain the path.
        candidate: the best kink, significant or not.
        seed_steps: best step for each seed alone, whether or not it has a turn.
        seed_share: share of the smooth spread of seeds that their samples do not explain, 0 to 1.
    """

    turns: tuple[Turn, ...]
    candidate: Turn
    seed_steps: Float[np.ndarray, " seed"]
    seed_share: float


def turning_points(
    steps: Real[np.ndarray, " checkpoint"],
    values: Real[np.ndarray, "seed checkpoint sample concept"],
    *,
    rng: np.random.Generator,
    significance: float = 0.05,
    num_resamples: int = 400,
    paired: bool | None = None,
) -> TurnAnalysis:
    """Find the turn of a concept class's path through concept space.

    Args:
        steps: training step of each checkpoint, rising; at least 8.
        values: probe values of each sample, 0 to 1 on each concept. At least 2 samples a seed.
        rng: draws the resamples.
        significance: highest p-value at which the best kink counts as a turn.
        num_resamples: resamples behind the p-value and behind the interval.
        paired: whether sample i starts from the same noise at every checkpoint; None finds out.

    Returns:
        the turn, if there is one, and the best kink in any case.

    Raises:
        ValueError: if an argument has a wrong shape, holds NaN, or is out of range.

    References:
        Hinkley 1969, "Inference about the intersection in two-phase regression"; Feder 1975, "On
        asymptotic distribution theory in segmented regression problems"; Davies 1987, "Hypothesis
        testing when a nuisance parameter is present only under the alternative".

    Example:
        >>> rng = np.random.default_rng(0)
        >>> time = np.linspace(-1, 1, 41)
        >>> path = 0.5 + 0.4 * np.stack([np.abs(time) - 0.5, time], axis=1)
        >>> read = rng.random((5, 41, 32, 2)) < path[:, None]
        >>> turn = turning_points(np.arange(41), read.astype(float), rng=rng).turns[0]
        >>> turn.interval[0] < 20 < turn.interval[1]
        True
    """
    _check(steps, values, significance, num_resamples)
    steps, values = np.asarray(steps, dtype=float), np.asarray(values, dtype=float)
    noise = path_noise(values, paired=paired)
    path, weights = values.mean(axis=(0, 2)), noise.weights
    smooth, kinked = SmoothPaths(steps, path, weights), KinkedPaths(len(steps), weights)
    errors = noise.draw(num_resamples, rng)
    turn = _candidate(steps, path, smooth, kinked, errors)
    seed_profiles = kinked.profile(values.mean(axis=2))
    seed_steps = [_as_step(refine(kinked.knots, profile), steps) for profile in seed_profiles]
    turns = (turn,) if turn.p_value <= significance else ()
    return TurnAnalysis(turns, turn, np.array(seed_steps), noise.seed_share)


def _candidate(
    steps: np.ndarray,
    path: np.ndarray,
    smooth: SmoothPaths,
    kinked: KinkedPaths,
    errors: np.ndarray,
) -> Turn:
    """The best kink of a path."""
    fit = kinked.best(path)
    statistic = float(_statistic(path[None], smooth, kinked)[0])
    p_values = {
        shape: _p_value(statistic, _statistic(smooth_path + errors, smooth, kinked))
        for shape, smooth_path in smooth.fits(path).items()
    }
    p_values["straight"] = _p_value_of_straight(fit, errors)
    shape = max(p_values, key=p_values.__getitem__)
    low, high = knot_interval(path, fit, kinked, errors)
    return Turn(
        step=_as_step(fit.knot, steps),
        interval=(_as_step(low, steps), _as_step(high, steps)),
        angle=fit.angle,
        p_value=p_values[shape],
        point=fit.corner,
        leg_lengths=(float(np.linalg.norm(fit.before)), float(np.linalg.norm(fit.after))),
        statistic=statistic,
        smooth_shape=shape,
    )


def _statistic(
    paths: np.ndarray, smooth: SmoothPaths, kinked: KinkedPaths
) -> Float[np.ndarray, " path"]:
    """F for each path."""
    total = (paths**2 * kinked.root**2).sum(axis=(1, 2))
    chi2_smooth = total - smooth.explained(paths)
    chi2_kinked = total - kinked.profile(paths).max(axis=1)
    freedom = paths[0].size - 3 * paths.shape[2] - 3
    return (chi2_smooth - chi2_kinked) / (chi2_kinked / max(freedom, 1))


def _p_value_of_straight(fit: KinkedFit, errors: np.ndarray) -> float:
    """Of a straight path that changes only its speed, however suddenly, a stop included.

    Wald's test of the part of one leg that does not go on in the other's direction; the weaker of
    the two legs decides. Knot and progresses were chosen to fit: three more degrees of freedom.
    """
    drawn = np.einsum("cpk,bkc->bpc", fit.solver, errors)
    legs = ((fit.before, fit.after, drawn[:, 2]), (fit.after, fit.before, drawn[:, 1]))
    p_values = []
    for onwards, leg, leg_errors in legs:
        across = np.eye(len(leg))
        if onwards @ leg > 0:
            across = np.linalg.svd(onwards[None])[2][1:]
        covariance = np.atleast_2d(np.cov(across @ leg_errors.T)) + 1e-12 * np.eye(len(across))
        wald = across @ leg @ np.linalg.solve(covariance, across @ leg)
        p_values.append(float(chi2.sf(wald, len(across) + 3)))
    return max(p_values)


def _p_value(statistic: float, null: np.ndarray) -> float:
    # Both fits can be poor, each in its own way; a kinked one that is worse is no evidence.
    if statistic <= 0:
        return 1.0
    return float((1 + (null >= statistic).sum()) / (1 + len(null)))


def knot_interval(
    path: np.ndarray, fit: KinkedFit, kinked: KinkedPaths, errors: np.ndarray
) -> tuple[float, float]:
    """All knots whose fit is no worse than the true knot's fit is in 95 % of resamples.

    A path that rests in its corner turns at no moment in particular: the rest belongs to it.
    """
    profiles = kinked.profile(fit.path + errors)
    true = np.array([np.interp(fit.knot, kinked.knots, p) for p in profiles])
    drops = profiles.max(axis=1) - true
    threshold = np.quantile(drops, COVERAGE)
    profile = kinked.profile(path[None])[0]
    inside = np.flatnonzero(profile >= profile.max() - threshold)
    low = _crossing(kinked.knots, profile, inside[0], -1, threshold)
    high = _crossing(kinked.knots, profile, inside[-1], 1, threshold)
    rest_from, rest_to = fit.rest
    return min(low, rest_from), max(high, rest_to)


def _crossing(
    knots: np.ndarray, profile: np.ndarray, edge: int, outwards: int, threshold: float
) -> float:
    """Where the profile crosses its threshold outside grid point `edge`."""
    outside = edge + outwards
    if not 0 <= outside < len(knots):
        return float(knots[edge])
    level = profile.max() - threshold
    part = (profile[edge] - level) / (profile[edge] - profile[outside])
    return float(knots[edge] + part * (knots[outside] - knots[edge]))


def _as_step(knot: float, steps: np.ndarray) -> float:
    return float(np.interp(knot, np.arange(len(steps)), steps))


def _check(steps: np.ndarray, values: np.ndarray, significance: float, num_resamples: int) -> None:
    if np.ndim(values) != 4:
        raise ValueError(
            "values must have the four dimensions seed, checkpoint, sample, concept, "
            f"not the shape {np.shape(values)}"
        )
    num_seeds, num_checkpoints, num_samples, num_concepts = np.shape(values)
    check_steps(steps, num_checkpoints, MIN_CHECKPOINTS)
    if num_seeds < 1 or num_samples < 2 or num_concepts < 2:
        raise ValueError(
            "values must hold at least 1 seed, 2 samples and 2 concepts, not "
            f"{num_seeds} seeds, {num_samples} samples and {num_concepts} concepts"
        )
    check_finite("values", values)
    if not 0 < significance < 1:
        raise ValueError(f"significance must lie between 0 and 1, not {significance}")
    if num_resamples < 19:
        raise ValueError(f"num_resamples must be at least 19, not {num_resamples}")
