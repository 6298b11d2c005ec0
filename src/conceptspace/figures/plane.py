"""One plane of concept space: its frame, the paths of the classes on it, and corner pictures."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle
from scipy.spatial import ConvexHull, QhullError

from conceptspace.figures.evidence import Evidence
from conceptspace.figures.style import (
    GREY,
    HELD_OUT_LOOKS,
    INK,
    SMALL,
    TRAINING_LOOKS,
    VERMILLION,
    YELLOW,
    Look,
    tint,
)

Pair = tuple[int, int]
"""Indices of the concepts on x and y."""


def class_looks(evidence: Evidence, classes: Sequence[str] = ()) -> dict[str, Look]:
    """How each class is drawn: training classes dashed, held-out ones solid.

    A class looks the same in every figure, unless there are more held-out classes than looks: then
    those that are shown together, `classes`, are told apart.
    """
    looks = {}
    shown = [name for name in classes if name in evidence.held_out]
    many = len(evidence.held_out) > len(HELD_OUT_LOOKS)
    families = (
        (TRAINING_LOOKS, evidence.training),
        (HELD_OUT_LOOKS, evidence.held_out),
        (HELD_OUT_LOOKS, shown if many else []),
    )
    for family, names in families:
        for index, name in enumerate(names):
            looks[name] = family[index % len(family)]
    return looks


def draw_plane(
    axes: Axes,
    evidence: Evidence,
    pair: Pair,
    classes: Sequence[str],
    picture: float = 0.18,
    words: bool = True,
) -> None:
    """Draw the paths of some classes on two of the concepts.

    Args:
        axes: where to draw.
        evidence: what to draw.
        pair: indices of the concepts on x and y.
        classes: the classes to show.
        picture: size of the corner pictures as a share of the axes; 0 for none.
        words: whether each corner picture has its class written beside it.
    """
    looks = class_looks(evidence, classes)
    _frame(axes, evidence, pair)
    order = [c for c in classes if c in evidence.training]
    order += [c for c in classes if c not in order]
    for name in order:
        if name in evidence.held_out:
            _draw_held_out(axes, evidence, pair, name, looks[name])
        else:
            _draw_training(axes, evidence, pair, name, looks[name])
    if picture:
        draw_corners(axes, evidence, pair, picture, words)


def _frame(axes: Axes, evidence: Evidence, pair: Pair) -> None:
    axes.set_xlim(-0.035, 1.035)
    axes.set_ylim(-0.035, 1.035)
    axes.set_box_aspect(1)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.add_patch(Rectangle((0, 0), 1, 1, fill=False, ls=":", lw=0.9, ec=GREY, zorder=1))
    for which, index in zip("xy", pair):
        words = evidence.words(evidence.concepts[index])
        ticks = np.linspace(0, 1, len(words)) if len(words) > 2 else np.array([0, 0.5, 1])
        names = [
            f"{tick:g}" if len(words) == 2 and tick == 0.5 else _tick(tick, words, which)
            for tick in ticks
        ]
        setter = axes.set_xticks if which == "x" else axes.set_yticks
        setter(ticks, names)
    axes.set_xlabel(evidence.concepts[pair[0]])
    axes.set_ylabel(evidence.concepts[pair[1]])
    for name in evidence.classes:
        x, y = evidence.corner(name)[list(pair)]
        held_out = name in evidence.held_out
        axes.plot(
            x, y, "o", ms=6, mec=INK, mew=1, clip_on=False, zorder=2 + held_out,
            mfc="white" if held_out else INK,
        )  # fmt: skip


def _tick(tick: float, words: list[str], which: str) -> str:
    word = words[round(tick * (len(words) - 1))]
    return f"{tick:.2g}\n{word}" if which == "x" else f"{word}\n{tick:.2g}"


def _draw_training(axes: Axes, evidence: Evidence, pair: Pair, name: str, look: Look) -> None:
    for path in from_training_on(evidence, evidence.coordinates(name))[..., pair]:
        axes.plot(*path.T, color=look.colour, lw=0.5, alpha=0.25, zorder=3)
    mean = from_training_on(evidence, evidence.mean_coordinates(name)[0])
    axes.plot(*mean[:, pair].T, **look.line(), zorder=4)
    start = _first_point(mean[:, pair])
    axes.plot(*start, "s", ms=4, mfc="white", mec=look.colour, mew=1.1, zorder=5)


def from_training_on(evidence: Evidence, path: np.ndarray) -> np.ndarray:
    """A path (..., step, concept) without the untrained model, whose samples show no concept."""
    trained = np.asarray(evidence.steps) > 0
    return np.where(trained[:, None], path, np.nan) if trained.any() else path


def _draw_held_out(axes: Axes, evidence: Evidence, pair: Pair, name: str, look: Look) -> None:
    mean, low, high = (
        from_training_on(evidence, part)[:, pair] for part in evidence.mean_coordinates(name)
    )
    swept = swept_region(low, high)
    axes.add_collection(PolyCollection(swept, fc=tint(look.colour, 0.17), ec="none", zorder=2.2))
    for path in from_training_on(evidence, evidence.coordinates(name))[..., pair]:
        axes.plot(*path.T, color=look.colour, lw=0.6, alpha=0.4, zorder=3)
    for turn in evidence.turns(name):
        _draw_turn(axes, evidence, mean, turn)
    axes.plot(*mean.T, **look.line(), zorder=6)
    shades = time_shades(len(mean), look.colour)
    axes.scatter(*mean.T, c=shades, s=20, marker=look.marker, ec=look.colour, lw=0.9, zorder=7)
    axes.plot(*_first_point(mean), "s", ms=6.5, mfc="white", mec=look.colour, mew=1.6, zorder=8)
    _draw_arrows(axes, mean, look.colour)


def _draw_turn(axes: Axes, evidence: Evidence, path: np.ndarray, turn: dict[str, Any]) -> None:
    """A star at the turn and a highlight over the part of the path in its interval."""
    if turn.get("interval") and None not in turn["interval"]:
        piece = path_between(evidence.steps, path, *turn["interval"])
        axes.plot(*piece.T, color=INK, lw=8.5, solid_capstyle="round", zorder=5)
        axes.plot(*piece.T, color=YELLOW, lw=7, solid_capstyle="round", zorder=5.1)
    at = path_between(evidence.steps, path, turn["step"], turn["step"])[0]
    axes.plot(*at, "*", ms=15, mfc=YELLOW, mec=INK, mew=1, zorder=9)


def _draw_arrows(axes: Axes, path: np.ndarray, colour: str) -> None:
    """Arrow heads along a path, at a quarter and three quarters of its length."""
    path = path[np.isfinite(path).all(axis=1)]
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    if len(path) < 2 or length[-1] < 0.15:
        return
    for share in (0.3, 0.75):
        at = length[-1] * (share + np.array([-0.02, 0.02]))
        tail, head = np.stack([np.interp(at, length, path[:, i]) for i in (0, 1)], axis=1)
        axes.annotate(
            "", xy=tuple(head), xytext=tuple(tail), zorder=8,
            arrowprops={
                "arrowstyle": "-|>", "color": colour, "lw": 0, "mutation_scale": 19,
                "shrinkA": 0, "shrinkB": 0,
            },
        )  # fmt: skip


def draw_corners(axes: Axes, evidence: Evidence, pair: Pair, size: float, words: bool) -> None:
    """Pictures drawn by G, outside the four corners; a held-out class has a thick dashed frame."""
    gap = 0.05
    for right, top in itertools.product((0, 1), (0, 1)):
        name = _corner_class(evidence, pair, (right, top))
        if name is None or name not in evidence.corners:
            continue
        left = 1 + gap if right else -gap - size
        base = 1 + gap if top else -gap - size
        inset = axes.inset_axes((left, base, size, size))
        inset.imshow(evidence.corners[name], interpolation="nearest")
        inset.set_xticks([])
        inset.set_yticks([])
        held_out = name in evidence.held_out
        for spine in inset.spines.values():
            spine.set_visible(True)
            spine.set_color(VERMILLION if held_out else INK)
            spine.set_linewidth(2.6 if held_out else 1.2)
            spine.set_capstyle("butt")
            spine.set_linestyle((0, (2.2, 1.1)) if held_out else "-")
        if words:
            said = evidence.class_label(name) + ("\nheld out" if held_out else "")
            y, side = (1.08, "bottom") if top else (-0.08, "top")
            inset.text(
                0.5, y, said, ha="center", va=side, fontsize=SMALL, transform=inset.transAxes
            )


def _corner_class(evidence: Evidence, pair: Pair, corner: Pair) -> str | None:
    """The class at a corner of a plane, with every concept that is not on it at its first value."""
    for name in evidence.classes:
        place = evidence.corner(name)
        others = np.delete(place, list(pair))
        if tuple(place[list(pair)]) == corner and not others.any():
            return name
    return None


def time_shades(number: int, colour: str) -> list[str]:
    """Shades of a colour, from nearly white (early) to dark (late)."""
    ramp = LinearSegmentedColormap.from_list("time", ["#FFFFFF", tint(colour, 0.9), "#1A1A1A"])
    return [to_hex(ramp(0.05 + 0.75 * i / max(number - 1, 1))) for i in range(number)]


def path_between(steps: np.ndarray, path: np.ndarray, first: float, last: float) -> np.ndarray:
    """The part (point, 2) of a path from one step to another, with both ends interpolated."""
    inside = steps[(steps > first) & (steps < last)]
    at = np.unique(np.concatenate([[first], inside, [last]]))
    known = np.isfinite(path).all(axis=1)
    return np.stack([np.interp(at, steps[known], path[known, i]) for i in (0, 1)], axis=1)


def swept_region(low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """Polygons that an ellipse with these ends (step, 2) sweeps as it moves along a path."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    polygons = []
    for i in range(len(low) - 1):
        ends = [(low[j] + high[j]) / 2 + circle * (high[j] - low[j]) / 2 for j in (i, i + 1)]
        points = np.concatenate(ends)
        if not np.isfinite(points).all():
            continue
        try:
            polygons.append(points[ConvexHull(points).vertices])
        except QhullError:  # an interval of no width has no area
            continue
    return polygons


def _first_point(path: np.ndarray) -> np.ndarray:
    known = path[np.isfinite(path).all(axis=1)]
    return known[0] if len(known) else np.full(2, np.nan)
