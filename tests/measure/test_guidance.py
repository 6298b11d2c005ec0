"""Guidance through the adapter's face: one batch holds guided and plain rows."""

import numpy as np
import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.adapters.protocol import GuidableAdapter
from conceptspace.elicitation.arms import plan_arms
from conceptspace.elicitation.intervention import (
    PROMPT,
    AddDirections,
    Composed,
    Guided,
    Naive,
    guidance_weights,
)
from conceptspace.elicitation.settings import Guidance, OverPrompt
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.measure.sampling import generate, sample_arms
from conceptspace.models.regression import Regression
from conceptspace.models.settings import RegressionSettings
from conceptspace.models.unet import UNet
from small import MEASUREMENT, PROMPTER, SPLIT, UNET, WORLD
from variational_autoencoder import ConditionalVAE, VAEAdapter

GUIDANCE = Guidance(weights=(0.0, 1.0, 3.0))


@pytest.fixture
def native(vdm):
    for parameter in vdm.network.parameters():  # a fresh network does not heed its condition
        torch.nn.init.normal_(parameter, std=0.2)
    return NativeAdapter(vdm, WORLD.image_shape, batch_size=5)


def part(intervention, strength, num=2):
    vectors = torch.from_numpy(PROMPTER.class_mean("11", num))
    return intervention, vectors, torch.full((num,), strength)


def images(adapter, *parts):
    return generate(adapter, list(parts), torch.Generator().manual_seed(0))


def test_weight_1_is_naive_prompting_to_the_bit(native):
    assert torch.equal(images(native, part(Guided(), 1.0)), images(native, part(Naive(), 0.0)))


def test_plain_rows_are_the_same_beside_guided_ones(native):
    plain = images(native, part(Naive(), 0.0), part(Naive(), 0.0))
    mixed = images(native, part(Naive(), 0.0), part(Guided(), 4.0))
    assert torch.equal(mixed[:2], plain[:2])
    assert not torch.allclose(mixed[2:], plain[2:], atol=1e-3)


def test_a_strength_is_no_weight_unless_the_intervention_guides():
    strengths = torch.tensor([2.0, 3.0])
    push = AddDirections({PROMPT: torch.zeros(1, 4)})
    assert guidance_weights(push, strengths).tolist() == [1.0, 1.0]
    assert guidance_weights(Guided(), strengths).tolist() == [2.0, 3.0]
    assert guidance_weights(Composed((push, Guided())), strengths).tolist() == [2.0, 3.0]


def test_without_guidance_an_adapter_is_never_asked_to_guide(native, monkeypatch):
    def asked(*_):
        raise AssertionError("asked to guide")

    monkeypatch.setattr(native, "sample_guided", asked)
    assert len(images(native, part(Naive(), 0.0), part(Guided(), 1.0))) == 4


def test_an_adapter_that_cannot_guide_says_so():
    foreign = VAEAdapter(ConditionalVAE(WORLD.image_shape, PROMPTER.width))
    assert not isinstance(foreign, GuidableAdapter)
    assert images(foreign, part(Guided(), 1.0)).shape[0] == 2
    with pytest.raises(TypeError, match="VAEAdapter cannot guide, since it has no method sample_g"):
        images(foreign, part(Guided(), 2.0))


def test_a_regression_cannot_be_guided():
    model = Regression(UNet(3, PROMPTER.width, UNET), RegressionSettings())
    with pytest.raises(TypeError, match="Regression has no noise estimate that could be guided"):
        images(NativeAdapter(model, WORLD.image_shape), part(Guided(), 2.0))


def test_guided_arms_come_apart_by_weight(native):
    arms = plan_arms(
        native,
        PROMPTER,
        SPLIT,
        (GUIDANCE, OverPrompt(concept="colour", strengths=(0.1,))),
        num_samples=4,
        num_control_samples=2,
        num_directions=2,
        generator=torch.Generator().manual_seed(0),
    )
    generator = torch.Generator().manual_seed(0)
    samples = sample_arms(native, PROMPTER, SPLIT, arms, np.random.default_rng(0), generator)
    by_arm = {(s.arm.concept_class, s.arm.method): s.images for s in samples}
    assert by_arm["11", "guidance"].shape == (3, 4, *WORLD.image_shape)
    assert by_arm["11", "over-prompting"].shape == (1, 4, *WORLD.image_shape)


def test_a_checkpoint_is_measured_under_guidance(native, probe):
    instrument = Instrument(PROMPTER, SPLIT, (GUIDANCE,), probe, None, MEASUREMENT)
    measured = measure_checkpoint(native, instrument, seed=0, step=1)
    assert list(measured.method.values) == ["naive", "guidance"]
    assert measured.strength_value.sel({"method": "guidance"}).values.tolist() == [0.0, 1.0, 3.0]
    assert (measured.correct.sel({"method": "guidance", "concept_class": "11"}) >= 0).all()
