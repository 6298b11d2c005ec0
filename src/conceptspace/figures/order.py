"""Accuracy of each concept over training, in several settings, and learning times over signals.

After Park et al. 2024, figure 1c.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.evidence import numbers
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    PALE,
    SMALL,
    drawing,
    new_figure,
    share_axis,
    step_axis,
    thousands,
    tint,
)

MOST_COLUMNS = 3
LEFTS, WIDE = (0.1, 0.41, 0.72), 0.26


def order_figure(
    findings: Mapping[str, Any], threshold: str, kind: str, splits: Sequence[str]
) -> Figure:
    """A column for each of up to three settings, and learning times of all of them below.

    Args:
        findings: `concepts`, `confidence` and `settings` with `name`, `signal`, `steps`, `end` and
            for each split and concept `accuracy`, `interval` and `times`.
        threshold: of the learning times.
        kind: of the signal.
        splits: the held-out classes' key, and the training classes'.
    """
    rows = findings["settings"]
    places = np.linspace(0, len(rows) - 1, min(len(rows), MOST_COLUMNS)).round()
    with drawing():
        figure = new_figure(FULL_WIDTH, 6.9)
        for column, place in enumerate(np.unique(places).astype(int)):
            for bottom, split in zip((0.665, 0.42), splits):
                axes = figure.add_axes((LEFTS[column], bottom, WIDE, 0.215))
                _draw_accuracy(axes, rows[place], split, float(threshold), column == 0)
                if split == splits[0]:
                    _title(axes, rows[place], kind)
                    axes.tick_params(labelbottom=False)
                    axes.set_xlabel("")
        _draw_times(
            figure.add_axes((0.115, 0.075, 0.52, 0.2)), findings, threshold, kind, splits[0]
        )
        _legend(figure, findings)
    return figure


def _words(split: str) -> str:
    return f"{split.replace(' ', '-')} classes"


def _title(axes: Axes, row: Mapping[str, Any], kind: str) -> None:
    """Which setting, and the concepts by falling signal."""
    order = sorted(row["signal"], key=lambda name: -row["signal"][name][kind])
    said = "\n".join(f"{name} {row['signal'][name][kind]:.3g}" for name in order)
    axes.set_title(f"{row['name']}\n{said}", fontsize=SMALL, pad=5)


def _draw_accuracy(
    axes: Axes, row: Mapping[str, Any], split: str, threshold: float, first: bool
) -> None:
    steps = np.array(row["steps"], dtype=float)
    axes.axhline(threshold, color=GREY, lw=0.8, ls=":")
    for number, found in enumerate(row[split].values()):
        look = concept_look(number)
        low, high = numbers(found["interval"]).T
        axes.fill_between(steps, low, high, color=tint(look.colour, 0.25), lw=0)
        axes.plot(steps, numbers(found["accuracy"]), color=look.colour, ls=look.dash, lw=1.6)
    share_axis(axes, f"accuracy,\n{_words(split)}" if first else "")
    step_axis(axes, steps)
    if axes.get_xscale() == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))
    if not first:
        axes.tick_params(labelleft=False)


def _draw_times(
    axes: Axes, findings: Mapping[str, Any], threshold: str, kind: str, split: str
) -> None:
    """Each seed's learning time against the signal; a line joins the medians of one setting."""
    last = max(float(row["end"]) for row in findings["settings"])
    rng = np.random.default_rng(0)
    for row in findings["settings"]:
        x, y = [], []
        for number, concept in enumerate(findings["concepts"]):
            look = concept_look(number)
            times = [np.inf if t is None else t for t in row[split][concept]["times"][threshold]]
            # Never is a band of its own; inside it height means nothing.
            shown = [t if np.isfinite(t) else last * rng.uniform(1.07, 1.2) for t in times]
            at = row["signal"][concept][kind]
            axes.plot(
                np.full(len(shown), at), shown, look.marker, ms=4, mfc=tint(look.colour, 0.75),
                mec="white", mew=0.4, clip_on=False, zorder=3,
            )  # fmt: skip
            median = float(np.sort(times)[(len(times) - 1) // 2])
            x.append(at)
            y.append(median if np.isfinite(median) else 1.135 * last)
        order = np.argsort(x)
        axes.plot(np.array(x)[order], np.array(y)[order], color=PALE, lw=1, zorder=1)
    axes.axhline(1.035 * last, color=GREY, lw=0.8, ls=":")
    axes.text(
        1.01, 1.13 * last, "never", transform=axes.get_yaxis_transform(), fontsize=SMALL,
        va="center", color=GREY,
    )  # fmt: skip
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda *_: "")
    axes.set_ylim(0, 1.22 * last)
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(0, last)
    axes.set_yticks([tick for tick in ticks if tick <= last])
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_xlabel("signal of the concept")
    axes.set_ylabel("learned at step")
    value = findings["associations"]["main"]["value"]
    said = "" if value is None else f": rank correlation of signal and speed {value:.2f}"
    axes.set_title(f"{_words(split).capitalize()}{said}", pad=5)


def _legend(figure: Figure, findings: Mapping[str, Any]) -> None:
    handles: list[Any] = []
    for number, concept in enumerate(findings["concepts"]):
        look = concept_look(number)
        handles.append(
            Line2D([], [], color=look.colour, ls=look.dash, marker=look.marker, ms=4, label=concept)
        )
    handles.append(Patch(fc=PALE, label=f"{100 * findings['confidence']:.3g} % interval"))
    handles.append(Line2D([], [], color=GREY, lw=0.8, ls=":", label="threshold"))
    handles.append(Line2D([], [], color=PALE, lw=1, label="medians of a setting"))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.725, 0.29), labelspacing=0.4,
        labelcolor=INK,
    )  # fmt: skip
