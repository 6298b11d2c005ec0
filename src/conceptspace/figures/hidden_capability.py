"""Naive prompting against elicitation over training, and when each seed gets there.

After Park et al. 2024, figure 5: a column a separation. Dashed lines read the same samples under
the published definition, to compare with.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conceptspace.dynamics.learning import median_time
from conceptspace.figures.evidence import NAIVE, numbers
from conceptspace.figures.style import (
    CONTROL_DASHES,
    FULL_WIDTH,
    GREY,
    INK,
    METHOD_LOOKS,
    NAIVE_LOOK,
    SMALL,
    SOLID,
    Look,
    drawing,
    new_figure,
    share_axis,
    step_axis,
)

MOST_COLUMNS = 3
CURVES, STRIP = 2.3, 0.42
"""Inches: height of the curves, and of a method's row in the strip below."""
LEGEND, TITLE, LABELS = 0.85, 0.36, 0.56
PUBLISHED_DASH = (0, (3.5, 1.6))


def hidden_capability_figure(settings: Sequence[Mapping[str, Any]], threshold: str) -> Figure:
    """A column a setting: joint accuracy over steps, and emergence and naive steps by seed.

    Args:
        settings: rows of the findings of `hidden-capability`.
        threshold: the one at which events are shown.
    """
    columns = min(MOST_COLUMNS, len(settings))
    groups = -(-len(settings) // columns)
    looks = _looks(settings)
    shown = [name for name, look in looks.items() if look.width > 1.5]
    strip = STRIP * len(shown)
    tall = TITLE + CURVES + 0.12 + strip + LABELS
    height = groups * tall + LEGEND
    left, gap = 0.8, 0.3
    # A single setting takes half the page, not all of it.
    wide = (FULL_WIDTH - left - 0.22 - gap * (columns - 1)) / max(columns, 2)
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, row in enumerate(settings):
            group, column = divmod(number, columns)
            x, top = left + column * (wide + gap), height - group * tall - TITLE
            place = (wide / FULL_WIDTH, CURVES / height)
            curves = figure.add_axes((x / FULL_WIDTH, (top - CURVES) / height, *place))
            low = top - CURVES - 0.12 - strip
            place = (wide / FULL_WIDTH, strip / height)
            times = figure.add_axes((x / FULL_WIDTH, low / height, *place), sharex=curves)
            _draw_curves(curves, row, looks, threshold)
            _draw_times(times, row, looks, shown, threshold)
            for axes in (curves, times):
                if column:
                    axes.set_ylabel("")
                    axes.tick_params(labelleft=False)
        _legend(figure, settings, looks, height)
    return figure


def _looks(settings: Sequence[Mapping[str, Any]]) -> dict[str, Look]:
    """How each method is drawn: its own colour and marker, controls thin in that of theirs."""
    methods = settings[0]["methods"]
    looks = {NAIVE: NAIVE_LOOK}
    elicitations = [name for name, known in methods.items() if known["kind"] == "elicitation"]
    for index, name in enumerate(elicitations):
        own = METHOD_LOOKS[index % len(METHOD_LOOKS)]
        looks[name] = Look(own.colour, SOLID, own.marker, own.width)
    for name, known in methods.items():
        if known["kind"] == "control":
            kind = name.rpartition("/")[2]
            dash, marker = CONTROL_DASHES.get(kind, ((0, (1, 2)), "1"))
            looks[name] = Look(looks[known["of"]].colour, dash, marker, 0.9, 0.8)
    return looks


def _draw_curves(
    axes: Axes, row: Mapping[str, Any], looks: Mapping[str, Look], threshold: str
) -> None:
    steps = np.array(row["steps"], dtype=float)
    apart = ", ".join(f"{name} {value:g}" for name, value in row["separation"].items())
    axes.set_title(f"{apart} apart", pad=6)
    axes.axhline(float(threshold), color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
    axes.plot(steps, numbers(row["training"]), color=GREY, lw=1.2, ls=(0, (6, 1.5, 1, 1.5)))
    for name, look in looks.items():
        block = row["accuracy"].get(name)
        if block is None:
            continue
        main = look.width > 1.5
        mean = numbers(block["mean"])
        if main:
            ends = numbers(block["interval"])
            axes.fill_between(steps, ends[:, 0], ends[:, 1], color=look.colour, alpha=0.17, lw=0)
            for seed in numbers(block["per_seed"]):
                axes.plot(steps, seed, color=look.colour, lw=0.5, alpha=0.3)
        axes.plot(
            steps, mean, **look.line(), marker=look.marker, ms=4.0 if main else 3.0,
            mfc="white" if main else look.colour, mec=look.colour, mew=0.9,
            markevery=max(len(steps) // 8, 1), zorder=6 if main else 4,
        )  # fmt: skip
        published = row["under_published_definition"].get(name)
        if published is not None:
            axes.plot(
                steps, numbers(published["mean"]), color=look.colour, lw=1.1, ls=PUBLISHED_DASH,
                zorder=5,
            )  # fmt: skip
        for step, value in row["published_readings"].get(name, []):
            axes.plot(step, value, "*", ms=7, mfc="white", mec=look.colour, zorder=8)
    step_axis(axes, steps, label=False)
    share_axis(axes, "joint accuracy")
    axes.tick_params(labelbottom=False)


def _draw_times(
    axes: Axes,
    row: Mapping[str, Any],
    looks: Mapping[str, Look],
    shown: Sequence[str],
    threshold: str,
) -> None:
    """Each seed's step, first seed on top; not reached by the end: open at the end; a bar at the
    median."""
    end = float(row["steps"][-1])
    for place, name in enumerate(shown):
        found = row["events"][threshold].get(name)
        if found is None:
            continue
        times = np.array([np.inf if step is None else step for step in found], dtype=float)
        y = place + np.linspace(-0.3, 0.3, len(times))
        happened, look = np.isfinite(times), looks[name]
        common: dict[str, Any] = {"ls": "", "mec": look.colour, "clip_on": False, "zorder": 4}
        axes.plot(
            times[happened], y[happened], marker=look.marker, ms=3.5, mfc=look.colour, **common
        )
        axes.plot(
            np.full((~happened).sum(), end), y[~happened], marker=">", ms=4, mfc="white", **common
        )
        median = median_time(times, end)
        if np.isfinite(median):
            axes.plot([median, median], [place - 0.4, place + 0.4], color=INK, lw=1.8, zorder=5)
        if place:
            axes.axhline(place - 0.5, color=GREY, lw=0.4)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_yticks(range(len(shown)), [_short(name) for name in shown])
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("training step")


def _short(name: str) -> str:
    return name.removeprefix("latent-").replace("over-prompting", "over-\nprompting")


def _legend(
    figure: Figure,
    settings: Sequence[Mapping[str, Any]],
    looks: Mapping[str, Look],
    height: float,
) -> None:
    """Below all columns: what each line and mark is."""
    methods = settings[0]["methods"]
    handles = []
    for name, look in looks.items():
        main = look.width > 1.5
        # Without the concept, which is the same for all of them: three columns fit the page.
        label = re.sub(r" \(\w+\)", "", methods[name]["label"] if name in methods else name)
        handles.append(
            Line2D(
                [], [], **look.line(), marker=look.marker, ms=4, label=label, mec=look.colour,
                mfc="white" if main else look.colour,
            )
        )  # fmt: skip
    reference = {"color": GREY, "lw": 1.2, "ls": (0, (6, 1.5, 1, 1.5))}
    handles.append(Line2D([], [], **reference, label="training classes, naive"))
    published = "published definition"
    handles.append(Line2D([], [], color=INK, lw=1.1, ls=PUBLISHED_DASH, label=published))
    if any(row["published_readings"] for row in settings):
        star = {"ls": "", "marker": "*", "ms": 7, "mfc": "white", "mec": INK}
        handles.append(Line2D([], [], **star, label="published reading"))
    open_mark = {"ls": "", "marker": ">", "ms": 4, "mfc": "white", "mec": INK}
    handles.append(Line2D([], [], **open_mark, label="seed: not by the end"))
    bar = {"ls": "", "marker": "|", "ms": 9, "mew": 1.8, "mec": INK}
    handles.append(Line2D([], [], **bar, label="Kaplan-Meier median"))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.02, 0.005), ncols=3, fontsize=SMALL,
        handlelength=2.6, columnspacing=1.2, labelspacing=0.3,
    )  # fmt: skip
