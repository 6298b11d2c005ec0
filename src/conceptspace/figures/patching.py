"""Donor x recipient maps of embedding patching, and the recipients' own prompting beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from conceptspace.figures.evidence import nan_mean, numbers
from conceptspace.figures.style import (
    BLUE,
    CONTROL_DASHES,
    FULL_WIDTH,
    GREEN,
    GREY,
    INK,
    NAIVE_LOOK,
    PURPLE,
    SMALL,
    Look,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
    thousands,
)

ROW = 3.1
"""Inches: height of a setting's row."""
PATCHED_LOOK = Look(BLUE, "-", "s", 2.0)
OTHER_LOOK = Look(PURPLE, *CONTROL_DASHES["random-direction"], 1.3)
UNTRAINED_LOOK = Look(GREEN, *CONTROL_DASHES["wrong-concept"], 1.3)
DARK = 0.55
"""Of the map's scale: numbers on darker cells are white."""


def patching_figure(settings: Sequence[Mapping[str, Any]], ceiling: float) -> Figure:
    """A row a setting: the map over its seeds, and accuracies against the recipient's step.

    Args:
        settings: rows of the findings of `patching`.
        ceiling: prompting at or below this accuracy fails.
    """
    height = ROW * len(settings) + 0.55
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, row in enumerate(settings):
            low = (height - ROW * (number + 1) + 0.62) / height
            tall = (ROW - 1.15) / height
            cells = figure.add_axes((0.105, low, 2.35 / FULL_WIDTH, tall))
            bar = figure.add_axes((0.445, low, 0.015, tall))
            lines = figure.add_axes((0.6, low, 0.38, tall))
            kept = _kept(row)
            _draw_map(cells, bar, row, kept)
            _draw_lines(lines, row, kept, ceiling)
            if number == len(settings) - 1 and lines.axison:
                handles, labels = lines.get_legend_handles_labels()
                figure.legend(
                    handles, labels, loc="lower right", bbox_to_anchor=(0.99, 0.005), ncols=3,
                    fontsize=SMALL, handlelength=2.4, columnspacing=1.2, labelspacing=0.3,
                )  # fmt: skip
    return figure


def _kept(row: Mapping[str, Any]) -> np.ndarray:
    """The seeds that are drawn: those whose last checkpoint shows the class, or else all."""
    shows = np.array(row["shows"], dtype=bool)
    return shows if shows.any() else np.ones_like(shows)


def _draw_map(axes: Axes, bar: Axes, row: Mapping[str, Any], kept: np.ndarray) -> None:
    """Mean over seeds; the diagonal, where nothing is patched, is framed."""
    mean = numbers(row["accuracy"])[kept].mean(axis=0)
    image = axes.imshow(mean, origin="lower", cmap="viridis_r", vmin=0, vmax=1, aspect="auto")
    size = SMALL - 1.5
    for donor, recipient in np.ndindex(mean.shape):
        value = mean[donor, recipient]
        words = f"{value:.2f}".removeprefix("0") if value < 0.995 else "1"
        axes.text(
            recipient, donor, words, ha="center", va="center", fontsize=size,
            color="white" if value > DARK else INK,
        )  # fmt: skip
    for place in range(len(mean)):
        frame = Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, ec=INK, lw=0.9)
        axes.add_patch(frame)
    names = [thousands(step) for step in row["steps"]]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0, pad=2)
    axes.set_xlabel("network of step (recipient)")
    axes.set_ylabel("conditioning of step (donor)")
    apart = ", ".join(f"{name} {value:g}" for name, value in row["separation"].items())
    num_shown = int(np.sum(row["shows"]))
    whom = f"the {num_shown} of {len(kept)} seeds that show {row['held_out']}"
    words = f"mean of {whom}" if num_shown else f"mean of all: no seed shows {row['held_out']}"
    axes.set_title(f"{apart} apart", pad=17)
    axes.text(
        0, 1.02, words,
        transform=axes.transAxes, fontsize=SMALL, color=GREY, va="bottom",
    )  # fmt: skip
    bar.figure.colorbar(image, cax=bar, ticks=[0, 0.5, 1])
    bar.set_title("accuracy", fontsize=SMALL, color=GREY, pad=9)


def _draw_lines(axes: Axes, row: Mapping[str, Any], kept: np.ndarray, ceiling: float) -> None:
    """Own prompting, the last donor and the controls, against the recipient's step."""
    if not len(row["steps"]):
        panel_message(axes, "nothing was measured")
        return
    steps = np.array(row["steps"], dtype=float)
    accuracy = numbers(row["accuracy"])[kept]
    axes.axhline(ceiling, color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
    series = (
        ("own prompting", np.diagonal(accuracy, axis1=1, axis2=2), NAIVE_LOOK),
        ("last donor", accuracy[:, -1], PATCHED_LOOK),
        ("first donor", accuracy[:, 0], Look(GREY, (0, (5, 1.6)), "v", 1.3)),
        ("another seed's last", numbers(row["other_seed"])[kept], OTHER_LOOK),
        ("untrained donor", numbers(row["untrained"])[kept], UNTRAINED_LOOK),
    )
    for label, values, look in series:
        if look.width >= NAIVE_LOOK.width:
            low, high = _band(values)
            axes.fill_between(steps, low, high, color=look.colour, alpha=0.17, lw=0)
            for seed in values:
                axes.plot(steps, seed, color=look.colour, lw=0.5, alpha=0.4)
        axes.plot(
            steps, nan_mean(values.T), **look.line(), marker=look.marker, ms=4, mfc="white",
            mec=look.colour, label=label, zorder=4 if look.width < NAIVE_LOOK.width else 6,
        )  # fmt: skip
    step_axis(axes, steps, label=False)
    axes.set_xlabel("network of step (recipient)")
    share_axis(axes, "joint accuracy")
    axes.set_title("Last conditioning, earlier networks", pad=6)


def _band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over seeds and two standard errors either way."""
    mean = values.mean(axis=0)
    error = values.std(axis=0, ddof=1) / len(values) ** 0.5 if len(values) > 1 else 0 * mean
    return np.clip(mean - 2 * error, 0, 1), np.clip(mean + 2 * error, 0, 1)
