import json

import pytest

from conceptspace.concepts.concept import Concept, Uniform
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.factors import colour, size
from conceptspace.data.mixing import Conditioning, MaskedMixing
from conceptspace.data.readers.digits import DigitsWorld
from conceptspace.data.vectors import OneHotAxis, PointAxis, VectorWorld
from conceptspace.data.world import SyntheticWorld
from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt
from conceptspace.experiment import Experiment, shortened
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import (
    DDPMSettings,
    DiffusionSettings,
    FlowMatchingSettings,
    MLPSettings,
    RegressionSettings,
    UNetSettings,
)
from conceptspace.probes.settings import (
    EnsembleProbeSettings,
    InversionSettings,
    PointProbeSettings,
    ProbeSettings,
)
from conceptspace.recipes import RECIPES
from conceptspace.training.settings import TrainingSettings

SPACE = ConceptSpace(concepts=(colour(0.4), size(0.4)))

AXES = (OneHotAxis(name="a", points=(0.4, 0.4)), PointAxis(name="b", points=(0.2, 0.8)))
VECTORS = {
    "space": ConceptSpace(concepts=tuple(axis.concept() for axis in AXES)),
    "world": VectorWorld(axes=AXES),
    "model": MLPSettings(width=8),
    "probe": PointProbeSettings(),
}
DIGITS = {"space": DigitsWorld().space, "world": DigitsWorld()}
OTHER_VALUES = Concept(name="b", factor="b", values=((0.2,), (0.7,)))
SPREAD = AXES[1].concept().replace(spread=Uniform(half_width=0.1))


def space_of(name, factor):
    return ConceptSpace(concepts=(Concept(name=name, factor=factor, values=((0,), (1,))),))


def experiment(**fields):
    return Experiment(**({"name": "test", "space": SPACE} | fields))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_survives_json(recipe):
    made = RECIPES[recipe]()
    assert Experiment.from_json(made.to_json()) == made


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_is_known_by_its_own_name(recipe):
    assert RECIPES[recipe]().name == recipe


def test_an_experiment_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        experiment().name = "other"


def test_a_copy_with_changes_is_checked_again():
    with pytest.raises(SettingsError, match=r"training"):
        experiment().replace(training=5)


REFUSED = {
    "a factor the world lacks": (
        {"space": space_of("mood", "mood")},
        "concept 'mood' drives factor 'mood', which this world does not have; it has shape, x, y",
    ),
    "a concept of the wrong width": (
        {"space": space_of("c", "colour")},
        "concept 'c' has values of 1 numbers, but factor 'colour' takes 3",
    ),
    "a class that is not there": (
        {"split": Split(training_classes=("00", "99"))},
        "concept class '99' is not in this space; it has 00, 01, 10, 11",
    ),
    "a conditioning without a concept": (
        {"conditioning": Conditioning(factors=("colour",))},
        "'size' is missing",
    ),
    "a method for an unknown concept": (
        {"elicitation": (LatentSteering(concept="mood", strengths=(1.0,)),)},
        "concept 'mood' is not in this space; it has colour, size",
    ),
    "a mask of an unknown concept": (
        {
            "conditioning": Conditioning(
                mixing=MaskedMixing(concept="mood", concept_class="01", share=0.5)
            )
        },
        "mood",
    ),
    "a first checkpoint after the end": (
        {"training": TrainingSettings(steps=50), "measurement": MeasurementSettings()},
        "first_checkpoint=100 lies beyond the last training step 50",
    ),
    "a checkpoint after the end": (
        {
            "training": TrainingSettings(steps=50),
            "measurement": MeasurementSettings(checkpoints=(10, 60)),
        },
        "checkpoints: 60 lies beyond the last training step 50: leave it out or train longer",
    ),
    "guidance of a model that always sees its condition": (
        {"elicitation": (Guidance(weights=(1.0, 2.0)),)},
        "elicitation.0: guidance needs a model that also learns without its condition: set "
        "training.condition_dropout",
    ),
    "guidance of a regression": (
        {
            "elicitation": (Guidance(weights=(1.0, 2.0)),),
            "diffusion": RegressionSettings(),
            "training": TrainingSettings(condition_dropout=0.1),
        },
        "elicitation.0: guidance needs a diffusion model, not regression",
    ),
    "an image that cannot be halved": (
        {"world": SyntheticWorld(image_size=18), "model": UNetSettings(widths=(16, 16, 16))},
        "world.image_size=18 must be a multiple of 4",
    ),
    "a network for images in a world of vectors": (
        VECTORS | {"model": UNetSettings()},
        "model: a VectorWorld needs MLPSettings, not UNetSettings; give model=MLPSettings(...)",
    ),
    "a network for vectors in a world of images": (
        {"model": MLPSettings()},
        "model: a SyntheticWorld needs UNetSettings, not MLPSettings",
    ),
    "a probe for images in a world of vectors": (
        VECTORS | {"probe": ProbeSettings()},
        "probe: a VectorWorld needs PointProbeSettings, not ProbeSettings",
    ),
    "a probe for vectors in a world of images": (
        {"probe": PointProbeSettings()},
        "probe: a SyntheticWorld needs ProbeSettings, not PointProbeSettings",
    ),
    "an inversion of vectors": (
        VECTORS | {"inversion": InversionSettings(tolerance=0.1)},
        "inversion: vectors are not inverted; leave it out",
    ),
    "a concept of images in a world of vectors": (
        VECTORS | {"space": SPACE},
        "concept 'colour' drives factor 'colour', which this world does not have; it has a, b",
    ),
    "an axis without a concept": (
        VECTORS | {"space": ConceptSpace(concepts=(AXES[0].concept(),))},
        "world.axes: no concept drives axis 'b'; leave it out, or add its `concept()` to the space",
    ),
    "a concept with other values than its axis": (
        VECTORS | {"space": ConceptSpace(concepts=(AXES[0].concept(), OTHER_VALUES))},
        "space.concepts: concept 'b' must have the values ((0.2,), (0.8,)) of its axis",
    ),
    "a concept with a spread in a world of vectors": (
        VECTORS | {"space": ConceptSpace(concepts=(AXES[0].concept(), SPREAD))},
        "space.concepts: concept 'b' must have the values ((0.2,), (0.8,)) of its axis and no",
    ),
    "an inversion of labelled images": (
        DIGITS | {"inversion": InversionSettings(tolerance=0.1)},
        "inversion: labelled images have no G that could be inverted; leave it out",
    ),
    "a space that is not that of the labelled images": (
        DIGITS | {"space": SPACE},
        "space: the data have the concepts colour (red, blue), digit (zero, one), each value a",
    ),
    "an MLP for labelled images": (
        DIGITS | {"model": MLPSettings(width=8)},
        "model: a DigitsWorld needs UNetSettings, not MLPSettings",
    ),
    "a push from a point of the wrong width": (
        {"elicitation": (OverPrompt(concept="colour", strengths=(1.0,), away_from=(0.5,)),)},
        "away_from must have 3 numbers for concept 'colour'",
    ),
    "a name that is no folder": ({"name": "../x"}, "Experiment.name"),
    "a version of another time": ({"schema_version": 2}, "schema_version"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_together_is_refused(case):
    fields, message = REFUSED[case]
    with pytest.raises(SettingsError) as refused:
        experiment(**fields)
    assert message in str(refused.value)


def test_checkpoints_are_evenly_spaced_in_the_root_of_the_step():
    import numpy as np

    steps = MeasurementSettings(num_checkpoints=60, first_checkpoint=100).steps(20_000)
    assert steps[:2] == (0, 100)
    assert steps[-1] == 20_000
    gaps = np.diff(np.sqrt(steps[1:]))
    assert gaps.max() - gaps.min() < 0.1


def test_checkpoints_that_round_to_the_same_step_are_measured_once():
    steps = MeasurementSettings(num_checkpoints=50, first_checkpoint=1).steps(20)
    assert len(set(steps)) == len(steps)
    assert steps[-1] == 20


def test_named_checkpoints_replace_the_even_spacing_and_the_last_step_is_always_measured():
    settings = MeasurementSettings(checkpoints=(3, 7, 20))
    assert settings.steps(20) == (0, 3, 7, 20)
    assert settings.steps(30) == (0, 3, 7, 20, 30)


@pytest.mark.parametrize("checkpoints", [(0, 5), (5, 5), (7, 5), (-1,)])
def test_named_checkpoints_that_do_not_rise_are_refused(checkpoints):
    with pytest.raises(SettingsError, match="checkpoints: steps must be 1 or more and rise"):
        MeasurementSettings(checkpoints=checkpoints)


def test_an_experiment_saved_before_there_was_a_regression_is_one_of_diffusion():
    saved = json.loads(experiment().to_json())
    del saved["diffusion"]["kind"], saved["training"]["condition_dropout"]
    del saved["measurement"]["checkpoints"]
    assert Experiment.from_json(json.dumps(saved)) == experiment()


def test_an_experiment_of_images_is_written_down_as_before_there_were_vectors():
    saved = json.loads(experiment().to_json())
    assert not any("kind" in saved[part] for part in ("world", "model", "probe"))
    assert Experiment.from_json(json.dumps(saved)) == experiment()


def test_an_experiment_of_vectors_survives_json():
    made = experiment(**VECTORS)
    assert Experiment.from_json(made.to_json()) == made


def test_an_experiment_of_labelled_images_with_an_ensemble_survives_json():
    made = experiment(**DIGITS, probe=EnsembleProbeSettings(members=3))
    assert Experiment.from_json(made.to_json()) == made


def test_a_world_of_an_unknown_kind_is_refused():
    saved = json.loads(experiment(**VECTORS).to_json())
    saved["world"]["kind"] = "sounds"
    with pytest.raises(SettingsError, match=r"Experiment.world: .*'sounds'"):
        Experiment.from_json(json.dumps(saved))


@pytest.mark.parametrize(
    "objective",
    [RegressionSettings(), DDPMSettings(sampling_steps=7), FlowMatchingSettings(solver="euler")],
)
def test_other_objectives_survive_json(objective):
    made = experiment(diffusion=objective)
    assert Experiment.from_json(made.to_json()).diffusion == objective


@pytest.mark.parametrize("objective", [DDPMSettings(), FlowMatchingSettings()])
def test_ddpm_and_flow_matching_may_be_guided(objective):
    made = experiment(
        elicitation=(Guidance(weights=(1.0, 2.0)),),
        diffusion=objective,
        training=TrainingSettings(condition_dropout=0.1),
    )
    assert made.diffusion == objective


def test_settings_of_diffusion_may_be_given_as_plain_values():
    assert experiment(diffusion={"sampling_steps": 7}).diffusion == DiffusionSettings(
        sampling_steps=7
    )


def test_a_shortened_experiment_is_the_beginning_of_the_whole():
    whole = experiment(training=TrainingSettings(steps=1000))
    short = shortened(whole, 400)
    assert short.name == "test-400-steps"
    assert short.steps == (*(step for step in whole.steps if step < 400), 400)
    changed = short.training.replace(steps=1000), short.measurement.replace(checkpoints=())
    assert short.replace(name="test", training=changed[0], measurement=changed[1]) == whole


def test_a_shortened_experiment_may_be_shortened_to_before_its_first_checkpoint():
    assert shortened(experiment(), 2).steps == (0, 2)


@pytest.mark.parametrize("steps", [0, -1, 20_001])
def test_steps_that_the_whole_does_not_have_are_refused(steps):
    with pytest.raises(ValueError, match=r"steps must be between 1 and training.steps=20000"):
        shortened(experiment(), steps)
