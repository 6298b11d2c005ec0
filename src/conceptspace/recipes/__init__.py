"""Ready experiments: a recipe is one experiment, a family is one for each of its settings."""

from collections.abc import Callable, Iterable

from conceptspace.experiment import Experiment
from conceptspace.recipes import paper
from conceptspace.recipes.celeba import celeba
from conceptspace.recipes.digits import digits
from conceptspace.recipes.quick import quick
from conceptspace.recipes.vectors import vectors

RECIPES: dict[str, Callable[[], Experiment]] = {
    "quick": quick,
    "digits": digits,
    "six-concepts": paper.six_concepts,
    "vectors": vectors,
}
"""Every recipe by the name that the command line knows it by."""

FAMILIES: dict[str, Callable[[], tuple[Experiment, ...]]] = {
    "colour-sweep": paper.colour_sweep,
    "size-sweep": paper.size_sweep,
    "grid": paper.grid,
    "elicitation": paper.elicitation,
    "guidance": paper.guidance,
    "weight-decay": paper.weight_decay,
    "small-weights": paper.small_weights,
    "regression": paper.regression,
    "underspecification": paper.underspecification,
    "three-concepts": paper.three_concepts,
    "celeba": celeba,
}
"""Every family of the paper's; one of its experiments is called FAMILY:SETTING."""


def recipe(name: str) -> Experiment:
    """The experiment of a recipe, or of a family's setting.

    Args:
        name: such as `quick`, `colour-sweep:0.247`, or `grid:0.2,0.233`.

    Raises:
        LookupError: if there is none; the message lists the names or settings that there are.

    Example:
        >>> recipe("grid:0.2,0.233").name
        'grid-dc0.2-ds0.233'
    """
    family, colon, setting = name.partition(":")
    if not colon and name in RECIPES:
        return RECIPES[name]()
    if family in RECIPES:
        raise LookupError(f"recipe {family!r} has no settings: leave {colon + setting!r} out")
    if family not in FAMILIES:
        raise LookupError(f"there is no recipe {family!r}{_closest(family, names())}")
    experiments = settings(family)
    if setting not in experiments:
        problem = f"has no setting {setting!r}" if colon else "is a family of recipes"
        first = next(iter(experiments))
        raise LookupError(
            f"{family!r} {problem}: choose one, as in {family}:{first} "
            f"(settings: {' '.join(experiments)})"
        )
    return experiments[setting]


def settings(family: str) -> dict[str, Experiment]:
    """The experiments of a family by setting: the numbers of their names, joined with commas, or
    the words after the family's name."""
    made = {}
    for experiment in FAMILIES[family]():
        setting = experiment.name.removeprefix(f"{family}-")
        if setting[-1].isdecimal():
            setting = ",".join(label.lstrip("adcsb") for label in setting.split("-"))
        made[setting] = experiment
    return made


def num_seeds(name: str) -> int:
    """How many seeds a recipe is meant for: two for those that a CPU finishes in minutes, five for
    the published ones."""
    return 2 if name in ("quick", "digits") else paper.NUM_SEEDS


def is_known(name: str) -> bool:
    """Whether a name is that of a recipe or, up to a colon, of a family."""
    return name.partition(":")[0] in RECIPES | FAMILIES


def names() -> list[str]:
    """What can be asked for: recipes, and families with what stands for their setting."""
    return [*RECIPES, *(f"{family}:SETTING" for family in FAMILIES)]


def _closest(name: str, known: Iterable[str]) -> str:
    import difflib

    bare = {entry.partition(":")[0]: entry for entry in known}
    close = difflib.get_close_matches(name, bare, n=1)
    hint = f"; did you mean {bare[close[0]]!r}?" if close else ""
    return f"{hint} (known: {', '.join(bare.values())})"
