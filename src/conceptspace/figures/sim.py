"""The identity task: the output's path at the probe, the losses, and what moves each entry of W.

After Yang et al. 2025, figures 3 and 4. Times are those of gradient flow.
"""

import numpy as np
from jaxtyping import Float, Real
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from conceptspace.figures.style import (
    FULL_WIDTH,
    GREEN,
    GREY,
    INK,
    PURPLE,
    SMALL,
    VERMILLION,
    YELLOW,
    Look,
    drawing,
    new_figure,
    panel_message,
)
from conceptspace.theory.expected import learning_order
from conceptspace.theory.settings import IdentityTask
from conceptspace.theory.sim import effective_signal, ood_loss, outputs, training_loss
from conceptspace.theory.swing import SwingBy
from conceptspace.theory.two_layer import flow_terms

TERM_LOOKS = {
    "growth": Look(GREEN, (0, (5, 1.4)), "", 1.6),
    "suppression": Look(VERMILLION, (0, (7, 1.4, 1.4, 1.4)), "", 1.6),
    "interaction": Look(PURPLE, (0, (1.5, 1.2)), "", 1.8),
    "change": Look(INK, "-", "", 1.8),
}
DOWN_LOOK = Look("#4D4D4D", (0, (5, 1.6)), "", 1.4)


def sim_figure(
    task: IdentityTask,
    times: Real[np.ndarray, " time"],
    weights: Float[np.ndarray, "time row column"],
    swing: SwingBy,
    until: float | None = None,
) -> Figure:
    """The two-layer model on the identity task, from the weakest and the strongest concept.

    Args:
        task: what is learned.
        times: of the weights, rising.
        weights: W(t), symmetric.
        swing: the verdict on the loss at the probe.
        until: last time that is shown; all by default.
    """
    shown = times <= (times[-1] if until is None else until)
    times, weights = times[shown], weights[shown]
    order = learning_order(task)
    weak, strong = order[-1], order[0]
    with drawing():
        figure = new_figure(FULL_WIDTH, 5.5)
        path = figure.add_axes((0.085, 0.57, 2.55 / FULL_WIDTH, 1.95 / 5.5))
        loss = figure.add_axes((0.56, 0.57, 0.42, 1.95 / 5.5))
        if weak == strong:
            panel_message(path, "one concept alone has no path in a plane")
        else:
            draw_path(path, task, outputs(task, weights), (weak, strong), swing, times)
        draw_losses(loss, task, times, weights, swing)
        entries = [(weak, weak), (weak, strong), (strong, strong)][: 1 if weak == strong else 3]
        cells = [figure.add_axes((0.085 + 0.32 * i, 0.085, 0.25, 0.27)) for i in range(3)]
        for axes in cells[len(entries) :]:
            axes.set_axis_off()
        terms = flow_terms(effective_signal(task), weights)
        for axes, entry in zip(cells, entries):
            draw_terms(axes, times, terms, entry)
        cells[0].set_ylabel("part of the change")
        handles, labels = cells[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(0.075, 0.405), ncols=4,
            handlelength=3.0, columnspacing=1.6,
        )  # fmt: skip
    return figure


def draw_path(
    axes: Axes,
    task: IdentityTask,
    answers: np.ndarray,
    pair: tuple[int, int],
    swing: SwingBy,
    times: np.ndarray,
) -> None:
    """The output at the probe on the weakest and the strongest concept, in units of their means."""
    weak, strong = pair
    x, y = answers[:, weak] / task.mu[weak], answers[:, strong] / task.mu[strong]
    for corner, words, side in (
        ((1, 0), f"cluster {weak + 1}", "right"),
        ((0, 1), f"cluster {strong + 1}", "left"),
        ((1, 1), "probe", "right"),
    ):
        filled = "white" if corner != (1, 1) else VERMILLION
        axes.plot(*corner, "o", ms=6, mfc=filled, mec=INK, mew=0.9, clip_on=False, zorder=4)
        axes.annotate(  # below its corner, where no path comes from a small start
            words, corner, xytext=(0, -12), textcoords="offset points", ha=side, va="top",
            color=GREY, fontsize=SMALL,
        )  # fmt: skip
    axes.plot(x, y, color=VERMILLION, lw=2.0, zorder=3)
    axes.plot(x[0], y[0], "s", ms=5, mfc="white", mec=VERMILLION, mew=1.4, zorder=5)
    for time in _marked(swing, times):
        at = int(np.abs(times - time).argmin())
        axes.plot(x[at], y[at], "*", ms=11, mfc=YELLOW, mec=INK, mew=0.8, zorder=6)
    low, high = min(-0.08, float(x.min()) - 0.05), max(1.08, float(x.max()) + 0.05)
    axes.set_xlim(low, high)
    axes.set_ylim(min(-0.16, float(y.min()) - 0.05), max(1.1, float(y.max()) + 0.05))
    axes.set_xlabel(f"concept {weak + 1} (weakest), output / mean")
    axes.set_ylabel(f"concept {strong + 1} (strongest)")
    axes.set_title("Output at the probe")


def draw_losses(
    axes: Axes, task: IdentityTask, times: np.ndarray, weights: np.ndarray, swing: SwingBy
) -> None:
    """Losses at the probe and in training over time, with the turns of the former."""
    held_out = ood_loss(task, outputs(task, weights))
    axes.plot(times, held_out, color=VERMILLION, lw=2.0, label="at the probe")
    axes.plot(times, training_loss(task, weights), **DOWN_LOOK.line(), label="training")
    for index, time in enumerate(_marked(swing, times)):
        at = int(np.abs(times - time).argmin())
        axes.plot(
            times[at], held_out[at], "*", ms=11, mfc=YELLOW, mec=INK, mew=0.8, zorder=6,
            ls="", label="turns" if index == 0 else None,
        )  # fmt: skip
    axes.set_ylim(0, 1.05 * float(held_out.max()))
    _time_axis(axes, times)
    axes.set_ylabel("half the squared error")
    axes.set_title("Swing-by" if swing.appears else "No swing-by")
    axes.legend(loc="upper right", handlelength=2.8)


def draw_terms(axes: Axes, times: np.ndarray, terms, entry: tuple[int, int]) -> None:
    """What an entry gains and loses, losses below zero."""
    row, column = entry
    parts = {
        "growth": terms.growth,
        "suppression": -terms.suppression,
        "interaction": -terms.interaction,
        "change": terms.total,
    }
    axes.axhline(0, color=GREY, lw=0.6, zorder=1)
    for name, part in parts.items():
        axes.plot(times, part[:, row, column], **TERM_LOOKS[name].line(), label=name)
    _time_axis(axes, times)
    axes.locator_params(axis="y", nbins=5)
    axes.set_title(f"$w_{{{row + 1}{column + 1}}}$", fontsize=10)


def _time_axis(axes: Axes, times: np.ndarray) -> None:
    axes.set_xlim(0, float(times[-1]))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("time")


def _marked(swing: SwingBy, times: np.ndarray) -> list[float]:
    known = (swing.turn_time, swing.return_time)
    return [time for time in known if time is not None and time <= times[-1]]
