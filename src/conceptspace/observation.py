"""What a run directory holds that another training loop has filled: what was measured. No torch."""

from typing import Literal

from pydantic import Field, model_validator

from conceptspace.concepts.settings import Settings
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.world import check_space
from conceptspace.data.worlds import BuiltInWorld
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import ElicitationMethod, method_names
from conceptspace.measure.settings import MeasurementSettings


class Observation(Settings):
    """A concept space and how the learning of a model is measured that is trained elsewhere.

    Example:
        >>> space = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
        >>> Observation(name="mine", space=space).prompter.width
        4
    """

    kind: Literal["observation"] = "observation"
    schema_version: Literal[1] = 1
    """Version of this description, for settings saved by other versions of the software."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """What the run is called."""
    scale: str = "custom"
    """How large the experiment is, for the claims table: a word of yours."""
    space: ConceptSpace
    split: Split = Split()
    world: BuiltInWorld | None = None
    """Where the training data come from, if that is known: their concept signal and pictures of
    each class are then in the report."""
    conditioning: Conditioning = Conditioning()
    measurement: MeasurementSettings = MeasurementSettings()
    """Sample counts; its checkpoints mean nothing here, since the loop decides when it calls."""
    elicitation: tuple[ElicitationMethod, ...] = ()
    findings: FindingsSettings = FindingsSettings()

    @model_validator(mode="after")
    def _parts_fit_together(self):
        if self.world is not None:
            check_space(self.space, self.world)
        self.split.training(self.space)
        self.conditioning.layout(self.space, self.factor_widths)
        for method in self.elicitation:
            method.check(self.space)
        method_names(self.elicitation)
        return self

    @property
    def factor_widths(self) -> dict[str, int]:
        """How many numbers each factor takes: the world's, or the concepts' own."""
        if self.world is not None:
            return dict(self.world.factor_widths)
        return {concept.factor: concept.width for concept in self.space.concepts}

    @property
    def prompter(self) -> Prompter:
        """How concepts become the vectors that an adapter's `encode` is given."""
        return Prompter(
            space=self.space, conditioning=self.conditioning, factor_widths=self.factor_widths
        )
