"""Networks trained on the identity task: against the equations, and by seed alone."""

import numpy as np
import pytest
import torch

from conceptspace.theory.networks import (
    draw_points,
    make_network,
    random_rotation,
    train_on_identity,
)
from conceptspace.theory.settings import IdentityTask, NetworkSettings
from conceptspace.theory.sim import effective_signal, one_layer, outputs
from conceptspace.theory.swing import swing_by

THREE = IdentityTask(mu=(1, 2, 3), sigma=(0.05,), dimension=16)
SMALL = NetworkSettings(num_points=500, num_epochs=12, record_every=2)
SEEDS = range(5)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def paths(task=THREE, **changes):
    settings = SMALL.replace(**changes)
    return [train_on_identity(task, settings, generator(seed)) for seed in SEEDS]


def num_swings(found):
    return sum(swing_by(path.steps, path.ood_loss).appears for path in found)


def test_a_linear_network_follows_the_one_layer_model():
    task = IdentityTask(mu=(1, 2), sigma=(0.05,), dimension=4)
    settings = NetworkSettings(
        num_hidden=0, initial_scale=0.5, num_points=4000, num_epochs=300, batch_size=8000,
        learning_rate=0.02, record_every=10,
    )  # fmt: skip
    path = train_on_identity(task, settings, generator())
    same = generator()
    rotation = random_rotation(4, same)
    network = make_network(4, settings, same)
    weights = (rotation.T @ network[0].weight.detach() @ rotation).numpy().astype(float)
    expected = outputs(task, one_layer(task, weights, 0.02 * path.steps))
    # a step of 0.02 in place of a flow errs by 0.02 * 2 / e, and 8000 points by about 0.01
    np.testing.assert_allclose(path.answers, expected, atol=0.04)


@pytest.mark.parametrize("num_hidden", [0, 1, 2])
def test_the_stronger_concept_is_learned_first_at_any_depth(num_hidden):
    for path in paths(num_hidden=num_hidden):
        above = [path.answers[:, p] > mu / 2 for p, mu in enumerate(THREE.mu)]
        half = [np.argmax(passed) if passed.any() else np.inf for passed in above]
        assert half == sorted(half, reverse=True)


def test_deep_networks_swing_by_and_those_of_one_layer_do_not():
    assert num_swings(paths(num_hidden=3, initial_scale=0.3)) >= 4
    assert num_swings(paths(num_hidden=0)) == 0


def test_a_path_follows_from_its_generator_alone():
    torch.manual_seed(1)
    first = train_on_identity(THREE, SMALL, generator(7))
    torch.manual_seed(2)
    second = train_on_identity(THREE, SMALL, generator(7))
    np.testing.assert_array_equal(first.answers, second.answers)
    other = train_on_identity(THREE, SMALL, generator(8))
    assert np.abs(first.answers - other.answers).max() > 0.01


def test_records_are_evenly_spaced_and_hold_the_untrained_and_the_last_network():
    path = train_on_identity(THREE, SMALL.replace(num_epochs=1, record_every=4), generator())
    assert path.steps.tolist() == [0, 4, 8, 11]
    assert path.answers.shape == (4, 16)
    assert np.isnan(path.training_loss).tolist() == [False, False, False, True]
    assert path.ood_loss[0] == pytest.approx(0.5 * (1 + 4 + 9), rel=0.2)


def test_points_have_the_task_s_second_moment():
    points = draw_points(THREE, 20_000, generator()).numpy()
    assert points.shape == (60_000, 16)
    np.testing.assert_allclose(
        points.T @ points / len(points), np.diag(effective_signal(THREE)), atol=0.02
    )


def test_a_rotation_keeps_lengths():
    turned = random_rotation(8, generator())
    torch.testing.assert_close(turned @ turned.T, torch.eye(8))


def test_more_than_there_is_in_a_batch_is_refused():
    with pytest.raises(ValueError, match="batch_size=128 exceeds the 30 points there are"):
        train_on_identity(THREE, SMALL.replace(num_points=10), generator())


def test_a_network_that_diverges_is_told_to_slow_down():
    with pytest.raises(FloatingPointError, match=r"lower learning_rate=50\.0"):
        train_on_identity(THREE, SMALL.replace(learning_rate=50.0), generator())
