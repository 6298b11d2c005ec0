"""Verdicts on swing-by: in the equations, in networks, and in measured paths."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from conceptspace.report.case import Claim, both_ends, control, judge, record
from conceptspace.studies.sides import above, share_interval, too_few
from conceptspace.studies.swing_networks import DEEP, SHALLOW, TASKS

EXACT, SAME = 1e-6, 1e-10
HALF = 0.5
LEAST_SETTINGS = 5
LEAST_TURNS = 5


def sim_claim(findings: Mapping[str, Any]) -> Claim:
    """swing-by/sim: nothing is random, so there is no interval.

    Args:
        findings: of `swing-by`.
    """
    sim = findings["sim"]
    full, diagonal = sim["cases"]["every entry"], sim["cases"]["diagonal alone"]
    controls: dict[str, Any] = {
        "start in every entry": control(
            full["rise"], full["appears"], required=True, turns_at=full["turn_time"],
            falls_again_at=full["return_time"],
        ),
        "start on the diagonal alone": control(
            diagonal["rise"], not diagonal["appears"], required=True
        ),
        "one layer against its closed form": control(
            sim["one_layer_error"], sim["one_layer_error"] <= EXACT, required=True
        ),
        "matrix form against entries": control(
            sim["two_forms_error"], sim["two_forms_error"] <= SAME, required=True
        ),
        "appears at tolerance": sim["tolerances"],
        "appears with nudge": sim["nudges"],
    }  # fmt: skip
    return record(
        "swing-by/sim",
        "In the symmetric two-layer model the loss at the probe falls, rises and falls again if "
        "W(0) has the same small number in every entry, and does not if on the diagonal alone.",
        "mu = (1, 2), sigma = 0.05, W(0) = 0.01: legs above 1 % of the first loss count. One layer "
        f"equals its closed form to {EXACT:g}, and matrix and entry form agree to {SAME:g}. The "
        "value is the rise, as a share of the first loss.",
        value=full["rise"],
        interval=None,
        verdict=judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=0,
    )


def networks_claim(findings: Mapping[str, Any]) -> Claim:
    """swing-by/networks.

    Args:
        findings: of `swing-by`.
    """
    found, level = findings["networks"], findings["confidence"]
    cells = {(cell["task"], cell["hidden"]): np.array(cell["appears"]) for cell in found["cells"]}
    first = next(iter(TASKS))
    deep, shallow = cells[first, DEEP], cells[first, SHALLOW]
    table = [[int(c.sum()), int((~c).sum())] for c in (deep, shallow)]
    fisher: Any = stats.fisher_exact(table, alternative="greater")  # scipy types it as a tuple
    p_value = float(fisher.pvalue)
    share, interval = share_interval(deep, level)
    controls: dict[str, Any] = {
        "share of deep networks": control(
            share, above(interval, HALF), required=True, interval=interval
        ),
        "more often than shallow ones (Fisher's p)": control(
            p_value, p_value <= 1 - level, required=True, deep_and_shallow=table
        ),
    }
    for (task, hidden), appears in cells.items():
        again, ends = share_interval(appears, level)
        controls[f"{task}, {hidden} hidden"] = control(again, None, required=False, interval=ends)
    reason = ""
    if found["num_networks"] < findings["minimum_seeds"]:
        reason = f"{found['num_networks']} networks, and {findings['minimum_seeds']} are needed"
        controls["reason"] = reason
    return record(
        "swing-by/networks",
        "Deep networks trained by gradient descent on the identity task swing by.",
        f"{found['num_networks']} networks of {DEEP} hidden layers on {first}, {found['epochs']} "
        f"epochs, as published: more than one half swing by, with the interval (Jeffreys), and "
        f"more than of networks with {SHALLOW} hidden layer (Fisher's exact test, p at most "
        f"{1 - level:.2g}). Beside it the same two depths on two concepts.",
        value=share,
        interval=interval,
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=found["num_networks"],
    )


def order_claim(findings: Mapping[str, Any]) -> Claim:
    """swing-by/order.

    Args:
        findings: of `swing-by`.
    """
    found = findings["measured"] and findings["measured"]["order"]
    interval = found and both_ends(found["interval"])
    controls: dict[str, Any] = {}
    if found:
        controls = {
            "expected concept first": control(
                found["share"], above(interval, HALF), required=True, interval=interval
            ),
            "always the same concept first": control(found["constant_guess"], None, required=False),
            "pairs that are known": found["num_known"],
            **_clock(findings["measured"]["clock"]),
        }
    reason = _too_little(findings)
    if not reason and found["share"] is None:
        reason = "no seed learned either concept"
    if not reason and found["names_one_concept"]:
        reason = "the same concept is expected first everywhere: a constant guess says as much"
    return _claim(
        findings, "swing-by/order", reason, controls,
        "The concept that the identity task expects first is learned first.",
        "The two-layer model, given mu in proportion to the concept signals, says which concept of "
        "the held-out class arrives first; the share of seeds in which it does lies above one half "
        "with its interval (seeds and settings redrawn). Does not hold if it lies below.",
        found and found["share"], interval,
    )  # fmt: skip


def turn_claim(findings: Mapping[str, Any]) -> Claim:
    """swing-by/turn.

    Args:
        findings: of `swing-by`.
    """
    found = findings["measured"] and findings["measured"]["turn"]
    interval = found and both_ends(found["interval"])
    significance = 1 - findings["confidence"]
    controls: dict[str, Any] = {}
    if found:
        controls = _ranked(found, significance, "turns") | {
            "settings expected to turn": found["num_settings"],
            "seeds that turned": {"turned": found["num_turned"], "of": found["num_seeds"]},
            **_clock(findings["measured"]["clock"]),
        }
    reason = _too_little(findings)
    if not reason and found["num_settings"] < LEAST_SETTINGS:
        reason = f"{found['num_settings']} settings are expected to turn, {LEAST_SETTINGS} needed"
    if not reason and found["num_turned"] < LEAST_TURNS:
        reason = f"{found['num_turned']} seeds turned, and {LEAST_TURNS} are needed"
    return _claim(
        findings, "swing-by/turn", reason, controls,
        "The later the identity task expects the turn, the later the path turns.",
        "Rank correlation (Somers' D with censoring) of the time at which the model's weaker "
        "coordinate is lowest and the step at which each seed's is, over pairs of settings: above "
        f"0 with its interval (seeds redrawn), and reached by at most {significance:.2g} of "
        "permutations among settings. A seed whose coordinate never rises again is later than its "
        "end. Does not hold if it lies below 0 or permuted turns do as well.",
        found and found["correlation"], interval,
    )  # fmt: skip


def slowing_claim(findings: Mapping[str, Any]) -> Claim:
    """swing-by/slowing.

    Args:
        findings: of `swing-by`.
    """
    found = findings["measured"] and findings["measured"]["slowing"]
    interval = found and both_ends(found["interval"])
    controls: dict[str, Any] = {}
    if found:
        controls = _ranked(found, 1 - findings["confidence"], "slowings") | {
            "median speed after over before": control(
                found["median"], None, required=False, expected=found["median_expected"]
            ),
            "settings compared": found["num_settings"],
        }
    reason = _too_little(findings)
    if not reason and found["num_settings"] < LEAST_SETTINGS:
        reason = (
            f"the mean path turns, and is expected to, in {found['num_settings']} settings, and "
            f"{LEAST_SETTINGS} are needed"
        )
    return _claim(
        findings, "swing-by/slowing", reason, controls,
        "The slower the identity task expects the path to be after its turn, the slower it is.",
        "Rank correlation (Kendall's tau) over settings of expected and measured speed, distance "
        "over time, on the leg from the turn to where the weaker concept is learned, or the end, "
        "over that on the leg before it: above 0 with its interval (seeds redrawn), and reached by "
        f"at most {1 - findings['confidence']:.2g} of permutations among settings.",
        found and found["correlation"], interval,
    )  # fmt: skip


def _ranked(found: Mapping[str, Any], significance: float, what: str) -> dict[str, Any]:
    """A rank correlation with its interval, and beside permutations."""
    interval = both_ends(found["interval"])
    return {
        "rank correlation": control(
            found["correlation"], above(interval, 0.0), required=True, interval=interval
        ),
        f"{what} permuted among settings": control(
            found["p_value"], found["p_value"] <= significance, required=True,
            correlation_when_permuted=found["permuted"],
        ),
    }  # fmt: skip


def _claim(
    findings: Mapping[str, Any], identity: str, reason: str, controls: dict[str, Any],
    statement: str, criterion: str, value: float | None, interval: tuple[float, float] | None,
) -> Claim:  # fmt: skip
    if reason:
        controls["reason"] = reason
    return record(
        identity,
        statement,
        criterion,
        value=value,
        interval=interval,
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _too_little(findings: Mapping[str, Any]) -> str:
    """Why nothing can be said of measured paths; empty if something can."""
    measured = findings["measured"]
    if measured is None:
        return "a signal is 0 everywhere: the identity task has no such concept"
    return too_few(findings, len(measured["settings"]), LEAST_SETTINGS)


def _clock(clock: Mapping[str, Any]) -> dict[str, Any]:
    """One unit of time fitted on every other setting, and by what factor the others miss."""
    return {"steps per unit of time": clock["steps_per_time"], "median factor off": clock["factor"]}
