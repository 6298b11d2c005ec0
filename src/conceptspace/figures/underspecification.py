"""How masked prompts delay a class, bend its path, and change what it looks like.

After Park et al. 2024, the figure with the blue triangles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from conceptspace.figures.samples import montage
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    INK,
    SMALL,
    drawing,
    new_figure,
    panel_message,
    thousands,
)

MOST_SEEDS = 6
"""Columns of pictures."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
CELL = 0.88
"""Inches along each side of a cell of pictures."""


@dataclass(frozen=True)
class MaskedShare:
    """What is drawn of one share.

    Attributes:
        share: of the prompts that are masked.
        seeds: their numbers.
        times: step at which each seed has learned the held-out class; infinite where not by `end`.
        end: the last step.
        median: Kaplan and Meier's of the times; None where it is later than the end.
        path: mean coordinates (checkpoint, concept) of the held-out class.
        end_interval: of its place at the end, (concept, end of the interval).
        pictures: of the held-out class at the end, or None.
    """

    share: float
    seeds: Sequence[int]
    times: Float[np.ndarray, " seed"]
    end: float
    median: float | None
    path: Float[np.ndarray, "checkpoint 2"]
    end_interval: Float[np.ndarray, "2 2"]
    pictures: UInt8[np.ndarray, "seed picture row column channel"] | None


def underspecification_figure(
    shares: Sequence[MaskedShare],
    labels: Mapping[str, Sequence[str]],
    words: Mapping[str, str],
    threshold: str,
) -> Figure:
    """Learning times, paths, and below them pictures, a row a share and a column a seed.

    Args:
        shares: rising.
        labels: of both concepts, the words for their values.
        words: for `held_out` and `masked`, what the class is.
        threshold: the accuracy above which the class counts as learned.
    """
    shown = [share for share in shares if share.pictures is not None]
    grid = CELL * len(shown) + 0.55 if shown else 0.0
    height = 3.95 + grid
    with drawing():
        figure = new_figure(FULL_WIDTH, height)
        looks = _shades(len(shares))
        low, tall = (grid + 0.75) / height, 2.55 / height
        times = figure.add_axes((0.09, low, 0.34, tall))
        _draw_times(times, shares, looks, words, threshold)
        plane = figure.add_axes((0.53, low, 2.55 / FULL_WIDTH, tall))
        _draw_paths(plane, shares, looks, labels, words)
        if shown:
            _draw_pictures(figure, shown, words["held_out"], height)
    return figure


def _shades(number: int) -> np.ndarray:
    """Light where little is masked, dark where much is."""
    return matplotlib.colormaps["viridis"](np.linspace(0.88, 0.0, number))


def _draw_times(
    axes: Axes,
    shares: Sequence[MaskedShare],
    looks: np.ndarray,
    words: Mapping[str, str],
    threshold: str,
) -> None:
    """Every seed's step, never learned at the end with a mark of its own, and medians."""
    x = np.array([100 * share.share for share in shares])
    step = 0.03 * (float(np.ptp(x)) or 20.0)
    for share, place, colour, marker in zip(shares, x, looks, MARKERS * len(shares)):
        happened = np.isfinite(share.times)
        # Side by side, so that seeds of one step do not hide each other.
        num = len(share.times)
        spread = place + step * (np.linspace(-1, 1, num) if num > 1 else np.zeros(num))
        axes.plot(
            spread[happened], share.times[happened], ls="", marker=marker, ms=4.5, mfc=colour,
            mec=INK, mew=0.5, zorder=3,
        )  # fmt: skip
        axes.plot(
            spread[~happened], np.full((~happened).sum(), share.end), ls="", marker="^", ms=5.5,
            mfc="white", mec=colour, mew=1.3, clip_on=False, zorder=3,
        )  # fmt: skip
        if share.median is not None:
            axes.plot(place + step * np.array([-1.7, 1.7]), [share.median] * 2, color=INK, lw=2)
    known = [(place, s.median) for place, s in zip(x, shares) if s.median is not None]
    axes.plot(*np.array(known).reshape(-1, 2).T, color=GREY, lw=1.1, zorder=1, label="median")
    axes.plot([], [], ls="", marker="^", ms=5.5, mfc="white", mec=INK, label="not by the end")
    end = max(share.end for share in shares)
    axes.set_ylim(0, 1.06 * end)
    axes.set_xlim(x.min() - 3 * step, x.max() + 3 * step)
    axes.set_xticks(x)
    axes.yaxis.set_major_formatter(lambda value, _: thousands(value))
    axes.set_xlabel(f"{words['masked']} prompts masked, %")
    axes.set_ylabel("step")
    axes.set_title(f"Steps to {float(threshold):.0%} {words['held_out']}s", pad=24)
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.03, 0.985), ncols=2, handlelength=1.6,
        borderaxespad=0.2, columnspacing=1.4,
    )  # fmt: skip


def _draw_paths(
    axes: Axes,
    shares: Sequence[MaskedShare],
    looks: np.ndarray,
    labels: Mapping[str, Sequence[str]],
    words: Mapping[str, str],
) -> None:
    """The held-out class's mean path for each share, from the first checkpoint to the last."""
    first, second = labels
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.04, 1.04)
    axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, ls=":", lw=0.9, ec=GREY, zorder=1))
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([0, 0.5, 1], [f"0\n{labels[first][0]}", "0.5", f"1\n{labels[first][1]}"])
    axes.set_yticks([0, 0.5, 1], [f"{labels[second][0]}\n0", "0.5", f"{labels[second][1]}\n1"])
    axes.set_xlabel(first)
    axes.set_ylabel(second, labelpad=-8)
    for share, colour, marker in zip(shares, looks, MARKERS * len(shares)):
        axes.plot(*share.path.T, color=colour, lw=1.4, zorder=3)
        axes.plot(*share.path[0], marker="s", ms=3.5, mfc="white", mec=colour, zorder=4)
        place = share.path[-1]
        reach = np.abs(share.end_interval - place[:, None])
        axes.errorbar(
            *place, xerr=reach[:1].T, yerr=reach[1:].T, marker=marker, ms=6.5, mfc=colour, mec=INK,
            mew=0.7, ecolor=colour, elinewidth=1.1, zorder=5, clip_on=False, ls="",
            label=f"{share.share:.0%}",
        )  # fmt: skip
    axes.legend(
        title="masked", loc="center left", bbox_to_anchor=(1.03, 0.5), handlelength=1.0,
        alignment="left", title_fontsize=SMALL, labelspacing=0.6,
    )  # fmt: skip
    axes.set_title(f"Path of the {words['held_out']}", pad=24)


def _draw_pictures(
    figure: Figure, shares: Sequence[MaskedShare], held_out: str, height: float
) -> None:
    """A cell of pictures for each share and seed."""
    left, gap = 0.7, 0.07
    top = CELL * len(shares) + 0.12
    numbers = [len(share.pictures) for share in shares if share.pictures is not None]
    columns = min(MOST_SEEDS, max(numbers))
    said = f"Samples of the prompt “{held_out}” at the end"
    figure.text(0.08 / FULL_WIDTH, (top + 0.2) / height, said, fontsize=9.5)
    for row, share in enumerate(shares):
        low = top - CELL * (row + 1)
        middle = (low + CELL / 2) / height
        label = f"{share.share:.0%}\nmasked"
        figure.text(0.08 / FULL_WIDTH, middle, label, va="center", fontsize=SMALL)
        for column, pictures in enumerate(share.pictures[:columns]):  # pyright: ignore[reportOptionalSubscript]
            x = left + column * (CELL + gap)
            box = (x / FULL_WIDTH, low / height, CELL / FULL_WIDTH, (CELL - gap) / height)
            cell = figure.add_axes(box)
            if len(pictures):
                cell.imshow(montage(pictures), interpolation="nearest")
                cell.set_axis_off()
            else:
                panel_message(cell, "none kept")
            if row == 0:
                cell.set_title(f"seed {share.seeds[column]}", fontsize=SMALL, pad=3, loc="center")
