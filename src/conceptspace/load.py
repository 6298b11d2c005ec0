"""A finished or unfinished run, opened for analysis."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xarray

from conceptspace.adapters.native import NativeAdapter
from conceptspace.build import build_adapter, build_model
from conceptspace.derived import derive, read_measurements
from conceptspace.experiment import Experiment
from conceptspace.folder import (
    Description,
    RunError,
    read_description,
    read_execution,
    read_experiment,
    seed_folder,
    seeds_there,
)
from conceptspace.measure.store import MeasurementStore, join
from conceptspace.models.regression import Model
from conceptspace.training.checkpoint import CheckpointStore
from conceptspace.training.state import measured_weights


@dataclass(frozen=True)
class Run:
    """A run directory. Everything is read when first asked for; nothing is ever executed.

    Attributes:
        folder: the run directory.
        experiment: its settings.
    """

    folder: Path
    experiment: Description

    @cached_property
    def trajectory(self) -> xarray.Dataset:
        """All measurements: dims seed, step, concept_class, method, strength, sample, concept."""
        return join(read_measurements(self.folder, self.experiment).measurements)

    @property
    def findings(self) -> dict[str, Any]:
        """What was concluded; made if it is not there yet."""
        return self._derived("findings.json")

    @property
    def claims(self) -> list[dict[str, Any]]:
        """The claims with their verdicts; made if they are not there yet."""
        return self._derived("claims.json")

    @property
    def trained(self) -> Experiment:
        """The settings, of a run that our own training made.

        Raises:
            WrongFolder: if the model was trained elsewhere.
        """
        return read_experiment(self.folder)

    @property
    def seeds(self) -> list[int]:
        """The seeds that have a folder."""
        return seeds_there(self.folder)

    def steps(self, seed: int = 0) -> list[int]:
        """The steps at which a seed has a checkpoint."""
        return CheckpointStore(self._seed_folder(seed)).steps()

    def measurement(self, seed: int, step: int) -> xarray.Dataset:
        """One checkpoint's measurement, thumbnails included."""
        return MeasurementStore(self._seed_folder(seed)).read(step)

    def model(self, seed: int = 0, step: int | None = None) -> Model:
        """The model at a checkpoint, with the weights that were measured; the last by default.

        Raises:
            ValueError: if there is no such seed; the message lists those there are.
            FileNotFoundError: if there is no such checkpoint; the message lists those there are.
            DamagedFile: if the file is not what was written.
            WrongFolder: if the model was trained elsewhere.
        """
        experiment = self.trained
        store = CheckpointStore(self._seed_folder(seed))
        steps = store.steps()
        if step is None and not steps:
            raise RunError(f"{self.folder} has no checkpoint of seed {seed} yet")
        tensors = store.load(steps[-1] if step is None else step)
        model = build_model(experiment, seed, read_execution(self.folder))
        model.load_state_dict(measured_weights(tensors))
        return model.eval()

    def adapter(self, seed: int = 0, step: int | None = None) -> NativeAdapter:
        """The model at a checkpoint, as measuring and elicitation see it."""
        return build_adapter(self.trained, self.model(seed, step))

    def _seed_folder(self, seed: int) -> Path:
        if seed not in self.seeds:
            known = ", ".join(map(str, self.seeds)) or "none"
            raise ValueError(f"seed {seed} is not in {self.folder}; there are {known}")
        return seed_folder(self.folder, seed)

    def _derived(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_bytes())
        except (FileNotFoundError, ValueError):  # missing, or damaged so that it is no JSON
            derive(self.folder)
        return json.loads((self.folder / name).read_bytes())


def load_run(folder: Path | str) -> Run:
    """Open a run directory.

    Raises:
        RunError: if it is not a run, or its settings are damaged.
    """
    return Run(Path(folder), read_description(Path(folder)))
