import numpy as np
import pytest
import torch

from conceptspace.concepts import Concept, ConceptSpace, SettingsError
from conceptspace.data.factors import FACTOR_WIDTHS, background, colour, position, shape, size
from conceptspace.data.world import SyntheticWorld, check_space, draw_factors

WORLD = SyntheticWorld(image_size=16)
PAPER = ConceptSpace(concepts=(colour(0.4), size(0.4)))


def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize("factor", FACTOR_WIDTHS)
def test_a_factor_that_is_no_concept_is_drawn_with_its_width(factor):
    draws = WORLD.draw_nuisance(factor, 7, generator())
    assert draws.shape == (7, FACTOR_WIDTHS[factor])
    assert np.all(np.isfinite(draws))


@pytest.mark.parametrize(
    ("factor", "low", "high"), [("x", -0.5, 0.5), ("y", -0.5, 0.5), ("background", 0.8, 1.0)]
)
def test_a_factor_that_is_no_concept_fills_the_papers_range(factor, low, high):
    draws = WORLD.draw_nuisance(factor, 2000, generator())
    assert low <= draws.min() < low + 0.01
    assert high - 0.01 < draws.max() <= high


def test_an_object_may_be_of_one_size_where_size_is_no_concept():
    world = SyntheticWorld(image_size=16, size_range=(0.5, 0.5))
    np.testing.assert_array_equal(world.draw_nuisance("size", 3, generator()), np.full((3, 1), 0.5))
    common = WORLD.draw_nuisance("size", 2000, generator())
    assert (common >= 0.25).all()
    assert (common <= 0.65).all()


def test_the_range_of_sizes_is_written_down_only_where_it_is_not_the_common_one():
    """Worlds that were saved before there was a choice are known by their text."""
    assert "size_range" not in WORLD.model_dump(mode="json")
    world = SyntheticWorld(size_range=(0.4, 0.6))
    assert world.model_dump(mode="json")["size_range"] == [0.4, 0.6]
    assert SyntheticWorld.from_json(world.to_json()) == world
    assert SyntheticWorld.from_json(WORLD.to_json()) == WORLD


@pytest.mark.parametrize("ends", [(0.05, 0.5), (0.6, 0.5), (0.5, 1.2)])
def test_a_range_of_sizes_that_cannot_be_drawn_is_refused(ends):
    with pytest.raises(SettingsError, match=r"size_range.*between 0.1 and 1"):
        SyntheticWorld(size_range=ends)


def test_an_object_whose_shape_is_no_concept_is_a_circle():
    np.testing.assert_array_equal(WORLD.draw_nuisance("shape", 2, generator()), [[1, 0], [1, 0]])


def test_an_unknown_factor_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="factor 'hue' is not one of shape, x, y, colour"):
        WORLD.draw_nuisance("hue", 1, generator())


def test_the_concepts_come_from_z_and_the_rest_is_drawn():
    z = PAPER.draw("10", 5, generator())
    factors = draw_factors(WORLD, PAPER, z, generator())
    assert set(factors) == set(FACTOR_WIDTHS)
    np.testing.assert_array_equal(factors["colour"], z[:, :3])
    np.testing.assert_array_equal(factors["size"], z[:, 3:])


def test_drawn_factors_make_an_image():
    z = PAPER.draw("00", 2, generator())
    factors = draw_factors(WORLD, PAPER, z, generator())
    images = WORLD.render({name: torch.tensor(v).float() for name, v in factors.items()})
    assert images.shape == (2, *WORLD.image_shape)
    assert images.std() > 0.01


def test_every_concept_of_the_paper_fits_the_world():
    every = (shape(), position("x"), position("y"), colour(0.6), size(0.35), background(0.3))
    check_space(ConceptSpace(concepts=every), WORLD)


def test_a_concept_of_an_unknown_factor_is_refused():
    space = ConceptSpace(concepts=(Concept(name="hue", factor="hue", values=((0.0,), (1.0,))),))
    with pytest.raises(SettingsError, match=r"'hue' drives factor 'hue', .*; it has shape, x, y"):
        check_space(space, WORLD)


def test_a_concept_of_the_wrong_width_is_refused():
    space = ConceptSpace(concepts=(Concept(name="grey", factor="colour", values=((0.0,), (1.0,))),))
    with pytest.raises(SettingsError, match="values of 1 numbers, but factor 'colour' takes 3"):
        check_space(space, WORLD)


def test_the_colours_lie_as_far_apart_as_asked_in_red_and_blue():
    red, blue = colour(0.6).values
    np.testing.assert_allclose(np.subtract(red, blue), [0.6, 0.0, -0.6])


@pytest.mark.parametrize(("concept", "maximum"), [(colour, 0.8), (size, 0.4), (background, 0.8)])
def test_the_largest_separation_stays_in_range(concept, maximum):
    low, high = concept(maximum).range()
    assert np.all(low >= -1e-12)
    assert np.all(high <= 1 + 1e-12)


@pytest.mark.parametrize("concept", [colour, size, background])
@pytest.mark.parametrize("separation", [0.0, -0.1, 0.9, float("nan")])
def test_a_separation_out_of_range_is_refused(concept, separation):
    with pytest.raises(SettingsError, match=r"separation of \w+ must be above 0 and at most"):
        concept(separation)


def test_an_unknown_axis_of_position_is_refused():
    with pytest.raises(ValueError, match="axis must be 'x' or 'y', not 'z'"):
        position("z")


@pytest.mark.parametrize(
    ("field", "value"), [("image_size", 4), ("noise", -0.1), ("rasterisation", "hard")]
)
def test_a_world_that_cannot_be_drawn_is_refused(field, value):
    with pytest.raises(SettingsError, match=rf"SyntheticWorld\.{field}: .*got"):
        SyntheticWorld(**{field: value})


@pytest.mark.parametrize("ends", [(0.9, 0.8), (-0.1, 0.5), (0.5, 1.1)])
def test_a_background_range_outside_the_image_is_refused(ends):
    with pytest.raises(SettingsError, match=r"background_range: .* rising, between 0 and 1"):
        SyntheticWorld(background_range=ends)
