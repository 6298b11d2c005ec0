"""`guidance/elicits`: guidance generates the held-out class before naive prompting does."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.report.case import Claim, control, judge, record, rounded

LEAST_LEAD = 0.5
"""Guidance is first in three quarters of the seeds, or first in half and tied in the others."""


def elicits_claim(findings: Mapping[str, Any]) -> Claim:
    """Judge the lead of guidance at its chosen weight, with its controls.

    Args:
        findings: of `guidance`.
    """
    settings = FindingsSettings.model_validate(findings["findings"])
    rows, leads = findings["settings"], findings["leads"]
    first, *others = map(str, findings["thresholds"])
    found, chance = leads[first]["guided"], 1 / rows[0]["num_classes"]
    controls: dict[str, Any] = {
        "guidance is first": _ahead(found, settings, required=True),
        "weight 1, which is naive prompting again": _same_thing_twice(leads[first], settings),
        "training class at the chosen weights": _training_class(rows, settings),
        "without a condition (weight 0)": _at_most(rows, "no_condition", chance),
        "untrained model": _untrained(rows, settings),
    }
    for threshold in others:
        again = leads[threshold]["guided"]
        controls[f"threshold {threshold}"] = _ahead(again, settings, required=False)
    controls |= _off_the_manifold(rows)
    controls["settings"] = [_window(row, first) for row in rows]
    reason = _too_little(findings, settings, first)
    if reason:
        controls["reason"] = reason
    held_out, level = rows[0]["held_out"], 1 - settings.confidence
    return record(
        "guidance/elicits",
        f"Classifier-free guidance brings out the held-out class {held_out} before naive prompting "
        "does.",
        f"Over seeds and settings, the share in which class {held_out} passes joint accuracy "
        f"{first} ({settings.consecutive} checkpoints in a row) sooner at weights chosen on other "
        f"samples than naively, less the share in which it does so later, is at least "
        f"{LEAST_LEAD:g}, its interval from redrawing seeds and samples lies above 0, and at most "
        f"{level:.2g} of the flips of the seeds' signs reach it; weight 1, which is naive "
        "prompting on other samples, has no such lead; where guidance works the accuracy of a "
        f"training class is lowered by at most {settings.control_margin:g} and without a condition "
        f"class {held_out} comes in at most {chance:.2g} of the samples; of the untrained model in "
        f"at most {settings.untrained_ceiling:g}. Inconclusive if the interval allows both.",
        value=found["value"],
        interval=tuple(found["interval"]),
        verdict="inconclusive" if reason else judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_seeds"],
    )


def _is_ahead(found: Mapping[str, Any], settings: FindingsSettings) -> bool:
    """Ahead beyond what seeds and samples explain."""
    return found["interval"][0] > 0 and found["p_value"] <= 1 - settings.confidence


def _ahead(
    found: Mapping[str, Any], settings: FindingsSettings, *, required: bool
) -> dict[str, Any]:
    """Whether it is first regularly; None where the interval allows that and its contrary."""
    passed = None
    if found["value"] >= LEAST_LEAD and _is_ahead(found, settings):
        passed = True
    elif found["value"] <= 0 or found["interval"][1] < LEAST_LEAD:
        passed = False
    return control(
        found["value"], passed, required=required, interval=tuple(found["interval"]),
        p_value=found["p_value"], per_seed=found["per_seed"],
    )  # fmt: skip


def _same_thing_twice(leads: Mapping[str, Any], settings: FindingsSettings) -> dict[str, Any]:
    """Weight 1 is naive prompting: a lead of it would be one of the way of counting."""
    again = leads["again"]
    if again is None:
        return control(None, None, required=True)
    return control(
        again["value"], not _is_ahead(again, settings), required=True,
        interval=tuple(again["interval"]), p_value=again["p_value"],
    )  # fmt: skip


def _known(rows: list[Mapping[str, Any]], key: str) -> list[float]:
    """A number of every seed of every setting in which guidance works."""
    return [value for row in rows for value in row["there"].get(key, []) if value is not None]


def _training_class(rows: list[Mapping[str, Any]], settings: FindingsSettings) -> dict[str, Any]:
    changes = _known(rows, "training_change")
    names = sorted({row["there"]["training_class"] for row in rows} - {None})
    if not changes:
        return control(None, None, required=True, classes=names)
    mean = float(np.mean(changes))
    return control(
        mean, mean >= -settings.control_margin, required=True, worst_seed=rounded(min(changes)),
        classes=names,
    )  # fmt: skip


def _at_most(rows: list[Mapping[str, Any]], key: str, ceiling: float) -> dict[str, Any]:
    values = _known(rows, key)
    mean = float(np.mean(values)) if values else None
    return control(mean, None if mean is None else mean <= ceiling, required=True)


def _untrained(rows: list[Mapping[str, Any]], settings: FindingsSettings) -> dict[str, Any]:
    values = [row["untrained"] for row in rows if row.get("untrained") is not None]
    if len(values) < len(rows):
        return control(None, None, required=True)
    return control(max(values), max(values) <= settings.untrained_ceiling, required=True)


def _off_the_manifold(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What guidance costs: samples that G could not have drawn, which count as wrong."""
    guided, naive = (_known(rows, f"off_manifold_{way}") for way in ("guided", "naive"))
    pushed = [row["off_manifold"][-1][-1] - row["off_manifold_naive"][-1] for row in rows]
    found = {"weight": rows[0]["weights"][-1], "per_setting": [rounded(p) for p in pushed]}
    return {
        "off the manifold where guidance works, less naive": control(
            float(np.mean(guided) - np.mean(naive)) if guided else None, None, required=False
        ),
        "off the manifold at the largest weight at the end, less naive": control(
            float(np.mean(pushed)), None, required=False, **found
        ),
    }


def _window(row: Mapping[str, Any], threshold: str) -> dict[str, Any]:
    """One setting's times; None where not by the end."""
    window = row["windows"][threshold]
    return {
        "name": row["name"],
        "guided": window["guided"],
        "naive": window["naive"],
        "end": row["end"],
        "window": window["length"],
        "median_window": window["median"],
        "interval": window["interval"],
    }


def _too_little(findings: Mapping[str, Any], settings: FindingsSettings, threshold: str) -> str:
    """Why no verdict is possible; empty if one is."""
    if findings["num_seeds"] < settings.minimum_seeds:
        return f"{findings['num_seeds']} seeds, and {settings.minimum_seeds} are needed"
    windows = [row["windows"][threshold] for row in findings["settings"]]
    if all(step is None for found in windows for way in ("guided", "naive") for step in found[way]):
        return "no way of prompting brings the held-out class out by the end"
    return ""
