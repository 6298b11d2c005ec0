"""What is shown of samples: images as they are, vectors as a dot in the plane."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from conceptspace.data.world import World

Pictures = UInt8[Tensor, "batch height width 3"]

PLANE_PIXELS = 24
"""Height and width of the picture of a plane."""
_LOWEST, _HIGHEST = -0.15, 1.15  # what a plane shows; points of classes lie in [0, 1]
_PAPER, _FRAME, _MARK = (1.0, 1.0, 1.0), (0.88, 0.88, 0.88), (0.72, 0.72, 0.72)
_DOT = (0.1, 0.3, 0.75)
_DOT_RADIUS, _MARK_RADIUS = 1.6, 1.1  # pixels


def pictures_of(world: World) -> Callable[[Tensor], Tensor]:
    """What turns samples of a world into pictures: its own `pictures`, or the pixels as bytes."""
    return getattr(world, "pictures", image_pictures)


def image_pictures(images: Float[Tensor, "batch channel height width"]) -> Tensor:
    """Images with values in [0, 1] as bytes, (batch, height, width, channel); others are cut.

    Grey images have three equal channels.

    Raises:
        ValueError: if they are no images of one or three channels.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        hint = "; channels come second" if images.ndim == 4 and images.shape[3] in (1, 3) else ""
        raise ValueError(
            "sample must return images (batch, channels, height, width) with 1 or 3 channels, not "
            f"{tuple(images.shape)}{hint}"
        )
    shown = images.clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return shown.expand(*shown.shape[:3], 3) if shown.shape[3] == 1 else shown


def plane_pictures(
    points: Float[Tensor, "batch dimension"], marks: Sequence[Sequence[float]]
) -> Pictures:
    """A dot for each point, in a plane for dimensions 0 and 1, one for 2 and 3, and so on.

    The first dimension of a plane grows to the right, the second upwards. A last dimension without
    a partner has a plane to itself, in whose middle row the dot moves. What lies beyond the plane,
    from -0.15 to 1.15, is drawn at its edge.

    Args:
        points: to be drawn; without NaN.
        marks: coordinates that are marked in grey, for each dimension.
    """
    middle = points.new_full((len(points), 1), 0.5)
    even = torch.cat([points, middle], dim=1)[:, : 2 * -(-points.shape[1] // 2)]
    known = [*marks, (0.5,)][: even.shape[1]]
    planes = []
    for first in range(0, even.shape[1], 2):
        grid = torch.cartesian_prod(*(points.new_tensor(known[first + i]) for i in range(2)))
        marked = _discs(grid, _MARK_RADIUS).amax(0, keepdim=True)
        dot = _discs(even[:, first : first + 2].clamp(_LOWEST, _HIGHEST), _DOT_RADIUS)
        paper = points.new_tensor(_PAPER).expand(*dot.shape, 3)
        for mask, colour in ((_frame(points), _FRAME), (marked, _MARK), (dot, _DOT)):
            paper = paper + mask[..., None] * (points.new_tensor(colour) - paper)
        planes.append(paper)
    return torch.cat(planes, dim=2).mul(255).round().to(torch.uint8)


def _frame(like: Tensor) -> Float[Tensor, "1 row column"]:
    """One where a plane's edge is, so that planes side by side are told apart."""
    frame = like.new_ones(1, PLANE_PIXELS, PLANE_PIXELS)
    frame[:, 1:-1, 1:-1] = 0.0
    return frame


def _discs(points: Float[Tensor, "batch 2"], radius: float) -> Float[Tensor, "batch row column"]:
    """How much of each pixel a disc around each point covers, in [0, 1]."""
    pixels = torch.arange(PLANE_PIXELS, dtype=points.dtype, device=points.device)
    at = (points - _LOWEST) / (_HIGHEST - _LOWEST) * (PLANE_PIXELS - 1)
    across = pixels - at[:, :1]
    up = (PLANE_PIXELS - 1 - pixels) - at[:, 1:]
    distance = torch.hypot(across[:, None, :], up[:, :, None])
    return (radius + 0.5 - distance).clamp(0.0, 1.0)
