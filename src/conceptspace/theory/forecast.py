"""Whether something is still to come: a logistic regression, scored on groups that it never saw.

A small ridge penalty keeps coefficients finite where a feature separates the outcomes. Scores are
proper (Brier 1950) and are compared with the base rate of all outcomes, which is the best forecast
that looks at nothing.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real
from scipy.special import expit

RIDGE = 1.0
"""Penalty on half the squared coefficients of standardised features; the intercept is free."""
MOST_STEPS, LONGEST_STEP, TOLERANCE = 100, 2.0, 1e-8
"""Of Newton's method; a longer step could overshoot where a feature separates the outcomes."""


@dataclass(frozen=True)
class Logistic:
    """P(outcome) = sigmoid(intercept + coefficients . standardised features).

    Attributes:
        intercept: at the mean features.
        coefficients: of the standardised features.
        mean: of the features it was fitted to.
        spread: their standard deviations; 1 where a feature is constant.
    """

    intercept: float
    coefficients: Float[np.ndarray, " feature"]
    mean: Float[np.ndarray, " feature"]
    spread: Float[np.ndarray, " feature"]

    def chance(self, features: Real[np.ndarray, "*row feature"]) -> Float[np.ndarray, "*row"]:
        """The probability of the outcome."""
        return expit(self.intercept + ((features - self.mean) / self.spread) @ self.coefficients)


def fit_logistic(
    features: Real[np.ndarray, "row feature"], happened: Bool[np.ndarray, " row"]
) -> Logistic:
    """The regression of highest penalised likelihood.

    Args:
        features: finite numbers.
        happened: the outcomes.

    Raises:
        ValueError: if there are no rows, shapes differ, or a feature is not finite.
    """
    features, happened = np.asarray(features, dtype=float), np.asarray(happened, dtype=bool)
    if features.ndim != 2 or happened.shape != features.shape[:1] or not len(features):
        raise ValueError(
            f"features {features.shape} must be (row, feature) with as many rows as happened "
            f"{happened.shape}, at least one"
        )
    if not np.isfinite(features).all():
        raise ValueError("features hold a number that is not finite")
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    design = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    # A trace on the intercept too, or one outcome alone would send it to infinity.
    penalty = np.array([1e-3, *[RIDGE] * features.shape[1]])

    found = np.zeros(design.shape[1])
    for _ in range(MOST_STEPS):  # Newton's method; the penalty makes the loss strictly convex
        chance = expit(design @ found)
        slope = design.T @ (chance - happened) + penalty * found
        bend = (design.T * (chance * (1 - chance))) @ design + np.diag(penalty)
        move = np.linalg.solve(bend, slope)
        found = found - move * min(1.0, LONGEST_STEP / max(np.abs(move).max(), 1e-300))
        if np.abs(move).max() < TOLERANCE:
            break
    return Logistic(float(found[0]), found[1:], mean, spread)


def leave_groups_out(
    features: Real[np.ndarray, "row feature"],
    happened: Bool[np.ndarray, " row"],
    groups: Int[np.ndarray, " row"],
) -> Float[np.ndarray, " row"]:
    """Each row's chance, by a regression fitted to the rows of all other groups.

    Args:
        features: finite numbers.
        happened: the outcomes.
        groups: such as the setting of each row; at least two different ones.

    Raises:
        ValueError: if there is only one group.
    """
    if len(np.unique(groups)) < 2:
        raise ValueError("groups must be at least two: the others forecast each")
    chance = np.empty(len(happened))
    for group in np.unique(groups):
        inside = groups == group
        chance[inside] = fit_logistic(features[~inside], happened[~inside]).chance(features[inside])
    return chance


def brier(chance: Real[np.ndarray, " row"], happened: Bool[np.ndarray, " row"]) -> float:
    """Mean squared difference of forecast and outcome: 0 is perfect.

    Example:
        >>> round(brier(np.array([0.9, 0.2]), np.array([True, False])), 3)
        0.025
    """
    return float(np.mean(np.square(chance - happened)))


def skill(chance: Real[np.ndarray, " row"], happened: Bool[np.ndarray, " row"]) -> float:
    """1 less the Brier score over that of the base rate of these outcomes; NaN if all are alike."""
    reference = np.var(happened)
    return float(1 - brier(chance, happened) / reference) if reference else float("nan")


def area_under_curve(chance: Real[np.ndarray, " row"], happened: Bool[np.ndarray, " row"]) -> float:
    """How often an outcome that came had the higher forecast of the two; ties count half."""
    came, not_came = chance[happened], chance[~happened]
    if not len(came) or not len(not_came):
        return float("nan")
    return float((np.sign(came[:, None] - not_came) / 2 + 0.5).mean())
