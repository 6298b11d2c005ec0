"""Swing-by: the example and what moves it, networks, and expected beside measured paths."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.prediction import NEVER, log_ticks
from conceptspace.figures.sim import draw_losses, draw_path, draw_terms
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
    step_axis,
    thousands,
)
from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import effective_signal, outputs, starting_weights
from conceptspace.theory.swing import swing_by
from conceptspace.theory.two_layer import flow_terms, two_layer

EXAMPLE = IdentityTask(mu=(1.0, 2.0), sigma=(0.05,))
LAST_TIME, NUM_TIMES = 16.0, 1201
MOST_PANELS = 4
DEPTHS = ((VERMILLION, "-"), (BLUE, (0, (4, 1.5))))
HEIGHT = 8.8
TURN_TICKS = [factor * 10.0**power for power in range(1, 7) for factor in (1, 3)]


def swing_by_figure(findings: Mapping[str, Any]) -> Figure:
    """Four rows: the example, its terms, the networks and the turn, and paths in the plane.

    Args:
        findings: of the study `swing-by`.
    """
    with drawing():
        figure = new_figure(FULL_WIDTH, HEIGHT)
        _draw_example(figure)
        _draw_networks(figure, findings["networks"])
        _draw_turns(figure.add_axes((0.72, 0.315, 0.265, 0.135)), findings["measured"])
        _draw_paths(figure, findings)
    return figure


def _draw_example(figure: Figure) -> None:
    times = np.linspace(0, LAST_TIME, NUM_TIMES)
    weights = two_layer(EXAMPLE, starting_weights(EXAMPLE, Start()), times)
    answers = outputs(EXAMPLE, weights)
    loss = 0.5 * np.square(answers - np.array(EXAMPLE.mu)).sum(axis=-1)
    swing = swing_by(times, loss)
    path = figure.add_axes((0.085, 0.765, 0.35, 0.2))
    draw_path(path, EXAMPLE, answers, (0, 1), swing, times)
    path.set_ylim(-0.26, 1.12)
    draw_losses(figure.add_axes((0.56, 0.765, 0.425, 0.2)), EXAMPLE, times, weights, swing)
    terms = flow_terms(effective_signal(EXAMPLE), weights)
    cells = [figure.add_axes((0.085 + 0.32 * i, 0.545, 0.26, 0.115)) for i in range(3)]
    for axes, entry in zip(cells, ((0, 0), (0, 1), (1, 1))):
        draw_terms(axes, times, terms, entry)
    cells[0].set_ylabel("change")
    figure.legend(
        *cells[0].get_legend_handles_labels(), loc="lower left", bbox_to_anchor=(0.075, 0.68),
        ncols=4, handlelength=3.0, columnspacing=1.6, borderaxespad=0.0,
    )  # fmt: skip


def _draw_networks(figure: Figure, networks: Mapping[str, Any]) -> None:
    """Losses at the probe of every network, deep and shallow, a panel a task."""
    names = list(dict.fromkeys(cell["task"] for cell in networks["cells"]))
    for column, name in enumerate(names[:2]):
        axes = figure.add_axes((0.085 + 0.29 * column, 0.315, 0.225, 0.135))
        cells = [cell for cell in networks["cells"] if cell["task"] == name]
        last = 0.0
        for cell, (colour, dash) in zip(cells, DEPTHS):
            steps = np.array(cell["steps"], dtype=float)
            curves = np.array(cell["loss"], dtype=float)
            axes.plot(steps, curves.T, color=colour, ls=dash, lw=0.8, alpha=0.7)
            share = f"{sum(cell['appears'])} of {len(cell['appears'])}"
            axes.plot([], [], color=colour, ls=dash, label=f"{cell['hidden']} hidden: {share}")
            last = max(last, _settled(steps, curves))
        axes.set_xlim(0, last)
        axes.set_ylim(0, 1.9)
        axes.set_yticks([0, 0.5, 1])
        axes.set_title(f"MLPs, {name}", pad=4)
        axes.set_xlabel("step")
        if column == 0:
            axes.set_ylabel("loss / first")
        axes.legend(
            title="swing by", loc="upper right", fontsize=SMALL - 0.8, title_fontsize=SMALL - 0.8,
            handlelength=1.8, labelspacing=0.2, borderaxespad=0.1,
        )  # fmt: skip


def _settled(steps: np.ndarray, curves: np.ndarray) -> float:
    """The step from which on all losses are small, and half as much again."""
    high = np.flatnonzero((curves > 0.02).any(axis=0))
    at = steps[min(high[-1] + 1, len(steps) - 1)] if len(high) else steps[-1]
    return float(min(1.5 * max(at, 1.0), steps[-1]))


def _draw_turns(axes: Axes, measured: Mapping[str, Any] | None) -> None:
    """Expected against measured turn of the mean path, in steps by the fitted unit of time."""
    rows = measured["settings"] if measured else []
    clock = measured["clock"]["steps_per_time"] if measured else None
    known = [row for row in rows if row["expected"]["turn"] is not None and clock is not None]
    if not known:
        panel_message(axes, "no turn is expected\nor nothing was learned")
        return
    x = np.array([row["expected"]["turn"] * clock for row in known])
    y = np.array([np.nan if row["turn"] is None else row["turn"] for row in known])
    end = max(float(row["steps"][-1]) for row in known)
    low, high = min(x.min(), np.nanmin([*y, end])) / 1.4, max(x.max(), end) * 1.4
    turned = np.isfinite(y)
    axes.plot([low, high], [low, high], color=GREY, lw=0.9, ls=":")
    axes.plot(x[turned], y[turned], "o", ms=5, color=VERMILLION, clip_on=False)
    axes.plot(
        x[~turned], np.full((~turned).sum(), high), ls="", marker=NEVER, ms=9, color=VERMILLION,
        clip_on=False,
    )  # fmt: skip
    for setter in (axes.set_xscale, axes.set_yscale):
        setter("log")
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        log_ticks(axis, thousands)
        axis.set_major_locator(FixedLocator(TURN_TICKS))
    axes.set_xlabel("expected step (↑: none by the end)" if (~turned).any() else "expected step")
    axes.set_ylabel("measured")
    axes.set_title("Turn of the mean path", pad=9)


def _draw_paths(figure: Figure, findings: Mapping[str, Any]) -> None:
    """Coordinates over training, measured and expected, for settings of all ratios of signals."""
    measured = findings["measured"]
    rows = measured["settings"] if measured else []
    places = np.unique(np.linspace(0, len(rows) - 1, MOST_PANELS).round().astype(int))
    for number, place in enumerate(places if rows else []):
        axes = figure.add_axes((0.085 + 0.232 * number, 0.055, 0.2, 0.13))
        _draw_setting(axes, rows[place], findings["concepts"], measured["clock"]["steps_per_time"])
        axes.tick_params(labelleft=number == 0)
        if number == 0:
            axes.set_ylabel("coordinate")
            handles, labels = axes.get_legend_handles_labels()
            figure.legend(
                handles, labels, loc="upper left", bbox_to_anchor=(0.075, 0.245), ncols=4,
                columnspacing=1.2, handlelength=1.8,
            )  # fmt: skip


def _draw_setting(
    axes: Axes, row: Mapping[str, Any], concepts: Sequence[str], clock: float | None
) -> None:
    steps = np.array(row["steps"], dtype=float)
    measured = np.array(row["measured"], dtype=float)
    expected = np.array(row["expected"]["path"], dtype=float)
    for index, concept in enumerate(concepts):
        look = concept_look(index)
        axes.plot(
            steps, measured[:, index], ls="", marker=look.marker, ms=3, mec=look.colour,
            mfc="none", mew=0.8, label=f"{concept}, measured", clip_on=False,
        )  # fmt: skip
        if clock is not None:
            times = np.array(row["expected"]["times"], dtype=float) * clock
            axes.plot(times, expected[:, index], **look.line(), label=f"{concept}, expected")
    step_axis(axes, [0.0, steps[-1]])
    axes.locator_params(axis="x", nbins=3)
    axes.set_ylim(-0.05, 1.12)
    axes.set_yticks([0, 0.5, 1])
    words = ", ".join(f"{name} {d:g}" for name, d in row["separation"].items())
    axes.set_title(words, fontsize=SMALL - 0.4, pad=3, color=INK)
