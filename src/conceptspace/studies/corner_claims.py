"""C10: held-out classes far from their corner at training convergence are learned late or never."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.correlated import (
    correlation,
    demanded,
    permuted,
)
from conceptspace.studies.sides import too_few_seeds

NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six"}


def corner_claim(findings: Mapping[str, Any]) -> Claim:
    """C10 of either study.

    Args:
        findings: of `three-concepts` or `six-concepts`.
    """
    main, threshold = findings["associations"]["main"], findings["thresholds"][0]
    controls = _controls(findings)
    reason = too_few_seeds(findings) or _reason(findings, main)
    if reason:
        controls["reason"] = reason
    number = NUMBERS.get(len(findings["concepts"]), str(len(findings["concepts"])))
    return record(
        f"C10/{number}",
        f"With {number} concepts, held-out classes that are far from their own corner when "
        "training has converged are learned late or never.",
        "The rank correlation of nearness to the own corner at training convergence and 1/T (joint "
        f"accuracy, threshold {threshold:g}; never is later than the end; Somers' D over pairs of "
        "classes and seeds of one setting) is "
        f"{demanded(findings['confidence'], 'distances within a seed')}. Training has converged at "
        "the first of several checkpoints in a row at which every training class's joint accuracy "
        f"is above {threshold:g}. At least {findings['minimum_seeds']} seeds that converged.",
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
    never = findings["never"]
    return {
        "correlation": correlation(main, required=True),
        "distances permuted": permuted(main, findings["confidence"]),
        **{name: correlation(found, required=False) for name, found in forms.items()},
        "share never learned": control(
            never["farther"], None, required=False, nearer_half=never["nearer"]
        ),
        "seeds that did not converge": sum(
            step is None
            for row in findings["settings"]
            for step in row["converged"][str(findings["thresholds"][0])]
        ),
    }


def _reason(findings: Mapping[str, Any], main: Mapping[str, Any]) -> str:
    """Why no verdict is possible though there are seeds enough; empty if one is."""
    if main["num_seeds"] < findings["minimum_seeds"]:
        return (
            f"training converged in {main['num_seeds']} seeds, and {findings['minimum_seeds']} "
            "are needed"
        )
    if main["value"] is None:
        return "no two classes can be compared: hardly any held-out class is ever learned"
    return ""
