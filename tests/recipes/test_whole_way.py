"""Recipes from their settings to their claims, cut down to a few steps."""

import pytest

from conceptspace.derived import derive
from conceptspace.folder import open_run
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.recipes import FAMILIES, RECIPES, recipe, settings
from conceptspace.worker import run_seeds
from recipes.reduced import narrow, reduced

FIRST = [f"{family}:{next(iter(settings(family)))}" for family in FAMILIES]


def run_all_the_way(experiment, folder):
    """Run a seed in this process; the claims' verdicts."""
    open_run(folder, experiment)
    ensure_probe(folder, experiment, Silent())
    run_seeds(experiment, folder, [0])
    made = derive(folder)
    assert (folder / "report.html").exists()
    assert not made["notes"]
    unit = "squared error per pixel" if "regression" in experiment.name else "bits per dimension"
    assert unit in (folder / "report.html").read_text()
    return {claim["verdict"] for claim in made["claims"]}


@pytest.mark.parametrize("name", ["guidance:0.1", "regression:0.1"])
def test_what_is_measured_with_a_narrow_network_comes_to_claims(name, tmp_path):
    """The two models that no other test takes all the way; two steps prove nothing about them."""
    assert run_all_the_way(narrow(recipe(name)), tmp_path / "run") == {"inconclusive"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FIRST, *RECIPES])
def test_every_family_runs_at_its_own_width(name, tmp_path):
    run_all_the_way(reduced(recipe(name)), tmp_path / "run")
