"""Paths in concept space: where each class is at each checkpoint, and where a held-out class turns.

After Park et al. 2024, figures 3 and 4: two concepts span a square, each class has its corner.
"""

import itertools
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from conceptspace.figures.evidence import Evidence
from conceptspace.figures.plane import class_looks, draw_plane, time_shades
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    PALE,
    SMALL,
    YELLOW,
    drawing,
    legend_beside,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
    thousands,
    tint,
)

MOST_CLASSES = 12
"""More classes than this in one plane cannot be told apart."""
FEW_PLANES = 6
"""Up to so many planes are drawn large enough for corner pictures."""


def shown_classes(evidence: Evidence) -> list[str]:
    """The classes a figure shows: all, or with many the nearest and farthest held-out ones."""
    if len(evidence.classes) <= MOST_CLASSES:
        return evidence.classes
    trained = evidence.training[: MOST_CLASSES - min(len(evidence.held_out), 4)]
    room = MOST_CLASSES - len(trained)
    ranked = sorted(evidence.held_out, key=lambda name: float(evidence.corner(name).sum()))
    ends = ranked[: room - room // 2] + ranked[len(ranked) - room // 2 :]
    return trained + [name for name in evidence.held_out if name in ends]


def trajectory_figure(evidence: Evidence, classes: Sequence[str] | None = None) -> Figure:
    """Every class's path, in one plane for each pair of concepts.

    Args:
        evidence: what to draw.
        classes: the classes to show; by default all, or the outermost where there are many.
    """
    shown = list(classes) if classes is not None else shown_classes(evidence)
    pairs = list(itertools.combinations(range(len(evidence.concepts)), 2))
    with drawing():
        if not pairs:
            return _one_axis_figure(evidence, shown)
        if len(pairs) == 1:
            figure = new_figure(FULL_WIDTH, 5.5)
            axes = _axes_in_inches(figure, 1.0, 1.05, 3.35, 3.35)
            draw_plane(axes, evidence, (0, 1), shown)
            key = _axes_in_inches(figure, 5.35, 0.15, 1.8, 5.2)
        else:
            figure, planes, key = _grid(len(pairs))
            for axes, pair in zip(planes, pairs):
                size = 0.19 if len(pairs) <= FEW_PLANES else 0
                draw_plane(axes, evidence, pair, shown, picture=size, words=False)
        _legend(figure, key, evidence, shown)
    return figure


def _grid(number: int) -> tuple[Figure, list[Axes], Axes]:
    """A figure with a plane for each pair of concepts and one more cell for the legend."""
    columns = 2 if number <= FEW_PLANES else 3
    rows = -(-(number + 1) // columns)
    wide = FULL_WIDTH / columns
    # two columns leave room for corner pictures, three do not
    left, side, above = (0.85, wide - 1.45, 0.68) if columns == 2 else (0.78, wide - 0.92, 0.2)
    tall = side + 0.72 + above
    extra = 0.0 if columns == 2 else 1.7  # a long legend, below its row's height
    height = max(rows * tall, 3.5) + extra
    figure = new_figure(FULL_WIDTH, height)
    corners = [
        (number % columns * wide + left, height - (number // columns + 1) * tall + 0.72)
        for number in range(number + 1)
    ]
    planes = [_axes_in_inches(figure, x, y, side, side) for x, y in corners[:-1]]
    x, y = corners[-1]
    key = _axes_in_inches(figure, x - 0.3, y - 0.6 - extra, wide - 0.6, side + 0.9 + extra)
    return figure, planes, key


def _axes_in_inches(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> Axes:
    wide, tall = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / tall, width / wide, height / tall))


def _legend(figure: Figure, axes: Axes, evidence: Evidence, classes: Sequence[str]) -> None:
    axes.set_axis_off()
    looks = class_looks(evidence, classes)
    handles: list[Line2D | Patch] = []
    for name in classes:
        look, label = looks[name], evidence.class_label(name)
        marker = look.marker if name in evidence.held_out else ""
        handles.append(Line2D([], [], **look.line(), marker=marker, ms=5, mfc="white", label=label))
    if len(evidence.seeds) > 1:
        handles.append(Line2D([], [], color=GREY, lw=0.7, label="one seed"))
    if any(name in evidence.held_out for name in classes):
        handles.append(Patch(fc=PALE, label="95 % interval"))
    trained = [step for step in evidence.steps if step > 0] or list(evidence.steps)
    start = f"start (step {thousands(trained[0])})"
    square = {"ls": "", "marker": "s", "ms": 6, "mfc": "white", "mec": INK}
    handles.append(Line2D([], [], **square, label=start))
    handles += _turn_handles(evidence, [name for name in classes if name in evidence.held_out])
    hidden = len(evidence.classes) - len(classes)
    title = "dashed: trained on" + ("\nsolid: held out" if evidence.held_out else "")
    legend = axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 1), handlelength=2.6,
        labelspacing=0.75 if len(handles) < 10 else 0.45, borderaxespad=0, alignment="left",
        title=title + (f"\n{hidden} more classes not shown" if hidden else ""),
        title_fontsize=SMALL,
    )  # fmt: skip
    if evidence.held_out:
        figure.draw_without_rendering()  # so that the strip can go right below the legend
        box = legend.get_window_extent().transformed(axes.transAxes.inverted())
        _time_key(axes, evidence, box.y0)


def _turn_handles(evidence: Evidence, classes: Sequence[str]) -> list[Line2D]:
    turns = [turn for name in classes for turn in evidence.turns(name)]
    if not turns:
        return [Line2D([], [], ls="", label="no turn beyond noise")] if classes else []
    said = turn_words(turns[0]) if len(turns) == 1 else "turn and its interval"
    return [Line2D([], [], color=YELLOW, lw=5, marker="*", ms=13, mec=INK, mfc=YELLOW, label=said)]


def _time_key(axes: Axes, evidence: Evidence, below: float) -> None:
    """A strip, below a height, that says which shade of dot is early and which late."""
    tall = axes.get_window_extent().height / axes.figure.dpi
    strip = axes.inset_axes((0.02, below - 0.52 / tall, 0.9, 0.13 / tall))
    shades = [[to_rgb(shade) for shade in time_shades(64, GREY)]]
    strip.imshow(shades, aspect="auto", extent=(0, 1, 0, 1))
    strip.set_yticks([])
    strip.set_xticks([0, 1], [thousands(evidence.steps[0]), thousands(evidence.steps[-1])])
    for label, side in zip(strip.get_xticklabels(), ("left", "right")):
        label.set_horizontalalignment(side)
    strip.set_title("dots: step of the checkpoint", fontsize=SMALL, pad=3)


def _one_axis_figure(evidence: Evidence, classes: Sequence[str]) -> Figure:
    """With a single concept there is no plane: its coordinate over steps."""
    figure = new_figure(FULL_WIDTH, 3)
    axes = figure.add_axes((0.1, 0.17, 0.62, 0.75))
    looks = class_looks(evidence, classes)
    for name in classes:
        mean, low, high = (part[:, 0] for part in evidence.mean_coordinates(name))
        axes.fill_between(evidence.steps, low, high, color=tint(looks[name].colour, 0.2), lw=0)
        axes.plot(evidence.steps, mean, **looks[name].line(), label=evidence.class_label(name))
    if not classes:
        panel_message(axes, "no class was measured")
    share_axis(axes, evidence.concepts[0])
    step_axis(axes, evidence.steps)
    legend_beside(axes)
    return figure


def turn_words(turn: dict, concept_class: str = "") -> str:
    """A turn in words for a legend: its step and the interval of it."""
    said = f"{concept_class} turn, step {thousands(turn['step'])}".strip()
    ends = turn.get("interval")
    if ends and None not in ends:
        said += f"\n({thousands(ends[0])} to {thousands(ends[1])})"
    return said
