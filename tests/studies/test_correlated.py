"""A correlation passes if its interval lies above 0 and permutations hardly ever reach it."""

import pytest

from conceptspace.studies.correlated import NOTHING, correlation, permuted
from conceptspace.studies.sides import too_few_seeds


def found(low, p_value=0.01):
    return dict(NOTHING) | {"value": 0.5, "interval": [low, 0.9], "p_value": p_value}


@pytest.mark.parametrize(("low", "passed"), [(0.1, True), (0.0, False), (-0.2, False)])
def test_the_interval_must_lie_above_0(low, passed):
    assert correlation(found(low), required=True)["passed"] is passed


@pytest.mark.parametrize(("p_value", "passed"), [(0.01, True), (0.05, True), (0.06, False)])
def test_permutations_may_be_as_frequent_as_the_confidence_leaves_room_for(p_value, passed):
    assert permuted(found(0.1, p_value), 0.95)["passed"] is passed
    assert permuted(found(0.1, p_value), 0.999)["passed"] is False


def test_what_is_not_known_has_not_passed_and_has_not_failed():
    for control in (correlation(NOTHING, required=True), permuted(NOTHING, 0.95)):
        assert control["passed"] is None
        assert control["value"] is None


def test_too_few_seeds_are_said():
    assert too_few_seeds({"num_seeds": 4, "minimum_seeds": 5}) == "4 seeds, and 5 are needed"
    assert too_few_seeds({"num_seeds": 5, "minimum_seeds": 5}) == ""
