"""C10: held-out classes far from their corner at training convergence are learned late or never."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, control, judge, record

NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}
LISTED = ("value", "interval")


def corner_claim(findings: Mapping[str, Any]) -> Claim:
    """C10 of either study.

    Args:
        findings: of `three-concepts` or `six-concepts`.
    """
    confidence, threshold = findings["confidence"], findings["thresholds"][0]
    forms = dict(findings["associations"])
    main = forms.pop("main")
    controls: dict[str, Any] = {
        "correlation": _correlation(main, required=True),
        "distances permuted": control(
            main["p_value"], (main["p_value"] or 0) <= 1 - confidence, required=True,
            central=main["chance"],
        ),
    }  # fmt: skip
    controls |= {name: _correlation(found, required=False) for name, found in forms.items()}
    controls["share never learned"] = control(
        findings["never"]["farther"], None, required=False, nearer_half=findings["never"]["nearer"]
    )
    controls["pairs compared"] = main["num_pairs"]
    controls["seeds that did not converge"] = _not_converged(findings, str(threshold))
    reason = _reason(findings, main)
    if reason:
        controls["reason"] = reason
    number = len(findings["concepts"])
    return record(
        f"C10/{NUMBERS.get(number, str(number))}",
        f"With {NUMBERS.get(number, str(number))} concepts, held-out classes that are far from "
        "their own corner when training has converged are learned late or never.",
        "The rank correlation of nearness to the own corner at training convergence and speed of "
        f"learning (1/T, joint accuracy, threshold {threshold:g}; never is later than the end; "
        "Somers' D over pairs of classes and seeds of one setting) is above 0 with its "
        f"{100 * confidence:.4g} % interval from redrawing seeds, and at most "
        f"{1 - confidence:.2g} of permutations of the distances within a seed reach it. Training "
        "has converged at the first of three checkpoints in a row at which every training class's "
        f"joint accuracy is above {threshold:g}. At least {findings['minimum_seeds']} seeds that "
        "converged.",
        value=main["value"],
        interval=_both(main["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _correlation(found: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    value, interval = found["value"], _both(found["interval"])
    passed = None if value is None or interval is None else interval[0] > 0
    return control(
        value, passed, required=required, interval=interval, pairs=found["num_pairs"]
    )  # fmt: skip


def _not_converged(findings: Mapping[str, Any], threshold: str) -> int:
    return sum(
        step is None for row in findings["settings"] for step in row["converged"][threshold]
    )


def _reason(findings: Mapping[str, Any], main: Mapping[str, Any]) -> str:
    """Why no verdict is possible; empty if one is."""
    needed = findings["minimum_seeds"]
    if findings["num_seeds"] < needed:
        return f"{findings['num_seeds']} seeds, and {needed} are needed"
    if main["num_seeds"] < needed:
        return f"training converged in {main['num_seeds']} seeds, and {needed} are needed"
    if main["value"] is None:
        return "no two classes can be compared: hardly any held-out class is ever learned"
    return ""


def _both(interval: Any) -> tuple[float, float] | None:
    """An interval of which both ends are known."""
    low, high = interval
    return None if low is None or high is None else (float(low), float(high))
