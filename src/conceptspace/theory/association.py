"""Whether times fall with a setting: a rank correlation with censoring, strata and clusters.

The coefficient is Somers' D of speed given the setting, in its form for censored times (Harrell's
C of the pairs with two different settings, mapped to [-1, 1]; Harrell et al. 1996, Newson 2006). It
is Kendall's tau without the pairs that share a setting: those say nothing about it, and with five
seeds a setting they alone would keep the coefficient below 0.83. Only pairs of one stratum are
compared, such as those with the same separation of the other axis.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.theory.censored import checked_observations, comparable_pairs


@dataclass(frozen=True)
class Association:
    """How strictly a larger setting goes with an earlier time.

    Attributes:
        value: 1 if it always does, 0 by chance, -1 if never; NaN without comparable pairs.
        interval: from redrawing clusters; NaN where they give fewer than two values.
        num_pairs: pairs that count: of one stratum, of two settings, the earlier not censored.
        with_ties: the same with pairs of one setting counted as neither for nor against.
        chance: where the central 95 % of values lie when settings are permuted.
        p_value: share of permutations with a value at least as large, this order counted as one;
            NaN where the value is.
    """

    value: float
    interval: tuple[float, float]
    num_pairs: int
    with_ties: float
    chance: tuple[float, float]
    p_value: float


def rank_association(
    setting: Real[np.ndarray, " observation"],
    times: Real[np.ndarray, " observation"],
    ends: Real[np.ndarray, " observation"] | float,
    *,
    strata: Int[np.ndarray, " observation"],
    clusters: Int[np.ndarray, " observation"],
    rng: np.random.Generator,
    num_resamples: int = 1000,
    confidence: float = 0.95,
) -> Association:
    """Rank correlation of a setting and speed, 1 over time.

    Args:
        setting: what should speed things up, above 0.
        times: infinite where never.
        ends: until when each was watched.
        strata: only observations of one stratum are compared.
        clusters: what is redrawn together, such as all runs of a seed.
        rng: redraws and permutes.
        num_resamples: bootstrap resamples, and permutations.
        confidence: of the interval.

    Raises:
        ValueError: if shapes differ or a number is out of range.
    """
    setting, cut, happened = checked_observations(setting, times, ends)
    for name, labels in (("strata", strata), ("clusters", clusters)):
        if np.shape(labels) != setting.shape:
            raise ValueError(f"{name} {np.shape(labels)} and setting {setting.shape} must be alike")
    known = comparable_pairs(cut, happened) & (strata[:, None] == strata)
    order = np.sign(setting[:, None] - setting)  # 1 where the earlier has the larger setting
    value = _share(known * order, known * (order != 0))
    block = np.unique(np.stack([strata, clusters]), axis=1, return_inverse=True)[1].ravel()
    permuted = np.array([_permuted(known, setting, block, rng) for _ in range(num_resamples)])
    permuted = permuted[np.isfinite(permuted)]
    p_value = (1 + (permuted >= value - 1e-12).sum()) / (1 + len(permuted))
    return Association(
        value=value,
        interval=_interval(_redrawn(known, order, clusters, rng, num_resamples), confidence),
        num_pairs=int((known * (order != 0)).sum()),
        with_ties=_share(known * order, known),
        chance=_interval(permuted, confidence),
        p_value=float(p_value) if np.isfinite(value) else np.nan,
    )


def enough_resamples(num_resamples: int, confidence: float) -> int:
    """So many that permutations can be as rare as a strict confidence asks for, and resamples too.

    Example:
        >>> enough_resamples(1000, 0.95), enough_resamples(1000, 0.999)
        (1000, 4000)
    """
    return max(num_resamples, math.ceil(round(4 / (1 - confidence), 6)))


def _share(agreeing: np.ndarray, counted: np.ndarray) -> float:
    total = counted.sum()
    return float(agreeing.sum() / total) if total else float("nan")


def _redrawn(
    known: Bool[np.ndarray, "pair pair"],
    order: Float[np.ndarray, "pair pair"],
    clusters: np.ndarray,
    rng: np.random.Generator,
    num_resamples: int,
) -> Float[np.ndarray, " resample"]:
    """The coefficient with clusters redrawn; a cluster drawn twice counts twice."""
    labels = np.unique(clusters, return_inverse=True)[1]
    num = int(labels.max()) + 1
    member = np.eye(num)[labels]
    agreeing = member.T @ (known * order) @ member
    counted = member.T @ (known * (order != 0)) @ member
    weights = rng.multinomial(num, np.full(num, 1 / num), size=num_resamples).astype(float)
    total = np.einsum("ri,ij,rj->r", weights, counted, weights)
    above = np.einsum("ri,ij,rj->r", weights, agreeing, weights)
    return above[total > 0] / total[total > 0]


def _permuted(
    known: np.ndarray, setting: np.ndarray, block: np.ndarray, rng: np.random.Generator
) -> float:
    """The coefficient once settings have changed places within each stratum and cluster."""
    shuffled = np.empty_like(setting)
    shuffled[np.argsort(block, kind="stable")] = setting[
        np.lexsort((rng.random(len(setting)), block))
    ]
    order = np.sign(shuffled[:, None] - shuffled)
    return _share(known * order, known * (order != 0))


def _interval(draws: np.ndarray, confidence: float) -> tuple[float, float]:
    if len(draws) < 2:
        return np.nan, np.nan
    low, high = percentile_interval(draws, confidence)
    return float(low), float(high)
