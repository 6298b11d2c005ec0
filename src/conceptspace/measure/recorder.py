"""The recorder: a plain callable that any training loop calls after each step."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from conceptspace.adapters.protocol import Adapter, device_of
from conceptspace.measure.files import DamagedFile
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.measure.store import MeasurementStore


class Recorder:
    """Measures a model at chosen steps and stores what it found.

    Training is not disturbed: the model's mode and torch's random state are as before.

    Args:
        instrument: what to measure, with which probe.
        adapt: makes an `Adapter` of the model that the loop hands over.
        folder: where the measurements of this seed go.
        steps: the steps to measure; calls at other steps return at once.
        seed: the training seed.
        describe: extra scalars of a model, as keyword arguments of `measure_checkpoint`
            (losses, gamma).
        on_damage: told the message when a measurement on disk is damaged, before it is made again.

    Example:
        `recorder = Recorder(...)`, then `recorder(step, model)` after every step of any loop.
    """

    def __init__(
        self,
        instrument: Instrument,
        adapt: Callable[[Any], Adapter],
        folder: Path,
        steps: Iterable[int],
        *,
        seed: int = 0,
        describe: Callable[[Any], dict[str, Any]] | None = None,
        on_damage: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.instrument = instrument
        self.adapt = adapt
        self.store = MeasurementStore(Path(folder))
        self.steps = frozenset(steps)
        self.seed = seed
        self.describe = describe or (lambda model: {})
        self.on_damage = on_damage

    def __call__(self, step: int, model: Any) -> bool:
        """Measure if this step is to be measured and is not yet; whether it was."""
        if step not in self.steps or self.is_measured(step):
            return False
        adapter = self.adapt(model)
        device = device_of(adapter)
        # Named, since torch warns of a fork that takes in every GPU of a machine with several.
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            dataset = measure_checkpoint(
                adapter,
                self.instrument,
                seed=self.seed,
                step=step,
                **self.describe(model),
            )
        self.store.write(dataset)
        return True

    def is_measured(self, step: int) -> bool:
        """Whether an intact measurement is on disk; a damaged one is reported and removed."""
        try:
            return self.store.has_intact(step)
        except DamagedFile as error:
            self.on_damage(f"{error}; measuring step {step} again")
            self.store.remove(step)
            return False
