"""C5 in four parts: a window, emergence that spreads less than naive steps, the turn, controls."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, Verdict, control, judge, record
from conceptspace.studies.hidden_controls import PLAIN, RANDOM, UNTRAINED, WRONG
from conceptspace.studies.hidden_events import EARLIEST

HALF = 0.5


def window_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/window: the run's own C5 at every separation.

    Args:
        findings: of `hidden-capability`.
    """
    controls: dict[str, Any] = {}
    for row in findings["settings"]:
        own = row["own_claim"]
        passed = {"holds": True, "does not hold": False, "inconclusive": None}[own["verdict"]]
        windows = {m: found["length"] for m, found in row["window"][_first(findings)].items()}
        controls[row["name"]] = control(
            own["value"], passed, required=True, interval=own["interval"],
            seeds_hidden=sum(seed["hidden"] for seed in own["controls"]["per seed"]),
            sensitivity=own["controls"]["sensitivity"],
            window={m: {k: w[k] for k in ("median", "interval")} for m, w in windows.items()},
            required_controls={
                name: part["passed"]
                for name, part in own["controls"].items()
                if isinstance(part, dict) and part.get("required")
            },
        )  # fmt: skip
    least = min(controls.values(), key=lambda found: found["value"])
    own = findings["settings"][0]["own_claim"]
    return record(
        "C5/window",
        f"At every separation the model can generate class {_held_out(findings)} before naive "
        "prompting shows it.",
        f"C5 of a run's own report holds at every separation: {own['criterion']} The value is the "
        "smallest share of seeds.",
        value=least["value"],
        interval=_both(least["interval"]),
        verdict=judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def spread_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/spread: emergence steps spread less over seeds than naive steps.

    Args:
        findings: of `hidden-capability`.
    """
    first, *others = map(str, findings["thresholds"])
    by_method = findings["spread"][first]
    found = by_method.get(EARLIEST, {"settings": 0, "left_out": []})
    controls: dict[str, Any] = {}
    reason = _too_little_for_spread(findings, found)
    if reason:
        controls["reason"] = reason
    else:
        low = _low(found)
        controls["share of pairs"] = control(
            found["share"], None if low is None else low > HALF, required=True,
            interval=_both(found["interval"]),
        )  # fmt: skip
        # With few seeds there are few exchanges: no rarer one than the true labels alone.
        level = max(1 - findings["confidence"], 1 / found["num_exchanges"])
        controls["labels exchanged within seeds"] = control(
            found["p_value"], found["p_value"] <= level + 1e-9, required=True,
            exchanges=found["num_exchanges"],
        )  # fmt: skip
        controls["pairs"] = {key: found[key] for key in ("num_pairs", "num_decided")}
    controls["left out: fewer than half of the seeds have both events"] = found["left_out"]
    if "bounds" in found:
        ends = _both(found["bounds_interval"])
        controls["all settings, undecided pairs all against"] = control(
            found["bounds"][0], None if ends is None else ends[0] > HALF, required=False
        )
        controls["all settings, undecided pairs all for"] = control(
            found["bounds"][1], None, required=False, interval=ends
        )
    for method, other in by_method.items():
        if method != EARLIEST:
            controls[method] = _again(other)
    for threshold in others:
        controls[f"threshold {threshold}"] = _again(findings["spread"][threshold].get(EARLIEST, {}))
    return record(
        "C5/spread",
        f"The step from which class {_held_out(findings)} can be elicited differs less between "
        "seeds than the step from which naive prompting shows it.",
        "Of the pairs of seeds of a setting, the share in which emergence steps lie closer in "
        f"their logarithm than naive steps (threshold {first}; a capability emerges with the first "
        "method that elicits it; steps not reached by the end are cut off alike for both, and a "
        "pair that is not decided is left out) has an interval above one half (seeds redrawn, then "
        f"samples), and at most {1 - findings['confidence']:.2g} of exchanges of the two labels "
        "within seeds favour it as much (or the rarest there is). Settings count in which at least "
        f"half of the seeds have both events; at least {findings['spread_seeds']} seeds.",
        value=found.get("share"),
        interval=_both(found.get("interval", (None, None))),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _too_little_for_spread(findings: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if findings["num_seeds"] < findings["spread_seeds"]:
        return f"{findings['num_seeds']} seeds, and {findings['spread_seeds']} are needed"
    if not found["settings"]:
        return "in no setting at least half of the seeds have both events by the end"
    if found["share"] is None:
        return "no pair of seeds is decided"
    return ""


def _low(found: Mapping[str, Any]) -> float | None:
    interval = _both(found["interval"])
    return None if interval is None else interval[0]


def _again(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same under another method or threshold; not required."""
    if found.get("share") is None:
        return control(None, None, required=False)
    low = _low(found)
    passed = None if low is None else low > HALF
    return control(found["share"], passed, required=False, interval=_both(found["interval"]))


def turn_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/turn: a seed's turn and its emergence go together.

    Args:
        findings: of `hidden-capability`.
    """
    first, *others = map(str, findings["thresholds"])
    found, level = findings["turn_to_emergence"][first], 1 - findings["confidence"]
    difference = _difference(found)
    num_turns = {
        row["name"]: f"{sum(row['turns']['found'])} of {len(row['seeds'])}"
        for row in findings["settings"]
    }
    reason = ""
    if found["num_seeds"] < findings["minimum_seeds"]:
        reason = (
            f"{found['num_seeds']} seeds have a turn and an emergence beside another one of their "
            f"setting, and {findings['minimum_seeds']} are needed"
        )
    elif 1 / found["num_pairings"] > level:
        reason = f"{found['num_pairings']:.0f} pairings are too few to tell"
    ends = _both(found["interval"])
    controls: dict[str, Any] = {
        "closer than pairs of different seeds": control(
            difference, None if ends is None else ends[1] < 0, required=True, interval=ends
        ),
        "permuted runs": control(
            found["p_value"], (found["p_value"] or 0.0) <= level, required=True,
            gap=found["gap"], permuted=found["permuted"],
        ),
        "seeds with a turn of their own": num_turns,
        "seeds with both": found["num_seeds"],
    }  # fmt: skip
    for threshold in others:
        other = findings["turn_to_emergence"][threshold]
        controls[f"threshold {threshold}"] = control(
            _difference(other), None, required=False, interval=_both(other["interval"]),
            p_value=other["p_value"],
        )  # fmt: skip
    if reason:
        controls["reason"] = reason
    return record(
        "C5/turn",
        f"A seed's capability to generate class {_held_out(findings)} emerges near the step at "
        "which its own path turns.",
        "The mean distance in steps between a seed's turn (of its own path, beyond its samples' "
        f"noise) and its emergence (threshold {first}), less that between turns and emergences of "
        "different seeds of the same setting, has an interval below 0 (seeds redrawn), and at most "
        f"{level:.2g} of permuted runs come as close. At least {findings['minimum_seeds']} seeds "
        "with both.",
        value=difference,
        interval=ends,
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _difference(found: Mapping[str, Any]) -> float | None:
    if found["gap"] is None or found["permuted"] is None:
        return None
    return found["gap"] - found["permuted"]


def controls_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/controls: what ought to elicit nothing stays flat.

    Args:
        findings: of `hidden-capability`.
    """
    margin = findings["control_margin"]
    controls: dict[str, Any] = {}
    for row in findings["settings"]:
        for kind in (RANDOM, WRONG, PLAIN):
            controls[f"{kind}, {row['name']}"] = _flat(row["controls"][kind], margin)
        untrained = row["controls"][UNTRAINED]
        controls[f"{UNTRAINED}, {row['name']}"] = control(
            untrained["mean"], untrained["passed_in_run"], required=True
        )
    excess = [c for name, c in controls.items() if not name.startswith(UNTRAINED)]
    largest = max(excess, key=lambda c: -1.0 if c["value"] is None else c["value"])
    enough = findings["num_seeds"] >= findings["minimum_seeds"]
    verdict: Verdict = judge(controls) if enough else "inconclusive"
    if not enough:
        controls["reason"] = (
            f"{findings['num_seeds']} seeds, and {findings['minimum_seeds']} are needed"
        )
    return record(
        "C5/controls",
        f"Random directions, the wrong concept's direction and the untrained model elicit class "
        f"{_held_out(findings)} no better than naive prompting, and nothing is added where nothing "
        "is hidden.",
        "Where the capability is hidden (or, if it is not, wherever naive prompting fails), the "
        "excess of each over naive prompting on average over seeds has an interval (seeds redrawn) "
        f"that ends at or below {margin:g}, at every separation; it does not hold if one lies "
        "above. The untrained model passes as in the run's own C5. The value is the largest excess.",
        value=largest["value"],
        interval=_both(largest.get("interval", (None, None))),
        verdict=verdict,
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _flat(found: Mapping[str, Any], margin: float) -> dict[str, Any]:
    """Passed if the interval ends at or below the margin, failed if all of it lies above."""
    interval = _both(found["interval"])
    passed = None
    if interval is not None:
        passed = True if interval[1] <= margin else (False if interval[0] > margin else None)
    return control(
        found["mean"], passed, required=True, interval=interval,
        seeds_looked_at=len(found["per_seed"]), passed_in_run=found["passed_in_run"],
    )  # fmt: skip


def _first(findings: Mapping[str, Any]) -> str:
    return str(findings["thresholds"][0])


def _held_out(findings: Mapping[str, Any]) -> str:
    return findings["settings"][0]["held_out"]


def _both(interval: Any) -> tuple[float, float] | None:
    """An interval of which both ends are known."""
    low, high = interval if interval is not None else (None, None)
    return None if low is None or high is None else (float(low), float(high))
