"""C4, a sudden turn that shows only in concept space: of the mean path, and of single seeds."""

from collections.abc import Mapping
from typing import Any

from scipy import stats

from conceptspace.report.case import Claim, both_ends, control, judge, record, rounded

PASSED = {"holds": True, "does not hold": False, "inconclusive": None}


def mean_path_claim(findings: Mapping[str, Any]) -> Claim:
    """C4: the run's own verdict at every separation.

    Args:
        findings: of `turn`.
    """
    controls: dict[str, Any] = {}
    for row in findings["settings"]:
        own = row["own_claim"]
        controls[row["name"]] = {
            "value": own["value"],
            # The run's verdict is judged: without a turn it is inconclusive, and has no step.
            "passed": PASSED[own["verdict"]],
            "required": True,
            "interval": own["interval"],
            "parts": own["controls"],
        }
    claimed = [row["own_claim"] for row in findings["settings"]]
    turned = [own for own in claimed if own["value"] is not None]
    own = (turned or claimed)[0]
    if not turned:
        controls["reason"] = "no mean path turns beyond noise"
    return record(
        "C4",
        own["statement"].replace("The path", "The mean path over seeds"),
        f"C4 of a run's own report holds at every separation: {own['criterion']} The value is the "
        "step at the first separation with a turn.",
        value=own["value"],
        interval=both_ends(own["interval"]),
        verdict=judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def seeds_claim(findings: Mapping[str, Any]) -> Claim:
    """C4/seeds: single seeds turn, and their own curves are smooth there.

    Args:
        findings: of `turn`.
    """
    level, needed = findings["significance"], findings["minimum_seeds"]
    shared = _shared(findings)
    controls, reason = _seed_controls(findings, shared), ""
    if findings["num_turning_seeds"] < needed:
        reason = f"{findings['num_turning_seeds']} seeds turn, and {needed} are needed"
        controls["reason"] = reason
    name = findings["settings"][0]["held_out"]
    return record(
        "C4/seeds",
        f"In single seeds the path of the held-out class {name} turns suddenly, and the turn shows "
        "only in concept space.",
        f"The share of seeds whose own path has a turn (p < {level:.2g}, beyond its samples' "
        f"noise) has an interval (seeds redrawn) above {level:.2g}, the share expected by chance; "
        "and neither training, validation and held-out loss nor joint accuracy has a kink within "
        f"the interval of the turn (p < {level:.2g}) in more of these seeds than by chance "
        f"(binomial p >= {shared:.2g} for each curve). At least {needed} seeds that "
        "turn.",
        value=findings["share_turning"],
        interval=both_ends(findings["share_interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _shared(findings: Mapping[str, Any]) -> float:
    """The level of one curve, of all that are looked at (Bonferroni)."""
    return (1 - findings["confidence"]) / max(len(findings["settings"][0]["seed_kinks"]), 1)


def _seed_controls(findings: Mapping[str, Any], shared: float) -> dict[str, Any]:
    level, interval = findings["significance"], both_ends(findings["share_interval"])
    controls: dict[str, Any] = {
        "more seeds turn than by chance": control(
            findings["share_turning"],
            None if interval is None else interval[0] > level,
            required=True,
            interval=interval,
        )
    }
    for label in findings["settings"][0]["seed_kinks"]:
        p_values = [p for row in findings["settings"] for p in row["seed_kinks"][label]]
        controls[f"no kink in {label}"] = _kinked(p_values, level, shared)
    controls["seeds that turn"] = {
        row["name"]: f"{sum(row['seed_turns']['found'])} of {len(row['seeds'])}"
        for row in findings["settings"]
    }
    return controls


def _kinked(p_values: list[float | None], level: float, shared: float) -> dict[str, Any]:
    """The share of seeds with a kink; one that turns too near an end of the run is not looked
    at."""
    known = [p for p in p_values if p is not None]
    if not known:
        return control(None, None, required=True)
    num_kinked = sum(p < level for p in known)
    by_chance = float(stats.binomtest(num_kinked, len(known), level, alternative="greater").pvalue)
    return control(
        num_kinked / len(known), by_chance >= shared, required=True, p_value=rounded(by_chance),
        seeds_looked_at=len(known), seeds_not_looked_at=len(p_values) - len(known),
    )  # fmt: skip
