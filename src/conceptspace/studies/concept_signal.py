"""Study `concept-signal`: how much the data change with one concept, world by world. No training.

After Park et al. 2024, figure 2: the farther apart the values of a concept, the stronger its
signal.
"""

import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.data.world import SyntheticWorld
from conceptspace.data.worlds import BuiltInWorld
from conceptspace.dynamics.bootstrap import percentile_interval
from conceptspace.dynamics.plain import plain
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.recipes.quick import quick
from conceptspace.studies.multiplicity import level_of
from conceptspace.studies.separations import two_concepts
from conceptspace.studies.study import Scale, Seeded, Study, StudyRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

AXES = ("colour", "size")
SEPARATIONS = {"colour": (0.1, 0.2, 0.3, 0.4, 0.6, 0.8), "size": (0.1, 0.2, 0.25, 0.3, 0.35, 0.4)}
FIXED = {"colour": (0.2, 0.4, 0.8), "size": (0.2, 0.3, 0.4)}
"""Where an axis is held while the other is swept."""
KINDS = ("derivative", "finite")
"""The paper's |dG/dz|, and the distance between class means."""
NUM_DRAWS = 5
NUM_IMAGES = 16
"""Of each draw; the factors that are no concepts differ between them."""


def experiments(scale: Scale) -> list[Seeded]:
    """Nothing is trained."""
    return []


def world_of(scale: Scale) -> BuiltInWorld:
    """The world of a scale's runs."""
    if scale == "quick":
        return quick().world
    return SyntheticWorld(image_size=32, rasterisation="published")


def analyse(runs: Iterable[StudyRun], scale: Scale) -> dict[str, Any]:
    """Signals of both axes at every separation of either, the other held fixed.

    Args:
        runs: not looked at.
        scale: whose world.

    Returns:
        for each axis, where the other is held: both axes' signals (draw, separation) of each kind.
    """
    measured = _measured(world_of(scale))
    found = {}
    for axis, other in (AXES, AXES[::-1]):
        lines = []
        for held in FIXED[other]:
            on_line = np.stack([measured[_pair(axis, d, held)] for d in SEPARATIONS[axis]], axis=-1)
            by_axis = {
                name: {kind: on_line[:, i, j] for j, kind in enumerate(KINDS)}
                for i, name in enumerate(AXES)
            }
            lines.append({"held": held, "signal": by_axis})
        found[axis] = {"other": other, "separation": SEPARATIONS[axis], "lines": lines}
    return plain({"num_draws": NUM_DRAWS, "num_images": NUM_IMAGES, "axes": found})


def _pair(axis: str, separation: float, held: float) -> tuple[float, float]:
    """The separations of colour and size where an axis is swept and the other held."""
    return (separation, held) if axis == "colour" else (held, separation)


def _measured(world: BuiltInWorld) -> dict[tuple[float, float], np.ndarray]:
    """Signals (draw, axis, kind) at every pair of separations; the lines cross at some of them."""
    pairs = {
        _pair(axis, separation, held)
        for axis, other in (AXES, AXES[::-1])
        for separation, held in itertools.product(SEPARATIONS[axis], FIXED[other])
    }
    found = {}
    for pair in sorted(pairs):
        found[pair] = np.array([_one_draw(world, pair, draw) for draw in range(NUM_DRAWS)])
    return found


def _one_draw(world: BuiltInWorld, pair: tuple[float, float], draw: int) -> list[list[float]]:
    """Signals (axis, kind) from one draw of images."""
    from conceptspace.data.signal import concept_signal

    signals = concept_signal(world, two_concepts(*pair), num_images=NUM_IMAGES, seed=draw)
    return [[getattr(signals[name], kind) for kind in KINDS] for name in AXES]


def claims(findings: Mapping[str, Any]) -> "list[Claim]":
    """One claim an axis: its signal rises with its separation wherever the other axis is held."""
    return [_claim(findings, axis) for axis in findings["axes"]]


def _claim(findings: Mapping[str, Any], axis: str) -> "Claim":
    from conceptspace.report.case import control, judge, record

    found = findings["axes"][axis]
    other, separations = found["other"], found["separation"]
    level = {**level_of(FindingsSettings()), **findings}
    rises = {kind: _smallest_rise(found, axis, kind, level) for kind in KINDS}
    controls: dict[str, Any] = {
        f"smallest rise, {kind}": control(value, low > 0, required=True, interval=(low, high))
        for kind, (value, (low, high)) in rises.items()
    }
    for line in found["lines"]:
        own, others = (_mean(line, name, "derivative") for name in (axis, other))
        controls[f"{other} held at {line['held']:g}"] = control(
            own[-1] / own[0] if own[0] else None, None, required=False,
            signal=own, other_signal=others, other_last_over_first=others[-1] / others[0],
        )  # fmt: skip
    value, interval = rises["derivative"]
    held = ", ".join(f"{line['held']:g}" for line in found["lines"])
    return record(
        f"signal/{axis}",
        f"The signal of {axis} rises with its separation, whatever the separation of {other}.",
        f"Between neighbouring separations, {separations[0]:g} to {separations[-1]:g}, the mean "
        f"|dG/dz| rises, with {other} held at {held}: the interval of the smallest rise, from "
        f"redrawing the {findings['num_draws']} draws of images, lies above 0, and so does that of "
        "the distance between class means.",
        value=value,
        interval=interval,
        verdict=judge(controls),
        controls=controls,
        scale=findings["scale"],
        seeds=findings["num_draws"],
    )


def _smallest_rise(
    found: Mapping[str, Any], axis: str, kind: str, level: Mapping[str, Any]
) -> tuple[float, tuple[float, float]]:
    """The least difference between neighbours, over all lines, with its interval over draws."""
    values = np.array([line["signal"][axis][kind] for line in found["lines"]])
    num_draws = values.shape[1]
    rng = np.random.default_rng(0)
    drawn = rng.integers(num_draws, size=(level["num_resamples"], num_draws))
    means = values[:, drawn].mean(axis=2)  # (line, resample, separation)
    draws = np.diff(means, axis=-1).min(axis=(0, 2))
    low, high = percentile_interval(draws, level["confidence"])
    smallest = np.diff(values.mean(axis=1), axis=-1).min()
    return float(smallest), (float(low), float(high))


def _mean(line: Mapping[str, Any], name: str, kind: str) -> list[float]:
    return plain(np.array(line["signal"][name][kind]).mean(axis=0))


def figure(findings: Mapping[str, Any]) -> "Figure":
    """Signals against separations, under pictures of the worlds."""
    from conceptspace.figures.signal_sweep import signal_sweep_figure

    return signal_sweep_figure(findings["axes"], _pictures(findings))


def _pictures(findings: Mapping[str, Any]) -> dict[str, list[list[np.ndarray]]]:
    """For each axis and separation a picture of each value, the other axis at its last place."""
    from conceptspace.derived import examples

    base, made = quick().replace(world=world_of(findings["scale"])), {}
    for axis, found in findings["axes"].items():
        held = found["lines"][-1]["held"]
        pairs = [_pair(axis, separation, held) for separation in found["separation"]]
        worlds = [base.replace(space=two_concepts(*pair)) for pair in pairs]
        made[axis] = [examples(experiment)[axis] for experiment in worlds]
    return made


STUDY = Study(
    name="concept-signal",
    title="the signal of each concept in worlds of different separations",
    tests=("signal/colour", "signal/size"),
    experiments=experiments,
    analyse=analyse,
    claims=claims,
    figure=figure,
)
