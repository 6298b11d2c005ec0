import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.split import Split
from conceptspace.elicitation.arms import method_labels, plain_class, plan_arms
from conceptspace.elicitation.intervention import PROMPT, Guided, Naive
from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt, method_names
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from small import DIFFUSION, METHODS, PROMPTER, SPACE, SPLIT, UNET, WORLD


def arms(methods=METHODS, split=SPLIT):
    model = VDM(UNet(3, PROMPTER.width, UNET), DIFFUSION)
    return plan_arms(
        NativeAdapter(model, WORLD.image_shape),
        PROMPTER,
        split,
        methods,
        num_samples=6,
        num_control_samples=4,
        num_directions=8,
        generator=torch.Generator().manual_seed(0),
    )


def test_every_class_is_prompted_naively():
    assert [a.concept_class for a in arms() if a.method == "naive"] == list(SPACE.classes)


def test_held_out_classes_get_every_method_and_control():
    methods = {a.method for a in arms() if a.concept_class == "11"}
    assert methods == {label.name for label in method_labels(METHODS, SPACE)}


def test_each_method_is_also_tried_on_a_class_for_which_nothing_is_hidden():
    tried = {(a.concept_class, a.method) for a in arms() if a.concept_class != "11"}
    assert {("10", "over-prompting"), ("10", "latent-steering")} < tried


def test_the_class_with_nothing_hidden_is_trained_on_and_has_the_pushed_value():
    assert plain_class(SPACE, SPLIT, "11", "colour") == "10"
    assert plain_class(SPACE, SPLIT, "11", "size") == "01"


def test_there_is_no_such_class_if_no_training_class_has_the_value():
    split = Split(training_classes=("00", "01"))
    assert plain_class(SPACE, split, "11", "colour") is None


def test_a_space_without_held_out_classes_is_measured_naively_alone():
    split = Split(training_classes=SPACE.classes)
    assert {a.method for a in arms(split=split)} == {"naive"}


def test_random_controls_have_eight_directions_of_the_methods_norm():
    by_name = {a.method: a for a in arms() if a.concept_class == "11"}
    own = by_name["over-prompting"].intervention.directions[PROMPT]
    control = by_name["over-prompting/random-direction"].intervention.directions[PROMPT]
    assert control.shape[0] == 8
    torch.testing.assert_close(control.norm(dim=1), own.norm().expand(8))


def test_two_methods_of_one_kind_are_named_by_their_concepts():
    methods = (
        OverPrompt(concept="colour", strengths=(0.1,)),
        OverPrompt(concept="size", strengths=(0.1,)),
        LatentSteering(concept="size", strengths=(1.0,)),
    )
    expected = ("over-prompting(colour)", "over-prompting(size)", "latent-steering")
    assert method_names(methods) == expected


def test_the_same_method_twice_is_refused():
    twice = (LatentSteering(concept="size", strengths=(1.0,)),) * 2
    with pytest.raises(SettingsError, match=r"two methods are both latent-steering\(size\)"):
        method_names(twice)


def test_strengths_must_grow():
    with pytest.raises(SettingsError, match=r"strengths must grow .*\(got \(2.0, 1.0\)\)"):
        LatentSteering(concept="size", strengths=(2.0, 1.0))


GUIDANCE = Guidance(weights=(0.0, 1.0, 3.0))


def test_guidance_is_tried_on_held_out_classes_and_one_with_nothing_hidden_without_controls():
    guided = [arm for arm in arms((GUIDANCE,)) if not isinstance(arm.intervention, Naive)]
    assert [(arm.concept_class, arm.num_samples) for arm in guided] == [("11", 6), ("01", 4)]
    assert all(arm.method == "guidance" for arm in guided)
    assert all(arm.strengths == (0.0, 1.0, 3.0) for arm in guided)
    assert all(isinstance(arm.intervention, Guided) for arm in guided)


def test_guidance_pushes_no_concept_and_its_name_needs_none():
    labels = method_labels((*METHODS, GUIDANCE), SPACE)
    assert labels[-1].name == "guidance"
    assert labels[-1].concept is None
    assert not [label for label in labels if label.of == "guidance"]


def test_guidance_named_twice_is_refused():
    with pytest.raises(SettingsError, match="two methods are both guidance"):
        method_names((GUIDANCE, GUIDANCE))


def test_weights_that_do_not_grow_are_refused():
    with pytest.raises(SettingsError, match="weights must grow"):
        Guidance(weights=(1.0, 0.5))
