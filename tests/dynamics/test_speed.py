"""Speed along a path, and kinks of scalar curves."""

import numpy as np
import pytest

from conceptspace.dynamics.speed import kink, speed, speed_interval

STEPS = np.arange(60) * 100.0


@pytest.mark.parametrize("smoothing", [0.0, 1.5, 4.0])
def test_a_steady_path_has_its_speed_everywhere_however_steps_are_spaced(smoothing):
    steps = np.array([0.0, 1, 3, 6, 10, 30, 31])
    points = np.outer(steps, (0.03, 0.04))
    np.testing.assert_allclose(speed(steps, points, smoothing=smoothing), 0.05)


def test_a_resting_path_has_no_speed():
    np.testing.assert_allclose(speed(STEPS, np.full((60, 3), 0.4)), 0, atol=1e-15)


def test_speed_takes_many_paths_at_once():
    points = np.random.default_rng(0).random((4, 5, 60, 2))
    assert speed(STEPS, points).shape == (4, 5, 60)
    np.testing.assert_allclose(speed(STEPS, points)[1, 2], speed(STEPS, points[1, 2]))


def test_speed_is_greatest_where_the_path_moves_fastest():
    points = np.outer(1 / (1 + np.exp(-(np.arange(60) - 20) / 3)), (1, 1))
    assert speed(STEPS, points).argmax() == 20


def test_the_interval_of_the_speed_covers_it_at_most_checkpoints():
    rng = np.random.default_rng(0)
    path = 0.1 + 0.8 * np.outer(np.linspace(0, 1, 60), (1, 0.5))
    values = (rng.random((5, 60, 64, 2)) < path[None, :, None]).astype(float)
    found = speed_interval(STEPS, values, rng=rng, smoothing=3)
    truth = speed(STEPS, path)
    covered = (found.interval[0] <= truth) & (truth <= found.interval[1])
    assert covered.mean() > 0.8
    assert found.value.mean() == pytest.approx(truth.mean(), rel=0.2)


def test_noise_alone_does_not_make_a_path_move():
    rng = np.random.default_rng(0)
    values = (rng.random((5, 60, 32, 2)) < 0.5).astype(float)
    found = speed_interval(STEPS, values, rng=rng)
    assert (found.interval[0] == 0).mean() > 0.8


def decaying(rng, rate=5.0, slope=0.0, noise=0.01, num_seeds=5):
    time = np.linspace(0, 1, 60)
    curve = np.exp(-rate * time) + slope * np.maximum(time - time[25], 0)
    return curve + noise * rng.standard_normal((num_seeds, 60))


def test_a_change_of_slope_is_found_and_measured():
    rng = np.random.default_rng(0)
    found = kink(STEPS, decaying(rng, slope=-3.0), STEPS[25], rng=rng)
    assert found.p_value < 0.05
    assert found.interval[0] < -3.0 / STEPS[-1] < found.interval[1] < 0
    assert found.change_per_seed.shape == (5,)
    assert np.median(found.change_per_seed) < 0


def test_a_change_of_slope_is_found_within_an_interval():
    rng = np.random.default_rng(0)
    found = kink(STEPS, decaying(rng, slope=-3.0), (STEPS[20], STEPS[30]), rng=rng)
    assert found.p_value < 0.05
    assert abs(found.step - STEPS[25]) <= 300


@pytest.mark.parametrize("rate", [1.0, 5.0, 15.0])
def test_a_smooth_decay_has_no_kink(rate):
    rng = np.random.default_rng(0)
    found = [
        kink(STEPS, decaying(rng, rate), STEPS[25], rng=rng, num_resamples=99).p_value <= 0.05
        for _ in range(20)
    ]
    assert sum(found) <= 4  # at 5 % each, five or more of twenty happen in 0.3 % of worlds


def test_a_power_law_has_no_kink():
    rng = np.random.default_rng(0)
    steps = STEPS + 100
    found = [
        kink(
            steps,
            (steps / 100) ** -0.5 + 0.01 * rng.standard_normal((5, 60)),
            steps[20],
            rng=rng,
            num_resamples=99,
        ).p_value
        <= 0.05
        for _ in range(20)
    ]
    assert sum(found) <= 4


def test_a_curve_without_noise_and_without_change_has_no_kink():
    found = kink(STEPS, np.full((1, 60), 0.0), STEPS[30], rng=np.random.default_rng(0))
    assert found.p_value == 1
    assert found.change == 0


SERIES = np.zeros((2, 20))


@pytest.mark.parametrize(
    ("series", "at", "message"),
    [
        (SERIES[0], 1000.0, "series must have the dimensions seed, checkpoint"),
        (SERIES[:, :10], 1000.0, "steps must hold one number for each of the 10 checkpoints"),
        (SERIES * np.nan, 1000.0, "series must be finite numbers, but 40 are not"),
        (SERIES, 100.0, "at must have 4 checkpoints on either side, .* between 300 and 1600"),
        (SERIES, (900.0, 800.0), "at must be a step or an interval"),
        (SERIES, np.nan, "at must be a step or an interval"),
    ],
)
def test_bad_curves_and_steps_are_refused_by_kink(series, at, message):
    with pytest.raises(ValueError, match=message):
        kink(STEPS[:20], series, at, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("points", "smoothing", "message"),
    [
        (np.zeros(60), 1.0, "points must have the dimensions checkpoint, concept"),
        (np.zeros((59, 2)), 1.0, "one number for each of the 59 checkpoints"),
        (np.full((60, 2), np.nan), 1.0, "points must be finite"),
        (np.zeros((60, 2)), -1.0, "smoothing must be 0 or above, not -1.0"),
    ],
)
def test_bad_paths_are_refused_by_speed(points, smoothing, message):
    with pytest.raises(ValueError, match=message):
        speed(STEPS, points, smoothing=smoothing)


def test_values_without_samples_are_refused_by_the_interval_of_the_speed():
    with pytest.raises(ValueError, match="values must have the four dimensions"):
        speed_interval(STEPS, np.zeros((2, 60, 2)), rng=np.random.default_rng(0))
