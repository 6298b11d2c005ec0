"""Experiments that are really trained in tests, and what must have the same bits afterwards."""

from pathlib import Path

from conceptspace.experiment import Experiment
from runs.tiny import DERIVED, SAME_BITS, contents, events
from sweeps.fake import named


def plain(name: str, rate: float, steps: int = 40) -> Experiment:
    """A tiny experiment that elicits nothing, so that its report takes less."""
    whole = named(name, rate)
    return whole.replace(elicitation=(), training=whole.training.replace(steps=steps))


def listed(steps: int = 40) -> list[tuple[Experiment, int]]:
    """Two runs that share a probe; the first has two names and two seeds."""
    return [
        (plain("first", 1e-3, steps), 2),
        (plain("the-first-again", 1e-3, steps), 1),
        (plain("second", 2e-3, steps), 1),
    ]


def bits(sweep: Path) -> dict[str, dict[str, str]]:
    """The sums of everything that must be the same, for each run."""
    return {
        run.name: contents(run, (*SAME_BITS, *DERIVED))
        for run in sorted((sweep / "runs").iterdir())
    }


def starts(sweep: Path) -> dict[tuple[str, int], int]:
    """How often each seed of each run was begun."""
    return {
        (run.name, seed): sum(event["event"] == "start" for event in events(run, seed))
        for run in sorted((sweep / "runs").iterdir())
        for seed in range(len(list(run.glob("seed=*"))))
    }
