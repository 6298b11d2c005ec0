"""The smallest adapter: a function from conditioning vectors to images."""

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from conceptspace.adapters.protocol import Conditioning

NEAR, MOST_OUTSIDE = 0.1, 0.1
"""So far from [0, 1] values may lie, and such a share of them farther."""
Sample = Callable[[Tensor, torch.Generator], Tensor]
"""From conditioning vectors (batch, width) and a generator to images, one a row."""


class FunctionAdapter:
    """Shows a function that draws images as an `Adapter`.

    Its one site, `"vectors"`, is the conditioning vector itself, so naive prompting and
    over-prompting work as for any model. What lies inside the model stays hidden: latent steering
    pushes the vector too, and there is nothing to patch.

    Args:
        sample: draws one image a row of the vectors, which come on `device`; all of its noise
            comes from the generator, which is there too.
        device: where the function wants its vectors; the CPU by default.

    Example:
        >>> def sample(vectors, generator):
        ...     noise = torch.rand((len(vectors), 3, 4, 4), generator=generator)
        ...     return 0.5 * noise + 0.5 * vectors[:, :1, None, None]
        >>> adapter = FunctionAdapter(sample)
        >>> given = adapter.encode(torch.eye(2))
        >>> adapter.sample(given, torch.Generator().manual_seed(0)).shape
        torch.Size([2, 3, 4, 4])
    """

    def __init__(self, sample: Sample, device: torch.device | str | None = None) -> None:
        if not callable(sample):
            raise TypeError(
                f"sample must be a function of (vectors, generator), not {type(sample).__name__}"
            )
        self._sample = sample
        self.device = torch.device("cpu" if device is None else device)

    def sites(self) -> tuple[str, ...]:
        return ("vectors",)

    def encode(self, vectors: Tensor) -> Conditioning:
        return {"vectors": vectors.to(self.device)}

    @torch.no_grad()
    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        vectors = conditioning["vectors"]
        return checked_images(self._sample(vectors, generator), len(vectors))

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        return {}

    def sample_noise(self) -> float:
        return 0.0


def checked_images(images: object, num: int) -> Tensor:
    """What a user's `sample` returned, if that is one image a row.

    Raises:
        TypeError: if it is no tensor of floating-point numbers.
        ValueError: if its shape is wrong.
    """
    if not isinstance(images, Tensor):
        raise TypeError(f"sample must return a tensor of images, not {type(images).__name__}")
    if not images.is_floating_point():
        raise TypeError(
            f"sample must return images as floating-point numbers from 0 to 1, not {images.dtype}: "
            "bytes are divided by 255"
        )
    if images.ndim < 2 or len(images) != num:
        raise ValueError(
            f"sample must return one image for each of the {num} rows, "
            f"(batch, channels, height, width), not shape {tuple(images.shape)}"
        )
    _warn_of_another_range(images)
    return images.float()


def _warn_of_another_range(images: Tensor) -> None:
    """Say so, once a process, if images do not lie in [0, 1]; those of an untrained model may."""
    known = images[torch.isfinite(images)]
    outside = ((known < -NEAR) | (known > 1 + NEAR)).float().mean()
    if outside > MOST_OUTSIDE:
        warnings.warn(
            "sample returned images many of whose values lie outside of [0, 1], which every probe "
            "takes them to be in: make (x + 1) / 2 of images in [-1, 1], and x / 255 of bytes. An "
            "untrained model's may lie anywhere",
            stacklevel=2,
        )
