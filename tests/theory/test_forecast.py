"""The logistic regression and its scores, where they are known."""

import numpy as np
import pytest

from conceptspace.theory.forecast import (
    area_under_curve,
    brier,
    fit_logistic,
    leave_groups_out,
    skill,
)


def test_a_planted_regression_is_found():
    rng = np.random.default_rng(0)
    features = rng.standard_normal((4000, 2)) * [1.0, 3.0] + [0.0, 5.0]
    chance = 1 / (1 + np.exp(-(0.5 + 1.5 * features[:, 0])))
    happened = rng.random(4000) < chance
    found = fit_logistic(features, happened)
    assert found.coefficients == pytest.approx([1.5, 0.0], abs=0.15)
    assert np.abs(found.chance(features) - chance).mean() < 0.02


def test_a_feature_that_separates_stays_finite():
    found = fit_logistic(np.arange(10.0)[:, None], np.arange(10) > 4)
    assert 1 < found.coefficients[0] < 10
    constant = fit_logistic(np.ones((5, 1)), np.array([True] * 5))
    assert 0.9 < constant.chance(np.ones((1, 1)))[0] < 1


def test_a_group_is_forecast_from_the_others_alone():
    """The one group that contradicts the others is forecast wrongly."""
    features = np.tile([[-1.0], [1.0]], (30, 1))
    groups = np.repeat(np.arange(6), 10)
    happened = (features[:, 0] > 0) ^ (groups == 0)
    chance = leave_groups_out(features, happened, groups)
    assert area_under_curve(chance[groups == 0], happened[groups == 0]) == 0
    with pytest.raises(ValueError, match="at least two"):
        leave_groups_out(features, happened, np.zeros(60, dtype=int))


def test_scores_of_known_forecasts():
    happened = np.array([True, False, True, False])
    assert brier(happened.astype(float), happened) == 0
    assert skill(np.full(4, 0.5), happened) == 0
    assert np.isnan(skill(np.full(2, 0.5), np.array([True, True])))
    assert area_under_curve(np.array([0.9, 0.1, 0.4, 0.4]), happened) == pytest.approx(0.875)


def test_wrong_shapes_and_numbers_are_refused():
    with pytest.raises(ValueError, match="as many rows"):
        fit_logistic(np.ones((3, 1)), np.array([True, False]))
    with pytest.raises(ValueError, match="not finite"):
        fit_logistic(np.array([[np.nan]]), np.array([True]))
