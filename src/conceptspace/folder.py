"""A run directory: what it holds, and refusing one that holds something else."""

import json
from collections.abc import Callable
from pathlib import Path

from conceptspace.environment import describe_environment
from conceptspace.experiment import Experiment
from conceptspace.measure.files import SUMS, DamagedFile, SealedFolder, obstacle
from conceptspace.models.execution import Execution
from conceptspace.observation import Observation

Description = Experiment | Observation
"""What a run directory was made for: our own training, or another's."""

EXPERIMENT = "experiment.json"
ENVIRONMENT = "environment.json"
PROBE = "probe.safetensors"
PROBE_TABLES = "probe.json"
LOG = "log.jsonl"


CHOOSE = "--out, in Python out="
"""Where another folder is given."""


class RunError(RuntimeError):
    """A run could not go on. The message says what is wrong and what to do."""


class WrongFolder(RunError):
    """The folder given is not a run, or another run; nothing was touched."""


class Interrupted(RunError):
    """The run was stopped on purpose; the same command continues it."""


def seed_folder(run: Path, seed: int) -> Path:
    """Where a seed's files lie."""
    return run / f"seed={seed}"


def seeds_there(run: Path) -> list[int]:
    """The seeds that have a folder."""
    names = [path.name.removeprefix("seed=") for path in run.glob("seed=*") if path.is_dir()]
    return sorted(int(name) for name in names if name.isdecimal())


def open_run(
    folder: Path,
    experiment: Description,
    on_damage: Callable[[str], None] = lambda message: None,
    execution: Execution | None = None,
) -> None:
    """Make the run directory, or check that it holds this very experiment.

    Args:
        folder: the run directory.
        experiment: what it is to hold.
        on_damage: told the message when damaged settings were mended.
        execution: how the run is computed, recorded when it is made or its record is lost.

    Raises:
        RunError: if it holds another experiment or something else; nothing is touched then.
    """
    sealed = SealedFolder(folder)
    data = experiment.to_json().encode()
    problem = _mendable(sealed, data)
    if problem:
        on_damage(f"{problem}; the settings given are those that were written, and mend it")
        sealed.write(EXPERIMENT, data)
    check_folder(folder, experiment)
    sealed.remove_leftovers()
    if not sealed.has(EXPERIMENT):
        is_ours = isinstance(experiment, Experiment)
        own = execution or (Execution() if is_ours else None)
        sealed.write(ENVIRONMENT, describe_environment(own))
        sealed.write(EXPERIMENT, data)
        return
    try:
        sealed.read(ENVIRONMENT)
    except (FileNotFoundError, DamagedFile) as error:
        if execution is not None:
            on_damage(f"{_lost(error, sealed)}; going on with {execution.in_words()}")
            sealed.write(ENVIRONMENT, describe_environment(execution))


def _lost(error: Exception, sealed: SealedFolder) -> str:
    missing = isinstance(error, FileNotFoundError)
    return f"{sealed.path / ENVIRONMENT} is missing" if missing else str(error)


def read_execution(folder: Path) -> Execution | None:
    """How a run is computed, as recorded when it was made; None if there is no intact record."""
    try:
        recorded = json.loads(SealedFolder(folder).read(ENVIRONMENT))
        return Execution(**recorded.get("execution", {}))
    except (FileNotFoundError, DamagedFile):
        return None


def check_folder(folder: Path, experiment: Description) -> None:
    """Refuse a folder in which the experiment cannot run. Nothing is touched.

    Raises:
        WrongFolder: if it holds another experiment or something else, or cannot be written to.
        RunError: if its settings are damaged and are not those given.
    """
    blocked = f"{folder} is a file" if folder.is_file() else obstacle(folder)
    if blocked:
        raise WrongFolder(f"cannot run in {folder}: {blocked}. Choose another folder ({CHOOSE})")
    sealed = SealedFolder(folder)
    if _mendable(sealed, experiment.to_json().encode()):
        return
    if sealed.has(EXPERIMENT):
        different = differing_fields(read_description(folder), experiment)
        if different:
            more = f"; and {len(different) - 4} more" if len(different) > 4 else ""
            raise WrongFolder(
                f"{folder} holds a run with other settings ({'; '.join(different[:4])}{more}): "
                f"choose another folder ({CHOOSE}), or the settings it was made with"
            )
        return
    strangers = (
        [p.name for p in folder.iterdir() if not p.name.startswith(".")] if folder.exists() else []
    )
    if set(strangers) - {SUMS, ENVIRONMENT}:
        raise WrongFolder(
            f"{folder} is not empty and holds no run ({sorted(strangers)[0]} is there): choose "
            f"another folder ({CHOOSE})"
        )


def _mendable(sealed: SealedFolder, data: bytes) -> str | None:
    """What is wrong with settings on disk that were certainly `data`; None if they are not."""
    if not sealed.has(EXPERIMENT):
        lost = sealed.is_what_was_written(EXPERIMENT, data) and sealed.names("seed=*")
        return f"{sealed.path / EXPERIMENT} is missing" if lost else None
    try:
        sealed.read(EXPERIMENT)
    except DamagedFile as error:
        same = (sealed.path / EXPERIMENT).read_bytes() == data
        return str(error) if same or sealed.is_what_was_written(EXPERIMENT, data) else None
    return None


def read_experiment(folder: Path) -> Experiment:
    """The settings of a run that our own training made.

    Raises:
        RunError: if there is no run, its settings are damaged, or another loop trained it.
    """
    found = read_description(folder)
    if isinstance(found, Observation):
        raise WrongFolder(
            f"{folder} holds measurements of a model that was trained elsewhere: they can be "
            "reported on and read, but there is nothing to train and no model to draw from"
        )
    return found


def read_description(folder: Path) -> Description:
    """The settings of a run, whoever trained it.

    Raises:
        RunError: if there is no run, or its settings are damaged.
    """
    sealed = SealedFolder(folder)
    if not sealed.has(EXPERIMENT):
        if not folder.is_dir():
            raise WrongFolder(f"{folder} is not a run: there is no such folder")
        raise WrongFolder(f"{folder} is not a run: it has no {EXPERIMENT}")
    try:
        data = sealed.read(EXPERIMENT)
    except DamagedFile as error:
        raise RunError(
            f"{error}. Nothing was changed: run the experiment with the very settings this run was "
            "made with, which mends it, or restore the file"
        ) from error
    is_observation = json.loads(data).get("kind") == "observation"
    return (Observation if is_observation else Experiment).from_json(data)


def differing_fields(old: Description, new: Description) -> list[str]:
    """The fields in which two experiments differ, each as `path: old, not new`."""

    def flatten(value: object, path: str) -> dict[str, object]:
        if isinstance(value, dict):
            items = value.items()
        elif isinstance(value, list | tuple):
            items = enumerate(value)
        else:
            return {path: value}
        flat: dict[str, object] = {}
        for key, inner in items:
            flat |= flatten(inner, f"{path}.{key}" if path else str(key))
        return flat

    before, after = flatten(old.model_dump(), ""), flatten(new.model_dump(), "")
    missing = object()
    return [
        f"{path} is {before.get(path)!r} there, {after.get(path)!r} here"
        for path in sorted(before.keys() | after.keys())
        if before.get(path, missing) != after.get(path, missing)
    ]
