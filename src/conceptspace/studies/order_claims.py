"""C2 with three concepts: the order of learning follows the order of the signals."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, control, judge, record


def order_claim(findings: Mapping[str, Any]) -> Claim:
    """C2 over concepts, settings and seeds.

    Args:
        findings: of `order`.
    """
    confidence, threshold = findings["confidence"], findings["thresholds"][0]
    forms = dict(findings["associations"])
    main = forms.pop("main")
    controls: dict[str, Any] = {
        "correlation": _correlation(main, required=True),
        "signals permuted": control(
            main["p_value"], (main["p_value"] or 0) <= 1 - confidence, required=True,
            central=main["chance"],
        ),
    }  # fmt: skip
    controls |= {name: _correlation(found, required=False) for name, found in forms.items()}
    controls["share never learned"] = control(main["never"], None, required=False)
    controls["pairs compared"] = main["num_pairs"]
    controls["signals"] = {
        row["name"]: {name: found["finite"] for name, found in row["signal"].items()}
        for row in findings["settings"]
    }
    reason = ""
    if findings["num_seeds"] < findings["minimum_seeds"]:
        reason = f"{findings['num_seeds']} seeds, and {findings['minimum_seeds']} are needed"
    elif main["value"] is None:
        reason = "no two concepts can be compared: hardly any is ever learned in held-out classes"
    if reason:
        controls["reason"] = reason
    return record(
        "C2/three",
        f"With the concepts {', '.join(findings['concepts'])}, the order in which held-out classes "
        "get them right follows the order of their signals.",
        "The rank correlation of a concept's signal (distance between class means) and 1/T, at "
        f"threshold {threshold:g}, over the concepts of one setting and all seeds (Somers' D, never "
        "is later than the end; T from the mean accuracy over those held-out classes in which the "
        "concept does not have its first value), is above 0 with its "
        f"{100 * confidence:.4g} % interval from redrawing seeds, and at most "
        f"{1 - confidence:.2g} of permutations of the signals within a setting and seed reach it; "
        f"at least {findings['minimum_seeds']} seeds.",
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


def _both(interval: Any) -> tuple[float, float] | None:
    """An interval of which both ends are known."""
    low, high = interval
    return None if low is None or high is None else (float(low), float(high))
