"""The one configuration object: everything that a run depends on but its seeds. No torch."""

import contextlib
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.settings import Settings
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.labelled import ReadingProgress
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.vectors import VectorWorld
from conceptspace.data.world import SyntheticWorld, check_space
from conceptspace.data.worlds import BuiltInWorld
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import ElicitationMethod, Guidance, method_names
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import (
    DiffusionSettings,
    MLPSettings,
    NetworkSettings,
    Objective,
    RegressionSettings,
    UNetSettings,
)
from conceptspace.probes.settings import (
    AnyProbeSettings,
    InversionSettings,
    PointProbeSettings,
    ProbeSettings,
)
from conceptspace.training.settings import TrainingSettings


class Experiment(Settings):
    """A concept space, the model that learns it, and how its learning is measured.

    Example:
        >>> from conceptspace.data.factors import colour, size
        >>> space = ConceptSpace(concepts=(colour(0.4), size(0.4)))
        >>> Experiment(name="mine", space=space).split.held_out(space)
        ('11',)
    """

    schema_version: Literal[1] = 1
    """Version of this description, for settings saved by other versions of the software."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """What the run is called; its folder is named after it."""
    scale: str = "custom"
    """How large the experiment is, for the claims table: quick, paper, or a word of yours."""
    space: ConceptSpace
    split: Split = Split()
    world: BuiltInWorld = SyntheticWorld()
    """Where data come from: images of one object, vectors around the classes' points, or labelled
    images of yours."""
    conditioning: Conditioning = Conditioning()
    model: NetworkSettings = UNetSettings()
    """The network: a U-Net for images, an MLP for vectors."""
    diffusion: Objective = DiffusionSettings()
    """What the network is trained to do: variational diffusion, noise prediction (DDPM), flow
    matching, or regression."""
    training: TrainingSettings = TrainingSettings()
    probe: AnyProbeSettings = ProbeSettings()
    """What reads samples: a classifier for images, the nearest points for vectors."""
    inversion: InversionSettings = InversionSettings()
    """Of images; vectors are judged by the settings of their probe."""
    measurement: MeasurementSettings = MeasurementSettings()
    elicitation: tuple[ElicitationMethod, ...] = ()
    findings: FindingsSettings = FindingsSettings()

    @field_validator("diffusion", mode="before")
    @classmethod
    def _was_diffusion_alone(cls, given: Any):
        # Experiments that were saved before there was a choice do not name it.
        if isinstance(given, dict) and "kind" not in given:
            return {"kind": "diffusion", **given}
        return given

    @model_validator(mode="after")
    def _parts_fit_together(self):
        if isinstance(self.world, LabelledWorld):
            self.world.check(self.space)
        check_space(self.space, self.world)
        self._check_kind_of_data()
        with _naming("split"):
            self.split.training(self.space)
        with _naming("conditioning"):
            self.conditioning.layout(self.space, self.world.factor_widths)
            self.conditioning.mixing.check(self.space)
        for index, method in enumerate(self.elicitation):
            with _naming(f"elicitation.{index}"):
                method.check(self.space)
                if isinstance(method, Guidance):
                    self._check_guidance()
        method_names(self.elicitation)
        with _naming("measurement"):
            self.measurement.steps(self.training.steps)
        return self

    def _check_kind_of_data(self) -> None:
        """Images need a U-Net and a classifier; vectors need an MLP and the points."""
        world, model = self.world, self.model
        vectors = isinstance(world, VectorWorld)
        needed = (MLPSettings, PointProbeSettings) if vectors else (UNetSettings, ProbeSettings)
        for field, kind in zip(("model", "probe"), needed):
            given = getattr(self, field)
            if not isinstance(given, kind):
                raise ValueError(
                    f"{field}: a {type(world).__name__} needs {kind.__name__}, not "
                    f"{type(given).__name__}; give {field}={kind.__name__}(...)"
                )
        if isinstance(world, LabelledWorld) and self.inversion != InversionSettings():
            raise ValueError(
                "inversion: labelled images have no G that could be inverted; leave it out, and "
                "set when a reading is doubtful in probe=EnsembleProbeSettings(...)"
            )
        if isinstance(world, VectorWorld):
            world.check(self.space)
            if self.inversion != InversionSettings():
                raise ValueError(
                    "inversion: vectors are not inverted; leave it out, and set how far from its "
                    "cluster a sample may be in probe=PointProbeSettings(...)"
                )
        elif isinstance(model, UNetSettings) and world.image_size % (
            shrinks := 2 ** (len(model.widths) - 1)
        ):
            raise ValueError(
                f"world.image_size={world.image_size} must be a multiple of {shrinks}, since "
                f"model.widths halves it {len(model.widths) - 1} times"
            )

    def _check_guidance(self) -> None:
        if isinstance(self.diffusion, RegressionSettings):
            raise ValueError(f"guidance needs a diffusion model, not {self.diffusion.kind}")
        if self.training.condition_dropout == 0.0:
            raise ValueError(
                "guidance needs a model that also learns without its condition: set "
                "training.condition_dropout above 0.0, for example to 0.1"
            )

    def identified(self, progress: ReadingProgress | None = None) -> "Experiment":
        """The same with the fingerprint of its data, if they are labelled images: they are read.

        Raises:
            DataError: if they cannot be read, are not those whose fingerprint is known, or are too
                few of a class for what the settings ask.
        """
        if not isinstance(self.world, LabelledWorld):
            return self
        world, training = self.world.identified(progress), self.training
        world.check_enough(
            self.split.training(self.space),
            self.split.held_out(self.space),
            training.images_per_class,
            training.training_share,
        )
        return self.replace(world=world)

    @property
    def prompter(self) -> Prompter:
        """How this experiment turns concepts into conditioning vectors."""
        return Prompter(
            space=self.space, conditioning=self.conditioning, factor_widths=self.world.factor_widths
        )

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are measured."""
        return self.measurement.steps(self.training.steps)


def shortened(experiment: Experiment, steps: int) -> Experiment:
    """The experiment's beginning: the same run up to a step, with that step measured.

    It has the same seeds, batches and checkpoints as the whole, and a name of its own.

    Args:
        experiment: the whole.
        steps: the last training step, from 1 to the experiment's own last.

    Raises:
        ValueError: if there is no such step.
    """
    whole = experiment.training.steps
    if not 1 <= steps <= whole:
        raise ValueError(
            f"steps must be between 1 and training.steps={whole} of {experiment.name}, not {steps}"
        )
    kept = tuple(step for step in experiment.steps if 0 < step < steps)
    return experiment.replace(
        name=f"{experiment.name}-{steps}-steps",
        training=experiment.training.replace(steps=steps),
        measurement=experiment.measurement.replace(checkpoints=(*kept, steps)),
    )


@contextlib.contextmanager
def _naming(field: str) -> Iterator[None]:
    """Put the field before what its part refuses."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None
