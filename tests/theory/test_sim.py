"""The task's numbers, and one layer against its closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conceptspace.concepts.settings import SettingsError
from conceptspace.theory.settings import IdentityTask, NetworkSettings, Start
from conceptspace.theory.sim import (
    effective_signal,
    integrate_one_layer,
    one_layer,
    ood_loss,
    outputs,
    probe,
    starting_weights,
    training_loss,
)

TASK = IdentityTask(mu=(1, 2), sigma=(0.05,))
TIMES = np.linspace(0, 8, 81)

MEANS = st.lists(st.floats(0.3, 3), min_size=1, max_size=4).map(tuple)


def test_the_signal_is_the_second_moment_of_the_clusters():
    task = IdentityTask(mu=(1.0, 2.0, 0.5), sigma=(0.3, 0.1, 0.2), dimension=4)
    rng = np.random.default_rng(0)
    centres = np.eye(4)[:3] * np.array(task.mu)[:, None]
    points = np.repeat(centres, 200_000, axis=0)
    points[:, :3] += rng.standard_normal((600_000, 3)) * np.array(task.sigma)
    moment = points.T @ points / len(points)
    # the largest standard error of an entry is 2e-3
    np.testing.assert_allclose(np.diag(effective_signal(task)), moment, atol=0.01)
    assert effective_signal(TASK).tolist() == pytest.approx([0.5025, 2.0025])


def test_the_probe_is_every_concept_at_once():
    assert probe(IdentityTask(mu=(1, 2), dimension=4)).tolist() == [1, 2, 0, 0]


@settings(max_examples=25)
@given(MEANS, st.integers(0, 2), st.integers(0, 2**16))
def test_one_layer_in_closed_form_agrees_with_its_integration(mu, spare, seed):
    task = IdentityTask(mu=mu, dimension=len(mu) + spare)
    size = task.num_dimensions
    start = np.random.default_rng(seed).normal(0, 0.5, (size, size))
    exact = one_layer(task, start, TIMES)
    assert np.abs(exact - integrate_one_layer(task, start, TIMES)).max() < 1e-6


def test_one_layer_s_output_is_growth_and_what_is_left_of_the_start():
    start = np.array([[0.2, -0.3], [0.1, 0.4]])
    a, mu = effective_signal(TASK), np.array(TASK.mu)
    decay = np.exp(-np.outer(TIMES, a))
    expected = (1 - decay) * mu + (decay * mu) @ start.T
    np.testing.assert_allclose(outputs(TASK, one_layer(TASK, start, TIMES)), expected, atol=1e-12)


def test_one_layer_follows_the_gradient_of_the_training_loss():
    weights = np.random.default_rng(1).normal(size=(2, 2))
    gradient = np.zeros((2, 2))
    for row, column in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[row, column] = 1e-6
        rise = training_loss(TASK, weights + step) - training_loss(TASK, weights - step)
        gradient[row, column] = rise / 2e-6
    moved = one_layer(TASK, weights, np.array([0.0, 1e-6]))
    np.testing.assert_allclose((moved[1] - moved[0]) / 1e-6, -gradient, rtol=1e-4, atol=1e-6)


def test_the_losses_vanish_at_the_identity_and_nowhere_near():
    assert training_loss(TASK, np.eye(2)) == 0
    assert ood_loss(TASK, outputs(TASK, np.eye(2))) == 0
    assert ood_loss(TASK, outputs(TASK, np.zeros((2, 2)))) == 2.5
    assert training_loss(TASK, np.zeros((2, 2))) == pytest.approx(0.5 * (0.5025 + 2.0025))


def test_a_start_is_the_same_beside_the_diagonal_and_nudged_on_it():
    made = starting_weights(TASK, Start(diagonal=0.02, off_diagonal=0.01, nudge=0.5))
    assert made.tolist() == [[0.52, 0.01], [0.01, 0.52]]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (IdentityTask, {"mu": ()}, r"mu: give at least one mean, each above 0.*got \(\)"),
        (IdentityTask, {"mu": (1, -2)}, "mu: give at least one mean, each above 0"),
        (IdentityTask, {"mu": (1, float("nan"))}, "mu.1: Input should be a finite number"),
        (IdentityTask, {"sigma": (-0.1,)}, "sigma: give one spread"),
        (IdentityTask, {"mu": (1, 2), "sigma": (1, 1, 1)}, "sigma has 3 numbers and mu 2"),
        (IdentityTask, {"mu": (1, 2), "dimension": 1}, "dimension=1 is below the number"),
        (Start, {"off_diagonal": 0.1}, "off_diagonal=0.1 exceeds diagonal=0.01"),
        (Start, {"diagonal": 0}, "diagonal: Input should be greater than 0"),
        (Start, {"nudge": -1}, "nudge: Input should be greater than or equal to 0"),
        (NetworkSettings, {"learning_rate": 0}, "learning_rate: Input should be greater than 0"),
    ],
)
def test_wrong_settings_are_refused_with_the_field_and_the_fix(kind, fields, message):
    with pytest.raises(SettingsError, match=message):
        kind(**fields)


@pytest.mark.parametrize(
    ("start", "times", "message"),
    [
        (np.zeros((3, 3)), TIMES, r"start must be 2 x 2, as the task, not \(3, 3\)"),
        (np.full((2, 2), np.nan), TIMES, "start holds a number that is not finite"),
        (np.zeros((2, 2)), np.array([]), "times must be a row of at least one finite number"),
        (np.zeros((2, 2)), np.array([1.0, 1.0]), "times must rise"),
        (np.zeros((2, 2)), np.array([-1.0, 1.0]), "times must rise, from 0 or later"),
    ],
)
def test_wrong_arrays_are_refused(start, times, message):
    for solve in (one_layer, integrate_one_layer):
        with pytest.raises(ValueError, match=message):
            solve(TASK, start, times)
