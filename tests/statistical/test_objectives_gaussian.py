"""Noise prediction and flow matching trained on Gaussian data, where everything right is known.

The least loss per dimension is the mean over time and axes of the variance that is left of what is
predicted, given z_t: abar v / (abar v + 1 - abar) of the noise, and v / ((1 - t)^2 v + t^2) of the
velocity. The trained loss must come within 5 % of it, on draws of its own. Samples are judged at
the level 0.001 over mean and covariance of both classes; the trained network's own error is part of
what they are judged by.
"""

import numpy as np
import pytest
import torch

from conceptspace.models.ddpm import DDPM
from conceptspace.models.flow_matching import FlowMatching
from conceptspace.models.settings import DDPMSettings, FlowMatchingSettings
from conceptspace.training.loop import mean_bound, train
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from statistical.gaussian import SHAPE, VARIANCES, LinearInTheImage, draw, p_values

NUM_SAMPLES = 1000
LEVEL = 0.001 / 4
MODELS = {
    "ddpm": (DDPM, DDPMSettings(data_range=(-1.0, 1.0), sampling_steps=250)),
    "flow matching": (FlowMatching, FlowMatchingSettings(sampling_steps=40)),
}


def least_loss(name):
    variances = 4 * VARIANCES  # in the range from -1 to 1
    if name == "ddpm":
        left = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[:, None]
        return (left * variances / (left * variances + 1 - left)).mean()
    t = (np.arange(10_000)[:, None] + 0.5) / 10_000
    return (variances / ((1 - t) ** 2 * variances + t**2)).mean()


@pytest.fixture(scope="module", params=MODELS)
def learned(request):
    kind, objective = MODELS[request.param]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind(LinearInTheImage(), objective)
    settings = TrainingSettings(
        steps=700, batch_size=256, learning_rate=6e-3, weight_decay=0.0, clip_norm=1.0,
        average_decay=0.99,
    )  # fmt: skip
    state = TrainingState(model, settings)
    train(state, draw(2**15, seed=0), 0, lambda state, loss: None)
    return request.param, state.measured


def test_the_trained_loss_is_the_least_there_is(learned):
    name, model = learned
    loss = float(mean_bound(model, draw(2**16, seed=1), seed=0, batch_size=8192).total)
    assert loss == pytest.approx(least_loss(name), rel=0.05)


def test_samples_of_the_trained_model_have_the_mean_and_covariance_of_the_data(learned):
    _, model = learned
    samples = []
    for number, vector in enumerate(torch.eye(2)):
        sites = model.condition(vector.expand(NUM_SAMPLES, 2))
        drawn = model.sample(sites, SHAPE, torch.Generator().manual_seed(number))
        samples.append(drawn.flatten(1).double().numpy())
    assert p_values(np.stack(samples), 0.0).min() > LEVEL
