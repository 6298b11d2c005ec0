"""The one configuration object: everything that a run depends on but its seeds. No torch."""

import contextlib
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from conceptspace.concepts.settings import Settings
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.world import SyntheticWorld, check_space
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import ElicitationMethod, method_names
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.probes.settings import InversionSettings, ProbeSettings
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
    world: SyntheticWorld = SyntheticWorld()
    conditioning: Conditioning = Conditioning()
    model: UNetSettings = UNetSettings()
    diffusion: DiffusionSettings = DiffusionSettings()
    training: TrainingSettings = TrainingSettings()
    probe: ProbeSettings = ProbeSettings()
    inversion: InversionSettings = InversionSettings()
    measurement: MeasurementSettings = MeasurementSettings()
    elicitation: tuple[ElicitationMethod, ...] = ()
    findings: FindingsSettings = FindingsSettings()

    @model_validator(mode="after")
    def _parts_fit_together(self):
        check_space(self.space, self.world)
        with _naming("split"):
            self.split.training(self.space)
        with _naming("conditioning"):
            self.conditioning.layout(self.space, self.world.factor_widths)
            self.conditioning.mixing.check(self.space)
        for index, method in enumerate(self.elicitation):
            with _naming(f"elicitation.{index}"):
                method.check(self.space)
        method_names(self.elicitation)
        with _naming("measurement"):
            self.measurement.steps(self.training.steps)
        shrinks = 2 ** (len(self.model.widths) - 1)
        if self.world.image_size % shrinks:
            raise ValueError(
                f"world.image_size={self.world.image_size} must be a multiple of {shrinks}, since "
                f"model.widths halves it {len(self.model.widths) - 1} times"
            )
        return self

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


@contextlib.contextmanager
def _naming(field: str) -> Iterator[None]:
    """Put the field before what its part refuses."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None
