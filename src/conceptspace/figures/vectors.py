"""Runs of the world without images: the plane of concepts beside accuracy over steps."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conceptspace.figures.accuracy import draw_accuracy, method_looks
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.plane import class_looks, draw_plane
from conceptspace.figures.style import (
    FULL_WIDTH,
    INK,
    LARGE,
    REFERENCE_LOOK,
    YELLOW,
    drawing,
    new_figure,
    step_axis,
)

ROW, PLANE, TITLE, GAP, FOOT = 3.5, 2.45, 0.55, 0.42, 0.3
"""Inches: the height of a setting's row, its plane's side, room above it, between its panels of
accuracy, and below all rows."""
PLANE_LEFT, CURVES_LEFT, CURVES_WIDTH = 0.75, 4.95, 2.1


def vectors_figure(settings: Sequence[Evidence], titles: Sequence[str]) -> Figure:
    """A row a setting: the paths of all its classes, and each held-out class's joint accuracy.

    Args:
        settings: what each run found, with two concepts.
        titles: what to write above each.
    """
    height = ROW * len(settings) + FOOT
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, (evidence, title) in enumerate(zip(settings, titles)):
            top = height - ROW * number - TITLE
            plane = _panel(figure, PLANE_LEFT, top - PLANE, PLANE, PLANE)
            draw_plane(plane, evidence, (0, 1), evidence.classes, picture=0)
            figure.text(PLANE_LEFT / FULL_WIDTH, (top + 0.3) / height, title, fontsize=LARGE)
            _class_legend(plane, evidence)
            names = evidence.held_out
            tall = (PLANE - GAP * (len(names) - 1)) / max(len(names), 1)
            for index, name in enumerate(names):
                low = top - PLANE + (len(names) - 1 - index) * (tall + GAP)
                axes = _panel(figure, CURVES_LEFT, low, CURVES_WIDTH, tall)
                _draw_curves(axes, evidence, name, is_last=index == len(names) - 1)
        _method_legend(figure, settings[0])
    return figure


def _panel(figure: Figure, left: float, low: float, width: float, tall: float) -> Axes:
    """A panel whose place is given in inches."""
    wide, high = figure.get_size_inches()
    return figure.add_axes((left / wide, low / high, width / wide, tall / high))


def _draw_curves(axes: Axes, evidence: Evidence, name: str, *, is_last: bool) -> None:
    """Joint accuracy of a held-out class, naively and elicited."""
    shown = [m for m in evidence.methods if m.kind != "control"]
    shown = [m for m in shown if evidence.accuracy(name, m.name) is not None]
    draw_accuracy(axes, evidence, name, shown, window=False)
    axes.set_title(f"Class {evidence.class_label(name)}", pad=4)
    axes.set_yticks([0, 0.4, 0.8])
    step_axis(axes, evidence.steps, label=is_last)
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=4)


def _class_legend(plane: Axes, evidence: Evidence) -> None:
    """Which line is which class, beside the plane."""
    handles = []
    for name, look in class_looks(evidence).items():
        words = f"{name}, held out" if name in evidence.held_out else name
        handles.append(Line2D([], [], **look.line(), label=words))
    if any(evidence.turns(name) for name in evidence.held_out):
        star = {"marker": "*", "ms": 11, "mfc": YELLOW, "mec": INK}
        handles.append(Line2D([], [], ls="", label="turn", **star))
    plane.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), handlelength=2.4)


def _method_legend(figure: Figure, evidence: Evidence) -> None:
    """Which curve is which way of prompting, below all panels."""
    looks = method_looks(evidence)
    handles = [
        Line2D([], [], **look.line(), marker=look.marker, ms=4, mfc="white", label=method.label)
        for method in evidence.methods
        if method.kind != "control"
        for look in [looks[method.name]]
    ]
    handles.append(Line2D([], [], **REFERENCE_LOOK.line(), label="training classes, naive"))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.03, 0.0), ncols=4, handlelength=2.4,
        columnspacing=1.2,
    )  # fmt: skip
