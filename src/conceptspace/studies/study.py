"""What a study is: runs to be done, what is concluded from them, and claims with verdicts."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from conceptspace.experiment import Experiment

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure

    from conceptspace.report.case import Claim

Scale = Literal["quick", "paper"]
Seeded = tuple[Experiment, int]
"""An experiment and how many seeds it is run with."""


@dataclass(frozen=True)
class StudyRun:
    """A finished run as a study sees it.

    Attributes:
        experiment: its settings.
        trajectory: what was measured of the seeds that the study asked for.
        folder: the run directory, for studies that look into its checkpoints.
    """

    experiment: Experiment
    trajectory: "xarray.Dataset"
    folder: Path


@dataclass(frozen=True)
class Study:
    """One experiment of the paper.

    Attributes:
        name: what the command line knows it by.
        title: what it is, in a line.
        tests: the ids of its claims.
        experiments: the runs of a scale; none where nothing is trained. Loads no torch.
        analyse: finished runs and the scale to findings, plain values as JSON knows them.
        claims: findings to claims.
        figure: findings to the picture.
    """

    name: str
    title: str
    tests: tuple[str, ...]
    experiments: Callable[[Scale], list[Seeded]]
    analyse: Callable[[Iterable[StudyRun], Scale], dict[str, Any]]
    claims: Callable[[Mapping[str, Any]], "list[Claim]"]
    figure: Callable[[Mapping[str, Any]], "Figure"]
