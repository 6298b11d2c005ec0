"""C3 across a colour sweep: small red first with weak colour, large blue with strong colour."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, control, judge, record

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
    reason = _too_few_seeds(findings)
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
        f"The {weaker} coordinate of {held_out} falls below the mean of the first "
        f"{findings['start_checkpoints']} trained checkpoints "
        f"({100 * findings['confidence']:.4g} % interval of the fall below 0; lowest point located on one "
        f"half of the samples, read off the other); there the path is nearest to {toward}; and "
        "afterwards the coordinate rises (interval above 0). The same parts as a run's own C3, "
        f"with {weaker} as the weaker concept whatever the signals say.",
        value=fall.get("value"),
        interval=_both(fall.get("interval", (None, None))),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=row["num_seeds"],
    )


def _half_right(row: Mapping[str, Any], weaker: str, stronger: str) -> str:
    """The class that has the stronger concept as the held-out class has it, and the weaker not."""
    expected = (row["headings"][weaker] or {}).get("heads to the training class", {})
    return " or ".join(expected.get("expected") or ["the class with only " + stronger + " right"])


def side_claim(findings: Mapping[str, Any]) -> Claim:
    """C3 across the sweep: the side goes with the ratio of the signals."""
    found, leaning = findings["side"]["side"], findings["side"]["lean"]
    confidence = findings["confidence"]
    first, last = findings["settings"][0], findings["settings"][-1]
    controls: dict[str, Any] = {
        "correlation": _correlation(found, required=True),
        "ratios permuted": control(
            found["p_value"], (found["p_value"] or 0) <= 1 - confidence, required=True,
            central=found["chance"],
        ),
        "side of the straight line, over all checkpoints": _correlation(leaning, required=False),
        "signal of colour over size": control(
            last["ratio"], None, required=False, at_the_weakest=first["ratio"]
        ),
        "mean side": {f"{row['separation']:g}": _mean(row["side"]) for row in findings["settings"]},
    }  # fmt: skip
    reason = _too_few_seeds(findings)
    if not reason and len(findings["settings"]) < LEAST_SEPARATIONS:
        reason = f"{len(findings['settings'])} separations, and {LEAST_SEPARATIONS} are needed"
    if reason:
        controls["reason"] = reason
    return record(
        "C3/side",
        "The side to which the held-out class first heads goes with the ratio of the signals: the "
        "stronger colour's is, the more it heads to where only the colour is right.",
        "Of each seed, how far the colour coordinate falls below where it began less how far the "
        "size coordinate does; its rank correlation with the ratio of the signals over settings "
        "and seeds (Somers' D) is above 0 with its "
        f"{100 * confidence:.4g} % interval from redrawing seeds, and at most {1 - confidence:.2g} of "
        "permutations of the ratios within seeds reach it; at least "
        f"{findings['minimum_seeds']} seeds and {LEAST_SEPARATIONS} separations.",
        value=found["value"],
        interval=_both(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _correlation(found: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    value, interval = found["value"], _both(found["interval"])
    passed = None if value is None or interval is None else interval[0] > 0
    return control(value, passed, required=required, interval=interval)


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def _too_few_seeds(findings: Mapping[str, Any]) -> str:
    if findings["num_seeds"] < findings["minimum_seeds"]:
        return f"{findings['num_seeds']} seeds, and {findings['minimum_seeds']} are needed"
    return ""


def _both(interval: Any) -> tuple[float, float] | None:
    """An interval of which both ends are known."""
    low, high = interval
    return None if low is None or high is None else (float(low), float(high))
