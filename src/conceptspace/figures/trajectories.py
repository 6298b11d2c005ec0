"""Paths in concept space: where each class is at each checkpoint, and where a held-out class turns.

After Park et al. 2024, figures 3 and 4: two concepts span a square, each class has its corner.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy.spatial import ConvexHull, QhullError

from conceptspace.figures.evidence import Evidence
from conceptspace.figures.style import (
    FULL_WIDTH,
    GREY,
    HELD_OUT_LOOKS,
    INK,
    PALE,
    SMALL,
    TRAINING_LOOKS,
    VERMILLION,
    YELLOW,
    Look,
    drawing,
    new_figure,
    panel_message,
    thousands,
    tint,
)

MOST_CLASSES = 8
"""More classes than this in one plane cannot be told apart."""


def class_looks(evidence: Evidence) -> dict[str, Look]:
    """How each class is drawn: training classes dashed, held-out ones solid."""
    looks = {}
    for family, names in (
        (TRAINING_LOOKS, evidence.training),
        (HELD_OUT_LOOKS, evidence.held_out),
    ):
        for index, name in enumerate(names):
            looks[name] = family[index % len(family)]
    return looks


def shown_classes(evidence: Evidence) -> list[str]:
    """The classes a figure shows: all, or with many the nearest and farthest held-out ones."""
    room = MOST_CLASSES - min(len(evidence.training), MOST_CLASSES - 2)
    if len(evidence.classes) <= MOST_CLASSES:
        return evidence.classes
    ranked = sorted(evidence.held_out, key=lambda name: float(evidence.corner(name).sum()))
    ends = ranked[: room - room // 2] + ranked[len(ranked) - room // 2 :]
    return evidence.training[: MOST_CLASSES - room] + [c for c in evidence.held_out if c in ends]


def trajectory_figure(evidence: Evidence, classes: Sequence[str] | None = None) -> Figure:
    """Every class's path, in one plane for each pair of concepts.

    Args:
        evidence: what to draw.
        classes: the classes to show; by default all, or the outermost where there are many.
    """
    shown = list(classes) if classes is not None else shown_classes(evidence)
    pairs = list(itertools.combinations(range(len(evidence.concepts)), 2))
    with drawing():
        if not pairs:
            return _one_axis_figure(evidence, shown)
        if len(pairs) == 1:
            figure = new_figure(FULL_WIDTH, 5.5)
            axes = _axes_in_inches(figure, 1.0, 1.05, 3.35, 3.35)
            draw_plane(axes, evidence, (0, 1), shown)
            key = _axes_in_inches(figure, 5.35, 0.15, 1.8, 5.2)
        else:
            figure, planes, key = _grid(len(pairs))
            for axes, pair in zip(planes, pairs):
                draw_plane(axes, evidence, pair, shown, picture=0.19, words=False)
        _legend(key, evidence, shown)
    return figure


def _grid(number: int) -> tuple[Figure, list[Axes], Axes]:
    """A figure with a plane for each pair of concepts and one more cell for the legend."""
    columns = 2 if number <= 4 else 3
    rows = -(-(number + 1) // columns)
    wide = FULL_WIDTH / columns
    side = wide - 1.45 if columns == 2 else wide - 1.2
    tall = side + 1.25
    figure = new_figure(FULL_WIDTH, max(rows * tall, 3.5))
    cells = []
    for index in range(number + 1):
        row, column = divmod(index, columns)
        bottom = (rows - 1 - row) * tall + 0.72
        cells.append((column * wide + 0.85 * side / 2.15, bottom))
    planes = [_axes_in_inches(figure, left, bottom, side, side) for left, bottom in cells[:-1]]
    left, bottom = cells[-1]
    key = _axes_in_inches(figure, left - 0.3, bottom - 0.6, wide - 0.6, side + 1.05)
    return figure, planes, key


def _axes_in_inches(
    figure: Figure, left: float, bottom: float, width: float, height: float
) -> Axes:
    wide, tall = figure.get_size_inches()
    return figure.add_axes((left / wide, bottom / tall, width / wide, height / tall))


def draw_plane(
    axes: Axes,
    evidence: Evidence,
    pair: tuple[int, int],
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
    looks = class_looks(evidence)
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


def _frame(axes: Axes, evidence: Evidence, pair: tuple[int, int]) -> None:
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


def _draw_training(axes, evidence: Evidence, pair, name: str, look: Look) -> None:
    for path in evidence.coordinates(name)[..., pair]:
        axes.plot(*path.T, color=look.colour, lw=0.5, alpha=0.25, zorder=3)
    mean, _, _ = evidence.mean_coordinates(name)
    axes.plot(*mean[:, pair].T, **look.line(), zorder=4)
    start = _first_point(mean[:, pair])
    axes.plot(*start, "s", ms=4, mfc="white", mec=look.colour, mew=1.1, zorder=5)


def _draw_held_out(axes, evidence: Evidence, pair, name: str, look: Look) -> None:
    mean, low, high = (part[:, pair] for part in evidence.mean_coordinates(name))
    swept = swept_region(low, high)
    axes.add_collection(PolyCollection(swept, fc=tint(look.colour, 0.17), ec="none", zorder=2.2))
    for path in evidence.coordinates(name)[..., pair]:
        axes.plot(*path.T, color=look.colour, lw=0.6, alpha=0.4, zorder=3)
    for turn in evidence.turns(name):
        _draw_turn(axes, evidence, mean, turn)
    axes.plot(*mean.T, **look.line(), zorder=6)
    shades = time_shades(len(mean), look.colour)
    axes.scatter(*mean.T, c=shades, s=20, marker=look.marker, ec=look.colour, lw=0.9, zorder=7)
    axes.plot(*_first_point(mean), "s", ms=6.5, mfc="white", mec=look.colour, mew=1.6, zorder=8)
    _draw_arrows(axes, mean, look.colour)


def _draw_turn(axes: Axes, evidence: Evidence, path: np.ndarray, turn: dict) -> None:
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
        ends = [np.interp(length[-1] * (share + d), length, path[:, i]) for d in (-0.02, 0.02) for i in (0, 1)]  # fmt: skip
        axes.annotate(
            "", xy=ends[2:], xytext=ends[:2], zorder=8,
            arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 0, "mutation_scale": 19, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def draw_corners(axes: Axes, evidence: Evidence, pair, size: float, words: bool) -> None:
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


def _corner_class(evidence: Evidence, pair, corner: tuple[int, int]) -> str | None:
    """The class at a corner of a plane, with every concept that is not on it at its first value."""
    for name in evidence.classes:
        place = evidence.corner(name)
        others = np.delete(place, list(pair))
        if tuple(place[list(pair)]) == corner and not others.any():
            return name
    return None


def _legend(axes: Axes, evidence: Evidence, classes: Sequence[str]) -> None:
    axes.set_axis_off()
    looks = class_looks(evidence)
    handles: list[Line2D | Patch] = []
    for name in classes:
        look = looks[name]
        if name in evidence.held_out:
            handles.append(Line2D([], [], **look.line(), marker=look.marker, ms=5, mfc="white", label=evidence.class_label(name)))  # fmt: skip
        else:
            handles.append(Line2D([], [], **look.line(), label=evidence.class_label(name)))
    if len(evidence.seeds) > 1:
        handles.append(Line2D([], [], color=GREY, lw=0.7, label="one seed"))
    if any(name in evidence.held_out for name in classes):
        handles.append(Patch(fc=PALE, label="95 % interval"))
    handles.append(Line2D([], [], ls="", marker="s", ms=6, mfc="white", mec=INK, label=f"start (step {thousands(evidence.steps[0])})"))  # fmt: skip
    handles += _turn_handles(evidence, [name for name in classes if name in evidence.held_out])
    hidden = len(evidence.classes) - len(classes)
    title = "dashed: trained on\nsolid: held out"
    legend = axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0, 1), handlelength=2.6,
        labelspacing=0.75 if len(handles) < 10 else 0.45, borderaxespad=0, alignment="left",
        title=title + (f"\n{hidden} more classes not shown" if hidden else ""),
        title_fontsize=SMALL,
    )  # fmt: skip
    if evidence.held_out:
        axes.figure.draw_without_rendering()  # so that the strip can go right below the legend
        box = legend.get_window_extent().transformed(axes.transAxes.inverted())
        _time_key(axes, evidence, box.y0)


def _turn_handles(evidence: Evidence, classes: Sequence[str]) -> list[Line2D]:
    turns = [turn for name in classes for turn in evidence.turns(name)]
    if not turns:
        return [Line2D([], [], ls="", label="no turn beyond noise")] if classes else []
    said = turn_words(turns[0]) if len(turns) == 1 else "turn and its interval"
    return [Line2D([], [], color=YELLOW, lw=5, marker="*", ms=13, mec=INK, mfc=YELLOW, label=said)]


def _time_key(axes: Axes, evidence: Evidence, below: float) -> None:
    """A strip, below a height, that says which shade of dot is early and which late."""
    tall = axes.get_window_extent().height / axes.figure.dpi
    strip = axes.inset_axes((0.02, below - 0.52 / tall, 0.9, 0.13 / tall))
    shades = [[to_rgb(shade) for shade in time_shades(64, GREY)]]
    strip.imshow(shades, aspect="auto", extent=(0, 1, 0, 1))
    strip.set_yticks([])
    strip.set_xticks([0, 1], [thousands(evidence.steps[0]), thousands(evidence.steps[-1])])
    for label, side in zip(strip.get_xticklabels(), ("left", "right")):
        label.set_ha(side)
    strip.set_title("dots: step of the checkpoint", fontsize=SMALL, pad=3)


def _one_axis_figure(evidence: Evidence, classes: Sequence[str]) -> Figure:
    """With a single concept there is no plane: its coordinate over steps."""
    from conceptspace.figures.style import share_axis, step_axis

    figure = new_figure(FULL_WIDTH, 3)
    axes = figure.add_axes((0.1, 0.17, 0.62, 0.75))
    looks = class_looks(evidence)
    for name in classes:
        mean, low, high = (part[:, 0] for part in evidence.mean_coordinates(name))
        axes.fill_between(evidence.steps, low, high, color=tint(looks[name].colour, 0.2), lw=0)
        axes.plot(evidence.steps, mean, **looks[name].line(), label=evidence.class_label(name))
    if not classes:
        panel_message(axes, "no class was measured")
    share_axis(axes, evidence.concepts[0])
    step_axis(axes, evidence.steps)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1))
    return figure


def turn_words(turn: dict, concept_class: str = "") -> str:
    """A turn in words for a legend: its step and the interval of it."""
    said = f"{concept_class} turn, step {thousands(turn['step'])}".strip()
    ends = turn.get("interval")
    if ends and None not in ends:
        said += f"\n({thousands(ends[0])} to {thousands(ends[1])})"
    return said


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
