"""How the probes are trained and what they tolerate. No torch."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator

from conceptspace.concepts import Settings
from conceptspace.concepts.settings import kind_or
from conceptspace.data.factors import FACTOR_WIDTHS


class ProbeSettings(Settings):
    """The classifier probe: its network, its images and its training.

    The defaults train in seconds on one CPU core and read clean renders of every class without
    error at 16 and 32 pixels; `published` gives the paper's sizes.
    """

    making: ClassVar[str] = "Training the probe that reads concepts off images"
    """What is done when the probe is made, for people."""
    widths: tuple[int, ...] = Field(default=(16, 32, 32), min_length=1)
    """Output channels of each 3 x 3 convolution; at least 1 each."""
    num_images: int = Field(default=32768, ge=1)
    """Labelled renders to train on, over all classes together."""
    steps: int = Field(default=800, ge=1)
    """Training steps."""
    batch_size: int = Field(default=128, ge=1)
    """Images a step."""
    learning_rate: float = Field(default=6e-3, gt=0.0)
    """Peak of the one-cycle schedule of AdamW."""
    noise_range: tuple[float, float] = (0.0, 0.1)
    """Standard deviation of the extra pixel noise, drawn uniformly for each image and step."""

    @field_validator("widths")
    @classmethod
    def _widths_are_positive(cls, widths: tuple[int, ...]):
        if min(widths) < 1:
            raise ValueError("every width must be at least 1")
        return widths

    @field_validator("noise_range")
    @classmethod
    def _noise_range_is_ordered(cls, noise_range: tuple[float, float]):
        low, high = noise_range
        if not 0 <= low <= high:
            raise ValueError("give (low, high) with 0 <= low <= high")
        return noise_range

    @classmethod
    def published(cls) -> Self:
        """Widths, images and steps of Park et al. 2024; the rest is ours."""
        return cls(widths=(32, 32, 32), num_images=32768, steps=10_000, learning_rate=3e-3)


class EnsembleProbeSettings(ProbeSettings):
    """Several classifiers in place of one, for labelled images above all, which have no G.

    Each starts from weights of its own and learns from a sample of its own of the images, drawn
    with replacement. Their distributions are averaged. Where they contradict each other, what is
    read says more about the probe than about the image: the reading is doubtful, and counts as off
    the manifold. It is a weaker sign than an inversion: members may agree on what is no image of
    the data at all.
    """

    making: ClassVar[str] = "Training the probes that read concepts off images"
    kind: Literal["ensemble"] = "ensemble"
    members: int = Field(default=5, ge=2, le=32)
    """How many classifiers."""
    steps: int = Field(default=250, ge=1)
    """Training steps of each."""
    shift: int = Field(default=1, ge=0, le=16)
    """Pixels at most by which images are moved in training, edges repeated. Few images go further
    so; 0 where a place is a concept."""
    tolerated_disagreement: float = Field(default=0.25, gt=0.0, lt=1.0)
    """A reading is doubtful beyond: the mean over members of the total variation between a member's
    distribution of a concept and the average. One of five that is sure of another value makes
    0.32, five that are all undecided 0."""


class PointProbeSettings(Settings):
    """The probe of a vector world: it reads the nearest point and is not trained."""

    making: ClassVar[str] = "Writing down the probe that reads the nearest point"
    """What is done when the probe is made, for people."""
    kind: Literal["points"] = "points"
    kept_share: float = Field(default=0.999, gt=0.5, lt=1.0)
    """Share of the world's own draws that count as near enough to a cluster; samples as far away as
    the others are off the manifold."""
    tolerance: float = Field(default=0.02, ge=0.0)
    """Standard deviation of a model's errors that is forgiven on top of the clusters' width and the
    noise of the step, in every dimension."""


AnyProbeSettings = Annotated[
    Annotated[ProbeSettings, Tag("classifier")]
    | Annotated[EnsembleProbeSettings, Tag("ensemble")]
    | Annotated[PointProbeSettings, Tag("points")],
    Discriminator(kind_or("classifier")),
]


class InversionSettings(Settings):
    """The inversion probe: how far it looks, and what it still takes for an image of the world.

    Samples of a small diffusion model are never exact: outlines wobble, colours bleed, backgrounds
    are uneven. A flag that knew noise alone would reject nearly all of them, so such errors are
    forgiven, as far as blank, two-object and pure-noise images are still noticed. How far that is
    was measured with colour separations 0.2 to 0.8, size separation 0.4 and noise 0.001 to 0.08
    (`benchmarks/probes.py`): with these defaults 99.5 % or more of each such kind are flagged, and
    0.8 % or less of renders with the noise of the step, at 16 and at 32 pixels. The limits are set
    by the smallest objects at 16 pixels, D_c = 0.2: a local tolerance of 0.3 instead of 0.2 misses
    three times as many second objects. The network of the quick recipe (one seed, D_c = 0.25) drew
    4 % and 2 % of its large red and blue objects off the manifold at step 2000, 34 % and 29 % at
    step 600; with an edge tolerance of half a pixel about three times as many.
    """

    widening: dict[str, float] = Field(
        default_factory=lambda: {
            "colour": 0.35,
            "background": 0.35,
            "size": 0.1,
            "x": 0.1,
            "y": 0.1,
        }
    )
    """How far beyond the space's range the factor of a concept may lie, in the factor's own units,
    so that over-prompted samples are still found. A factor that is not named is not widened."""
    nuisance_widening: float = Field(default=0.1, ge=0.0)
    """The same for factors that are no concept."""
    minimum_contrast: float | None = Field(default=None, gt=0.0)
    """Least difference of object and background, RMS over channels; None for half the least one
    between class means of the space."""
    tolerance: float = Field(default=0.06, ge=0.0)
    """RMS error over the image that is forgiven on top of the noise."""
    local_tolerance: float = Field(default=0.2, ge=0.0)
    """Error in one place that is forgiven on top of the noise, as the norm over channels under a
    Gaussian of one pixel and unit energy: 0.2 is an error of 0.033 in every channel around there.
    An object that changes the image by less, as its norm over all pixels, is not seen as one."""
    edge_tolerance: float = Field(default=1.0, ge=0.0)
    """Pixels by which the object's outline may be off in one place."""
    max_iterations: int = Field(default=8, ge=1)
    """Levenberg-Marquardt steps at most."""

    @field_validator("widening")
    @classmethod
    def _widening_is_of_known_factors(cls, widening: dict[str, float]):
        for factor, value in widening.items():
            if factor not in FACTOR_WIDTHS:
                raise ValueError(f"{factor!r} is no factor; known are {', '.join(FACTOR_WIDTHS)}")
            if value < 0:
                raise ValueError(f"the widening of {factor!r} must be at least 0, not {value}")
        return widening
