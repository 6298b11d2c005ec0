"""The landscape model over a sweep: simulated, how well it fits and predicts, and path by path.

After Park et al. 2024, figure 5.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from conceptspace.figures.style import (
    BLUE,
    FULL_WIDTH,
    GREY,
    INK,
    SMALL,
    VERMILLION,
    YELLOW,
    drawing,
    new_figure,
    panel_message,
)
from conceptspace.theory.landscape import Landscape

MOST_PANELS = 9
TOY_RATIOS = (0.25, 0.4, 0.6, 0.8)
"""Rate of the weaker concept over that of the stronger, in the simulated panel."""
COLUMNS = 5
HEIGHT = 6.6


def landscape_sweep_figure(findings: Mapping[str, Any]) -> Figure:
    """The simulated toy, R2 of every setting, and up to nine settings in the plane.

    Args:
        findings: of the study `landscape`.
    """
    rows, concepts = findings["settings"], findings["concepts"]
    with drawing():
        figure = new_figure(FULL_WIDTH, HEIGHT)
        _draw_toy(figure.add_axes((0.075, 0.675, 0.3, 0.255)))
        _draw_r2(figure.add_axes((0.475, 0.675, 0.5, 0.255)), rows, findings)
        places = np.unique(np.linspace(0, len(rows) - 1, MOST_PANELS).round().astype(int))
        for number, place in enumerate(places):
            line, column = divmod(number, COLUMNS)
            axes = figure.add_axes((0.075 + 0.185 * column, 0.325 - 0.265 * line, 0.155, 0.17))
            _draw_setting(axes, rows[place], concepts)
            if column == 0:
                axes.set_ylabel(concepts[1])
            if number + COLUMNS >= len(places):
                axes.set_xlabel(concepts[0])
            axes.tick_params(labelleft=column == 0, labelbottom=number + COLUMNS >= len(places))
        figure.legend(
            handles=_explained(), loc="upper left", bbox_to_anchor=(0.06, 0.575), ncols=5,
            columnspacing=1.4, handlelength=2.2,
        )  # fmt: skip
    return figure


def _draw_toy(axes: Axes) -> None:
    """Class 11 by the model alone, for several ratios of rates."""
    shades = matplotlib.colormaps["viridis"](np.linspace(0.88, 0.1, len(TOY_RATIOS)))
    times = np.linspace(0, 12, 400)
    for ratio, shade in zip(TOY_RATIOS, shades):
        model = Landscape(
            np.array([ratio, 1.0]), np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.ones(2),
            np.array(1.5 / ratio), np.array(0.4),
        )  # fmt: skip
        path = model.path(times)
        axes.plot(path[:, 0], path[:, 1], color=shade, lw=1.8, label=f"{ratio:g}")
    axes.plot(0.5, 0.5, "s", ms=4.5, mfc="white", mec=INK, zorder=5)
    _plane(axes)
    axes.set_xlabel("weaker concept")
    axes.set_ylabel("stronger concept")
    axes.set_title("Simulated", pad=6)
    axes.legend(
        title="ratio of rates", loc="lower right", fontsize=SMALL - 0.5, title_fontsize=SMALL - 0.5,
        handlelength=1.4, labelspacing=0.2, borderaxespad=0.1,
    )  # fmt: skip


def _draw_r2(axes: Axes, rows: Sequence[Mapping[str, Any]], findings: Mapping[str, Any]) -> None:
    """R2 of each fit with its interval, without a shift, and of the left-out prediction."""
    x = np.arange(len(rows))
    ends = np.array([row["r2_interval"] for row in rows], dtype=float).T
    r2 = np.array([row["r2"] for row in rows], dtype=float)
    axes.axhline(0, color=GREY, lw=0.6)
    axes.vlines(x, *np.clip(ends, -1, 1), color=VERMILLION, lw=1.3)
    axes.plot(x, np.clip(r2, -1, 1), "o", ms=5, color=VERMILLION, label="fitted")
    resting = np.array([row["r2_resting"] for row in rows], dtype=float)
    axes.plot(
        x, np.clip(resting, -1, 1), "v", ms=5, mfc="white", mec=GREY, label="fitted without a shift"
    )
    predicted = np.array([_left_out_r2(row) for row in rows])
    axes.plot(
        x, np.clip(predicted, -1, 1), "D", ms=4.5, mfc="white", mec=BLUE, clip_on=False,
        label="left out (below −1: at the edge)" if (predicted < -1).any() else "left out",
    )  # fmt: skip
    axes.set_ylim(-1.45, 1.05)
    axes.set_yticks([-1, -0.5, 0, 0.5, 1])
    axes.set_ylabel("R²")
    axes.set_xlim(-0.6, len(rows) - 0.4)
    _name_settings(axes, rows)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, columnspacing=0.9, handlelength=1.0,
        handletextpad=0.4, borderaxespad=0.1, fontsize=SMALL - 0.5,
    )  # fmt: skip
    left = findings["left_out"]
    if left is not None:
        words = "   ".join(f"{kind} {_number(value)}" for kind, value in left["r2"].items())
        axes.annotate(
            f"all left out: {words}", (1, 0), xytext=(-2, 3), xycoords="axes fraction", ha="right",
            textcoords="offset points", fontsize=SMALL - 0.5, color=INK,
            bbox={"fc": "white", "ec": "none", "pad": 1.0, "alpha": 0.8},
        )  # fmt: skip


def _name_settings(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """The separations under each setting where they fit, else their rank by ratio of signals."""
    if len(rows) > 12:
        axes.set_xlabel("settings, by ratio of the signals")
        axes.set_xticks([])
        return
    axes.set_xticks(range(len(rows)))
    words = ["\n".join(f"{d:g}" for d in row["separation"].values()) for row in rows]
    axes.set_xticklabels(words, fontsize=SMALL - 0.5)
    axes.set_xlabel("separations: " + " over ".join(rows[0]["separation"]), fontsize=SMALL)


def _left_out_r2(row: Mapping[str, Any]) -> float:
    if row["predicted"] is None:
        return np.nan
    measured = np.array(row["measured"], dtype=float)
    around = np.nansum((measured - np.nanmean(measured, axis=0)) ** 2)
    lost = np.nansum((np.array(row["predicted"], dtype=float) - measured) ** 2)
    return float(1 - lost / around) if around else np.nan


def _draw_setting(axes: Axes, row: Mapping[str, Any], concepts: Sequence[str]) -> None:
    """Measured, fitted and predicted path of one setting."""
    measured, fitted = (np.array(row[key], dtype=float) for key in ("measured", "fitted"))
    if not np.isfinite(measured).any():
        panel_message(axes, "not measured")
        return
    _plane(axes)
    axes.plot(*measured.T, "o", ms=3, mfc="none", mec=INK, mew=0.7, clip_on=False)
    axes.plot(*fitted.T, color=VERMILLION, lw=1.8, zorder=4)
    if row["predicted"] is not None:
        predicted = np.array(row["predicted"], dtype=float)
        axes.plot(*predicted.T, color=BLUE, lw=1.5, ls=(0, (4, 1.5)), zorder=3)
    axes.plot(*measured[0], "s", ms=4.5, mfc="white", mec=INK, zorder=5)
    axes.plot(*measured[-1], "*", ms=8, mfc=YELLOW, mec=INK, mew=0.7, zorder=6, clip_on=False)
    words = ", ".join(f"{name} {d:g}" for name, d in row["separation"].items())
    axes.set_title(words, fontsize=SMALL - 0.6, pad=3)


def _plane(axes: Axes) -> None:
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xticks([0, 0.5, 1], ["0", "½", "1"])
    axes.set_yticks([0, 0.5, 1], ["0", "½", "1"])


def _explained() -> list[Line2D]:
    return [
        Line2D([], [], ls="", marker="o", mfc="none", mec=INK, ms=4, label="measured"),
        Line2D([], [], ls="", marker="s", mfc="white", mec=INK, ms=4.5, label="first"),
        Line2D([], [], ls="", marker="*", mfc=YELLOW, mec=INK, ms=8, label="last"),
        Line2D([], [], color=VERMILLION, lw=1.8, label="fitted"),
        Line2D([], [], color=BLUE, lw=1.5, ls=(0, (4, 1.5)), label="predicted from the others"),
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
