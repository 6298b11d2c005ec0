"""What studies of theory look at of a run: the held-out class's path, its times, the signals."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
from jaxtyping import Float, Real

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.worlds import BuiltInWorld
from conceptspace.dynamics.accuracy import mean_measured
from conceptspace.dynamics.arrays import TrajectoryArrays
from conceptspace.dynamics.learning import learning_times
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.studies.separations import separation
from conceptspace.studies.study import StudyRun


@dataclass(frozen=True)
class HeldOutPath:
    """One setting: what is known before training, and what came.

    Attributes:
        name: of the run.
        held_out: the held-out class.
        concepts: their names.
        separation: of each concept.
        signal: distance between class means, in pixel values; 0 where two values look the same.
        derivative: the other form of the signal, mean |dG/dz|.
        goal: the class's own corner.
        steps: of the trained checkpoints.
        paths: the class's coordinates under naive prompting, each seed's mean over samples.
        training: the same of each training class, by name.
        corners: of the training classes, by name.
        times: learning times by threshold; infinite where never.
        num_samples: behind each mean.
    """

    name: str
    held_out: str
    concepts: tuple[str, ...]
    separation: tuple[float, ...]
    signal: Float[np.ndarray, " concept"]
    derivative: Float[np.ndarray, " concept"]
    goal: Float[np.ndarray, " concept"]
    steps: Real[np.ndarray, " checkpoint"]
    paths: Float[np.ndarray, "seed checkpoint concept"]
    training: dict[str, Float[np.ndarray, "seed checkpoint concept"]]
    corners: dict[str, Float[np.ndarray, " concept"]]
    times: dict[str, Float[np.ndarray, "concept seed"]]
    num_samples: int

    @property
    def end(self) -> float:
        """The last step that was measured."""
        return float(self.steps[-1])

    @property
    def nearness(self) -> Float[np.ndarray, "seed checkpoint concept"]:
        """The paths read towards the class's own corner: 1 is there, on every axis."""
        return 1 - np.abs(self.paths - self.goal)

    @property
    def weaker(self) -> int:
        """Index of the concept with the weaker signal."""
        return int(np.argmin(self.signal))

    @property
    def label(self) -> str:
        """The separations in words, such as `colour 0.4, size 0.3`."""
        return ", ".join(f"{n} {d:g}" for n, d in zip(self.concepts, self.separation))


def read_paths(runs: Iterable[StudyRun]) -> tuple[list[HeldOutPath], FindingsSettings]:
    """All settings, from the smallest ratio of the signals to the largest.

    Args:
        runs: of the same two concepts, with the same findings settings.

    Returns:
        the settings, and what their findings are judged by.

    Raises:
        ValueError: if there is no run, two have the same separations, or runs differ in what they
            must share.
    """
    found, first = [], None
    for run in runs:
        path, settings = _read(run), run.experiment.findings
        shared = (path.concepts, path.held_out, settings)
        first = first or shared
        if shared != first or len(path.concepts) != 2:
            raise ValueError(
                f"runs: {path.name} must have two concepts, and the same concepts, held-out class "
                "and findings settings as the others"
            )
        if any(path.separation == other.separation for other in found):
            raise ValueError(f"runs: {path.name} has the separations of another run")
        found.append(path)
    if first is None:
        raise ValueError("runs must hold at least one run")
    return sorted(found, key=lambda p: (_ratio(p.signal), p.separation)), first[2]


def _ratio(signal: np.ndarray) -> float:
    return float(np.arctan2(signal[0], signal[1]))


@lru_cache(maxsize=256)
def signals_of(world: BuiltInWorld, space: ConceptSpace) -> Float[np.ndarray, "kind concept"]:
    """The signal of each concept, as the distance between class means and as |dG/dz|.

    Args:
        world: G.
        space: the concepts.
    """
    from conceptspace.data.signal import concept_signal

    found = concept_signal(world, space)
    return np.array(
        [[getattr(found[name], kind) for name in space.names] for kind in ("finite", "derivative")]
    )


def _read(run: StudyRun) -> HeldOutPath:
    arrays, space = TrajectoryArrays(run.trajectory), run.experiment.space
    name, trained = arrays.held_out[0], arrays.trained

    def path(concept_class: str) -> np.ndarray:
        return mean_measured(arrays.coordinates(concept_class)[:, trained], axis=2)

    # Settings are frozen, and so hashable, which pyright does not see.
    world: Any = run.experiment.world
    finite, derivative = signals_of(world, cast("Any", space))
    return HeldOutPath(
        name=run.experiment.name,
        held_out=name,
        concepts=tuple(space.names),
        separation=tuple(separation(concept) for concept in space.concepts),
        signal=finite,
        derivative=derivative,
        goal=arrays.corner(name),
        steps=arrays.steps[trained].astype(float),
        paths=path(name),
        training={other: path(other) for other in arrays.training},
        corners={other: arrays.corner(other) for other in arrays.training},
        times=naive_times(arrays, run.experiment.findings),
        num_samples=int((~np.isnan(arrays.coordinates(name)[0, -1, :, 0])).sum()),
    )


def naive_times(
    arrays: TrajectoryArrays, settings: FindingsSettings, *, off_is_wrong: bool = True
) -> dict[str, Float[np.ndarray, "concept seed"]]:
    """When each seed has a concept of the first held-out class right, by threshold.

    Args:
        arrays: of a run.
        settings: thresholds and smoothing.
        off_is_wrong: whether doubtful readings count as wrong.

    Returns:
        steps; infinite where not by the last one.
    """
    right = arrays.concept_right(arrays.held_out[0], off_is_wrong=off_is_wrong)
    right = right[:, arrays.trained]
    accuracy = np.moveaxis(mean_measured(right, axis=2), -1, 0)  # (concept, seed, checkpoint)
    return {
        str(threshold): learning_times(
            arrays.steps[arrays.trained],
            accuracy,
            threshold,
            consecutive=settings.consecutive,
            smoothing=settings.smoothing,
        )
        for threshold in settings.thresholds
    }
