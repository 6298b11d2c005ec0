"""What a claim makes of a rank correlation: above 0 with its interval, and rare when permuted."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import both_ends, control

Found = Mapping[str, Any]
"""A `conceptspace.theory.association.Association` as findings hold it; None for what is unknown."""

NOTHING: Found = {
    "value": None,
    "interval": [None, None],
    "p_value": None,
    "chance": [None, None],
    "num_pairs": 0,
}
"""Where there is nothing to correlate."""


def correlation(found: Found, *, required: bool) -> dict[str, Any]:
    """The control that a correlation's interval lies above 0."""
    value, interval = found["value"], both_ends(found["interval"])
    passed = None if value is None or interval is None else interval[0] > 0
    return control(
        value, passed, required=required, interval=interval, pairs=found["num_pairs"]
    )  # fmt: skip


def permuted(found: Found, confidence: float) -> dict[str, Any]:
    """The control that permutations hardly ever reach the correlation."""
    p_value = found["p_value"]
    rare = p_value is not None and p_value <= 1 - confidence + 1e-9
    return control(p_value, rare, required=True, central=found["chance"])


def demanded(confidence: float, what: str) -> str:
    """Both in words.

    Args:
        confidence: of the interval.
        what: is permuted, such as `signals within a seed`.

    Example:
        >>> demanded(0.95, "signals").split(", and ")[1]
        'at most 5 % of permutations of the signals reach it'
    """
    return (
        f"above 0 with its {100 * confidence:.4g} % interval from redrawing seeds, and at most "
        f"{100 * (1 - confidence):.3g} % of permutations of the {what} reach it"
    )
