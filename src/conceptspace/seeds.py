"""Which seeds of a run: those asked for, those that are complete, and who shares a process."""

from collections.abc import Sequence
from pathlib import Path

from conceptspace.experiment import Experiment
from conceptspace.folder import seed_folder, seeds_there
from conceptspace.measure.steps import measured_steps
from conceptspace.models.execution import Execution


def chosen_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds that are meant by a number of them, or by their list.

    Raises:
        ValueError: if they are not at least one, distinct, and from 0 on.
    """
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) != len(chosen) or min(chosen) < 0:
        raise ValueError(f"seeds must be at least 1, or distinct numbers from 0 on, not {seeds!r}")
    return chosen


def complete_seeds(folder: Path, experiment: Experiment) -> list[int]:
    """The seeds of a run that are fully measured."""
    wanted = set(experiment.steps)
    return [
        seed
        for seed in seeds_there(folder)
        if wanted <= set(measured_steps(seed_folder(folder, seed)))
    ]


def in_groups(
    seeds: Sequence[int], execution: Execution, num_workers: int
) -> list[tuple[int, ...]]:
    """The seeds of each process: as even as can be, and no more than the execution puts in one."""
    if execution.seeds_per_process == 1:
        return [(seed,) for seed in seeds]
    num = max(-(-len(seeds) // execution.seeds_per_process), min(num_workers, len(seeds)))
    return [tuple(seeds[i::num]) for i in range(num)]
