"""C3 across a colour sweep: small red first with weak colour, large blue with strong colour."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.correlated import (
    correlation,
    demanded,
    permuted,
)
from conceptspace.studies.sides import too_few_seeds

LEAST_SEPARATIONS = 5
SWEPT, HELD = "colour", "size"


def weak_claim(findings: Mapping[str, Any]) -> Claim:
    """C3 at the weakest colour.

    Args:
        findings: of `trajectories`.
    """
    return _heading_claim(findings, "C3/weak", findings["settings"][0], SWEPT, HELD)


def strong_claim(findings: Mapping[str, Any]) -> Claim:
    """C3 at the strongest colour."""
    return _heading_claim(findings, "C3/strong", findings["settings"][-1], HELD, SWEPT)


def _heading_claim(
    findings: Mapping[str, Any],
    identity: str,
    row: Mapping[str, Any],
    weaker: str,
    stronger: str,
) -> Claim:
    held_out, labels = row["held_out"], row["class_labels"]
    toward = _half_right(row, weaker, stronger)
    end = "weakest" if weaker == SWEPT else "strongest"
    controls: dict[str, Any] = dict(row["headings"][weaker] or {})
    controls["signal of colour over size"] = control(row["ratio"], None, required=False)
    controls["the run's own C3"] = dict(row["own_claim"])
    reason = too_few_seeds(findings)
    if not row["headings"][weaker]:
        reason = "too few trained checkpoints are measured"
    if reason:
        controls["reason"] = reason
    fall = controls.get("memorises", {})
    return record(
        identity,
        f"At the {end} colour (separation {row['separation']:g}) the held-out class {held_out}, "
        f"{labels[held_out]}, first heads to {toward}, {labels.get(toward, toward)}: its {weaker} "
        "coordinate falls below where it began, and rises later.",
        _criterion(findings, held_out, weaker, toward),
        value=fall.get("value"),
        interval=both_ends(fall.get("interval", (None, None))),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=row["num_seeds"],
    )


def _criterion(findings: Mapping[str, Any], held_out: str, weaker: str, toward: str) -> str:
    return (
        f"The {weaker} coordinate of {held_out} falls below the mean of the first "
        f"{findings['start_checkpoints']} trained checkpoints "
        f"({100 * findings['confidence']:.4g} % interval of the fall below 0; lowest point located "
        f"on one half of the samples, read off the other); there the path is nearest to {toward}; "
        "and afterwards the coordinate rises (interval above 0). The same parts as a run's own C3, "
        f"with {weaker} as the weaker concept whatever the signals say."
    )


def _half_right(row: Mapping[str, Any], weaker: str, stronger: str) -> str:
    """The class that has the stronger concept as the held-out class has it, and the weaker not."""
    expected = (row["headings"][weaker] or {}).get("heads to the training class", {})
    return " or ".join(expected.get("expected") or [f"the class with only {stronger} right"])


def side_claim(findings: Mapping[str, Any]) -> Claim:
    """C3 across the sweep: the side goes with the ratio of the signals."""
    found, rows = findings["side"]["side"], findings["settings"]
    controls = _side_controls(findings)
    reason = too_few_seeds(findings)
    if not reason and len(rows) < LEAST_SEPARATIONS:
        reason = f"{len(rows)} separations, and {LEAST_SEPARATIONS} are needed"
    if not reason and found["value"] is None:
        reason = "too few trained checkpoints are measured"
    if reason:
        controls["reason"] = reason
    return record(
        "C3/side",
        "The side to which the held-out class first heads goes with the ratio of the signals: the "
        "stronger colour's is, the more it heads to where only the colour is right.",
        "Of each seed, how far the colour coordinate falls below where it began less how far the "
        "size coordinate does; its rank correlation with the ratio of the signals over settings "
        f"and seeds (Somers' D) is {demanded(findings['confidence'], 'ratios within a seed')}; at "
        f"least {findings['minimum_seeds']} seeds and {LEAST_SEPARATIONS} separations.",
        value=found["value"],
        interval=both_ends(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _side_controls(findings: Mapping[str, Any]) -> dict[str, Any]:
    found, rows = findings["side"], findings["settings"]
    return {
        "correlation": correlation(found["side"], required=True),
        "ratios permuted": permuted(found["side"], findings["confidence"]),
        "side of the straight line, over all checkpoints": correlation(
            found["lean"], required=False
        ),
        "signal of colour over size": control(
            rows[-1]["ratio"], None, required=False, at_the_weakest=rows[0]["ratio"]
        ),
        "mean side": {f"{row['separation']:g}": _mean(row["side"]) for row in rows},
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None
