"""From measurements to everything derived: trajectory, findings, claims, figures and report.

None of it needs the model. It can be removed and made again at any time.
"""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray

from conceptspace.data.dataset import render_images
from conceptspace.data.labelled import DataError
from conceptspace.data.pictures import pictures_of
from conceptspace.data.signal import concept_signal
from conceptspace.data.streams import numpy_stream
from conceptspace.dynamics.findings import findings
from conceptspace.experiment import Experiment
from conceptspace.figures.apart import SavedApart
from conceptspace.figures.evidence import Evidence, gather_pictures
from conceptspace.figures.gallery import draw_all, figure_names, save_figures
from conceptspace.folder import (
    ENVIRONMENT,
    PROBE_TABLES,
    Description,
    RunError,
    read_description,
    seed_folder,
    seeds_there,
)
from conceptspace.measure.files import DamagedFile, SealedFolder, write_atomically
from conceptspace.measure.netcdf import to_netcdf
from conceptspace.measure.store import MeasurementStore, join, tidy
from conceptspace.observation import Observation
from conceptspace.report.claims import claims as judge
from conceptspace.report.html import render_report, shown_names


@dataclass(frozen=True)
class Measured:
    """What is on disk of a run.

    Attributes:
        measurements: of each seed, its checkpoints in order; the same steps for every seed.
        notes: what is missing or damaged, in words.
    """

    measurements: list[list[xarray.Dataset]]
    notes: list[str]


def derive(
    folder: Path, *, seeds: Sequence[int] | None = None, second_process: bool = True
) -> dict[str, Any]:
    """Make everything that is derived from a run's measurements.

    Args:
        folder: the run directory.
        seeds: which seeds; all that are there by default.
        second_process: whether a second core may draw figures meanwhile.

    Returns:
        `claims` (a list) and `notes` (what is missing, in words).

    Raises:
        RunError: if nothing is measured yet.
    """
    experiment = read_description(folder)
    with SavedApart(second_process) as apart:
        measured = read_measurements(folder, experiment, seeds)
        evidence, claims = _conclude(folder, experiment, measured)
        names = shown_names(evidence)
        others = [name for name in figure_names(evidence) if name not in names]
        apart.save(evidence, others, folder / "figures")
        shown = draw_all(evidence, names)
        save_figures(shown, folder / "figures")
        environment = _read_json(SealedFolder(folder), ENVIRONMENT, measured.notes) or {}
        report = render_report(
            evidence,
            claims,
            experiment.model_dump(mode="json"),
            environment,
            notes=measured.notes,
            command=_command(folder, experiment, evidence.seeds),
            figures=shown,
        )
        apart.finish()
    write_atomically(folder / "report.html", report.encode())
    return {"claims": claims, "notes": measured.notes}


def _conclude(
    folder: Path, experiment: Description, measured: Measured
) -> tuple[Evidence, list[dict[str, Any]]]:
    """Write down the trajectory, the findings and the claims; what figures are drawn from."""
    trajectory = join(measured.measurements)
    write_atomically(folder / "trajectory.nc", to_netcdf(trajectory))
    write_atomically(folder / "trajectory.csv", tidy(trajectory).encode())
    signal, corners, shown = _of_data(experiment, measured.notes)
    found = findings(
        trajectory,
        experiment.findings,
        signal=signal,
        probe=_probe_tables(folder, experiment, measured.notes),
    )
    _write_json(folder / "findings.json", found)
    claims = [
        claim.model_dump(mode="json")
        for claim in judge(found, trajectory, experiment.findings, scale=experiment.scale)
    ]
    _write_json(folder / "claims.json", claims)
    flat = [one for steps in measured.measurements for one in steps]
    evidence = Evidence(found, trajectory, gather_pictures(flat, found), corners, shown)
    return evidence, claims


def read_measurements(
    folder: Path, experiment: Description, seeds: Sequence[int] | None = None
) -> Measured:
    """Every checkpoint that all seeds have measured.

    Raises:
        RunError: if there is none.
    """
    found = seeds_there(folder)
    chosen = [seed for seed in (found if seeds is None else sorted(seeds)) if seed in found]
    stores = {seed: MeasurementStore(seed_folder(folder, seed)) for seed in chosen}
    notes: list[str] = []
    read: dict[int, dict[int, xarray.Dataset]] = {}
    for seed, store in stores.items():
        of_seed = {}
        for step in store.steps():
            try:
                of_seed[step] = store.read(step)
            except DamagedFile as error:
                notes.append(f"{error}; it is left out. Running the experiment again mends it.")
        if of_seed:
            read[seed] = of_seed
        else:
            notes.append(f"seed {seed} has no measurements yet and is left out")
    if not read:
        raise RunError(f"{folder} has no measurements yet: run the experiment first")
    common = sorted(set.intersection(*(set(steps) for steps in read.values())))
    # A loop of the user's own measures what it calls for: none of it can be missing.
    expected = experiment.steps if isinstance(experiment, Experiment) else common
    missing = len(expected) - len(common)
    if missing:
        notes.append(f"{missing} of {len(expected)} checkpoints are not measured in every seed yet")
    if not common:
        raise RunError(f"{folder}: no checkpoint is measured in every seed yet; let the run go on")
    return Measured([[steps[s] for s in common] for steps in read.values()], notes)


def _of_data(
    experiment: Description, notes: list[str]
) -> tuple[dict[str, Any] | None, dict[str, np.ndarray], dict[str, list[np.ndarray]]]:
    """Signal, corners and examples; a note, and none of them, if labelled images are gone."""
    try:
        return _signal(experiment), _corners(experiment), examples(experiment)
    except DataError as error:
        notes.append(f"{error}; the report goes without concept signal and pictures of the data")
        return {}, {}, {}


def _signal(experiment: Description) -> dict[str, dict[str, float | None]] | None:
    if experiment.world is None:
        return None
    signals = concept_signal(experiment.world, experiment.space)
    return {
        name: {"signal": signal.derivative, "finite": signal.finite}
        for name, signal in signals.items()
    }


def _read_json(sealed: SealedFolder, name: str, notes: list[str]) -> dict[str, Any] | None:
    """What a file beside the measurements says; a note, and None, if it is damaged or missing."""
    try:
        return json.loads(sealed.read(name))
    except FileNotFoundError:
        notes.append(f"{sealed.path / name} is missing; the report goes without it")
    except DamagedFile as error:
        notes.append(f"{error}; the report goes without it")
    return None


def _probe_tables(folder: Path, experiment: Description, notes: list[str]) -> dict[str, Any] | None:
    """How good the probe is; of a probe of the user's own only where somebody wrote it down."""
    sealed = SealedFolder(folder)
    if isinstance(experiment, Observation) and not sealed.has(PROBE_TABLES):
        return None
    return _read_json(sealed, PROBE_TABLES, notes)


def _corners(experiment: Description) -> dict[str, np.ndarray]:
    """A picture of each class, drawn by G at the class mean, or one of its images; none where
    the data are unknown.
    """
    space = experiment.space
    if experiment.world is None:
        return {}
    z = np.stack([space.mean(name) for name in space.classes])
    return dict(zip(space.classes, _pictures(experiment, z)))


def examples(experiment: Description) -> dict[str, list[np.ndarray]]:
    """For each concept, pictures that differ in its value alone; none where G is unknown."""
    space = experiment.space
    examples: dict[str, list[np.ndarray]] = {}
    if experiment.world is None:
        return examples
    for axis, concept in enumerate(space.concepts):
        indices = [[0] * len(space.concepts) for _ in range(concept.num_values)]
        for value, row in enumerate(indices):
            row[axis] = value
        z = np.stack([space.mean(space.class_name(row)) for row in indices])
        examples[concept.name] = list(_pictures(experiment, z))
    return examples


def _pictures(experiment: Description, z: np.ndarray) -> np.ndarray:
    """Images (batch, height, width, channel) uint8, all with the same nuisance factors."""
    world = experiment.world
    assert world is not None  # or nobody would have asked
    images = [
        render_images(world, experiment.space, row[None], numpy_stream(0, "pictures")) for row in z
    ]
    return pictures_of(world)(torch.cat(images)).numpy()


def _command(folder: Path, experiment: Description, seeds: list[int]) -> str:
    """What continues or repeats the run in its own folder; of another's run, its report."""
    if isinstance(experiment, Observation):
        return f"conceptspace report {shlex.quote(str(folder))}"
    if seeds == list(range(len(seeds))):
        return f"conceptspace run {shlex.quote(str(folder))} --seeds {len(seeds)}"
    return f"cs.run(cs.load_run({str(folder)!r}).experiment, {str(folder)!r}, seeds={seeds})"


def _write_json(path: Path, value: object) -> None:
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())
