"""How recipes are asked for."""

import re
from pathlib import Path

import pytest

from conceptspace import options
from conceptspace.cli import main
from conceptspace.recipes import FAMILIES, RECIPES, num_seeds, recipe, settings


def test_a_recipe_is_asked_for_by_its_name():
    assert recipe("quick") == RECIPES["quick"]()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_setting_is_asked_for_by_its_numbers(family):
    every = settings(family)
    assert all(experiment.name.startswith(f"{family}-") for experiment in every.values())
    for setting in (min(every), max(every)):
        assert recipe(f"{family}:{setting}") == every[setting]


def test_every_recipe_and_family_is_in_the_documentation_under_a_name_that_is_understood():
    table = (Path(__file__).parents[2] / "docs/recipes.md").read_text()
    named = re.findall(r"^\| `([^`]+)` \|", table, flags=re.MULTILINE)
    assert [name.partition(":")[0] for name in named if ":" in name] == list(FAMILIES)
    assert {name for name in named if ":" not in name} == set(RECIPES)
    for name in named:
        experiment = recipe(name)
        (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}`")]
        assert f"| {experiment.training.steps:,} |".replace(",", " ") in row


REFUSED = {
    "quik": "there is no recipe 'quik'; did you mean 'quick'",
    "gird:1": "did you mean 'grid:SETTING'",
    "grid": r"'grid' is a family of recipes: choose one, as in grid:0.2,0.2 \(settings: 0.2,0.2 ",
    "grid:": "'grid' has no setting ''",
    "grid:9": "'grid' has no setting '9'",
    "quick:1": "recipe 'quick' has no settings: leave ':1' out",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_there_is_not_is_refused(name):
    with pytest.raises(LookupError, match=REFUSED[name]):
        recipe(name)


@pytest.mark.parametrize("name", [*RECIPES, *(f"{f}:{next(iter(settings(f)))}" for f in FAMILIES)])
def test_the_published_experiments_run_with_five_seeds_unless_told_otherwise(name, monkeypatch):
    asked = []
    monkeypatch.setattr("conceptspace.commands.run", lambda given: asked.append(given) or 0)
    assert main(["run", name]) == 0
    assert asked[0].seeds == num_seeds(name) == (2 if name in ("quick", "digits") else 5)
    assert asked[0].experiment == recipe(name)


def test_the_first_steps_of_a_recipe_are_a_run_of_their_own(monkeypatch):
    asked = []

    def run(experiment, folder, **_):
        asked.append((experiment, folder))
        raise KeyboardInterrupt

    monkeypatch.setattr("conceptspace.runner.run", run)
    assert main(["run", "colour-sweep:0.8", "--only-steps", "600"]) == options.STOPPED
    ((experiment, folder),) = asked
    assert experiment.name == folder.name == "colour-sweep-dc0.8-600-steps"
    assert experiment.training.steps == 600
    assert experiment.steps == (0, 500, 594, 600)
