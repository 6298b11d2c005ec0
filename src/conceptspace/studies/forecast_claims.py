"""Whether a turn can be forecast from the path before it."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.sides import above, too_few

LEAST_ROWS = 15
LEAST_OF_EACH = 4
"""Turns, and seeds that did not turn: with fewer a score says nothing."""
CHANCE_AUC = 0.5


def forecast_claim(findings: Mapping[str, Any]) -> Claim:
    """forecast/turn.

    Args:
        findings: of `forecast`.
    """
    judged = findings["tries"]["judged"]
    scores, significance = judged["scores"], 1 - findings["confidence"]
    controls: dict[str, Any] = {"rows": judged["num_rows"], "turns": judged["num_happened"]}
    if scores is not None:
        controls |= _scored(scores, significance)
        for name, other in findings["tries"].items():
            if name != "judged":
                controls[name] = _again(other)
    reason = _why_not(findings, judged)
    if reason:
        controls["reason"] = reason
    return record(
        "forecast/turn",
        f"From the path of class {findings['held_out']} so far it can be told whether its turn "
        "towards its own corner is still to come.",
        f"Half-way through the checkpoints, in seeds whose weaker concept is still wrong, a "
        "logistic regression on the path so far and the ratio of the signals, fitted to the other "
        f"settings, forecasts whether the weaker coordinate rises by more than "
        f"{findings['least_rise']:g} later. Brier skill over the base rate above 0 and area under "
        f"the curve above {CHANCE_AUC:g}, each with its interval from redrawing seeds, and at most "
        f"{significance:.2g} of permutations of the outcomes reach the skill. Inconclusive if an "
        f"interval holds its bound, or with fewer than {LEAST_ROWS} seeds at risk or "
        f"{LEAST_OF_EACH} of either outcome.",
        value=None if scores is None else scores["skill"]["value"],
        interval=None if scores is None else both_ends(scores["skill"]["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _scored(scores: Mapping[str, Any], significance: float) -> dict[str, Any]:
    skill, auc = (both_ends(scores[name]["interval"]) for name in ("skill", "auc"))
    return {
        "skill": control(
            scores["skill"]["value"], above(skill, 0.0), required=True, interval=skill
        ),
        "area under the curve": control(
            scores["auc"]["value"], above(auc, CHANCE_AUC), required=True, interval=auc
        ),
        "outcomes permuted": control(
            scores["p_value"], scores["p_value"] <= significance, required=True,
            skill_when_permuted=scores["permuted_skill"],
        ),
        "Brier score": control(
            scores["brier"]["value"], None, required=False,
            interval=both_ends(scores["brier"]["interval"]),
            of_the_base_rate=scores["base_rate_brier"], base_rate=scores["base_rate"],
        ),
    }  # fmt: skip


def _again(other: Mapping[str, Any]) -> dict[str, Any]:
    """The same question at another moment or for another rise."""
    scores = other["scores"]
    if scores is None:
        return control(None, None, required=False, rows=other["num_rows"])
    interval = both_ends(scores["skill"]["interval"])
    return control(
        scores["skill"]["value"], above(interval, 0.0), required=False, interval=interval,
        auc=scores["auc"]["value"], rows=other["num_rows"], turns=other["num_happened"],
    )  # fmt: skip


def _why_not(findings: Mapping[str, Any], judged: Mapping[str, Any]) -> str:
    """Why no verdict is possible; empty if one is."""
    num, came = judged["num_rows"], judged["num_happened"]
    if num < LEAST_ROWS:
        return f"{num} seeds are still wrong half-way, and {LEAST_ROWS} are needed"
    if min(came, num - came) < LEAST_OF_EACH:
        return f"{came} of {num} seeds turn, and {LEAST_OF_EACH} of either outcome are needed"
    return too_few(findings, len(findings["settings"]), LEAST_OF_EACH)
