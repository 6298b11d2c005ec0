"""M: from the concept vector z to the conditioning vector h that a model sees. No torch."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace


class IdentityMixing(Settings):
    """The model is told exactly what the concepts are."""

    kind: Literal["identity"] = "identity"

    def check(self, space: ConceptSpace) -> None:
        """Every space will do."""

    def apply(
        self, h: np.ndarray, classes: np.ndarray, prompter: "Prompter", rng: np.random.Generator
    ) -> np.ndarray:
        """h as it is."""
        return h


class NoisyMixing(Settings):
    """Gaussian noise on every entry that a concept drives."""

    kind: Literal["noisy"] = "noisy"
    standard_deviation: float = Field(ge=0.0)

    def check(self, space: ConceptSpace) -> None:
        """Every space will do."""

    def apply(
        self, h: np.ndarray, classes: np.ndarray, prompter: "Prompter", rng: np.random.Generator
    ) -> np.ndarray:
        """A copy of h (batch, width) with noise on the concepts' entries."""
        h = h.copy()
        for concept in prompter.space.concepts:
            part = h[:, prompter.slice_of(concept.name)]
            part += rng.normal(0.0, self.standard_deviation, size=part.shape)
        return h


class MaskedMixing(Settings):
    """One concept is left out of a share of one class's prompts: underspecification.

    (Park et al. 2024, section 5: "a triangle" in place of "a red triangle".)
    """

    kind: Literal["masked"] = "masked"
    concept: str
    """The concept that is masked."""
    concept_class: str
    """The training class whose prompts are masked."""
    share: float = Field(ge=0.0, le=1.0)
    """Share of that class's examples whose prompt is masked."""
    fill: float = 0.0
    """What the masked entries hold."""

    def check(self, space: ConceptSpace) -> None:
        """Refuse a concept or a class that the space does not have.

        Raises:
            SettingsError: naming it, and what the space has.
        """
        for field, look_up in (("concept", space.concept), ("concept_class", space.indices)):
            try:
                look_up(getattr(self, field))
            except ValueError as error:
                raise SettingsError(f"conditioning.mixing.{field}: {error}") from None

    def apply(
        self, h: np.ndarray, classes: np.ndarray, prompter: "Prompter", rng: np.random.Generator
    ) -> np.ndarray:
        """A copy of h (batch, width) with the share masked, to the nearest whole row."""
        h = h.copy()
        rows = np.flatnonzero(classes == self.concept_class)
        masked = rng.permutation(rows)[: round(self.share * len(rows))]
        h[masked, prompter.slice_of(self.concept)] = self.fill
        return h


Mixing = Annotated[IdentityMixing | NoisyMixing | MaskedMixing, Field(discriminator="kind")]


class Conditioning(Settings):
    """Which factors the conditioning vector h holds, in which order, and how z is mixed into it."""

    factors: tuple[str, ...] = ()
    """Factors in h; empty for the concepts' own, in the space's order. A factor that is no concept
    is 0, as in the paper, whose vector is shape, x, y, colour, size, background."""
    mixing: Mixing = IdentityMixing()

    def layout(self, space: ConceptSpace, widths: dict[str, int]) -> dict[str, slice]:
        """Where each factor lies in h.

        Raises:
            SettingsError: if a factor is unknown, named twice, or a concept's factor is missing.
        """
        factors = self.factors or tuple(concept.factor for concept in space.concepts)
        missing = [c.factor for c in space.concepts if c.factor not in factors]
        unknown = [factor for factor in factors if factor not in widths]
        if missing or unknown or len(set(factors)) != len(factors):
            raise SettingsError(
                f"conditioning.factors {factors} must name each concept's factor once, out of "
                f"{', '.join(widths)}"
                + (f"; {missing[0]!r} is missing" if missing else "")
                + (f"; {unknown[0]!r} is unknown" if unknown else "")
            )
        ends = np.cumsum([widths[factor] for factor in factors])
        return {f: slice(int(end) - widths[f], int(end)) for f, end in zip(factors, ends)}


class Prompter(Settings):
    """Turns concept vectors into conditioning vectors for one space."""

    space: ConceptSpace
    conditioning: Conditioning
    factor_widths: dict[str, int]

    @model_validator(mode="after")
    def _fits_the_space(self) -> Self:
        self.conditioning.layout(self.space, self.factor_widths)
        self.conditioning.mixing.check(self.space)
        return self

    @property
    def layout(self) -> dict[str, slice]:
        return self.conditioning.layout(self.space, self.factor_widths)

    @property
    def width(self) -> int:
        """Number of entries of h."""
        return max(part.stop for part in self.layout.values())

    def slice_of(self, concept: str) -> slice:
        """Where a concept's entries lie in h."""
        return self.layout[self.space.concept(concept).factor]

    def vectors(self, z: np.ndarray) -> np.ndarray:
        """h (batch, width) for z (batch, space width), without noise or masks."""
        h = np.zeros((len(z), self.width), dtype=np.float32)
        for factor, values in self.space.factors(z).items():
            h[:, self.layout[factor]] = values
        return h

    def class_mean(self, concept_class: str, num: int = 1) -> np.ndarray:
        """`num` equal rows of h (num, width): the prompt for a held-out class."""
        return self.vectors(np.repeat(self.space.mean(concept_class)[None], num, axis=0))

    def mixed(self, z: np.ndarray, classes: Sequence[str], rng: np.random.Generator) -> np.ndarray:
        """h (batch, width) as the model sees it in training, noise and masks included.

        Args:
            z: concept vectors (batch, space width).
            classes: the concept class of each row.
            rng: draws the noise, or the rows to mask.
        """
        names = np.asarray(classes)
        if names.shape != (len(z),):
            raise ValueError(
                f"classes must name one class for each of the {len(z)} rows of z, not {names.size}"
            )
        return self.conditioning.mixing.apply(self.vectors(z), names, self, rng)
