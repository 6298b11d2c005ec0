"""The silhouettes of circle and triangle, blurred by a Gaussian.

Cut into horizontal chords, a blurred silhouette is one integral over the object's height: the row
profile of each chord (a Gaussian) times its column profile (a difference of error functions). The
integral is a sum over a few chords that are fixed to the object, not to the pixel grid, so the sum
is as smooth in position and size as the integral itself, and it is one batched matrix product:
(rows x chords) @ (chords x columns).
"""

import functools
import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

MAXIMUM_SIZE = 1.0
"""Largest radius, in half-widths of the image, for which the number of chords is laid out."""

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
SMOOTH_MASKS = (_smooth_disc, _smooth_triangle)
PUBLISHED_MASKS = (_sampled_disc, _sampled_triangle)
