"""Random changes of training images that leave their concepts as they are."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.data.labelled_world import Augmentation

_LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in torchvision


def augmented(
    images: Float[Tensor, "batch channel height width"],
    augmentation: Augmentation,
    rng: np.random.Generator,
) -> Float[Tensor, "batch channel height width"]:
    """Images that are mirrored and whose brightness, contrast and saturation vary.

    Brightness, contrast and saturation are each multiplied by a number of their own, in this order,
    as by torchvision's `ColorJitter`; the hue stays.

    Args:
        images: in [0, 1]; not changed.
        augmentation: what is done, and how much of it.
        rng: four draws an image; a stream of the seed and the step makes training resumable.

    Returns:
        Images in [0, 1].
    """
    num = len(images)
    mirrored = torch.from_numpy(rng.random(num) < 0.5).to(images.device)
    jitter = augmentation.colour_jitter
    drawn = rng.uniform(1 - jitter, 1 + jitter, size=(3, num, 1, 1, 1)).astype(np.float32)
    brightness, contrast, saturation = torch.from_numpy(drawn).to(images)
    if augmentation.flip:
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    if jitter == 0.0:
        return images
    images = (images * brightness).clamp(0.0, 1.0)
    mean = _grey(images).mean(dim=(2, 3), keepdim=True)
    images = (mean + contrast * (images - mean)).clamp(0.0, 1.0)
    grey = _grey(images)
    return (grey + saturation * (images - grey)).clamp(0.0, 1.0)


def _grey(images: Tensor) -> Tensor:
    """The luminance (batch, 1, height, width)."""
    if images.shape[1] == 1:
        return images
    weights = images.new_tensor(_LUMINANCE)[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True)
