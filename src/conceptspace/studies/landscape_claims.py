"""C8, a simple dynamical model reproduces the curves: as a fit, and for settings left out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.sides import above, share_interval, too_few
from conceptspace.theory.landscape_fit import STRONG_EVIDENCE
from conceptspace.theory.landscape_sweep import LAW, MEAN, WITHOUT_SHIFT, explained

LEAST_R2 = 0.8
OTHER_LEVELS = (0.7, 0.9)
HALF = 0.5
LEAST_SETTINGS = 5


def fit_claim(findings: Mapping[str, Any]) -> Claim:
    """C8/fit.

    Args:
        findings: of `landscape`.
    """
    rows, level = findings["settings"], findings["confidence"]
    low = np.array(
        [np.nan if row["r2_interval"][0] is None else row["r2_interval"][0] for row in rows]
    )
    evidence = np.array([row["evidence"] for row in rows], dtype=float)
    share, interval = share_interval(explained(low, evidence, LEAST_R2, STRONG_EVIDENCE), level)
    controls: dict[str, Any] = {
        "settings explained": control(
            share, above(interval, HALF), required=True, interval=interval
        ),
        "settings with a shift": control(
            float(np.mean(evidence > STRONG_EVIDENCE)), None, required=False
        ),
        "median R2": control(float(np.median([row["r2"] for row in rows])), None, required=False),
        "median R2 without a shift": control(
            float(np.median([row["r2_resting"] for row in rows])), None, required=False
        ),
        "median residual": control(
            float(np.median([row["residual"] for row in rows])), None, required=False
        ),
        "nearer by the corner that the signal says": control(
            float(np.mean([row["evidence_for_corner"] > 0 for row in rows])), None, required=False
        ),
        **_training(rows),
    }
    for other in OTHER_LEVELS:
        again, ends = share_interval(explained(low, evidence, other, STRONG_EVIDENCE), level)
        controls[f"R2 above {other:g}"] = control(
            again, above(ends, HALF), required=False, interval=ends
        )
    reason = too_few(findings, len(rows), LEAST_SETTINGS)
    if reason:
        controls["reason"] = reason
    return record(
        "C8/fit",
        f"The path of class {findings['held_out']} is that of a point that falls towards the "
        "training corner of its stronger concept first and towards its own corner later.",
        f"A setting is explained if the fit to its mean path over seeds has an R2 whose interval, "
        f"from redrawing seeds, lies above {LEAST_R2:g}, and is better than a fit without a shift "
        f"by more than {STRONG_EVIDENCE:g} of the Bayesian information criterion. Holds if the "
        "share of explained settings lies above one half with its interval (Jeffreys), does not "
        "hold if it lies below, else inconclusive.",
        value=share,
        interval=interval,
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _training(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Training classes: their targets should rest."""
    fits = [fit for row in rows for fit in row["training"].values()]
    moved = [fit["evidence"] > STRONG_EVIDENCE for fit in fits if fit.get("evidence") is not None]
    r2 = [fit["r2"] for fit in fits if fit["r2"] is not None]
    return {
        "training classes, median R2 with a resting target": control(
            float(np.median(r2)) if r2 else None, None, required=False
        ),
        "training classes with a shift": control(
            float(np.mean(moved)) if moved else None, None, required=False
        ),
    }


def held_out_claim(findings: Mapping[str, Any]) -> Claim:
    """C8/held-out.

    Args:
        findings: of `landscape`.
    """
    left, rows = findings["left_out"], findings["settings"]
    significance = 1 - findings["confidence"]
    reason = too_few(findings, len(rows), LEAST_SETTINGS)
    controls: dict[str, Any] = {}
    if left is None:
        reason = reason or "a signal is 0 or the same everywhere, so there is no law of rates"
    else:
        for kind in (MEAN, WITHOUT_SHIFT):
            interval = both_ends(left["above"][kind])
            controls[f"above the {_name(kind)}"] = control(
                left["r2"][LAW] - left["r2"][kind], above(interval, 0.0), required=True,
                interval=interval, r2=left["r2"][kind],
            )  # fmt: skip
        controls["signals permuted among settings"] = control(
            left["p_value"], left["p_value"] <= significance, required=True,
            r2_when_permuted=left["permuted"],
        )  # fmt: skip
    if reason:
        controls["reason"] = reason
    return record(
        "C8/held-out",
        f"With rates and shift that follow from the concept signal the model predicts the path of "
        f"class {findings['held_out']} in a setting that it was not fitted to.",
        "R2 of all left-out paths together, each predicted from the laws of the other settings "
        "(log rate and log shift linear in the log of the signal), exceeds that of the mean of the "
        "other settings' paths and that of the same law without a shift, each difference with its "
        f"interval (seeds redrawn, then settings) above 0, and at most {significance:.2g} of "
        "permutations of the signals reach it. Does not hold if a difference lies below 0 or "
        "permuted signals do as well; inconclusive if an interval holds 0.",
        value=None if left is None else left["r2"][LAW],
        interval=None if left is None else both_ends(left["interval"][LAW]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _name(kind: str) -> str:
    return kind if kind == MEAN else f"law {kind}"
