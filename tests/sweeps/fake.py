"""An executor that pretends: the files that units leave, without the work."""

from pathlib import Path

from conceptspace.experiment import Experiment
from conceptspace.folder import open_run, read_experiment, seed_folder
from conceptspace.measure.steps import file_name
from conceptspace.models.execution import Execution
from conceptspace.progress import Silent
from conceptspace.sweeps.directory import REPORT
from conceptspace.units import OpenRun, Outcome, TrainSeeds, Unit
from runs.tiny import tiny_experiment


def named(name: str, rate: float = 1e-3) -> Experiment:
    """A tiny experiment; another learning rate makes it another one with the same probe."""
    plain = tiny_experiment()
    return plain.replace(name=name, training=plain.training.replace(learning_rate=rate))


def several(num: int) -> list[Experiment]:
    return [named(f"run-{i}", 1e-3 * (1 + i)) for i in range(num)]


class Pretending:
    """Leaves what units leave, in their order.

    Args:
        at_once: how many units it takes before it ends one.
        fails: the names of runs whose training fails.
        stops_after: so many units, then it is interrupted, as by Ctrl-C.
        execution: how every run is computed.
    """

    def __init__(self, at_once=1, fails=(), stops_after=None, execution=None):
        self.at_once, self.fails, self.stops_after = at_once, set(fails), stops_after
        self.execution = execution or Execution()
        self.done: list[Unit] = []
        self.running: list[Unit] = []
        self.most_at_once = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.clear()

    def has_room(self, unit):
        return len(self.running) < self.at_once

    def submit(self, unit):
        self.running.append(unit)
        self.most_at_once = max(self.most_at_once, len(self.running))

    def finished(self, timeout):
        if self.stops_after is not None and len(self.done) >= self.stops_after:
            raise KeyboardInterrupt
        unit = self.running.pop(0)
        self.done.append(unit)
        return [(unit, self.pretend(unit))]

    def pretend(self, unit):
        if isinstance(unit, OpenRun):
            execution = unit.chosen or self.execution
            open_run(unit.run, unit.experiment, execution=execution)
            return Outcome(execution=execution)
        if isinstance(unit, TrainSeeds):
            if unit.run.name in self.fails:
                return Outcome(problem="ValueError: no luck", details="a traceback")
            steps = read_experiment(unit.run).steps
            for seed in unit.seeds:
                leave_measurements(unit.run, seed, steps)
            return Outcome()
        (unit.run / REPORT).write_text("a report")
        return Outcome()

    def trained(self):
        """The pairs of a run and a seed that were trained, in order."""
        return [
            (unit.run.name, seed)
            for unit in self.done
            if isinstance(unit, TrainSeeds)
            for seed in unit.seeds
        ]

    def opened(self):
        return [unit for unit in self.done if isinstance(unit, OpenRun)]


def leave_measurements(run: Path, seed: int, steps):
    for step in steps:
        path = seed_folder(run, seed) / file_name(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


class Told(Silent):
    """Keeps what was told."""

    def __init__(self):
        self.messages, self.steps = [], []

    def stage(self, message):
        self.messages.append(message)

    def advance(self, task, done, total):
        self.steps.append((done, total))
