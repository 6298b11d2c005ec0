"""The elicitation methods of a run, as settings. No torch."""

import itertools
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace


class Method(Settings):
    """What every method states: which concept it pushes, and how hard."""

    concept: str
    """The concept that is pushed towards its value in the prompted class."""
    strengths: tuple[float, ...] = Field(min_length=1)
    """Strengths that are tried; which one counts is chosen on other samples than scored on."""

    @field_validator("strengths")
    @classmethod
    def _strengths_grow(cls, strengths: tuple[float, ...]):
        return _growing("strengths", strengths)

    def check(self, space: ConceptSpace) -> None:
        """Refuse a method that does not fit a space."""
        space.concept(self.concept)


class OverPrompt(Method):
    """Push the concept's entries of the prompt beyond the class mean (Park et al. 2024, 4.3)."""

    kind: Literal["over-prompting"] = "over-prompting"
    away_from: tuple[float, ...] = ()
    """The point that is pushed away from, by default the mean of the concept's values. The paper
    pushes colours away from mid-grey. A strength is the change of the largest entry."""

    def check(self, space: ConceptSpace) -> None:
        """Refuse a method that does not fit a space."""
        axis = space.concept(self.concept)
        if self.away_from and len(self.away_from) != axis.width:
            raise ValueError(
                f"away_from must have {axis.width} numbers for concept {self.concept!r}, "
                f"not {self.away_from}"
            )
        for index, value in enumerate(axis.values):
            if not push(axis, index, self.away_from).any():
                origin = self.away_from or "by default the mean of the values"
                raise ValueError(
                    f"away_from ({origin}) is value {index} of concept {self.concept!r}, {value}, "
                    "so there is no direction to push it in: give another point"
                )


def push(axis: Concept, index: int, away_from: tuple[float, ...] = ()) -> np.ndarray:
    """From a point, by default the mean of a concept's values, to one of the values: (width,).

    Zeros where the two are the same but for rounding, which gives no direction.
    """
    values = np.asarray(axis.values)
    direction = axis.mean(index) - (np.asarray(away_from) if away_from else values.mean(axis=0))
    return direction if np.abs(direction).max() > 1e-6 * np.ptp(values) else 0.0 * direction


class LatentSteering(Method):
    """Add the concept's linear direction at every conditioning site (Park et al. 2024, 4.3).

    At strength 1 the condition moves by the mean difference between the class's value of the
    concept and its other values.
    """

    kind: Literal["latent-steering"] = "latent-steering"


class Guidance(Settings):
    """Classifier-free guidance (Ho and Salimans 2022; Park et al. 2024): push the whole condition.

    The noise estimate becomes eps_0 + w (eps - eps_0), where eps_0 is the estimate without a
    condition, so weight 1 is naive prompting and 0 ignores the prompt. The model must have been
    trained with `training.condition_dropout` above 0. It pushes no direction, so there is no
    random one beside it as a control.
    """

    kind: Literal["guidance"] = "guidance"
    weights: tuple[float, ...] = Field(min_length=1)
    """Weights w that are tried; which one counts is chosen on other samples than scored on."""

    @field_validator("weights")
    @classmethod
    def _weights_grow(cls, weights: tuple[float, ...]):
        return _growing("weights", weights)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The weights, by the name that every method has for how hard it pushes."""
        return self.weights

    def check(self, space: ConceptSpace) -> None:
        """Every space will do."""


def _growing(name: str, values: tuple[float, ...]) -> tuple[float, ...]:
    if any(a >= b for a, b in itertools.pairwise(values)):
        raise ValueError(f"{name} must grow from one to the next")
    return values


Push = OverPrompt | LatentSteering
"""The methods that push one concept in a direction."""

ElicitationMethod = Annotated[OverPrompt | LatentSteering | Guidance, Field(discriminator="kind")]


def method_names(methods: tuple[ElicitationMethod, ...]) -> tuple[str, ...]:
    """A name for each method: its kind, with the concept where two are of one kind."""
    kinds = [method.kind for method in methods]
    names = tuple(
        f"{m.kind}({m.concept})"
        if not isinstance(m, Guidance) and kinds.count(m.kind) > 1
        else m.kind
        for m in methods
    )
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"elicitation: two methods are both {name}: give one method all their strengths"
            )
    return names
