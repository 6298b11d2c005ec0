"""Learning times from the concept signal alone: fitted on half of the settings, scored on the rest.

What is scored: the order of all times (Harrell's C), the order of the concepts within a setting,
and whether predicted intervals hold as many times as they say.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real
from scipy import stats

from conceptspace.dynamics.learning import median_time
from conceptspace.theory.censored import Concordance, TimeLaw, concordance, fit_times

LEAST_SETTINGS = 5
"""Below so many scored settings the verdict is inconclusive."""


@dataclass(frozen=True)
class Prediction:
    """Learning times as predicted from signals, and what became of it.

    Attributes:
        law: fitted on some settings.
        signal: of each setting and concept.
        is_fitted: which settings the law was fitted on; the others are scored.
        predicted: median time.
        interval: of a single seed's time, at `confidence`.
        measured: Kaplan and Meier's median over seeds; infinite where at least half never learned.
        concordance: of all scored times, with an interval from redrawing settings.
        order: of the concepts within each scored setting and seed.
        coverage: share of scored times within `interval`, by Kaplan and Meier.
        confidence: what the coverage should be.
    """

    law: TimeLaw
    signal: Float[np.ndarray, "setting concept"]
    is_fitted: Bool[np.ndarray, " setting"]
    predicted: Float[np.ndarray, "setting concept"]
    interval: Float[np.ndarray, "setting concept end"]
    measured: Float[np.ndarray, "setting concept"]
    concordance: Concordance
    order: Concordance
    coverage: float
    confidence: float

    @property
    def verdict(self) -> str:
        """Whether the signal orders the times: `holds` if C's interval lies above one half."""
        if (~self.is_fitted).sum() < LEAST_SETTINGS or np.isnan(self.concordance.interval[0]):
            return "inconclusive"
        return "holds" if self.concordance.interval[0] > 0.5 else "does not hold"


def predict_other_half(
    signal: Real[np.ndarray, "setting concept"],
    times: Real[np.ndarray, "setting concept seed"],
    ends: Real[np.ndarray, "setting concept seed"] | float,
    rng: np.random.Generator,
    confidence: float = 0.95,
    is_fitted: Bool[np.ndarray, " setting"] | None = None,
) -> Prediction:
    """Fit log T against log signal on half of the settings and score it on the other half.

    Args:
        signal: concept signal, above 0.
        times: learning times in steps; infinite where never, NaN where there is no such seed.
        ends: until when each was watched, such as the last step.
        rng: chooses the half, and redraws settings for the interval of C.
        confidence: of the predicted intervals, between 0 and 1.
        is_fitted: which settings to fit on, instead of a random half.

    Raises:
        ValueError: if shapes differ, a number is out of range, or there is too little to fit.
    """
    signal, times = np.asarray(signal, dtype=float), np.asarray(times, dtype=float)
    if times.ndim != 3 or signal.shape != times.shape[:2]:
        raise ValueError(
            f"times {times.shape} must be (setting, concept, seed) and signal {signal.shape} "
            "(setting, concept)"
        )
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    ends = np.broadcast_to(np.asarray(ends, dtype=float), times.shape)
    chosen = _half(len(signal), rng) if is_fitted is None else np.asarray(is_fitted, dtype=bool)
    if chosen.shape != (len(signal),) or chosen.all() or not chosen.any():
        raise ValueError(
            f"is_fitted must choose some but not all of the {len(signal)} settings; give at least 2"
        )
    wide = np.broadcast_to(signal[..., None], times.shape)
    there = ~np.isnan(times)
    fitting, scored = there & chosen[:, None, None], there & ~chosen[:, None, None]
    law = fit_times(wide[fitting], times[fitting], ends[fitting])
    setting = np.broadcast_to(np.arange(len(signal))[:, None, None], times.shape)
    predicted = law.median(wide)
    found = concordance(
        predicted[scored], times[scored], ends[scored], setting[scored], rng
    )  # fmt: skip
    return Prediction(
        law, signal, chosen, law.median(signal), law.interval(signal, confidence),
        _medians(times, ends), found,
        order_within(signal[~chosen], times[~chosen], ends[~chosen], law.slope),
        coverage(law, wide[scored], times[scored], ends[scored], confidence), confidence,
    )  # fmt: skip


def order_within(
    signal: Real[np.ndarray, "setting concept"],
    times: Real[np.ndarray, "setting concept seed"],
    ends: Real[np.ndarray, "setting concept seed"],
    slope: float = -1.0,
) -> Concordance:
    """How often the concept with the stronger signal comes first, within a setting and a seed.

    Args:
        signal: concept signal.
        times: infinite where never, NaN where there is no such seed.
        ends: until when each was watched.
        slope: of log time against log signal; only its sign matters.
    """
    right = pairs = 0.0
    for setting, seed in np.ndindex(len(signal), times.shape[2]):
        there = ~np.isnan(times[setting, :, seed])
        if there.sum() < 2:
            continue
        found = concordance(
            np.sign(slope) * np.log(signal[setting, there]),
            times[setting, there, seed],
            ends[setting, there, seed],
        )
        if found.num_pairs:
            right += found.share * found.num_pairs
            pairs += found.num_pairs
    return Concordance(right / pairs if pairs else float("nan"), int(pairs))


def coverage(
    law: TimeLaw,
    signal: Real[np.ndarray, " observation"],
    times: Real[np.ndarray, " observation"],
    ends: Real[np.ndarray, " observation"],
    confidence: float = 0.95,
) -> float:
    """Share of times within their predicted intervals.

    Each time is standardised by its prediction; Kaplan and Meier's curve of the standardised times,
    some of them censored, says how many lie between the ends of the interval.

    Args:
        law: what predicts.
        signal: of each observation.
        times: infinite where never.
        ends: until when each was watched.
        confidence: of the intervals.
    """
    happened = np.isfinite(times)
    cut = np.where(happened, times, ends)
    z = (np.log(cut) - np.log(law.median(signal))) / law.deviation(signal)
    if not happened.any():
        return float("nan")
    survival = stats.ecdf(stats.CensoredData(uncensored=z[happened], right=z[~happened])).sf
    reach = float(stats.norm.ppf(0.5 + confidence / 2))
    return float(survival.evaluate(-reach) - survival.evaluate(reach))


def _half(num: int, rng: np.random.Generator) -> np.ndarray:
    chosen = np.zeros(num, dtype=bool)
    chosen[rng.permutation(num)[: -(-num // 2)]] = True
    return chosen


def _medians(times: np.ndarray, ends: np.ndarray) -> np.ndarray:
    found = np.full(times.shape[:2], np.nan)
    for cell in np.ndindex(*found.shape):
        there = ~np.isnan(times[cell])
        if there.any():
            found[cell] = median_time(times[cell][there], ends[cell][there])
    return found
