"""The list of experiments that a sweep is asked for: a family of recipes, a file, or a sweep."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conceptspace.concepts.settings import SettingsError
from conceptspace.experiment import Experiment, shortened
from conceptspace.options import UsageError
from conceptspace.recipes import FAMILIES, RECIPES, num_seeds
from conceptspace.sweeps.directory import SWEEP, read_plan
from conceptspace.sweeps.plan import Listed


@dataclass(frozen=True)
class Listing:
    """What a sweep is asked for.

    Attributes:
        name: of the family or the file, for the sweep's folder.
        entries: experiments, or pairs of an experiment and its seeds.
        num_seeds: of experiments that have none of their own.
        folder: the sweep's folder, where the list is that of a sweep.
    """

    name: str
    entries: tuple[Listed, ...]
    num_seeds: int
    folder: Path | None = None

    def shortened(self, steps: int) -> "Listing":
        """The beginnings of all experiments.

        Raises:
            ValueError: if an experiment has no such step.
        """
        return replace(
            self._each(lambda experiment: shortened(experiment, steps)),
            name=f"{self.name}-{steps}-steps",
            folder=None,
        )

    def on_data(self, field: str, place: Path) -> "Listing":
        """The same on data in another place.

        Args:
            field: of the worlds that say where their data are: path or cache.
            place: the new one, of all worlds that have the field.

        Raises:
            UsageError: if none has it.
        """
        experiments = [entry[0] if isinstance(entry, tuple) else entry for entry in self.entries]
        if not any(field in type(experiment.world).model_fields for experiment in experiments):
            raise UsageError(
                f"--world.{field}: no world of {self.name} reads labelled images that have a "
                f"{field}: leave it out"
            )
        return self._each(lambda experiment: _moved(experiment, field, place))

    def _each(self, change: Callable[[Experiment], Experiment]) -> "Listing":
        entries = tuple(
            (change(entry[0]), entry[1]) if isinstance(entry, tuple) else change(entry)
            for entry in self.entries
        )
        return replace(self, entries=entries)


def read_listing(given: str) -> Listing:
    """The list that a name or a path stands for.

    Args:
        given: a family of recipes, a JSON file, or the folder of a sweep.

    Raises:
        UsageError: if it is none of them, or the file is no list of experiments.
        RunError: if the folder holds no sweep, or its plan is damaged.
    """
    if given in FAMILIES:
        return Listing(given, tuple(FAMILIES[given]()), num_seeds(given))
    path = Path(given)
    if path.is_dir():
        return _of_sweep(path)
    if path.suffix != ".json":
        raise UsageError(f"there is no family {given!r}{_hint(given)}")
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: not JSON ({error})") from error
    if path.name == SWEEP and isinstance(content, dict) and "runs" in content:
        return _of_sweep(path.parent)
    return _of_content(path, content)


def _moved(experiment: Experiment, field: str, place: Path) -> Experiment:
    world = experiment.world
    if field not in type(world).model_fields:
        return experiment
    return experiment.replace(world=world.replace(**{field: str(place)}))


def _of_sweep(folder: Path) -> Listing:
    """All experiments of a sweep, under all of their names."""
    entries = tuple(
        (run.experiment.replace(name=name), run.seeds)
        for run in read_plan(folder).runs
        for name in run.names
    )
    return Listing(folder.name, entries, 1, folder)


def _of_content(path: Path, content: Any) -> Listing:
    seeds = 5
    if isinstance(content, dict):
        unknown = sorted(content.keys() - {"experiments", "seeds"})
        if unknown:
            raise UsageError(
                f"{path}: there is no field {unknown[0]!r}; a list of experiments has "
                "`experiments` and perhaps `seeds`"
            )
        seeds = content.get("seeds", seeds)
        if not isinstance(seeds, int) or seeds < 1:
            raise UsageError(f"{path}: seeds must be a number from 1 on, not {seeds!r}")
        content = content.get("experiments")
    if not isinstance(content, list) or not content:
        raise UsageError(
            f"{path}: must hold a list of at least one experiment, or "
            '{"experiments": [...], "seeds": 5}'
        )
    entries = tuple(_entry(f"{path}: experiments.{i}", item) for i, item in enumerate(content))
    return Listing(path.stem, entries, seeds)


def _entry(where: str, item: Any) -> Listed:
    """An experiment, or `{"experiment": {...}, "seeds": 3}`."""
    seeds = None
    if isinstance(item, dict) and item.keys() <= {"experiment", "seeds"} and "experiment" in item:
        item, seeds = item["experiment"], item.get("seeds")
        are_seeds = isinstance(seeds, int | None) or (
            isinstance(seeds, list) and all(isinstance(seed, int) for seed in seeds)
        )
        if not are_seeds:
            raise UsageError(f"{where}.seeds: must be a number or a list of seeds, not {seeds!r}")
    try:
        experiment = Experiment.from_json(json.dumps(item))
    except SettingsError as error:
        raise UsageError(f"{where}: {error}") from error
    return experiment if seeds is None else (experiment, seeds)


def _hint(given: str) -> str:
    import difflib

    family = given.partition(":")[0]
    if given in RECIPES or (family in FAMILIES and family != given):
        return f": {given} is one experiment; run it with `conceptspace run {given}`"
    close = difflib.get_close_matches(given, FAMILIES, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    known = ", ".join(FAMILIES)
    return f"{meant} (known: {known}; or a JSON file of experiments, or the folder of a sweep)"
