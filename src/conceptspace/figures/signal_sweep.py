"""Concept signals against separations, with pictures of what is apart.

After Park et al. 2024, figure 2.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.style import FULL_WIDTH, GREY, SMALL, drawing, new_figure

HELD_DASHES = ((0, (1.2, 1.2)), (0, (4, 1.6)), "-")
HELD_MARKERS = ("o", "s", "^")


def signal_sweep_figure(
    axes: Mapping[str, Mapping[str, Any]],
    pictures: Mapping[str, Sequence[Sequence[np.ndarray]]],
) -> Figure:
    """One column an axis that is swept; its own signal in colour, the other's in grey.

    Args:
        axes: for each swept axis its `separation`s, the `other` axis, and `lines` with where that
            is `held` and the `signal` of both axes: for each a `derivative` (draw, separation).
        pictures: for each axis and separation, a picture (height, width, channel) uint8 of each
            value.
    """
    with drawing():
        figure = new_figure(FULL_WIDTH, 4.1)
        for column, (axis, found) in enumerate(axes.items()):
            left = (0.075, 0.575)[column % 2]
            panel = figure.add_axes((left, 0.4, 0.4, 0.5))
            _draw_signals(panel, axis, found, column)
            strip = figure.add_axes((left, 0.03, 0.4, 0.24))
            _draw_pictures(strip, found["separation"], pictures[axis])
    return figure


def _draw_signals(axes: Axes, axis: str, found: Mapping[str, Any], index: int) -> None:
    other, separations = found["other"], found["separation"]
    for number, line in enumerate(found["lines"]):
        dash = HELD_DASHES[number % len(HELD_DASHES)]
        marker = HELD_MARKERS[number % len(HELD_MARKERS)]
        own = np.array(line["signal"][axis]["derivative"]).mean(axis=0)
        others = np.array(line["signal"][other]["derivative"]).mean(axis=0)
        plain: dict[str, Any] = {"ls": dash, "marker": marker, "ms": 3.5}
        axes.plot(separations, others, color=GREY, lw=1.1, alpha=0.8, **plain)
        axes.plot(
            separations, own, color=concept_look(index).colour, lw=1.7, **plain,
            label=f"{axis}, {other} held at {line['held']:g}",
        )  # fmt: skip
    axes.plot([], [], color=GREY, lw=1.1, label=f"{other}, likewise")
    axes.set_xlim(0, separations[-1] * 1.04)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.3)
    axes.set_xlabel(f"{axis} separation")
    axes.set_ylabel("concept signal |∂G/∂z|")
    axes.set_title(f"Signal as the separation of {axis} grows", pad=8)
    axes.legend(loc="upper left", handlelength=3.0, labelspacing=0.3, fontsize=SMALL - 0.7)


def _draw_pictures(
    axes: Axes, separations: Sequence[float], pictures: Sequence[Sequence[np.ndarray]]
) -> None:
    axes.set_axis_off()
    num = len(separations)
    for column, (separation, values) in enumerate(zip(separations, pictures)):
        for row, picture in enumerate(values[:2]):
            inset = axes.inset_axes((column / num, 0.45 - 0.43 * row, 0.92 / num, 0.41))
            inset.imshow(picture, interpolation="nearest")
            inset.set_xticks([])
            inset.set_yticks([])
            for spine in inset.spines.values():
                spine.set_visible(True)
        axes.text(
            (column + 0.46) / num, 0.9, f"{separation:g}", ha="center", va="bottom",
            fontsize=SMALL, transform=axes.transAxes,
        )  # fmt: skip
