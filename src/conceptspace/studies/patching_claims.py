"""C6, two phases: a late checkpoint's map from prompts elicits what an earlier network can do."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conceptspace.report.case import Claim, both_ends, control, judge, record

WORDS = {
    "gain": "last donor above the recipient's own prompting",
    "over another seed": "last donor above another seed's",
    "over untrained": "last donor above the untrained path",
    "early into late": "early donor below the last checkpoint's own prompting",
}


def patching_claim(findings: Mapping[str, Any]) -> Claim:
    """C6 over all settings.

    Args:
        findings: of `patching`.
    """
    ceiling, name = findings["naive_ceiling"], findings["settings"][0]["held_out"]
    controls: dict[str, Any] = {
        words: _contrast(findings["contrasts"][key]) for key, words in WORDS.items()
    }
    controls["training classes under the last donor"] = _training(findings)
    controls["share elicited"] = _elicited(findings)
    controls["gain by setting"] = {
        row["name"]: _mean(per_seed)
        for row, per_seed in zip(findings["settings"], findings["contrasts"]["gain"]["per_seed"])
    }
    controls["seeds that count"] = findings["num_counted"]
    reason = ""
    if findings["num_counted"] < findings["minimum_seeds"]:
        reason = (
            f"{findings['num_counted']} seeds show {name} at the end and not before, and "
            f"{findings['minimum_seeds']} are needed"
        )
        controls["reason"] = reason
    found = findings["contrasts"]["gain"]
    return record(
        "C6",
        f"The conditioning path of a late checkpoint elicits class {name} from earlier networks of "
        "its training whose own prompting fails.",
        f"In seeds whose last checkpoint generates {name} with more than {ceiling:g} of its "
        f"samples, at earlier checkpoints where prompting gives at most {ceiling:g} (both known "
        "from other samples): the accuracy with the last checkpoint's conditioning path less the "
        "recipient's own, on average over these checkpoints, then seeds and settings, has an "
        "interval above 0 (seeds redrawn, then samples). So have its differences from another "
        "seed's path and from an untrained one, and what the last checkpoint loses by the path of "
        f"such an early one. At least {findings['minimum_seeds']} seeds.",
        value=found["value"],
        interval=both_ends(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _contrast(found: Mapping[str, Any]) -> dict[str, Any]:
    interval = both_ends(found["interval"])
    passed = None if interval is None else interval[0] > 0
    return control(found["value"], passed, required=True, interval=interval)


def _training(findings: Mapping[str, Any]) -> dict[str, Any]:
    """What the training classes lose in early recipients: a path that makes everything blue would
    elicit the class too."""
    losses = []
    for row in findings["settings"]:
        early = np.array(row["early"], dtype=bool)
        difference = np.array(row["training_own"], float) - np.array(row["training"], float)
        losses += [float(d[chosen].mean()) for d, chosen in zip(difference, early) if chosen.any()]
    loss = float(np.mean(losses)) if losses else None
    passed = None if loss is None else loss <= findings["control_margin"]
    return control(loss, passed, required=False)


def _elicited(findings: Mapping[str, Any]) -> dict[str, Any]:
    """Seeds in which the last donor reaches the threshold in an early recipient."""
    reached = []
    for row in findings["settings"]:
        patched = np.array(row["accuracy"], float)[:, -1]
        early = np.array(row["early"], dtype=bool)
        reached += [
            bool((accuracy[chosen] >= findings["threshold"]).any())
            for accuracy, chosen in zip(patched, early)
            if chosen.any()
        ]
    share = float(np.mean(reached)) if reached else None
    return control(share, None, required=False, threshold=findings["threshold"])


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(f"{np.mean(known):.4g}") if known else None
