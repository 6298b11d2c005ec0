"""C7: masking a concept in one class's prompts delays another class, and bends its path."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record

LEAST_SHARES = 3
HALF = 0.5
"""The middle of an axis of two values: below it a sample is rather the first, above the second."""


def slope_claim(findings: Mapping[str, Any]) -> Claim:
    """C7, the delay.

    Args:
        findings: of `underspecification`.
    """
    first, *others = map(str, findings["thresholds"])
    significance = 1 - findings["confidence"]
    found, words = findings["slope"][first], findings["words"]
    steps, ranks = found["steps"], found["ranks"]
    controls: dict[str, Any] = {
        "steps for one whole share": _above(steps, 0.0, required=True, is_least=steps["is_least"]),
        "shares permuted": control(
            ranks["p_value"], (ranks["p_value"] or 0) <= significance, required=True,
            central_interval=ranks["chance"],
        ),
        "rank correlation": _above(ranks, 0.0, required=False),
        "times later with all masked": _above(found["factor"], 1.0, required=False),
        "share of seeds never learned": control(found["never"], None, required=False),
    }  # fmt: skip
    for threshold in others:
        again = findings["slope"][threshold]["steps"]
        controls[f"threshold {threshold}"] = _above(again, 0.0, required=False)
    controls["median step for each share"] = [
        [row["share"], row["medians"][first]] for row in findings["shares"]
    ]
    reason = _too_little(findings)
    if not reason and findings["shares"][0]["medians"][first] is None:
        reason = (
            f"the {words['held_out']} is not learned by half of the seeds where "
            f"{findings['shares'][0]['share']:.0%} are masked: a delay cannot be seen"
        )
    if reason:
        controls["reason"] = reason
    return record(
        "C7/slope",
        f"The {words['held_out']}, held out, is learned the later, the larger the share of the "
        f"{words['masked']} prompts that do not name the {findings['masked_concept']}.",
        "The slope of steps against the share (steps from no share to the whole; Akritas, Murphy "
        "and LaValley, censoring kept), steps being the first of three checkpoints at which the "
        f"smoothed joint accuracy under naive prompting is above {first}, is above 0 with its "
        f"{findings['confidence']:.4g} interval from redrawing seeds, and at most "
        f"{significance:.4g} of permutations of the shares among the runs of a seed reach its rank "
        f"correlation; at least {findings['minimum_seeds']} seeds and {LEAST_SHARES} shares, and "
        "at the smallest share at least half of the seeds learn it.",
        value=steps["value"],
        interval=both_ends(steps["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def bend_claim(findings: Mapping[str, Any]) -> Claim:
    """C7, where the class goes when the concept is never named.

    Args:
        findings: of `underspecification`.
    """
    ends, words = findings["ends"], findings["words"]
    concept, significance = findings["masked_concept"], 1 - findings["confidence"]
    axis = findings["concepts"].index(concept)
    other = findings["concepts"][1 - axis]
    wrong, right = findings["labels"][concept]
    at_end = _at(ends["held_out"], -1, axis)
    drop = ends["drop"]
    controls: dict[str, Any] = {
        "all masked": _below(at_end, HALF, required=True),
        "none masked": _above(_at(ends["held_out"], 0, axis), HALF, required=True),
        "none masked less all masked": _above(drop, 0.0, required=True),
        "shares permuted": control(
            drop["p_value"], (drop["p_value"] or 0) <= significance, required=True
        ),
        f"{words['held_out']}, {other}": _above(
            _at(ends["held_out"], -1, 1 - axis), HALF, required=True
        ),
        f"{words['told']}, {concept}": _above(_at(ends["told"], -1, axis), HALF, required=True),
        f"{words['masked']}, {concept}": _below(_at(ends["masked"], -1, axis), HALF, required=True),
        "mean of the last three checkpoints": _below(
            _at(ends["late"], -1), HALF, required=False
        ),
    }  # fmt: skip
    controls["place at the end for each share"] = [
        [row["share"], *ends["held_out"]["value"][i]] for i, row in enumerate(findings["shares"])
    ]
    reason = _too_little(findings) or _no_ends(findings)
    if reason:
        controls["reason"] = reason
    return record(
        "C7/bend",
        f"Where no {words['masked']} prompt names the {concept}, the {words['held_out']} stays "
        f"{wrong} in spite of a prompt that says {right}.",
        f"With all masked, the mean {concept} coordinate of the {words['held_out']} at the end is "
        f"below {HALF} ({wrong} is 0, {right} is 1), with none masked above it, and the two differ "
        f"beyond 0, each with its {findings['confidence']:.4g} interval (seeds redrawn, then "
        f"samples), and by more than all but {significance:.4g} of permutations of the shares "
        f"among the runs of a seed; with all masked it has its own {other}, the {words['told']} "
        f"its {concept} and the {words['masked']} its own, beyond {HALF} with their intervals; at "
        f"least {findings['minimum_seeds']} seeds.",
        value=at_end["value"],
        interval=both_ends(at_end["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _at(found: Mapping[str, Any], *place: int) -> dict[str, Any]:
    """One number and its interval out of nested ones."""
    value, interval = found["value"], found["interval"]
    for index in place:
        value, interval = value[index], interval[index]
    return {"value": value, "interval": interval}


def _above(
    found: Mapping[str, Any], bound: float, *, required: bool, **details: Any
) -> dict[str, Any]:
    """Passed where the interval lies above a bound."""
    interval = both_ends(found["interval"])
    passed = None if interval is None else interval[0] > bound
    return control(found["value"], passed, required=required, interval=interval, **details)


def _below(found: Mapping[str, Any], bound: float, *, required: bool) -> dict[str, Any]:
    interval = both_ends(found["interval"])
    passed = None if interval is None else interval[1] < bound
    return control(found["value"], passed, required=required, interval=interval)


def _too_little(findings: Mapping[str, Any]) -> str:
    """Why no verdict is possible; empty if one is."""
    if findings["num_seeds"] < findings["minimum_seeds"]:
        return f"{findings['num_seeds']} seeds, and {findings['minimum_seeds']} are needed"
    if len(findings["shares"]) < LEAST_SHARES:
        return f"{len(findings['shares'])} shares, and {LEAST_SHARES} are needed"
    return ""


def _no_ends(findings: Mapping[str, Any]) -> str:
    shares = [row["share"] for row in findings["shares"]]
    if shares[0] > 0 or shares[-1] < 1:
        return f"the shares go from {shares[0]:g} to {shares[-1]:g} and not from 0 to 1"
    return ""
