"""Speeds of learning against separation, their Kaplan-Meier curves, and which concept is first.

After Park et al. 2024, figure 3, with what was never learned kept in the picture.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from conceptspace.dynamics.learning import median_time
from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    SMALL,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
    tint,
)

THOUSAND = 1000.0
MOST_NAMED = 7
"""Curves that are named one by one; with more of them the first, the last and some between."""
LEAST_GAP = 0.13
"""Between two labelled values, as a share of the axis."""


def learning_speed_figure(
    concepts: Sequence[str],
    separation: Float[np.ndarray, "setting concept"],
    times: Float[np.ndarray, "setting concept seed"],
    ends: Float[np.ndarray, " setting"],
    lines: Sequence[Sequence[int]],
    orders: Sequence[Mapping[str, Any]],
    threshold: str,
) -> Figure:
    """A column an axis: its speed, when seeds learn it, and how often it comes first.

    Args:
        concepts: names of the two axes.
        separation: of each setting.
        times: learning times; infinite where never, NaN where there is no such seed.
        ends: the last step of each setting.
        lines: for each axis the settings, rising, along which it is swept while the other is held.
        orders: for each axis `separation`, `share`, `interval`, `crossing`, `crossing_interval`.
        threshold: the accuracy above which a concept counts as learned.
    """
    with drawing():
        figure = new_figure(FULL_WIDTH, 7.6)
        for axis, name in enumerate(concepts):
            left = (0.08, 0.585)[axis % 2]
            other = concepts[1 - axis]
            panels = [figure.add_axes((left, low, 0.315, 0.22)) for low in (0.73, 0.4, 0.07)]
            _draw_speed(panels[0], axis, name, other, separation, times, ends)
            _draw_survival(panels[1], axis, name, separation, times, ends, lines[axis])
            _draw_order(panels[2], axis, name, other, orders[axis])
            panels[0].set_title(f"Speed of learning {name}, T at {threshold}", pad=6)
    return figure


def _draw_speed(
    axes: Axes,
    axis: int,
    name: str,
    other: str,
    separation: np.ndarray,
    times: np.ndarray,
    ends: np.ndarray,
) -> None:
    """Every seed's speed, never learned at the speed that it stayed below, and medians."""
    held = np.unique(separation[:, 1 - axis])
    counts = {at: (separation[:, 1 - axis] == at).sum() for at in held}
    shown = [at for at in held if counts[at] > 1] or list(held)
    for number, at in enumerate(shown):
        rows = np.flatnonzero(separation[:, 1 - axis] == at)
        rows = rows[np.argsort(separation[rows, axis])]
        colour = tint(concept_look(axis).colour, 0.35 + 0.65 * (number + 1) / len(shown))
        x = np.broadcast_to(separation[rows, axis, None], times[rows, axis].shape)
        found = times[rows, axis]
        happened, never = np.isfinite(found), np.isinf(found)
        below = np.broadcast_to(ends[rows, None], found.shape)
        faint: dict[str, Any] = {"ls": "", "ms": 3.5, "mec": colour, "alpha": 0.6, "clip_on": False}
        axes.plot(x[happened], THOUSAND / found[happened], marker="o", mfc=colour, **faint)
        axes.plot(x[never], THOUSAND / below[never], marker="v", mfc="white", **faint)
        medians = np.array([median_time(t[~np.isnan(t)], end) for t, end in zip(found, ends[rows])])
        known = np.isfinite(medians)
        axes.plot(
            separation[rows, axis][known], THOUSAND / medians[known], color=colour, lw=1.6,
            label=f"{at:g}",
        )  # fmt: skip
    axes.plot([], [], ls="", marker="v", ms=3.5, mfc="white", mec=INK, label="not yet")
    axes.set_ylim(0, axes.get_ylim()[1] * 1.05)
    axes.set_xlabel(f"{name} separation")
    axes.set_ylabel("1/T, per 1000 steps")
    _legend(axes, f"{other} at")


def _draw_survival(
    axes: Axes,
    axis: int,
    name: str,
    separation: np.ndarray,
    times: np.ndarray,
    ends: np.ndarray,
    line: Sequence[int],
) -> None:
    """Kaplan and Meier's curves along a line, light to dark as the separation grows."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0.9, 0.0, len(line)))
    named = {round(i) for i in np.linspace(0, len(line) - 1, min(len(line), MOST_NAMED))}
    widths = np.linspace(1.0, 2.0, len(line))
    for number, row in enumerate(line):
        found = times[row, axis][~np.isnan(times[row, axis])]
        # Seeds of a setting are watched to the same end, so the curve is the share that learned.
        steps, counts = np.unique(found[np.isfinite(found)], return_counts=True)
        x = np.concatenate([[0.0], steps, [ends[row]]])
        y = np.concatenate([[0.0], np.cumsum(counts), [counts.sum()]]) / max(len(found), 1)
        label = f"{separation[row, axis]:g}" if number in named else None
        axes.step(
            x, y, where="post", color=shades[number], lw=widths[number], label=label, clip_on=False
        )
    step_axis(axes, np.array([0.0, float(ends[list(line)].max())]))
    axes.set_xlim(0, float(ends[list(line)].max()))
    share_axis(axes, "share of seeds")
    axes.set_title(f"Seeds that have learned {name}", pad=6)
    _legend(axes, f"{name} at")


def _legend(axes: Axes, title: str) -> None:
    axes.legend(
        title=title, loc="upper left", bbox_to_anchor=(1.0, 1.05), labelspacing=0.25,
        handlelength=1.4, fontsize=SMALL - 0.7, title_fontsize=SMALL - 0.7, alignment="left",
    )  # fmt: skip


def _draw_order(axes: Axes, axis: int, name: str, other: str, order: Mapping[str, Any]) -> None:
    """The share of seeds in which this axis comes first, and where it passes one half."""
    x = np.array(order["separation"], dtype=float)
    share = np.array(order["share"], dtype=float)
    low, high = np.array(order["interval"], dtype=float).T
    known = np.isfinite(share)
    ends, crossing = order["crossing_interval"], order["crossing"]
    where = "" if crossing is None else f": half at {crossing:.3g}"
    axes.set_title(f"{name.capitalize()} before {other}{where}", pad=6)
    if not known.any():
        panel_message(axes, "no seed learned either")
        return
    colour = concept_look(axis).colour
    axes.axhline(0.5, color=GREY, lw=0.9, ls=":")
    if crossing is not None and None not in ends:
        axes.axvspan(ends[0], ends[1], color=tint(GREY, 0.16), lw=0)
        axes.axvline(crossing, color=GREY, lw=1.2)
    axes.errorbar(
        x[known], share[known], yerr=np.abs([share - low, high - share])[:, known], color=colour,
        marker=concept_look(axis).marker, ms=4.5, lw=1.6, elinewidth=1.0, capsize=2.5,
        clip_on=False,
    )  # fmt: skip
    step = float(np.ptp(x)) * 0.06 or 0.05
    axes.set_xlim(x[0] - step, x[-1] + step)
    if len(x) <= MOST_NAMED:
        axes.xaxis.set_major_locator(FixedLocator(_legible(x)))
    share_axis(axes, "share of seeds")
    axes.set_xlabel(f"{name} separation, {other} held at {order['held']:g}")


def _legible(x: np.ndarray) -> list[float]:
    """Those of the rising values whose labels do not run into each other."""
    chosen = [float(x[0])]
    for value in x[1:].tolist():
        if value - chosen[-1] >= LEAST_GAP * np.ptp(x):
            chosen.append(value)
    return chosen
