"""Every figure of a run, and writing them as PNG and SVG whose bytes depend on the data alone."""

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import accuracy_figure, concept_accuracy_figure
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.losses import comparison_figure, loss_figure, speed_figure
from conceptspace.figures.quality import decodability_figure, off_manifold_figure, probe_figure
from conceptspace.figures.samples import class_samples, elicitation_samples
from conceptspace.figures.signal import signal_figure
from conceptspace.figures.trajectories import trajectory_figure

DOTS_PER_INCH = 200
MOST_HELD_OUT = 6
"""Figures of one held-out class are drawn for at most so many of them."""


def draw_all(evidence: Evidence, names: Collection[str] | None = None) -> dict[str, Figure]:
    """Every figure that the evidence allows, by file name without its ending.

    Args:
        evidence: what is drawn.
        names: draw only these of `figure_names`.
    """
    drawn = _drawings(evidence)
    return {name: draw() for name, draw in drawn.items() if names is None or name in names}


def figure_names(evidence: Evidence) -> list[str]:
    """The names of every figure that the evidence allows."""
    return list(_drawings(evidence))


def _drawings(evidence: Evidence) -> Mapping[str, Callable[[], Figure]]:
    """What draws each figure, by its name."""
    figures = {"trajectories": partial(trajectory_figure, evidence)}
    several = len(evidence.held_out) > 1
    for name in evidence.held_out[:MOST_HELD_OUT]:
        end = f"_{name}" if several else ""
        figures[f"accuracy{end}"] = partial(accuracy_figure, evidence, name)
        figures[f"concept_accuracy{end}"] = partial(concept_accuracy_figure, evidence, name)
        figures[f"comparison{end}"] = partial(comparison_figure, evidence, name)
        figures[f"off_manifold{end}"] = partial(off_manifold_figure, evidence, name)
        for seed in evidence.seeds[:1]:
            figures[f"samples{end}"] = partial(elicitation_samples, evidence, name, seed)
    for seed in evidence.seeds[:1]:
        figures["samples_classes"] = partial(class_samples, evidence, seed)
    figures["losses"] = partial(loss_figure, evidence)
    figures["speed"] = partial(speed_figure, evidence)
    signal = evidence.findings.get("signal") or {}
    figures["signal"] = partial(signal_figure, signal, evidence.examples)
    figures["probe"] = partial(probe_figure, evidence)
    figures["decodability"] = partial(decodability_figure, evidence)
    return figures


def save_figures(figures: Mapping[str, Figure], folder: Path | str) -> list[Path]:
    """Write NAME.png and NAME.svg for each figure; each appears whole or not at all.

    Args:
        figures: by name.
        folder: made if it is not there.

    Returns:
        The files written, in order.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        for ending in ("png", "svg"):
            path = folder / f"{name}.{ending}"
            partial = folder / f".{name}.{ending}.partial"
            save_figure(figure, partial, ending)
            with open(partial, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
            written.append(path)
    return written


def save_figure(
    figure: Figure, path: Path | BinaryIO, ending: str, dots_per_inch: int = DOTS_PER_INCH
) -> None:
    """Write one figure without a date or a version, and with the same ids in every SVG."""
    FigureCanvasAgg(figure)
    nothing = {"Software": None} if ending == "png" else {"Date": None, "Creator": None}
    with matplotlib.rc_context({"svg.hashsalt": "conceptspace", "svg.fonttype": "path"}):
        figure.savefig(path, format=ending, dpi=dots_per_inch, metadata=nothing)
