"""bfloat16 and channels last give what float32 gives, but for rounding and the noise of seeds."""

import numpy as np
import pytest
import torch

from conceptspace.build import build_model, draw_training_sets
from conceptspace.models.execution import Execution
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.recipes.quick import quick
from conceptspace.training.loop import mean_bound, train
from conceptspace.training.state import TrainingState

WAYS = {
    "float32": Execution(),
    "channels last": Execution(channels_last=True),
    "bfloat16": Execution(precision="bfloat16"),
    "bfloat16, channels last": Execution(precision="bfloat16", channels_last=True),
}
OTHERS = [way for way in WAYS if way != "float32"]
SEEDS = range(5)
FIXED = DiffusionSettings(
    gamma_start=-7, gamma_end=9, learned_schedule=False, data_noise=0.03, sampling_steps=10
)


def small(diffusion, **training):
    """8 x 8 pixels, dropout and attention included."""
    experiment = quick()
    return experiment.replace(
        world=experiment.world.replace(image_size=8),
        model=UNetSettings(widths=(8, 16), num_blocks=1, num_groups=4, time_features=8),
        diffusion=diffusion,
        training=experiment.training.replace(
            steps=60, batch_size=16, images_per_class=64, **training
        ),
        measurement=experiment.measurement.replace(first_checkpoint=60, num_checkpoints=1),
    )


def trained(experiment, way, seed):
    """The state after training, the validation set, and gamma(0) after each step."""
    sets = draw_training_sets(experiment, seed)
    state = TrainingState(build_model(experiment, seed, WAYS[way]), experiment.training)
    gammas = []
    train(state, sets["train"], seed, lambda s, bound: gammas.append(s.model.schedule.ends()[0]))
    return state, sets["validation"], np.array(gammas)


def validation_bounds(experiment, way):
    bounds = []
    for seed in SEEDS:
        state, validation, _ = trained(experiment, way, seed)
        bounds.append(float(mean_bound(state.measured, validation, seed).total))
    return np.array(bounds)


@pytest.mark.parametrize("way", OTHERS)
def test_the_hidden_clock_ticks_alike(way):
    experiment = small(DiffusionSettings(), clip_norm=0.01, learning_rate=1e-3)
    expected, found = (trained(experiment, each, 0)[2] for each in ("float32", way))
    # Adam moves gamma(0) by about 1e-3 a step, by a gradient that rounding hardly touches.
    assert expected[-1] < -5.05
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("way", OTHERS)
def test_the_validation_bound_is_equal_within_the_noise_of_seeds(way):
    experiment = small(FIXED, clip_norm=1.0, learning_rate=4e-3)
    expected, found = (validation_bounds(experiment, each) for each in ("float32", way))
    # Paired over seeds: the mean differs by less than two standard errors of float32's own mean.
    assert abs((found - expected).mean()) < 2 * expected.std(ddof=1) / len(SEEDS) ** 0.5


@pytest.mark.parametrize("way", OTHERS)
def test_samples_of_one_model_differ_by_rounding_alone(way):
    experiment = small(FIXED, clip_norm=1.0, learning_rate=4e-3)
    state, _, _ = trained(experiment, "float32", 0)
    model = build_model(experiment, 0, WAYS[way]).eval()
    model.load_state_dict(state.measured.state_dict())
    images = []
    for each in (state.measured.eval(), model):
        sites = each.condition(torch.rand(64, 4, generator=torch.Generator().manual_seed(0)))
        images.append(each.sample(sites, (3, 8, 8), torch.Generator().manual_seed(1)))
    difference = float((images[0] - images[1]).abs().mean())
    # bfloat16 rounds each noise estimate, of size 1, by up to 0.4 %, over ten steps.
    assert 0 < difference < (0.02 if "bfloat16" in way else 1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_a_resumed_run_is_the_same_bits_in_every_way(way):
    experiment = small(FIXED, clip_norm=1.0, learning_rate=4e-3)
    data = draw_training_sets(experiment, 0)["train"]
    saved = {}

    def keep(state, bound):
        if state.step == 30:  # as it is stored: without its layout in memory
            tensors = state.to_tensors().items()
            saved.update({name: value.detach().clone().contiguous() for name, value in tensors})

    def fresh():
        return TrainingState(build_model(experiment, 0, WAYS[way]), experiment.training)

    unbroken, resumed = fresh(), fresh()
    train(unbroken, data, 0, keep)
    resumed.load_tensors(saved)
    train(resumed, data, 0, lambda state, bound: None)
    first, second = unbroken.to_tensors(), resumed.to_tensors()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
