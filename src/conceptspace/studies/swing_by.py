"""Study `swing-by`: the identity task in equations, in networks, and laid over measured paths.

After Yang et al. 2025. Of the diffusion runs it predicts, from the concept signals alone: which
concept is learned first, when the held-out class's path turns, and how much slower it is then.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.dynamics.plain import plain
from conceptspace.studies.held_out_paths import read_paths
from conceptspace.studies.separations import naive_runs
from conceptspace.studies.study import Scale, Study, StudyRun
from conceptspace.studies.swing_networks import train_networks
from conceptspace.studies.swing_paths import overlay
from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import (
    integrate_one_layer,
    one_layer,
    ood_loss,
    outputs,
    starting_weights,
)
from conceptspace.theory.swing import swing_by
from conceptspace.theory.two_layer import flow_terms, two_layer, two_layer_flow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

EXAMPLE = IdentityTask(mu=(1.0, 2.0), sigma=(0.05,))
STARTS = {"every entry": Start(), "diagonal alone": Start(off_diagonal=0.0)}
LAST_TIME, NUM_TIMES = 25.0, 2001
TOLERANCES = (0.005, 0.01, 0.02)
NUDGES = (1e-8, 1e-6, 1e-4)


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """The example, the networks, and what the signals predict of the measured paths.

    Args:
        runs: of two concepts, at least one.
        scale: not looked at.

    Raises:
        ValueError: if there is no run, or runs differ in what they must share.
    """
    found, settings = read_paths(runs)
    usable = [path for path in found if (path.signal > 0).all()]
    measured = overlay(usable, settings) if len(usable) > 1 else None
    return plain(
        {
            "concepts": found[0].concepts,
            "held_out": found[0].held_out,
            "confidence": settings.confidence,
            "minimum_seeds": settings.minimum_seeds,
            "num_seeds": min(len(path.paths) for path in found),
            "sim": simulate_example(),
            "networks": train_networks(),
            "measured": measured,
        }
    )


def simulate_example() -> dict[str, Any]:
    """The example of the paper and its diagonal counterpart, and how exact the equations are."""
    times = np.linspace(0, LAST_TIME, NUM_TIMES)
    cases = {name: _case(start, times) for name, start in STARTS.items()}
    begun = starting_weights(EXAMPLE, STARTS["every entry"])
    weights = two_layer(EXAMPLE, begun, times)
    signal = np.square(EXAMPLE.mu) / EXAMPLE.num_concepts + np.square(EXAMPLE.spreads)
    apart = flow_terms(signal, weights).total - two_layer_flow(signal, weights)
    layer = one_layer(EXAMPLE, begun, times) - integrate_one_layer(EXAMPLE, begun, times)
    loss = ood_loss(EXAMPLE, outputs(EXAMPLE, weights))
    return {
        "cases": cases,
        "one_layer_error": np.abs(layer).max(),
        "two_forms_error": np.abs(apart).max(),
        "tolerances": {str(t): swing_by(times, loss, t).appears for t in TOLERANCES},
        "nudges": {
            str(nudge): _case(Start(nudge=nudge), np.linspace(0, 40, NUM_TIMES))["appears"]
            for nudge in NUDGES
        },
    }


def _case(start: Start, times: np.ndarray) -> dict[str, Any]:
    loss = ood_loss(
        EXAMPLE, outputs(EXAMPLE, two_layer(EXAMPLE, starting_weights(EXAMPLE, start), times))
    )
    swing = swing_by(times, loss)
    return {
        "appears": swing.appears,
        "rise": swing.rise,
        "turn_time": swing.turn_time,
        "return_time": swing.return_time,
        "start": start.model_dump(mode="json"),
    }


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """The example, the networks, and the order, turn and slowing of measured paths."""
    from conceptspace.studies import swing_claims as verdicts

    return [
        verdicts.sim_claim(findings),
        verdicts.networks_claim(findings),
        verdicts.order_claim(findings),
        verdicts.turn_claim(findings),
        verdicts.slowing_claim(findings),
    ]


def figure(findings: Mapping[str, Any]) -> "Figure":
    """The example and its terms, networks, and expected beside measured paths."""
    from conceptspace.figures.swing_by import swing_by_figure

    return swing_by_figure(findings)


STUDY = Study(
    name="swing-by",
    title="the identity task in equations and networks, laid over measured paths",
    tests=(
        "swing-by/sim", "swing-by/networks", "swing-by/order", "swing-by/turn", "swing-by/slowing",
    ),
    experiments=naive_runs,
    analyse=analyse,
    claims=claims,
    figure=figure,
)  # fmt: skip
