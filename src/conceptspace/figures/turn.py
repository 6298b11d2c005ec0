"""Losses and accuracy beside concept space, a row a setting: which of them shows the turn.

After Park et al. 2024, figure 4.
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
from conceptspace.figures.losses import LOSS_LOOKS, LOSS_WORDS
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    NAIVE_LOOK,
    SMALL,
    TRAINING_LOOKS,
    YELLOW,
    Look,
    drawing,
    new_figure,
    share_axis,
    step_axis,
)

ROW, LEGEND = 2.45, 0.62
"""Inches: height of a setting's row, and of the legend below all of them."""
TURN = "#8A7A00"
ORDERS = 20.0
"""Losses whose largest is so many times the smallest are drawn on a logarithmic axis."""


def turn_figure(settings: Sequence[Mapping[str, Any]]) -> Figure:
    """A row a setting: losses, naive accuracy of the held-out class, and its path.

    Args:
        settings: rows of the findings of `turn`.
    """
    height = ROW * len(settings) + LEGEND
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, row in enumerate(settings):
            low = (height - ROW * (number + 1) + 0.52) / height
            tall = (ROW - 1.0) / height
            panels = [figure.add_axes((left, low, 0.235, tall)) for left in (0.115, 0.45)]
            plane = figure.add_axes((0.765, low, 1.45 / FULL_WIDTH, tall))
            _draw_losses(panels[0], row)
            _draw_accuracy(panels[1], row)
            for axes in panels:
                _mark_turns(axes, row)
                step_axis(axes, np.array(row["steps"], dtype=float))
                if axes.get_xscale() == "linear":  # there is room for few numbers here
                    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True, steps=[1, 2, 5, 10]))
            _draw_plane(plane, row)
            apart = ", ".join(f"{name} {value:g}" for name, value in row["separation"].items())
            panels[0].set_title(f"{apart} apart", pad=12)
        _legend(figure, settings)
    return figure


def _draw_losses(axes: Axes, row: Mapping[str, Any]) -> None:
    """Logarithmic where losses fall by orders of magnitude; a bound in bits can pass 0."""
    steps = np.array(row["steps"], dtype=float)
    shown, seen = steps > 0, []
    for split, block in row["losses"].items():
        look, mean = LOSS_LOOKS.get(split, Look(GREY)), numbers(block["mean"])[shown]
        ends = numbers(block["interval"])[shown]
        axes.fill_between(steps[shown], ends[:, 0], ends[:, 1], color=look.colour, alpha=0.15, lw=0)
        axes.plot(steps[shown], mean, **look.line())
        seen.append(mean[np.isfinite(mean)])
    values = np.concatenate(seen) if seen else np.array([])
    if values.size and 0 < ORDERS * values.min() < values.max():
        axes.set_yscale("log")
    axes.set_ylabel(f"loss\n({row['loss_unit']})" if row["loss_unit"] else "loss")


def _draw_accuracy(axes: Axes, row: Mapping[str, Any]) -> None:
    steps, block = np.array(row["steps"], dtype=float), row["accuracy"]
    ends = numbers(block["interval"])
    axes.fill_between(steps, ends[:, 0], ends[:, 1], color=NAIVE_LOOK.colour, alpha=0.17, lw=0)
    for seed in numbers(block["per_seed"]):
        axes.plot(steps, seed, color=NAIVE_LOOK.colour, lw=0.5, alpha=0.35)
    axes.plot(steps, numbers(block["mean"]), **NAIVE_LOOK.line())
    share_axis(axes, f"joint accuracy, class {row['held_out']}")


def _mark_turns(axes: Axes, row: Mapping[str, Any]) -> None:
    """The turn of the mean path as a line, those of single seeds as marks along the top."""
    for turn in row["turns"]:
        if None not in turn["interval"]:
            axes.axvspan(*turn["interval"], color=YELLOW, alpha=0.35, lw=0, zorder=0)
        axes.axvline(turn["step"], color=TURN, lw=1.2, ls=(0, (4, 1, 1, 1)), zorder=1)
    own = row["seed_turns"]
    at = [step for step, found in zip(own["step"], own["found"]) if found]
    axes.plot(
        at, np.full(len(at), 1.04), ls="", marker="v", ms=4.5, mfc="white", mec=TURN, mew=1.1,
        transform=axes.get_xaxis_transform(), clip_on=False, zorder=7,
    )  # fmt: skip


def _draw_plane(axes: Axes, row: Mapping[str, Any]) -> None:
    """Paths on the first two concepts, trained checkpoints only; turns on them."""
    trained = np.array(row["steps"]) > 0
    steps = np.array(row["steps"], dtype=float)[trained]
    for index, path in enumerate(row["training_paths"].values()):
        look = TRAINING_LOOKS[index % len(TRAINING_LOOKS)]
        axes.plot(*numbers(path)[trained][:, :2].T, **look.line())
    own = row["seed_turns"]
    for seed, path in enumerate(numbers(row["path"]["per_seed"])[:, trained, :2]):
        axes.plot(*path.T, color=NAIVE_LOOK.colour, lw=0.5, alpha=0.35)
        if own["found"][seed]:
            at = [np.interp(own["step"][seed], steps, path[:, axis]) for axis in (0, 1)]
            axes.plot(*at, marker="v", ms=4.5, mfc="white", mec=TURN, mew=1.1, zorder=7)
    mean = numbers(row["path"]["mean"])[trained][:, :2]
    axes.plot(*mean.T, **NAIVE_LOOK.line(), zorder=5)
    axes.plot(*mean[0], "s", ms=5, mfc="white", mec=INK, zorder=6)
    for turn in row["turns"]:
        axes.plot(*turn["point"][:2], "D", ms=6, mfc=YELLOW, mec=INK, zorder=8)
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.set_xlabel(row["concepts"][0])
    axes.set_ylabel(row["concepts"][1], labelpad=1)
    mean_turns = "turns" if row["turns"] else "no turn"
    axes.set_title(
        f"mean path: {mean_turns}\n{sum(own['found'])} of {len(own['found'])} seeds turn",
        fontsize=SMALL, pad=5,
    )  # fmt: skip


def _legend(figure: Figure, settings: Sequence[Mapping[str, Any]]) -> None:
    """What each line and mark is, below all rows."""
    row = settings[0]
    handles: list[Line2D | Patch] = [
        Line2D(
            [],
            [],
            **LOSS_LOOKS.get(split, Look(GREY)).line(),
            label=f"{words} loss".replace("classes ", ""),
        )
        for split, words in LOSS_WORDS.items()
        if split in row["losses"]
    ]
    held_out = f"class {row['held_out']}, naive"
    handles.append(Line2D([], [], **NAIVE_LOOK.line(), label=held_out))
    for index, name in enumerate(row["training_paths"]):
        look = TRAINING_LOOKS[index % len(TRAINING_LOOKS)]
        handles.append(Line2D([], [], **look.line(), label=f"class {name}"))
    mark: dict[str, Any] = {"ls": "", "mec": INK}
    handles.append(Line2D([], [], **mark, marker="s", ms=5, mfc="white", label="start"))
    handles.append(Line2D([], [], **mark, marker="D", ms=6, mfc=YELLOW, label="turn of the mean"))
    handles.append(Patch(fc=YELLOW, alpha=0.35, label="its interval"))
    own = {"ls": "", "marker": "v", "ms": 4.5, "mfc": "white", "mec": TURN}
    handles.append(Line2D([], [], **own, label="turn of a seed"))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02, 0.005), ncols=4, fontsize=SMALL,
        handlelength=2.6, columnspacing=1.2, labelspacing=0.3,
    )  # fmt: skip
