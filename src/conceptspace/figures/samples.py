"""Sample pictures over training: what the curves are made of, for the eye to check."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from conceptspace.figures.evidence import NAIVE, Evidence
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    PALE,
    SMALL,
    VERMILLION,
    drawing,
    new_figure,
    panel_message,
    thousands,
)

NUM_COLUMNS = 8
SIDE = 2
"""Pictures along each side of a cell."""


def sample_figure(
    evidence: Evidence, rows: Sequence[tuple[str, str]], seed: int, title: str
) -> Figure:
    """A grid of samples: one row for each (class, method), one column for each checkpoint shown.

    Each cell shows the first four samples and, below them, the joint accuracy of that checkpoint.
    """
    rows = [row for row in rows if any(_has(evidence, seed, step, row) for step in evidence.steps)]
    with drawing():
        if not rows:
            figure = new_figure(FULL_WIDTH, 1)
            panel_message(figure.add_subplot(), "no sample pictures were kept")
            return figure
        steps = spread_steps([s for s in evidence.steps if _has(evidence, seed, s, rows[0])])
        left, cell, gap = 1.25, (FULL_WIDTH - 1.3) / NUM_COLUMNS, 0.06
        tall = cell + 0.17
        height = 0.62 + tall * len(rows)
        figure = new_figure(FULL_WIDTH, height)
        figure.text(0.08 / FULL_WIDTH, 1 - 0.07 / height, title, va="top", fontsize=9.5)
        for row, (name, method) in enumerate(rows):
            top = height - 0.52 - row * tall
            said = _row_words(evidence, name, method)
            figure.text(
                0.08 / FULL_WIDTH, (top - cell / 2) / height, said, va="center", fontsize=SMALL
            )
            for column, step in enumerate(steps):
                box = (left + column * cell, top - cell + gap, cell - gap, cell - gap)
                scaled = (
                    box[0] / FULL_WIDTH,
                    box[1] / height,
                    box[2] / FULL_WIDTH,
                    box[3] / height,
                )
                _draw_cell(figure.add_axes(scaled), evidence, seed, step, name, method)
                if row == 0:
                    x, y = (box[0] + box[2] / 2) / FULL_WIDTH, (top + 0.03) / height
                    said = ("step " if column == 0 else "") + thousands(step)
                    figure.text(x, y, said, ha="center", va="bottom", fontsize=SMALL)
    return figure


def elicitation_samples(evidence: Evidence, concept_class: str, seed: int) -> Figure:
    """Samples of a held-out class: naive, then every elicitation."""
    methods = [m.name for m in evidence.methods if m.kind != "control"]
    title = f"Samples of held-out class {evidence.class_label(concept_class)}, seed {seed}"
    return sample_figure(evidence, [(concept_class, m) for m in methods], seed, title)


def class_samples(evidence: Evidence, seed: int) -> Figure:
    """Naive samples of every class, at most eight of them."""
    rows = [(name, NAIVE) for name in evidence.classes[:8]]
    return sample_figure(evidence, rows, seed, f"Naive samples of each class, seed {seed}")


def spread_steps(steps: Sequence[int], number: int = NUM_COLUMNS) -> list[int]:
    """At most `number` of the steps, evenly spread over the checkpoints, both ends included."""
    places = np.linspace(0, len(steps) - 1, min(number, len(steps)))
    return [int(steps[i]) for i in np.unique(np.round(places).astype(int))]


def montage(pictures: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The first side x side pictures (num, height, width, channel) as one, a white line between."""
    shown = pictures[: side * side]
    _, tall, wide, channels = shown.shape
    sheet = np.full((side * (tall + 1) - 1, side * (wide + 1) - 1, channels), 255, dtype=np.uint8)
    for index, picture in enumerate(shown):
        y, x = (index // side) * (tall + 1), (index % side) * (wide + 1)
        sheet[y : y + tall, x : x + wide] = picture
    return sheet


def _draw_cell(axes, evidence: Evidence, seed: int, step: int, name: str, method: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    pictures = evidence.picture(seed, step, name, method)
    held_out = name in evidence.held_out
    if pictures is not None:
        axes.imshow(montage(pictures), interpolation="nearest")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.8)
        spine.set_color(PALE if pictures is None else INK)
    value = _accuracy_at(evidence, seed, step, name, method)
    if value is not None:
        good = value >= 0.8
        axes.set_xlabel(
            f"{100 * value:.0f} %", fontsize=SMALL, labelpad=1.5,
            fontweight="bold" if good else "normal",
            color=GREY if not good else (VERMILLION if held_out and method == NAIVE else INK),
        )  # fmt: skip


def _accuracy_at(evidence: Evidence, seed: int, step: int, name: str, method: str) -> float | None:
    band = evidence.accuracy(name, method)
    if band is None or len(band.per_seed) != len(evidence.seeds):
        return None
    at = int(np.flatnonzero(evidence.steps == step)[0])
    value = float(band.per_seed[evidence.seeds.index(seed), at])
    return value if np.isfinite(value) else None


def _has(evidence: Evidence, seed: int, step: int, row: tuple[str, str]) -> bool:
    return evidence.picture(seed, step, *row) is not None


def _row_words(evidence: Evidence, name: str, method: str) -> str:
    labels = {entry.name: entry.label for entry in evidence.methods}
    held_out = "held out" if name in evidence.held_out else "trained on"
    lines = (evidence.class_label(name), labels.get(method, method), f"({held_out})")
    return "\n".join(textwrap.fill(line, 19) for line in lines)
