"""Memorisation is found where it is, and a lucky low point is not taken for it."""

import numpy as np
import pytest

from conceptspace.dynamics.memorisation import memorisation
from conceptspace.dynamics.settings import FindingsSettings

SETTINGS = FindingsSettings(num_resamples=300)
CHECKPOINT = np.arange(40)


def samples(curve, rng, num_seeds=5, num_samples=32):
    """Binary samples around a curve (checkpoint,) or (seed, checkpoint)."""
    curve = np.broadcast_to(curve, (num_seeds, 40))
    return (rng.random((num_seeds, 40, num_samples)) < curve[..., None]).astype(float)


def found_in(curve, seed=0, **options):
    rng = np.random.default_rng(seed)
    return memorisation(samples(curve, rng), rng=rng, settings=SETTINGS, **options)


def dip(depth, centre=15.0):
    return 0.45 - depth * np.exp(-(((CHECKPOINT - centre) / 6) ** 2))


def test_a_fall_and_the_rise_after_it_are_measured():
    found = found_in(dip(0.35))
    assert found.memorises
    assert found.turns_later
    # Smoothing and misplaced minima take a little off a fall of 0.35.
    assert -0.38 < found.fall < -0.27
    assert 0.27 < found.rise < 0.38
    np.testing.assert_allclose(found.lowest, 15, atol=4)


def test_the_fall_s_interval_holds_it():
    found = found_in(dip(0.35))
    assert found.fall_interval[0] < found.fall < found.fall_interval[1] < 0


def test_a_coordinate_that_only_falls_memorises_and_does_not_turn():
    found = found_in(0.45 - 0.4 * np.minimum(CHECKPOINT / 15, 1))
    assert found.memorises
    assert not found.turns_later


def test_a_coordinate_that_only_rises_does_not_memorise():
    found = found_in(0.3 + 0.6 * CHECKPOINT / 40)
    assert not found.memorises
    assert found.fall > 0


def test_seeds_that_fall_at_different_steps_are_each_looked_at():
    curves = np.stack([dip(0.35, centre) for centre in (8, 12, 18, 26, 32)])
    found = found_in(curves)
    assert found.memorises
    assert (found.fall_per_seed < -0.1).all()
    np.testing.assert_allclose(found.lowest, [8, 12, 18, 26, 32], atol=4)


def test_the_lowest_point_of_noise_is_not_a_fall():
    rng = np.random.default_rng(1)
    runs = [
        memorisation(samples(np.full(40, 0.45), rng), rng=rng, settings=SETTINGS)
        for _ in range(120)
    ]
    # At most 2.5 % by the interval's lower tail; 120 runs, about 3 standard errors.
    assert np.mean([run.memorises for run in runs]) <= 0.07
    assert np.mean([run.turns_later for run in runs]) <= 0.07
    # No bias: the lowest smoothed value itself lies 0.05 below the mean.
    assert abs(np.mean([run.fall for run in runs])) < 0.01


def test_nothing_after_the_last_checkpoint_that_counts_is_looked_at():
    found = found_in(dip(0.35, centre=25.0), until=np.full(5, 14))
    assert not found.memorises
    assert (found.lowest <= 14).all()


def test_a_seed_with_nothing_to_look_at_is_left_out():
    found = found_in(dip(0.35), until=np.array([20, 20, -1, 20, 20]))
    assert found.memorises
    assert np.isnan(found.fall_per_seed).tolist() == [False, False, True, False, False]


def test_without_any_seed_to_look_at_nothing_is_known():
    found = found_in(dip(0.35), until=np.full(5, -1))
    assert np.isnan(found.fall)
    assert not found.memorises


def test_too_few_checkpoints_are_refused():
    with pytest.raises(ValueError, match=r"4 checkpoints, not \(2, 3, 8\)"):
        memorisation(np.zeros((2, 3, 8)), rng=np.random.default_rng(0))
