"""Accuracy of samples, and strengths chosen on other samples than they are scored on."""

import numpy as np
import pytest

from conceptspace.dynamics.accuracy import (
    chosen_accuracy,
    concept_right,
    joint_right,
    mean_measured,
    smooth,
)


def samples(*pairs):
    return np.array(pairs, dtype=np.int8)


def test_a_sample_is_right_only_if_every_concept_is():
    correct = samples([1, 1], [1, 0], [0, 1], [0, 0])
    assert joint_right(correct, np.zeros(4, np.int8)).tolist() == [1, 0, 0, 0]


def test_a_sample_off_the_manifold_is_wrong():
    assert joint_right(samples([1, 1], [1, 1]), np.array([0, 1], np.int8)).tolist() == [1, 0]


def test_a_doubtful_reading_is_wrong_in_the_concept_it_is_doubtful_in():
    correct, doubtful = samples([1, 1], [1, 1], [0, 1]), samples([0, 1], [1, 1], [0, 0])
    assert concept_right(correct, doubtful).tolist() == [[1, 0], [0, 0], [0, 1]]


def test_what_was_not_measured_is_not_a_number():
    correct = samples([1, -1], [1, 1], [1, 1])
    off = np.array([0, -1, 0], np.int8)
    np.testing.assert_array_equal(joint_right(correct, off), [np.nan, np.nan, 1])
    doubtful = samples([0, 0], [-1, -1], [0, 0])
    np.testing.assert_array_equal(
        concept_right(correct, doubtful), [[1, np.nan], [np.nan, np.nan], [1, 1]]
    )


def test_each_fold_is_scored_at_the_strength_that_the_other_found_best():
    # Even samples do best at strength 0, odd ones at strength 1.
    even, odd = np.array([[1, 1], [0, 0]]), np.array([[0, 1], [1, 1]])
    right = np.stack([even, odd], axis=-1).reshape(1, 1, 2, 4).astype(float)
    chosen = chosen_accuracy(right)
    assert chosen.strength.tolist() == [[[1, 0]]]
    assert chosen.accuracy.tolist() == [[(0.0 + 0.5) / 2]]


def test_ties_go_to_the_smallest_strength():
    chosen = chosen_accuracy(np.ones((1, 1, 3, 4)))
    assert chosen.strength.tolist() == [[[0, 0]]]


def test_a_strength_that_was_not_measured_is_never_chosen():
    right = np.zeros((1, 1, 2, 4))
    right[0, 0, 0] = np.nan
    chosen = chosen_accuracy(right)
    assert chosen.strength.tolist() == [[[1, 1]]]
    assert chosen.accuracy.tolist() == [[0.0]]


def test_a_checkpoint_that_was_not_measured_has_no_accuracy():
    chosen = chosen_accuracy(np.full((1, 2, 2, 4), np.nan))
    assert np.isnan(chosen.accuracy).all()
    assert (chosen.strength == -1).all()


def test_a_choice_leans_on_the_checkpoints_beside_it():
    # Strength 1 is best everywhere but for one unlucky checkpoint, where it is scored all the same.
    right = np.zeros((1, 9, 2, 8))
    right[:, :, 1] = 1.0
    right[0, 4] = np.array([[1.0] * 8, [0.5] * 8])
    chosen = chosen_accuracy(right)
    assert (chosen.strength == 1).all()
    assert chosen.accuracy[0].tolist() == [1.0] * 4 + [0.5] + [1.0] * 4


def test_choosing_among_many_useless_strengths_does_not_inflate_accuracy_over_checkpoints():
    rng = np.random.default_rng(0)
    right = (rng.random((60, 20, 8, 32)) < 0.3).astype(float)
    # 1200 cells of 32 samples: standard error 0.0023.
    assert chosen_accuracy(right).accuracy.mean() == pytest.approx(0.3, abs=0.01)


def test_choosing_among_many_useless_strengths_does_not_inflate_accuracy():
    rng = np.random.default_rng(0)
    right = (rng.random((400, 1, 8, 32)) < 0.3).astype(float)
    best_of_all = right.mean(axis=-1).max(axis=-1).mean()
    # 400 seeds of 32 samples: standard error 0.004.
    assert chosen_accuracy(right).accuracy.mean() == pytest.approx(0.3, abs=0.016)
    assert best_of_all > 0.4


def test_accuracy_refuses_a_single_sample():
    with pytest.raises(ValueError, match=r"at least 2 samples, not \(1, 1, 2, 1\)"):
        chosen_accuracy(np.ones((1, 1, 2, 1)))


def test_smoothing_keeps_a_constant_and_what_was_not_measured():
    values = np.full((2, 9), 0.7)
    values[0, 3] = np.nan
    smoothed = smooth(values, 1.5)
    assert np.isnan(smoothed[0, 3])
    np.testing.assert_allclose(smoothed[~np.isnan(smoothed)], 0.7)


def test_smoothing_spreads_an_impulse_as_a_gaussian_of_checkpoints():
    impulse = np.zeros(41)
    impulse[20] = 1.0
    smoothed = smooth(impulse, 1.5)
    offsets = np.arange(41) - 20
    assert (smoothed * offsets**2).sum() == pytest.approx(1.5**2, rel=0.01)


def test_a_mean_of_nothing_is_not_a_number():
    np.testing.assert_array_equal(
        mean_measured(np.array([[np.nan, np.nan], [1.0, np.nan]]), axis=1), [np.nan, 1.0]
    )
