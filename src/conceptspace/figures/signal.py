"""Concept signal: how much the data change when one concept alone changes, axis against axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.style import FULL_WIDTH, GREY, INK, drawing, new_figure, panel_message

KINDS = {"signal": "concept signal |∂G/∂z|", "finite": "distance between class means"}


def signal_figure(
    signal: Mapping[str, Mapping[str, Any] | None], examples: Mapping[str, Sequence[np.ndarray]]
) -> Figure:
    """Compare the signal of the axes.

    Args:
        signal: for each concept its `signal` (differential) and `finite` form; either may be None.
        examples: for each concept a picture (height, width, channel) uint8 for each value.
    """
    names = [name for name, found in (signal or {}).items() if found]
    with drawing():
        if not names:
            figure = new_figure(FULL_WIDTH, 1)
            panel_message(figure.add_subplot(), "the concept signal was not computed")
            return figure
        height = 0.75 + 0.62 * len(names)
        figure = new_figure(FULL_WIDTH, height)
        grid = figure.add_gridspec(
            1, 3, left=0.02, right=0.97, bottom=0.45 / height, top=1 - 0.3 / height,
            width_ratios=(1.55, 1.6, 1.6), wspace=0.14,
        )  # fmt: skip
        _draw_examples(figure.add_subplot(grid[0]), names, examples)
        for column, kind in enumerate(KINDS, start=1):
            _draw_bars(figure.add_subplot(grid[column]), names, signal, kind)
    return figure


def _draw_examples(axes: Axes, names: list[str], examples: Mapping[str, Sequence]) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 3.4)
    axes.set_ylim(len(names) - 0.5, -0.5)
    for row, name in enumerate(names):
        axes.text(0, row, name, va="center", fontsize=9.5)
        shown = list(examples.get(name, ()))
        if len(shown) > 2:
            shown = [shown[0], shown[-1]]
        for column, picture in enumerate(shown):
            left = 1.35 + column * 1.15
            base, tall = 1 - (row + 0.88) / len(names), 0.76 / len(names)
            inset = axes.inset_axes((left / 3.4, base, 0.85 / 3.4, tall))
            inset.imshow(picture, interpolation="nearest")
            inset.set_xticks([])
            inset.set_yticks([])
            inset.set_anchor("C")
            for spine in inset.spines.values():
                spine.set_visible(True)
        if len(shown) == 2:
            axes.text(2.35, row, "→", ha="center", va="center", color=GREY)


def _draw_bars(axes: Axes, names: list[str], signal: Mapping[str, Any], kind: str) -> None:
    values = [signal[name].get(kind) for name in names]
    known = [value for value in values if value is not None]
    if not known:
        panel_message(axes, "not computed")
        return
    for row, value in enumerate(values):
        if value is None:
            axes.text(0, row, " not computed", va="center", color=GREY)
            continue
        hatch = ("", "///", "...", "xxx")[row % 4]
        axes.barh(row, value, 0.5, color=concept_look(row).colour, hatch=hatch, ec="white", lw=0)
        axes.text(value, row, f" {value:.3g}", va="center", color=INK)
    axes.set_xlim(0, max(known) * 1.22 or 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_title(KINDS[kind], fontsize=8.5)
