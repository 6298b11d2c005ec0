"""The published definitions, which claims do not use."""

import numpy as np

from conceptspace.dynamics.published import published_accuracy, published_times


def test_accuracy_is_the_product_of_mean_probabilities_at_the_best_strength():
    probability = np.zeros((2, 3, 4, 2))  # seed, strength, sample, concept
    probability[0, 1] = [[1, 1], [1, 0], [0, 1], [0, 0]]
    probability[1, 2] = 0.9
    np.testing.assert_allclose(published_accuracy(probability), [0.25, 0.81])


def test_what_was_not_measured_is_left_out():
    probability = np.full((2, 2, 4, 2), np.nan)
    probability[0, 0, :2] = 0.5
    found = published_accuracy(probability)
    assert found[0] == 0.25
    assert np.isnan(found[1])


def test_a_time_is_the_middle_of_the_first_three_checkpoints_above():
    steps = np.arange(100, 800, 100)
    accuracy = np.array([[0, 0.95, 0.5, 0.95, 0.95, 1, 1], [0, 0, 0, 0, 0, 0.95, 0.95]])
    assert published_times(steps, accuracy).tolist() == [400.0, 700.0]
