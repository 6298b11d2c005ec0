"""From an experiment to a run directory: probe, seeds in parallel, findings, figures, report."""

from collections.abc import Sequence
from pathlib import Path

from conceptspace.experiment import Experiment
from conceptspace.folder import Interrupted, RunError, check_folder
from conceptspace.log import LogFollower
from conceptspace.measure.files import exclusive
from conceptspace.models.execution import Device, Precision
from conceptspace.opening import open_with_probe, settle_execution
from conceptspace.pool import ProcessPool
from conceptspace.progress import READING, Progress, Silent, terminate_as_interrupt
from conceptspace.seeds import chosen_seeds, complete_seeds, in_groups
from conceptspace.tune import num_cores
from conceptspace.units import TrainSeeds, Wanted, failure

POLL_SECONDS = 0.25


def run(
    experiment: Experiment,
    out: Path | str | None = None,
    *,
    seeds: int | Sequence[int] = 2,
    workers: int | None = None,
    device: Device | None = None,
    precision: Precision | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Run an experiment, or what is left of it, and write its report.

    A run that was stopped, however it was, continues with the same call and ends with the same
    bits. Seeds can be added to a run that is there.

    Args:
        experiment: what to run.
        out: the run directory; `runs/NAME` by default.
        seeds: how many (0, 1, ...), or which.
        workers: processes at once, one seed each; as many as there are cores by default.
        device: `cpu` or `cuda`; by default a GPU where there is one.
        precision: of convolutions: float32, bfloat16, or on a GPU tf32; by default float32 for
            small models, and for larger ones what a short measurement chooses (bfloat16 on a GPU).
            A run keeps what it was made with.
        threads: of each process; by default one for small models, else an equal share of the cores.
        progress: is told how it goes.

    Returns:
        The run directory.

    Raises:
        ValueError: if `seeds` are not at least one, distinct, and from 0 on.
        DataError: if labelled images cannot be read, have changed since the run was made, or are
            too few of a class for what the settings ask.
        RunError: if the directory holds another experiment, or a seed fails.
        Interrupted: on Ctrl-C or SIGTERM.
        FolderInUse: if another process works on the run.
    """
    from conceptspace.derived import derive

    chosen = chosen_seeds(seeds)
    shown = progress or Silent()
    experiment = experiment.identified(lambda done, of: shown.advance(READING, done, of))
    folder = Path(out) if out is not None else Path("runs") / experiment.name
    check_folder(folder, experiment)  # before the lock makes it
    try:
        with terminate_as_interrupt(), exclusive(folder, wait_seconds=1.0):
            num_workers = workers or min(len(chosen), num_cores())
            wanted = Wanted(device=device, precision=precision, threads=threads)
            execution = settle_execution(folder, experiment, num_workers, wanted, shown)
            open_with_probe(folder, experiment, execution, shown)
            groups = in_groups(chosen, execution, workers or 1)
            units = [TrainSeeds(run=folder, seeds=each, execution=execution) for each in groups]
            _run_seeds(experiment, units, num_workers, shown)
            shown.stage("Findings, figures and report")
            derive(folder, seeds=sorted({*chosen, *complete_seeds(folder, experiment)}))
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; nothing is lost: the same command continues the run in {folder}"
        ) from None
    return folder


def _run_seeds(
    experiment: Experiment, units: Sequence[TrainSeeds], num_workers: int, progress: Progress
) -> None:
    """Train the seeds of a run, some at once.

    Raises:
        RunError: if some fail; the others are finished first.
    """
    seeds = [(unit.run, seed) for unit in units for seed in unit.seeds]
    followers = {seed: LogFollower(run, seed) for run, seed in seeds}
    at_once = sum(len(unit.seeds) for unit in units[:num_workers])
    progress.stage(f"Training and measuring {len(seeds)} seeds, {at_once} at once")
    waiting, num_left, failed = list(units), len(units), []
    with ProcessPool(num_workers, num_on_gpu=num_workers) as pool:
        while num_left:
            while waiting and pool.has_room(waiting[0]):
                pool.submit(waiting.pop(0))
            for unit, outcome in pool.finished(POLL_SECONDS):
                num_left -= 1
                if outcome.problem is not None:
                    failed.append(failure(unit, outcome))
            for seed, follower in followers.items():
                for message in follower.read():
                    progress.stage(message)
                progress.advance(f"seed {seed}", follower.step, experiment.training.steps)
    if failed:
        raise RunError("\n".join(failed))
