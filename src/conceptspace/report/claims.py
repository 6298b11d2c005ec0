"""Claims: a sentence, the number measured, the criterion, the controls, and a computed verdict.

The criteria are those of the paper's claims; `FindingsSettings` holds their numbers. A claim about
seeds needs several of them: with fewer the number is given and the verdict is inconclusive.
"""

from collections.abc import Mapping
from typing import Any

import xarray

from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.report.case import Case, Claim
from conceptspace.report.hidden import hidden_claim
from conceptspace.report.memorises import memorisation_claim
from conceptspace.report.turns import turn_claim

__all__ = ["Claim", "claims"]


def claims(
    findings: Mapping[str, Any],
    trajectory: xarray.Dataset,
    settings: FindingsSettings | None = None,
    *,
    scale: str = "",
) -> list[Claim]:
    """The claims C3, C4 and C5 for every held-out class.

    Args:
        findings: what `conceptspace.dynamics.findings` concluded from this trajectory.
        trajectory: the trajectory itself.
        settings: the criteria's numbers; the ones that the findings were made with.
        scale: name of the recipe.

    Returns:
        claims, three for each held-out class; the id holds the class if there are several.
    """
    settings = settings or FindingsSettings()
    arrays = TrajectoryArrays(trajectory)
    made = []
    for name in arrays.held_out:
        case = Case(findings, arrays, settings, name, scale)
        made += [memorisation_claim(case), turn_claim(case), hidden_claim(case)]
    return made
