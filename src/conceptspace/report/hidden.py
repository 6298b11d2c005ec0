"""C5, hidden capability: elicitation generates a class that naive prompting does not, yet."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import NAIVE
from conceptspace.dynamics.learning import first_sustained
from conceptspace.report.evidence import (
    Claim,
    Evidence,
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


def hidden_claim(evidence: Evidence) -> Claim:
    """C5 for one held-out class; see `Claim`."""
    settings, name = evidence.settings, evidence.concept_class
    threshold = settings.thresholds[0]
    hidden = hidden_capabilities(evidence, threshold)
    share, interval = _share(evidence, hidden)
    controls = {
        "random direction": _against_naive(evidence, hidden, "random-direction", required=True),
        "wrong concept": _against_naive(evidence, hidden, "wrong-concept", required=False),
        "untrained model": _untrained(evidence),
        "nothing hidden": _nothing_hidden(evidence, hidden),
        "memorised before": _memorised_before(evidence, hidden),
        "per seed": _table(evidence, hidden),
        "sensitivity": {
            str(other): rounded(_share(evidence, hidden_capabilities(evidence, other))[0])
            for other in settings.thresholds
        },
    }
    if not evidence.has_enough_seeds or not evidence.elicitations:
        verdict = "inconclusive"
    elif share < settings.share_of_seeds:
        verdict = "does not hold"
    else:
        verdict = judge(controls)
    return evidence.claim(
        "C5",
        f"The model can generate the held-out class {name} before naive prompting shows it.",
        f"In at least {settings.share_of_seeds:.0%} of the seeds, at {settings.consecutive} "
        "checkpoints in a row, one elicitation method at strengths chosen on other samples has "
        f"joint accuracy >= {threshold:g} (lower end of its interval > "
        f"{settings.capability_lower_bound:g}) while naive prompting has <= "
        f"{settings.naive_ceiling:g}; there random directions exceed naive prompting by at most "
        f"{settings.control_margin:g}, the untrained model is at most at "
        f"{settings.untrained_ceiling:g}, and the class was memorised before (as in C3).",
        value=share,
        interval=interval,
        verdict=verdict,
        controls=controls,
    )


def hidden_capabilities(evidence: Evidence, threshold: float) -> list[Hidden]:
    """The seeds in which the capability is hidden, each with the method that shows it first."""
    settings = evidence.settings
    trained = np.flatnonzero(evidence.arrays.trained)
    naive = evidence.accuracy(NAIVE)[:, trained]
    found: dict[int, Hidden] = {}
    for method in evidence.elicitations:
        accuracy = evidence.accuracy(method)[:, trained]
        lower = evidence.lower_bound(method)[:, trained]
        # Comparisons with NaN (not measured) are false.
        hides = (accuracy >= threshold) & (lower > settings.capability_lower_bound)
        hides &= naive <= settings.naive_ceiling
        first = first_sustained(hides.astype(float), 0.5, settings.consecutive)
        for seed in np.flatnonzero(first >= 0):
            checkpoints = trained[first[seed] : first[seed] + settings.consecutive]
            if seed not in found or checkpoints[0] < found[seed].checkpoints[0]:
                found[int(seed)] = Hidden(int(seed), method, checkpoints)
    return [found[seed] for seed in sorted(found)]


def _share(evidence: Evidence, hidden: list[Hidden]) -> tuple[float, tuple[float, float]]:
    """Share of the seeds with its exact binomial interval (Clopper & Pearson 1934)."""
    exact = stats.binomtest(len(hidden), evidence.arrays.num_seeds)
    ends = exact.proportion_ci(evidence.settings.confidence)
    return len(hidden) / evidence.arrays.num_seeds, (float(ends.low), float(ends.high))


def _against_naive(
    evidence: Evidence, hidden: list[Hidden], kind: str, *, required: bool
) -> dict[str, Any]:
    """How far a control exceeds naive prompting where the capability is hidden, over seeds."""
    naive = evidence.accuracy(NAIVE)
    gaps, lost = [], 0
    for found in hidden:
        accuracy = _control_accuracy(evidence, found.method, kind)
        if accuracy is None:
            lost += 1
            continue
        gaps.append((accuracy - naive)[found.seed, found.checkpoints].mean())
    gap = float(np.mean(gaps)) if gaps and not lost else None
    passed = None if gap is None else gap <= evidence.settings.control_margin
    largest = rounded(max(gaps)) if gaps and np.isfinite(gaps).all() else None
    return control(gap, passed, required=required, largest_in_a_seed=largest)


def _control_accuracy(evidence: Evidence, method: str, kind: str) -> np.ndarray | None:
    for name in evidence.of_class["accuracy"]:
        known = evidence.arrays.methods[name]
        if known["of"] == method and known["control"] == kind:
            return evidence.accuracy(name)
    return None


def _untrained(evidence: Evidence) -> dict[str, Any]:
    """The best elicited accuracy of the model before training, over methods."""
    steps = evidence.arrays.steps
    if steps[0] != 0 or not evidence.elicitations:
        return control(None, None, required=True)
    best = max(
        float(mean_measured(evidence.accuracy(method)[:, 0], axis=0))
        for method in evidence.elicitations
    )
    return control(best, best <= evidence.settings.untrained_ceiling, required=True)


def _nothing_hidden(evidence: Evidence, hidden: list[Hidden]) -> dict[str, Any]:
    """What the same method adds on a training class, of which nothing is hidden."""
    gaps, classes = [], set()
    for found in hidden:
        for name in evidence.arrays.training:
            if found.method in evidence.findings["classes"][name]["accuracy"]:
                gap = evidence.accuracy(found.method, concept_class=name)
                gap = gap - evidence.accuracy(NAIVE, concept_class=name)
                gaps.append(gap[found.seed, found.checkpoints].mean())
                classes.add(name)
    gap = float(np.mean(gaps)) if gaps else None
    passed = None if gap is None else gap <= evidence.settings.control_margin
    return control(gap, passed, required=False, classes=sorted(classes))


def _memorised_before(evidence: Evidence, hidden: list[Hidden]) -> dict[str, Any]:
    """Whether the weaker concept's coordinate had fallen below its start by the window."""
    order = weaker_and_stronger(evidence)
    if order is None or not hidden:
        return control(None, None, required=True)
    trained = np.flatnonzero(evidence.arrays.trained)
    until = np.full(evidence.arrays.num_seeds, -1)
    for found in hidden:
        until[found.seed] = np.searchsorted(trained, found.checkpoints[0])
    memory = weaker_coordinate(evidence, order[0], until)
    return control(memory.fall, memory.memorises, required=True, interval=memory.fall_interval)


def _table(evidence: Evidence, hidden: list[Hidden]) -> list[dict[str, Any]]:
    """For each seed the method, the checkpoints' steps, and the accuracies there."""
    rows: list[dict[str, Any]] = [
        {"seed": int(seed), "hidden": False} for seed in evidence.arrays.seeds
    ]
    for found in hidden:
        at = (found.seed, found.checkpoints)
        rows[found.seed] |= {
            "hidden": True,
            "method": found.method,
            "steps": [int(step) for step in evidence.arrays.steps[found.checkpoints]],
            "elicited": [rounded(a) for a in evidence.accuracy(found.method)[at]],
            "naive": [rounded(a) for a in evidence.accuracy(NAIVE)[at]],
        }
    return rows
