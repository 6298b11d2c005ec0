"""What is left of a sweep, and about how long it takes. What costs the same is timed once."""

from dataclasses import dataclass
from pathlib import Path

from conceptspace.estimate import FIXED_SECONDS, seconds_per_seed
from conceptspace.folder import check_folder, seed_folder
from conceptspace.measure.steps import measured_steps
from conceptspace.models.execution import Execution
from conceptspace.sweeps.directory import check_sweep, is_sweep, read_history, run_folder
from conceptspace.sweeps.plan import Plan, PlannedRun, compute_key, cost_key
from conceptspace.tune import choose_execution
from conceptspace.units import Wanted


@dataclass(frozen=True)
class SweepCost:
    """What is asked for, what is there of it, and what the rest takes.

    Attributes:
        num_runs: runs, of which `num_done` are finished, reports included.
        num_seeds: pairs of a run and a seed, of which `num_measured` are fully measured.
        num_timed: settings that were timed.
        seconds: until the whole sweep is finished.
        execution: how the first run is computed.
    """

    num_runs: int
    num_done: int
    num_seeds: int
    num_measured: int
    num_timed: int
    seconds: float
    execution: Execution


def estimate_sweep(
    folder: Path, plan: Plan, num_workers: int, wanted: Wanted, *, is_part: bool = False
) -> SweepCost:
    """Time what is left of a sweep. Nothing is written.

    Args:
        folder: the sweep's folder; need not be there.
        plan: what is asked for.
        num_workers: processes at once.
        wanted: how to compute.
        is_part: whether the plan may leave out experiments that are there.

    Raises:
        WrongFolder: if the sweep cannot be there.
    """
    whole = check_sweep(folder, plan, is_part=is_part)
    there = {run.key: run for run in whole.runs}
    runs = [there[run.key].replace(seeds=run.seeds) for run in plan.runs]
    history = read_history(folder, whole)
    executions = dict(history.executions)
    seconds: dict[str, float] = {}
    total, num_done, num_measured = 0.0, 0, 0
    for run in runs:
        if is_sweep(folder):
            check_folder(run_folder(folder, run), run.experiment)
        shares = _shares_left(folder, run)
        num_measured += shares.count(0.0)
        if history.is_done(folder, run):
            num_done += 1
            continue
        key = compute_key(run.experiment)
        if key not in executions:
            executions[key] = choose_execution(run.experiment, num_workers, **wanted.model_dump())[
                0
            ]
        cost = cost_key(run.experiment)
        if cost not in seconds and any(shares):
            seconds[cost] = seconds_per_seed(run.experiment, executions[key])
        total += FIXED_SECONDS + sum(shares) * seconds.get(cost, 0.0)
    at_once = max(1, min(num_workers, sum(len(run.seeds) for run in runs)))
    first = executions.get(compute_key(runs[0].experiment), Execution())
    return SweepCost(
        num_runs=len(runs),
        num_done=num_done,
        num_seeds=sum(len(run.seeds) for run in runs),
        num_measured=num_measured,
        num_timed=len(seconds),
        seconds=total / at_once,
        execution=first,
    )


def _shares_left(folder: Path, run: PlannedRun) -> list[float]:
    """The share of each seed's checkpoints that are not measured."""
    there = run_folder(folder, run)
    return [
        max(0.0, 1 - len(measured_steps(seed_folder(there, seed))) / run.checkpoints)
        for seed in run.seeds
    ]
