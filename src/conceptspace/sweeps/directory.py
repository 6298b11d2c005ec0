"""A sweep's folder: `sweep.json`, what is being worked on and done, and its runs."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conceptspace.concepts.settings import SettingsError
from conceptspace.folder import EXPERIMENT, LOG, RunError, WrongFolder, seed_folder
from conceptspace.log import events_of
from conceptspace.measure.files import obstacle, write_atomically
from conceptspace.measure.steps import measured_steps
from conceptspace.models.execution import Execution
from conceptspace.sweeps.plan import Plan, PlannedRun, compute_key, grown, probe_key

SWEEP = "sweep.json"
RUNS = "runs"
REPORT = "report.html"


def run_folder(sweep: Path, run: PlannedRun) -> Path:
    """Where a run of a sweep lies: an ordinary run directory."""
    return sweep / RUNS / run.folder


def is_sweep(folder: Path) -> bool:
    """Whether a folder holds a sweep."""
    return (folder / SWEEP).is_file()


def check_sweep(
    folder: Path,
    plan: Plan,
    on_damage: Callable[[str], None] = lambda message: None,
    *,
    is_part: bool = False,
) -> Plan:
    """What a folder holds, with what the plan adds to it. Nothing is touched.

    Args:
        folder: the sweep's folder; need not be there.
        plan: what is asked for.
        on_damage: told the message when the plan that is there cannot be read.
        is_part: whether the plan may leave out experiments that are there, which stay.

    Raises:
        WrongFolder: if the folder holds something else, another sweep, or cannot be written to.
    """
    blocked = f"{folder} is a file" if folder.is_file() else obstacle(folder)
    if blocked:
        raise WrongFolder(f"cannot sweep in {folder}: {blocked}. Choose another folder with --out")
    if is_sweep(folder):
        try:
            return grown(read_plan(folder), plan, is_part=is_part)
        except RunError as error:
            on_damage(f"{error}; it is made again from the experiments given")
            return plan
        except ValueError as error:
            raise WrongFolder(
                f"{folder} holds another sweep ({error}). Experiments and seeds can be added to a "
                "sweep, not changed: choose another folder with --out, or give all of them"
            ) from None
    if (folder / EXPERIMENT).exists():
        raise WrongFolder(f"{folder} is a run and no sweep: choose another folder with --out")
    mine = {RUNS, LOG, REPORT}
    there = {p.name for p in folder.iterdir()} if folder.exists() else set()
    strangers = sorted(name for name in there - mine if not name.startswith("."))
    if strangers:
        raise WrongFolder(
            f"{folder} is not empty and holds no sweep ({strangers[0]} is there): choose another "
            "folder with --out"
        )
    return plan


def write_plan(folder: Path, plan: Plan) -> None:
    """Write `sweep.json`, unless it is there and says the same."""
    data = plan.model_dump_json(indent=1).encode() + b"\n"
    path = folder / SWEEP
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


def read_plan(folder: Path) -> Plan:
    """The runs of a sweep.

    Raises:
        WrongFolder: if there is no sweep.
        RunError: if its plan is damaged.
    """
    path = folder / SWEEP
    if not path.is_file():
        raise WrongFolder(f"{folder} is not a sweep: it has no {SWEEP}")
    try:
        return Plan.from_json(path.read_bytes())
    except SettingsError as error:
        raise RunError(f"{path} is damaged ({str(error).splitlines()[0]})") from None


@dataclass
class History:
    """What a sweep's log tells.

    Attributes:
        last: the last event of each run, by its folder.
        executions: how experiments of a compute key are computed.
        probes: a run, by its folder, that has the probe of a probe key.
    """

    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    probes: dict[str, str] = field(default_factory=dict)

    def opened(self, run: PlannedRun, execution: Execution) -> None:
        """A run is there, and so are its execution and its probe for others."""
        self.executions.setdefault(compute_key(run.experiment), execution)
        self.probes.setdefault(probe_key(run.experiment), run.folder)

    def is_done(self, folder: Path, run: PlannedRun) -> bool:
        """Whether a run is reported with all of its seeds, and nothing of that is gone."""
        last = self.last.get(run.folder, {})
        if last.get("event") != "done" or not set(run.seeds) <= set(last.get("seeds", ())):
            return False
        there = run_folder(folder, run)
        return (there / REPORT).exists() and not missing_seeds(there, run)


def missing_seeds(there: Path, run: PlannedRun) -> list[int]:
    """The seeds of a run that are not fully measured."""
    wanted = set(run.experiment.steps)
    return [
        seed for seed in run.seeds if not wanted <= set(measured_steps(seed_folder(there, seed)))
    ]


def read_history(folder: Path, plan: Plan) -> History:
    """What was done in a sweep before."""
    history = History()
    runs = {run.folder: run for run in plan.runs}
    path = folder / LOG
    for event in events_of(path.read_bytes()) if path.exists() else ():
        run = runs.get(event.get("run", ""))
        if run is None:
            continue
        if event.get("event") == "opened":
            try:
                history.opened(run, Execution(**event.get("execution", {})))
            except (SettingsError, TypeError):
                continue  # a damaged line; the choice is made again
        history.last[run.folder] = event
    return history


def last_of_runs(folder: Path) -> dict[str, dict[str, Any]]:
    """The last event of each run, by its folder; without reading any settings."""
    path = folder / LOG
    told = events_of(path.read_bytes()) if path.exists() else ()
    return {event["run"]: event for event in told if isinstance(event.get("run"), str)}


def read_outline(folder: Path) -> list[dict[str, Any]]:
    """The runs of a sweep as plain dictionaries, for who only shows them: a thousand in no time.

    Raises:
        RunError: if the plan is damaged.
    """
    try:
        return list(json.loads((folder / SWEEP).read_bytes())["runs"])
    except (ValueError, KeyError, TypeError):
        raise RunError(
            f"{folder / SWEEP} is damaged: the command that made the sweep makes it again"
        ) from None
