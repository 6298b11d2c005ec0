"""G: from factors to images, one blurred silhouette on a plain background, smooth in every factor.

The mask is the silhouette convolved with a Gaussian. Cut into horizontal chords, it is one integral
over the object's height: the row profile of each chord (a Gaussian) times its column profile (a
difference of error functions). The integral is a sum over a few chords that are fixed to the
object, not to the pixel grid, so the sum is as smooth in position and size as the integral itself,
and it is one batched matrix product: (rows x chords) @ (chords x columns).
"""

import functools
import math
from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from conceptspace.data.factors import FACTOR_WIDTHS

Rasterisation = Literal["smooth", "published"]

MAXIMUM_SIZE = 1.0
"""Largest radius, in half-widths of the image, for which the number of chords is laid out."""

MINIMUM_IMAGE_SIZE = 4

_CHORD_SPACING = 1.25
# Distance between neighbouring chords of the largest object, in standard deviations of the blur.
# The trapezoidal rule on a Gaussian errs by 2 exp(-2 pi^2 / spacing^2), here 6e-6; the whole mask
# errs by about 1e-5 at most.

_TRIANGLE_SIDE = math.sqrt(4 * math.pi / math.sqrt(3))
# Base and height of the triangle over its size; its base lies side * sqrt(3) / 6 below the centre.

_FAR = 6.5
# Distance, in blurs times sqrt(2), beyond which the blur is constant: exp(-6.5^2) is 4e-19. Without
# it most of exp and erf's slope would be denormal numbers, which a CPU computes ten times slower.

_TRUNCATION = 4.0
# Where the published blur ends, in standard deviations (the default of scipy's Gaussian filter).


def render(
    factors: Mapping[str, Float[Tensor, "batch _"]],
    *,
    image_size: int,
    rasterisation: Rasterisation = "smooth",
) -> Float[Tensor, "batch 3 height width"]:
    """Draw one object on a plain background: `mask * colour + (1 - mask) * background`.

    Row 0 is y = +1 (the top), column 0 is x = -1; both ends are pixel centres. No noise is added
    and nothing is clipped: see `add_pixel_noise`.

    Args:
        factors: every factor of `FACTOR_WIDTHS`, each of shape (batch, its width), of one floating
            type on one device: `shape` (weights of circle and triangle, one-hot for a real
            object), `x` and `y` (centre, in [-1, 1] inside the image), `colour` and `background`
            (red, green, blue in [0, 1]), `size` (radius in half-widths of the image, in (0, 1]).
        image_size: height and width in pixels, at least 4.
        rasterisation: `smooth`, differentiable in every factor, or `published`; see
            `silhouette_mask`.

    Returns:
        Images in [0, 1] (to rounding) for colours in [0, 1], (batch, 3, image_size, image_size).

    Raises:
        ValueError: a factor is missing, unknown, of the wrong shape, not finite, or out of range.

    Example:
        >>> import torch
        >>> red, white = torch.tensor([[1.0, 0.0, 0.0]]), torch.ones(1, 3)
        >>> circle, middle, radius = torch.tensor([[1.0, 0.0]]), torch.zeros(1, 1), torch.ones(1, 1)
        >>> image = render(
        ...     {"shape": circle, "x": middle, "y": middle, "colour": red,
        ...      "size": radius / 2, "background": white},
        ...     image_size=17,
        ... )
        >>> [round(value, 2) for value in image[0, :, 8, 8].abs().tolist()]
        [1.0, 0.0, 0.0]
    """
    _check_factors(factors)
    _check_settings(image_size, rasterisation, blur=1.0)
    centre, size = torch.cat((factors["x"], factors["y"]), dim=1), factors["size"][:, 0]
    mask = _weighted_mask(factors["shape"], centre, size, image_size, rasterisation, blur=1.0)
    background = factors["background"][:, :, None, None]
    return background + mask[:, None] * (factors["colour"][:, :, None, None] - background)


def silhouette_mask(
    shape: Float[Tensor, "batch 2"],
    centre: Float[Tensor, "batch 2"],
    size: Float[Tensor, " batch"],
    *,
    image_size: int,
    rasterisation: Rasterisation = "smooth",
    blur: float = 1.0,
) -> Float[Tensor, "batch height width"]:
    """Return how much of each pixel the object covers, after a Gaussian blur.

    A circle has radius `size`. A triangle is isosceles, base and height both
    `size * sqrt(4 pi / sqrt 3)`. Objects may reach beyond the frame; they are cut by it only after
    the blur. With `rasterisation="smooth"` the mask is the blurred silhouette itself, smooth in
    every argument. With `rasterisation="published"` it is the silhouette sampled at pixel centres
    (0 or 1) and then blurred; its derivatives in `centre` and `size` are zero and say nothing.

    Args:
        shape: weights of the circle and the triangle; the mask is the weighted sum.
        centre: (x, y), in half-widths of the image from its middle, y upwards.
        size: radius in the same units, in (0, 1].
        image_size: height and width in pixels, at least 4.
        rasterisation: `smooth` or `published`.
        blur: standard deviation of the Gaussian in pixels.

    Returns:
        Masks in [0, 1] to rounding, (batch, image_size, image_size), row 0 at y = +1.

    Raises:
        ValueError: a shape does not fit, a number is not finite or out of range, or the
            rasterisation is unknown.
    """
    _check_settings(image_size, rasterisation, blur)
    _check_geometry(shape, centre, size)
    return _weighted_mask(shape, centre, size, image_size, rasterisation, blur)


def _weighted_mask(
    shape: Tensor, centre: Tensor, size: Tensor, image_size: int, rasterisation: str, blur: float
) -> Float[Tensor, "batch height width"]:
    """Sum over the shapes of weight times mask, without the shapes that add nothing."""
    masks = _SMOOTH_MASKS if rasterisation == "smooth" else _PUBLISHED_MASKS
    in_pixels = (image_size - 1) / 2
    column, row = (centre[:, 0] + 1) * in_pixels, (1 - centre[:, 1]) * in_pixels
    total = None
    for weight, mask in zip(shape.unbind(dim=1), masks):
        if _has_no_effect(weight, shape):
            continue
        part = weight[:, None, None] * mask(row, column, size * in_pixels, image_size, blur)
        total = part if total is None else total + part
    return size.new_zeros(len(size), image_size, image_size) if total is None else total


def add_pixel_noise(
    images: Float[Tensor, "batch channel height width"],
    generator: torch.Generator,
    standard_deviation: float = 0.001,
) -> Float[Tensor, "batch channel height width"]:
    """Add Gaussian noise to every pixel and clip to [0, 1], as the published data are made.

    Args:
        images: values in [0, 1].
        generator: source of the noise. The noise is drawn on the generator's own device, so a CPU
            generator gives the same images everywhere.
        standard_deviation: of the noise, at least 0.

    Raises:
        ValueError: the standard deviation is negative or not finite.
    """
    if not (math.isfinite(standard_deviation) and standard_deviation >= 0):
        raise ValueError(
            f"standard_deviation must be a finite number of at least 0, not {standard_deviation!r}"
        )
    noise = torch.randn(
        images.shape, generator=generator, device=generator.device, dtype=images.dtype
    )
    return (images + standard_deviation * noise.to(images.device)).clamp(0, 1)


def _smooth_disc(
    row: Tensor, column: Tensor, radius: Tensor, image_size: int, blur: float
) -> Float[Tensor, "batch height width"]:
    """Disc, lengths in pixels: chords at equal steps of the angle from the horizontal.

    In the angle the integrand is analytic and periodic, so the midpoint rule converges faster than
    any power. Chords above and below the centre come in pairs of one width and share a column.
    """
    largest = MAXIMUM_SIZE * (image_size - 1) / 2
    pairs = math.ceil(math.pi * largest / (_CHORD_SPACING * blur) / 2) + 1
    step = math.pi / (2 * pairs)
    angles = step * (torch.arange(pairs, dtype=radius.dtype, device=radius.device) + 0.5)
    height, half_width = radius[:, None] * angles.sin(), radius[:, None] * angles.cos()
    rows = _blurred_lines(row[:, None] - height, image_size, blur)
    rows = rows + _blurred_lines(row[:, None] + height, image_size, blur)
    columns = _blurred_intervals(column, half_width, image_size, blur)
    return (rows * (step * half_width)[:, None, :]) @ columns


def _smooth_triangle(
    row: Tensor, column: Tensor, radius: Tensor, image_size: int, blur: float
) -> Float[Tensor, "batch height width"]:
    """Triangle, lengths in pixels: Gauss-Legendre chords from the base to the apex."""
    largest = _TRIANGLE_SIDE * MAXIMUM_SIZE * (image_size - 1) / 2
    # Gauss-Legendre nodes lie pi / 2 times further apart in the middle than on average.
    count = math.ceil(math.pi / 2 * largest / (_CHORD_SPACING * blur)) + 2
    nodes, weights = (
        torch.as_tensor(values, dtype=radius.dtype, device=radius.device)
        for values in _gauss_legendre(count)
    )
    side = (_TRIANGLE_SIDE * radius)[:, None]
    chord_rows = row[:, None] + side * (math.sqrt(3) / 6 - nodes)
    rows = _blurred_lines(chord_rows, image_size, blur)
    columns = _blurred_intervals(column, side * (1 - nodes) / 2, image_size, blur)
    return (rows * (side * weights)[:, None, :]) @ columns


def _blurred_lines(
    position: Float[Tensor, "batch chord"], image_size: int, blur: float
) -> Float[Tensor, "batch height chord"]:
    """Profile across the rows of a blurred horizontal line: a normal density around it."""
    scale = 1 / (math.sqrt(2) * blur)
    distance = _pixels(image_size, position)[:, None] * scale - position[:, None, :] * scale
    density = torch.exp(-distance.square().clamp(max=_FAR**2))
    return (scale / math.sqrt(math.pi)) * density


def _blurred_intervals(
    middle: Float[Tensor, " batch"],
    half_width: Float[Tensor, "batch chord"],
    image_size: int,
    blur: float,
) -> Float[Tensor, "batch chord width"]:
    """Profile along the columns of blurred chords around one middle."""
    scale = 1 / (math.sqrt(2) * blur)
    position = ((_pixels(image_size, middle) - middle[:, None]) * scale)[:, None, :]
    half_width = (half_width * scale)[:, :, None]
    left, right = (position + half_width).clamp(-_FAR, _FAR), position - half_width
    return 0.5 * (torch.erf(left) - torch.erf(right.clamp(-_FAR, _FAR)))


def _pixels(image_size: int, like: Tensor) -> Float[Tensor, " pixel"]:
    return torch.arange(image_size, dtype=like.dtype, device=like.device)


@functools.lru_cache(maxsize=16)
def _gauss_legendre(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre quadrature on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def _sampled_disc(
    row: Tensor, column: Tensor, radius: Tensor, image_size: int, blur: float
) -> Float[Tensor, "batch height width"]:
    """Disc sampled at pixel centres, then blurred; all lengths in pixels."""
    padding = _padding(blur)
    below, right = _offsets(row, image_size, padding), _offsets(column, image_size, padding)
    squared_distance = below.square()[:, :, None] + right.square()[:, None, :]
    inside = squared_distance <= radius.square()[:, None, None]
    return _blur_sampled(inside.to(radius.dtype), image_size, blur)


def _sampled_triangle(
    row: Tensor, column: Tensor, radius: Tensor, image_size: int, blur: float
) -> Float[Tensor, "batch height width"]:
    """Triangle sampled at pixel centres, then blurred; all lengths in pixels."""
    padding = _padding(blur)
    side = (_TRIANGLE_SIDE * radius)[:, None]
    above_base = side * (math.sqrt(3) / 6) - _offsets(row, image_size, padding)
    right = _offsets(column, image_size, padding)
    half_width = torch.where(above_base >= 0, (side - above_base) / 2, -1.0)
    inside = right.abs()[:, None, :] <= half_width[:, :, None]
    return _blur_sampled(inside.to(radius.dtype), image_size, blur)


def _padding(blur: float) -> int:
    """Pixels on each side of the frame that the truncated blur can reach."""
    return int(_TRUNCATION * blur + 0.5)


def _offsets(centre: Float[Tensor, " batch"], image_size: int, padding: int) -> Tensor:
    """Signed distance in pixels of each line of the padded frame from the centre, downwards."""
    lines = torch.arange(-padding, image_size + padding, dtype=centre.dtype, device=centre.device)
    return lines - centre[:, None]


def _blur_sampled(
    silhouette: Float[Tensor, "batch padded padded"], image_size: int, blur: float
) -> Float[Tensor, "batch height width"]:
    """Blur along both axes with a truncated, normalised Gaussian; the padding is consumed."""
    padding = _padding(blur)
    like = {"dtype": silhouette.dtype, "device": silhouette.device}
    lines = torch.arange(-padding, image_size + padding, **like)
    distance = torch.arange(image_size, **like)[:, None] - lines
    kernel = torch.exp(-0.5 * (distance / blur).square()) * (distance.abs() <= padding)
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    return kernel @ silhouette @ kernel.T


# In the order of the shape factor's entries.
_SMOOTH_MASKS = (_smooth_disc, _smooth_triangle)
_PUBLISHED_MASKS = (_sampled_disc, _sampled_triangle)


def _has_no_effect(weight: Float[Tensor, " batch"], shape: Float[Tensor, "batch 2"]) -> bool:
    """Whether a shape's weight is zero in the whole batch and nobody differentiates by it."""
    if shape.requires_grad or forward_ad.unpack_dual(shape).tangent is not None:
        return False
    return not bool(weight.any())


def _check_settings(image_size: int, rasterisation: str, blur: float) -> None:
    if isinstance(image_size, bool) or not isinstance(image_size, int):
        raise ValueError(f"image_size must be a whole number of pixels, not {image_size!r}")
    if image_size < MINIMUM_IMAGE_SIZE:
        raise ValueError(f"image_size must be at least {MINIMUM_IMAGE_SIZE}, not {image_size}")
    if rasterisation not in get_args(Rasterisation):
        known = " or ".join(map(repr, get_args(Rasterisation)))
        raise ValueError(f"rasterisation must be {known}, not {rasterisation!r}")
    if not (math.isfinite(blur) and blur > 0):
        raise ValueError(f"blur must be a positive number of pixels, not {blur!r}")


def _check_geometry(shape: Tensor, centre: Tensor, size: Tensor) -> None:
    batch = len(size) if size.ndim else 0
    _check_tensor("size", size, (batch,), like=size)
    _check_tensor("shape", shape, (batch, 2), like=size)
    _check_tensor("centre", centre, (batch, 2), like=size)
    _check_range(size)


def _check_factors(factors: Mapping[str, Tensor]) -> None:
    known = ", ".join(FACTOR_WIDTHS)
    if missing := [name for name in FACTOR_WIDTHS if name not in factors]:
        raise ValueError(f"factors lacks {missing[0]!r}; it needs all of {known}")
    if unknown := [name for name in factors if name not in FACTOR_WIDTHS]:
        raise ValueError(f"factors has the unknown name {unknown[0]!r}; known are {known}")
    like = factors["size"]
    batch = len(like) if like.ndim else 0
    for name, width in FACTOR_WIDTHS.items():
        _check_tensor(f"factors[{name!r}]", factors[name], (batch, width), like=like)
    _check_range(like)


def _check_range(size: Tensor) -> None:
    wrong = (size <= 0) | (size > MAXIMUM_SIZE)
    if wrong.any():
        raise ValueError(
            f"size must lie in (0, {MAXIMUM_SIZE:g}] (a radius in half-widths of the image), "
            f"not {size[wrong][0].item():g}"
        )


def _check_tensor(name: str, value: Tensor, expected: tuple[int, ...], *, like: Tensor) -> None:
    if tuple(value.shape) != expected:
        raise ValueError(f"{name} must have shape {expected}, not {tuple(value.shape)}")
    if not value.is_floating_point():
        raise ValueError(f"{name} must be of a floating type, not {value.dtype}")
    if (value.dtype, value.device) != (like.dtype, like.device):
        raise ValueError(
            f"{name} must be {like.dtype} on {like.device} like size, "
            f"not {value.dtype} on {value.device}"
        )
    if not torch.isfinite(value).all():
        raise ValueError(f"{name} must be finite, but holds NaN or infinity")
