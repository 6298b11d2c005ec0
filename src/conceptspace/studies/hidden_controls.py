"""What must stay flat beside a hidden capability, seed by seed, with intervals over seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.report.case import Case
from conceptspace.report.hidden import control_gaps, hidden_capabilities, plain_gaps

RANDOM, WRONG, PLAIN, UNTRAINED = (
    "random direction", "wrong concept", "nothing hidden", "untrained model",
)  # fmt: skip


def controls_of(case: Case, own: Mapping[str, Any]) -> dict[str, Any]:
    """Each control's excess over naive prompting where the run's own C5 looks, in each seed.

    Args:
        case: of the held-out class.
        own: the run's own claim C5, which says whether each passed there.

    Returns:
        by name: mean over seeds, interval from redrawing seeds, the excess of each seed that is
        looked at, and whether it passed in the run's own claim.
    """
    hidden = hidden_capabilities(case, case.settings.thresholds[0])
    gaps = {
        RANDOM: control_gaps(case, hidden, "random-direction"),
        WRONG: control_gaps(case, hidden, "wrong-concept"),
        PLAIN: [(seed, gap) for seed, gap, _ in plain_gaps(case, hidden)],
    }
    found = {}
    for number, (name, of_seeds) in enumerate(gaps.items()):
        passed = own["controls"][name]["passed"]
        found[name] = _over_seeds(of_seeds, case, number) | {"passed_in_run": passed}
    untrained = own["controls"][UNTRAINED]
    found[UNTRAINED] = {"mean": untrained["value"], "passed_in_run": untrained["passed"]}
    return found


def _over_seeds(gaps: list[tuple[int, float]], case: Case, number: int) -> dict[str, Any]:
    """Mean over seeds; a seed looked at under several methods counts once."""
    seeds = sorted({seed for seed, _ in gaps})
    per_seed = np.array([np.mean([gap for s, gap in gaps if s == seed]) for seed in seeds])
    found: dict[str, Any] = {"mean": None, "interval": [None, None], "per_seed": per_seed}
    if len(per_seed):
        found["mean"] = float(per_seed.mean())
    if len(per_seed) > 1:
        rng = case.generator(60 + number)
        drawn = rng.integers(len(per_seed), size=(case.settings.num_resamples, len(per_seed)))
        draws = per_seed[drawn].mean(axis=1)
        found["interval"] = percentile_interval(draws, case.settings.confidence)
    return found
