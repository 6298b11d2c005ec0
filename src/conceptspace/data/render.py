"""G: from factors to images, one blurred object on a plain background, smooth in every factor."""

import math
from collections.abc import Mapping
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

from conceptspace.data.factors import FACTOR_WIDTHS
from conceptspace.data.silhouettes import MAXIMUM_SIZE, PUBLISHED_MASKS, SMOOTH_MASKS

Rasterisation = Literal["smooth", "published"]

MINIMUM_IMAGE_SIZE = 4


def render(
    factors: Mapping[str, Float[Tensor, "batch _"]],
    *,
    image_size: int,
    rasterisation: Rasterisation = "smooth",
) -> Float[Tensor, "batch 3 height width"]:
    """Draw one object on a plain background: `mask * colour + (1 - mask) * background`.

    Row 0 is y = +1 (the top), column 0 is x = -1; both ends are pixel centres. No noise is
    added and nothing is clipped.

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
    masks = SMOOTH_MASKS if rasterisation == "smooth" else PUBLISHED_MASKS
    in_pixels = (image_size - 1) / 2
    column, row = (centre[:, 0] + 1) * in_pixels, (1 - centre[:, 1]) * in_pixels
    total = None
    for weight, mask in zip(shape.unbind(dim=1), masks):
        if _has_no_effect(weight, shape):
            continue
        part = weight[:, None, None] * mask(row, column, size * in_pixels, image_size, blur)
        total = part if total is None else total + part
    return size.new_zeros(len(size), image_size, image_size) if total is None else total


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
