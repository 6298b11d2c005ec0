"""G draws on the device of its factors."""

import numpy as np
import pytest
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.factors import colour, shape, size
from conceptspace.data.render import render
from conceptspace.data.world import SyntheticWorld, draw_factors
from pretend_device import pretended_device


@pytest.fixture
def factors():
    space, rng = ConceptSpace(concepts=(shape(), colour(0.4), size(0.4))), np.random.default_rng(0)
    z = np.concatenate([space.draw(name, 2, rng) for name in space.classes])
    drawn = draw_factors(SyntheticWorld(image_size=16), space, z, rng)
    return {name: torch.from_numpy(value).float() for name, value in drawn.items()}


@pytest.mark.parametrize("rasterisation", ["smooth", "published"])
def test_factors_on_another_device_are_drawn_there(factors, rasterisation):
    expected = render(factors, image_size=16, rasterisation=rasterisation)
    with pretended_device() as pretended:
        there = {name: value.to(pretended.device) for name, value in factors.items()}
        images = render(there, image_size=16, rasterisation=rasterisation)
        assert images.device == pretended.device
        torch.testing.assert_close(images.cpu(), expected)


def test_gradients_flow_to_factors_on_another_device(factors):
    def slope(size):
        size = size.requires_grad_()
        here = {name: value.to(size.device) for name, value in factors.items()}
        render({**here, "size": size}, image_size=16).square().sum().backward()
        return size.grad

    expected = slope(factors["size"].clone())
    with pretended_device() as pretended:
        found = slope(factors["size"].to(pretended.device))
        torch.testing.assert_close(found.cpu(), expected)


def test_factors_on_two_devices_are_refused_by_name(factors):
    with pretended_device() as pretended:
        mixed = {**factors, "colour": factors["colour"].to(pretended.device)}
        with pytest.raises(ValueError, match=r"factors\['colour'\] must be .* on cpu like size"):
            render(mixed, image_size=16)
