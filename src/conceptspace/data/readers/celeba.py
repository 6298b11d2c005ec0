"""CelebA: aligned faces with 40 attributes, of which two are the concepts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.labelled_world import Augmentation, LabelledWorld
from conceptspace.data.readers.balance import balanced_rows
from conceptspace.data.readers.celeba_layouts import IMAGES, faces_in
from conceptspace.data.readers.celeba_table import TABLE
from conceptspace.data.readers.image_cache import cached_images

CACHE = "conceptspace-cache"

Pair = Literal["male-smiling", "male-wearing_hat", "black_hair-eyeglasses"]


class _Axis(NamedTuple):
    """An attribute as a concept: its two words, and whether the attribute is there at value 0."""

    attribute: str
    name: str
    words: tuple[str, str]
    reversed: bool = False


_GENDER = _Axis("Male", "gender", ("male", "female"), reversed=True)
_AXES: dict[str, tuple[_Axis, _Axis]] = {
    "male-smiling": (_GENDER, _Axis("Smiling", "smiling", ("not smiling", "smiling"))),
    "male-wearing_hat": (_GENDER, _Axis("Wearing_Hat", "hat", ("no hat", "hat"))),
    "black_hair-eyeglasses": (
        _Axis("Black_Hair", "hair", ("other hair", "black hair")),
        _Axis("Eyeglasses", "eyeglasses", ("no eyeglasses", "eyeglasses")),
    ),
}
# Ordered so that the class that the paper holds out is 11: a smiling woman, a woman with a hat,
# black hair with eyeglasses.


class CelebAWorld(LabelledWorld):
    """Faces of celebrities with two of their attributes (Liu et al. 2015).

    The images are the user's. As many of each training class are read as the rarest of them has;
    of the class that the paper holds out, `11`, no more than that. They are brought to size once,
    into a cache.
    """

    kind: Literal["celeba"] = "celeba"
    path: str = ""
    """The folder with `img_align_celeba` and `list_attr_celeba.txt`, or with Parquet files."""
    pair: Pair = "male-smiling"
    """The two attributes that are the concepts."""
    image_size: int = Field(default=64, ge=8, le=1024)
    """Height and width in pixels that whole images are brought to."""
    images_per_class: int | None = Field(default=None, ge=2)
    """Images of each class at most. None for as many as the rarest training class has, and then a
    model learns from fewer than it asks for where there are no more."""
    drawn_by: int = Field(default=0, ge=0)
    """Random seed of which images are read, where there are more."""
    flip: bool = True
    """Whether half of the images are mirrored, at random, while a model trains."""
    colour_jitter: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Brightness, contrast and saturation are multiplied by up to so much more or less than 1 while
    a model trains."""
    cache: str = ""
    """Folder for images that are brought to size; `conceptspace-cache` in `path` by default."""

    @property
    def space(self) -> ConceptSpace:
        return ConceptSpace.named(**{axis.name: axis.words for axis in _AXES[self.pair]})

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read the images from the cache, which is made first if need be; see `read_celeba`."""
        if not self.path:
            raise DataError(
                "world.path: CelebA is not part of this package: say where it is, as in "
                f"--world.path DIR, the folder that holds {IMAGES} and {TABLE}, or Parquet files "
                "(docs/published-data-sets.md)"
            )
        return read_celeba(
            self.path,
            self.pair,
            image_size=self.image_size,
            channels=self.channels,
            images_per_class=self.images_per_class,
            drawn_by=self.drawn_by,
            cache=self.cache or None,
            progress=progress,
        )

    @property
    def augmentation(self) -> Augmentation | None:
        if not self.flip and self.colour_jitter == 0.0:
            return None
        return Augmentation(flip=self.flip, colour_jitter=self.colour_jitter)

    def num_to_learn(self, wanted: int, classes: Sequence[str]) -> int:
        """Those wanted or, without `images_per_class`, as many as the rarest class has."""
        if self.images_per_class is not None:
            return wanted
        return min(wanted, *(len(self.rows(name)) for name in classes))


def read_celeba(
    path: Path | str,
    pair: Pair = "male-smiling",
    *,
    image_size: int = 64,
    channels: Literal[1, 3] = 3,
    images_per_class: int | None = None,
    drawn_by: int = 0,
    cache: Path | str | None = None,
    processes: int | None = None,
    progress: ReadingProgress | None = None,
) -> LabelledImages:
    """Read a balanced part of CelebA, brought to size whole, without cropping.

    Args:
        path: the folder with `img_align_celeba` and `list_attr_celeba.txt` or .parquet, or with the
            published `Img/img_align_celeba` and `Anno/list_attr_celeba.txt`; or a folder of Parquet
            files, themselves or in its `data`, with a column `image` and a column an attribute.
        pair: the two attributes that are the concepts.
        image_size: height and width in pixels.
        channels: 3 for colour, 1 for grey.
        images_per_class: at most; by default as many as the rarest training class has.
        drawn_by: random seed of which images are read.
        cache: folder for images that are brought to size; `conceptspace-cache` in `path` by
            default. What is there already is not read again.
        processes: that read at once; as many as there are cores by default.
        progress: called with the number of images read and the number in all.

    Returns:
        The images in the order of the table, or of the Parquet files' names; mapped from the cache.

    Raises:
        DataError: if a file is missing, damaged, outside of the folder, or the table is not as
            published; the message names file and line or row.

    Warns:
        UserWarning: if images lie in the folder that the table does not name, or the cache is of
            other images.
    """
    root, axes = Path(path), _AXES[pair]
    faces = faces_in(root, [axis.attribute for axis in axes])
    # Value 1 is where the attribute is there, or where it is not if the axis is reversed.
    values = (faces.present != [axis.reversed for axis in axes]).astype(np.int64)
    space = ConceptSpace.named(**{axis.name: axis.words for axis in axes})
    training = space.classes[:-1]
    rows = balanced_rows(
        values, space, training, most=images_per_class, seed=drawn_by, source=faces.place
    )
    much = images_per_class or "rarest"
    images = cached_images(
        (Path(cache) if cache else root / CACHE)
        / f"celeba-{pair}-{image_size}x{channels}-{much}-{drawn_by}",
        faces.images(rows, image_size, channels),
        processes=processes,
        progress=progress,
    )
    return LabelledImages(images, values[rows], space)
