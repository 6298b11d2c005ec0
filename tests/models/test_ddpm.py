"""Noise prediction in discrete steps against the published formulas and exact Gaussian answers."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from conceptspace.concepts import SettingsError
from conceptspace.models.ddpm import DDPM, noise_levels, sampled_steps
from conceptspace.models.settings import DDPMSettings
from conceptspace.models.unet import UNet
from small import UNET

SHAPE = (1, 2, 2)
MEAN, VARIANCE = 0.7, 0.05
RANGES = [(0.0, 1.0), (-1.0, 1.0)]


class Ideal(nn.Module):
    """The best prediction for images whose pixels are independent N(MEAN, VARIANCE)."""

    def __init__(self, settings):
        super().__init__()
        self.mean, self.variance = in_range(settings)
        self.left = torch.from_numpy(shares_left(settings))

    def condition(self, vectors):
        return {"only": vectors}

    def denoise(self, z_t, time, sites):
        left = self.left[(time * (len(self.left) - 1)).round().long()]
        left = left.float()[:, None, None, None]
        centred = z_t - left.sqrt() * self.mean
        return (1 - left).sqrt() * centred / (left * self.variance + 1 - left) - z_t


def in_range(settings):
    """Mean and variance of a pixel after it is mapped to the data range."""
    low, high = settings.data_range
    return low + (high - low) * MEAN, (high - low) ** 2 * VARIANCE


def shares_left(settings):
    """abar_t for t = 0 to T, straight from its definition."""
    betas = np.linspace(settings.beta_start, settings.beta_end, settings.num_timesteps)
    return np.concatenate([[1.0], np.cumprod(1 - betas)])


def images(num, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return MEAN + VARIANCE**0.5 * torch.randn(num, *SHAPE, generator=draws)


def sampled(settings, num):
    model = DDPM(Ideal(settings), settings)
    return model.sample({"only": torch.zeros(num, 1)}, SHAPE, torch.Generator().manual_seed(1))


def exact_moments(settings):
    """Mean and variance of a sampled pixel, with equations 6 and 7 in place of the code's form.

    Between steps of the sampler that are apart, beta is that of the chain of these steps alone.
    """
    mean, variance = in_range(settings)
    at, spread = 0.0, 1.0
    steps = [*sampled_steps(settings), 0]
    left = shares_left(settings)
    for t, s in itertools.pairwise(steps):
        beta = 1 - left[t] / left[s]
        # mu = (z - beta / sqrt(1 - abar_t) eps) / sqrt(1 - beta), eps being the best estimate
        slope = np.sqrt(1 - left[t]) / (left[t] * variance + 1 - left[t])
        gain = (1 - beta / np.sqrt(1 - left[t]) * slope) / np.sqrt(1 - beta)
        shift = beta / np.sqrt(1 - left[t]) * slope * np.sqrt(left[t]) * mean / np.sqrt(1 - beta)
        drawn = (1 - left[s]) / (1 - left[t]) * beta
        at, spread = gain * at + shift, gain**2 * spread + drawn
    low, high = settings.data_range
    return (at - low) / (high - low), spread / (high - low) ** 2


def test_the_noise_levels_are_those_of_the_betas():
    settings = DDPMSettings()
    left = shares_left(settings)
    gammas = noise_levels(settings).double().numpy()
    assert gammas[0] == -np.inf
    np.testing.assert_allclose(1 / (1 + np.exp(gammas[1:])), left[1:], rtol=1e-5)
    np.testing.assert_allclose(left[-1], 4.036e-5, rtol=1e-3)  # as published: about 4e-5


@pytest.mark.parametrize("data_range", RANGES)
def test_the_loss_of_the_best_network_is_the_variance_that_no_one_can_predict(data_range):
    """Of eps given z_t it is abar v / (abar v + 1 - abar), here a mean over t."""
    settings = DDPMSettings(data_range=data_range)
    left, (_, variance) = shares_left(settings)[1:], in_range(settings)
    least = (left * variance / (left * variance + 1 - left)).mean()
    model = DDPM(Ideal(settings), settings)
    bound = model.bound(images(60_000), torch.zeros(60_000, 1), torch.Generator().manual_seed(0))
    error = float(bound.total.std()) / 60_000**0.5
    assert abs(float(bound.total.mean()) - least) < 4 * error < 0.06 * least
    assert torch.equal(bound.total, bound.diffusion)
    assert not bound.prior.any()
    assert not bound.reconstruction.any()


def test_any_other_network_has_a_larger_loss():
    settings = DDPMSettings()
    best, off = DDPM(Ideal(settings), settings), DDPM(Ideal(settings), settings)
    off.network.mean += 0.1

    def loss(model):
        draws = torch.Generator().manual_seed(0)
        return float(model.bound(images(4000), torch.zeros(4000, 1), draws).total.mean())

    assert loss(off) > loss(best) + 1e-3


def test_every_step_is_trained_on_and_none_beyond():
    settings = DDPMSettings(num_timesteps=4, sampling_steps=2)
    seen = []
    model = DDPM(Ideal(settings), settings)
    model.network.denoise = lambda z_t, time, sites: seen.append(time) or z_t
    model.bound(images(8), torch.zeros(8, 1), torch.Generator().manual_seed(0))
    assert sorted(seen[0].tolist()) == [0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0, 1.0]


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_samples_have_the_moments_of_the_published_step(steps):
    settings = DDPMSettings(sampling_steps=steps)
    drawn = sampled(settings, 10_000).double().flatten()
    mean, variance = exact_moments(settings)
    num = len(drawn)
    assert abs(float(drawn.mean()) - mean) < 4 * (variance / num) ** 0.5 + 1e-4
    assert abs(float(drawn.var()) - variance) < 4 * variance * (2 / num) ** 0.5 + 1e-5


def test_with_all_steps_samples_are_the_data():
    """By the same recursion, which the test above holds to the sampler."""
    mean, variance = exact_moments(DDPMSettings(sampling_steps=1000))
    assert mean == pytest.approx(MEAN, abs=2e-3)
    assert variance == pytest.approx(VARIANCE, rel=0.02)
    assert exact_moments(DDPMSettings(sampling_steps=10))[1] < 0.9 * VARIANCE


def test_the_sampler_takes_evenly_spaced_steps_from_the_last_to_the_first():
    assert sampled_steps(DDPMSettings(num_timesteps=10, sampling_steps=4)) == [10, 7, 4, 1]
    assert sampled_steps(DDPMSettings(num_timesteps=3, sampling_steps=3)) == [3, 2, 1]


def test_no_checkpoint_holds_the_noise_levels():
    model = DDPM(UNet(3, 4, UNET), DDPMSettings())
    assert all(name.startswith("network.") for name in model.state_dict())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sampling_steps": 20, "num_timesteps": 10}, "sampling_steps: 20 is more than num_times"),
        ({"beta_start": 0.1}, r"beta_start: 0.1 must not exceed beta_end=0.02"),
        ({"data_range": (1.0, 0.0)}, r"give \(low, high\) with low < high"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    with pytest.raises(SettingsError, match=message):
        DDPMSettings(**fields)
