"""Turns: found where a path changes direction, not where it bends, learns in order, or rests."""

import numpy as np
import pytest

from conceptspace.dynamics.progress import exponential, sigmoid
from conceptspace.dynamics.turns import Turn, TurnAnalysis, turning_points

TIME = np.linspace(0, 1, 60)


def read(path, rng, num_seeds=5, num_samples=32):
    shape = (num_seeds, len(path), num_samples, path.shape[1])
    return (rng.random(shape) < path[None, :, None]).astype(float)


def polyline(*corners, checkpoints):
    axes = np.array(corners).T
    return np.stack([np.interp(np.arange(60), checkpoints, axis) for axis in axes], axis=1)


def line(progress, start, end):
    return np.array(start) + np.outer(progress, np.subtract(end, start))


def analyse(path, seed=0, **arguments):
    rng = np.random.default_rng(seed)
    arguments = {"num_resamples": 199} | arguments
    return turning_points(np.arange(60) * 10, read(path, rng), rng=rng, **arguments)


SWING = polyline((0.5, 0.5), (0.1, 0.9), (0.9, 0.95), checkpoints=(0, 25, 59))


@pytest.fixture(scope="module")
def swing():
    return analyse(SWING)


def test_a_swing_has_one_turn(swing):
    assert len(swing.turns) == 1
    assert swing.turns[0] == swing.candidate


def test_the_turn_lies_in_its_interval_and_within_two_checkpoints(swing):
    turn = swing.turns[0]
    assert turn.interval[0] < 250 < turn.interval[1]
    assert turn.interval[0] <= turn.step <= turn.interval[1]
    assert abs(turn.step - 250) < 20


def test_the_interval_is_a_few_checkpoints_wide(swing):
    assert np.ptp(swing.turns[0].interval) < 60


def test_corner_angle_and_legs_of_the_turn_are_found(swing):
    turn = swing.turns[0]
    np.testing.assert_allclose(turn.point, (0.1, 0.9), atol=0.05)
    assert turn.angle == pytest.approx(131.4, abs=12)
    np.testing.assert_allclose(turn.leg_lengths, (0.566, 0.802), atol=0.08)


def test_every_seed_has_its_own_step(swing):
    assert swing.seed_steps.shape == (5,)
    assert np.abs(np.median(swing.seed_steps) - 250) < 60


def test_a_path_that_goes_back_on_itself_turns():
    path = polyline((0.2, 0.3), (0.8, 0.7), (0.2, 0.3), checkpoints=(0, 30, 59))
    turn = analyse(path).turns[0]
    assert turn.angle > 160
    assert turn.interval[0] < 300 < turn.interval[1]


def test_a_coordinate_that_falls_and_then_rises_turns():
    path = polyline((0.5, 0.1), (0.1, 0.5), (0.6, 0.9), checkpoints=(0, 25, 59))
    assert len(analyse(path).turns) == 1


def test_a_turn_in_three_concepts_is_found():
    path = polyline((0.5, 0.5, 0.2), (0.1, 0.9, 0.5), (0.9, 0.9, 0.8), checkpoints=(0, 30, 59))
    turn = analyse(path).turns[0]
    assert turn.point.shape == (3,)
    assert abs(turn.step - 300) < 30


def test_steps_may_be_spaced_unevenly():
    rng = np.random.default_rng(0)
    steps = 100 + np.linspace(0, 100, 60) ** 2
    turn = turning_points(steps, read(SWING, rng), rng=rng, num_resamples=99).turns[0]
    assert turn.interval[0] < steps[25] < turn.interval[1]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(line(TIME, (0.1, 0.2), (0.9, 0.8)), id="constant speed"),
        pytest.param(line(sigmoid(TIME, 0.4, 0.05), (0.1, 0.2), (0.9, 0.8)), id="sigmoid"),
        pytest.param(line(exponential(TIME, 10), (0.5, 0.5), (0.02, 0.98)), id="rest in a corner"),
        pytest.param(line(np.minimum(2 * TIME, 1), (0.4, 0.4), (0.02, 0.98)), id="abrupt stop"),
        pytest.param(np.full((60, 2), 0.5), id="standing still"),
    ],
)
def test_a_straight_path_has_no_turn_whatever_its_speed(path):
    found = [bool(analyse(path, seed, num_resamples=99).turns) for seed in range(6)]
    assert sum(found) <= 1  # at 5 % each, two or more of six happen in 3 % of worlds


@pytest.mark.parametrize("ratio", [1, 3, 10])
def test_independent_learning_has_no_turn(ratio):
    path = 0.1 + 0.85 * np.stack([1 - np.exp(-2 * TIME), 1 - np.exp(-2 * ratio * TIME)], axis=1)
    found = [bool(analyse(path, seed, num_resamples=99).turns) for seed in range(6)]
    assert sum(found) <= 1


def test_a_quarter_circle_has_no_turn():
    path = 0.15 + 0.7 * np.stack([np.sin(TIME * np.pi / 2), 1 - np.cos(TIME * np.pi / 2)], axis=1)
    found = [bool(analyse(path, seed, num_resamples=99).turns) for seed in range(6)]
    assert sum(found) <= 1


def test_the_interval_covers_a_rest_in_the_corner():
    index = np.arange(60)
    arrives = sigmoid(np.clip(index / 15, 0, 1), 0.5, 0.1)
    leaves = np.clip((index - 40) / 19, 0, 1)
    path = np.array([0.45, 0.5]) + np.outer(arrives, (-0.35, 0.45)) + np.outer(leaves, (0.8, 0.05))
    turn = analyse(path).turns[0]
    assert turn.interval[0] < 200
    assert turn.interval[1] > 350


def test_a_path_that_speeds_up_out_of_the_corner_turns_where_it_leaves():
    index = np.arange(60)
    arrives = sigmoid(np.clip(index / 25, 0, 1), 0.5, 0.1)
    leaves = np.clip((index - 25) / 34, 0, 1) ** 2
    path = np.array([0.45, 0.5]) + np.outer(arrives, (-0.35, 0.45)) + np.outer(leaves, (0.8, 0.05))
    turn = analyse(path).turns[0]
    assert 150 < turn.step < 320
    np.testing.assert_allclose(turn.point, (0.1, 0.95), atol=0.06)


def test_seeds_that_turn_at_different_steps_widen_the_interval(swing):
    rng = np.random.default_rng(0)
    paths = [
        polyline((0.5, 0.5), (0.1, 0.9), (0.9, 0.95), checkpoints=(0, knot, 59))
        for knot in (15, 20, 25, 30, 35)
    ]
    values = np.concatenate([read(path, rng, num_seeds=1) for path in paths])
    found = turning_points(np.arange(60) * 10, values, rng=rng, num_resamples=199)
    assert np.ptp(found.candidate.interval) > 2 * np.ptp(swing.candidate.interval)
    assert found.seed_share > 0.5


def test_samples_that_go_together_over_checkpoints_widen_the_interval():
    rng = np.random.default_rng(0)
    levels = rng.random((5, 1, 32, 2))
    values = (levels < SWING[None, :, None]).astype(float)
    widths = [
        np.ptp(
            turning_points(
                np.arange(60), values, rng=np.random.default_rng(1), num_resamples=99, paired=paired
            ).candidate.interval
        )
        for paired in (None, True, False)
    ]
    assert widths[0] == widths[1] != widths[2]


def test_one_seed_is_enough():
    rng = np.random.default_rng(0)
    found = turning_points(
        np.arange(60), read(SWING, rng, num_seeds=1, num_samples=100), rng=rng, num_resamples=99
    )
    assert len(found.turns) == 1
    assert found.seed_share == 0


def test_eight_checkpoints_are_enough():
    rng = np.random.default_rng(0)
    path = np.stack([np.interp(np.arange(8), (0, 4, 7), axis) for axis in SWING[[0, 25, 59]].T], 1)
    found = turning_points(np.arange(8), read(path, rng, num_samples=200), rng=rng)
    assert isinstance(found, TurnAnalysis)
    assert isinstance(found.candidate, Turn)
    assert 2 <= found.candidate.step <= 5


def test_a_path_without_any_noise_has_a_turn_where_it_kinks():
    values = np.repeat(SWING[None, :, None], 8, axis=2).repeat(2, axis=0)
    found = turning_points(np.arange(60), values, rng=np.random.default_rng(0), num_resamples=99)
    assert abs(found.candidate.step - 25) < 1


def test_the_same_generator_gives_the_same_turn(swing):
    assert analyse(SWING).candidate.interval == swing.candidate.interval


VALUES = np.full((2, 10, 4, 2), 0.5)


@pytest.mark.parametrize(
    ("steps", "values", "message"),
    [
        (np.arange(10.0), VALUES[0], r"values must have the four dimensions .* shape \(10, 4, 2\)"),
        (np.arange(9.0), VALUES, "steps must hold one number for each of the 10 checkpoints"),
        (np.arange(7.0), VALUES[:, :7], "at least 8 checkpoints, not 7"),
        (np.arange(10.0)[::-1], VALUES, r"steps must rise, but step 8.0 follows step 9.0"),
        (np.zeros(10), VALUES, "steps must rise"),
        (np.full(10, np.nan), VALUES, "steps must be finite numbers, but 10 are not"),
        (np.arange(10.0), VALUES[..., :1], "at least 1 seed, 2 samples and 2 concepts"),
        (np.arange(10.0), VALUES[:, :, :1], "at least 1 seed, 2 samples and 2 concepts"),
        (np.arange(10.0), VALUES[:0], "at least 1 seed, 2 samples and 2 concepts"),
    ],
)
def test_wrong_shapes_and_steps_are_refused(steps, values, message):
    with pytest.raises(ValueError, match=message):
        turning_points(steps, values, rng=np.random.default_rng(0))


def test_nan_is_refused_with_its_place():
    values = VALUES.copy()
    values[1, 2, 3, 0] = np.nan
    with pytest.raises(ValueError, match=r"values must be finite .* the first at \(1, 2, 3, 0\)"):
        turning_points(np.arange(10.0), values, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"significance": 0.0}, "significance must lie between 0 and 1, not 0.0"),
        ({"num_resamples": 5}, "num_resamples must be at least 19, not 5"),
    ],
)
def test_settings_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        turning_points(np.arange(10.0), VALUES, rng=np.random.default_rng(0), **arguments)
