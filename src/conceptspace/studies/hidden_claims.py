"""C5 in parts: a window, turns beside emergence, flat controls. Spread has its own module."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, Verdict, both_ends, control, judge, record
from conceptspace.studies.hidden_controls import PLAIN, RANDOM, UNTRAINED, WRONG


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
        interval=both_ends(least["interval"]),
        verdict=judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def turn_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/turn: a seed's turn and its emergence go together.

    Args:
        findings: of `hidden-capability`.
    """
    first = _first(findings)
    found, level = findings["turn_to_emergence"][first], 1 - findings["confidence"]
    controls, reason = _turn_controls(findings), _too_few_turns(findings)
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
        value=_difference(found),
        interval=both_ends(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _turn_controls(findings: Mapping[str, Any]) -> dict[str, Any]:
    first, *others = map(str, findings["thresholds"])
    found, level = findings["turn_to_emergence"][first], 1 - findings["confidence"]
    ends, p_value = both_ends(found["interval"]), found["p_value"]
    controls: dict[str, Any] = {
        "closer than pairs of different seeds": control(
            _difference(found), None if ends is None else ends[1] < 0, required=True, interval=ends
        ),
        "permuted runs": control(
            p_value, None if p_value is None else p_value <= level, required=True,
            gap=found["gap"], permuted=found["permuted"],
        ),
        "seeds with a turn of their own": {
            row["name"]: f"{sum(row['turns']['found'])} of {len(row['seeds'])}"
            for row in findings["settings"]
        },
        "seeds with both": found["num_seeds"],
    }  # fmt: skip
    for threshold in others:
        other = findings["turn_to_emergence"][threshold]
        controls[f"threshold {threshold}"] = control(
            _difference(other), None, required=False, interval=both_ends(other["interval"]),
            p_value=other["p_value"],
        )  # fmt: skip
    return controls


def _too_few_turns(findings: Mapping[str, Any]) -> str:
    """Why no verdict is possible; empty if one is."""
    found = findings["turn_to_emergence"][_first(findings)]
    if found["num_seeds"] < findings["minimum_seeds"]:
        return (
            f"{found['num_seeds']} seeds have a turn and an emergence beside another one of their "
            f"setting, and {findings['minimum_seeds']} are needed"
        )
    if 1 / found["num_pairings"] > 1 - findings["confidence"]:
        return f"{found['num_pairings']:.0f} pairings are too few to tell"
    return ""


def _difference(found: Mapping[str, Any]) -> float | None:
    if found["gap"] is None or found["permuted"] is None:
        return None
    return found["gap"] - found["permuted"]


def controls_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/controls: what ought to elicit nothing stays flat.

    Args:
        findings: of `hidden-capability`.
    """
    margin, needed = findings["control_margin"], findings["minimum_seeds"]
    controls, largest = _excesses(findings), {"value": None}
    for name, found in controls.items():
        if not name.startswith(UNTRAINED) and found["value"] is not None:
            largest = max(largest, found, key=lambda c: -1.0 if c["value"] is None else c["value"])
    enough = findings["num_seeds"] >= needed
    verdict: Verdict = judge(controls) if enough else "inconclusive"
    if not enough:
        controls["reason"] = f"{findings['num_seeds']} seeds, and {needed} are needed"
    return record(
        "C5/controls",
        f"Random directions, the wrong concept's direction and the untrained model elicit class "
        f"{_held_out(findings)} no better than naive prompting, and nothing is added where nothing "
        "is hidden.",
        "Where the capability is hidden (or, if it is not, wherever naive prompting fails), the "
        "excess of each over naive prompting on average over seeds has an interval (seeds redrawn) "
        f"that ends at or below {margin:g}, at every separation; it does not hold if one lies "
        "above. The untrained model passes as in the run's own C5. The value is the largest "
        f"excess. At least {needed} seeds.",
        value=largest["value"],
        interval=both_ends(largest.get("interval")),
        verdict=verdict,
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _excesses(findings: Mapping[str, Any]) -> dict[str, Any]:
    """Every control at every separation."""
    controls: dict[str, Any] = {}
    for row in findings["settings"]:
        for kind in (RANDOM, WRONG, PLAIN):
            found = row["controls"][kind]
            controls[f"{kind}, {row['name']}"] = _flat(found, findings["control_margin"])
        untrained = row["controls"][UNTRAINED]
        controls[f"{UNTRAINED}, {row['name']}"] = control(
            untrained["mean"], untrained["passed_in_run"], required=True
        )
    return controls


def _flat(found: Mapping[str, Any], margin: float) -> dict[str, Any]:
    """Passed if the interval ends at or below the margin, failed if all of it lies above."""
    interval = both_ends(found["interval"])
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
