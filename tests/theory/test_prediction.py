"""Censored regression, rank correlation and coverage against known answers, and against none."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from conceptspace.theory.censored import concordance, fit_times
from conceptspace.theory.prediction import coverage, order_within, predict_other_half


def drawn(seed, num=400, slope=-1.2, spread=0.3, end=np.inf):
    """Signals and log-normal times around 1000 * signal**slope, those beyond the end infinite."""
    rng = np.random.default_rng(seed)
    signal = np.exp(rng.uniform(-1, 1, num))
    times = 1000 * signal**slope * np.exp(spread * rng.standard_normal(num))
    return signal, np.where(times > end, np.inf, times)


def test_without_censoring_the_law_is_the_least_squares_line():
    signal, times = drawn(0)
    law = fit_times(signal, times, 1e9)
    line = stats.linregress(np.log(signal), np.log(times))
    assert law.slope == pytest.approx(line.slope, abs=1e-5)
    assert law.intercept == pytest.approx(line.intercept, abs=1e-5)
    assert law.covariance[1, 1] ** 0.5 == pytest.approx(line.stderr, rel=0.01)


@pytest.mark.parametrize("end", [3000.0, 1000.0, 500.0])
def test_the_slope_is_recovered_however_much_is_censored(end):
    # From 7 to 78 % of 400 times are censored: the slope's standard errors are 0.03, 0.05, 0.13.
    true = np.array([np.log(1000), -1.2, np.log(0.3)])
    apart = []
    for seed in range(20):
        signal, times = drawn(seed, end=end)
        law = fit_times(signal, times, end)
        found = np.array([law.intercept, law.slope, np.log(law.spread)])
        apart.append((found - true) / np.sqrt(np.diag(law.covariance)))
    assert np.abs(np.mean(apart, axis=0)).max() < 3 / 20**0.5
    assert np.abs(apart).max() < 4


def test_taking_the_end_for_the_time_would_be_wrong():
    signal, times = drawn(1, end=800.0)
    naive = stats.linregress(np.log(signal), np.log(np.minimum(times, 800.0))).slope
    assert abs(naive + 1.2) > 3 * abs(fit_times(signal, times, 800.0).slope + 1.2)


def test_the_slope_s_interval_covers_it_as_often_as_it_says():
    covered = 0
    for seed in range(100):
        signal, times = drawn(seed, num=60, end=1200.0)
        low, high = fit_times(signal, times, 1200.0).slope_interval()
        covered += low <= -1.2 <= high
    # Nominal 95 %; of 100 at 95 %, fewer than 89 cover with probability 1 %.
    assert covered >= 89


def test_the_covariance_is_the_curvature_of_the_likelihood():
    signal, times = drawn(2, num=80, end=900.0)
    law = fit_times(signal, times, 900.0)
    logs = np.log(np.minimum(times, 900.0))

    def likelihood(at):
        z = (logs - at[0] - at[1] * np.log(signal)) / np.exp(at[2])
        return np.where(np.isfinite(times), stats.norm.logpdf(z) - at[2], stats.norm.logsf(z)).sum()

    at = np.array([law.intercept, law.slope, np.log(law.spread)])
    size = 1e-4
    curvature = np.empty((3, 3))
    for i, j in np.ndindex(3, 3):
        a, b = size * np.eye(3)[i], size * np.eye(3)[j]
        corners = [likelihood(at + s * a + t * b) * s * t for s in (1, -1) for t in (1, -1)]
        curvature[i, j] = -sum(corners) / (4 * size**2)
    np.testing.assert_allclose(np.linalg.inv(law.covariance), curvature, rtol=1e-3, atol=0.05)
    # and the fit is where the likelihood is highest
    for step in size * 10 * np.concatenate([np.eye(3), -np.eye(3)]):
        assert likelihood(at + step) < likelihood(at) + 1e-7


def test_times_on_a_line_leave_hardly_any_spread():
    signal = np.array([1.0, 2.0, 4.0, 8.0])
    law = fit_times(signal, 100 / signal, 1000.0)
    assert law.slope == pytest.approx(-1, abs=1e-4)
    assert law.spread < 1e-3


def plain_concordance(predicted, times, ends):
    right = pairs = 0.0
    for i, j in itertools.permutations(range(len(times)), 2):
        cut = times[j] if np.isfinite(times[j]) else ends[j]
        later = cut > times[i] or (cut == times[i] and not np.isfinite(times[j]))
        if np.isfinite(times[i]) and later:
            pairs += 1
            right += 0.5 + 0.5 * np.sign(predicted[j] - predicted[i])
    return (right / pairs if pairs else np.nan), pairs


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5), st.booleans()), min_size=1, max_size=9)
)
def test_concordance_agrees_with_counting_pairs(rows):
    predicted, cut, happened = (np.array(column) for column in zip(*rows))
    times, ends = np.where(happened, cut, np.inf).astype(float), cut.astype(float)
    found = concordance(predicted.astype(float), times, ends)
    share, pairs = plain_concordance(predicted, times, ends)
    assert found.num_pairs == pairs
    np.testing.assert_allclose(found.share, share)


def test_concordance_without_censoring_or_ties_is_kendall_s_tau():
    rng = np.random.default_rng(3)
    predicted, times = rng.uniform(1, 2, (2, 40))
    expected = stats.kendalltau(predicted, times).statistic
    assert concordance(predicted, times, 10.0).tau == pytest.approx(expected)


def test_two_censored_times_are_no_pair():
    assert concordance(np.array([1.0, 2.0]), np.full(2, np.inf), 5.0).num_pairs == 0


def sweep(seed, slope=-1.2, num=12, end=2500.0, spread=0.3):
    """Settings of two concepts and five seeds."""
    rng = np.random.default_rng(seed)
    signal = np.exp(rng.uniform(-1, 1, (num, 2)))
    noise = np.exp(spread * rng.standard_normal((num, 2, 5)))
    times = 1000 * signal[..., None] ** slope * noise
    return signal, np.where(times > end, np.inf, times)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_signal_sets_the_time_the_other_half_is_predicted(seed):
    signal, times = sweep(seed)
    found = predict_other_half(signal, times, 2500.0, np.random.default_rng(seed))
    assert found.is_fitted.sum() == 6
    assert found.law.slope == pytest.approx(-1.2, abs=0.35)
    assert found.concordance.share > 0.75
    assert found.concordance.interval[0] <= found.concordance.share
    assert found.order.share > 0.75
    assert found.verdict == "holds"


@pytest.mark.parametrize("seed", range(4))
def test_where_it_does_not_nothing_is_claimed(seed):
    signal, times = sweep(seed, slope=0.0)
    found = predict_other_half(signal, times, 2500.0, np.random.default_rng(seed))
    assert found.verdict == "does not hold"
    assert abs(found.order.tau) < 0.5


def test_a_signal_that_slows_learning_down_is_not_taken_for_one_that_speeds_it_up():
    signal, times = sweep(0, slope=1.2, end=np.inf)
    ends = np.full_like(times, 1e6)
    found = predict_other_half(signal, times, ends, np.random.default_rng(0))
    assert found.law.slope > 0
    assert order_within(signal, times, ends).share < 0.25


def test_few_scored_settings_are_inconclusive():
    signal, times = sweep(0, num=8)
    found = predict_other_half(signal, times, 2500.0, np.random.default_rng(0))
    assert found.verdict == "inconclusive"


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("end", [1e9, 1500.0])
def test_intervals_hold_as_many_times_as_they_say(confidence, end):
    signal, times = drawn(4, num=200, end=end)
    law = fit_times(signal, times, end)
    fresh, new = drawn(5, num=2000, end=end)
    share = coverage(law, fresh, new, np.full(2000, end), confidence)
    # 2000 times, up to 30 % of them censored: a standard error of 0.012, and 0.03 of the law's own
    assert share == pytest.approx(confidence, abs=0.05)


def test_intervals_that_are_too_narrow_are_noticed():
    signal, times = drawn(4, spread=0.1)
    law = fit_times(signal, times, 1e9)
    fresh, new = drawn(5, spread=0.5)
    assert coverage(law, fresh, new, np.full(400, 1e9), 0.95) < 0.5


def test_seeds_that_are_not_there_are_left_out():
    signal, times = sweep(1)
    with_holes = np.concatenate([times, np.full((12, 2, 2), np.nan)], axis=2)
    whole, holed = (
        predict_other_half(signal, t, 2500.0, np.random.default_rng(0)) for t in (times, with_holes)
    )
    assert holed.law.slope == whole.law.slope
    assert holed.concordance.share == whole.concordance.share
    np.testing.assert_array_equal(holed.measured, whole.measured)


@pytest.mark.parametrize(
    ("signal", "times", "ends", "message"),
    [
        ([1, 2, 3], [5, 6], 9.0, r"signal \(3,\) and times \(2,\) must be equally long rows"),
        ([1, -2, 3], [5, 6, 7], 9.0, "signal must hold finite numbers above 0"),
        ([1, 2, 3], [5, 6, np.nan], 9.0, "times must be above 0, infinite where never"),
        ([1, 2, 3], [5, 6, 12], 9.0, "ends must not lie before times"),
        ([1, 2, 3], [5, np.inf, np.inf], 9.0, "only 1 of 3 times are not censored"),
        ([1, 1, 1], [5, 6, 7], 9.0, "all signals are 1"),
        ([1, 1, 1, 2], [5, 6, 7, np.inf], 9.0, "all times that are not censored are of one signal"),
    ],
)
def test_what_gives_no_law_is_refused(signal, times, ends, message):
    with pytest.raises(ValueError, match=message):
        fit_times(np.array(signal, dtype=float), np.array(times, dtype=float), ends)


def test_predictions_of_wrong_shapes_or_halves_are_refused():
    signal, times = sweep(0)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"times \(12, 2\) must be \(setting, concept, seed\)"):
        predict_other_half(signal, times[..., 0], 2500.0, rng)
    with pytest.raises(ValueError, match="confidence must be between 0 and 1, not 95"):
        predict_other_half(signal, times, 2500.0, rng, confidence=95)
    with pytest.raises(ValueError, match="is_fitted must choose some but not all of the 12"):
        predict_other_half(signal, times, 2500.0, rng, is_fitted=np.ones(12, dtype=bool))
