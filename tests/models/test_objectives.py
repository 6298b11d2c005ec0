"""What noise prediction and flow matching share with every model of the loop and of measuring."""

import math

import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.adapters.protocol import GuidableAdapter
from conceptspace.data.dataset import Dataset
from conceptspace.elicitation.intervention import AddDirections
from conceptspace.measure.sampling import elicit
from conceptspace.models.ddpm import DDPM
from conceptspace.models.execution import Execution
from conceptspace.models.flow_matching import FlowMatching
from conceptspace.models.guidance import Guide
from conceptspace.models.settings import DDPMSettings, FlowMatchingSettings
from conceptspace.models.unet import UNet
from conceptspace.training.loop import train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from small import UNET

SHAPE = (3, 8, 8)
SETTINGS = {
    "ddpm": (DDPM, DDPMSettings(sampling_steps=3)),
    "euler": (FlowMatching, FlowMatchingSettings(sampling_steps=3, solver="euler")),
    "heun": (FlowMatching, FlowMatchingSettings(sampling_steps=3)),
}


@pytest.fixture(params=SETTINGS)
def model(request):
    """A model whose network heeds its condition, as a fresh one does not."""
    kind, settings = SETTINGS[request.param]
    made = kind(UNet(3, 4, UNET), settings).eval()
    for parameter in made.network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def sampled(model, vectors, weights=None, seed=3):
    guide = None
    if weights is not None:
        guide = Guide(model.condition(torch.full((1, 4), -1.0)), torch.tensor(weights))
    draws = torch.Generator().manual_seed(seed)
    return model.sample(model.condition(vectors), SHAPE, draws, guide=guide)


@torch.no_grad()
def test_weight_1_samples_what_naive_prompting_samples(model):
    vectors = torch.rand(3, 4)
    naive = sampled(model, vectors)
    assert torch.equal(sampled(model, vectors, [1.0, 1.0, 1.0]), naive)
    mixed = sampled(model, vectors, [1.0, 3.0, 1.0])
    assert torch.equal(mixed[[0, 2]], naive[[0, 2]])
    assert not torch.allclose(mixed[1], naive[1], atol=1e-4)


@torch.no_grad()
def test_weight_0_samples_what_the_hidden_condition_samples(model):
    hidden = sampled(model, torch.full((2, 4), -1.0))
    guided = sampled(model, torch.rand(2, 4), [0.0, 0.0])
    torch.testing.assert_close(guided, hidden, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_same_generator_gives_the_same_samples_in_parts_too(model):
    vectors = torch.rand(5, 4)
    whole = sampled(model, vectors)
    assert torch.equal(sampled(model, vectors), whole)
    assert not torch.equal(sampled(model, vectors, seed=4), whole)
    model.network.execution = Execution(micro_batch=2)
    torch.testing.assert_close(sampled(model, vectors), whole, rtol=1e-4, atol=1e-4)


def test_measuring_sees_and_steers_it_through_the_same_adapter(model):
    adapter = NativeAdapter(model, SHAPE, batch_size=2)
    assert isinstance(adapter, GuidableAdapter)
    vectors = torch.rand(3, 4)
    site = adapter.sites()[0]
    width = adapter.encode(vectors)[site].shape[1]
    # Not the same in every channel, which a normalisation would take out again.
    push = AddDirections({site: torch.linspace(-1, 1, width)[None]})

    def images(strength):
        steered = elicit(adapter, vectors, push, torch.full((3,), strength))
        return adapter.sample(steered, torch.Generator().manual_seed(0))

    assert images(0.0).shape == (3, *SHAPE)
    assert not torch.allclose(images(2.0), images(0.0), atol=1e-3)
    assert adapter.sample_noise() == 0.0


def test_there_is_no_schedule_to_learn_or_to_look_at(model):
    assert all(math.isnan(end) for end in model.schedule.ends())
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"network"}


def test_the_callback_sees_every_step(model):
    seen = []
    sites = model.condition(torch.rand(2, 4))
    images = model.sample(
        sites, SHAPE, torch.Generator(), callback=lambda i, z: seen.append((i, z))
    )
    assert [i for i, _ in seen] == [0, 1, 2]
    torch.testing.assert_close(images, (seen[-1][1] + 1) / 2)


@pytest.mark.parametrize("name", ["ddpm", "heun"])
def test_training_that_goes_on_from_a_state_is_the_same_bits_as_unbroken(name):
    draws, saved = torch.Generator().manual_seed(0), {}
    images, vectors = torch.rand(8, *SHAPE, generator=draws), torch.rand(8, 4, generator=draws)
    data = Dataset(images, vectors, vectors, torch.zeros(8, 2, dtype=torch.int64))

    def fresh():
        torch.manual_seed(1)
        kind, settings = SETTINGS[name]
        model = kind(UNet(3, 4, UNET.replace(dropout=0.3)), settings)
        return TrainingState(model, TrainingSettings(steps=6, batch_size=4, average_decay=0.9))

    def save(state, _):
        if state.step == 3:
            saved.update({key: value.clone() for key, value in state.to_tensors().items()})

    unbroken, resumed = fresh(), fresh()
    train(unbroken, data, 0, save)
    resumed.load_tensors(saved)
    train(resumed, data, 0, lambda state, loss: None)
    expected = unbroken.to_tensors()
    assert all(torch.equal(value, expected[key]) for key, value in resumed.to_tensors().items())
