"""C5/spread: emergence steps differ less between seeds than naive steps."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.hidden_events import EARLIEST

HALF = 0.5


def spread_claim(findings: Mapping[str, Any]) -> Claim:
    """C5/spread over all settings that can say how events spread.

    Args:
        findings: of `hidden-capability`.
    """
    first = str(findings["thresholds"][0])
    found = findings["spread"][first].get(EARLIEST, {"settings": 0, "left_out": []})
    reason = _too_little(findings, found)
    controls = {"reason": reason} if reason else _required(findings, found)
    controls |= _beside(findings, found)
    return record(
        "C5/spread",
        f"The step from which class {findings['settings'][0]['held_out']} can be elicited differs "
        "less between seeds than the step from which naive prompting shows it.",
        "Of the pairs of seeds of a setting, the share in which emergence steps lie closer in "
        f"their logarithm than naive steps (threshold {first}; a capability emerges with the first "
        "method that elicits it; steps not reached by the end are cut off alike for both, and a "
        "pair that is not decided is left out) has an interval above one half (seeds redrawn, then "
        f"samples), and at most {1 - findings['confidence']:.2g} of exchanges of the two labels "
        "within seeds favour it as much (or the rarest there is). Settings count in which at least "
        f"half of the seeds have both events; at least {findings['spread_seeds']} seeds.",
        value=found.get("share"),
        interval=both_ends(found.get("interval")),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _too_little(findings: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Why no verdict is possible; empty if one is."""
    if findings["num_seeds"] < findings["spread_seeds"]:
        return f"{findings['num_seeds']} seeds, and {findings['spread_seeds']} are needed"
    if not found["settings"]:
        return "in no setting at least half of the seeds have both events by the end"
    if found["share"] is None:
        return "no pair of seeds is decided"
    return ""


def _required(findings: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    # With few seeds there are few exchanges: no rarer one is asked for than the true labels alone.
    level = max(1 - findings["confidence"], 1 / found["num_exchanges"])
    return {
        "share of pairs": _share(found, required=True),
        "labels exchanged within seeds": control(
            found["p_value"],
            found["p_value"] <= level * (1 + 1e-4),  # findings keep six digits
            required=True,
            exchanges=found["num_exchanges"],
        ),
        "pairs": {key: found[key] for key in ("num_pairs", "num_decided")},
    }


def _beside(findings: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What assumes less, and the same under one method or at another threshold."""
    first, *others = map(str, findings["thresholds"])
    controls: dict[str, Any] = {
        "left out: fewer than half of the seeds have both events": found["left_out"]
    }
    if "bounds" in found:
        ends = both_ends(found["bounds_interval"])
        controls["all settings, undecided pairs all against"] = control(
            found["bounds"][0], None if ends is None else ends[0] > HALF, required=False
        )
        controls["all settings, undecided pairs all for"] = control(
            found["bounds"][1], None, required=False, interval=ends
        )
    for method, other in findings["spread"][first].items():
        if method != EARLIEST:
            controls[method] = _share(other, required=False)
    for threshold in others:
        again = findings["spread"][threshold].get(EARLIEST, {})
        controls[f"threshold {threshold}"] = _share(again, required=False)
    return controls


def _share(found: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    """The share, passed if its interval lies above one half."""
    interval = both_ends(found.get("interval"))
    passed = None if interval is None else interval[0] > HALF
    return control(found.get("share"), passed, required=required, interval=interval)
