"""Learning times predicted from the concept signal beside those measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    drawing,
    new_figure,
    thousands,
    tint,
)
from conceptspace.theory.prediction import Prediction

NEVER = "$\\uparrow$"
TICKS = [factor * 10.0**power for power in range(-3, 8) for factor in (1, 2, 5)]


def prediction_figure(prediction: Prediction, concepts: Sequence[str]) -> Figure:
    """The law on the left, measured against predicted medians on the right.

    Settings that the law was fitted on are hollow, those it was scored on filled; at the upper edge
    are those that at least half of the seeds never learned.

    Args:
        prediction: from `predict_other_half`.
        concepts: their names.
    """
    with drawing():
        figure = new_figure(FULL_WIDTH, 3.7)
        law = figure.add_axes((0.1, 0.15, 0.38, 0.66))
        against = figure.add_axes((0.6, 0.15, 0.38, 0.66))
        ends = _ends(prediction)
        _draw_law(law, prediction, ends)
        _draw_against(against, prediction, ends)
        figure.legend(
            handles=_explained(prediction, concepts), loc="upper left",
            bbox_to_anchor=(0.09, 1.0), ncols=6, columnspacing=1.0, handlelength=1.4,
            handletextpad=0.5,
        )  # fmt: skip
    return figure


def _ends(prediction: Prediction) -> tuple[float, float]:
    """The times that are shown."""
    known = prediction.measured[np.isfinite(prediction.measured)]
    seen = np.concatenate([known, prediction.predicted[prediction.predicted < 3 * known.max()]])
    return float(seen.min()) / 1.5, float(seen.max()) * 1.7


def _draw_law(axes: Axes, prediction: Prediction, ends: tuple[float, float]) -> None:
    law = prediction.law
    signal = prediction.signal
    line = np.geomspace(signal.min() / 1.1, signal.max() * 1.1, 100)
    low, high = np.moveaxis(law.interval(line, prediction.confidence), -1, 0)
    axes.fill_between(line, low, high, color=tint(GREY, 0.2), lw=0)
    axes.plot(line, law.median(line), color=INK, lw=1.6)
    _draw_points(axes, prediction, signal, ends)
    axes.set_xscale("log")
    axes.set_xlim(line[0], line[-1])
    axes.set_xlabel("concept signal")
    axes.set_title(f"T ∝ signal$^{{{law.slope:.2f}}}$", pad=8)
    log_ticks(axes.xaxis, "{:g}".format)
    _time_scale(axes, ends)


def _draw_against(axes: Axes, prediction: Prediction, ends: tuple[float, float]) -> None:
    axes.plot(ends, ends, color=GREY, lw=0.9, ls=":")
    middle = np.exp(np.log(prediction.signal).mean(keepdims=True)[0])
    reach = prediction.law.interval(middle, prediction.confidence) / prediction.law.median(middle)
    reach = reach.ravel()
    axes.fill_between(
        ends, np.array(ends) * reach[0], np.array(ends) * reach[1], color=tint(GREY, 0.2), lw=0
    )
    _draw_points(axes, prediction, prediction.predicted, ends)
    axes.set_xscale("log")
    axes.set_xlim(ends)
    axes.set_xlabel("predicted median step")
    found = prediction.concordance
    axes.set_title(f"C = {found.share:.2f}, coverage {100 * prediction.coverage:.0f} %", pad=8)
    log_ticks(axes.xaxis, thousands)
    _time_scale(axes, ends)


def _draw_points(
    axes: Axes, prediction: Prediction, x: np.ndarray, ends: tuple[float, float]
) -> None:
    for concept in range(x.shape[1]):
        look = concept_look(concept)
        for fitted in (True, False):
            rows = prediction.is_fitted == fitted
            times = prediction.measured[rows, concept]
            never = np.isinf(times)
            filled = "white" if fitted else look.colour
            style: dict[str, Any] = {"ls": "", "mec": look.colour, "mfc": filled, "zorder": 4}
            axes.plot(x[rows, concept][~never], times[~never], marker=look.marker, ms=5, **style)
            axes.plot(
                x[rows, concept][never], np.full(never.sum(), ends[1]), marker=NEVER, ms=9,
                clip_on=False, **style,
            )  # fmt: skip


def _time_scale(axes: Axes, ends: tuple[float, float]) -> None:
    axes.set_yscale("log")
    axes.set_ylim(ends)
    axes.set_ylabel("measured median step")
    log_ticks(axes.yaxis, thousands)


def log_ticks(axis, words) -> None:
    """Ticks at 1, 2 and 5 of every power of ten.

    Args:
        axis: of an Axes, logarithmic.
        words: what a tick is called.
    """
    axis.set_major_locator(FixedLocator(TICKS))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))


def _explained(prediction: Prediction, concepts: Sequence[str]) -> list[Artist]:
    handles: list[Artist] = [
        Line2D([], [], ls="", marker=look.marker, mfc=look.colour, mec=look.colour, label=name)
        for look, name in ((concept_look(i), name) for i, name in enumerate(concepts))
    ]
    plain: dict[str, Any] = {"ls": "", "marker": "o", "mec": INK}
    handles.append(Line2D([], [], mfc="white", label="fitted", **plain))
    handles.append(Line2D([], [], mfc=INK, label="scored", **plain))
    share = f"{100 * prediction.confidence:g} % of seeds, predicted"
    handles.append(Patch(fc=tint(GREY, 0.2), label=share))
    if np.isinf(prediction.measured).any():
        never: dict[str, Any] = {"ls": "", "marker": NEVER, "mec": INK, "mfc": INK, "ms": 8}
        handles.append(Line2D([], [], label="not by the end", **never))
    return handles
