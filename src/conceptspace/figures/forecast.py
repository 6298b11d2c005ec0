"""Forecasts of a turn: the curves they were made from, how they fared, and their scores."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from conceptspace.figures.style import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
)

NUM_BINS = 4
SHADES = "cividis"


def forecast_figure(findings: Mapping[str, Any]) -> Figure:
    """Curves coloured by forecast, reliability, and skill at other moments and rises.

    Args:
        findings: of the study `forecast`.
    """
    judged = findings["tries"]["judged"]
    with drawing():
        figure = new_figure(FULL_WIDTH, 6.0)
        curves = figure.add_axes((0.08, 0.585, 0.78, 0.355))
        reliable = figure.add_axes((0.08, 0.085, 0.34, 0.33))
        scores = figure.add_axes((0.64, 0.085, 0.34, 0.33))
        _draw_curves(figure, curves, findings, judged["rows"])
        _draw_reliability(reliable, judged)
        _draw_scores(scores, findings["tries"])
    return figure


def _draw_curves(figure: Figure, axes: Axes, findings: Mapping[str, Any], rows: list) -> None:
    """The weaker coordinate of every seed that was forecast, darkest where no turn was expected."""
    if not rows:
        panel_message(axes, "no seed to forecast, or all outcomes are alike")
        return
    norm, shades = Normalize(0, 1), matplotlib.colormaps[SHADES]
    for row in rows:
        setting = findings["settings"][row["setting"]]
        curve = np.array(setting["nearness"][row["seed"]], dtype=float)
        axes.plot(
            setting["steps"], curve, color=shades(row["chance"]), lw=1.3,
            ls="-" if row["happened"] else (0, (3, 1.5)),
        )  # fmt: skip
    steps = np.array(findings["settings"][rows[0]["setting"]]["steps"])
    seen = max(round(findings["moment"] * len(steps)), 3)
    axes.axvline(float(steps[seen - 1]), color=INK, lw=1.0)
    axes.annotate(
        "forecast here", (steps[seen - 1], 1.0), xytext=(4, 0), textcoords="offset points",
        va="top", fontsize=SMALL,
    )  # fmt: skip
    axes.plot([], [], color=GREY, label="turned")
    axes.plot([], [], color=GREY, ls=(0, (3, 1.5)), label="did not")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, handlelength=2.6)
    step_axis(axes, steps)
    share_axis(axes, "weaker coordinate")
    axes.set_title(f"Class {findings['held_out']}, seeds still wrong at the forecast", pad=6)
    bar = figure.add_axes((0.885, 0.585, 0.018, 0.355))
    figure.colorbar(ScalarMappable(norm, shades), cax=bar, label="forecast chance of a turn")


def _draw_reliability(axes: Axes, judged: Mapping[str, Any]) -> None:
    """What came, against what was forecast, in bins of equal numbers."""
    rows = judged["rows"]
    if not rows:
        panel_message(axes, "nothing was forecast")
        return
    chance = np.array([row["chance"] for row in rows])
    came = np.array([row["happened"] for row in rows], dtype=float)
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls=":", label="perfect")
    axes.axhline(came.mean(), color=GREY, lw=0.9, ls=(0, (5, 2)), label="base rate")
    lift = 0.02 * np.random.default_rng(0).standard_normal(len(came))
    axes.plot(chance, came + lift, "o", ms=3.5, mfc="none", mec=BLUE, alpha=0.7, label="a seed")
    order = np.argsort(chance)
    bins = [part for part in np.array_split(order, NUM_BINS) if len(part)]
    axes.plot(
        [chance[part].mean() for part in bins], [came[part].mean() for part in bins], color=INK,
        marker="s", ms=5, lw=1.4, label="quarters",
    )  # fmt: skip
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.12, 1.12)
    axes.set_yticks([0, 0.5, 1])
    axes.set_xlabel("forecast chance of a turn")
    axes.set_ylabel("share that turned")
    scores = judged["scores"]
    axes.set_title(f"Skill {_number(scores, 'skill')}, AUC {_number(scores, 'auc')}", pad=34)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=2, handlelength=1.8,
        labelspacing=0.25, columnspacing=1.4, borderaxespad=0.2,
    )  # fmt: skip


def _draw_scores(axes: Axes, tries: Mapping[str, Any]) -> None:
    """Skill with its interval, as judged and otherwise."""
    axes.axvline(0, color=GREY, lw=0.9, ls=":")
    names = list(tries)
    for place, name in enumerate(names[::-1]):
        scores = tries[name]["scores"]
        if scores is None or scores["skill"]["value"] is None:
            axes.annotate("not scored", (0.02, place), va="center", color=GREY, fontsize=SMALL)
            continue
        low, high = np.clip(
            [np.nan if end is None else end for end in scores["skill"]["interval"]], -1, 1
        )
        axes.plot([low, high], [place] * 2, color=VERMILLION, lw=1.4)
        axes.plot(np.clip(scores["skill"]["value"], -1, 1), place, "o", ms=5, color=VERMILLION)
        if "permuted_skill" in scores:
            around = np.clip(np.array(scores["permuted_skill"], dtype=float), -1, 1)
            axes.plot(around, [place - 0.25] * 2, color=GREY, lw=1.4)
    axes.plot([], [], color=VERMILLION, marker="o", label="skill")
    axes.plot([], [], color=GREY, label="outcomes permuted")
    axes.set_yticks(range(len(names)), [_wrapped(name) for name in names[::-1]])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xlabel("Brier skill over the base rate")
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.05, 1.0), ncols=2, handlelength=1.8, columnspacing=1.2
    )


def _wrapped(name: str) -> str:
    return name.replace(" of the checkpoints", "\nof the checkpoints")


def _number(scores: Mapping[str, Any], name: str) -> str:
    value = scores[name]["value"]
    return "–" if value is None else f"{value:.2f}"
