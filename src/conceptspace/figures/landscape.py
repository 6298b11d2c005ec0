"""The landscape model: simulated paths beside measured ones, in concept space and over time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Real
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from conceptspace.figures.accuracy import concept_look
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    HELD_OUT_LOOKS,
    INK,
    SMALL,
    TRAINING_LOOKS,
    Look,
    drawing,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
)

MOST_MARKS = 30
"""Measured points shown on a path."""


@dataclass(frozen=True)
class LandscapePath:
    """What is drawn of one class.

    Attributes:
        label: the class's name.
        times: of the model, rising; training steps or any other time.
        simulated: the model.
        target: where the model falls to; None leaves it out.
        measured: what was measured, NaN where nothing was; None for a simulation alone.
        measured_times: when that was; the model's times by default.
        held_out: whether the class was held out.
    """

    label: str
    times: Real[np.ndarray, " time"]
    simulated: Real[np.ndarray, "time axis"]
    target: Real[np.ndarray, "time axis"] | None = None
    measured: Real[np.ndarray, "checkpoint axis"] | None = None
    measured_times: Real[np.ndarray, " checkpoint"] | None = None
    held_out: bool = True

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The measured times and coordinates that are marked: not too many, and none if none."""
        if self.measured is None:
            return np.empty(0), np.empty((0, self.simulated.shape[1]))
        times = self.times if self.measured_times is None else self.measured_times
        every = -(-len(times) // MOST_MARKS)
        return times[::every], self.measured[::every]


def landscape_figure(
    paths: Sequence[LandscapePath],
    concepts: Sequence[str],
    note: str = "",
    time: str = "training step",
) -> Figure:
    """Concept space on the left, coordinates of the first held-out class over time on the right.

    Args:
        paths: the classes, in any order.
        concepts: names of the axes; the first two span the plane.
        note: said in the title of the right panel, such as the quality of the fit.
        time: what the times are.
    """
    with drawing():
        figure = new_figure(FULL_WIDTH, 3.5)
        plane = figure.add_axes((0.085, 0.15, 2.4 / FULL_WIDTH, 2.4 / 3.5))
        over_time = figure.add_axes((0.54, 0.15, 0.445, 2.4 / 3.5))
        if not paths:
            panel_message(plane, "nothing was simulated")
            over_time.set_axis_off()
            return figure
        looks = _looks(paths)
        if len(concepts) > 1:
            _draw_plane(plane, paths, concepts, looks)
        else:
            panel_message(plane, "one concept alone\nhas no path in a plane")
        main = next((path for path in paths if path.held_out), paths[0])
        _draw_coordinates(over_time, main, concepts)
        over_time.set_xlabel(time)
        over_time.set_title(f"Class {main.label}" + (f": {note}" if note else ""), fontsize=8.5)
        figure.legend(
            handles=_explained(paths, looks), loc="upper left", bbox_to_anchor=(0.075, 1.0),
            ncols=6, columnspacing=1.2, handlelength=2.4,
        )  # fmt: skip
    return figure


def _looks(paths: Sequence[LandscapePath]) -> list[Look]:
    counts = {True: 0, False: 0}
    looks = []
    for path in paths:
        family = HELD_OUT_LOOKS if path.held_out else TRAINING_LOOKS
        looks.append(family[counts[path.held_out] % len(family)])
        counts[path.held_out] += 1
    return looks


def _draw_plane(
    axes: Axes, paths: Sequence[LandscapePath], concepts: Sequence[str], looks: list[Look]
) -> None:
    axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, ls=":", lw=0.9, ec=GREY, zorder=1))
    for path, look in zip(paths, looks):
        above = 3 if path.held_out else 0  # a held-out class begins as a training class does
        _, points = path.points()
        if len(points):
            axes.plot(
                *points[:, :2].T, ls="", marker=look.marker, ms=3.5,
                mec=look.colour, mfc="none", mew=0.8, clip_on=False, zorder=3 + above,
            )  # fmt: skip
        axes.plot(*path.simulated[:, :2].T, **look.line(), zorder=4 + above)
        axes.plot(*path.simulated[0, :2], "s", ms=4.5, mfc="white", mec=look.colour, zorder=8)
    axes.set_xlim(-0.06, 1.06)
    axes.set_ylim(-0.06, 1.06)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for setter in (axes.set_xticks, axes.set_yticks):
        setter([0, 0.5, 1])
    axes.set_xlabel(concepts[0])
    axes.set_ylabel(concepts[1])


def _draw_coordinates(axes: Axes, path: LandscapePath, concepts: Sequence[str]) -> None:
    for index, concept in enumerate(concepts):
        look = concept_look(index)
        times, points = path.points()
        if len(points):
            axes.plot(
                times, points[:, index], ls="", marker=look.marker,
                ms=3.5, mec=look.colour, mfc="none", mew=0.8,
            )  # fmt: skip
        axes.plot(path.times, path.simulated[:, index], **look.line(), label=concept)
        if path.target is not None:
            label = "target" if index == len(concepts) - 1 else None
            axes.plot(path.times, path.target[:, index], color=GREY, lw=0.9, ls=":", label=label)
    step_axis(axes, path.times)
    share_axis(axes, "coordinate")
    axes.legend(loc="lower right", handlelength=2.6, fontsize=SMALL)


def _explained(paths: Sequence[LandscapePath], looks: list[Look]) -> list[Line2D]:
    handles = [Line2D([], [], **look.line(), label=p.label) for p, look in zip(paths, looks)]
    if any(path.measured is not None for path in paths):
        handles.append(
            Line2D([], [], ls="", marker="o", mfc="none", mec=INK, ms=4, label="measured")
        )
    return handles
