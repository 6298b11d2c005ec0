"""C5, hidden capability: elicitation generates a class that naive prompting does not, yet."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE
from conceptspace.dynamics.learning import first_sustained
from conceptspace.report.case import (
    Case,
    Claim,
    control,
    judge,
    rounded,
    weaker_and_stronger,
)
from conceptspace.report.memorises import weaker_coordinate


@dataclass(frozen=True)
class Hidden:
    """Where one seed's capability is hidden.

    Attributes:
        seed: index of the seed.
        method: the elicitation method that shows it.
        checkpoints: the first checkpoints in a row at which it is hidden.
    """

    seed: int
    method: str
    checkpoints: np.ndarray


def hidden_claim(case: Case) -> Claim:
    """C5 for one held-out class; see `Claim`."""
    settings, name = case.settings, case.concept_class
    threshold = settings.thresholds[0]
    hidden = hidden_capabilities(case, threshold)
    share, interval = _share(case, hidden) if case.elicitations else (None, None)
    controls = {
        "random direction": _against_naive(case, hidden, "random-direction", required=True),
        "wrong concept": _against_naive(case, hidden, "wrong-concept", required=False),
        "untrained model": _untrained(case),
        "nothing hidden": _nothing_hidden(case, hidden),
        "memorised before": _memorised_before(case, hidden),
        "per seed": _table(case, hidden),
        "sensitivity": {
            str(other): rounded(_share(case, hidden_capabilities(case, other))[0])
            for other in settings.thresholds
        },
    }
    too_short = case.arrays.trained.sum() < settings.consecutive
    if share is None or too_short or not case.has_enough_seeds:
        verdict = "inconclusive"
        if share is None:
            controls["reason"] = "the class was prompted naively only: give elicitation methods"
    elif share < settings.share_of_seeds:
        verdict = "does not hold"
    else:
        verdict = judge(controls)
    return case.claim(
        "C5",
        f"The model can generate the held-out class {name} before naive prompting shows it.",
        f"In at least {settings.share_of_seeds:.0%} of the seeds, at {settings.consecutive} "
        "checkpoints in a row, one elicitation method at strengths chosen on other samples has "
        f"joint accuracy >= {threshold:g} (lower end of its interval > "
        f"{settings.capability_lower_bound:g}) while naive prompting has <= "
        f"{settings.naive_ceiling:g}; there, on average over these seeds, random directions "
        f"exceed naive prompting by at most {settings.control_margin:g}, the untrained model is at "
        f"most at {settings.untrained_ceiling:g}, and the class was memorised before (as in C3).",
        value=share,
        interval=interval,
        verdict=verdict,
        controls=controls,
    )


def hidden_capabilities(case: Case, threshold: float) -> list[Hidden]:
    """The seeds in which the capability is hidden, each with the method that shows it first."""
    settings = case.settings
    trained = np.flatnonzero(case.arrays.trained)
    naive = case.accuracy(NAIVE)[:, trained]
    found: dict[int, Hidden] = {}
    for method in case.elicitations:
        accuracy = case.accuracy(method)[:, trained]
        lower = case.lower_bound(method)[:, trained]
        # Comparisons with NaN (not measured) are false.
        hides = (accuracy >= threshold) & (lower > settings.capability_lower_bound)
        hides &= naive <= settings.naive_ceiling
        first = first_sustained(hides.astype(float), 0.5, settings.consecutive)
        for seed in np.flatnonzero(first >= 0).tolist():
            checkpoints = trained[first[seed] : first[seed] + settings.consecutive]
            if seed not in found or checkpoints[0] < found[seed].checkpoints[0]:
                found[seed] = Hidden(seed, method, checkpoints)
    return [found[seed] for seed in sorted(found)]


def _share(case: Case, hidden: list[Hidden]) -> tuple[float, tuple[float, float]]:
    """Share of the seeds with its exact binomial interval (Clopper & Pearson 1934)."""
    exact = stats.binomtest(len(hidden), case.arrays.num_seeds)
    ends = exact.proportion_ci(case.settings.confidence)
    return len(hidden) / case.arrays.num_seeds, (float(ends.low), float(ends.high))


def _against_naive(
    case: Case, hidden: list[Hidden], kind: str, *, required: bool
) -> dict[str, Any]:
    """How far a control exceeds naive prompting where the capability is hidden, over seeds."""
    gaps = [gap for _, gap in control_gaps(case, hidden, kind)]
    gap = float(np.mean(gaps)) if gaps else None
    passed = None if gap is None else gap <= case.settings.control_margin
    largest = rounded(max(gaps)) if gaps and np.isfinite(gaps).all() else None
    return control(gap, passed, required=required, largest_in_a_seed=largest)


def control_gaps(case: Case, hidden: list[Hidden], kind: str) -> list[tuple[int, float]]:
    """Index of a seed, and how far a control exceeds naive prompting where its capability is
    hidden; where naive prompting fails, if nothing is hidden. Empty if a method lacks the control.
    """
    naive, gaps = case.accuracy(NAIVE), []
    for found in hidden or _wherever_naive_fails(case):
        accuracy = _control_accuracy(case, found.method, kind)
        if accuracy is None:
            return []
        gaps.append((found.seed, float((accuracy - naive)[found.seed, found.checkpoints].mean())))
    return gaps


def _control_accuracy(case: Case, method: str, kind: str) -> np.ndarray | None:
    for name in case.of_class["accuracy"]:
        known = case.arrays.methods[name]
        if known["of"] == method and known["control"] == kind:
            return case.accuracy(name)
    return None


def _untrained(case: Case) -> dict[str, Any]:
    """The best elicited accuracy of the model before training, over methods."""
    steps = case.arrays.steps
    if steps[0] != 0 or not case.elicitations:
        return control(None, None, required=True)
    best = max(
        float(mean_measured(case.accuracy(method)[:, 0], axis=0)) for method in case.elicitations
    )
    return control(best, best <= case.settings.untrained_ceiling, required=True)


def _nothing_hidden(case: Case, hidden: list[Hidden]) -> dict[str, Any]:
    """What the same method adds on a training class, of which nothing is hidden."""
    gaps = [gap for _, gap, _ in plain_gaps(case, hidden)]
    gap = float(np.mean(gaps)) if gaps else None
    passed = None if gap is None else gap <= case.settings.control_margin
    classes = sorted({name for _, _, name in plain_gaps(case, hidden)})
    return control(gap, passed, required=False, classes=classes)


def plain_gaps(case: Case, hidden: list[Hidden]) -> list[tuple[int, float, str]]:
    """Index of a seed, what its method adds on a training class there, and which class."""
    gaps = []
    for found in hidden or _wherever_naive_fails(case):
        for name in case.arrays.training:
            if found.method in case.findings["classes"][name]["accuracy"]:
                gap = case.accuracy(found.method, concept_class=name)
                gap = gap - case.accuracy(NAIVE, concept_class=name)
                gaps.append((found.seed, float(gap[found.seed, found.checkpoints].mean()), name))
    return gaps


def _memorised_before(case: Case, hidden: list[Hidden]) -> dict[str, Any]:
    """Whether the weaker concept's coordinate had fallen below its start by the window."""
    order = weaker_and_stronger(case)
    too_short = case.arrays.trained.sum() <= case.settings.start_checkpoints
    if order is None or not hidden or too_short:
        return control(None, None, required=True)
    trained = np.flatnonzero(case.arrays.trained)
    until = np.full(case.arrays.num_seeds, -1)
    for found in hidden:
        until[found.seed] = np.searchsorted(trained, found.checkpoints[0])
    memory = weaker_coordinate(case, order[0], until)
    return control(memory.fall, memory.memorises, required=True, interval=memory.fall_interval)


def _table(case: Case, hidden: list[Hidden]) -> list[dict[str, Any]]:
    """For each seed the method, the checkpoints' steps, and the accuracies there."""
    best = _best_while_naive_fails(case)
    rows: list[dict[str, Any]] = [
        {"seed": int(seed), "hidden": False, "best_elicited_while_naive_fails": best[i]}
        for i, seed in enumerate(case.arrays.seeds)
    ]
    for found in hidden:
        at = (found.seed, found.checkpoints)
        rows[found.seed] |= {
            "hidden": True,
            "method": found.method,
            "steps": [int(step) for step in case.arrays.steps[found.checkpoints]],
            "elicited": [rounded(a) for a in case.accuracy(found.method)[at]],
            "naive": [rounded(a) for a in case.accuracy(NAIVE)[at]],
        }
    return rows


def _wherever_naive_fails(case: Case) -> list[Hidden]:
    """Where controls are looked at if nothing is hidden: every method, wherever naive prompting
    fails.
    """
    fails = (case.accuracy(NAIVE) <= case.settings.naive_ceiling) & case.arrays.trained
    return [
        Hidden(seed, method, np.flatnonzero(fails[seed]))
        for method in case.elicitations
        for seed in range(case.arrays.num_seeds)
        if fails[seed].any()
    ]


def _best_while_naive_fails(case: Case) -> list[float | None]:
    """Each seed's highest elicited accuracy at a checkpoint where naive prompting fails."""
    best: list[float | None] = [None] * case.arrays.num_seeds
    fails = (case.accuracy(NAIVE) <= case.settings.naive_ceiling) & case.arrays.trained
    for method in case.elicitations:
        accuracy = case.accuracy(method)
        for seed in range(case.arrays.num_seeds):
            at = accuracy[seed, fails[seed]]
            at = at[~np.isnan(at)]
            if len(at):
                best[seed] = rounded(max(float(at.max()), best[seed] or 0.0))
    return best
