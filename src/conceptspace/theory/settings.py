"""The structured identity mapping task, where it starts from, and networks trained on it."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from conceptspace.concepts.settings import Settings


class IdentityTask(Settings):
    """Structured identity mapping (SIM): regress the identity on one Gaussian cluster a concept.

    Cluster p has mean `mu[p]` times the p-th unit vector and covariance diag(sigma²) on the first
    `num_concepts` axes. The out-of-distribution probe is the sum of all means. After Yang et al.
    2025, "Swing-by Dynamics in Concept Learning and Compositional Generalization", section 3.

    Raises:
        SettingsError: if a mean or a spread is out of range, or the numbers of them do not fit.

    Example:
        >>> IdentityTask(mu=(1, 2), sigma=(0.05,)).num_concepts
        2
    """

    mu: tuple[float, ...] = (1.0, 2.0)
    """Distance of each concept's cluster from the origin; above 0."""
    sigma: tuple[float, ...] = (0.05,)
    """Standard deviation of every cluster along each concept's axis; one number counts for all."""
    dimension: int | None = Field(default=None, ge=1)
    """Dimension of the data, at least one a concept; by default just that."""

    @field_validator("mu")
    @classmethod
    def _means_are_positive(cls, mu: tuple[float, ...]):
        if not mu or not all(mean > 0 for mean in mu):
            raise ValueError("give at least one mean, each above 0, such as 1 2")
        return mu

    @field_validator("sigma")
    @classmethod
    def _spreads_are_not_negative(cls, sigma: tuple[float, ...]):
        if not sigma or not all(spread >= 0 for spread in sigma):
            raise ValueError("give one spread for all concepts or one each, 0 or more")
        return sigma

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if len(self.sigma) not in (1, len(self.mu)):
            raise ValueError(
                f"sigma has {len(self.sigma)} numbers and mu {len(self.mu)}; "
                "give one spread for all concepts or one each"
            )
        if self.dimension is not None and self.dimension < len(self.mu):
            raise ValueError(
                f"dimension={self.dimension} is below the number of concepts, {len(self.mu)}"
            )
        return self

    @property
    def num_concepts(self) -> int:
        return len(self.mu)

    @property
    def num_dimensions(self) -> int:
        return self.dimension or len(self.mu)

    @property
    def spreads(self) -> tuple[float, ...]:
        """One standard deviation a concept."""
        return self.sigma if len(self.sigma) > 1 else self.sigma * self.num_concepts


class Start(Settings):
    """W(0): one number on the diagonal, one beside it, and a nudge on the diagonal.

    With the same number in every entry W(0) has rank one. The exact flow keeps the rank, so such a
    model learns one concept and rests there for ever; what happens next in floating-point numbers
    hangs on their rounding. The nudge makes that departure explicit: the rest begins to be learned
    about log(1 / nudge) / (2 a) later, a being its signal.

    Raises:
        SettingsError: if a number is out of range.
    """

    diagonal: float = Field(default=0.01, gt=0.0)
    """w_ii(0), above 0."""
    off_diagonal: float = 0.01
    """w_ij(0); in absolute value at most the diagonal."""
    nudge: float = Field(default=1e-6, ge=0.0)
    """What is added to the diagonal; 0 leaves a start of rank one to itself."""

    @model_validator(mode="after")
    def _is_a_product(self) -> Self:
        if abs(self.off_diagonal) > self.diagonal:
            raise ValueError(
                f"off_diagonal={self.off_diagonal} exceeds diagonal={self.diagonal}: "
                "W = U Uᵀ has no such entries"
            )
        return self


class NetworkSettings(Settings):
    """A multilayer perceptron and how it is trained on the task.

    Learning rate, batch, points and epochs are the published ones; the network's own sizes are
    ours.

    Raises:
        SettingsError: if a number is out of range.
    """

    num_hidden: int = Field(default=2, ge=0)
    """Hidden layers."""
    width: int = Field(default=64, ge=1)
    """Units of each hidden layer."""
    activation: Literal["relu", "linear"] = "relu"
    """After each hidden layer."""
    initial_scale: float = Field(default=0.1, gt=0.0)
    """Weights start as normal numbers of this over the square root of the inputs; no biases."""
    learning_rate: float = Field(default=0.1, gt=0.0)
    """Of plain stochastic gradient descent."""
    batch_size: int = Field(default=128, ge=1)
    """Points a step."""
    num_points: int = Field(default=5000, ge=1)
    """Points a cluster."""
    num_epochs: int = Field(default=40, ge=1)
    """Passes over all points."""
    record_every: int = Field(default=5, ge=1)
    """Steps between records."""
