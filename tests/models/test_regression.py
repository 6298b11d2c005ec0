import math

import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.data.dataset import Dataset
from conceptspace.models.regression import Regression
from conceptspace.models.settings import RegressionSettings
from conceptspace.models.unet import UNet
from conceptspace.training.loop import train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from small import UNET

SHAPE = (3, 8, 8)


def regression(**unet):
    return Regression(UNet(3, 4, UNET.replace(**unet)), RegressionSettings())


def data(images=None):
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(8, *SHAPE, generator=draws) if images is None else images
    vectors = torch.rand(8, 4, generator=draws)
    return Dataset(images, vectors, vectors, torch.zeros(8, 2, dtype=torch.int64))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_loss_is_the_mean_squared_error_of_each_image():
    model = regression().eval()  # a fresh network draws zeros
    images = torch.rand(4, *SHAPE)
    bound = model.bound(images, torch.rand(4, 4), generator())
    torch.testing.assert_close(bound.total, images.square().flatten(1).mean(1))
    assert not bound.diffusion.any()
    assert not bound.prior.any()
    assert torch.equal(bound.reconstruction, bound.total)


def test_only_dropout_is_random():
    images, vectors = torch.rand(4, *SHAPE), torch.rand(4, 4)
    model = regression(dropout=0.5)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)

    def loss(seed):
        return model.bound(images, vectors, generator(seed)).total

    assert torch.equal(loss(0), loss(0))
    assert not torch.equal(loss(0), loss(1))
    model.eval()
    assert torch.equal(loss(0), loss(1))


def test_samples_are_the_networks_output_and_carry_no_noise():
    model = regression().eval()
    torch.nn.init.normal_(model.network.convolution_out.weight)
    sites = model.condition(torch.rand(1, 4).expand(2, 4))
    drawn = model.sample(sites, SHAPE, generator())
    torch.testing.assert_close(drawn[0], drawn[1])
    torch.testing.assert_close(drawn, model.sample(sites, SHAPE, generator(1)))
    expected = model.network.denoise(torch.zeros(2, *SHAPE), torch.zeros(1), sites)
    torch.testing.assert_close(drawn, expected)
    assert model.sample_noise() == 0.0


def test_there_is_no_schedule():
    model = regression()
    assert all(math.isnan(end) for end in model.schedule.ends())
    assert {name.split(".")[0] for name, _ in model.named_parameters()} == {"network"}


def test_it_learns_the_mean_image():
    images = torch.full((8, *SHAPE), 0.7)
    settings = TrainingSettings(steps=150, batch_size=8, learning_rate=3e-3, clip_norm=1.0)
    state = TrainingState(regression(), settings)
    losses = []
    train(state, data(images), 0, lambda _, loss: losses.append(loss))
    # From a mean square of .49 to less than a fortieth of it.
    assert losses[0] > 0.4
    assert losses[-1] < 0.01


def test_training_that_goes_on_from_a_state_is_the_same_bits_as_unbroken():
    saved = {}

    def fresh():
        torch.manual_seed(1)
        settings = TrainingSettings(steps=6, batch_size=4, average_decay=0.9)
        return TrainingState(regression(dropout=0.3), settings)

    def save(state, _):
        if state.step == 3:
            saved.update({name: value.clone() for name, value in state.to_tensors().items()})

    unbroken, resumed = fresh(), fresh()
    train(unbroken, data(), 0, save)
    resumed.load_tensors(saved)
    train(resumed, data(), 0, lambda state, loss: None)
    expected = unbroken.to_tensors()
    assert all(torch.equal(value, expected[name]) for name, value in resumed.to_tensors().items())


def test_measuring_sees_it_through_the_same_adapter():
    adapter = NativeAdapter(regression(), SHAPE, batch_size=2)
    images = adapter.sample(adapter.encode(torch.rand(5, 4)), generator())
    assert images.shape == (5, *SHAPE)
    assert adapter.sample_noise() == 0.0
    assert adapter.conditioning_parameters()
