"""What findings and claims are judged by: thresholds, smoothing, intervals."""

from pydantic import Field, field_validator

from conceptspace.concepts.settings import Settings


class FindingsSettings(Settings):
    """How a trajectory becomes findings and claims.

    Example:
        >>> FindingsSettings().thresholds
        (0.8, 0.9)
    """

    thresholds: tuple[float, ...] = (0.8, 0.9)
    """Accuracies above which a concept counts as learned and a capability as there; the first is
    the one that claims are judged at, the others show how sensitive they are to it."""
    consecutive: int = Field(default=3, ge=1)
    """How many checkpoints in a row must lie above the threshold."""
    smoothing: float = Field(default=1.5, ge=0.0)
    """Standard deviation in checkpoints of the Gaussian that smooths per-concept accuracies."""
    confidence: float = Field(default=0.95, gt=0.0, lt=1.0)
    """Share of the bootstrap distribution inside an interval."""
    num_resamples: int = Field(default=1000, ge=100)
    """Bootstrap resamples."""
    random_seed: int = Field(default=0, ge=0)
    """Seeds the resampling, so that the same trajectory gives the same findings."""

    minimum_seeds: int = Field(default=5, ge=1)
    """Below this many seeds every claim about seeds is inconclusive."""
    share_of_seeds: float = Field(default=0.8, gt=0.0, le=1.0)
    """Share of the seeds in which a capability must be hidden for C5 to hold."""
    start_checkpoints: int = Field(default=3, ge=1)
    """The first trained checkpoints, whose mean is where a trajectory began (C3)."""
    capability_lower_bound: float = Field(default=0.6, ge=0.0, le=1.0)
    """The interval of an elicited accuracy must lie above this."""
    naive_ceiling: float = Field(default=0.5, ge=0.0, le=1.0)
    """Naive accuracy at or below this means that the capability does not show."""
    control_margin: float = Field(default=0.15, ge=0.0, le=1.0)
    """A control may exceed naive prompting by at most this much."""
    untrained_ceiling: float = Field(default=0.1, ge=0.0, le=1.0)
    """Most that elicitation may reach on the untrained model."""
    significance: float = Field(default=0.05, gt=0.0, lt=1.0)
    """Below this p-value a turn is found; for kinks it is shared among the curves looked at."""

    @field_validator("thresholds")
    @classmethod
    def _thresholds_are_shares(cls, thresholds: tuple[float, ...]):
        if not thresholds or not all(0 < threshold < 1 for threshold in thresholds):
            raise ValueError("give at least one threshold, each between 0 and 1")
        if len(set(thresholds)) != len(thresholds):
            raise ValueError("two thresholds are the same")
        return thresholds
