"""Paths of two classes across a colour sweep, coloured by signal; each setting by itself; sides.

After Park et al. 2024, figure 4.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from conceptspace.figures.evidence import numbers
from conceptspace.figures.plane import swept_region
from conceptspace.figures.style import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    PALE,
    SKY,
    SMALL,
    VERMILLION,
    drawing,
    new_figure,
    panel_message,
    tint,
)

Rows = Sequence[Mapping[str, Any]]
MOST_PANELS = 5
HEIGHT = 7.5
DARKEST, LIGHTEST = 0.0, 0.88
"""Of viridis; its end is too pale on white."""
TRAINED_COLOURS = ("#4D4D4D", BLUE, SKY)
"""Of 00, 01 and 10 in the small panels."""


def colour_sweep_figure(rows: Rows, side: Mapping[str, Any], confidence: float) -> Figure:
    """Class 00 and the held-out class over all settings; all classes of some; sides of all.

    Args:
        rows: settings by rising colour, with `separation`, `signal`, `ratio`, `paths` of the
            classes (mean and interval), `side` of each seed, `held_out`, `training`,
            `class_labels`, `concept_labels`.
        side: the rank correlation of sides and ratios.
        confidence: of the intervals.
    """
    strength = np.array([row["signal"]["colour"]["finite"] for row in rows])
    span = np.ptp(strength) or 1.0
    scale = Normalize(strength.min(), strength.min() + span)
    ramp = matplotlib.colormaps["viridis"].resampled(256)
    shades = ramp(DARKEST + (LIGHTEST - DARKEST) * np.asarray(scale(strength)))
    with drawing():
        figure = new_figure(FULL_WIDTH, HEIGHT)
        for left, name, words in (
            (0.1, rows[0]["training"][0], "trained on"),
            (0.51, rows[0]["held_out"], "held out"),
        ):
            axes = figure.add_axes((left, 0.585, 0.335, 0.335 * FULL_WIDTH / HEIGHT))
            _draw_sweep(axes, rows, name, shades)
            label = rows[0]["class_labels"][name]
            axes.set_title(f"Class {name}, {label}: {words}", pad=22)
        _draw_bar(figure, strength, scale, ramp)
        _draw_settings(figure, rows, confidence)
        _draw_sides(figure.add_axes((0.11, 0.065, 0.55, 0.19)), rows, side, shades)
    return figure


def _frame(axes: Axes, row: Mapping[str, Any], *, small: bool = False) -> None:
    """A square whose corners are the classes."""
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.set_box_aspect(1)
    axes.plot([0, 1, 1, 0, 0], [0, 0, 1, 1, 0], color=PALE, lw=0.8, zorder=1)
    for name in row["class_labels"]:
        x, y = (int(digit, 36) for digit in name)
        face = "white" if name == row["held_out"] else INK
        axes.plot(x, y, "o", ms=3 if small else 5, mec=INK, mfc=face, clip_on=False, zorder=6)
        if not small:
            above = "bottom" if y else "top"
            place = (x, 1.06 if y else -0.06)
            axes.text(*place, name, ha="center", va=above, fontsize=SMALL, color=GREY)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if small:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    colours, sizes = row["concept_labels"]
    axes.set_xticks([0, 0.5, 1], [colours[0], "0.5", colours[-1]])
    axes.set_yticks([0, 0.5, 1], [sizes[0], "0.5", sizes[-1]])
    axes.tick_params(axis="x", pad=12, length=0)
    axes.tick_params(axis="y", pad=6, length=0)
    axes.set_xlabel("colour", labelpad=2)
    axes.set_ylabel("size", labelpad=0)


def _draw_sweep(axes: Axes, rows: Rows, name: str, shades: np.ndarray) -> None:
    """One class's mean path in every setting; a square is its start, a dot its end."""
    _frame(axes, rows[0])
    for row, shade in zip(rows, shades):
        mean = numbers(row["paths"][name]["mean"])
        known = mean[np.isfinite(mean).all(axis=1)]
        axes.plot(*known.T, color=shade, lw=1.5, zorder=3)
        if len(known):
            axes.plot(*known[0], "s", ms=5, mfc="white", mec=shade, mew=1.3, zorder=4)
            axes.plot(*known[-1], "o", ms=5.5, mfc=shade, mec="white", mew=0.7, zorder=7)


def _draw_bar(figure: Figure, strength: np.ndarray, scale: Normalize, ramp: Any) -> None:
    """Which shade is which signal, with a line for each setting."""
    bar = figure.add_axes((0.89, 0.62, 0.02, 0.27))
    column = ramp(np.linspace(DARKEST, LIGHTEST, 128))[:, None]
    ends = (float(scale.vmin or 0.0), float(scale.vmax or 1.0))
    bar.imshow(column, origin="lower", aspect="auto", extent=(0, 1, *ends))
    bar.hlines(strength, 0, 1, color="white", lw=0.8)
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.set_title("signal of\ncolour", fontsize=SMALL, pad=5)
    handles = [
        Line2D([], [], ls="", marker="s", mfc="white", mec=INK, label="start"),
        Line2D([], [], ls="", marker="o", mfc=INK, mec="white", label="end"),
    ]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.865, 0.61), handletextpad=0)


def _draw_settings(figure: Figure, rows: Rows, confidence: float) -> None:
    """A small plane for each setting, or for some of them, with the intervals of all classes."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_PANELS)).round())
    wide = 0.168
    for column, place in enumerate(chosen.astype(int)):
        row = rows[place]
        axes = figure.add_axes((0.075 + 0.18 * column, 0.33, wide, wide * FULL_WIDTH / HEIGHT))
        _frame(axes, row, small=True)
        for name, colour in (
            *zip(row["training"], TRAINED_COLOURS), (row["held_out"], VERMILLION)
        ):  # fmt: skip
            _draw_class(axes, row["paths"][name], colour, held_out=name == row["held_out"])
        axes.set_title(f"{row['separation']:g} apart", fontsize=SMALL, pad=4, loc="center")
        if not column:
            axes.set_ylabel("size", labelpad=4)
        axes.set_xlabel("colour", labelpad=4)
    row = rows[0]
    handles: list[Any] = [
        Line2D([], [], color=colour, ls="--", label=name)
        for name, colour in zip(row["training"], TRAINED_COLOURS)
    ]
    handles.append(Line2D([], [], color=VERMILLION, label=f"{row['held_out']}, held out"))
    handles.append(Patch(fc=PALE, label=f"{100 * confidence:.3g} % interval"))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.73, 0.265), labelspacing=0.35,
        title="planes above", title_fontsize=SMALL, alignment="left",
    )  # fmt: skip


def _draw_class(axes: Axes, path: Mapping[str, Any], colour: str, *, held_out: bool) -> None:
    mean, interval = numbers(path["mean"]), numbers(path["interval"])
    swept = swept_region(interval[..., 0], interval[..., 1])
    shade = tint(colour, 0.3 if held_out else 0.18)
    axes.add_collection(PolyCollection(swept, fc=shade, ec="none", zorder=2 + held_out * 0.5))
    dash = "-" if held_out else "--"
    axes.plot(*mean.T, color=colour, lw=1.5 if held_out else 1.0, ls=dash, zorder=3 + held_out)
    known = mean[np.isfinite(mean).all(axis=1)]
    if held_out and len(known):
        axes.plot(*known[0], "s", ms=4, mfc="white", mec=colour, mew=1.1, zorder=5)


def _draw_sides(axes: Axes, rows: Rows, side: Mapping[str, Any], shades: np.ndarray) -> None:
    """The side of every seed against the ratio of the signals, and the mean of each setting."""
    value = side["value"]
    said = "" if value is None else f": rank correlation {value:.2f}"
    axes.set_title(f"Where {rows[0]['held_out']} first heads{said}", pad=5)
    ratios, means, widest = [], [], 0.0
    for row, shade in zip(rows, shades):
        found = numbers(row["side"] or [np.nan])
        x = np.full(len(found), row["ratio"])
        axes.plot(x, found, "o", ms=4, mfc=shade, mec="white", mew=0.4, clip_on=False)
        if np.isfinite(found).any():
            ratios.append(row["ratio"])
            means.append(np.nanmean(found))
            widest = max(widest, float(np.nanmax(np.abs(found))))
    if not ratios:
        panel_message(axes, "too few checkpoints to say")
        return
    axes.plot(ratios, means, color=INK, lw=1.2, zorder=1)
    axes.axhline(0, color=GREY, lw=0.8, ls=":", zorder=0)
    reach = max(widest * 1.15, 0.1)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("side")
    axes.set_xlabel("signal of colour / signal of size")
    colours, sizes = rows[0]["concept_labels"]
    plain: dict[str, Any] = {"transform": axes.transAxes, "fontsize": SMALL, "color": GREY}
    words = f"to {sizes[0]} {colours[-1]}: size falls further"
    axes.text(0.015, 0.97, words, va="top", **plain)
    words = f"to {sizes[-1]} {colours[0]}: colour falls further"
    axes.text(0.985, 0.03, words, va="bottom", ha="right", **plain)
