"""How much later things happen as a setting grows, some times censored: a slope without a law.

The slope of Akritas, Murphy and LaValley (1995), Theil and Sen's with censoring: the number at
which as many pairs of observations say "steeper" as say "flatter". A pair knows its slope only from
below if the time at its larger setting is censored, only from above if that at its smaller one is,
and not at all if both are. It lies above 0 where the rank correlation of setting and time does.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real

from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.theory.censored import checked_observations


@dataclass(frozen=True)
class CensoredSlope:
    """Time against a setting.

    Attributes:
        value: steps for one unit of the setting; NaN where no pair says anything.
        interval: from redrawing clusters; NaN where they give fewer than two values.
        num_pairs: pairs that say something: of two settings, at least one of them not censored.
        is_least: whether the slope is known from below only, since none is known from above.
    """

    value: float
    interval: tuple[float, float]
    num_pairs: int
    is_least: bool


def censored_slope(
    setting: Real[np.ndarray, " observation"],
    times: Real[np.ndarray, " observation"],
    ends: Real[np.ndarray, " observation"] | float,
    *,
    clusters: Int[np.ndarray, " observation"],
    rng: np.random.Generator,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> CensoredSlope:
    """The slope of times against a setting.

    Args:
        setting: finite numbers, such as shares.
        times: above 0; infinite where never, which is later than the end.
        ends: until when each was watched.
        clusters: what is redrawn together for the interval, such as all runs of a seed.
        rng: redraws.
        num_resamples: how often.
        confidence: of the interval.

    Raises:
        ValueError: if shapes differ or a number is out of range.

    Example:
        >>> share = np.array([0.0, 0.5, 1.0])
        >>> rng = np.random.default_rng(0)
        >>> found = censored_slope(
        ...     share, np.array([500.0, 900.0, np.inf]), 2000.0, clusters=np.arange(3), rng=rng
        ... )
        >>> found.value, found.is_least
        (1850.0, False)
    """
    setting = np.asarray(setting, dtype=float)
    _, cut, happened = checked_observations(np.ones_like(setting), times, ends)
    if setting.shape != cut.shape or np.shape(clusters) != cut.shape:
        raise ValueError(
            f"setting {setting.shape}, clusters {np.shape(clusters)} and times {cut.shape} must be "
            "equally long rows"
        )
    if not np.isfinite(setting).all():
        raise ValueError("setting must hold finite numbers")
    first, later = np.nonzero(setting[:, None] < setting)
    says = happened[first] | happened[later]
    first, later = first[says], later[says]
    slopes = (cut[later] - cut[first]) / (setting[later] - setting[first])
    order = np.argsort(slopes, kind="stable")
    first, later, slopes = first[order], later[order], slopes[order]
    labels = np.unique(clusters, return_inverse=True)[1].ravel()
    num = int(labels.max()) + 1
    counts = rng.multinomial(num, np.full(num, 1 / num), size=num_resamples)
    weights = np.concatenate([np.ones((1, num)), counts])
    weights = weights[:, labels[first]] * weights[:, labels[later]]
    found = _balance(slopes, happened[first], happened[later], weights)
    draws = found[1:][np.isfinite(found[1:])]
    low, high = percentile_interval(draws, confidence) if len(draws) > 1 else (np.nan, np.nan)
    return CensoredSlope(
        value=float(found[0]),
        interval=(float(low), float(high)),
        num_pairs=len(slopes),
        is_least=bool(len(slopes)) and not happened[later].any(),
    )


def _balance(
    slopes: Float[np.ndarray, " pair"],
    from_below: np.ndarray,
    from_above: np.ndarray,
    weights: Float[np.ndarray, "resample pair"],
) -> Float[np.ndarray, " resample"]:
    """Where pairs balance, for each weighting; NaN where no pair has weight.

    Args:
        slopes: of the pairs, rising.
        from_below: whether a pair's slope is known from below: its smaller setting happened.
        from_above: whether it is known from above: its larger setting happened.
        weights: of the pairs.
    """
    if not len(slopes):
        return np.full(len(weights), np.nan)
    steeper, flatter = weights * from_below, weights * from_above
    total = steeper.sum(axis=1, keepdims=True)
    # Pairs that say "steeper" less those that say "flatter": left of all slopes, right of each.
    score = total - np.cumsum(steeper + flatter, axis=1)
    score = np.concatenate([total, score], axis=1)
    edges = np.concatenate([[-np.inf], slopes, [np.inf]])
    lowest = edges[(score <= 0).argmax(axis=1)]
    highest = edges[score.shape[1] - (score[:, ::-1] >= 0).argmax(axis=1)]
    # No pair at the lower or the upper side: the other end is all that is known.
    lowest = np.where((score <= 0).any(axis=1), lowest, np.inf)
    highest = np.where((score >= 0).any(axis=1), highest, -np.inf)
    ends = np.stack([lowest, highest])
    known = np.isfinite(ends)
    mean = np.where(known, ends, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known.any(axis=0) & (weights.sum(axis=1) > 0), mean, np.nan)
