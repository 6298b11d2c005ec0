"""The landscape model over a whole sweep: every setting fitted, predicted from the others, redrawn.

Three models of each path: one that heads for the training corner of the stronger concept first, one
that heads for the other training corner first, and one that heads for its own corner all the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.theory.landscape import nearest_corner
from conceptspace.theory.landscape_fit import LandscapeFit, fit_landscape
from conceptspace.theory.landscape_law import left_out, squares

Paths = Float[np.ndarray, "setting time axis"]


@dataclass(frozen=True)
class SweepFits:
    """Every setting's path, fitted in three ways.

    Attributes:
        shifting: heads for the corner that is right in the stronger concept, then for its own.
        other: heads for the corner that is right in the weaker concept first.
        resting: heads for its own corner all the way.
    """

    shifting: Sequence[LandscapeFit]
    other: Sequence[LandscapeFit]
    resting: Sequence[LandscapeFit]

    @property
    def evidence(self) -> Float[np.ndarray, " setting"]:
        """For the shift, over resting: the difference of the information criterion."""
        return _difference(self.resting, self.shifting)

    @property
    def evidence_for_corner(self) -> Float[np.ndarray, " setting"]:
        """For the corner that the signal says, over the other one."""
        return _difference(self.other, self.shifting)


def fit_sweep(
    times: Real[np.ndarray, " time"],
    measured: Paths,
    signal: Real[np.ndarray, "setting axis"],
    goal: Real[np.ndarray, " axis"],
    num_starts: int = 4,
) -> SweepFits:
    """Fit all settings.

    Args:
        times: of all settings, rising.
        measured: mean path of the held-out class in each; NaN where not measured.
        signal: concept signal.
        goal: the class's own corner.
        num_starts: of each fit.
    """
    toward = nearest_corner(goal, signal)
    ends = {
        "shifting": toward,
        "other": nearest_corner(goal, -np.asarray(signal, dtype=float)),
        "resting": np.broadcast_to(np.asarray(goal, dtype=float), toward.shape),
    }
    return SweepFits(
        **{
            kind: [
                fit_landscape(times, path, origin, goal, num_starts=num_starts)
                for path, origin in zip(measured, origins)
            ]
            for kind, origins in ends.items()
        }
    )


class _Refits:
    """Fits of redrawn seeds, which start from those of all seeds. Few seeds can be drawn in few
    ways, five in 126, and each way is fitted once."""

    def __init__(self, times, paths: Sequence[np.ndarray], goal, fits: SweepFits) -> None:
        self.times, self.paths, self.goal, self.fits = times, paths, goal, fits
        self.known: list[dict[tuple[int, ...], tuple[LandscapeFit, LandscapeFit]]] = [
            {} for _ in paths
        ]

    def draw(self, rng: np.random.Generator) -> SweepFits:
        """Redraw the seeds of every setting; no interval asks for `other`."""
        shifting, resting = [], []
        for setting, path in enumerate(self.paths):
            chosen = tuple(sorted(rng.integers(len(path), size=len(path)).tolist()))
            known = self.known[setting]
            if chosen not in known:
                known[chosen] = self._fit(setting, mean_measured(path[list(chosen)], axis=0))
            shifting.append(known[chosen][0])
            resting.append(known[chosen][1])
        return SweepFits(shifting, self.fits.other, resting)

    def _fit(self, setting: int, path: np.ndarray) -> tuple[LandscapeFit, LandscapeFit]:
        first, second = (
            fit_landscape(
                self.times, path, fit.landscape.origin, self.goal, near=fit.landscape
            )
            for fit in (self.fits.shifting[setting], self.fits.resting[setting])
        )  # fmt: skip
        return first, second


@dataclass(frozen=True)
class LeftOutScores:
    """How well each setting's path is predicted from the others.

    Attributes:
        predicted: from the signal, by the laws of the others.
        lost: squared misses of the law, of the law without a shift, of the mean of the others.
        around: what they are compared with: the path about its own mean over time.
    """

    predicted: Paths
    lost: dict[str, Float[np.ndarray, " setting"]]
    around: Float[np.ndarray, " setting"]

    def r2(self, kind: str, counts: Real[np.ndarray, " setting"] | float = 1.0) -> float:
        """Of all settings together, each counted so often."""
        around = float((counts * self.around).sum())
        return 1 - float((counts * self.lost[kind]).sum()) / around if around else float("nan")


LAW, WITHOUT_SHIFT, MEAN = "law", "without a shift", "mean of the others"


def score_left_out(
    fits: SweepFits, signal: Real[np.ndarray, "setting axis"], goal: Real[np.ndarray, " axis"]
) -> LeftOutScores:
    """Predict each setting from the others.

    Args:
        fits: of all settings.
        signal: above 0.
        goal: the class's own corner.
    """
    own = np.broadcast_to(np.asarray(goal, dtype=float), signal.shape)
    law = left_out(fits.shifting, signal, goal, nearest_corner(goal, signal))
    resting = left_out(fits.resting, signal, goal, own)
    lost, around = squares(law.predicted, law.measured)
    missed = {
        LAW: lost,
        WITHOUT_SHIFT: squares(resting.predicted, law.measured)[0],
        MEAN: squares(law.baseline, law.measured)[0],
    }
    return LeftOutScores(law.predicted, missed, around)


def permuted_scores(
    fits: SweepFits,
    signal: Real[np.ndarray, "setting axis"],
    goal: Real[np.ndarray, " axis"],
    rng: np.random.Generator,
    num_permutations: int,
) -> Float[np.ndarray, " permutation"]:
    """R2 of left-out settings once signals have changed places among settings.

    Fits themselves depend on the signal only through the corner that is headed for first.

    Args:
        fits: of all settings.
        signal: above 0.
        goal: the class's own corner.
        rng: permutes.
        num_permutations: how often.
    """
    own = nearest_corner(goal, signal)
    found = np.empty(num_permutations)
    for number in range(num_permutations):
        dealt = signal[rng.permutation(len(signal))]
        toward = nearest_corner(goal, dealt)
        kept = (toward == own).all(axis=1)
        chosen = [a if same else b for a, b, same in zip(fits.shifting, fits.other, kept)]
        predicted = left_out(chosen, dealt, goal, toward).predicted
        lost, around = squares(predicted, np.stack([fit.measured for fit in chosen]))
        found[number] = 1 - lost.sum() / around.sum()
    return found


@dataclass(frozen=True)
class SweepDraws:
    """What redrawing seeds, then settings, does.

    Attributes:
        r2: of the fit with a shift.
        left_out: R2 of left-out settings by kind; NaN where no law could be fitted.
    """

    r2: Float[np.ndarray, "resample setting"]
    left_out: dict[str, Float[np.ndarray, " resample"]]


def redraw_sweep(
    times: Real[np.ndarray, " time"],
    paths: Sequence[Float[np.ndarray, "seed time axis"]],
    signal: Real[np.ndarray, "setting axis"],
    goal: Real[np.ndarray, " axis"],
    fits: SweepFits,
    rng: np.random.Generator,
    num_resamples: int,
) -> SweepDraws:
    """Redraw the seeds of every setting and fit again; then the settings that are scored.

    Args:
        times: of all settings.
        paths: of each seed of each setting.
        signal: concept signal.
        goal: the class's own corner.
        fits: of the mean paths, near which each search starts.
        rng: redraws.
        num_resamples: how often.
    """
    r2 = np.empty((num_resamples, len(paths)))
    left = {kind: np.full(num_resamples, np.nan) for kind in (LAW, WITHOUT_SHIFT, MEAN)}
    refits = _Refits(times, paths, goal, fits)
    for number in range(num_resamples):
        again = refits.draw(rng)
        r2[number] = [fit.r2 for fit in again.shifting]
        counts = rng.multinomial(len(paths), np.full(len(paths), 1 / len(paths)))
        if can_have_law(signal):
            scores = score_left_out(again, signal, goal)
            for kind, values in left.items():
                values[number] = scores.r2(kind, counts)
    return SweepDraws(r2, left)


def can_have_law(signal: Real[np.ndarray, "setting axis"]) -> bool:
    """Whether a law of rates can be fitted to all settings but any one."""
    if len(signal) < 3 or not (signal > 0).all():
        return False
    others = [np.delete(signal, setting, axis=0) for setting in range(len(signal))]
    return all(np.ptp(kept) > 0 for kept in others)


def _difference(
    one: Sequence[LandscapeFit], other: Sequence[LandscapeFit]
) -> Float[np.ndarray, " setting"]:
    return np.array([a.criterion - b.criterion for a, b in zip(one, other)])


def explained(
    r2_low: Real[np.ndarray, " setting"], evidence: Real[np.ndarray, " setting"], level: float,
    needed: float,
) -> Bool[np.ndarray, " setting"]:  # fmt: skip
    """Settings whose path the model explains, beyond one without a shift.

    Args:
        r2_low: lower end of each setting's R2.
        evidence: for the shift.
        level: what R2 must be above.
        needed: what the evidence must be above.
    """
    return (r2_low > level) & (evidence > needed)
