"""Experiments that are really trained in tests, and what must have the same bits afterwards."""

from pathlib import Path

from conceptspace.experiment import Experiment
from runs.tiny import DERIVED, SAME_BITS, contents, events
from sweeps.fake import named

NUM_STEPS = 250
"""Enough for a process to be killed on the way."""


def plain(name: str, rate: float) -> Experiment:
    """A tiny experiment that elicits nothing, so that its report takes less."""
    whole = named(name, rate)
    return whole.replace(elicitation=(), training=whole.training.replace(steps=NUM_STEPS))


def listed() -> list[tuple[Experiment, int]]:
    """Two runs of one seed that share a probe; the first has two names."""
    return [
        (plain("first", 1e-3), 1),
        (plain("the-first-again", 1e-3), 1),
        (plain("second", 2e-3), 1),
    ]


def bits(sweep: Path) -> dict[str, dict[str, str]]:
    """The sums of everything that must be the same, for each run."""
    return {
        run.name: contents(run, (*SAME_BITS, *DERIVED))
        for run in sorted((sweep / "runs").iterdir())
    }


def starts(sweep: Path) -> dict[str, int]:
    """How often the seed of each run was begun."""
    return {
        run.name: sum(event["event"] == "start" for event in events(run))
        for run in sorted((sweep / "runs").iterdir())
    }
