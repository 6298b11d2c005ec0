"""What several studies need together: the runs of each, which they share, and what is left."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conceptspace.experiment import Experiment
from conceptspace.studies.study import Scale, Study
from conceptspace.sweeps.directory import check_sweep, missing_seeds, read_history, run_folder
from conceptspace.sweeps.plan import Plan, PlannedRun, plan_sweep

if TYPE_CHECKING:
    from conceptspace.sweeps.cost import SweepCost

Part = tuple[str, int]
"""A run, by its key, and a seed."""


@dataclass(frozen=True)
class Outlined:
    """A study among others.

    Attributes:
        study: which.
        plan: its runs; None where nothing is trained.
        new: the runs and seeds that no study before it needs.
    """

    study: Study
    plan: Plan | None
    new: frozenset[Part]

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        return self.plan.runs if self.plan else ()

    @property
    def parts(self) -> set[Part]:
        """Its runs with their seeds."""
        return {(run.key, seed) for run in self.runs for seed in run.seeds}

    @property
    def num_shared(self) -> int:
        """Pairs of a run and a seed that a study before it needs too."""
        return len(self.parts - self.new)

    def seconds(self, cost: "SweepCost") -> float:
        """How much longer all takes because of this study, at the cost of all together."""
        total = 0.0
        for run in cost.runs:
            new = [seed for key, seed in self.new if key == run.run.key]
            total += sum(run.shares[seed] for seed in new) * run.per_seed
            if run.run.seeds[0] in new:
                total += run.once
        return cost.side_by_side(total)


def outline(studies: Iterable[Study], scale: Scale, seeds: int | None = None) -> list[Outlined]:
    """Some studies in the order in which they are done: next is what adds the least training.

    Args:
        studies: which.
        scale: of their runs.
        seeds: of each run; each study's own number by default.

    Raises:
        ValueError: if two studies call different experiments by one name.
    """
    left = {study.name: (study, planned(study, scale, seeds)) for study in studies}
    plan_together(plan for _, plan in left.values())  # refuses
    chosen, known = [], set()
    while left:
        name = min(left, key=lambda name: _steps(left[name][1], known))
        study, plan = left.pop(name)
        parts = Outlined(study, plan, frozenset()).parts
        chosen.append(Outlined(study, plan, frozenset(parts - known)))
        known |= parts
    return chosen


def planned(study: Study, scale: Scale, seeds: int | None = None) -> Plan | None:
    """The runs of a study; None where nothing is trained."""
    listed = [
        (experiment, own if seeds is None else seeds)
        for experiment, own in study.experiments(scale)
    ]
    return plan_sweep(listed, 1) if listed else None


def plan_together(plans: Iterable[Plan | None]) -> Plan | None:
    """All runs of some studies, in their order; None if there are none.

    Raises:
        ValueError: if one name stands for different experiments.
    """
    listed = [entry for plan in plans if plan is not None for entry in named_runs(plan)]
    return plan_sweep(listed, 1) if listed else None


def named_runs(plan: Plan) -> list[tuple[Experiment, tuple[int, ...]]]:
    """The experiments of a plan under all of their names, with their seeds."""
    return [
        (run.experiment.replace(name=name), run.seeds) for run in plan.runs for name in run.names
    ]


def done_parts(sweep: Path, plan: Plan) -> tuple[set[str], set[Part]]:
    """What is there of a plan: the keys of finished runs, and the seeds that are measured.

    Raises:
        WrongFolder: if the folder holds something else, or the same names with other settings.
    """
    whole = check_sweep(sweep, plan, is_part=True)
    history = read_history(sweep, whole)
    there = {run.key: run for run in whole.runs}
    runs = [there[run.key].replace(seeds=run.seeds) for run in plan.runs]
    done = {run.key for run in runs if history.is_done(sweep, run)}
    measured = {
        (run.key, seed)
        for run in runs
        for seed in set(run.seeds) - set(missing_seeds(run_folder(sweep, run), run))
    }
    return done, measured


def _steps(plan: Plan | None, known: set[Part]) -> int:
    """Training steps that a study adds."""
    runs = plan.runs if plan else ()
    return sum(run.steps for run in runs for seed in run.seeds if (run.key, seed) not in known)
