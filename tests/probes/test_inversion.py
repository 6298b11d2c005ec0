import numpy as np
import pytest
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.factors import background, colour, position, shape, size
from conceptspace.data.world import SyntheticWorld
from conceptspace.probes.counterexamples import (
    blank_images,
    noise_images,
    random_factors,
    two_object_images,
)
from conceptspace.probes.inversion import Inversion
from conceptspace.probes.settings import InversionSettings

OFF_MANIFOLD = {
    "blank": blank_images,
    "pure noise": noise_images,
    "two objects": two_object_images,
}


def noisy(images, noise, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return images + noise * torch.randn(images.shape, generator=generator)


def share_off_manifold(inversion, images, noise):
    return inversion.invert(noisy(images, noise), noise).off_manifold.float().mean().item()


@pytest.fixture(scope="module")
def inversion(world, space):
    return Inversion(world, space)


@pytest.mark.parametrize("image_size", [16, 32])
def test_colour_and_size_of_clean_renders_are_found(image_size, space, renders):
    world = SyntheticWorld(image_size=image_size)
    dataset = renders(world, space, 60)
    error = (Inversion(world, space).invert(dataset.images, 0.0).z - dataset.z).abs()
    assert error[:, :3].amax(1).quantile(0.95) < 0.01
    assert error[:, 3].quantile(0.95) < 0.01


def test_every_factor_is_found_where_all_are_concepts(renders):
    world = SyntheticWorld(image_size=32)
    space = ConceptSpace(
        concepts=(
            shape(), position("x"), position("y"), colour(0.6), size(0.35), background(0.3),
        )
    )  # fmt: skip
    dataset = renders(world, space, 2)
    inverted = Inversion(world, space).invert(dataset.images, 0.0)
    assert (inverted.z - dataset.z).abs().amax(1).quantile(0.95) < 0.01
    assert not inverted.off_manifold.any()


def test_factors_draw_the_image_again(inversion, world, space, renders):
    images = renders(world, space, 20).images
    again = world.render(inversion.invert(images, 0.0).factors)
    assert (again - images).square().mean((1, 2, 3)).sqrt().max() < 0.005


@pytest.mark.parametrize("noise", [0.001, 0.02, 0.05])
def test_renders_with_the_noise_of_the_step_are_on_the_manifold(
    noise, inversion, world, space, renders
):
    # Expected share below 0.002; 400 renders then hold more than 4 with probability 1e-3.
    images = renders(world, space, 100).images
    assert share_off_manifold(inversion, images, noise) <= 0.01


@pytest.mark.parametrize("kind", OFF_MANIFOLD)
def test_what_g_does_not_draw_is_off_the_manifold(kind, inversion, world, space):
    images = OFF_MANIFOLD[kind](world, space, 300, np.random.default_rng(0))
    assert share_off_manifold(inversion, images, 0.02) >= 0.99


def test_a_colour_beyond_the_range_is_on_the_manifold(inversion, world, space):
    factors = random_factors(world, space, 200, np.random.default_rng(0))
    factors["colour"] = torch.tensor([[0.1, 0.1, 0.95]]).expand(200, 3)
    inverted = inversion.invert(noisy(world.render(factors), 0.02), 0.02)
    assert not inverted.off_manifold.any()
    assert inverted.z[:, 2].median() > 0.9


def test_a_colour_far_out_of_the_hull_is_off_the_manifold(inversion, world, space):
    factors = random_factors(world, space, 100, np.random.default_rng(0))
    factors["colour"] = torch.tensor([[0.1, 1.0, 0.1]]).expand(100, 3)
    factors["size"] = torch.full((100, 1), 0.6)
    assert share_off_manifold(inversion, world.render(factors), 0.02) == 1.0


def test_noise_that_was_not_expected_is_off_the_manifold(inversion, world, space, renders):
    images = noisy(renders(world, space, 25).images, 0.15)
    assert inversion.invert(images, 0.02).off_manifold.all()


def test_smooth_errors_of_a_small_model_are_forgiven(inversion, world, space):
    factors = random_factors(world, space, 200, np.random.default_rng(0))
    ramp = torch.linspace(-0.03, 0.03, 16)
    images = noisy(world.render(factors) + ramp, 0.02)
    inverted = inversion.invert(images, 0.02)
    assert inverted.off_manifold.float().mean() < 0.05
    assert inverted.residual.median() > 0.005


def test_the_residual_is_what_is_left_over_the_noise(inversion, world, space, renders):
    images = renders(world, space, 100).images
    inverted = inversion.invert(noisy(images, 0.05), 0.0)
    assert abs(inverted.residual.median().item() - 0.05) < 0.003


def test_a_faint_object_is_no_object(inversion, world, space):
    factors = random_factors(world, space, 50, np.random.default_rng(0))
    factors["colour"] = factors["background"] - 0.015
    assert share_off_manifold(inversion, world.render(factors), 0.001) == 1.0


def test_the_least_contrast_follows_from_the_space(world):
    pale, strong = (
        Inversion(world, ConceptSpace(concepts=(colour(d), size(0.4)))) for d in (0.2, 0.8)
    )
    # Red (.6, .4, .4) against a background of .8: a quarter of the RMS of (.2, .4, .4).
    assert pale.minimum_contrast == pytest.approx(np.sqrt(0.12) / 4, abs=1e-3)
    assert strong.minimum_contrast > pale.minimum_contrast


def test_a_given_contrast_is_used(world, space):
    inversion = Inversion(world, space, InversionSettings(minimum_contrast=0.6))
    factors = random_factors(world, space, 20, np.random.default_rng(0))
    assert inversion.invert(world.render(factors), 0.0).off_manifold.all()


def test_the_hull_is_the_range_widened_and_cut(inversion):
    low, high = inversion.hull["colour"]
    np.testing.assert_allclose(high, [1.00625, 0.75625, 1.00625])
    np.testing.assert_allclose(low, [-0.00625] * 3)
    assert inversion.hull["size"][0] == 0.05


def test_images_do_not_influence_each_other(inversion, world, space, renders):
    images = renders(world, space, 70).images
    whole, part = inversion.invert(images, 0.0), inversion.invert(images[260:], 0.0)
    torch.testing.assert_close(whole.z[260:], part.z, atol=1e-4, rtol=0)


def test_other_worlds_are_refused(space):
    with pytest.raises(TypeError, match=r"must be a SyntheticWorld.*inversion=None"):
        Inversion(object(), space)


@pytest.mark.parametrize(
    ("images", "noise", "message"),
    [
        (torch.rand(2, 3, 32, 32), 0.0, r"shape \(batch, 3, 16, 16\)"),
        (torch.rand(2, 1, 16, 16), 0.0, r"shape \(batch, 3, 16, 16\)"),
        (torch.full((2, 3, 16, 16), torch.nan), 0.0, "NaN"),
        (torch.full((2, 3, 16, 16), 128.0), 0.0, "scale them first"),
        (torch.rand(2, 3, 16, 16), -0.1, "sample_noise must be .* not -0.1"),
        (torch.rand(2, 3, 16, 16), float("nan"), "sample_noise must be .* not nan"),
    ],
)
def test_bad_input_is_refused(inversion, images, noise, message):
    with pytest.raises(ValueError, match=message):
        inversion.invert(images, noise)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.001, 0.02, 0.05, 0.08])
@pytest.mark.parametrize("separation", [0.2, 0.4, 0.8])
@pytest.mark.parametrize("image_size", [16, 32])
def test_at_most_1_of_100_renders_and_99_of_100_others_are_flagged(image_size, separation, noise):
    world = SyntheticWorld(image_size=image_size)
    space = ConceptSpace(concepts=(colour(separation), size(0.4)))
    inversion, rng = Inversion(world, space), np.random.default_rng(0)
    # With 4000 images a share of 0.01 is known to 0.0016 (one standard deviation).
    renders = world.render(random_factors(world, space, 4000, rng))
    assert share_off_manifold(inversion, renders, noise) <= 0.012
    for kind in (blank_images, noise_images):
        assert share_off_manifold(inversion, kind(world, space, 4000, rng), noise) >= 0.988
    two = two_object_images(world, space, 2000, rng, noise)
    assert share_off_manifold(inversion, two, noise) >= 0.988
