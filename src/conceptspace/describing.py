"""What is known of an experiment or a data set before training: `conceptspace describe`."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.readers.folder import FolderWorld
from conceptspace.data.worlds import BuiltInWorld
from conceptspace.experiment import Experiment
from conceptspace.options import DONE, DescribeOptions, UsageError
from conceptspace.progress import READING
from conceptspace.recipes import is_known, recipe
from conceptspace.terminal import showing_progress

FEWEST_JUDGED = 20
"""Images of a class that judge the probe: with fewer, one error is more than five in a hundred."""
FEWEST_TRAINED = 100
"""Images of a training class to learn from, where no experiment says how many it wants."""


def describe(options: DescribeOptions) -> int:
    """Print what there is, class by class."""
    target = Path(options.target)
    if options.table is None and target.suffix in (".yaml", ".yml"):
        space = ConceptSpace.from_yaml(target)
        _print_concepts(space)
        _print_classes(space, Split(), {})
        return DONE
    if options.table is not None:
        world = _folder(options)
        _describe(world.space, Split(), world, FEWEST_TRAINED)
        print(
            "Values are in alphabetical order, numbers by size, and the first is 0: which classes "
            "are trained depends on it. To choose another order or split, name them in Python."
        )
        return DONE
    experiment = _experiment(options.target)
    wanted = experiment.training.images_per_class
    return _describe(experiment.space, experiment.split, experiment.world, wanted)


def _folder(options: DescribeOptions) -> FolderWorld:
    from conceptspace.data.readers.table import column_names, concepts_in

    assert options.table is not None
    names = column_names(options.table)
    there = f"{options.table} has {', '.join(names)}"
    if not options.columns:
        raise UsageError(f"--columns must name the columns of --table that are concepts: {there}")
    if options.file_column not in names:
        raise UsageError(
            f"--file-column must name the column that holds each image's name, and "
            f"{options.file_column!r} is none: {there}"
        )
    try:
        concepts = concepts_in(options.table, options.columns)
    except ValueError as error:
        raise UsageError(f"--columns: {error}") from error
    return FolderWorld(
        path=options.target,
        table=str(options.table),
        concepts=concepts,
        file_column=options.file_column,
        image_size=options.image_size,
    )


def _experiment(target: str) -> Experiment:
    path = Path(target)
    if is_known(target):
        try:
            return recipe(target)
        except LookupError as error:
            raise UsageError(str(error)) from error
    file = path / "experiment.json" if path.is_dir() else path
    if not file.is_file():
        hint = "; of a folder of images give --table and --columns" if path.is_dir() else ""
        raise UsageError(
            f"there is no recipe {target!r} and no {file}: give a recipe, an experiment.json, a "
            f"run, or a .yaml file{hint}"
        )
    try:
        return Experiment.from_json(file.read_bytes())
    except SettingsError as error:
        raise UsageError(f"{file}: {error}") from error


def _describe(space: ConceptSpace, split: Split, world: BuiltInWorld, wanted: int) -> int:
    from conceptspace.data.signal import concept_signal

    if not isinstance(world, LabelledWorld):
        found = concept_signal(world, space)
        _print_concepts(space, {name: signal.finite for name, signal in found.items()})
        _print_classes(space, split, {})
        print(f"Images are drawn: {wanted} of each training class.")
        return DONE
    with showing_progress() as progress:
        world.loaded(lambda done, of: progress.advance(READING, done, of))
    found = concept_signal(world, space)
    _print_concepts(space, {name: signal.finite for name, signal in found.items()})
    counts = {
        name: (len(world.rows(name)), len(world.rows(name, judged=True))) for name in space.classes
    }
    _print_classes(space, split, counts)
    _print_rare(space, split, counts, wanted)
    return DONE


def _print_concepts(space: ConceptSpace, signal: dict[str, float | None] | None = None) -> None:
    table = Table(title="Concepts")
    for column in ("concept", "values"):
        table.add_column(column)
    if signal:
        table.add_column("signal, between class means", justify="right")
    for concept in space.concepts:
        words = ", ".join(f"{i} {concept.label(i)}" for i in range(concept.num_values))
        shown = []
        if signal:
            value = signal[concept.name]
            shown = ["-" if value is None else f"{value:.3f}"]
        table.add_row(concept.name, words, *shown)
    Console().print(table)


def _print_classes(space: ConceptSpace, split: Split, counts: dict[str, tuple[int, int]]) -> None:
    training = split.training(space)
    table = Table(title="Classes")
    for column in ("class", "in words", "split"):
        table.add_column(column)
    for column in ("images", "to learn from", "judge the probe") if counts else ():
        table.add_column(column, justify="right")
    for name in space.classes:
        own = counts.get(name)
        numbers = () if own is None else (sum(own), *own)
        role = "training" if name in training else "held out"
        table.add_row(name, space.describe(name), role, *map(str, numbers))
    Console().print(table)


def _print_rare(
    space: ConceptSpace, split: Split, counts: dict[str, tuple[int, int]], wanted: int
) -> None:
    training = split.training(space)
    rare = []
    for name, (learn, judge) in counts.items():
        called = f"{name} ({space.describe(name)})"
        if name in training and learn < wanted:
            rare.append(f"{called}: {learn} to train on, fewer than {wanted}")
        if judge < FEWEST_JUDGED:
            rare.append(f"{called}: {judge} to judge the probe, fewer than {FEWEST_JUDGED}")
    print("Too rare to use as it is:" if rare else "No class is too rare to use.")
    for line in rare:
        print(f"  {line}")
    most = min(counts[name][0] for name in training)
    print(f"training.images_per_class can be {most} at most.")
