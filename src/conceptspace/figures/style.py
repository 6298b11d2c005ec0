"""How every figure looks: colours safe for colour blindness, each with a dash and a marker too.

The colours are those of Okabe and Ito (2008), "Color universal design". Nothing here touches
matplotlib's global state: sizes and fonts are set within `drawing`, which restores them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

VERMILLION, BLUE, GREEN = "#D55E00", "#0072B2", "#009E73"
ORANGE, SKY, PURPLE, YELLOW = "#E69F00", "#56B4E9", "#CC79A7", "#F0E442"
INK, GREY, PALE = "#1A1A1A", "#6B6B6B", "#C9C9C9"

FULL_WIDTH = 7.2
"""Inches: the text width of a printed page, so that a font of 8 points prints at 8 points."""
SMALL, NORMAL, LARGE = 8.0, 8.5, 9.5

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": NORMAL,
    "axes.titlesize": LARGE,
    "axes.labelsize": NORMAL,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}

Dash = Any
SOLID: Dash = "-"


@dataclass(frozen=True)
class Look:
    """How one series is drawn, readable without its colour too."""

    colour: str
    dash: Dash = SOLID
    marker: str = "o"
    width: float = 1.8
    opacity: float = 1.0

    def line(self) -> dict[str, Any]:
        """Keyword arguments of `Axes.plot` for the line alone."""
        return {
            "color": self.colour,
            "linestyle": self.dash,
            "linewidth": self.width,
            "alpha": self.opacity,
        }


HELD_OUT_LOOKS = (
    Look(VERMILLION, marker="o", width=2.0),
    Look(GREEN, marker="s", width=2.0),
    Look(PURPLE, marker="^", width=2.0),
    Look("#6B3D00", marker="D", width=2.0),
    Look(ORANGE, marker="v", width=2.0),
)
TRAINING_LOOKS = (
    Look("#4D4D4D", (0, (5, 1.6)), "x", 1.5),
    Look(BLUE, (0, (3, 1.3)), "+", 1.5),
    Look(SKY, (0, (6, 1.4, 1.2, 1.4)), "1", 1.5),
    Look("#8C8C8C", (0, (1.2, 1.2)), "2", 1.5),
    Look("#2F4F7F", (0, (8, 1.4, 1.2, 1.4, 1.2, 1.4)), "3", 1.5),
    Look("#3E8E7E", (0, (2.4, 1.2)), "4", 1.5),
    Look("#A08BB8", (0, (9, 3)), "|", 1.5),
    Look("#B8A46B", (0, (4, 3)), "_", 1.5),
)
NAIVE_LOOK = Look(VERMILLION, SOLID, "o", 2.0)
METHOD_LOOKS = (
    Look(BLUE, (0, (5, 1.4)), "s", 1.8),
    Look(GREEN, (0, (7, 1.4, 1.4, 1.4)), "^", 1.8),
    Look(PURPLE, (0, (3, 1)), "D", 1.8),
    Look(ORANGE, (0, (9, 2)), "v", 1.8),
)
CONTROL_DASHES: dict[str | None, tuple[Dash, str]] = {
    "random-direction": ((0, (1, 1.4)), "x"),
    "wrong-concept": ((0, (4, 1.4, 1, 1.4)), "+"),
}
REFERENCE_LOOK = Look(GREY, (0, (2, 1.2)), "", 1.2)


def tint(colour: str, strength: float) -> tuple[float, float, float]:
    """The colour mixed with white; `strength` 1 is the colour itself, 0 is white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return (red, green, blue)


@contextmanager
def drawing() -> Iterator[None]:
    """Within this block figures get our fonts and lines; outside it nothing has changed."""
    with matplotlib.rc_context(RC):  # pyright: ignore[reportArgumentType]
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches, drawn by Agg and unknown to pyplot."""
    figure = Figure(figsize=(width, height))
    return figure


def thousands(value: float) -> str:
    """A step in words: 12500 as `12 500`."""
    return f"{value:,.0f}".replace(",", "\u202f")


def step_axis(axes: Axes, steps: Sequence[float] | np.ndarray, label: bool = True) -> None:
    """A step axis: linear, or logarithmic beyond the first step where checkpoints bunch early."""
    values = np.asarray(steps, dtype=float)
    positive = values[values > 0]
    last = float(values.max()) if values.size else 1.0
    span = max(last, 1.0)
    if positive.size > 3 and np.median(positive) < 0.08 * last:
        axes.set_xscale("symlog", linthresh=float(positive.min()), linscale=0.4)
        first = int(np.ceil(np.log10(positive.min())))
        decades = [10.0**power for power in range(first, int(np.floor(np.log10(last))) + 1)]
        axes.xaxis.set_major_locator(FixedLocator([0.0, *decades]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlim(0, last * 1.15)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
        axes.set_xlim(min(0.0, float(values.min(initial=0.0))), last + 0.02 * span)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: thousands(value)))
    if label:
        axes.set_xlabel("training step")


def share_axis(axes: Axes, label: str) -> None:
    """A vertical axis for shares and probabilities, from 0 to 1."""
    axes.set_ylim(-0.03, 1.05)
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.set_ylabel(label)


def legend_beside(axes: Axes) -> None:
    """A legend right of the panel, if there is anything to explain."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper left", bbox_to_anchor=(1.02, 1.02), handlelength=3.2, labelspacing=0.6
        )


def panel_message(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=GREY, transform=axes.transAxes)
