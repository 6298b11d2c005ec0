"""A run directory: what it holds, and refusing one that holds something else."""

from pathlib import Path

from conceptspace.environment import describe_environment
from conceptspace.experiment import Experiment
from conceptspace.measure.files import SUMS, DamagedFile, SealedFolder

EXPERIMENT = "experiment.json"
ENVIRONMENT = "environment.json"
PROBE = "probe.safetensors"
PROBE_TABLES = "probe.json"
LOG = "log.jsonl"


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


def open_run(folder: Path, experiment: Experiment) -> None:
    """Make the run directory, or check that it holds this very experiment.

    Raises:
        RunError: if it holds another experiment or something else; nothing is touched then.
    """
    sealed = SealedFolder(folder)
    data = experiment.to_json().encode()
    if sealed.has(EXPERIMENT):
        different = differing_fields(read_experiment(folder), experiment)
        if different:
            raise WrongFolder(
                f"{folder} holds a run with other settings ({'; '.join(different[:4])}): choose "
                "another folder with --out, or the settings it was made with"
            )
        return
    strangers = (
        [p.name for p in folder.iterdir() if not p.name.startswith(".")] if folder.exists() else []
    )
    if set(strangers) - {SUMS, ENVIRONMENT}:
        raise WrongFolder(
            f"{folder} is not empty and holds no run ({sorted(strangers)[0]} is there): choose "
            "another folder with --out"
        )
    sealed.write(ENVIRONMENT, describe_environment())
    sealed.write(EXPERIMENT, data)


def read_experiment(folder: Path) -> Experiment:
    """The settings of a run.

    Raises:
        RunError: if there is no run, or its settings are damaged.
    """
    sealed = SealedFolder(folder)
    if not sealed.has(EXPERIMENT):
        raise WrongFolder(f"{folder} is not a run: it has no {EXPERIMENT}")
    try:
        return Experiment.from_json(sealed.read(EXPERIMENT))
    except DamagedFile as error:
        raise RunError(
            f"{error}. Nothing was changed: restore the file, or start the run again in another "
            "folder"
        ) from error


def differing_fields(old: Experiment, new: Experiment) -> list[str]:
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
