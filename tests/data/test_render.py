"""The renderer against a supersampled reference, finite differences, and what it must refuse."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr
from scipy.stats import norm
from torch.autograd import forward_ad

from conceptspace.data.render import render, silhouette_mask

CIRCLE, TRIANGLE = 0, 1
SHAPES = pytest.mark.parametrize("shape", [CIRCLE, TRIANGLE], ids=["circle", "triangle"])
IMAGE_SIZES = pytest.mark.parametrize("image_size", [16, 32])
TRIANGLE_SIDE = math.sqrt(4 * math.pi / math.sqrt(3))

centres = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
sizes = st.floats(0.1, 0.8)
image_sizes = st.integers(8, 40)
shapes = st.sampled_from([CIRCLE, TRIANGLE])


def silhouette(shape, x, y, size, horizontal, vertical):
    """Whether each point of the grid horizontal x vertical (half-widths) lies in the object."""
    right, up = np.meshgrid(horizontal - x, vertical - y)
    if shape == CIRCLE:
        return right**2 + up**2 <= size**2
    side = size * TRIANGLE_SIDE
    above_base = up + side * math.sqrt(3) / 6
    return (above_base >= 0) & (np.abs(right) <= (side - above_base) / 2)


def reference_mask(shape, x, y, size, image_size, *, points, supersampling=8, padding=6):
    """Silhouette on 8 x 8 sub-pixels a pixel, blurred by 8 of them, read at pixel centres.

    Sub-pixels are centred on multiples of an eighth of a pixel, so every pixel centre is the
    centre of a sub-pixel and nothing is interpolated. A sub-pixel's value is the share of
    `points` x `points` samples in it that the object covers; with one point it is 0 or 1.
    """
    count = (image_size - 1 + 2 * padding) * supersampling + 1
    pixels = (np.arange(count * points) - (points - 1) / 2) / (points * supersampling) - padding
    scale = 2 / (image_size - 1)
    inside = silhouette(shape, x, y, size, pixels * scale - 1, 1 - pixels * scale)
    covered = inside.reshape(count, points, count, points).mean(axis=(1, 3))
    blurred = gaussian_filter(covered, supersampling, mode="nearest")
    read = slice(padding * supersampling, count - padding * supersampling, supersampling)
    return blurred[read, read]


def one_hot(shape, count=1, dtype=torch.float64):
    return torch.eye(2, dtype=dtype)[[shape] * count]


def mask_of(shape, x, y, size, image_size, **settings):
    centre = torch.tensor([[x, y]], dtype=torch.float64)
    radius = torch.tensor([size], dtype=torch.float64)
    return silhouette_mask(one_hot(shape), centre, radius, image_size=image_size, **settings)[0]


def random_objects(count, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(count, 2, generator=generator, dtype=torch.float64) - 0.5
    size = 0.1 + 0.7 * torch.rand(count, generator=generator, dtype=torch.float64)
    return centre.to(dtype), size.to(dtype)


def largest_error(shape, image_size, count, points):
    centre, size = random_objects(count)
    masks = silhouette_mask(one_hot(shape, count), centre, size, image_size=image_size)
    return max(
        np.abs(mask.numpy() - reference_mask(shape, x, y, r, image_size, points=points)).max()
        for mask, (x, y), r in zip(masks, centre.tolist(), size.tolist())
    )


def factors(count=3, dtype=torch.float64, **changes):
    centre, size = random_objects(count, dtype=dtype)
    colour = torch.linspace(0.1, 0.9, 3 * count, dtype=dtype).reshape(count, 3)
    shape = torch.tensor([[0.7, 0.3]], dtype=dtype).expand(count, 2)
    return {
        "shape": shape.clone(),
        "x": centre[:, :1],
        "y": centre[:, 1:],
        "colour": colour,
        "size": size[:, None],
        "background": 1 - 0.2 * colour.flip(0),
    } | changes


@SHAPES
@IMAGE_SIZES
def test_mask_is_within_two_hundredths_of_the_supersampled_silhouette(shape, image_size):
    assert largest_error(shape, image_size, count=40, points=4) < 0.02


@IMAGE_SIZES
def test_disc_is_within_two_hundredths_of_hard_sub_pixels(image_size):
    assert largest_error(CIRCLE, image_size, count=40, points=1) < 0.02


@IMAGE_SIZES
def test_triangle_is_off_hard_sub_pixels_by_no_more_than_half_a_sub_pixel_of_its_base(image_size):
    # Moving the base over a row of hard sub-pixels makes the reference jump by the blur's peak
    # times 1/8 pixel, .050; no mask that is continuous in y comes closer than half of that.
    half_a_jump = 0.5 / 8 / math.sqrt(2 * math.pi)
    assert largest_error(TRIANGLE, image_size, count=40, points=1) < half_a_jump + 0.003


@pytest.mark.slow
@SHAPES
@IMAGE_SIZES
def test_mask_is_within_two_hundredths_of_the_reference_for_a_thousand_objects(shape, image_size):
    assert largest_error(shape, image_size, count=1000, points=4) < 0.02


def mask_by_quadrature(shape, x, y, size, image_size, row, column, blur):
    """One pixel of the mask: the blur integrated over the object's chords, to 1e-10."""
    scale = (image_size - 1) / 2
    right, down, radius = column - (x + 1) * scale, row - (1 - y) * scale, size * scale
    side = radius * TRIANGLE_SIDE

    def integrand(offset):  # rows below the centre
        if shape == CIRCLE:
            half_width = math.sqrt(max(radius**2 - offset**2, 0))
        else:
            half_width = (offset + side * (1 - math.sqrt(3) / 6)) / 2
        covered = ndtr((right + half_width) / blur) - ndtr((right - half_width) / blur)
        return covered * norm.pdf(offset, down, blur)

    lowest = radius if shape == CIRCLE else side * math.sqrt(3) / 6
    highest = -radius if shape == CIRCLE else lowest - side
    inner = np.clip([down - 3 * blur, down, down + 3 * blur], highest, lowest)
    return quad(integrand, highest, lowest, points=inner, limit=500, epsabs=1e-10)[0]


@SHAPES
@pytest.mark.parametrize("blur", [1.0, 2.0])
@pytest.mark.parametrize("size", [0.1, 1.0])
def test_mask_is_the_integral_over_the_chords(shape, blur, size):
    image_size, x, y = 32, 0.13, -0.21
    mask = mask_of(shape, x, y, size, image_size, blur=blur)
    for row, column in ((16, 17), (18, 19), (3, 17), (30, 9), (22, 30), (0, 0), (31, 18)):
        expected = mask_by_quadrature(shape, x, y, size, image_size, row, column, blur)
        assert mask[row, column].item() == pytest.approx(expected, abs=2e-5)


def test_smallest_disc_has_the_blur_of_an_exact_disc_at_its_centre():
    # A Gaussian of 1 pixel over a disc of radius R around it integrates to 1 - exp(-R^2 / 2).
    pixels = 0.1 * 16
    centre_value = mask_of(CIRCLE, 0.0, 0.0, 0.1, 33)[16, 16].item()
    assert centre_value == pytest.approx(1 - math.exp(-(pixels**2) / 2), abs=1e-5)


@SHAPES
def test_single_precision_agrees_with_double(shape):
    centre, size = random_objects(64)
    double = silhouette_mask(one_hot(shape, 64), centre, size, image_size=32)
    single = silhouette_mask(
        one_hot(shape, 64, torch.float32), centre.float(), size.float(), image_size=32
    )
    assert single.dtype == torch.float32
    assert (single - double).abs().max() < 1e-4


@SHAPES
@IMAGE_SIZES
def test_published_mask_is_the_hard_silhouette_blurred_by_one_pixel(shape, image_size):
    padding = 6
    pixels = np.arange(-padding, image_size + padding) * 2 / (image_size - 1)
    for (x, y), size in zip(*(values.tolist() for values in random_objects(20))):
        hard = silhouette(shape, x, y, size, pixels - 1, 1 - pixels).astype(float)
        expected = gaussian_filter(hard, 1.0)[padding:-padding, padding:-padding]
        mask = mask_of(shape, x, y, size, image_size, rasterisation="published")
        np.testing.assert_allclose(mask.numpy(), expected, atol=1e-12)


def test_published_mask_of_a_small_object_differs_visibly_from_the_smooth_one():
    # A disc of radius 1.55 pixels on a pixel centre holds nine of them: 9 against 7.55 in area.
    published = mask_of(CIRCLE, 1 / 31, 1 / 31, 0.1, 32, rasterisation="published")
    smooth = mask_of(CIRCLE, 1 / 31, 1 / 31, 0.1, 32)
    assert 0.05 < (published - smooth).abs().max() < 0.3


@pytest.mark.parametrize("factor", ["shape", "x", "y", "colour", "size", "background"])
def test_gradient_agrees_with_finite_differences(factor):
    given_factors, step = factors(), 1e-5
    weights = torch.randn(3, 3, 32, 32, dtype=torch.float64)

    def score(value):
        images = render(given_factors | {factor: value}, image_size=32)
        return (images * weights).sum(dim=(1, 2, 3))

    value = given_factors[factor].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(value).sum(), value)
    for entry in range(value.shape[1]):
        change = step * torch.eye(value.shape[1], dtype=torch.float64)[entry]
        with torch.no_grad():
            expected = (score(value + change) - score(value - change)) / (2 * step)
        torch.testing.assert_close(gradient[:, entry], expected, rtol=1e-6, atol=1e-6)


@SHAPES
def test_gradient_of_every_pixel_agrees_with_finite_differences(shape):
    centre, size = random_objects(2)
    inputs = [one_hot(shape, 2), centre, size]
    arguments = [value.clone().requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(
        lambda *values: silhouette_mask(*values, image_size=8), arguments, atol=1e-6, rtol=1e-5
    )


@SHAPES
def test_second_derivatives_agree_with_finite_differences(shape):
    centre, size = random_objects(1)
    arguments = [value.clone().requires_grad_() for value in (centre, size)]
    assert torch.autograd.gradgradcheck(
        lambda *values: silhouette_mask(one_hot(shape), *values, image_size=6), arguments
    )


# The first use of forward mode makes torch 2.13 itself call its deprecated torch.jit.script.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
def test_forward_mode_sees_a_shape_whose_weight_is_zero():
    centre, size = random_objects(1)
    with forward_ad.dual_level():
        shape = forward_ad.make_dual(one_hot(CIRCLE), one_hot(TRIANGLE))
        mask = silhouette_mask(shape, centre, size, image_size=16)
        tangent = forward_ad.unpack_dual(mask).tangent
    expected = silhouette_mask(one_hot(TRIANGLE), centre, size, image_size=16)
    torch.testing.assert_close(tangent, expected)


def test_reverse_mode_sees_a_shape_whose_weight_is_zero():
    centre, size = random_objects(1)
    shape = one_hot(CIRCLE).requires_grad_()
    silhouette_mask(shape, centre, size, image_size=16).sum().backward()
    expected = silhouette_mask(one_hot(TRIANGLE), centre, size, image_size=16).sum()
    assert shape.grad[0, TRIANGLE] == pytest.approx(expected.item())


def test_skipping_an_absent_shape_does_not_change_the_mask():
    centre, size = random_objects(4)
    skipped = silhouette_mask(one_hot(CIRCLE, 4), centre, size, image_size=16)
    shape = one_hot(CIRCLE, 4).requires_grad_()
    torch.testing.assert_close(
        silhouette_mask(shape, centre, size, image_size=16), skipped, rtol=0, atol=0
    )


@settings(max_examples=40, deadline=None)
@given(shapes, centres, st.floats(0.01, 1.0), image_sizes, st.sampled_from(["smooth", "published"]))
def test_mask_lies_between_zero_and_one(shape, centre, size, image_size, rasterisation):
    mask = mask_of(shape, *centre, size, image_size, rasterisation=rasterisation)
    assert mask.min() >= -5e-5
    assert mask.max() <= 1 + 5e-5


@settings(max_examples=40, deadline=None)
@given(shapes, centres, sizes, st.integers(-3, 3), st.integers(-3, 3))
def test_moving_the_object_by_whole_pixels_moves_the_mask(shape, centre, size, right, down):
    (x, y), image_size, margin = centre, 24, 3
    pitch = 2 / (image_size - 1)
    mask = mask_of(shape, x, y, size, image_size)
    moved = mask_of(shape, x + right * pitch, y - down * pitch, size, image_size)
    inner = slice(margin, image_size - margin)
    expected = torch.roll(mask, (down, right), dims=(0, 1))[inner, inner]
    torch.testing.assert_close(moved[inner, inner], expected, rtol=0, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(shapes, st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0.1, 0.3))
def test_area_of_an_object_inside_the_frame_is_that_of_its_outline(shape, x, y, size):
    image_size = 33
    radius = size * (image_size - 1) / 2
    # Half base times height, or pi r^2.
    area = math.pi * radius**2 if shape == CIRCLE else (TRIANGLE_SIDE * radius) ** 2 / 2
    # One pixel blur leaves ripples of exp(-2 pi^2) when summed over pixels.
    assert mask_of(shape, x, y, size, image_size).sum().item() == pytest.approx(area, rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 9), st.sampled_from(["smooth", "published"]))
def test_an_image_does_not_depend_on_the_rest_of_the_batch(seed, count, rasterisation):
    centre, size = random_objects(count, seed)
    shape = one_hot(CIRCLE, count)
    shape[1::2] = one_hot(TRIANGLE)
    together = silhouette_mask(shape, centre, size, image_size=16, rasterisation=rasterisation)
    for index in range(count):
        alone = silhouette_mask(
            *(values[index : index + 1] for values in (shape, centre, size)),
            image_size=16,
            rasterisation=rasterisation,
        )
        torch.testing.assert_close(together[index], alone[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("rasterisation", ["smooth", "published"])
def test_upward_is_towards_row_zero_and_right_towards_the_last_column(rasterisation):
    mask = mask_of(CIRCLE, 0.4, 0.4, 0.2, 31, rasterisation=rasterisation)
    rows, columns = torch.meshgrid(torch.arange(31.0), torch.arange(31.0), indexing="ij")
    assert (mask * rows).sum() / mask.sum() == pytest.approx(15 - 0.4 * 15, abs=1e-3)
    assert (mask * columns).sum() / mask.sum() == pytest.approx(15 + 0.4 * 15, abs=1e-3)


@pytest.mark.parametrize("rasterisation", ["smooth", "published"])
def test_triangle_is_wide_below_and_pointed_above(rasterisation):
    mask = mask_of(TRIANGLE, 0.0, 0.0, 0.4, 33, rasterisation=rasterisation)
    side = 0.4 * TRIANGLE_SIDE * 16
    width = mask.sum(dim=1)
    base_row = 16 + side * math.sqrt(3) / 6
    assert width[round(base_row) - 2] > 0.8 * side > 4 * width[round(base_row - side) + 2]
    assert width[round(base_row) + 4] < 0.01


@pytest.mark.parametrize("rasterisation", ["smooth", "published"])
def test_image_is_the_mask_mixing_colour_and_background(rasterisation):
    world = factors()
    images = render(world, image_size=16, rasterisation=rasterisation)
    masks = silhouette_mask(
        world["shape"],
        torch.cat((world["x"], world["y"]), dim=1),
        world["size"][:, 0],
        image_size=16,
        rasterisation=rasterisation,
    )[:, None]
    colour, background = (world[name][:, :, None, None] for name in ("colour", "background"))
    torch.testing.assert_close(images, masks * colour + (1 - masks) * background)


def test_an_empty_batch_gives_no_images():
    empty = {name: value[:0] for name, value in factors().items()}
    assert render(empty, image_size=16).shape == (0, 3, 16, 16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hue": torch.zeros(3, 1)}, "unknown name 'hue'; known are shape"),
        ({"colour": torch.zeros(3, 2)}, r"factors\['colour'\] must have shape \(3, 3\), not"),
        ({"x": torch.zeros(2, 1)}, r"factors\['x'\] must have shape \(3, 1\), not \(2, 1\)"),
        ({"size": torch.tensor(0.3)}, r"must have shape"),
        ({"y": torch.full((3, 1), math.nan)}, r"factors\['y'\] must be finite"),
        ({"y": torch.zeros(3, 1, dtype=torch.int64)}, r"factors\['y'\] must be of a floating type"),
        ({"y": torch.zeros(3, 1, dtype=torch.float64)}, r"factors\['y'\] must be torch.float32"),
        ({"size": torch.zeros(3, 1)}, r"size must lie in \(0, 1\].*not 0"),
        ({"size": torch.full((3, 1), 1.5)}, r"size must lie in \(0, 1\].*not 1.5"),
    ],
)
def test_render_refuses_bad_factors(changes, message):
    with pytest.raises(ValueError, match=message):
        render(factors(dtype=torch.float32, **changes), image_size=16)


def test_render_refuses_a_missing_factor():
    world = factors()
    del world["background"]
    with pytest.raises(ValueError, match="factors lacks 'background'; it needs all of shape"):
        render(world, image_size=16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 3}, "image_size must be at least 4, not 3"),
        ({"image_size": True}, "image_size must be a whole number of pixels, not True"),
        (
            {"image_size": 16, "rasterisation": "hard"},
            "must be 'smooth' or 'published', not 'hard'",
        ),
    ],
)
def test_render_refuses_bad_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        render(factors(), **arguments)


@pytest.mark.parametrize("blur", [0.0, -1.0, math.inf, math.nan])
def test_mask_refuses_a_blur_that_is_not_positive(blur):
    with pytest.raises(ValueError, match="blur must be a positive number of pixels"):
        mask_of(CIRCLE, 0.0, 0.0, 0.3, 16, blur=blur)


def test_mask_refuses_a_shape_of_the_wrong_width():
    centre, size = random_objects(2)
    with pytest.raises(ValueError, match=r"shape must have shape \(2, 2\), not \(2, 3\)"):
        silhouette_mask(torch.ones(2, 3, dtype=torch.float64), centre, size, image_size=16)


@pytest.mark.gpu
@SHAPES
@pytest.mark.parametrize("rasterisation", ["smooth", "published"])
def test_mask_on_the_gpu_agrees_with_the_cpu(shape, rasterisation):
    inputs = one_hot(shape, 64), *random_objects(64)
    options = {"image_size": 32, "rasterisation": rasterisation}
    on_gpu = silhouette_mask(*(value.cuda() for value in inputs), **options)
    torch.testing.assert_close(on_gpu.cpu(), silhouette_mask(*inputs, **options))
