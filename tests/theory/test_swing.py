"""The swing-by verdict both ways, and what the signals say beforehand against the simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conceptspace.theory.expected import (
    learning_order,
    one_layer_times,
    own_start,
    terminal_rates,
    turn_times,
    two_layer_times,
)
from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import one_layer, ood_loss, outputs, starting_weights
from conceptspace.theory.swing import arrival_times, reversals, swing_by
from conceptspace.theory.two_layer import two_layer

TASK = IdentityTask(mu=(1, 2), sigma=(0.05,))
TIMES = np.linspace(0, 40, 4001)


def judged(task=TASK, times=TIMES, **start):
    weights = two_layer(task, starting_weights(task, Start(**start)), times)
    return swing_by(times, ood_loss(task, outputs(task, weights)))


def arrivals(task, weights, times=TIMES):
    return arrival_times(times, outputs(task, weights)[:, : task.num_concepts], np.array(task.mu))


def test_the_same_number_in_every_entry_swings_by():
    found = judged(diagonal=0.01, off_diagonal=0.01)
    assert found.appears
    assert found.turn_time == pytest.approx(1.70, abs=0.02)
    assert found.rise > 0.05
    assert found.turn_time < found.return_time < 8
    assert found.in_words().startswith("swing-by: the loss at the probe falls, rises by 7.8 %")


def test_the_diagonal_alone_does_not():
    found = judged(diagonal=0.01, off_diagonal=0.0)
    assert (found.appears, found.turn_time, found.rise) == (False, None, 0.0)
    assert "never rises" in found.in_words()


@pytest.mark.parametrize("nudge", [1e-12, 1e-9, 1e-4, 1e-3])
def test_whether_it_swings_does_not_hang_on_the_size_of_the_nudge(nudge):
    assert judged(nudge=nudge).appears
    assert not judged(nudge=nudge, off_diagonal=0.0).appears


def test_a_start_a_little_smaller_beside_the_diagonal_swings_by_without_a_nudge():
    assert judged(off_diagonal=0.009, nudge=0).appears
    assert not judged(off_diagonal=0.005, nudge=0).appears


def test_a_start_of_rank_one_rises_and_stays_in_the_training_corner():
    found = judged(nudge=0)
    assert not found.appears
    assert found.turn_time is not None
    assert found.return_time is None
    assert "falls no more" in found.in_words()


def test_one_layer_falls_all_the_way_from_a_small_start():
    loss = ood_loss(TASK, outputs(TASK, one_layer(TASK, np.full((2, 2), 0.01), TIMES)))
    assert (np.diff(loss) <= 0).all()
    assert not swing_by(TIMES, loss).appears


@given(st.integers(0, 2**16), st.floats(0.02, 0.3))
def test_legs_smaller_than_the_tolerance_never_count(seed, tolerance):
    falling = np.exp(-np.linspace(0, 5, 60))
    noise = np.random.default_rng(seed).uniform(-0.49, 0.49, 60) * tolerance
    noise[0] = 0
    assert not swing_by(np.arange(60), falling + noise + 1 - falling[0], tolerance).appears


@given(st.floats(0.02, 0.4), st.floats(0.01, 0.4))
def test_a_swing_counts_just_when_its_legs_exceed_the_tolerance(leg, tolerance):
    loss = np.array([1.0, 0.5, 0.5 + leg, 0.5])
    if abs(leg - tolerance) > 1e-9:
        assert swing_by(np.arange(4), loss, tolerance).appears == (leg > tolerance)


def test_a_curve_is_cut_where_it_turns_round():
    curve = np.array([0.0, 1.0, 0.95, 2.0, 0.5, 0.55, 0.1, 3.0])
    assert reversals(curve, 0.2) == [0, 3, 6, 7]
    assert reversals(curve, 10.0) == [0]


@pytest.mark.parametrize(
    ("loss", "tolerance", "message"),
    [
        ([1.0, np.nan], 0.1, "loss must be finite"),
        ([0.0, 1.0], 0.1, "its first number above 0"),
        ([1.0], 0.1, "must be rows of one length"),
        ([1.0, 0.5], 0.0, "tolerance must be between 0 and 1, not 0.0"),
    ],
)
def test_what_cannot_be_judged_is_refused(loss, tolerance, message):
    with pytest.raises(ValueError, match=message):
        swing_by(np.arange(2), np.array(loss), tolerance)


def test_a_concept_arrives_when_it_comes_to_stay():
    answers = np.array([[0.0, 0.0], [1.0, 0.5], [0.5, 0.7], [0.95, 0.8], [1.02, 0.85]])
    found = arrival_times(np.arange(5), answers, np.ones(2))
    assert found.tolist() == [3.0, np.inf]


def test_the_stronger_signal_comes_first_in_both_models():
    task = IdentityTask(mu=(1.2, 2.0, 0.8), sigma=(0.05, 0.1, 0.05))
    assert learning_order(task) == [1, 0, 2]
    start = starting_weights(task, Start())
    times = np.linspace(0, 60, 6001)
    for weights in (one_layer(task, start, times), two_layer(task, start, times)):
        assert np.argsort(arrivals(task, weights, times)).tolist() == [1, 0, 2]


def test_equal_signals_keep_their_own_order():
    assert learning_order(IdentityTask(mu=(1, 1, 2))) == [2, 0, 1]


def test_learning_times_of_a_diagonal_start_are_exact():
    start = np.diag([0.02, 0.3])
    fine = np.linspace(0, 10, 10001)
    found = arrivals(TASK, one_layer(TASK, start, fine), fine)
    np.testing.assert_allclose(found, one_layer_times(TASK, start), atol=1.1e-3)
    found = arrivals(TASK, two_layer(TASK, start, fine), fine)
    np.testing.assert_allclose(found, two_layer_times(TASK, start), atol=1.1e-3)


@pytest.mark.parametrize("mu", [(1.0, 2.0), (1.0, 1.5), (1.0, 3.0), (1.0, 2.0, 3.0)])
@pytest.mark.parametrize("start", [{}, {"nudge": 1e-9}, {"off_diagonal": 0.009, "nudge": 0}])
def test_the_weaker_concepts_learning_times_are_within_two_per_cent(mu, start):
    task, times = IdentityTask(mu=mu), np.linspace(0, 40, 8001)
    begun = starting_weights(task, Start(**start))
    found = arrivals(task, two_layer(task, begun, times), times)
    expected = two_layer_times(task, begun)
    np.testing.assert_allclose(expected[:-1], found[:-1], rtol=0.02 if len(mu) < 3 else 0.04)
    # The strongest is helped a little by the others' entries, which the expectation leaves out.
    assert found[-1] <= expected[-1] <= 1.2 * found[-1]


def test_what_has_no_start_of_its_own_is_expected_never_to_be_learned():
    start = starting_weights(TASK, Start(nudge=0))
    assert own_start(TASK, start).tolist() == [0.0, 0.01]
    assert two_layer_times(TASK, start)[0] == np.inf
    assert arrivals(TASK, two_layer(TASK, start, TIMES))[0] == np.inf


@pytest.mark.parametrize("mu", [(1.0, 1.5), (1.0, 2.0), (1.0, 3.0), (2.0, 1.0)])
def test_the_turn_is_where_the_signals_say(mu):
    task, fine = IdentityTask(mu=mu), np.linspace(0, 8, 8001)
    start = starting_weights(task, Start())
    weights = two_layer(task, start, fine)
    peak = fine[weights[:, 0, 1].argmax()]
    weak = int(np.argmin(mu))
    assert turn_times(task, start)[weak] == pytest.approx(peak, rel=0.02)
    assert turn_times(task, start)[1 - weak] == np.inf


@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_end_slows_down_as_the_weakest_signal_says(num_layers):
    solve = {1: one_layer, 2: two_layer}[num_layers]
    start = starting_weights(TASK, Start())
    end = np.array([24.0, 25.0])
    loss = ood_loss(TASK, outputs(TASK, solve(TASK, start, end)))
    rate = -np.diff(np.log(loss))[0]
    assert rate == pytest.approx(2 * terminal_rates(TASK, num_layers).min(), rel=0.01)


def test_other_numbers_of_layers_and_thresholds_are_refused():
    with pytest.raises(ValueError, match="num_layers must be 1 or 2, not 3"):
        terminal_rates(TASK, 3)
    with pytest.raises(ValueError, match=r"threshold must be between 0 and 1, not 1\.0"):
        two_layer_times(TASK, np.eye(2), 1.0)
