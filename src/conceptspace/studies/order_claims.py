"""C2 with three concepts: the order of learning follows the order of the signals."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.correlated import (
    correlation,
    demanded,
    permuted,
)
from conceptspace.studies.sides import too_few_seeds


def order_claim(findings: Mapping[str, Any]) -> Claim:
    """C2 over concepts, settings and seeds.

    Args:
        findings: of `order`.
    """
    main = findings["associations"]["main"]
    controls = _controls(findings)
    reason = too_few_seeds(findings)
    if not reason and main["value"] is None:
        reason = "no two concepts can be compared: hardly any is ever learned in held-out classes"
    if reason:
        controls["reason"] = reason
    asked = demanded(findings["confidence"], "signals within a setting and seed")
    return record(
        "C2/three",
        f"With the concepts {', '.join(findings['concepts'])}, the order in which held-out classes "
        "get them right follows the order of their signals.",
        "The rank correlation of a concept's signal (distance between class means) and 1/T, at "
        f"threshold {findings['thresholds'][0]:g}, over the concepts of one setting and all seeds "
        "(Somers' D, never is later than the end; T from the mean accuracy over those held-out "
        f"classes in which the concept does not have its first value), is {asked}; at least "
        f"{findings['minimum_seeds']} seeds.",
        value=main["value"],
        interval=both_ends(main["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _controls(findings: Mapping[str, Any]) -> dict[str, Any]:
    forms = dict(findings["associations"])
    main = forms.pop("main")
    return {
        "correlation": correlation(main, required=True),
        "signals permuted": permuted(main, findings["confidence"]),
        **{name: correlation(found, required=False) for name, found in forms.items()},
        "share never learned": control(main["never"], None, required=False),
        "signals": {
            row["name"]: {name: found["finite"] for name, found in row["signal"].items()}
            for row in findings["settings"]
        },
    }
