"""CelebA in its public layout: a folder of aligned faces, and a text file of 40 attributes."""

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.labelled_world import Augmentation, LabelledWorld
from conceptspace.data.readers.balance import balanced_rows
from conceptspace.data.readers.folder import listed
from conceptspace.data.readers.image_cache import ImageFiles, cached_images

IMAGES, TABLE = "img_align_celeba", "list_attr_celeba.txt"
CACHE = "conceptspace-cache"

_PLACES = {IMAGES: (IMAGES, f"Img/{IMAGES}"), TABLE: (TABLE, f"Anno/{TABLE}")}
# As torchvision lays them out, and as they are published.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.jpe?g")
_SIGNS = {"-1", "1"}

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
    """The folder with `img_align_celeba` and `list_attr_celeba.txt`."""
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
                f"--world.path DIR, the folder that holds {IMAGES} and {TABLE} "
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
        path: the folder with `img_align_celeba` and `list_attr_celeba.txt`, or with the published
            `Img/img_align_celeba` and `Anno/list_attr_celeba.txt`.
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
        The images in the order of the table, mapped from the cache.

    Raises:
        DataError: if a file is missing, damaged, outside of the folder, or the table is not as
            published; the message names file and line.

    Warns:
        UserWarning: if images lie in the folder that the table does not name, or the cache is of
            other images.
    """
    root = Path(path)
    folder, table = _located(root, IMAGES), _located(root, TABLE)
    axes = _AXES[pair]
    attributes = read_attributes(table, [axis.attribute for axis in axes])
    found = _found_in(folder, table, attributes.names)
    # Value 1 is where the attribute is there, or where it is not if the axis is reversed.
    values = (attributes.present != [axis.reversed for axis in axes]).astype(np.int64)
    space = ConceptSpace.named(**{axis.name: axis.words for axis in axes})
    training = space.classes[:-1]
    rows = balanced_rows(
        values, space, training, most=images_per_class, seed=drawn_by, source=f"table: {table}"
    )
    names = [attributes.names[row] for row in rows]
    sizes = [_size_of(folder, found[name]) for name in names]
    much = images_per_class or "rarest"
    images = cached_images(
        (Path(cache) if cache else root / CACHE)
        / f"celeba-{pair}-{image_size}x{channels}-{much}-{drawn_by}",
        ImageFiles(folder, names, sizes, image_size, channels),
        processes=processes,
        progress=progress,
    )
    return LabelledImages(images, values[rows], space)


@dataclass(frozen=True, eq=False)
class Attributes:
    """What the table says.

    Attributes:
        names: file names, a row each.
        present: bool (row, attribute), whether an attribute is there.
    """

    names: list[str]
    present: np.ndarray


def read_attributes(table: Path, wanted: Sequence[str]) -> Attributes:
    """Read some attributes of every image.

    Args:
        table: the number of images, a line of attribute names, and a line an image: its file name
            and 1 or -1 for each attribute.
        wanted: attributes by name.

    Raises:
        DataError: if it is not like that; the message names the line.
    """
    names, rows = [], []
    try:
        with open(table, encoding="utf-8-sig") as lines:
            num, known = _header(table, lines.readline(), lines.readline(), wanted)
            columns = [known.index(attribute) for attribute in wanted]
            for number, line in enumerate(lines, start=3):
                name, *signs = line.split() or [""]
                if len(signs) != len(known) or not _SIGNS.issuperset(signs):
                    _refuse_row(table, number, name, signs, known)
                if not _NAME.fullmatch(name):
                    raise DataError(
                        f"{table}, line {number}: {name!r} must be the name of a .jpg file in "
                        f"{IMAGES}, without a path: download the table again"
                    )
                names.append(name)
                rows.append([signs[column] == "1" for column in columns])
    except UnicodeDecodeError as error:
        raise DataError(f"{table} is not text ({error.reason}): download it again") from None
    if len(names) != num:
        raise DataError(
            f"{table}, line 1: it says {num} images, but {len(names)} lines follow the header: the "
            "download is partial or was changed; download it again, or correct the number"
        )
    if len(set(names)) != num:
        twice = next(name for name in sorted(names) if names.count(name) > 1)
        raise DataError(f"{table} names {twice} twice: download it again")
    return Attributes(names, np.array(rows, dtype=bool).reshape(num, len(wanted)))


def _header(table: Path, first: str, second: str, wanted: Sequence[str]) -> tuple[int, list[str]]:
    """The number of images, and the names of the attributes."""
    if not first.strip().isdecimal():
        hint = f"; a .csv of it is not {TABLE}" if "," in first else ""
        raise DataError(
            f"{table}, line 1: must be the number of images alone, not {first.strip()[:60]!r}"
            f"{hint}: download the table as published"
        )
    known = second.split()
    for attribute in wanted:
        if known.count(attribute) != 1:
            problem = "has no" if attribute not in known else "has twice the"
            raise DataError(
                f"{table}, line 2: {problem} attribute {attribute!r}; it names "
                f"{', '.join(known) or 'none'}: download the table as published"
            )
    return int(first), known


def _refuse_row(
    table: Path, number: int, name: str, signs: Sequence[str], known: Sequence[str]
) -> None:
    where = f"{table}, line {number}"
    if len(signs) != len(known):
        raise DataError(
            f"{where}: must be a file name and {len(known)} attributes, as line 2 names, but has "
            f"{len(signs)} attributes: download the table again"
        )
    attribute, sign = next(pair for pair in zip(known, signs) if pair[1] not in _SIGNS)
    raise DataError(f"{where}: {attribute} of {name} must be 1 or -1, not {sign[:20]!r}")


def _located(root: Path, what: str) -> Path:
    """Where a part of the layout is."""
    for place in _PLACES[what]:
        if (root / place).exists():
            return root / place
    zipped = [str(root / f"{place}.zip") for place in _PLACES[what]]
    hint = next((f": unpack {name}" for name in zipped if os.path.exists(name)), "")
    where = "there is no such folder" if not root.is_dir() else f"it holds no {what}"
    raise DataError(
        f"world.path: {root} must be the folder with {IMAGES} and {TABLE}, but {where}{hint}"
    )


def _found_in(folder: Path, table: Path, names: Sequence[str]) -> dict[str, os.DirEntry]:
    """The files of a folder by name, among them all that the table names."""
    found = {entry.name: entry for entry in os.scandir(folder)}
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{listed(missing, f'of {len(names)} images of {table} are not in {folder}')}: the "
            "download is partial, or not unpacked to its end; unpack it again"
        )
    known = set(names)
    extra = sorted(name for name in found if name not in known and not name.startswith("."))
    if extra:
        what = f"files in {folder} are not in {table} and are left out"
        warnings.warn(listed(extra, what), stacklevel=3)
    return found


def _size_of(folder: Path, entry: os.DirEntry) -> int:
    """Bytes of a file.

    Raises:
        DataError: if it is none, or a link that leads out of the folder.
    """
    if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{entry.path} is a link that leads out of {folder}: put the file there")
    if not entry.is_file():
        raise DataError(f"{entry.path} is no file: download the images again")
    return entry.stat().st_size
