"""Guidance weights against checkpoints: accuracy, what leaves the manifold, and when it works."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.evidence import numbers
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    METHOD_LOOKS,
    NAIVE_LOOK,
    SMALL,
    YELLOW,
    drawing,
    new_figure,
    share_axis,
    thousands,
)

LOOKS = {"naive": NAIVE_LOOK, "guided": METHOD_LOOKS[0]}
WORDS = {"naive": "naive prompting", "guided": "guided, chosen weight"}
ROW, TOP, BOTTOM = 2.15, 0.45, 0.55
"""Inches: the height of a setting's row, and of what is above and below all of them."""
MAPS = (
    ("accuracy", "cividis", "joint accuracy"),
    ("off_manifold", "magma_r", "share off the manifold"),
)
LEFTS, WIDTHS = (0.085, 0.365, 0.715), (0.225, 0.225, 0.27)


def guidance_figure(settings: Sequence[Mapping[str, Any]], threshold: str) -> Figure:
    """A row a setting: two maps of weight against checkpoint, and naive against guided accuracy.

    Args:
        settings: `steps`, `weights`, `accuracy` and `off_manifold` (weight, checkpoint), each with
            `curves` and `windows` of the ways `naive` and `guided`, and `separation`.
        threshold: the accuracy above which the class counts as generated.
    """
    height = TOP + BOTTOM + ROW * len(settings)
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, found in enumerate(settings):
            low = (BOTTOM + ROW * (len(settings) - 1 - number)) / height
            cells = [
                figure.add_axes((left, low, width, (ROW - 0.62) / height))
                for left, width in zip(LEFTS, WIDTHS)
            ]
            meshes = [
                _draw_map(axes, found, key, colours) for axes, (key, colours, _) in zip(cells, MAPS)
            ]
            cells[1].set_yticklabels([])
            cells[1].set_ylabel("")
            _draw_lines(cells[2], found, threshold)
            where = ", ".join(f"{name} {d:g}" for name, d in found["separation"].items())
            cells[0].set_title(
                f"Class {found['held_out']}, separations {where}: {found['num_seeds']} seeds", pad=7
            )
            if number == 0:
                _add_scales(figure, cells, meshes, height)
    return figure


def _draw_map(axes: Axes, found: Mapping[str, Any], key: str, colours: str) -> Any:
    """One number for each weight and checkpoint; dots where the chosen weight lies."""
    steps, weights = numbers(found["steps"]), numbers(found["weights"])
    trained = steps > 0
    values = numbers(found[key])[:, trained]
    mesh = axes.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5, np.arange(len(weights) + 1) - 0.5, values,
        vmin=0, vmax=1, cmap=matplotlib.colormaps[colours],
    )  # fmt: skip
    chosen = np.interp(numbers(found["chosen_weight"])[trained], weights, np.arange(len(weights)))
    axes.plot(
        np.arange(values.shape[1]), chosen, ls="", marker="o", ms=3.2, mfc=YELLOW, mec=INK, mew=0.7,
        clip_on=False,
    )  # fmt: skip
    axes.set_yticks(range(len(weights)), [f"{weight:g}" for weight in weights])
    axes.set_ylabel("weight")
    _step_ticks(axes, steps[trained])
    return mesh


def _step_ticks(axes: Axes, steps: np.ndarray) -> None:
    """Columns are checkpoints; some are named by their step."""
    named = sorted({round(i) for i in np.linspace(0, len(steps) - 1, min(len(steps), 4))})
    axes.set_xticks(named, [thousands(float(steps[i])) for i in named])
    axes.set_xlim(-0.5, len(steps) - 0.5)
    axes.set_xlabel("step of the checkpoint")


def _draw_lines(axes: Axes, found: Mapping[str, Any], threshold: str) -> None:
    """Accuracy naively and at the chosen weight, and below it each seed's first step above."""
    steps = numbers(found["steps"])
    trained = steps > 0
    place = np.arange(int(trained.sum()))
    axes.axhline(float(threshold), color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
    for row, (way, look) in enumerate(LOOKS.items()):
        curve = found["curves"][way]
        low, high = numbers(curve["interval"])[trained].T
        axes.fill_between(place, low, high, color=look.colour, alpha=0.17, lw=0)
        for seed in numbers(curve["per_seed"]):
            axes.plot(place, seed[trained], color=look.colour, lw=0.5, alpha=0.35)
        axes.plot(place, numbers(curve["mean"])[trained], **look.line(), zorder=5)
        _draw_times(axes, found["windows"][threshold][way], steps[trained], -0.1 - 0.1 * row, look)
    share_axis(axes, "joint accuracy")
    axes.set_ylim(-0.27, 1.05)
    axes.axhline(-0.045, color=GREY, lw=0.6)
    _step_ticks(axes, steps[trained])


def _draw_times(axes: Axes, times: Sequence[Any], steps: np.ndarray, y: float, look: Any) -> None:
    """A stroke for each seed's step; an arrow at the end for those that never got there."""
    for step in times:
        if step is None:
            axes.plot(len(steps) - 0.7, y, ">", ms=4.5, color=look.colour, clip_on=False)
        else:
            at = np.interp(step, steps, np.arange(len(steps)))
            axes.plot(at, y, "|", ms=7, mec=look.colour, mew=1.3)


def _add_scales(
    figure: Figure, cells: Sequence[Axes], meshes: Sequence[Any], height: float
) -> None:
    """Colour scales above the maps and a legend above the curves."""
    for left, width, mesh, (_, _, words) in zip(LEFTS, WIDTHS, meshes, MAPS):
        strip = figure.add_axes((left, 1 - 0.37 / height, width, 0.1 / height))
        bar = figure.colorbar(mesh, cax=strip, orientation="horizontal", ticks=[0, 0.5, 1])
        bar.outline.set_visible(False)  # pyright: ignore[reportCallIssue]
        strip.set_title(words, fontsize=SMALL, pad=3)
    handles = [
        cells[2].plot([], [], **look.line(), label=WORDS[way])[0] for way, look in LOOKS.items()
    ]
    for marker, size, words in (
        ("o", 3.2, "median chosen weight"),
        ("|", 7, "a seed's step"),
        (">", 4.5, "not by the end"),
    ):
        fill = YELLOW if marker == "o" else INK
        handles += cells[2].plot(
            [], [], ls="", marker=marker, ms=size, mfc=fill, mec=INK, label=words
        )
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(LEFTS[2] - 0.02, 1.0),
        fontsize=SMALL, handlelength=2.4, labelspacing=0.3,
    )  # fmt: skip
