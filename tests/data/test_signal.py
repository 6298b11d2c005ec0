import numpy as np
import pytest
import torch

from conceptspace.concepts.concept import Concept
from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import background, colour, position, shape, size
from conceptspace.data.signal import concept_signal
from conceptspace.data.streams import numpy_stream
from conceptspace.data.world import SyntheticWorld, draw_factors

WORLD = SyntheticWorld(image_size=16)


def signal(*concepts, num_images=64):
    return concept_signal(WORLD, ConceptSpace(concepts=concepts), num_images=num_images)


def test_the_signal_of_colour_is_proportional_to_its_separation():
    weak, strong = (signal(colour(d), size(0.4))["colour"] for d in (0.2, 0.6))
    assert strong.derivative == pytest.approx(3 * weak.derivative, rel=1e-3)
    assert strong.finite == pytest.approx(3 * weak.finite, rel=1e-3)


def test_derivative_and_difference_agree_where_the_image_is_linear_in_the_concept():
    found = signal(colour(0.3), background(0.2), num_images=400)
    # Colours enter linearly; what is left is the spread of the size, which only one of them draws.
    assert found["background"].finite == pytest.approx(found["background"].derivative, rel=0.1)


def test_every_factor_has_a_signal():
    found = signal(shape(), position("x"), position("y"), colour(0.6), size(0.35), background(0.3))
    assert list(found) == ["shape", "x", "y", "colour", "size", "background"]
    for entry in found.values():
        assert entry.derivative > 0
        assert entry.finite > 0


def test_the_derivative_is_that_of_the_renderer():
    space = ConceptSpace(concepts=(size(0.4),))
    found = concept_signal(WORLD, space, num_images=32)["size"].derivative

    rng = numpy_stream(0, "signal")
    z = np.concatenate([space.draw(name, 16, rng) for name in space.classes])
    drawn = draw_factors(WORLD, space, z, rng)
    factors = {name: torch.from_numpy(values) for name, values in drawn.items()}
    nudge = 1e-5
    moved = {**factors, "size": factors["size"] + nudge * -0.4}
    difference = (WORLD.render(moved) - WORLD.render(factors)) / nudge
    assert found == pytest.approx(difference.flatten(1).norm(dim=1).mean().item(), rel=1e-3)


def test_a_concept_of_three_values_is_measured_by_the_step_between_neighbours():
    three = Concept(name="size", factor="size", values=((0.2,), (0.3,), (0.4,)))
    two = Concept(name="size", factor="size", values=((0.2,), (0.3,)))
    assert signal(three)["size"].finite > signal(two)["size"].finite


def test_no_images_are_refused():
    with pytest.raises(ValueError, match="num_images must be at least 1, not 0"):
        signal(size(0.4), num_images=0)


def test_the_published_mask_which_has_no_derivative_takes_that_of_the_smooth_one():
    space = ConceptSpace(concepts=(colour(0.4), size(0.4)))
    hard = concept_signal(WORLD.replace(rasterisation="published"), space, num_images=64)
    smooth = concept_signal(WORLD, space, num_images=64)
    assert {name: s.derivative for name, s in hard.items()} == {
        name: s.derivative for name, s in smooth.items()
    }
    assert hard["size"].finite != smooth["size"].finite
    assert hard["size"].finite == pytest.approx(smooth["size"].finite, rel=0.1)
