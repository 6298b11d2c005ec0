"""The course of a run under each variant, and a table of what remained."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from conceptspace.figures.style import (
    FULL_WIDTH,
    GREEN,
    GREY,
    INK,
    METHOD_LOOKS,
    NAIVE_LOOK,
    SMALL,
    VERMILLION,
    Look,
    drawing,
    new_figure,
    panel_message,
    step_axis,
    thousands,
    tint,
)

COLUMNS = 4
PANEL_HEIGHT, ROW_HEIGHT = 1.42, 0.24
"""Inches, of a row of panels with its title and of a row of the table."""
TOP, BETWEEN, BOTTOM = 0.34, 0.2, 0.06
"""Inches above the panels, between them and the table, and below it."""
VERDICT_COLOURS = {"holds": GREEN, "does not hold": VERMILLION, "inconclusive": GREY}
COORDINATE_LOOK = Look(INK, (0, (1.2, 1.2)), "", 1.5)
NAIVE = "naive"


def robustness_figure(variants: Sequence[Mapping[str, Any]], claims: Sequence[str]) -> Figure:
    """A panel for each variant that was run, and the table of all.

    Args:
        variants: for each `label`, `setting`, `claims` with their `verdict` and `value`, `learned`,
            `gamma`, and, unless it could not be measured, `curves`.
        claims: ids of the table's columns.
    """
    shown = [row for row in variants if _has_panel(row)]
    num_rows = -(-len(shown) // COLUMNS)
    table = ROW_HEIGHT * (len(variants) + 2)
    height = TOP + num_rows * PANEL_HEIGHT + BETWEEN + table + BOTTOM
    several = len({row["setting"] for row in variants}) > 1
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        for number, row in enumerate(shown):
            line, column = divmod(number, COLUMNS)
            top = height - TOP - line * PANEL_HEIGHT
            box = (0.065 + 0.24 * column, (top - PANEL_HEIGHT + 0.38) / height, 0.2, 0.86 / height)
            axes = figure.add_axes(box)
            _draw_course(axes, row, several, column == 0)
            if number + COLUMNS >= len(shown):
                axes.set_xlabel("training step", fontsize=SMALL, labelpad=2)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="upper left", bbox_to_anchor=(0.04, 1 - 0.04 / height), ncols=4,
            handlelength=2.4, columnspacing=1.2, fontsize=SMALL,
        )  # fmt: skip
        box = (0.02, BOTTOM / height, 0.96, table / height)
        _draw_table(figure.add_axes(box), variants, claims, several)
    return figure


def _has_panel(row: Mapping[str, Any]) -> bool:
    """What is made of the baseline's trajectory looks like the baseline."""
    return row["origin"] != "the baseline's trajectory"


def _name(row: Mapping[str, Any], several: bool) -> str:
    return f"{row['label']}, {row['setting']}" if several else str(row["label"])


def _draw_course(axes: Axes, row: Mapping[str, Any], several: bool, is_first: bool) -> None:
    """The held-out class's weaker coordinate, and its accuracy under every method."""
    axes.set_title(_name(row, several), fontsize=SMALL, pad=3)
    curves = row.get("curves")
    if not curves:
        panel_message(axes, "not measured")
        return
    steps = np.array(curves["steps"], dtype=float)
    mean = np.array(curves["coordinate"]["mean"], dtype=float)
    low, high = np.moveaxis(np.array(curves["coordinate"]["interval"], dtype=float), -1, 0)
    trained = steps > 0
    axis = _weaker(row, curves)
    axes.fill_between(
        steps[trained], low[trained, axis], high[trained, axis], color=tint(INK, 0.15), lw=0
    )
    word = "coordinate" if several else f"{curves['concepts'][axis]} coordinate"
    axes.plot(steps[trained], mean[trained, axis], **COORDINATE_LOOK.line(), label=f"{word}, naive")
    methods = [name for name in curves["accuracy"] if name != NAIVE]
    looks = {NAIVE: NAIVE_LOOK, **dict(zip(methods, METHOD_LOOKS))}
    for name in (NAIVE, *methods):
        values = np.array(curves["accuracy"][name], dtype=float)
        label = f"accuracy, {name.replace('latent-', '')}"
        axes.plot(steps[trained], values[trained], **looks[name].line(), label=label)
    step_axis(axes, steps, label=False)
    axes.locator_params(axis="x", nbins=3)
    axes.set_ylim(-0.03, 1.05)
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"] if is_first else ["", "", ""])
    axes.tick_params(labelsize=SMALL - 0.5, pad=2)


def _weaker(row: Mapping[str, Any], curves: Mapping[str, Any]) -> int:
    """Index of the concept whose coordinate C3 looks at; the first where that is not known."""
    known = row["claims"].get("C3", {}).get("controls", {}).get("weaker concept")
    return curves["concepts"].index(known["name"]) if known else 0


def _draw_table(
    axes: Axes, variants: Sequence[Mapping[str, Any]], claims: Sequence[str], several: bool
) -> None:
    """A row for each variant: its verdicts, when the training classes were learned, and gamma."""
    axes.set_xlim(0, 1)
    axes.set_ylim(len(variants) + 2, 0)
    axes.set_axis_off()
    width = 0.178
    lefts = [0.215 + width * number for number in range(len(claims))]
    learned, gamma = lefts[-1] + width + 0.07, lefts[-1] + width + 0.19
    for left, claim in zip(lefts, claims):
        axes.text(left + width / 2, 0.6, claim, ha="center", va="center", weight="bold")
    for x, words in ((learned, "training classes\nlearned at"), (gamma, "γ(0) at the\nstart, end")):
        axes.text(x, 0.6, words, ha="center", va="center", fontsize=SMALL, linespacing=1.1)
    for number, row in enumerate(variants):
        middle = number + 1.9
        axes.text(0.0, middle, _name(row, several), ha="left", va="center", fontsize=SMALL)
        for left, claim in zip(lefts, claims):
            _draw_verdict(axes, (left, middle), width, row, claim)
        words = "not measured" if "curves" not in row else _step(row["learned"])
        axes.text(learned, middle, words, ha="center", va="center", fontsize=SMALL)
        axes.text(gamma, middle, _ends(row["gamma"]), ha="center", va="center", fontsize=SMALL)


def _draw_verdict(
    axes: Axes, place: tuple[float, float], width: float, row: Mapping[str, Any], claim: str
) -> None:
    """A cell in the colour of the verdict, with its word and number."""
    left, middle = place
    if claim not in row["bears_on"]:
        axes.text(
            left + width / 2, middle, "as the baseline", ha="center", va="center", color=GREY,
            fontsize=SMALL,
        )  # fmt: skip
        return
    found = row["claims"].get(claim)
    verdict = found["verdict"] if found else "inconclusive"
    box = Rectangle(
        (left + 0.003, middle - 0.44), width - 0.006, 0.88,
        color=tint(VERDICT_COLOURS[verdict], 0.3), lw=0,
    )  # fmt: skip
    axes.add_patch(box)
    value = found["value"] if found else None
    number = "" if value is None else f"  {_number(value, claim)}"
    axes.text(
        left + width / 2, middle, f"{verdict}{number}", ha="center", va="center", fontsize=SMALL
    )


def _number(value: float, claim: str) -> str:
    """C4's number is a step; the others' are shares and coordinates."""
    return thousands(value) if claim == "C4" else f"{value:.2f}".replace("-", "−")


def _step(value: float | None) -> str:
    return "not by the end" if value is None else thousands(value)


def _ends(gamma: Mapping[str, Any] | None) -> str:
    if gamma is None:
        return "none"
    return f"{gamma['start']:.1f}, {gamma['end']:.1f}".replace("-", "−")
