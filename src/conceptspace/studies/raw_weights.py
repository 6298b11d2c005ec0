"""The raw weights of a run that averages them, measured from its checkpoints without training.

A checkpoint holds both the weights as the last step left them and their average, which is measured.
What is measured of the former is kept in the run's folder, below `raw-weights/`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from conceptspace.folder import read_execution, seed_folder
from conceptspace.models.execution import Execution
from conceptspace.studies.study import StudyRun

if TYPE_CHECKING:
    import xarray

FOLDER = "raw-weights"


def raw_trajectory(run: StudyRun, notes: list[str]) -> "xarray.Dataset | None":
    """The trajectory of a run's raw weights.

    What is measured already is read. The random numbers of measuring are those of the run.

    Args:
        run: whose training averaged the weights.
        notes: gets what is damaged, in words.

    Returns:
        the trajectory of the run's seeds, or None where a checkpoint is missing.
    """
    from conceptspace.measure.files import exclusive
    from conceptspace.measure.store import MeasurementStore, join
    from conceptspace.training.checkpoint import CheckpointStore

    folder, steps = run.folder / FOLDER, run.experiment.steps
    seeds = [int(seed) for seed in run.trajectory["seed"].values]
    for seed in seeds:
        there = set(CheckpointStore(seed_folder(run.folder, seed)).steps())
        if not set(steps) <= there:
            return None
    measured = []
    for seed in seeds:
        target = seed_folder(folder, seed)
        with exclusive(target):
            _measure(run, seed, target, notes)
        store = MeasurementStore(target)
        measured.append([store.read(step) for step in steps])
    return join(measured)


def _measure(run: StudyRun, seed: int, target: Path, notes: list[str]) -> None:
    """Measure what is not measured yet of a seed."""
    from conceptspace.build import build_model, draw_training_sets
    from conceptspace.training.checkpoint import CheckpointStore
    from conceptspace.training.state import raw_weights
    from conceptspace.tune import using_threads
    from conceptspace.worker import load_probe, make_recorder

    experiment = run.experiment
    execution = read_execution(run.folder) or Execution()
    store = CheckpointStore(seed_folder(run.folder, seed))
    recorder = make_recorder(
        experiment,
        load_probe(run.folder),
        target,
        seed,
        draw_training_sets(experiment, seed),
        notes.append,
    )
    with using_threads(execution.threads):
        for step in [s for s in experiment.steps if not recorder.is_measured(s)]:
            model = build_model(experiment, seed, execution)
            model.load_state_dict(raw_weights(store.load(step)))
            recorder(step, model)
