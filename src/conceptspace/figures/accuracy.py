"""What a held-out class can be made to do: joint accuracy, naive against each elicitation.

After Park et al. 2024, figure 5. Below the curves a timeline says when each way of prompting first
works, seed by seed, so that nothing is read off crossing lines.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.evidence import NAIVE, Band, Evidence, Method, nan_mean
from conceptspace.figures.style import (
    CONTROL_DASHES,
    FULL_WIDTH,
    GREY,
    HELD_OUT_LOOKS,
    INK,
    METHOD_LOOKS,
    NAIVE_LOOK,
    REFERENCE_LOOK,
    SMALL,
    YELLOW,
    Look,
    drawing,
    legend_beside,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
    thousands,
    tint,
)

THRESHOLD = "0.8"
WINDOW_COLOUR = "#FBF3C4"


def method_looks(evidence: Evidence) -> dict[str, Look]:
    """How each method is drawn; a control takes its method's colour, thin and faint."""
    looks = {method.name: NAIVE_LOOK for method in evidence.methods_of_kind(NAIVE)}
    for index, method in enumerate(evidence.methods_of_kind("elicitation")):
        looks[method.name] = METHOD_LOOKS[index % len(METHOD_LOOKS)]
    for method in evidence.methods_of_kind("control"):
        colour = looks[method.of].colour if method.of in looks else GREY
        dash, marker = CONTROL_DASHES.get(method.control, ((0, (1, 2)), "1"))
        looks[method.name] = Look(colour, dash, marker, 1.1, 0.75)
    return looks


def accuracy_figure(evidence: Evidence, concept_class: str) -> Figure:
    """Joint accuracy of one held-out class under every method, and when each first works."""
    methods = [m for m in evidence.methods if evidence.accuracy(concept_class, m.name)]
    rows = [m for m in methods if m.kind != "control"]
    strip = 0.31 * (len(rows) + 1) + 0.1
    height = 3.6 + strip + 0.6
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        left, wide = 0.6 / FULL_WIDTH, 4.35 / FULL_WIDTH
        curves = figure.add_axes((left, (strip + 0.85) / height, wide, 3.0 / height))
        draw_accuracy(curves, evidence, concept_class, methods)
        curves.set_title(
            f"Joint accuracy of held-out class {evidence.class_label(concept_class)}", pad=15
        )
        legend_beside(curves)
        times = figure.add_axes((left, 0.5 / height, wide, strip / height), sharex=curves)
        draw_timeline(times, evidence, concept_class, rows)
    return figure


def wrapped(method: Method) -> str:
    """A method's label in lines short enough for a legend beside the panel."""
    return textwrap.fill(method.label, 24)


def draw_accuracy(
    axes: Axes,
    evidence: Evidence,
    concept_class: str,
    methods: Sequence[Method],
    window: bool = True,
) -> None:
    """Curves of joint accuracy with their intervals, seeds thin, and the window shaded."""
    looks = method_looks(evidence)
    step_axis(axes, evidence.steps, label=False)
    share_axis(axes, "joint accuracy")
    if window:
        shade_window(axes, evidence, concept_class)
    axes.axhline(float(THRESHOLD), color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
    _draw_reference(axes, evidence)
    for method in methods:
        band = evidence.accuracy(concept_class, method.name)
        if band is not None:
            _draw_band(axes, evidence.steps, band, looks[method.name], method)
    if not methods:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=GREY)


def _draw_band(axes: Axes, steps: np.ndarray, band: Band, look: Look, method: Method) -> None:
    control = method.kind == "control"
    if not control:
        axes.fill_between(steps, band.low, band.high, color=look.colour, alpha=0.17, lw=0, zorder=2)
        for row in band.per_seed if len(band.per_seed) > 1 else ():
            axes.plot(steps, row, color=look.colour, lw=0.5, alpha=0.35, zorder=3)
    axes.plot(
        steps, band.mean, **look.line(), marker=look.marker, ms=3.0 if control else 4.0,
        mfc=look.colour if control else "white", mec=look.colour, mew=0.9,
        markevery=max(len(steps) // 12, 1), label=wrapped(method), zorder=4 if control else 6,
    )  # fmt: skip


def _draw_reference(axes: Axes, evidence: Evidence) -> None:
    bands = [evidence.accuracy(name) for name in evidence.training]
    curves = [band.mean for band in bands if band is not None]
    if curves:
        mean = nan_mean(np.stack(curves, axis=-1))
        label = "training classes, naive"
        axes.plot(evidence.steps, mean, **REFERENCE_LOOK.line(), label=label, zorder=3)


def window_of(evidence: Evidence, concept_class: str) -> tuple[float, float, bool] | None:
    """The hidden-capability window: where it opens, where it closes, and whether it is still open.

    It opens at the earliest median emergence of an elicitation and closes at the naive one.
    """
    naive = evidence.finding(concept_class, "emergence", THRESHOLD, NAIVE)
    opens = []
    for method in evidence.methods_of_kind("elicitation"):
        found = evidence.finding(concept_class, "emergence", THRESHOLD, method.name)
        if found and found.get("median") is not None:
            opens.append(float(found["median"]))
    if not opens or not naive:
        return None
    closes = naive.get("median")
    end = float(evidence.steps[-1]) if closes is None else float(closes)
    return (min(opens), end, closes is None) if end > min(opens) else None


def shade_window(axes: Axes, evidence: Evidence, concept_class: str, words: bool = True) -> None:
    """Shade the hidden-capability window and name it."""
    window = window_of(evidence, concept_class)
    if window is None:
        return
    opens, closes, still_open = window
    edge = axes.get_xlim()[1] if still_open else closes
    axes.axvspan(opens, edge, color=WINDOW_COLOUR, lw=0, zorder=0)
    axes.axvline(opens, color="#C8B75A", lw=0.8, zorder=0.5)
    if not still_open:
        axes.axvline(closes, color="#C8B75A", lw=0.8, zorder=0.5)
    share = (edge - opens) / max(axes.get_xlim()[1], 1)
    if words and share > 0.1:
        # above the panel, where no curve can run through it
        said = "hidden-capability window" if share > 0.45 else "hidden window"
        axes.annotate(
            said + (" →" if still_open else ""), (opens, 1), xytext=(0, 2), fontsize=SMALL,
            xycoords=("data", "axes fraction"), textcoords="offset points", color="#6E6110",
        )  # fmt: skip


def draw_timeline(
    axes: Axes, evidence: Evidence, concept_class: str, rows: Sequence[Method]
) -> None:
    """One row each: when it first works in the median seed, its interval, and every seed."""
    looks = method_looks(evidence)
    names = ["turn"]
    shade_window(axes, evidence, concept_class, words=False)
    for turn in evidence.turns(concept_class):
        ends = turn.get("interval") or (turn["step"], turn["step"])
        axes.plot(ends, (0, 0), color=INK, lw=5, solid_capstyle="butt")
        axes.plot(ends, (0, 0), color=YELLOW, lw=3.6, solid_capstyle="butt")
        axes.plot(turn["step"], 0, "*", ms=11, mfc=YELLOW, mec=INK, mew=0.8, zorder=5)
    if not evidence.turns(concept_class):
        axes.text(
            evidence.steps[0], 0, "  none beyond noise", va="center", color=GREY, fontsize=SMALL
        )
    for row, method in enumerate(rows, start=1):
        found = evidence.finding(concept_class, "emergence", THRESHOLD, method.name)
        names.append(_time_label(method, found))
        if found:
            _draw_time(axes, row, found, looks[method.name])
    axes.set_yticks(range(len(names)), names)
    axes.yaxis.tick_right()
    axes.tick_params(axis="y", length=0, pad=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"training step (first of 3 checkpoints with accuracy ≥ {THRESHOLD})")


def _draw_time(axes: Axes, row: int, found: dict, look: Look) -> None:
    edge = axes.get_xlim()[1]
    low, high = found.get("interval") or (None, None)
    if low is not None:
        ends = (low, edge if high is None else high)
        shade = tint(look.colour, 0.45)
        axes.plot(ends, (row, row), color=shade, lw=3.5, solid_capstyle="butt")
    for step in found["per_seed"]:
        if step is not None:
            axes.plot(step, row, "|", ms=8, mec=look.colour, mew=1.0)
    if found.get("median") is not None:
        axes.plot(found["median"], row, look.marker, ms=5.5, mfc="white", mec=look.colour, mew=1.5)
    if None in found["per_seed"]:
        axes.plot(edge, row, ">", ms=6, color=look.colour, clip_on=False, zorder=5)


def _time_label(method: Method, found: Mapping[str, Any] | None) -> str:
    """A row's label; with how many seeds never got there, where there are such."""
    never = sum(step is None for step in found["per_seed"]) if found else 0
    if not found or not never:
        return method.label
    end = thousands(found["censored_at"])
    return f"{method.label}\n{never} of {len(found['per_seed'])} not by step {end}"


def concept_accuracy_figure(evidence: Evidence, concept_class: str) -> Figure:
    """Accuracy of each concept on its own, one panel a method: naive first."""
    methods = [
        method
        for method in evidence.methods
        if method.kind != "control"
        and np.isfinite(evidence.concept_accuracy(concept_class, method.name)).any()
    ]
    with drawing():
        columns = max(len(methods), 1)
        figure = new_figure(FULL_WIDTH, 3.1)
        cells = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left=0.09, right=0.985, top=0.75, bottom=0.16, wspace=0.1)
        for axes, method in zip(cells, methods):
            _draw_concepts(axes, evidence, concept_class, method)
        if not methods:
            panel_message(cells[0], "no per-concept accuracy was measured")
        for axes in cells[1:]:
            axes.set_ylabel("")
        handles, labels = cells[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="upper left", ncols=6, bbox_to_anchor=(0.08, 0.945),
            columnspacing=1.4,
        )  # fmt: skip
        title = f"Each concept of class {evidence.class_label(concept_class)} on its own"
        if evidence.finding(concept_class, "learning_time", THRESHOLD):
            title += " (large marker: learned, median seed)"
        figure.text(0.09, 0.985, title, va="top", fontsize=9.5)
    return figure


def _draw_concepts(axes: Axes, evidence: Evidence, concept_class: str, method: Method) -> None:
    values = evidence.concept_accuracy(concept_class, method.name)
    for index, concept in enumerate(evidence.concepts):
        look = concept_look(index)
        mean = nan_mean(np.moveaxis(values[..., index], 0, -1))
        for row in values[..., index] if len(values) > 1 else ():
            axes.plot(evidence.steps, row, color=look.colour, lw=0.5, alpha=0.35)
        axes.plot(evidence.steps, mean, **look.line(), label=concept)
        if method.name == NAIVE:
            found = evidence.finding(concept_class, "learning_time", THRESHOLD, concept)
            if found and found.get("median") is not None:
                axes.plot(
                    found["median"], float(THRESHOLD), look.marker, ms=7, mfc="white",
                    mec=look.colour, mew=1.6, zorder=6,
                )  # fmt: skip
    axes.axhline(float(THRESHOLD), color=GREY, lw=0.8, ls=(0, (1, 2)), zorder=1)
    step_axis(axes, evidence.steps)
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=4)
    share_axis(axes, "accuracy")
    axes.set_title(method.label, fontsize=8.5, pad=4)


def concept_look(index: int) -> Look:
    """How a concept's own curve is drawn."""
    looks = (*METHOD_LOOKS, *HELD_OUT_LOOKS)
    chosen = looks[index % len(looks)]
    return Look(chosen.colour, chosen.dash if index else "-", chosen.marker, 1.7)
