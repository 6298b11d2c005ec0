"""The recorder: a plain callable that any training loop calls after each step."""

import operator
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.derived import derive
from conceptspace.folder import RunError, check_folder, open_run, seed_folder
from conceptspace.measure.measurement import LOSSES
from conceptspace.measure.recorder import CheckpointRecorder
from conceptspace.measure.steps import FOLDER
from conceptspace.observation import Observation
from conceptspace.observe.subject import (
    Read,
    SampleModel,
    adapter_maker,
    instrument_of,
    name_there,
    warn_of_what_stays_hidden,
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
        on_damage: told when a damaged measurement is made again, or the first step is measured
            already.
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
        self.out = Path(out)
        given: dict[str, Any] = {"name": name_there(self.out), **settings}
        self.observation = Observation(space=space, **given)
        instrument = instrument_of(self.observation, probe, inversion)
        adapter_of = adapter_maker(sample, adapt)
        if sample is not None:
            warn_of_what_stays_hidden(self.observation)
        self.seed = whole_number(seed, "seed")
        check_folder(self.out, self.observation)
        self._is_open, self._on_damage = False, on_damage
        self._seed = CheckpointRecorder(
            instrument,
            adapter_of,
            seed_folder(self.out, self.seed),
            _chosen(every),
            seed=self.seed,
            on_damage=on_damage,
        )

    def __call__(self, step: int, model: Any, *, losses: Mapping[str, float] | None = None) -> bool:
        """Measure if this step is to be measured and is not yet; whether it was.

        Args:
            step: how many training steps the model has done.
            model: what `sample` or `adapt` take. A torch module is put in evaluation mode for the
                measurement.
            losses: by name, `train`, `validation` and `held_out`, those that are known: that a turn
                shows in concept space alone (C4) cannot be concluded without.

        Raises:
            SettingsError: if the step is no whole number from 0 on, or a loss has another name.
        """
        step = whole_number(step, "step")
        if unknown := set(losses or ()) - set(LOSSES):
            raise SettingsError(
                f"losses: {sorted(unknown)[0]!r} is none of {', '.join(LOSSES)}, which is what the "
                "report draws"
            )
        if not self._seed.chooses(step):
            return False  # before a loss is brought over from a GPU
        if not self._is_open:
            # Not before there is something to write: a recorder that was only made leaves no trace.
            open_run(self.out, self.observation)
            self._is_open = True
            if self.is_measured(step):
                self._on_damage(
                    f"{self.out}: step {step} of seed {self.seed} is measured already and kept, as "
                    "all that is there; if the training is another one, choose another folder (out)"
                )
        known = {n: float(torch.as_tensor(loss).detach()) for n, loss in (losses or {}).items()}
        return self._seed(step, model, **({"losses": known} if known else {}))

    def wants(self, step: int) -> bool:
        """Whether a call at this step would measure."""
        return self._seed.wants(whole_number(step, "step"))

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
        if not any(self.out.glob(f"seed=*/{FOLDER}/*")):
            raise RunError(
                f"nothing is measured in {self.out}: no call was at a step that `every` names; "
                "lower it, and begin with recorder(0, model)"
            )
        derive(self.out)
        return self.out / "report.html"


def whole_number(value: Any, name: str) -> int:
    """A number from 0 on, of whatever type counts, such as NumPy's.

    Raises:
        SettingsError: if it is none.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise SettingsError(
            f"{name} must be a whole number, not {value!r:.60} ({type(value).__name__})"
        ) from None
    if number < 0:
        raise SettingsError(f"{name} must be 0 or more, not {number}")
    return number


def _chosen(every: int | Collection[int]) -> Callable[[int], bool]:
    """Whether a step is to be measured."""
    if isinstance(every, Collection) and not isinstance(every, str):
        steps = frozenset(whole_number(step, "every") for step in every)
        if not steps:
            raise SettingsError("every must name at least one step")
        return steps.__contains__
    each = whole_number(every, "every")
    if each < 1:
        raise SettingsError(f"every must be at least 1, not {each}")
    return lambda step: step % each == 0
