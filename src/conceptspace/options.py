"""The options of each command, and the exit statuses. The parser is made from these types."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg, subcommand

from conceptspace.experiment import Experiment
from conceptspace.models.execution import Device, Precision

DONE, FAILED, BAD_USAGE, CLAIM_FAILED, STOPPED = 0, 1, 2, 3, 130


class UsageError(Exception):
    """The command line asks for something that cannot be; nothing was done."""


@dataclass
class RunOptions:
    """Run an experiment, or what is left of it, and write its report."""

    experiment: Annotated[Experiment, arg(name="")]
    """Settings of the recipe; each can be changed."""
    out: Path | None = None
    """Run directory; runs/NAME by default. A run that is there continues."""
    seeds: int = 2
    """How many seeds; each is a process of its own. Claims about seeds need five."""
    workers: int | None = None
    """Processes at once; as many as there are cores by default."""
    device: Device | None = None
    """Where to compute: cpu or cuda. By default a GPU where there is one."""
    precision: Precision | None = None
    """Of convolutions. By default float32 for small models; for larger ones a short measurement
    chooses. A run that is there keeps its own."""
    threads: int | None = None
    """Of each process. By default one for small models, else an equal share of the cores."""
    only_steps: int | None = None
    """Run the recipe's first steps only, with the last of them measured, as a run of its own."""
    dry_run: bool = False
    """Say what would be done and about how long it takes, and do nothing."""
    strict: bool = False
    """End with status 3 if a claim does not hold or is inconclusive."""


@dataclass
class DataOptions:
    """Where labelled images are, for each experiment of a list whose world reads some."""

    path: Path | None = None
    """The data set on disk, as for `run`; by default each experiment's own."""
    cache: Path | None = None
    """Folder for images that are brought to size, of worlds that keep them."""


@dataclass
class SweepOptions:
    """Run a family of recipes, or a list of experiments, as one job that can be continued."""

    experiments: Annotated[Positional[str], arg(name="family", metavar="FAMILY")]
    """A family of recipes, a JSON file that lists experiments, or the folder of a sweep."""
    world: DataOptions = field(default_factory=DataOptions)
    out: Path | None = None
    """The sweep's folder; sweeps/FAMILY by default. A sweep that is there continues."""
    seeds: int | None = None
    """How many seeds of each experiment; five for the families."""
    only_steps: int | None = None
    """Run the first steps of each experiment only, with the last of them measured."""
    workers: int | None = None
    """Processes at once; as many as there are cores by default. A GPU takes one at a time."""
    executor: Literal["local", "ray"] = "local"
    """Where: in processes of this machine, or on a Ray cluster that shares the sweep's folder."""
    address: str | None = None
    """Of the Ray cluster, such as auto or HOST:6379; by default one is found or started."""
    device: Device | None = None
    """Where to compute: cpu or cuda. By default a GPU where there is one."""
    precision: Precision | None = None
    """Of convolutions, as for `run`; chosen once for all experiments that compute alike."""
    threads: int | None = None
    """Of each process, as for `run`."""
    dry_run: bool = False
    """Say what would be done and about how long it takes, and do nothing."""


@dataclass
class ReproduceOptions:
    """Do an experiment of the paper: its runs, its figure, and its claims with verdicts."""

    study: Annotated[Positional[str], arg(metavar="NAME")]
    """Which one, such as learning-speed; a name that is unknown is answered with all of them."""
    scale: Literal["quick", "paper"] = "quick"
    """Sizes for two CPU cores, or the published ones, which want a GPU."""
    out: Path | None = None
    """Folder of all studies of a scale; reproduce/SCALE by default. What is there continues."""
    seeds: int | None = None
    """How many seeds of each run; the study's own number by default. Claims need five."""
    workers: int | None = None
    """Processes at once; as many as there are cores by default. A GPU takes one at a time."""
    executor: Literal["local", "ray"] = "local"
    """Where: in processes of this machine, or on a Ray cluster that shares the folder."""
    address: str | None = None
    """Of the Ray cluster, such as auto or HOST:6379; by default one is found or started."""
    device: Device | None = None
    """Where to compute: cpu or cuda. By default a GPU where there is one."""
    dry_run: bool = False
    """Say what would be done and about how long it takes, and do nothing."""
    strict: bool = False
    """End with status 3 if a claim does not hold or is inconclusive."""


@dataclass
class StatusOptions:
    """Show how far a run or a sweep is: what is done, failed, running or waiting, and time left."""

    folder: Positional[Path]
    """Directory of a run or of a sweep."""


@dataclass
class ReportOptions:
    """Make what is derived from a run, or the report across a sweep, again, without a model."""

    run: Positional[Path]
    """Run directory, or the folder of a sweep or of all studies of a scale."""
    strict: bool = False
    """End with status 3 if a claim does not hold or is inconclusive."""


@dataclass
class SampleOptions:
    """Draw images from any checkpoint, any class, under any method, into a PNG."""

    run: Positional[Path]
    """Run directory."""
    step: int | None = None
    """Checkpoint; the last by default."""
    concept_class: Annotated[str | None, arg(name="class")] = None
    """Concept class, such as 11; the first held-out class by default."""
    method: str = "naive"
    """naive, or the name of one of the run's elicitation methods."""
    strength: float | None = None
    """Strength of the method; the largest that the run tried by default."""
    seed: int = 0
    """Training seed whose model is used."""
    num: int = 16
    """Number of images."""
    random_seed: int = 0
    """Of the noise that the images grow from."""
    out: Path = Path("samples.png")
    """File to write."""


@dataclass
class SignalOptions:
    """Measure the concept signal of an experiment's world: which axis should be learned first."""

    experiment: Annotated[Experiment, arg(name="")]
    """Settings; the space and the world count."""
    out: Path = Path("signal.png")
    """Picture to write."""


@dataclass
class AnalyseOptions:
    """Measure the checkpoints of a model that was trained elsewhere, and write the report."""

    checkpoints: Positional[Path]
    """The folder that holds the checkpoints."""
    adapter: str
    """A dictionary of arguments for `cs.analyse` (space, load, sample or adapt, probe, ...), or a
    function that returns one, as in my_module:adapter. The module is imported: its code runs."""
    out: Path | None = None
    """Run directory; runs/NAME by default, after the folder. What is measured there is kept."""
    pattern: str | None = None
    """Of the checkpoints' names, {step} where the step stands, such as 'step={step}.safetensors'.
    By default the last number of a name is its step."""
    first: int | None = None
    """Measure only so many at first, spread over training; all by default."""
    look_again: int = 0
    """Then so many more where the held-out classes turn or move most. It needs --first too."""
    seed: int | None = None
    """The seed of the training, where the run directory is to hold several."""
    strict: bool = False
    """End with status 3 if a claim does not hold or is inconclusive."""


@dataclass
class SitesOptions:
    """List the submodules of your model at which its condition could be steered."""

    trial: Positional[str]
    """A function, as in my_module:trial, that returns (model, sample, conditions)."""
    every: bool = False
    """List every submodule, and what its output depends on."""


@dataclass
class DescribeOptions:
    """Show concepts, classes, counts, split and signal, and which classes are too rare to use."""

    target: Positional[str]
    """A recipe, an experiment.json, a run, a space in a .yaml file, or a folder of images."""
    table: Path | None = None
    """CSV or Parquet table of a folder of images: a row an image."""
    columns: tuple[str, ...] = ()
    """Columns of the table that are concepts."""
    file_column: str = "file"
    """Column with each image's name."""
    image_size: int = 32
    """Height and width that images are brought to for their signal."""


@dataclass
class BenchmarkOptions:
    """Time training and sampling at the paper's size, beside the code published with it."""

    official: Path | None = None
    """Checkout of the paper's code; nothing of it is part of this package."""
    json: Path | None = None
    """File to write the table into."""
    rounds: int = 3
    """Turns of each contender; ratios are medians over the turns."""
    threads: int | None = None
    """On the CPU; as many as there are cores by default."""
    members: tuple[int, ...] = ()
    """Numbers of models to train side by side in one process; 1 2 4 8 16 on a GPU by default."""


@dataclass
class SimOptions:
    """Structured identity mapping: whether the loss at the probe swings by, and what comes when."""

    mu: tuple[float, ...] = (1.0, 2.0)
    """Distance of each concept's cluster from the origin."""
    sigma: tuple[float, ...] = (0.05,)
    """Standard deviation of the clusters along each axis; one number counts for all."""
    dimension: int | None = None
    """Dimension of the data; as many as there are concepts by default, 64 for networks."""
    diagonal: float = 0.01
    """W(0) on its diagonal."""
    off_diagonal: float = 0.01
    """W(0) beside it; 0 for a diagonal start."""
    nudge: float = 1e-6
    """Added to the diagonal. 0 leaves a start of rank one, which learns one concept, to itself."""
    duration: float | None = None
    """Time that is simulated; by default a little more than learning is expected to take."""
    threshold: float = 0.9
    """Share of its mean from which on a concept counts as learned."""
    tolerance: float = 0.01
    """Least fall or rise that counts for swing-by, as a share of the first loss."""
    networks: int = 0
    """Networks to train on the task besides, one a seed, by stochastic gradient descent."""
    out: Path = Path("sim.png")
    """Picture to write."""


@dataclass
class LandscapeOptions:
    """The landscape model, fitted to the classes of a run or simulated from concept signals."""

    run: Path | None = None
    """Run directory whose trajectories are fitted; without it the model is simulated."""
    concept_class: Annotated[str | None, arg(name="class")] = None
    """Held-out class of the run; the first by default."""
    signal: tuple[float, ...] = (1.0, 2.0)
    """Concept signals, for a simulation of the class that has every concept at 1."""
    rate: float = 1.0
    """Rate of learning at signal 1; it is proportional to the signal."""
    shift: float | None = None
    """Time at which the target shifts; by default when the weakest concept is nearly learned."""
    width: float = 0.3
    """Of the shift in time."""
    duration: float | None = None
    """Time that is simulated; by default until everything is learned."""
    threshold: float = 0.8
    """A coordinate counts as learned once it stays within 1 - threshold of its goal."""
    out: Path = Path("landscape.png")
    """Picture to write."""


@dataclass
class PredictionOptions:
    """Learning times from the signal alone, fitted on half of the settings, scored on the rest."""

    table: Positional[Path]
    """CSV with the columns setting, concept, seed, signal, time, end; an empty time means never."""
    confidence: float = 0.95
    """Of the predicted intervals."""
    random_seed: int = 0
    """Chooses the half that is fitted."""
    out: Path = Path("prediction.png")
    """Picture to write."""


@dataclass
class TheoryOptions:
    """Ask the equations: identity mapping, the landscape model, times from the signal alone."""

    model: Annotated[
        Annotated[SimOptions, subcommand("sim", prefix_name=False)]
        | Annotated[LandscapeOptions, subcommand("landscape", prefix_name=False)]
        | Annotated[PredictionOptions, subcommand("prediction", prefix_name=False)],
        arg(name=""),
    ]
    """Which equations."""


@dataclass
class DoctorOptions:
    """Check the installation and the machine, and say what will be fast or slow."""
