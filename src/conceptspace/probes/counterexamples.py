"""Images that G does not draw, to judge by them whether an inversion notices."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.concepts import ConceptSpace
from conceptspace.data.render import silhouette_mask
from conceptspace.data.world import SyntheticWorld, draw_factors

Images = Float[Tensor, "batch 3 height width"]

_APART = 2.0  # pixels between outlines; closer, one pixel of blur on either side joins them
_VISIBLE = 10.0  # norm of a change in the image, in standard deviations of the pixel noise


def random_factors(
    world: SyntheticWorld, space: ConceptSpace, num: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Factors of `num` renders of the prior, classes in random order, (num, factor width) each."""
    names = rng.choice(space.classes, size=num)
    z = np.concatenate([space.draw(str(name), 1, rng) for name in names])
    factors = draw_factors(world, space, z, rng)
    return {name: torch.from_numpy(value.astype(np.float32)) for name, value in factors.items()}


def blank_images(
    world: SyntheticWorld, space: ConceptSpace, num: int, rng: np.random.Generator
) -> Images:
    """Backgrounds of the prior without an object, without noise."""
    colour = random_factors(world, space, num, rng)["background"]
    return colour[:, :, None, None].expand(-1, *world.image_shape).clone()


def noise_images(
    world: SyntheticWorld, space: ConceptSpace, num: int, rng: np.random.Generator
) -> Images:
    """Every pixel and channel on its own, uniform in [0, 1]. The space has no say in it."""
    return torch.from_numpy(rng.uniform(size=(num, *world.image_shape)).astype(np.float32))


def two_object_images(
    world: SyntheticWorld,
    space: ConceptSpace,
    num: int,
    rng: np.random.Generator,
    noise: float = 0.0,
) -> Images:
    """Two random objects of the prior on one background, neither of them hidden; without noise.

    Their outlines are at least two pixels apart, and taking either away changes the image by at
    least ten standard deviations of the noise (norm over all pixels and channels).

    Args:
        world: draws the images.
        space: its prior gives both objects.
        num: number of images.
        rng: source of the factors.
        noise: standard deviation of the pixel noise that will be added.
    """
    images = torch.zeros(0, *world.image_shape)
    while len(images) < num:
        first, second = (random_factors(world, space, 4 * num, rng) for _ in range(2))
        both = _painted(world, world.render(first), second)
        second_alone = world.render(second | {"background": first["background"]})
        changes = [both - world.render(first), both - second_alone]
        strength = torch.stack([change.flatten(1).norm(dim=1) for change in changes]).amin(0)
        seen = (_gap(world, first, second) >= _APART) & (strength >= _VISIBLE * noise)
        images = torch.cat([images, both[seen]])
    return images[:num]


def _gap(world: SyntheticWorld, first: dict[str, Tensor], second: dict[str, Tensor]) -> Tensor:
    """Pixels between the outlines of two circles, (batch,); negative where they overlap."""
    distance = torch.hypot(first["x"] - second["x"], first["y"] - second["y"])
    return (distance - first["size"] - second["size"])[:, 0] * (world.image_size - 1) / 2


def _painted(world: SyntheticWorld, images: Tensor, factors: dict[str, Tensor]) -> Tensor:
    """Images with another object on top."""
    centre = torch.cat((factors["x"], factors["y"]), dim=1)
    mask = silhouette_mask(
        factors["shape"], centre, factors["size"][:, 0], image_size=world.image_size
    )
    return images + mask[:, None] * (factors["colour"][:, :, None, None] - images)
