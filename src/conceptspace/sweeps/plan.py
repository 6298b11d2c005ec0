"""What a sweep consists of: runs, each known by its settings, and the seeds of each. No torch."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from conceptspace.concepts.settings import Settings
from conceptspace.data.labelled import DataError, ReadingProgress
from conceptspace.experiment import Experiment
from conceptspace.folder import differing_fields
from conceptspace.seeds import chosen_seeds

Listed = Experiment | tuple[Experiment, int | Sequence[int]]
"""An experiment of a list, perhaps with seeds of its own."""


class PlannedRun(Settings):
    """One run of a sweep. Experiments with equal settings share it, whatever they are called."""

    folder: str
    """Below the sweep's `runs/`: the name of the first of its experiments."""
    key: str
    """What it is known by, see `run_key`."""
    names: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    """Training steps of a seed, and how many of them are measured: for who shows it."""
    checkpoints: int
    experiment: Experiment


class Plan(Settings):
    """All runs of a sweep, as `sweep.json` keeps them."""

    schema_version: Literal[1] = 1
    runs: tuple[PlannedRun, ...]


def plan_sweep(
    listed: Iterable[Listed],
    seeds: int | Sequence[int],
    reading: ReadingProgress | None = None,
) -> Plan:
    """The runs that a list of experiments needs, in its order.

    Args:
        listed: experiments, or pairs of an experiment and its seeds.
        seeds: of the experiments that have none of their own: how many, or which.
        reading: told how far labelled images are read, where there are any.

    Raises:
        DataError: if labelled images cannot be read, are not those that are known, or are too few;
            the message names the experiment.
        ValueError: if there is no experiment, or one name stands for two settings, or seeds are not
            at least one, distinct, and from 0 on.
    """
    common = chosen_seeds(seeds)
    by_key: dict[str, PlannedRun] = {}
    by_name: dict[str, Experiment] = {}
    for entry in listed:
        experiment, own = entry if isinstance(entry, tuple) else (entry, common)
        try:
            experiment = experiment.identified(reading)
        except DataError as error:
            raise DataError(f"{experiment.name}: {error}") from error
        known = by_name.setdefault(experiment.name, experiment)
        if known != experiment:
            raise ValueError(
                f"two experiments are called {experiment.name!r} and differ: "
                f"{differing_fields(known, experiment)[0]}. Give each a name of its own"
            )
        key = run_key(experiment)
        by_key[key] = _joined(by_key.get(key), _planned(experiment, key, chosen_seeds(own)))
    if not by_key:
        raise ValueError("experiments must hold at least one experiment, and is empty")
    return Plan(runs=tuple(by_key.values()))


def grown(old: Plan, new: Plan, *, is_part: bool = False) -> Plan:
    """The old plan with what is added to it.

    Args:
        old: what is there.
        new: what is asked for.
        is_part: whether the new one may leave out experiments of the old one, which stay.

    Raises:
        ValueError: if experiments of the old one are missing from the new, or have changed.
    """
    keys = {name: run.key for run in new.runs for name in run.names}
    for run in old.runs:
        for name in run.names:
            if name not in keys:
                if is_part:
                    continue
                raise ValueError(f"{name} is there and is not in the list given")
            if keys[name] != run.key:
                experiment = next(r.experiment for r in new.runs if r.key == keys[name])
                same_name = experiment.replace(name=run.experiment.name)
                fields = differing_fields(run.experiment, same_name)
                raise ValueError(f"{name} has other settings: {'; '.join(fields[:4])}")
    runs = {run.key: run for run in old.runs}
    for run in new.runs:
        runs[run.key] = _joined(runs.get(run.key), run)
    return Plan(runs=tuple(runs.values()))


def _planned(experiment: Experiment, key: str, seeds: tuple[int, ...]) -> PlannedRun:
    return PlannedRun(
        folder=experiment.name,
        key=key,
        names=(experiment.name,),
        seeds=tuple(sorted(seeds)),
        steps=experiment.training.steps,
        checkpoints=len(experiment.steps),
        experiment=experiment,
    )


def _joined(first: PlannedRun | None, other: PlannedRun) -> PlannedRun:
    if first is None:
        return other
    names = tuple(dict.fromkeys((*first.names, *other.names)))
    seeds = tuple(sorted({*first.seeds, *other.seeds}))
    return first.replace(names=names, seeds=seeds)


def run_key(experiment: Experiment) -> str:
    """What a run is known by: its settings, whatever it is called."""
    return _key(experiment.model_dump(mode="json", exclude={"name"}))


def probe_key(experiment: Experiment) -> str:
    """Of experiments whose probe is the same, judged in the same way."""
    shared = {"space", "world", "probe", "conditioning"}
    return _key(experiment.model_dump(mode="json", include=shared))


def compute_key(experiment: Experiment) -> str:
    """Of experiments that one choice of how to compute is made for."""
    return _key(_computed(experiment))


def cost_key(experiment: Experiment) -> str:
    """Of experiments whose runs take the same time."""
    dumped = experiment.model_dump(
        mode="json", include={"diffusion", "measurement", "inversion", "split"}
    )
    methods = [(m.kind, len(m.strengths)) for m in experiment.elicitation]
    values = [concept.num_values for concept in experiment.space.concepts]
    steps = experiment.training.steps
    return _key([_computed(experiment), dumped, methods, values, steps])


def _computed(experiment: Experiment) -> dict[str, Any]:
    return {
        "model": experiment.model.model_dump(mode="json", exclude={"dropout", "initial_scale"}),
        "objective": experiment.diffusion.kind,
        "image": experiment.world.image_shape,
        "width": experiment.prompter.width,
        "batch": experiment.training.batch_size,
    }


def _key(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
