"""A unit of work: what one process does to a run directory, and how it ended. No torch."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field, TypeAdapter

from conceptspace.concepts.settings import Settings
from conceptspace.experiment import Experiment
from conceptspace.folder import seed_folder
from conceptspace.models.execution import Device, Execution, Precision

ERRORS = "errors.txt"


class Wanted(Settings):
    """What was asked for about how a run is computed; None leaves the choice."""

    device: Device | None = None
    precision: Precision | None = None
    threads: int | None = Field(default=None, ge=1)


class OpenRun(Settings):
    """Make a run directory, or check the one that is there, and see to its probe."""

    kind: Literal["open"] = "open"
    run: Path
    experiment: Experiment
    wanted: Wanted = Wanted()
    num_workers: int = 1
    """Processes that share the machine's cores."""
    chosen: Execution | None = None
    """How to compute a new run, where that was chosen before."""
    probe_of: Path | None = None
    """A run whose probe is the same."""


class TrainSeeds(Settings):
    """Train and measure seeds of a run side by side, or what is left of them."""

    kind: Literal["seeds"] = "seeds"
    run: Path
    seeds: tuple[int, ...]
    execution: Execution = Execution()
    """How the run is computed, for who gives out processors; the run's own record counts."""


class WriteReport(Settings):
    """Make everything that is derived from a run's measurements."""

    kind: Literal["report"] = "report"
    run: Path
    seeds: tuple[int, ...]


Unit = OpenRun | TrainSeeds | WriteReport
_units = TypeAdapter(Annotated[Unit, Field(discriminator="kind")])


def read_unit(text: str | bytes) -> Unit:
    """The unit that `unit.model_dump_json()` wrote."""
    return _units.validate_json(text)


class Outcome(Settings):
    """How a unit ended."""

    problem: str | None = None
    """Why it failed, in one line; None if it is done."""
    details: str = ""
    """What else its process said."""
    notes: tuple[str, ...] = ()
    """What somebody should know all the same."""
    execution: Execution | None = None
    """How a run that was opened is computed."""
    is_leaving: bool = False
    """Whether the process ends after this unit."""


class Executor(Protocol):
    """Does units of work, some at once, here or elsewhere. A context manager: leaving it stops
    what is still running."""

    def __enter__(self) -> "Executor": ...

    def __exit__(self, *error: object) -> None: ...

    def has_room(self, unit: Unit) -> bool:
        """Whether a unit would be begun at once, or wait no longer than is good."""
        ...

    def submit(self, unit: Unit) -> None:
        """Begin a unit."""
        ...

    def finished(self, timeout: float) -> Sequence[tuple[Unit, Outcome]]:
        """The units that have ended since the last call; waits up to `timeout` seconds for one."""
        ...


def uses_gpu(unit: Unit) -> bool:
    """Whether a unit trains on a GPU."""
    return isinstance(unit, TrainSeeds) and unit.execution.device == "cuda"


def failure(unit: Unit, outcome: Outcome) -> str:
    """Why a unit failed, in words; what its process said is kept beside what it worked on."""
    folder = unit.run
    if isinstance(unit, TrainSeeds):
        named = " and ".join(f"seed {seed}" for seed in unit.seeds)
        folder = seed_folder(unit.run, unit.seeds[0])
        remedy = "The same command continues from its last checkpoint"
    else:
        named = "opening it" if isinstance(unit, OpenRun) else "its report"
        remedy = "The same command tries again"
    errors = folder / ERRORS
    if outcome.details:
        with contextlib.suppress(OSError):
            errors.write_text(outcome.details + "\n")
    more = f"; more is in {errors}" if outcome.details and errors.exists() else ""
    return f"{named} failed: {outcome.problem}. {remedy}{more}"
