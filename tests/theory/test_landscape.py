"""The landscape model against exact solutions, and its fit against known parameters and none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from conceptspace.theory.landscape import Landscape, nearest_corner
from conceptspace.theory.landscape_fit import fit_landscape, judge_shift
from conceptspace.theory.landscape_law import fit_rates, predict_left_out

TIMES = np.linspace(100, 4000, 60)
ORIGIN, GOAL = np.array([0.0, 1.0]), np.array([1.0, 1.0])


def landscape(rates, shift=1800.0, width=150.0, start=(0.5, 0.5), origin=ORIGIN, goal=GOAL):
    rates, start = np.array(rates, dtype=float), np.array(start, dtype=float)
    return Landscape(rates, start, origin, goal, np.array(shift), np.array(width))


@settings(max_examples=30)
@given(
    st.floats(-3, 3.5), st.floats(-3, 3.5), st.floats(-3, 14), st.floats(-4, 1.5),
    st.integers(0, 2**16),
)  # fmt: skip
def test_a_path_agrees_with_the_integrated_equation(log_r, log_q, shift, log_width, seed):
    start, origin, goal = np.random.default_rng(seed).uniform(size=(3, 2))
    width = np.exp(log_width)
    model = landscape(np.exp([log_r, log_q]), shift, width, start, origin, goal)
    times = np.linspace(0, 10, 21)
    solved = solve_ivp(
        lambda t, a: model.rates * (model.target(np.array([t]))[0] - a), (0, 10), start, "DOP853",
        t_eval=times, rtol=1e-10, atol=1e-12, max_step=max(width, 0.05),
    )  # fmt: skip
    assert np.abs(model.path(times) - solved.y.T).max() < 1e-7


def test_a_target_that_rests_is_reached_exponentially():
    model = landscape([0.001, 0.004], origin=GOAL)
    expected = 1 - 0.5 * np.exp(-np.outer(TIMES - 100, model.rates))
    np.testing.assert_allclose(model.path(TIMES), expected, atol=1e-12)


def test_a_sudden_shift_joins_two_exponentials():
    model = landscape([0.002, 0.004], shift=2000.0, width=1e-3)
    path = model.path(TIMES)[:, 0]
    before = 0.5 * np.exp(-0.002 * (TIMES - 100))
    at_shift = 0.5 * np.exp(-0.002 * 1900)
    after = 1 - (1 - at_shift) * np.exp(-0.002 * (TIMES - 2000))
    # the sigmoid is 1e-3 wide, so the join is blurred by about the rate times that
    np.testing.assert_allclose(path, np.where(TIMES < 2000, before, after), atol=1e-5)


def test_a_shift_that_never_comes_is_memorisation():
    path = landscape([0.002, 0.004], shift=np.inf).path(np.array([0.0, 1e5]))
    np.testing.assert_allclose(path[-1], ORIGIN, atol=1e-12)


def test_many_settings_at_once_are_each_as_on_their_own():
    rng = np.random.default_rng(0)
    many = Landscape(
        np.exp(rng.uniform(-7, -4, (5, 2))), rng.uniform(size=(5, 2)), np.tile(ORIGIN, (5, 1)),
        np.tile(GOAL, (5, 1)), rng.uniform(500, 5000, 5), rng.uniform(20, 500, 5),
    )  # fmt: skip
    paths = many.path(TIMES)
    for i, path in enumerate(paths):
        one = landscape(many.rates[i], many.shift[i], many.width[i], many.start[i])
        np.testing.assert_allclose(path, one.path(TIMES), atol=1e-12)


def test_the_first_corner_is_right_in_the_strongest_concept_of_the_class():
    signal = np.array([[1.0, 2.0], [3.0, 2.0]])
    assert nearest_corner(np.ones(2), signal).tolist() == [[0, 1], [1, 0]]
    assert nearest_corner(np.array([0.0, 1.0, 1.0]), np.array([9.0, 1, 2])).tolist() == [0, 0, 1]


@pytest.mark.parametrize(("noise", "allowed"), [(0.0, 1e-4), (0.01, 1.0), (0.03, 3.0)])
def test_known_parameters_are_recovered(noise, allowed):
    # Allowed at noise 0.01: rates to 10 %, the shift to 1 % of the run, its width to 15 %.
    for seed in range(4):
        rng = np.random.default_rng(seed)
        rates = np.exp(rng.uniform(np.log(0.001), np.log(0.01), 2))
        true = landscape(rates, rng.uniform(800, 3000), rng.uniform(50, 300))
        measured = true.path(TIMES) + noise * rng.standard_normal((60, 2))
        found = fit_landscape(TIMES, measured, ORIGIN, GOAL, num_starts=5)
        model = found.landscape
        assert np.abs(np.log(model.rates / rates)).max() < 0.1 * allowed
        assert abs(model.shift - true.shift) < 39 * allowed
        assert abs(np.log(model.width / true.width)) < 0.15 * allowed
        assert found.residual < 1.2 * noise + 1e-6
        assert found.r2 > 0.97


@pytest.mark.parametrize("seed", range(4))
def test_a_shift_is_found_where_there_is_one_and_nowhere_else(seed):
    rng = np.random.default_rng(seed)
    rates = np.exp(rng.uniform(np.log(0.001), np.log(0.01), 2))
    noise = 0.03 * rng.standard_normal((60, 2))
    with_shift = landscape(rates).path(TIMES) + noise
    without = landscape(rates, origin=GOAL).path(TIMES) + noise
    assert judge_shift(TIMES, with_shift, ORIGIN, GOAL, num_starts=4).is_found
    null = judge_shift(TIMES, without, ORIGIN, GOAL, num_starts=4)
    assert not null.is_found
    assert null.best is null.resting
    np.testing.assert_allclose(null.best.landscape.rates, rates, rtol=0.3)


def test_a_shift_after_the_last_checkpoint_is_said_to_be_beyond():
    measured = landscape([0.004, 0.006], shift=np.inf).path(TIMES)
    assert fit_landscape(TIMES, measured, ORIGIN, GOAL, num_starts=4).is_beyond


def test_what_was_not_measured_or_has_no_weight_does_not_count():
    measured = landscape([0.003, 0.006]).path(TIMES)
    holes = measured.copy()
    holes[::4] = np.nan
    holes[1::4] = 7.0
    weights = np.ones_like(holes)
    weights[1::4] = 0
    found = fit_landscape(TIMES, holes, ORIGIN, GOAL, weights, num_starts=4)
    np.testing.assert_allclose(found.landscape.rates, [0.003, 0.006], rtol=1e-4)
    assert found.r2 == pytest.approx(1, abs=1e-6)


def test_steps_may_be_counted_in_any_unit():
    measured = landscape([0.003, 0.006]).path(TIMES)
    slow = fit_landscape(TIMES * 1000, measured, ORIGIN, GOAL, num_starts=4).landscape
    np.testing.assert_allclose(slow.rates, [3e-6, 6e-6], rtol=1e-4)
    assert slow.shift == pytest.approx(1.8e6, rel=1e-4)


def settings_of(efficiency, signal, seed):
    """Noisy paths whose rates and shift follow from an efficiency of each axis."""
    rng = np.random.default_rng(seed)
    num, times = len(signal), np.linspace(100, 4000, 30)
    model = Landscape(
        0.003 * efficiency, np.full((num, 2), 0.5), nearest_corner(GOAL, signal),
        np.tile(GOAL, (num, 1)), 1500 / efficiency.min(axis=1), np.full(num, 200.0),
    )  # fmt: skip
    return times, model.path(times) + 0.02 * rng.standard_normal((num, 30, 2))


SIGNAL = np.stack([np.linspace(0.5, 2, 6), np.full(6, 2.2)], axis=1)


def test_unseen_settings_are_predicted_where_rates_follow_from_the_signal():
    times, measured = settings_of(SIGNAL, SIGNAL, 0)
    found = predict_left_out(times, measured, SIGNAL, GOAL, num_starts=3)
    law = fit_rates(SIGNAL, np.stack([fit.landscape.rates for fit in found.fits]))
    # 0.02 noise on 30 checkpoints leaves each rate known to about 10 %
    assert law.slope == pytest.approx(1, abs=0.2)
    assert law.slope_interval[0] < 1 < law.slope_interval[1] + 0.1
    assert found.pooled_r2 > 0.97
    assert found.pooled_r2 > found.baseline_r2 + 0.1
    assert found.r2.min() > 0.9


def test_unseen_settings_are_not_predicted_where_rates_have_nothing_to_do_with_it():
    efficiency = np.exp(np.random.default_rng(5).uniform(np.log(0.5), np.log(2.2), (6, 2)))
    times, measured = settings_of(efficiency, SIGNAL, 0)
    found = predict_left_out(times, measured, SIGNAL, GOAL, num_starts=3)
    law = fit_rates(SIGNAL, np.stack([fit.landscape.rates for fit in found.fits]))
    assert law.slope_interval[0] < 0
    assert found.pooled_r2 < 0.9


def test_the_law_of_rates_is_a_line_in_logarithms():
    signal = np.array([[1.0, 2.0], [4.0, 8.0]])
    law = fit_rates(signal, 0.5 * signal**1.5)
    assert (law.slope, np.exp(law.intercept)) == (pytest.approx(1.5), pytest.approx(0.5))
    assert law.r2 == pytest.approx(1)
    assert law.rate(np.array(16.0)) == pytest.approx(32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": TIMES[::-1]}, "times must be a row of at least two rising numbers"),
        ({"measured": np.zeros((59, 2))}, r"measured must be \(time, axis\) with 60 times"),
        ({"measured": np.full((60, 2), np.nan)}, "measured must hold a number with weight"),
        ({"origin": np.zeros(3)}, "origin must hold 2 finite numbers"),
        ({"goal": np.array([1, np.nan])}, "goal must hold 2 finite numbers"),
        ({"weights": -np.ones((60, 2))}, "weights must be as many as measured, each 0 or more"),
        ({"num_starts": 0}, "num_starts must be at least 1, not 0"),
        (
            {"times": TIMES[:2], "measured": np.zeros((2, 2))},
            "measured has 4 numbers with weight for 6 parameters",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    given_ = {"times": TIMES, "measured": np.zeros((60, 2)), "origin": ORIGIN, "goal": GOAL}
    with pytest.raises(ValueError, match=message):
        fit_landscape(**(given_ | change))


def test_impossible_models_and_settings_are_refused():
    with pytest.raises(ValueError, match="rates must be finite and above 0"):
        landscape([0.0, 1.0])
    with pytest.raises(ValueError, match="width must be finite and above 0"):
        landscape([1.0, 1.0], width=0.0)
    with pytest.raises(ValueError, match="shift must be a time"):
        landscape([1.0, 1.0], shift=np.nan)
    with pytest.raises(ValueError, match="times must be a row of rising numbers"):
        landscape([1.0, 1.0]).path(np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="measured has 2 settings; give at least 3"):
        predict_left_out(TIMES, np.zeros((2, 60, 2)), np.ones((2, 2)), GOAL)
    with pytest.raises(ValueError, match="rates must hold finite numbers above 0"):
        fit_rates(SIGNAL, -SIGNAL)
    with pytest.raises(ValueError, match="two of them different"):
        fit_rates(np.ones((2, 2)), np.ones((2, 2)))
