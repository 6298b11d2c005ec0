"""Recipes from their settings to their claims, cut down to a few steps."""

import pytest

from conceptspace.derived import derive
from conceptspace.folder import open_run
from conceptspace.models.settings import DDPMSettings, FlowMatchingSettings
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.recipes import FAMILIES, RECIPES, recipe, settings
from conceptspace.worker import run_seeds
from recipes.reduced import narrow, reduced

UNITS = {
    "diffusion": "bits per dimension",
    "regression": "squared error per pixel",
    "ddpm": "squared error of the noise",
    "flow-matching": "squared error of the velocity",
}
SYNTHETIC = [family for family in FAMILIES if family != "celeba"]  # faces: see test_celeba.py
FIRST = [f"{family}:{next(iter(settings(family)))}" for family in SYNTHETIC]


def run_all_the_way(experiment, folder):
    """Run a seed in this process; the claims' verdicts."""
    open_run(folder, experiment)
    ensure_probe(folder, experiment, Silent())
    run_seeds(experiment, folder, [0])
    made = derive(folder)
    assert (folder / "report.html").exists()
    assert not made["notes"]
    assert UNITS[experiment.diffusion.kind] in (folder / "report.html").read_text()
    return {claim["verdict"] for claim in made["claims"]}


@pytest.mark.parametrize("name", ["guidance:0.1", "regression:0.1"])
def test_what_is_measured_with_a_narrow_network_comes_to_claims(name, tmp_path):
    """The two models that no other test takes all the way; two steps prove nothing about them."""
    assert run_all_the_way(narrow(recipe(name)), tmp_path / "run") == {"inconclusive"}


@pytest.mark.parametrize(
    "objective", [DDPMSettings(sampling_steps=2), FlowMatchingSettings(sampling_steps=2)]
)
def test_an_objective_without_a_recipe_comes_to_claims(objective, tmp_path):
    experiment = narrow(recipe("colour-sweep:0.1")).replace(diffusion=objective)
    assert run_all_the_way(experiment, tmp_path / "run") == {"inconclusive"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*FIRST, *RECIPES])
def test_every_family_runs_at_its_own_width(name, tmp_path):
    run_all_the_way(reduced(recipe(name)), tmp_path / "run")
