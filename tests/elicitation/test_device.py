"""Interventions and directions meet a model on its own device."""

import copy

import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.elicitation.arms import plan_arms
from conceptspace.elicitation.directions import random_directions
from conceptspace.elicitation.intervention import PROMPT, AddDirections
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.measure.sampling import elicit
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from pretend_device import pretended_device
from small import DIFFUSION, METHODS, PROMPTER, SPLIT, UNET, WORLD


@pytest.fixture
def model():
    return VDM(UNet(3, PROMPTER.width, UNET), DIFFUSION)


def planned(model):
    return plan_arms(
        NativeAdapter(model, WORLD.image_shape),
        PROMPTER,
        SPLIT,
        METHODS,
        num_samples=4,
        num_control_samples=4,
        num_directions=3,
        generator=torch.Generator().manual_seed(0),
    )


def on_cpu(arm):
    directions = getattr(arm.intervention, "directions", {})
    return {site: value.cpu() for site, value in directions.items()}


def test_the_arms_of_a_model_on_another_device_have_the_directions_of_the_cpu(model):
    expected = [on_cpu(arm) for arm in planned(model)]
    with pretended_device() as pretended:
        found = [on_cpu(arm) for arm in planned(copy.deepcopy(model).to(pretended.device))]
    assert [arm.keys() for arm in found] == [arm.keys() for arm in expected]
    for arm, wanted in zip(found, expected):
        for site, direction in arm.items():
            torch.testing.assert_close(direction, wanted[site])


def test_random_directions_lie_with_their_reference_and_are_drawn_without_waiting(generator):
    with pretended_device() as pretended:
        reference = {"h": torch.ones(5, device=pretended.device)}
        drawn = random_directions(reference, 4, generator)["h"]
        assert not pretended.waits
        assert drawn.device == pretended.device
        assert (drawn.cpu().sum(1).abs() < 1e-5).all()


def test_prompts_and_strengths_come_from_the_cpu_and_the_conditioning_from_the_model(model):
    push = AddDirections({PROMPT: torch.ones(1, 4), "middle.0": torch.ones(1, 8)})
    vectors, strengths = torch.rand(3, 4), torch.tensor([0.0, 1.0, 2.0])
    expected = elicit(NativeAdapter(model, WORLD.image_shape), vectors, push, strengths)
    with pretended_device() as pretended:
        adapter = NativeAdapter(copy.deepcopy(model).to(pretended.device), WORLD.image_shape)
        told = elicit(adapter, vectors, push, strengths)
        assert {value.device for value in told.values()} == {pretended.device}
        for site, value in told.items():
            torch.testing.assert_close(value.cpu(), expected[site])


def test_directions_and_strengths_from_the_cpu_are_added_where_the_value_is():
    push = AddDirections({"h": torch.ones(1, 2)})
    with pretended_device() as pretended:
        pushed = push("h", torch.zeros(2, 2, device=pretended.device), torch.tensor([1.0, 3.0]))
        assert pushed.tolist() == [[1.0, 1.0], [3.0, 3.0]]


def test_an_intervention_of_ones_own_is_given_strengths_where_the_value_is(model):
    def scale(site, value, strength):
        return value * strength[:, None]

    with pretended_device() as pretended:
        adapter = NativeAdapter(copy.deepcopy(model).to(pretended.device), WORLD.image_shape)
        told = elicit(adapter, torch.rand(3, 4), scale, torch.zeros(3))
        assert not any(value.any() for value in told.values())


def test_a_patch_lands_on_the_recipients_device(model):
    donor = NativeAdapter(copy.deepcopy(model), WORLD.image_shape).conditioning_parameters()
    with pretended_device() as pretended:
        recipient = copy.deepcopy(model).to(pretended.device)
        state = EmbeddingPatch(donor).into(recipient)
        assert {value.device for value in state.values()} == {pretended.device}
