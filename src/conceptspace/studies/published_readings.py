"""What Park et al. 2024 report of elicitation, read off their figure 5; under their definitions.

They differ from ours in more than the definitions: five seeds, the same five colours at every
separation, and a size entry of 0.3 in place of the class mean 0.25.
"""

from collections.abc import Mapping

from conceptspace.dynamics.arrays import NAIVE
from conceptspace.studies.study import Scale

OVER_PROMPTING = "over-prompting"

PUBLISHED: dict[float, dict[str, list[tuple[float, float]]]] = {
    0.175: {NAIVE: [(15_000, 0.2), (15_000, 0.9)]},
    0.25: {
        OVER_PROMPTING: [(4200, 0.8), (6000, 0.95)],
        NAIVE: [(6000, 0.1), (15_000, 0.6), (15_000, 0.7), (15_000, 0.9)],
    },
    0.3: {OVER_PROMPTING: [(15_000, 1.0)], NAIVE: [(15_000, 1.0)]},
}
"""By colour separation and method: step, and class-11 accuracy about there; several at one step are
the range over seeds. Beside these: at 0.175 the capability is there near 5 500; at 0.3 naive
prompting follows about 4 000 steps later."""


def readings_at(
    scale: Scale, separation: Mapping[str, float]
) -> dict[str, list[tuple[float, float]]]:
    """The published readings of a setting; none at another scale, whose steps are others."""
    return PUBLISHED.get(separation.get("colour", 0.0), {}) if scale == "paper" else {}
