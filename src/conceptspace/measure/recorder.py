"""The recorder of a seed: measures a model at chosen steps and stores what it found."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from conceptspace.adapters.protocol import Adapter
from conceptspace.measure.files import DamagedFile
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.measure.store import MeasurementStore
from conceptspace.measure.undisturbed import undisturbed


class CheckpointRecorder:
    """Measures a model at chosen steps and stores what it found.

    Training is not disturbed, see `undisturbed`. `Recorder` is the same with a run directory.

    Args:
        instrument: what to measure, with which probe.
        adapt: makes an `Adapter` of the model that the loop hands over.
        folder: where the measurements of this seed go.
        steps: the steps to measure, or what says of a step whether it is; calls at other steps
            return at once.
        seed: the training seed.
        describe: extra scalars of a model, as keyword arguments of `measure_checkpoint`
            (losses, gamma).
        on_damage: told the message when a measurement on disk is damaged, before it is made again.
    """

    def __init__(
        self,
        instrument: Instrument,
        adapt: Callable[[Any], Adapter],
        folder: Path,
        steps: Iterable[int] | Callable[[int], bool],
        *,
        seed: int = 0,
        describe: Callable[[Any], dict[str, Any]] | None = None,
        on_damage: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.instrument = instrument
        self.adapt = adapt
        self.store = MeasurementStore(Path(folder))
        self.steps = frozenset() if callable(steps) else frozenset(steps)
        self._is_chosen = steps if callable(steps) else self.steps.__contains__
        self.seed = seed
        self.describe = describe or (lambda model: {})
        self.on_damage = on_damage

    def __call__(self, step: int, model: Any, **described: Any) -> bool:
        """Measure if this step is to be measured and is not yet; whether it was.

        Args:
            step: of the training.
            model: as `adapt` takes it.
            described: beside what `describe` gives.
        """
        if not self.wants(step):
            return False
        with undisturbed(model):
            adapter = self.adapt(model)
            dataset = measure_checkpoint(
                adapter,
                self.instrument,
                seed=self.seed,
                step=step,
                **self.describe(model),
                **described,
            )
        self.store.write(dataset)
        return True

    def wants(self, step: int) -> bool:
        """Whether a step is to be measured and is not yet."""
        return self.chooses(step) and not self.is_measured(step)

    def chooses(self, step: int) -> bool:
        """Whether a step is one of those to be measured."""
        return self._is_chosen(step)

    def is_measured(self, step: int) -> bool:
        """Whether an intact measurement is on disk; a damaged one is reported and removed."""
        try:
            return self.store.has_intact(step)
        except DamagedFile as error:
            self.on_damage(f"{error}; measuring step {step} again")
            self.store.remove(step)
            return False
