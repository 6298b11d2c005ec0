"""Whether C3, C4 and C5 remain in every variant of the baseline, each a claim of its own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from conceptspace.report.case import Claim, Verdict, both_ends, control, record

LEAST_JUDGED = 0.5
"""Share of the variants that must have a verdict other than inconclusive."""
SHOWS = {
    "C3": "concept memorisation and the later return to the held-out class",
    "C4": "a sudden turn that no loss and no accuracy shows",
    "C5": "a hidden capability",
}


def remains(findings: Mapping[str, Any], claim: str) -> Claim:
    """Whether a claim that holds in the baseline holds in every variant that can be judged.

    Args:
        findings: of `robustness`.
        claim: its id in a run: C3, C4 or C5.
    """
    rows = [row for row in findings["variants"] if claim in row["bears_on"]]
    baselines = {row["setting"]: row for row in rows if row["key"] == "baseline"}
    others = [row for row in rows if row["key"] != "baseline" and row["setting"] in baselines]
    judged = [row for row in others if _verdict(row, claim) != "inconclusive"]
    alike = [r for r in judged if _verdict(r, claim) == _verdict(baselines[r["setting"]], claim)]
    reason = _reason(list(baselines.values()), others, judged, claim)
    controls = _controls(baselines, others, claim)
    controls["variants"] = {"compared": len(others), "judged": len(judged), "alike": len(alike)}
    if reason:
        controls["reason"] = reason
    return record(
        f"robustness/{claim}",
        f"The baseline shows {SHOWS[claim]} ({claim}), and so does every variant of it.",
        f"{claim} holds in the baseline, and in every variant that can be judged, each by the "
        f"criterion of a run. Inconclusive where it is so in the baseline or in more than "
        f"{1 - LEAST_JUDGED:.0%} of the variants. The value is the share of the judged variants "
        "whose verdict is the baseline's; variants are no sample of anything, so it has no "
        "interval: each variant's own number has, among the controls.",
        value=len(alike) / len(judged) if judged else None,
        interval=None,
        verdict=_conclusion(list(baselines.values()), judged, claim, reason),
        controls=controls,
        scale=findings["scale"],
        seeds=min(row["num_seeds"] for row in baselines.values()),
    )


def _verdict(row: Mapping[str, Any], claim: str) -> Verdict:
    """A row's own verdict; inconclusive where it could not be measured."""
    return row["claims"][claim]["verdict"] if claim in row["claims"] else "inconclusive"


def _conclusion(
    baselines: Sequence[Mapping[str, Any]],
    judged: Sequence[Mapping[str, Any]],
    claim: str,
    reason: str,
) -> Verdict:
    """A variant that fails decides, unless so little can be judged that it says nothing."""
    if reason:
        return "inconclusive"
    found = {_verdict(row, claim) for row in (*baselines, *judged)}
    return "holds" if found == {"holds"} else "does not hold"


def _reason(
    baselines: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]],
    judged: Sequence[Mapping[str, Any]],
    claim: str,
) -> str:
    """Why no verdict is possible; empty if one is."""
    for row in baselines:
        if row["num_seeds"] < row["minimum_seeds"]:
            return f"{row['num_seeds']} seeds, and {row['minimum_seeds']} are needed"
    if any(_verdict(row, claim) == "inconclusive" for row in baselines):
        return f"{claim} is inconclusive in the baseline"
    if not judged or len(judged) < LEAST_JUDGED * len(others):
        return f"{claim} is inconclusive in {len(others) - len(judged)} of {len(others)} variants"
    return ""


def _controls(
    baselines: Mapping[str, Mapping[str, Any]], others: Sequence[Mapping[str, Any]], claim: str
) -> dict[str, Any]:
    """Every row's verdict and number, and whether it is apart from the baseline's.

    A variant may fail where the baseline holds although the two numbers hardly differ: then that is
    no sign of what was changed.
    """
    several = len(baselines) > 1
    made: dict[str, Any] = {}
    for row in (*baselines.values(), *others):
        own, base = row["claims"].get(claim), baselines[row["setting"]]["claims"].get(claim)
        name = f"{row['label']} at {row['setting']}" if several else row["label"]
        verdict = _verdict(row, claim)
        passed = None if verdict == "inconclusive" else verdict == "holds"
        made[name] = control(
            own["value"] if own else None,
            passed,
            required=False,
            interval=both_ends(own["interval"] if own else None),
            verdict=verdict,
            apart_from_baseline=_apart(own, base),
            training_classes_learned=row["learned"],
            gamma=row["gamma"],
            parts=_parts(own),
        )
        # A number that was not measured must not hide that there is a verdict.
        made[name]["passed"] = passed
    return made


def _parts(own: Mapping[str, Any] | None) -> dict[str, Any]:
    """Whether each part and control of the row's own claim passed."""
    if own is None:
        return {"reason": "not measured"}
    return {
        name: part["passed"] if isinstance(part, Mapping) and "passed" in part else part
        for name, part in own["controls"].items()
        if name == "reason" or (isinstance(part, Mapping) and "passed" in part)
    }


def _apart(own: Mapping[str, Any] | None, base: Mapping[str, Any] | None) -> bool | None:
    """Whether two numbers differ by more than their intervals allow; None where one is not known.

    By the squares of the ends that face each other (Zou and Donner 2008), as for independent
    numbers; the seeds are the same, which makes it cautious.
    """
    ends, others = (both_ends(of["interval"] if of else None) for of in (own, base))
    if own is None or base is None or ends is None or others is None:
        return None
    gap = float(own["value"] - base["value"])
    facing = (own["value"] - ends[0], others[1] - base["value"])
    if gap < 0:
        facing = (ends[1] - own["value"], base["value"] - others[0])
    return abs(gap) > math.hypot(*facing)
