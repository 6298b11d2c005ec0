"""What is shown of many held-out classes: their paths in planes, and their distance over steps.

Up to `MOST_ALONE` held-out classes are shown one by one; more of them by how many concepts they
combine, which is how many differ from class 0...0.
"""

import itertools
from typing import Any

import numpy as np

from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.bootstrap import (
    mean_over_seeds,
    percentile_interval,
    resample_means,
    resample_seeds,
)
from conceptspace.dynamics.corners import distance_to
from conceptspace.dynamics.settings import FindingsSettings

MOST_ALONE = 5


def combined(concept_class: str) -> int:
    """How many concepts of a class differ from class 0...0.

    Example:
        >>> combined("0110")
        2
    """
    return sum(digit != "0" for digit in concept_class)


def shown_groups(held_out: list[str]) -> dict[str, list[str]]:
    """The held-out classes that are shown together, by a name for them.

    Example:
        >>> shown_groups(["011", "111"])
        {'011': ['011'], '111': ['111']}
    """
    if len(held_out) <= MOST_ALONE:
        return {name: [name] for name in held_out}
    found: dict[str, list[str]] = {}
    for name in sorted(held_out, key=combined):
        found.setdefault(f"{combined(name)} concepts", []).append(name)
    return found


def shown_planes(num_concepts: int) -> list[tuple[int, int]]:
    """Three pairs of concepts: all of three, or of more the first with the last and so on.

    Example:
        >>> shown_planes(6)
        [(0, 5), (1, 4), (2, 3)]
    """
    if num_concepts <= 3:
        return list(itertools.combinations(range(num_concepts), 2))
    return [(i, num_concepts - 1 - i) for i in range(min(num_concepts // 2, 3))]


def groups(arrays: TrajectoryArrays, settings: FindingsSettings) -> dict[str, Any]:
    """Mean paths in each plane, and distance to the own corner with its interval, of each group.

    Of a group of several classes a plane shows those that have the last value of both of its
    concepts, so that all paths of the plane lead to one corner.
    """
    planes = shown_planes(len(arrays.concepts))
    found = {}
    for label, names in shown_groups(arrays.held_out).items():
        found[label] = _distance(arrays, names, settings) | {
            "classes": names,
            "planes": [_path(arrays, names, plane) for plane in planes],
        }
    return found


def _path(arrays: TrajectoryArrays, names: list[str], plane: tuple[int, int]) -> np.ndarray:
    """Mean over classes, seeds and samples (checkpoint, 2)."""
    in_plane = list(plane)
    chosen = [name for name in names if len(names) == 1 or arrays.corner(name)[in_plane].min() == 1]
    if not chosen:
        return np.full((int(arrays.trained.sum()), 2), np.nan)
    paths = [
        mean_measured(arrays.coordinates(name)[:, arrays.trained][..., in_plane], axis=(0, 2))
        for name in chosen
    ]
    return mean_measured(np.array(paths), axis=0)


def _distance(
    arrays: TrajectoryArrays, names: list[str], settings: FindingsSettings
) -> dict[str, Any]:
    """Of each seed's mean place, over classes and seeds; seeds redrawn first, samples second."""
    means, draws = [], []
    for name in names:
        place, corner = arrays.coordinates(name)[:, arrays.trained], arrays.corner(name)
        means.append(distance_to(corner, place).mean(axis=0))
        rng = np.random.default_rng([settings.random_seed, int(name, 36)])
        bank = resample_means(np.moveaxis(place, -1, 2), settings.num_resamples, rng)
        distances = np.linalg.norm(bank - corner, axis=-1)
        # All classes of a seed are redrawn together.
        draws.append(resample_seeds(distances, np.random.default_rng(settings.random_seed)))
    over_seeds = mean_over_seeds(np.mean(draws, axis=0))
    return {
        "mean": np.mean(means, axis=0),
        "interval": percentile_interval(over_seeds, settings.confidence),
    }
