"""Convergence by accuracy and by the loss, and distances to corners."""

import numpy as np
import pytest

from conceptspace.dynamics.corners import at_checkpoint, converged, distance_to, loss_converged


def test_training_has_converged_when_the_last_class_is_learned():
    step = np.arange(20)
    accuracy = np.stack([[step > 4, step > 9], [step > 7, step > 30]]).astype(float)
    assert converged(accuracy, 0.8, smoothing=0).tolist() == [8, -1]


def test_a_checkpoint_above_the_threshold_by_luck_is_not_convergence():
    accuracy = np.zeros((1, 1, 12))
    accuracy[0, 0, 3] = 1
    accuracy[0, 0, 8:] = 1
    assert converged(accuracy, 0.8, smoothing=0).tolist() == [8]


def test_the_loss_has_converged_when_it_has_made_nearly_all_of_its_fall():
    loss = 1 + 4 * np.exp(-np.arange(40) / 5)
    assert loss_converged(loss[None], smoothing=0).tolist() == [15]  # 5 log 20


def test_a_loss_that_never_falls_or_was_not_measured_has_not_converged():
    loss = np.stack([np.arange(10.0), np.full(10, np.nan)])
    assert loss_converged(loss).tolist() == [-1, -1]


def test_the_distance_is_that_of_the_mean_place():
    place = np.array([[[0.0, 1.0], [1.0, 1.0]], [[np.nan, np.nan], [1.0, 0.0]]])
    assert distance_to(np.array([1.0, 1.0]), place) == pytest.approx([0.5, 1.0])


def test_each_seed_is_read_at_its_own_checkpoint():
    found = at_checkpoint(np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]), np.array([2, -1]))
    assert found[0] == 2.0
    assert np.isnan(found[1])
