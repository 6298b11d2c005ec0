"""Losses, gamma(0), speed, and the view that sets loss, accuracy and concept space side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import draw_accuracy
from conceptspace.figures.evidence import Evidence, numbers
from conceptspace.figures.plane import class_looks, draw_plane
from conceptspace.figures.style import (
    BLUE,
    FULL_WIDTH,
    GREY,
    VERMILLION,
    YELLOW,
    Look,
    drawing,
    legend_beside,
    new_figure,
    panel_message,
    step_axis,
    tint,
)
from conceptspace.figures.trajectories import shown_classes

LOSS_LOOKS = {
    "train": Look("#4D4D4D", (0, (5, 1.6)), "", 1.6),
    "validation": Look(BLUE, (0, (1.5, 1.2)), "", 1.8),
    "held_out": Look(VERMILLION, "-", "", 1.8),
}
LOSS_WORDS = {"train": "training", "validation": "validation", "held_out": "held-out classes"}


def loss_figure(evidence: Evidence) -> Figure:
    """Training, validation and held-out losses, and the schedule's end gamma(0)."""
    with drawing():
        figure = new_figure(FULL_WIDTH, 2.9)
        cells = figure.subplots(1, 2)
        figure.subplots_adjust(left=0.09, right=0.985, top=0.88, bottom=0.17, wspace=0.25)
        draw_losses(cells[0], evidence)
        cells[0].set_title("Losses")
        draw_gamma(cells[1], evidence)
    return figure


def draw_losses(
    axes: Axes, evidence: Evidence, label: bool = True, turns_of: Sequence[str] | None = None
) -> None:
    """The losses with their intervals, and the turns of some classes; of all by default."""
    shown = False
    for name, found in evidence.findings.get("losses", {}).items():
        mean = numbers((found or {}).get("mean"), np.array([np.nan]))
        if not np.isfinite(mean).any():
            continue
        look = LOSS_LOOKS.get(name, Look(GREY))
        ends = numbers(found.get("interval"), np.stack([mean, mean], axis=-1))
        axes.fill_between(
            evidence.steps, ends[:, 0], ends[:, 1], color=look.colour, alpha=0.15, lw=0
        )
        axes.plot(evidence.steps, mean, **look.line(), label=LOSS_WORDS.get(name, name))
        shown = True
    if not shown:
        panel_message(axes, "no losses were measured")
        return
    step_axis(axes, evidence.steps, label)
    mark_turns(axes, evidence, turns_of)
    axes.set_ylabel(f"loss ({evidence.loss_unit})")
    axes.legend(loc="upper right", handlelength=2.6)


def draw_gamma(axes: Axes, evidence: Evidence) -> None:
    """gamma(0) of every seed: the clock that a learned schedule adds."""
    table = (evidence.findings.get("gamma") or {}).get("0")
    values = numbers(table, np.array([[np.nan]])) if table else np.array([[np.nan]])
    if not np.isfinite(values).any():
        panel_message(axes, "this model has no learned schedule")
        return
    for row in values:
        axes.plot(evidence.steps, row, color=GREY, lw=0.7)
    axes.plot(evidence.steps, np.nanmean(values, axis=0), color="#1A1A1A", lw=1.8)
    step_axis(axes, evidence.steps)
    axes.set_ylabel("γ(0)")
    axes.set_title("End of the noise schedule, −log SNR at t = 0")


def mark_turns(axes: Axes, evidence: Evidence, classes: Sequence[str] | None = None) -> None:
    """A line at each turn of some classes, by default of all, and a band over its interval."""
    shown = evidence.held_out if classes is None else classes
    for index, turn in enumerate(turn for name, turn in all_turns(evidence) if name in shown):
        ends = turn.get("interval")
        if ends and None not in ends:
            axes.axvspan(*ends, color=YELLOW, alpha=0.35, lw=0, zorder=0)
        label = "turn" if index == 0 else None
        axes.axvline(
            turn["step"], color="#8A7A00", lw=1.2, ls=(0, (4, 1, 1, 1)), label=label, zorder=1
        )


def all_turns(evidence: Evidence) -> list[tuple[str, dict[str, Any]]]:
    """Every turn with the class that makes it."""
    return [(name, turn) for name in evidence.held_out for turn in evidence.turns(name)]


def speed_figure(evidence: Evidence) -> Figure:
    """How fast each class moves through concept space."""
    with drawing():
        figure = new_figure(FULL_WIDTH, 2.9)
        axes = figure.add_axes((0.11, 0.17, 0.62, 0.72))
        draw_speed(axes, evidence, shown_classes(evidence))
        axes.set_title("Speed in concept space")
        legend_beside(axes)
    return figure


def draw_speed(axes: Axes, evidence: Evidence, classes: Sequence[str]) -> None:
    """Speed of some classes per thousand steps, with intervals for the held-out ones."""
    looks, shown = class_looks(evidence, classes), False
    for name in classes:
        found: Mapping[str, Any] | None = evidence.finding(name, "speed")
        if not found or not found.get("value"):
            continue
        steps, value = numbers(found["step"]), 1000 * numbers(found["value"])
        if name in evidence.held_out and found.get("interval"):
            ends = 1000 * numbers(found["interval"])
            axes.fill_between(
                steps, ends[:, 0], ends[:, 1], color=tint(looks[name].colour, 0.2), lw=0
            )
        axes.plot(steps, value, **looks[name].line(), label=evidence.class_label(name))
        shown = True
    if not shown:
        panel_message(axes, "speed was not measured")
        return
    step_axis(axes, evidence.steps)
    mark_turns(axes, evidence, [name for name in classes if name in evidence.held_out])
    axes.set_ylim(0, speed_ceiling(evidence))
    axes.set_ylabel("speed per 1000 steps")


def speed_ceiling(evidence: Evidence) -> float:
    """Height of a speed axis, per 1000 steps.

    Between checkpoints that lie close together sampling noise alone makes a large speed, so those
    do not set the scale.
    """
    spacing, highest = np.diff(evidence.steps), 0.0
    for name in evidence.classes:
        found = evidence.finding(name, "speed")
        if found and found.get("value"):
            value = 1000 * numbers(found["value"])
            if len(value) == len(spacing):
                value = value[spacing >= 0.5 * np.median(spacing)]
            highest = max(highest, float(np.max(value[np.isfinite(value)], initial=0.0)))
    return 1.3 * highest or 1.0


def comparison_figure(evidence: Evidence, concept_class: str) -> Figure:
    """Loss and accuracy beside concept space: which of them shows the turn."""
    with drawing():
        figure = new_figure(FULL_WIDTH, 5.4)
        loss = figure.add_axes((0.085, 0.71, 0.41, 0.235))
        accuracy = figure.add_axes((0.085, 0.4, 0.41, 0.235), sharex=loss)
        speed = figure.add_axes((0.085, 0.09, 0.41, 0.235), sharex=loss)
        shown = [*evidence.training[:7], concept_class]
        draw_losses(loss, evidence, label=False, turns_of=[concept_class])
        naive = evidence.methods_of_kind("naive")
        draw_accuracy(accuracy, evidence, concept_class, naive, window=False)
        mark_turns(accuracy, evidence, [concept_class])
        draw_speed(speed, evidence, shown)
        for axes, columns in ((loss, 2), (accuracy, 2), (speed, 4)):
            _legend_above(axes, columns)
            if axes is not speed:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
        loss.set_ylabel(evidence.loss_unit)
        if len(evidence.concepts) > 1:
            plane = figure.add_axes((0.63, 0.32, 1.95 / FULL_WIDTH, 1.95 / 5.4))
            draw_plane(plane, evidence, (0, 1), shown, picture=0.2, words=False)
            figure.text(0.765, 0.86, "Concept space", ha="center", fontsize=9.5)
    return figure


def _legend_above(axes: Axes, columns: int) -> None:
    """A legend above the panel, where it hides no curve."""
    handles, labels = axes.get_legend_handles_labels()
    kept = [(h, label) for h, label in zip(handles, labels) if label != "turn"]
    if not kept:
        return
    axes.legend(
        [h for h, _ in kept], [label.split(" ")[0] if columns > 2 else label for _, label in kept],
        loc="lower left", bbox_to_anchor=(-0.02, 0.97), ncols=columns, handlelength=2.2,
        columnspacing=1.0, labelspacing=0.2, borderaxespad=0.2,
    )  # fmt: skip
