import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concepts.spaces import spaces
from conceptspace.concepts import Concept, ConceptSpace, Normal, SettingsError, Uniform
from conceptspace.data.factors import background, colour, position, shape, size

PAPER = ConceptSpace(concepts=(colour(0.4), size(0.4)))


def a_class(data, space):
    """A class of the space, drawn without listing them all."""
    indices = [data.draw(st.integers(0, num - 1)) for num in space.num_values]
    return space.class_name(indices)


@given(space=spaces(), data=st.data())
def test_a_class_name_and_its_indices_name_each_other(space, data):
    indices = tuple(data.draw(st.integers(0, num - 1)) for num in space.num_values)
    assert space.indices(space.class_name(indices)) == indices


@given(space=spaces(max_axes=4, max_values=4))
def test_there_is_one_class_for_each_combination_of_values(space):
    assert len(set(space.classes)) == len(space.classes) == np.prod(space.num_values)


@given(space=spaces(), data=st.data())
def test_distance_is_a_metric(space, data):
    first, second, third = (a_class(data, space) for _ in range(3))
    assert (space.distance(first, second) == 0) == (first == second)
    assert space.distance(first, second) == space.distance(second, first)
    assert space.distance(first, third) <= space.distance(first, second) + space.distance(
        second, third
    )


@given(space=spaces(), data=st.data())
def test_a_corner_lies_in_the_unit_cube(space, data):
    corner = space.corner(a_class(data, space))
    assert corner.shape == (len(space.concepts),)
    assert np.all((corner >= 0) & (corner <= 1))


@given(space=spaces())
def test_the_first_and_last_classes_lie_at_opposite_corners(space):
    last = space.class_name([num - 1 for num in space.num_values])
    np.testing.assert_array_equal(space.corner("0" * len(space.concepts)), 0)
    np.testing.assert_array_equal(space.corner(last), 1)


@hypothesis.settings(max_examples=30)
@given(space=spaces(), data=st.data())
def test_draws_stay_within_the_range_of_their_class(space, data):
    name = a_class(data, space)
    z = space.draw(name, 50, np.random.default_rng(0))
    for concept, index in zip(space.concepts, space.indices(name)):
        low, high = concept.spread.range(concept.mean(index))
        part = z[:, space.slice_of(concept.name)]
        assert np.all((part >= low) & (part <= high))


@given(space=spaces(), data=st.data())
def test_the_factors_of_a_concept_vector_hold_all_of_it(space, data):
    z = space.draw(a_class(data, space), 3, np.random.default_rng(0))
    np.testing.assert_array_equal(np.concatenate(list(space.factors(z).values()), axis=1), z)


@given(space=spaces(max_axes=3))
def test_a_space_survives_the_way_through_json(space):
    assert ConceptSpace.from_json(space.to_json()) == space


def test_the_papers_classes_are_named_colour_first():
    assert PAPER.classes == ("00", "01", "10", "11")
    assert PAPER.describe("10") == "blue large"


def test_a_corner_of_an_axis_with_three_values_may_lie_in_the_middle():
    concept = Concept(name="age", factor="age", values=((0.0,), (1.0,), (5.0,)))
    np.testing.assert_array_equal(ConceptSpace(concepts=(concept,)).corner("1"), [0.5])


def test_the_same_generator_gives_the_same_draws():
    first, second = (PAPER.draw("11", 5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_the_minimum_of_a_spread_is_never_undercut():
    spread = Uniform(half_width=0.3, minimum=0.1)
    draws = spread.draw(np.asarray([0.2]), 1000, np.random.default_rng(0))
    assert draws.min() >= 0.1
    assert draws.max() <= 0.5


def test_a_normal_spread_has_its_standard_deviation():
    draws = Normal(standard_deviation=0.05).draw(np.zeros(1), 20_000, np.random.default_rng(0))
    # The standard error of a standard deviation is s / sqrt(2 n); four of them.
    assert abs(draws.std() - 0.05) < 4 * 0.05 / np.sqrt(2 * 20_000)


def test_the_range_of_a_concept_covers_all_its_values():
    low, high = size(0.4).range()
    np.testing.assert_allclose((low, high), ([0.1], [0.8]))


def test_the_mean_of_a_class_is_the_papers():
    np.testing.assert_allclose(PAPER.mean("11"), [0.3, 0.3, 0.7, 0.25])


def test_an_unlabelled_value_is_described_by_its_index():
    concept = Concept(name="age", factor="age", values=((0.0,), (1.0,)))
    assert concept.label(1) == "age 1"


@pytest.mark.parametrize("name", ["", "1", "02", "1x", "111", "-1", 11])
def test_an_unknown_class_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match=r"concept class .* not in this space; it has 00, 01, 10"):
        PAPER.indices(name)


def test_a_refusal_in_a_large_space_lists_only_some_classes():
    space = ConceptSpace(concepts=(colour(0.4), size(0.4), background(0.2), shape(), position("x")))
    with pytest.raises(ValueError, match=r"01111, \.\.\.$"):
        space.indices("2")


@pytest.mark.parametrize("indices", [(0,), (0, 2), (0, -1), (0, 0, 0)])
def test_indices_that_name_no_class_are_refused(indices):
    with pytest.raises(ValueError, match=r"indices .* one value index for each of colour, size"):
        PAPER.class_name(indices)


@pytest.mark.parametrize("look_up", [PAPER.concept, PAPER.slice_of])
def test_an_unknown_concept_is_refused_with_the_known_ones(look_up):
    with pytest.raises(ValueError, match="concept 'hue' is not in this space; it has colour, size"):
        look_up("hue")


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 2, 4)])
def test_a_concept_vector_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"z must have shape \(batch, 4\), not"):
        PAPER.factors(np.zeros(shape))


def test_a_negative_number_of_draws_is_refused():
    with pytest.raises(ValueError, match="num must be 0 or more, not -1"):
        PAPER.draw("00", -1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"values": ((0.0,),)}, r"Concept\.values: .*2 to 36 values"),
        ({"values": ((0.0,), (1.0, 2.0))}, r"Concept\.values: every value .* same number"),
        ({"values": ((), ())}, r"Concept\.values: every value .* at least one"),
        ({"values": ((1.0,), (1.0,))}, r"Concept\.values: two values are the same"),
        ({"values": ((0.0,), (float("nan"),))}, r"Concept\.values\.1\.0: .*finite"),
        ({"labels": ("one",)}, r"labels: give one word for each of the 2 values"),
        ({"name": ""}, r"Concept\.name: .*at least 1 character"),
        ({"spread": {"kind": "cauchy"}}, r"Concept\.spread: .*'uniform', 'normal'"),
        ({"spread": Uniform(minimum=0.5)}, r"spread: the minimum of concept 'age' lies above"),
    ],
)
def test_a_concept_that_makes_no_sense_is_refused(fields, message):
    sensible = {"name": "age", "factor": "age", "values": ((0.0,), (1.0,))}
    with pytest.raises(SettingsError, match=message):
        Concept(**(sensible | fields))


def test_two_concepts_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="two concepts have the same name 'colour'"):
        ConceptSpace(concepts=(colour(0.4), colour(0.2)))


def test_two_concepts_of_one_factor_are_refused():
    other = Concept(name="hue", factor="colour", values=colour(0.4).values)
    with pytest.raises(SettingsError, match="two concepts have the same factor 'colour'"):
        ConceptSpace(concepts=(colour(0.4), other))


def test_a_space_without_concepts_is_refused():
    with pytest.raises(SettingsError, match=r"ConceptSpace\.concepts: .*at least 1 item"):
        ConceptSpace(concepts=())
