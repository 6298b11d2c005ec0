"""How far the measurements can be trusted, and what is decodable inside the model.

The probe's errors and calibration, the share of samples off-manifold, and the accuracy of a linear
read-out at each conditioning site.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conceptspace.figures.accuracy import concept_look, method_looks, wrapped
from conceptspace.figures.evidence import Evidence, numbers
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    METHOD_LOOKS,
    TRAINING_LOOKS,
    drawing,
    legend_beside,
    new_figure,
    panel_message,
    share_axis,
    step_axis,
)


def probe_figure(evidence: Evidence) -> Figure:
    """A confusion table for each concept, and the probe's calibration."""
    probe = evidence.findings.get("probe") or {}
    confusion = {k: v for k, v in (probe.get("confusion") or {}).items() if v}
    with drawing():
        columns = len(confusion) + 1
        figure = new_figure(FULL_WIDTH, 2.6 if columns <= 3 else 2.6 * -(-columns // 3))
        across = min(columns, 3)
        cells = figure.subplots(-(-columns // across), across, squeeze=False).ravel()
        figure.subplots_adjust(left=0.1, right=0.98, top=0.88, bottom=0.18, wspace=0.45, hspace=0.6)
        for axes, (concept, matrix) in zip(cells, confusion.items()):
            draw_confusion(axes, numbers(matrix), concept, evidence.words(concept))
        draw_calibration(cells[columns - 1], probe.get("calibration") or {})
        for axes in cells[columns:]:
            axes.set_axis_off()
    return figure


def draw_confusion(axes: Axes, matrix: np.ndarray, concept: str, words: list[str]) -> None:
    """One concept's confusion table: rows are what is shown, columns what the probe read."""
    total = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, total, out=np.zeros_like(matrix), where=total > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.25)
    for i, j in itertools.product(*map(range, share.shape)):
        colour = "white" if share[i, j] > 0.6 else INK
        said = f"{100 * share[i, j]:.1f} %"
        axes.text(j, i, said, ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(words)), words)
    axes.set_yticks(range(len(words)), words, rotation=90, va="center")
    axes.tick_params(length=0)
    axes.set_xlabel("read by the probe")
    axes.set_ylabel("shown")
    axes.set_title(concept)


def draw_calibration(axes: Axes, calibration: Mapping[str, Any]) -> None:
    """Accuracy of the probe against its confidence, with the share of samples in each bin."""
    known = {name: found for name, found in calibration.items() if found}
    if not known:
        panel_message(axes, "calibration was not measured")
        return
    axes.plot((0, 1), (0, 1), color=GREY, lw=0.8, ls=":")
    low = 1.0
    for index, (name, found) in enumerate(known.items()):
        look = concept_look(index)
        confidence, accuracy = numbers(found["confidence"]), numbers(found["accuracy"])
        kept = np.isfinite(confidence) & np.isfinite(accuracy)
        share = numbers(found.get("share"), np.ones_like(confidence))[kept]
        axes.plot(confidence[kept], accuracy[kept], **look.line(), zorder=2)
        axes.scatter(
            confidence[kept], accuracy[kept], s=12 + 90 * np.sqrt(share), marker=look.marker,
            fc="white", ec=look.colour, lw=1.3, zorder=3,
            label=f"{name} (error {found.get('error') or 0:.3f})",
        )  # fmt: skip
        low = min([low, *confidence[kept], *accuracy[kept]])
    start = max(np.floor(10 * low) / 10 - 0.05, -0.03)
    axes.set_xlim(start, 1.03)
    axes.set_ylim(start, 1.03 + 0.22 * (1.03 - start))
    axes.set_yticks([tick for tick in axes.get_yticks() if start <= tick <= 1.001])
    axes.set_xlabel("confidence")
    axes.set_ylabel("accuracy")
    axes.set_title("Calibration")
    axes.legend(loc="upper left", markerscale=0.6, handletextpad=0.1, borderaxespad=0.1)


def decodability_figure(evidence: Evidence) -> Figure:
    """How well a linear read-out finds each concept at each conditioning site."""
    found = {site: by for site, by in (evidence.findings.get("decodability") or {}).items() if by}
    with drawing():
        figure = new_figure(FULL_WIDTH, 3.0)
        if not found:
            panel_message(figure.add_subplot(), "decodability was not measured")
            return figure
        cells = figure.subplots(1, len(evidence.concepts), sharey=True, squeeze=False)[0]
        figure.subplots_adjust(left=0.08, right=0.76, top=0.88, bottom=0.17, wspace=0.12)
        for axes, concept in zip(cells, evidence.concepts):
            for index, (site, by_concept) in enumerate(found.items()):
                if by_concept.get(concept):
                    _draw_site(axes, evidence, site, by_concept[concept], index, len(found))
            step_axis(axes, evidence.steps)
            if axes.get_xscale() == "linear":
                axes.locator_params(axis="x", nbins=4)
            axes.set_ylim(-0.03, 1.05)
            axes.axhline(0.5, color=GREY, lw=0.8, ls=":")
            axes.set_title(concept)
        cells[0].set_ylabel("accuracy of a linear read-out")
        legend_beside(cells[-1])
    return figure


def _draw_site(
    axes: Axes, evidence: Evidence, site: str, found: dict, index: int, num: int
) -> None:
    looks = METHOD_LOOKS + TRAINING_LOOKS
    look = looks[index % len(looks)]
    mean = numbers(found["mean"])
    if found.get("interval") and num <= 4:
        ends = numbers(found["interval"])
        axes.fill_between(
            evidence.steps, ends[:, 0], ends[:, 1], color=look.colour, alpha=0.13, lw=0
        )
    axes.plot(
        evidence.steps, mean, **look.line(), marker=look.marker, ms=3.5, label=site,
        markevery=(index, max(len(evidence.steps) // 6, 1)),
    )  # fmt: skip


def off_manifold_figure(evidence: Evidence, concept_class: str) -> Figure:
    """Share of samples of a held-out class that G could not have drawn, by method."""
    looks = method_looks(evidence)
    with drawing():
        figure = new_figure(FULL_WIDTH, 2.9)
        axes = figure.add_axes((0.09, 0.17, 0.6, 0.72))
        shown = False
        for method in evidence.methods:
            share = evidence.off_manifold(concept_class, method.name)
            if share is not None and np.isfinite(share).any():
                axes.plot(evidence.steps, share, **looks[method.name].line(), label=wrapped(method))
                shown = True
        if not shown:
            panel_message(axes, "off-manifold shares were not measured")
            return figure
        step_axis(axes, evidence.steps)
        share_axis(axes, "share off-manifold")
        axes.set_title(f"Samples of {evidence.class_label(concept_class)} off the manifold")
        legend_beside(axes)
    return figure
