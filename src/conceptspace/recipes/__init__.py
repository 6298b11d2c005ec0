"""Ready experiments: a function for each, returning an `Experiment`."""

from collections.abc import Callable

from conceptspace.experiment import Experiment
from conceptspace.recipes.quick import quick

RECIPES: dict[str, Callable[[], Experiment]] = {"quick": quick}
"""Every recipe by the name that the command line knows it by."""
