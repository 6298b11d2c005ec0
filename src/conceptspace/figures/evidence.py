"""Everything that figures and the report draw from, read in one place.

Findings (plain JSON) hold what was concluded; the trajectory holds what was measured; pictures are
samples to look at. Nothing here computes a conclusion.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from conceptspace.concepts.concept import DIGITS
from conceptspace.dynamics.accuracy import (
    NUM_FOLDS,
    chosen_accuracy,
    concept_right,
    joint_right,
)
from conceptspace.measure.store import doubtful_of

NAIVE = "naive"


class PictureKey(NamedTuple):
    """Which samples a set of pictures shows."""

    seed: int
    step: int
    concept_class: str
    method: str


class Band(NamedTuple):
    """A curve over steps with its interval; every entry may hold NaN where nothing was measured."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    per_seed: np.ndarray


class Method(NamedTuple):
    """A way of prompting: naive, an elicitation, or the control of one."""

    name: str
    kind: str
    label: str
    of: str | None = None
    concept: str | None = None
    control: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What a run found, measured and drew.

    Attributes:
        findings: the findings, as read from JSON.
        trajectory: the measured trajectory with dims seed, step, concept_class, method, strength,
            sample, concept.
        pictures: samples (num, height, width, channel) uint8 of a seed, step, class and method.
        corners: for each class one picture (height, width, channel) uint8 drawn by G.
        examples: for each concept one picture drawn by G for each of its values.
    """

    findings: Mapping[str, Any]
    trajectory: xr.Dataset
    pictures: Mapping[PictureKey, np.ndarray] = field(default_factory=dict)
    corners: Mapping[str, np.ndarray] = field(default_factory=dict)
    examples: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> np.ndarray:
        """Checkpoints (step,)."""
        return np.asarray(self.trajectory["step"].values, dtype=np.int64)

    @cached_property
    def seeds(self) -> list[int]:
        return [int(seed) for seed in self.trajectory["seed"].values]

    @cached_property
    def concepts(self) -> list[str]:
        return [str(name) for name in self.trajectory["concept"].values]

    @cached_property
    def training(self) -> list[str]:
        """The classes trained on."""
        return list(self._attribute("training_classes", []))

    @cached_property
    def held_out(self) -> list[str]:
        """The classes never trained on; may be empty."""
        return list(self._attribute("held_out_classes", []))

    @cached_property
    def classes(self) -> list[str]:
        """Training classes first, then the held-out ones."""
        return self.training + self.held_out

    @cached_property
    def methods(self) -> list[Method]:
        """Every way of prompting, naive first."""
        found = []
        for entry in self._attribute("methods", []):
            known = {key: entry.get(key) for key in Method._fields if entry.get(key) is not None}
            found.append(Method(**({"label": entry["name"]} | known)))
        return sorted(found, key=lambda method: method.kind != NAIVE)

    def methods_of_kind(self, kind: str) -> list[Method]:
        """The methods of one kind: `naive`, `elicitation` or `control`."""
        return [method for method in self.methods if method.kind == kind]

    def words(self, concept: str) -> list[str]:
        """A word for each value of a concept."""
        labels = self._attribute("concept_labels", {}).get(concept)
        if labels:
            return [str(label) for label in labels]
        return [str(index) for index in range(int(self.trajectory.sizes.get("value", 2)))]

    def class_words(self, concept_class: str) -> str:
        """A class in words, such as `blue small`."""
        return str(self._attribute("class_labels", {}).get(concept_class, ""))

    def class_label(self, concept_class: str) -> str:
        """Name and words of a class, such as `11 blue small`."""
        return f"{concept_class} {self.class_words(concept_class)}".strip()

    def corner(self, concept_class: str) -> np.ndarray:
        """Where a class belongs (concept,): value index over number of values less 1."""
        numbers = [max(len(self.words(concept)) - 1, 1) for concept in self.concepts]
        return np.asarray([DIGITS.index(letter) for letter in concept_class]) / numbers

    def coordinates(self, concept_class: str, method: str = NAIVE) -> np.ndarray:
        """Position (seed, step, concept), averaged over all samples; NaN where not measured."""
        part = self._select("coordinate", concept_class, method)
        if part is None:
            return np.full((len(self.seeds), len(self.steps), len(self.concepts)), np.nan)
        return nan_mean(part.transpose("seed", "step", "concept", "sample").values)

    def mean_coordinates(self, concept_class: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Position over seeds, and the ends of its interval; each (step, concept)."""
        found = self._class(concept_class).get("coordinate")
        if not found:
            mean = nan_mean(np.moveaxis(self.coordinates(concept_class), 0, -1))
            return mean, mean, mean
        mean = numbers(found["mean"])
        ends = numbers(found.get("interval"), like=np.stack([mean, mean], axis=-1))
        return mean, ends[..., 0], ends[..., 1]

    def accuracy(self, concept_class: str, method: str = NAIVE) -> Band | None:
        """Joint accuracy over steps, or None where it was not measured."""
        found = self._class(concept_class).get("accuracy", {}).get(method)
        if not found:
            return None
        mean = numbers(found["mean"])
        if not np.isfinite(mean).any():
            return None
        ends = numbers(found.get("interval"), like=np.stack([mean, mean], axis=-1))
        return Band(mean, ends[..., 0], ends[..., 1], numbers(found.get("per_seed"), mean[None]))

    def strengths(self, concept_class: str, method: str) -> np.ndarray | None:
        """Chosen strengths (seed, step), or None where there was nothing to choose."""
        found = self._class(concept_class).get("accuracy", {}).get(method, {}).get("strength")
        return None if not found else numbers(found)

    def concept_accuracy(self, concept_class: str, method: str = NAIVE) -> np.ndarray:
        """Share of samples with each concept right (seed, step, concept); doubtful is wrong.

        As for joint accuracy, each half of the samples is scored at the strength that makes most of
        the other half right.
        """
        found = self._cell("correct", concept_class, method)
        if found is None:
            return np.full((len(self.seeds), len(self.steps), len(self.concepts)), np.nan)
        order = ("seed", "step", "strength", "sample")
        correct = found.transpose(*order, "concept").values.astype(np.int8)
        place = {"concept_class": concept_class, "method": method}
        known = doubtful_of(self.trajectory).sel(place).transpose(*order, "concept")
        doubtful = known.values.astype(np.int8)
        right = concept_right(correct, doubtful)
        if method == NAIVE or right.shape[3] < NUM_FOLDS:
            return nan_mean(np.moveaxis(right[:, :, 0], 2, -1))
        chosen = chosen_accuracy(joint_right(correct, doubtful.max(axis=-1))).strength
        folds = []
        for fold in range(NUM_FOLDS):
            at = np.maximum(chosen[..., fold], 0)[:, :, None, None, None]
            scored = np.take_along_axis(right[:, :, :, fold::NUM_FOLDS], at, axis=2)[:, :, 0]
            folds.append(nan_mean(np.moveaxis(scored, 2, -1)))
        return np.mean(folds, axis=0)

    def off_manifold(self, concept_class: str, method: str = NAIVE) -> np.ndarray | None:
        """Share of samples that G could not have drawn (step,), or None where not measured."""
        found = self._class(concept_class).get("off_manifold", {}).get(method)
        return None if not found else numbers(found)

    def turns(self, concept_class: str) -> list[dict[str, Any]]:
        """The turns of a class's path, over all seeds together."""
        return list(self._class(concept_class).get("turns") or [])

    def finding(self, concept_class: str, *path: str) -> Any:
        """An entry of a class's findings, or None where there is none."""
        entry: Any = self._class(concept_class)
        for key in path:
            if not isinstance(entry, Mapping):
                return None
            entry = entry.get(key)
        return entry

    def picture(self, seed: int, step: int, concept_class: str, method: str) -> np.ndarray | None:
        """Pictures (num, height, width, channel), or None where none were kept."""
        return self.pictures.get(PictureKey(int(seed), int(step), concept_class, method))

    @property
    def loss_unit(self) -> str:
        """What a loss is."""
        return str(self._attribute("loss_unit", None) or "bits per dimension")

    def _class(self, concept_class: str) -> Mapping[str, Any]:
        return self.findings.get("classes", {}).get(concept_class) or {}

    def _attribute(self, name: str, default: Any) -> Any:
        value = self.trajectory.attrs.get(name, default)
        return json.loads(value) if isinstance(value, str) else value

    def _select(self, variable: str, concept_class: str, method: str) -> xr.DataArray | None:
        found = self._cell(variable, concept_class, method)
        return None if found is None else found.isel(strength=0)

    def _cell(self, variable: str, concept_class: str, method: str) -> xr.DataArray | None:
        """A variable of one class and method at all strengths, or None where there is none."""
        data = self.trajectory
        known = (
            variable in data
            and concept_class in data["concept_class"].values
            and method in data["method"].values
        )
        if not known:
            return None
        # a dict, since xarray takes `method=` for how to look up what is not there
        return data[variable].sel({"concept_class": concept_class, "method": method})


def numbers(values: Any, like: np.ndarray | None = None) -> np.ndarray:
    """Nested JSON lists as floats, null as NaN; `like` where there is nothing."""
    if values is None:
        if like is None:
            raise ValueError("values is missing and there is nothing to stand in for it")
        return like
    return np.asarray(_without_none(values), dtype=float)


def nan_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis, leaving NaN out; NaN where nothing is left, without a warning."""
    kept = np.isfinite(values)
    total = np.where(kept, values, 0.0).sum(axis=-1, dtype=float)
    count = kept.sum(axis=-1)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def gather_pictures(
    measurements: Iterable[xr.Dataset], findings: Mapping[str, Any]
) -> dict[PictureKey, np.ndarray]:
    """Samples of every class and method, at the strength that was chosen for that checkpoint.

    Args:
        measurements: measurement datasets, one seed and step each, with their thumbnails.
        findings: the findings, which name the strengths.
    """
    pictures = {}
    for data in measurements:
        if "thumbnail" not in data or not data.sizes.get("thumbnail", 0):
            continue
        cells = ("seed", "step", "concept_class", "method")
        shown = data["thumbnail"].transpose(
            *cells, "strength", "thumbnail", "row", "column", "channel"
        )
        measured = (data["correct"] >= 0).any(["sample", "concept"]).transpose(*cells, "strength")
        offered = data["strength_value"].transpose("method", "strength").values
        names = [data[cell].values for cell in cells]
        for place in zip(*np.nonzero(measured.any("strength").values)):
            seed, step, name, method = (values[i] for values, i in zip(names, place))
            key = PictureKey(int(seed), int(step), str(name), str(method))
            strength = _chosen(
                findings, key, np.where(measured.values[place], offered[place[3]], np.nan)
            )
            if measured.values[place][strength]:
                pictures[key] = np.asarray(shown.values[place][strength], dtype=np.uint8)
    return pictures


def _chosen(findings: Mapping[str, Any], key: PictureKey, offered: np.ndarray) -> int:
    """Index of the strength nearest to the one chosen; 0 where there was nothing to choose."""
    found = findings.get("classes", {}).get(key.concept_class, {}).get("accuracy", {})
    table = found.get(key.method, {}).get("strength")
    known = key.seed in findings.get("seeds", []) and key.step in findings.get("steps", [])
    if not table or not known or not np.isfinite(offered).any():
        return 0
    value = table[findings["seeds"].index(key.seed)][findings["steps"].index(key.step)]
    return 0 if value is None else int(np.nanargmin(np.abs(offered - float(value))))


def _without_none(values: Any) -> Any:
    if isinstance(values, list | tuple):
        return [_without_none(value) for value in values]
    return np.nan if values is None else values
