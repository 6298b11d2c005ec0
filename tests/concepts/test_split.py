import pytest
from hypothesis import given
from hypothesis import strategies as st

from concepts.spaces import spaces
from conceptspace.concepts import ConceptSpace, SettingsError, Split
from conceptspace.data.factors import background, colour, size

PAPER = ConceptSpace(concepts=(colour(0.4), size(0.4)))
CUBE = ConceptSpace(concepts=(colour(0.4), size(0.4), background(0.2)))


@given(space=spaces(max_axes=4, max_values=3), distance=st.integers(0, 5))
def test_every_class_is_either_trained_on_or_held_out(space, distance):
    split = Split(maximum_distance=distance)
    training, held_out = split.training(space), split.held_out(space)
    assert sorted(training + held_out) == sorted(space.classes)


@given(space=spaces(max_axes=4, max_values=3), distance=st.integers(0, 5))
def test_training_classes_lie_within_the_distance_and_held_out_ones_beyond(space, distance):
    split, origin = Split(maximum_distance=distance), "0" * len(space.concepts)
    assert all(space.distance(origin, name) <= distance for name in split.training(space))
    assert all(space.distance(origin, name) > distance for name in split.held_out(space))


def test_the_papers_split_holds_out_one_class_of_two_concepts():
    assert Split().training(PAPER) == ("00", "01", "10")
    assert Split().held_out(PAPER) == ("11",)


def test_the_papers_split_holds_out_four_classes_of_three_concepts():
    assert Split().held_out(CUBE) == ("011", "101", "110", "111")


def test_listed_classes_take_the_place_of_the_distance():
    split = Split(training_classes=("11", "00"))
    assert split.training(PAPER) == ("11", "00")
    assert split.held_out(PAPER) == ("01", "10")


def test_a_listed_class_that_is_not_in_the_space_is_refused():
    with pytest.raises(ValueError, match="concept class '12' is not in this space"):
        Split(training_classes=("00", "12")).training(PAPER)


def test_a_class_that_is_listed_twice_is_refused():
    with pytest.raises(ValueError, match=r"training_classes .* names a class twice"):
        Split(training_classes=("00", "00")).training(PAPER)


def test_a_negative_distance_is_refused():
    with pytest.raises(SettingsError, match=r"Split\.maximum_distance: .* 0 \(got -1\)"):
        Split(maximum_distance=-1)
