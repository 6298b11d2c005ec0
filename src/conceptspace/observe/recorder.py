"""The recorder: a plain callable that any training loop calls after each step."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.derived import derive
from conceptspace.folder import check_folder, open_run, seed_folder
from conceptspace.measure.recorder import CheckpointRecorder
from conceptspace.observation import Observation
from conceptspace.observe.subject import (
    Read,
    SampleModel,
    adapter_maker,
    instrument_of,
    name_of,
)
from conceptspace.probes.reading import Inverter, Probe


class Recorder:
    """Measures a model while somebody's own loop trains it, into a run directory.

    Training is not disturbed: with and without a recorder it ends with the same bits. What is
    measured already is not measured again, so a loop that starts anew or continues may call it as
    before.

    Args:
        space: the concepts.
        out: the run directory, which all seeds of a training share. One that holds measurements of
            something else is refused.
        sample: draws images: `(model, vectors, generator) -> images`, one a row of the vectors, in
            [0, 1], with all noise from the generator. A vector holds each concept's numbers, of
            `ConceptSpace.named` a one-hot.
        adapt: in place of `sample`, makes an `Adapter` of the model: then latent steering, guidance
            and patching can be measured too.
        probe: reads each concept off images: a trained probe, or a function from images to one
            distribution a concept.
        every: measure each so many steps, step 0 (the untrained model, a control) if it comes; or
            the steps themselves.
        seed: the training seed.
        inversion: flags samples that the world could not have drawn; None where nothing can.
        on_damage: told when a damaged measurement is made again.
        settings: more of `Observation`: split, world, elicitation, measurement, findings, name, ...

    Raises:
        SettingsError: if the arguments do not fit together.
        RunError: if the folder holds something else.

    Example:
        `recorder = Recorder(space, "runs/mine", sample=draw, probe=probe, every=500)`; then
        `recorder(step, model)` after every step, and `recorder.report()` at the end.
    """

    def __init__(
        self,
        space: ConceptSpace,
        out: Path | str,
        *,
        sample: SampleModel | None = None,
        adapt: Callable[[Any], Adapter] | None = None,
        probe: Probe | Read,
        every: int | Collection[int],
        seed: int = 0,
        inversion: Inverter | None = None,
        on_damage: Callable[[str], None] = print,
        **settings: Any,
    ) -> None:
        self.out, self.seed = Path(out), seed
        given: dict[str, Any] = {"name": name_of(self.out.resolve()), **settings}
        self.observation = Observation(space=space, **given)
        instrument = instrument_of(self.observation, probe, inversion)
        adapter_of = adapter_maker(sample, adapt)
        if seed < 0:
            raise SettingsError(f"seed must be 0 or more, not {seed}")
        check_folder(self.out, self.observation)
        self._is_open = False
        self._seed = CheckpointRecorder(
            instrument,
            adapter_of,
            seed_folder(self.out, seed),
            _chosen(every),
            seed=seed,
            on_damage=on_damage,
        )

    def __call__(self, step: int, model: Any) -> bool:
        """Measure if this step is to be measured and is not yet; whether it was."""
        if not self._is_open:
            # Not before there is something to write: a recorder that was only made leaves no trace.
            open_run(self.out, self.observation)
            self._is_open = True
        return self._seed(step, model)

    def wants(self, step: int) -> bool:
        """Whether a call at this step would measure."""
        return self._seed.wants(step)

    def is_measured(self, step: int) -> bool:
        """Whether an intact measurement of a step is on disk."""
        return self._seed.is_measured(step)

    @property
    def steps(self) -> list[int]:
        """The steps that are measured, in order."""
        return self._seed.store.steps()

    def report(self) -> Path:
        """Conclude from all that is measured, of every seed; where the report lies.

        Raises:
            RunError: if nothing is measured yet.
        """
        derive(self.out)
        return self.out / "report.html"


def _chosen(every: int | Collection[int]) -> Callable[[int], bool]:
    """Whether a step is to be measured."""
    if isinstance(every, int):
        if every < 1:
            raise SettingsError(f"every must be at least 1, not {every}")
        return lambda step: step % every == 0
    steps = frozenset(every)
    if not steps or min(steps) < 0:
        raise SettingsError("every must name at least one step, none below 0")
    return steps.__contains__
