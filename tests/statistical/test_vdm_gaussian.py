"""A variational diffusion model trained on Gaussian data, where everything that is right is known.

Data: vectors of four correlated numbers shaped as images, N(mean of the class, C), two classes.
For the best denoiser the bound per dimension exceeds the entropy by log2(1 + s^2 / v) / 2 on each
axis of variance v, s being the data noise of the reconstruction term: 0.003 bits here. The trained
bound must come within 0.02 bits of the entropy.

Samples are judged by the level 0.001 over all tests together. Where the model is right, each
sample of a class is N(mean, C + noise^2), the noise being that of gamma(0) which samples carry.
Mean: n (m - mean)' S^-1 (m - mean), chi-squared with 4 degrees of freedom. Covariance: the
likelihood-ratio statistic n (tr R - log det R - 4), R the sample covariance over the one expected,
chi-squared with 10. 2000 sampling steps: the discretisation makes variances 0.4 % too small, and
the standard error of one is 2.2 % at the 4000 samples drawn.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from torch import nn

from conceptspace.models.settings import DiffusionSettings
from conceptspace.models.vdm import VDM
from conceptspace.training.loop import mean_bound, train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from statistical.gaussian import (
    COVARIANCE,
    DIMENSIONS,
    MEANS,
    SHAPE,
    VARIANCES,
    LinearInTheImage,
    draw,
    p_values,
)

DATA_NOISE = 0.02
ENTROPY = 0.5 * math.log2(2 * math.pi * math.e) + 0.5 * np.log2(VARIANCES).mean()
NUM_SAMPLES = 4000
LEVEL = 0.001 / 4  # two classes, mean and covariance


class Perceptron(nn.Module):
    """A general network of two hidden layers, which is not told that the best is linear."""

    def __init__(self, width=128):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(1, 64), nn.GELU(), nn.Linear(64, width))
        self.embed = nn.Linear(2, width)
        self.enter = nn.Linear(DIMENSIONS, width)
        self.middle = nn.Linear(width, width)
        self.leave = nn.Linear(width, DIMENSIONS)

    def condition(self, vectors):
        return {"hidden": self.embed(vectors)}

    def denoise(self, z_t, time, sites):
        hidden = self.enter(z_t.flatten(1)) + self.time(8 * time[:, None] - 4) + sites["hidden"]
        hidden = self.middle(nn.functional.gelu(hidden))
        return self.leave(nn.functional.gelu(hidden)).view_as(z_t)


@dataclass(frozen=True)
class Outcome:
    """What was learned, in the numbers that the tests judge."""

    bound: float
    likelihood: float
    """Mean of -log p, in bits per dimension, of the very images that the bound was taken on."""
    gamma: list[float]
    samples: np.ndarray
    noise: float


def learn(network, steps, learning_rate):
    """Train with the built-in loop; gamma(0) is kept at every tenth of the way."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VDM(network(), DiffusionSettings(data_noise=DATA_NOISE, sampling_steps=2000))
    settings = TrainingSettings(
        steps=steps,
        batch_size=512,
        learning_rate=learning_rate,
        weight_decay=0.0,
        clip_norm=1.0,
        average_decay=0.998,
    )
    state, gamma = TrainingState(model, settings), []

    def note(state, bound):
        if state.step % (steps // 10) == 0:
            gamma.append(state.measured.schedule.ends()[0])

    train(state, draw(2**16, seed=0), 0, note)
    return state.measured, gamma


def examine(model, gamma):
    test_set = draw(2**17, seed=1)
    bound = mean_bound(model, test_set, seed=0, batch_size=8192)
    samples = []
    for number, vector in enumerate(torch.eye(2)):
        sites = model.condition(vector.expand(NUM_SAMPLES, 2))
        drawn = model.sample(sites, SHAPE, torch.Generator().manual_seed(number))
        samples.append(drawn.flatten(1).double().numpy())
    x = test_set.images.flatten(1).double().numpy()
    density = [
        stats.multivariate_normal(mean, COVARIANCE).logpdf(x[number::2]).mean()
        for number, mean in enumerate(MEANS)
    ]
    likelihood = -float(np.mean(density)) / (DIMENSIONS * math.log(2))
    return Outcome(float(bound.total), likelihood, gamma, np.stack(samples), model.sample_noise())


@pytest.fixture(scope="module")
def learned():
    return examine(*learn(LinearInTheImage, steps=2500, learning_rate=4e-3))


def best_gamma_start():
    """Where the reconstruction and the diffusion term of the best denoiser balance."""

    def slope(gamma):
        return np.exp(gamma) / DATA_NOISE**2 - (VARIANCES / (VARIANCES + np.exp(gamma))).mean()

    return optimize.brentq(slope, -15.0, 0.0)


def true_samples(rng, num=NUM_SAMPLES, factor=1.0):
    noise = math.sqrt(factor) * rng.multivariate_normal(np.zeros(4), COVARIANCE, (2, num))
    return MEANS[:, None] + noise


def test_gamma_at_the_start_has_converged_to_where_theory_puts_it(learned):
    last = learned.gamma[-1]
    assert abs(last - learned.gamma[-2]) < 0.03, "it still moves"
    assert abs(last - best_gamma_start()) < 0.05


def test_the_trained_bound_is_within_a_fiftieth_of_a_bit_of_the_entropy(learned):
    assert abs(learned.bound - ENTROPY) < 0.02


def test_the_trained_bound_is_above_the_likelihood_of_the_same_images(learned):
    """The images' own luck cancels; what is left of the noise draws is below 0.01 bits."""
    assert -0.01 < learned.bound - learned.likelihood < 0.02


def test_samples_of_the_trained_model_have_the_mean_and_covariance_of_the_data(learned):
    assert p_values(learned.samples, learned.noise).min() > LEVEL


def test_the_test_of_samples_passes_true_ones_as_often_as_stated():
    """At the level 0.05 in each of the four, 200 times over; tolerance three standard errors."""
    rng = np.random.default_rng(0)
    values = np.array([p_values(true_samples(rng), 0.0) for _ in range(50)]).ravel()
    rejected = (values < 0.05).mean()
    assert abs(rejected - 0.05) < 3 * math.sqrt(0.05 * 0.95 / len(values))


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_the_test_of_samples_notices_a_variance_that_is_a_tenth_off(factor):
    samples = true_samples(np.random.default_rng(0), factor=factor)
    assert p_values(samples, 0.0).min() < LEVEL


def test_the_test_of_samples_notices_classes_that_are_swapped():
    samples = true_samples(np.random.default_rng(0))[::-1]
    assert p_values(samples, 0.0).min() < LEVEL


def test_the_test_of_samples_notices_too_few_sampling_steps(learned):
    """At 50 steps the discretisation alone costs 16 % of the variance."""
    shrunk = MEANS[:, None] + math.sqrt(0.84) * (learned.samples - MEANS[:, None])
    assert p_values(shrunk, learned.noise).min() < LEVEL


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_general_network_reaches_the_entropy_and_the_data_too():
    outcome = examine(*learn(Perceptron, steps=8000, learning_rate=2e-3))
    assert abs(outcome.gamma[-1] - best_gamma_start()) < 0.05
    assert abs(outcome.bound - ENTROPY) < 0.02
    assert p_values(outcome.samples, outcome.noise).min() > LEVEL
