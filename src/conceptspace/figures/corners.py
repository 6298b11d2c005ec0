"""Held-out classes of many concepts: their paths, how far from their corners, and when learned.

After Park et al. 2024, appendix (three and six concepts).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from conceptspace.figures.evidence import numbers
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    HELD_OUT_LOOKS,
    PALE,
    SMALL,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
    thousands,
    tint,
)

MOST_ROWS = 3
ROW, LAST, TOP = 1.72, 2.6, 0.72
"""Inches: of a setting's row, of the last row with its legend, and above all."""
SETTING_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
PLANE = 1.13
FIRST_GROUPS = 2
"""The fewest concepts that a held-out class combines."""


def corners_figure(
    findings: Mapping[str, Any],
    threshold: str,
    distance: np.ndarray,
    time: np.ndarray,
    end: np.ndarray,
    setting: np.ndarray,
    combined: np.ndarray,
) -> Figure:
    """A row for each of up to three settings, and a last one over all settings.

    Args:
        findings: `concepts`, `planes`, `confidence` and `settings` with `name`, `steps`,
            `converged` and `groups`, each with the `mean` distance and its `interval` over steps,
            its `classes`, and a path for each of the `planes`.
        threshold: of the learning times.
        distance: of each class, seed and setting, to the own corner at convergence.
        time: likewise, when it was learned; infinite where never.
        end: likewise, the last step of its run.
        setting: likewise, its number.
        combined: likewise, how many concepts the class combines.
    """
    rows = findings["settings"]
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_ROWS)).round()).astype(int)
    height = TOP + ROW * len(chosen) + LAST
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for place, number in enumerate(chosen):
            bottom = height - TOP - ROW * (place + 1) + 0.47
            _draw_row(figure, findings, rows[number], bottom, place == 0, threshold)
            marker = SETTING_MARKERS[number % len(SETTING_MARKERS)] if len(rows) > 1 else ""
            # Each setting has this marker in the last row.
            x, y, *_ = _inches(figure, 0.32, bottom + PLANE + 0.13, 0, 0)
            figure.add_artist(Line2D([x], [y], ls="", marker=marker, ms=4.5, color=GREY))
        _legend(figure, findings, rows, height)
        last = figure.add_axes(_inches(figure, 0.75, 0.5, 2.55, 1.75))
        _draw_times(last, distance, time, end, setting, combined)
        shares = figure.add_axes(_inches(figure, 4.75, 0.5, 2.2, 1.75))
        _draw_shares(shares, distance, time, end, setting)
    return figure


def _inches(figure: Figure, left: float, bottom: float, width: float, height: float):
    wide, tall = figure.get_size_inches()
    return (left / wide, bottom / tall, width / wide, height / tall)


def _draw_row(
    figure: Figure,
    findings: Mapping[str, Any],
    row: Mapping[str, Any],
    bottom: float,
    first: bool,
    threshold: str,
) -> None:
    """One setting: the planes, then the distance over steps."""
    for column, plane in enumerate(findings["planes"][:3]):
        axes = figure.add_axes(_inches(figure, 0.42 + 1.55 * column, bottom, PLANE, PLANE))
        names = [findings["concepts"][i] for i in plane]
        _draw_plane(axes, row, column, names)
        if column == 0:
            axes.text(
                0, 1.06, row["name"], transform=axes.transAxes, fontsize=SMALL, color=GREY,
                va="bottom",
            )  # fmt: skip
    axes = figure.add_axes(_inches(figure, 5.35, bottom, 1.62, PLANE))
    _draw_distance(axes, row, threshold)
    if first:
        axes.set_title("Distance to own corner", pad=7)


def _draw_plane(axes: Axes, row: Mapping[str, Any], column: int, names: Sequence[str]) -> None:
    """Where the groups' paths run on two of the concepts; a square is the start of each."""
    axes.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], color=PALE, lw=0.8, zorder=1)
    for look, group in zip(HELD_OUT_LOOKS, row["groups"].values()):
        path = numbers(group["planes"][column])
        known = path[np.isfinite(path).all(axis=1)]
        if len(known):
            axes.plot(*known.T, color=look.colour, lw=1.3, zorder=3)
            axes.plot(*known[0], "s", ms=3.5, mfc="white", mec=look.colour, mew=1, zorder=4)
            axes.plot(*known[-1], look.marker, ms=4, color=look.colour, zorder=5, clip_on=False)
    axes.set_xlim(-0.06, 1.06)
    axes.set_ylim(-0.06, 1.06)
    axes.set_xticks([0, 1])
    axes.set_yticks([0, 1])
    axes.tick_params(length=2, pad=2)
    axes.set_xlabel(names[0], labelpad=-5)
    axes.set_ylabel(names[1], labelpad=-4)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_distance(axes: Axes, row: Mapping[str, Any], threshold: str) -> None:
    """Distance over steps with its interval; grey from the first to the last seed's convergence."""
    steps = np.array(row["steps"], dtype=float)
    at = numbers(row["converged"][threshold])
    at = at[np.isfinite(at)]
    if len(at):
        axes.axvspan(at.min(), at.max(), color=tint(GREY, 0.2), lw=0, zorder=0)
        axes.axvline(float(np.median(at)), color=GREY, lw=1, zorder=1)
    for look, group in zip(HELD_OUT_LOOKS, row["groups"].values()):
        low, high = numbers(group["interval"]).T
        axes.fill_between(steps, low, high, color=tint(look.colour, 0.25), lw=0, zorder=2)
        axes.plot(steps, numbers(group["mean"]), color=look.colour, lw=1.4, zorder=3)
    step_axis(axes, steps)
    if axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("training step", labelpad=1)
    axes.set_ylim(0, None)
    axes.tick_params(length=2, pad=2)


def _legend(
    figure: Figure, findings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], height: float
) -> None:
    """The groups above all rows."""
    handles: list[Any] = [
        Line2D([], [], color=look.colour, marker=look.marker, ms=4, label=name)
        for look, name in zip(HELD_OUT_LOOKS, rows[0]["groups"])
    ]
    handles.append(Patch(fc=PALE, label=f"{100 * findings['confidence']:.3g} % interval"))
    handles.append(Line2D([], [], color=GREY, lw=1, label="training converged"))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.04, 1 - 0.05 / height), ncols=4,
        handlelength=1.6, columnspacing=1.2, labelspacing=0.3, title="held-out classes",
        title_fontsize=SMALL, alignment="left",
    )  # fmt: skip


def _draw_times(
    axes: Axes,
    distance: np.ndarray,
    time: np.ndarray,
    end: np.ndarray,
    setting: np.ndarray,
    combined: np.ndarray,
) -> None:
    """Distance at convergence against learning time; those never learned above the line."""
    axes.set_title("Every class and seed", pad=5)
    if not len(distance):
        panel_message(axes, "training did not converge")
        return
    last = float(end.max())
    never = np.isinf(time)
    # Never is a band of its own; inside it height means nothing.
    spread = np.random.default_rng(0).uniform(1.06, 1.18, size=len(time))
    y = np.where(never, spread * last, time)
    for i in np.unique(setting):
        for number in np.unique(combined[setting == i]):
            part = (setting == i) & (combined == number)
            look = HELD_OUT_LOOKS[(number - FIRST_GROUPS) % len(HELD_OUT_LOOKS)]
            marker = SETTING_MARKERS[i % len(SETTING_MARKERS)]
            axes.plot(
                distance[part], y[part], marker, ms=3.6, mfc=tint(look.colour, 0.75),
                mec="white", mew=0.3, clip_on=False,
            )  # fmt: skip
    axes.axhline(1.03 * last, color=GREY, lw=0.8, ls=":")
    axes.text(
        1.01, 1.12 * last, "never", transform=axes.get_yaxis_transform(), fontsize=SMALL,
        ha="left", va="center", color=GREY,
    )  # fmt: skip
    axes.set_ylim(0, 1.2 * last)
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(0, last)
    axes.set_yticks([tick for tick in ticks if tick <= last])
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_ylabel("learned at step")
    axes.set_xlabel("distance to own corner at convergence")
    handles = [
        Line2D([], [], ls="", marker="o", ms=4, label=f"{number}",
               color=HELD_OUT_LOOKS[(number - FIRST_GROUPS) % len(HELD_OUT_LOOKS)].colour)
        for number in np.unique(combined)
    ]  # fmt: skip
    axes.legend(
        handles=handles, title="concepts\ncombined", loc="center left", bbox_to_anchor=(1.0, 0.4),
        handletextpad=0.1, labelspacing=0.25, title_fontsize=SMALL - 0.5, fontsize=SMALL - 0.5,
    )  # fmt: skip


def _draw_shares(
    axes: Axes, distance: np.ndarray, time: np.ndarray, end: np.ndarray, setting: np.ndarray
) -> None:
    """Share learned against the step, nearer and farther half of each setting apart."""
    axes.set_title("Nearer and farther classes", pad=5)
    if not len(distance):
        panel_message(axes, "training did not converge")
        return
    middle = np.zeros(len(distance))
    for i in np.unique(setting):
        middle[setting == i] = np.median(distance[setting == i])
    for far, words, look in (
        (False, "nearer half", HELD_OUT_LOOKS[1]), (True, "farther half", HELD_OUT_LOOKS[0]),
    ):  # fmt: skip
        found = time[(distance > middle) == far]
        if not len(found):
            continue
        # All are watched to the same end, so Kaplan and Meier's curve is the share that learned.
        steps, counts = np.unique(found[np.isfinite(found)], return_counts=True)
        share = np.concatenate([[0.0], np.cumsum(counts), [counts.sum()]]) / len(found)
        axes.step(
            np.concatenate([[0.0], steps, [float(end.max())]]), share, where="post",
            color=look.colour, lw=1.7, ls="--" if far else "-", label=words, clip_on=False,
        )  # fmt: skip
    step_axis(axes, np.array([0.0, float(end.max())]))
    share_axis(axes, "share learned")
    axes.legend(loc="upper left", handlelength=2.2)
