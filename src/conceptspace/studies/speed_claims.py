"""C1, concept signal sets learning speed, and C2, it sets the order, each along each axis."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conceptspace.report.case import Claim, Verdict, both_ends, control, judge, record
from conceptspace.studies.sides import too_few_seeds

LEAST_CORRELATION = 0.7
LEAST_LOWER_END = 0.4
LEAST_SEPARATIONS = 5
HALF = 0.5


def speed_claim(findings: Mapping[str, Any], axis: str) -> Claim:
    """C1 for one axis.

    Args:
        findings: of `learning-speed`.
        axis: name of the concept whose separation and speed are compared.
    """
    first, *others = findings["readings"]
    (other,) = (name for name in findings["concepts"] if name != axis)
    found, significance = findings["axes"][axis][first]["association"], findings["significance"]
    controls: dict[str, Any] = {
        "correlation": _correlation(found, required=True),
        "separations permuted": control(
            found["p_value"], (found["p_value"] or 0) <= significance, required=True,
            central=found["chance"], share_in_the_centre=findings["confidence"],
        ),
    }  # fmt: skip
    for reading in others:
        again = findings["axes"][axis][reading]["association"]
        controls[f"threshold {reading}"] = _correlation(again, required=False)
    controls["pairs of one separation counted as neither"] = control(
        found["with_ties"], None, required=False
    )
    controls["share never learned"] = control(found["never"], None, required=False)
    controls["pairs compared"] = found["num_pairs"]
    reason = _too_little(findings, found["num_settings"])
    if not reason and found["value"] is None:
        reason = f"no two separations can be compared: {axis} is hardly ever learned"
    if reason:
        controls["reason"] = reason
    return record(
        f"C1/{axis}",
        f"{axis.capitalize()} is learned the faster the farther apart its values are, at a fixed "
        f"separation of {other}.",
        f"The rank correlation of separation and 1/T of the held-out class at threshold {first}, "
        f"censoring kept (Harrell's C as -1 to 1, over seeds that differ in the separation of "
        f"{axis} and not in that of {other}), is at least {LEAST_CORRELATION:g}, its interval "
        f"from redrawing seeds lies above {LEAST_LOWER_END:g}, and at most "
        f"{100 * significance:.3g} % of permutations reach it; at least "
        f"{findings['minimum_seeds']} seeds and "
        f"{LEAST_SEPARATIONS} separations.",
        value=found["value"],
        interval=both_ends(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _correlation(found: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    value, low = found["value"], found["interval"][0]
    passed = None
    if value is not None and low is not None:
        passed = value >= LEAST_CORRELATION and low > LEAST_LOWER_END
    return control(value, passed, required=required, interval=both_ends(found["interval"]))


def order_claim(findings: Mapping[str, Any], axis: str) -> Claim:
    """C2 along one axis.

    Args:
        findings: of `learning-speed`.
        axis: name of the concept whose separation grows.
    """
    first, *others = findings["readings"]
    order = findings["axes"][axis][first]["order"]
    other, held = order["other"], f"{order['held']:g}"
    controls = _ends(order, required=True)
    for reading in others:
        again = findings["axes"][axis][reading]["order"]
        passed = {"holds": True, "does not hold": False}.get(_flips(_ends(again, required=True)))
        controls[f"threshold {reading}"] = control(
            again["crossing"],
            passed,
            required=False,
            interval=both_ends(again["crossing_interval"]),
        )  # fmt: skip
    controls["shares"] = {key: order[key] for key in ("separation", "share", "num_known")}
    reason = _too_little(findings, len(order["separation"]))
    if reason:
        controls["reason"] = reason
    return record(
        f"C2/{axis}",
        f"Which concept is learned first turns round as the separation of {axis} grows: {other} "
        f"is first at its smallest, {axis} at its largest, {other} held at {held}.",
        f"The share of seeds in which {axis} comes first (threshold {first}; a seed that learns "
        "neither is left out) lies below one half at the smallest separation and above it at the "
        "largest, interval included (Jeffreys). Inconclusive if an interval holds one half. The "
        "value is the separation at which the share passes one half, its interval from redrawing "
        "seeds, cut off at the separations that were run.",
        value=order["crossing"],
        interval=both_ends(order["crossing_interval"]),
        verdict="inconclusive" if reason else _flips(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _ends(order: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    """Whether each end lies on its side of one half; None where its interval holds one half."""
    found = {}
    for name, place, sign in (("smallest", 0, -1.0), ("largest", -1, 1.0)):
        share, interval = order["share"][place], both_ends(order["interval"][place])
        passed = None
        if share is not None and interval is not None and not interval[0] <= HALF <= interval[1]:
            passed = bool(np.sign(share - HALF) == sign)
        found[f"share at the {name} separation"] = control(
            share, passed, required=required, interval=interval
        )
    return found


def _flips(controls: Mapping[str, Any]) -> Verdict:
    return judge({name: c for name, c in controls.items() if name.startswith("share at")})


def _too_little(findings: Mapping[str, Any], num_separations: int) -> str:
    """Why no verdict is possible; empty if one is."""
    if num_separations < LEAST_SEPARATIONS:
        few = f"{num_separations} separations, and {LEAST_SEPARATIONS} are needed"
        return too_few_seeds(findings) or few
    return too_few_seeds(findings)
