"""The published numbers, written down a second time."""

import numpy as np
import pytest
import torch

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.mixing import MaskedMixing
from conceptspace.elicitation.directions import over_prompt_direction
from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.models.settings import DiffusionSettings, RegressionSettings, UNetSettings
from conceptspace.recipes import FAMILIES, RECIPES, paper, recipe, settings
from conceptspace.training.settings import TrainingSettings

NUM_SETTINGS = {
    "colour-sweep": 20,
    "size-sweep": 20,
    "grid": 49,
    "elicitation": 6,
    "guidance": 9,
    "weight-decay": 20,
    "small-weights": 20,
    "regression": 20,
    "underspecification": 5,
    "three-concepts": 9,
    "celeba": 3,
}
EVERY = [made for family in FAMILIES if family != "celeba" for made in FAMILIES[family]()]
EVERY.append(paper.six_concepts())


def separations(experiment: Experiment) -> dict[str, float]:
    """How far apart the values of each concept are, in its widest component."""
    return {
        concept.name: round(float(np.ptp(np.asarray(concept.values), axis=0).max()), 6)
        for concept in experiment.space.concepts
    }


def spaces(family: str) -> list[tuple[float, ...]]:
    return [tuple(separations(experiment).values()) for experiment in FAMILIES[family]()]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_as_many_settings_as_were_published(family):
    assert len(settings(family)) == len(FAMILIES[family]()) == NUM_SETTINGS[family]


def test_no_two_experiments_share_a_name_and_with_it_a_folder():
    names = [experiment.name for experiment in EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("experiment", EVERY, ids=lambda experiment: experiment.name)
def test_what_all_with_a_synthetic_world_have_in_common(experiment):
    assert experiment.scale == "paper"
    assert experiment.world.image_size == 32
    assert experiment.world.rasterisation == "published"
    assert experiment.world.noise == 0.001
    factors = ("shape", "x", "y", "colour", "size", "background")
    assert experiment.conditioning.factors == factors
    assert experiment.prompter.width == 11
    assert experiment.training.average_decay is None
    assert experiment.training.clip_norm == 0.01
    assert experiment.training.batch_size == 64
    assert experiment.training.learning_rate == 1e-3
    assert experiment.split.maximum_distance == 1
    assert Experiment.from_json(experiment.to_json()) == experiment


def test_the_defaults_of_the_model_are_the_papers():
    assert UNetSettings().widths == (64, 128, 256)
    assert (UNetSettings().num_blocks, UNetSettings().num_heads) == (2, 4)
    assert (UNetSettings().dropout, UNetSettings().initial_scale) == (0.1, 1.0)
    assert (DiffusionSettings().gamma_start, DiffusionSettings().gamma_end) == (-5.0, 10.0)
    assert DiffusionSettings().sampling_steps == 50
    assert TrainingSettings().steps == 20_000
    assert TrainingSettings().images_per_class == 2048
    assert TrainingSettings().training_share == 0.85
    assert TrainingSettings().weight_decay == 0.01
    assert paper.NUM_SEEDS == 5


@pytest.mark.parametrize("family", ["colour-sweep", "weight-decay", "small-weights", "regression"])
def test_colours_are_swept_from_a_tenth_to_four_fifths(family):
    expected = [(round(float(d), 3), 0.4) for d in np.linspace(0.1, 0.8, 20)]
    assert spaces(family) == expected


def test_the_one_published_file_is_the_second_setting_of_the_colour_sweep():
    experiment = recipe("colour-sweep:0.137")
    colours = experiment.space.concept("colour")
    assert colours.values == ((0.5685, 0.4315, 0.4315), (0.4315, 0.4315, 0.5685))
    assert colours.spread.half_width == pytest.approx(0.585625 - 0.5685)
    sizes = experiment.space.concept("size")
    assert np.ravel(sizes.values).tolist() == pytest.approx([0.65, 0.25])
    assert sizes.spread.half_width == pytest.approx(0.15)
    assert experiment.steps[1] == 500
    assert len(experiment.steps) == 61


def test_sizes_are_swept_from_two_tenths_to_four():
    expected = [(0.4, round(float(d), 3)) for d in np.linspace(0.2, 0.4, 20)]
    assert spaces("size-sweep") == expected


def test_the_grid_has_every_pair():
    colours = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    sizes = (0.2, 0.233, 0.266, 0.3, 0.333, 0.366, 0.4)
    assert set(spaces("grid")) == {(c, s) for c in colours for s in sizes}


def test_the_checkpoints_of_the_elicitation_are_the_published_ones():
    for experiment in FAMILIES["elicitation"]():
        steps = experiment.steps
        assert experiment.training.steps == 15_000
        assert (steps[1], steps[10], steps[11], steps[-1]) == (50, 2400, 2500, 15_000)
        # Printed in the published analysis: its 8th and 21st checkpoint.
        assert (steps[8], steps[21]) == (1574, 2877)
        assert len(steps) == 1 + 210


def test_the_over_prompting_at_a_separation_of_a_fifth_gives_the_published_colours():
    experiment = recipe("elicitation:0.2")
    method = next(m for m in experiment.elicitation if isinstance(m, OverPrompt))
    prompter = experiment.prompter
    direction = over_prompt_direction(prompter, "11", "colour", method.away_from)
    mean = torch.from_numpy(prompter.class_mean("11"))[0]
    colours = [
        (mean + strength * direction)[prompter.slice_of("colour")].tolist()
        for strength in method.strengths
    ]
    published = [(0.4, 0.4, 0.6), (0.35, 0.35, 0.65), (0.25, 0.25, 0.75), (0.15, 0.15, 0.85)]
    torch.testing.assert_close(
        torch.tensor(colours), torch.tensor([*published, (0.05, 0.05, 0.95)])
    )


def test_over_prompts_stay_colours_at_every_separation():
    for experiment in FAMILIES["elicitation"]():
        method = next(m for m in experiment.elicitation if isinstance(m, OverPrompt))
        blue = np.asarray(experiment.space.concept("colour").mean(1))
        assert 0.0 <= blue[0] - method.strengths[-1] < blue[2] + method.strengths[-1] <= 1.0


def test_steering_goes_up_to_four():
    for experiment in FAMILIES["elicitation"]():
        method = next(m for m in experiment.elicitation if isinstance(m, LatentSteering))
        assert method.strengths == (0.5, 1.0, 2.0, 3.0, 4.0)


def test_the_settings_of_guidance():
    colours = (0.1, 0.137, 0.174, 0.247, 0.321, 0.432, 0.579, 0.726, 0.8)
    assert spaces("guidance") == [(colour, 0.4) for colour in colours]
    for experiment in FAMILIES["guidance"]():
        assert experiment.training.steps == 60_000
        assert experiment.training.condition_dropout == 0.1
        # Printed in the published analysis: the 34th of 120 checkpoints.
        assert (experiment.steps[1], experiment.steps[34]) == (50, 5334)
        assert len(experiment.steps) == 121
        weights = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
        assert experiment.elicitation == (Guidance(weights=weights),)


def test_the_three_ways_to_be_robust():
    for decayed, small, regressed, plain in zip(
        paper.weight_decay(), paper.small_weights(), paper.regression(), paper.colour_sweep()
    ):
        name = {"name": plain.name}
        assert decayed.training == TrainingSettings(weight_decay=0.05)
        assert decayed.replace(training=plain.training, **name) == plain
        assert small.model == UNetSettings(initial_scale=0.1)
        assert small.replace(model=plain.model, **name) == plain
        assert regressed.diffusion == RegressionSettings()
        assert regressed.replace(diffusion=plain.diffusion, **name) == plain


def test_underspecified_prompts_hide_the_colour_of_a_share_of_the_red_triangles():
    for share, experiment in zip((0.0, 0.25, 0.5, 0.75, 1.0), FAMILIES["underspecification"]()):
        space, mixing = experiment.space, experiment.conditioning.mixing
        assert recipe(f"underspecification:{share:g}") == experiment
        assert space.names == ("colour", "shape")
        assert separations(experiment)["colour"] == 0.6
        assert isinstance(mixing, MaskedMixing)
        assert (mixing.concept, mixing.share, mixing.fill) == ("colour", share, 0.0)
        assert space.describe(mixing.concept_class) == "red triangle"
        assert experiment.split.held_out(space) == ("11",)
        assert space.describe("11") == "blue triangle"
        assert experiment.training.steps == 20_000
        assert (experiment.steps[1], len(experiment.steps)) == (500, 61)


def test_the_settings_of_three_concepts():
    expected = {(c, 0.35, b) for c in (0.2, 0.4, 0.6) for b in (0.1, 0.2, 0.3)}
    assert set(spaces("three-concepts")) == expected
    for experiment in FAMILIES["three-concepts"]():
        assert experiment.space.names == ("colour", "size", "background")
        assert experiment.training.steps == 40_000
        assert experiment.steps[1] == 50
        assert len(experiment.steps) == 121


def test_the_settings_of_six_concepts():
    experiment = RECIPES["six-concepts"]()
    apart = separations(experiment)
    assert tuple(apart) == ("shape", "x", "y", "colour", "size", "background")
    assert (apart["colour"], apart["size"], apart["background"]) == (0.6, 0.35, 0.3)
    assert len(experiment.space.classes) == 64
    assert len(experiment.split.training(experiment.space)) == 7
    assert experiment.training.images_per_class == 4096
    assert experiment.training.steps == 1_000_000
    assert experiment.model == UNetSettings(widths=(64, 128, 128), initial_scale=0.5)
    assert experiment.steps[1] == 50
    assert len(experiment.steps) == 201


def test_only_the_recipes_about_elicitation_elicit():
    eliciting = {experiment.name.split("-dc")[0] for experiment in EVERY if experiment.elicitation}
    assert eliciting == {"elicitation", "guidance"}


def test_the_spaces_of_two_concepts_hold_out_blue_and_small():
    experiment = recipe("grid:0.2,0.2")
    assert isinstance(experiment.space, ConceptSpace)
    assert experiment.split.held_out(experiment.space) == ("11",)
    assert experiment.space.describe("11") == "blue small"
