"""The arrays of a trajectory: what is picked out of the labelled data for the plain functions."""

import json
from typing import Any

import numpy as np
import xarray
from jaxtyping import Float

from conceptspace.dynamics.accuracy import concept_right, joint_right
from conceptspace.measure.store import doubtful_of, has_inversion

NAIVE = "naive"
SAMPLE_DIMS = ("seed", "step", "concept_class", "method", "strength", "sample")
VARIABLES = ("coordinate", "correct", "off_manifold", "strength_value", "loss", "gamma")
ATTRIBUTES = ("held_out_classes", "training_classes", "concept_labels", "methods")


class TrajectoryArrays:
    """A trajectory's arrays, by class and method.

    Args:
        trajectory: dims seed, step, concept_class, method, strength, sample, concept.

    Attributes:
        steps: training steps, rising; step 0 is the untrained model.
        trained: which of them lie after step 0.
        methods: name -> what is known about it (kind, of, concept, label, control).

    Raises:
        ValueError: if a variable, an attribute or naive prompting is missing.
    """

    def __init__(self, trajectory: xarray.Dataset):
        _check(trajectory)
        self.trajectory = trajectory
        self.seeds = trajectory["seed"].values
        self.steps = trajectory["step"].values
        self.trained = self.steps > 0
        self.classes = [str(name) for name in trajectory["concept_class"].values]
        self.concepts = [str(name) for name in trajectory["concept"].values]
        self.method_names = [str(name) for name in trajectory["method"].values]
        described = {m["name"]: m for m in json.loads(trajectory.attrs["methods"])}
        self.methods: dict[str, dict[str, Any]] = {n: described[n] for n in self.method_names}
        self.training = json.loads(trajectory.attrs["training_classes"])
        self.held_out = json.loads(trajectory.attrs["held_out_classes"])
        labels = json.loads(trajectory.attrs["concept_labels"])
        self.num_values = [len(labels[name]) for name in self.concepts]
        self._correct = trajectory["correct"].transpose(*SAMPLE_DIMS, "concept").values
        self._off = trajectory["off_manifold"].transpose(*SAMPLE_DIMS).values
        self._doubtful = doubtful_of(trajectory).transpose(*SAMPLE_DIMS, "concept").values
        self._has_inversion = has_inversion(trajectory)
        self._coordinate = trajectory["coordinate"].transpose(*SAMPLE_DIMS, "concept").values
        self._strength = trajectory["strength_value"].transpose("method", "strength").values

    @property
    def num_seeds(self) -> int:
        return len(self.seeds)

    @property
    def last_step(self) -> float:
        return float(self.steps[-1])

    def corner(self, concept_class: str) -> Float[np.ndarray, " concept"]:
        """Where a class lies in concept space."""
        return np.array([int(d, 36) / (n - 1) for d, n in zip(concept_class, self.num_values)])

    def measured_methods(self, concept_class: str) -> list[str]:
        """The methods by which a class was generated."""
        off = self._off[:, :, self.classes.index(concept_class)]
        measured = np.flatnonzero((off >= 0).any(axis=(0, 1, 3, 4)))
        return [self.method_names[number] for number in measured]

    def coordinates(
        self, concept_class: str
    ) -> Float[np.ndarray, "seed checkpoint sample concept"]:
        """Each naive sample's place in concept space; NaN where not measured."""
        return self._coordinate[:, :, self.classes.index(concept_class), self._naive, 0]

    def off_manifold(
        self, concept_class: str, method: str
    ) -> Float[np.ndarray, "seed checkpoint strength sample"]:
        """1 off the manifold, 0 on it, NaN where not measured, as without an inversion."""
        off = self._off[:, :, self.classes.index(concept_class), self.method_names.index(method)]
        return np.where((off >= 0) & (self._has_inversion | (off == 1)), off, np.nan)

    def joint_right(
        self, concept_class: str, method: str
    ) -> tuple[Float[np.ndarray, "seed checkpoint strength sample"], np.ndarray]:
        """Right samples at the strengths that were measured, and these strengths' values."""
        index, number = self.classes.index(concept_class), self.method_names.index(method)
        right = joint_right(self._correct[:, :, index, number], self._off[:, :, index, number])
        measured = ~np.isnan(right)
        strengths = np.flatnonzero(measured.any(axis=(0, 1, 3)))
        # Only trailing samples go, so that even and odd ones stay what they are.
        num_samples = max(np.flatnonzero(measured.any(axis=(0, 1, 2)))[-1] + 1, 2)
        return right[:, :, strengths, :num_samples], self._strength[number, strengths]

    def concept_right(
        self, concept_class: str, *, off_is_wrong: bool = True
    ) -> Float[np.ndarray, "seed checkpoint sample concept"]:
        """Right naive samples, each concept on its own.

        Args:
            concept_class: the class that was prompted.
            off_is_wrong: whether doubtful readings count as wrong; if not they count as the
                classifier reads them, as published.
        """
        cell = (slice(None), slice(None), self.classes.index(concept_class), self._naive, 0)
        doubtful = self._doubtful[cell] if off_is_wrong else np.minimum(self._doubtful[cell], 0)
        return concept_right(self._correct[cell], doubtful)

    @property
    def _naive(self) -> int:
        return self.method_names.index(NAIVE)


def _check(trajectory: xarray.Dataset) -> None:
    for what, needed, present in (
        ("variable", VARIABLES, trajectory.variables),
        ("attribute", ATTRIBUTES, trajectory.attrs),
    ):
        missing = [name for name in needed if name not in present]
        if missing:
            raise ValueError(
                f"trajectory has no {what} {missing[0]!r}; a measured trajectory holds "
                + ", ".join(needed)
            )
    names = [str(name) for name in trajectory["method"].values]
    if NAIVE not in names:
        raise ValueError(f"trajectory has no method {NAIVE!r}, only {', '.join(names)}")
    steps = trajectory["step"].values
    if len(steps) < 1 or (np.diff(steps) <= 0).any():
        raise ValueError(f"trajectory's steps must rise, at least one of them, not {steps}")
