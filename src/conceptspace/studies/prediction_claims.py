"""Verdicts on learning times and their order, predicted from the concept signal alone."""

from collections.abc import Mapping
from typing import Any

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.sides import above, too_few

LEAST_CORRELATION = 0.8
LEAST_LOWER_END = 0.4
LEAST_SETTINGS = 5
HALF = 0.5


def times_claim(findings: Mapping[str, Any]) -> Claim:
    """prediction/times.

    Args:
        findings: of `prediction`.
    """
    first, *others = map(str, findings["thresholds"])
    significance = 1 - findings["confidence"]
    reason = too_few(findings, len(findings["settings"]), LEAST_SETTINGS)
    found = findings["times"] and findings["times"][first]
    if not reason and found is None:
        reason = "a signal is 0 or the same everywhere, so there is no law of times"
    if not reason and found is not None and found["correlation"] is None:
        reason = "too few times were learned for a law"
    controls = {} if found is None else _times_controls(findings, found, significance, others)
    if reason:
        controls["reason"] = reason
    return record(
        "prediction/times",
        "When a concept is learned in a setting that no law was fitted to follows from its signal.",
        f"log T linear in the log of the signal, one law for both concepts, fitted on half of the "
        "settings: the rank correlation of predicted and measured times of the other half "
        f"(Somers' D with censoring, threshold {first}, mean over many halves) is at least "
        f"{LEAST_CORRELATION:g}, its interval (seeds and halves redrawn) above "
        f"{LEAST_LOWER_END:g}, and at most {significance:.2g} of permutations of the signals "
        "among settings reach it.",
        value=None if found is None else found["correlation"],
        interval=None if found is None else both_ends(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _times_controls(
    findings: Mapping[str, Any], found: Mapping[str, Any], significance: float, others: list[str]
) -> dict[str, Any]:
    interval = both_ends(found["interval"])
    gain = both_ends(found["gain_interval"])
    controls = {
        "correlation": _correlation(found, required=True),
        "signals permuted among settings": control(
            found["p_value"], found["p_value"] <= significance, required=True,
            correlation_when_permuted=found["permuted"],
        ),
        "gain over knowing the concept alone": control(
            None if interval is None else found["correlation"] - (found["concept_alone"] or 0.0),
            above(gain, 0.0), required=False, interval=gain, concept_alone=found["concept_alone"],
        ),
        "calibration": {
            "predicted intervals": findings["levels"], "share of times in them": found["coverage"],
        },
        "measured medians as the prediction": control(found["ceiling"], None, required=False),
        "slope of log time": control(found["slope"], None, required=False),
        "share never learned": control(found["never"], None, required=False),
    }  # fmt: skip
    for threshold in others:
        again = findings["times"][threshold]
        if "correlation" in again:
            controls[f"threshold {threshold}"] = _correlation(again, required=False)
    for name, value in findings["instead"].items():
        controls[f"from the {name} instead"] = control(value, None, required=False)
    return controls


def _correlation(found: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    value, interval = found["correlation"], both_ends(found["interval"])
    passed = None
    if value is not None and interval is not None:
        passed = value >= LEAST_CORRELATION and interval[0] > LEAST_LOWER_END
    return control(value, passed, required=required, interval=interval)


def order_claim(findings: Mapping[str, Any]) -> Claim:
    """prediction/order.

    Args:
        findings: of `prediction`.
    """
    first, *others = map(str, findings["thresholds"])
    found, significance = findings["order"][first], 1 - findings["confidence"]
    interval = both_ends(found["interval"])
    controls: dict[str, Any] = {
        "stronger signal first": control(
            found["share"], above(interval, HALF), required=True, interval=interval
        ),
        "signals permuted among settings": control(
            found["p_value"], found["p_value"] <= significance, required=True,
            share_when_permuted=found["permuted"],
        ),
        "always the same concept first": control(found["constant_guess"], None, required=False),
        "pairs that are known": found["num_known"],
    }  # fmt: skip
    for threshold in others:
        again = findings["order"][threshold]
        ends = both_ends(again["interval"])
        controls[f"threshold {threshold}"] = control(
            again["share"], above(ends, HALF), required=False, interval=ends
        )
    reason = too_few(findings, len(findings["settings"]), LEAST_SETTINGS)
    if not reason and found["share"] is None:
        reason = "no seed learned either concept"
    if not reason and found["names_one_concept"]:
        reason = (
            "the same concept has the stronger signal everywhere: a constant guess says as much"
        )
    if reason:
        controls["reason"] = reason
    return record(
        "prediction/order",
        "The concept with the stronger signal is learned first.",
        f"The share of seeds in which it is (threshold {first}; seeds that learn neither are left "
        "out, a tie counts half) lies above one half with its interval, from redrawing seeds and "
        f"settings, and at most {significance:.2g} of permutations of the signals among settings "
        "reach it. Does not hold if the share lies below one half or permuted signals do as well.",
        value=found["share"],
        interval=interval,
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )
