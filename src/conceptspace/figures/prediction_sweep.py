"""Predicted beside measured learning times, calibration, and order against the signals' ratio."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.prediction import NEVER, log_ticks
from conceptspace.figures.style import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    SMALL,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    thousands,
)


def prediction_sweep_figure(findings: Mapping[str, Any]) -> Figure:
    """Times on the left, calibration in the middle, order on the right.

    Args:
        findings: of the study `prediction`.
    """
    threshold = str(findings["thresholds"][0])
    with drawing():
        figure = new_figure(FULL_WIDTH, 3.4)
        times = figure.add_axes((0.09, 0.16, 0.31, 0.62))
        calibration = figure.add_axes((0.495, 0.16, 0.17, 0.62))
        order = figure.add_axes((0.76, 0.16, 0.225, 0.62))
        _draw_times(times, findings, threshold)
        _draw_calibration(calibration, findings, threshold)
        _draw_order(order, findings, threshold)
    return figure


def _draw_times(axes: Axes, findings: Mapping[str, Any], threshold: str) -> None:
    """Every setting's median against its prediction by halves that did not hold it."""
    found = findings["times"] and findings["times"][threshold]
    rows, concepts = findings["settings"], findings["concepts"]
    predicted = _table(rows, "predicted", np.nan)
    measured = _table(rows, "median", np.inf)
    finite = measured[np.isfinite(measured)]
    if found is None or found["correlation"] is None or not finite.size:
        panel_message(axes, "no law of times\ncould be fitted")
        return
    low = min(finite.min(), np.nanmin(predicted)) / 1.4
    high = max(finite.max(), min(np.nanmax(predicted), 3 * finite.max())) * 1.5
    axes.plot([low, high], [low, high], color=GREY, lw=0.9, ls=":")
    for index, concept in enumerate(concepts):
        look = concept_look(index)
        style: dict[str, Any] = {"ls": "", "mec": look.colour, "clip_on": False, "zorder": 4}
        never = np.isinf(measured[:, index])
        x = np.clip(predicted[:, index], low, high)
        axes.plot(
            x[~never], measured[~never, index], marker=look.marker, ms=5, mfc=look.colour,
            label=concept, **style,
        )  # fmt: skip
        axes.plot(
            x[never], np.full(never.sum(), high), marker=NEVER, ms=9, mfc=look.colour, **style
        )
    if np.isinf(measured).any():
        axes.plot([], [], ls="", marker=NEVER, ms=8, color=INK, label="not by the end")
    for setter in (axes.set_xscale, axes.set_yscale):
        setter("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    log_ticks(axes.xaxis, thousands)
    log_ticks(axes.yaxis, thousands)
    axes.set_xlabel("predicted median step")
    axes.set_ylabel("measured median step")
    axes.set_title(f"Left-out halves: rank corr. {_number(found['correlation'])}", pad=26, x=-0.1)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.12, 1.035), ncols=3, handlelength=1.0,
        columnspacing=0.9, handletextpad=0.3, borderaxespad=0.1,
    )  # fmt: skip


def _draw_calibration(axes: Axes, findings: Mapping[str, Any], threshold: str) -> None:
    """Share of times within predicted intervals, against what was said."""
    found = findings["times"] and findings["times"][threshold]
    if found is None or found["correlation"] is None:
        panel_message(axes, "nothing was\npredicted")
        return
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls=":")
    covered = np.array(found["coverage"], dtype=float)
    axes.plot(findings["levels"], covered, color=BLUE, marker="o", ms=5, lw=1.4, clip_on=False)
    axes.set_xlim(0.4, 1.02)
    share_axis(axes, "share of times")
    axes.set_xlabel("predicted interval, %")
    axes.set_xticks([0.5, 0.8, 0.95], ["50", "80", "95"])
    axes.set_title("Calibration", pad=26)


def _draw_order(axes: Axes, findings: Mapping[str, Any], threshold: str) -> None:
    """The share of seeds in which the stronger signal came first, by how much stronger it is."""
    found = findings["order"][threshold]
    share = np.array(found["by_setting"], dtype=float)
    signal = np.array([row["signal"] for row in findings["settings"]], dtype=float)
    known = np.isfinite(share) & (signal > 0).all(axis=1)
    if not known.any():
        panel_message(axes, "no seed learned\neither concept")
        return
    ratio = signal.max(axis=1) / np.maximum(signal.min(axis=1), 1e-12)
    ahead = signal.argmax(axis=1)
    axes.axhline(0.5, color=GREY, lw=0.9, ls=":")
    for index, concept in enumerate(findings["concepts"]):
        look, chosen = concept_look(index), known & (ahead == index)
        if chosen.any():
            axes.plot(
                ratio[chosen], share[chosen], ls="", marker=look.marker, ms=5, mfc=look.colour,
                mec=look.colour, clip_on=False, label=f"{concept} stronger",
            )  # fmt: skip
    share_axis(axes, "share of seeds, it is first")
    axes.set_xlim(0.9, max(float(ratio[known].max()) * 1.08, 1.5))
    axes.set_xlabel("ratio of the signals")
    axes.set_title(f"Order: {_number(found['share'])}", pad=26)
    axes.legend(loc="lower right", fontsize=SMALL - 0.5, handlelength=0.9, handletextpad=0.3)


def _table(rows: Sequence[Mapping[str, Any]], key: str, missing: float) -> np.ndarray:
    """(setting, concept), None standing for `missing`."""
    return np.array([[missing if v is None else float(v) for v in row[key]] for row in rows])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
