"""How CelebA lies on disk: as files with a table, or as Parquet files that hold the images."""

import os
import re
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np

from conceptspace.data.labelled import DataError
from conceptspace.data.readers.celeba_table import (
    PARQUET_TABLE,
    TABLE,
    read_attributes,
)
from conceptspace.data.readers.folder import listed
from conceptspace.data.readers.image_sources import ImageFiles, ImageSource, ParquetImages
from conceptspace.data.readers.parquet import check_images, opened_parquet, read_signs

IMAGES = "img_align_celeba"

_IMAGE_PLACES = (IMAGES, f"Img/{IMAGES}")
_TABLE_PLACES = (TABLE, f"Anno/{TABLE}", PARQUET_TABLE, f"Anno/{PARQUET_TABLE}")
# As torchvision lays them out, and as they are published.
_PARQUET_PLACES = (".", "data")
_OF_SERIES = re.compile(r"(.+-)(\d+)(-of-)(\d+)(\.parquet)")


class Faces(ABC):
    """Images of faces with what is said of each.

    Attributes:
        place: where it is said, for messages.
        present: bool (row, attribute), whether an attribute is there.
    """

    place: str
    present: np.ndarray

    @abstractmethod
    def images(self, rows: np.ndarray, image_size: int, channels: Literal[1, 3]) -> ImageSource:
        """The images of rows (num,), which rise."""


def faces_in(root: Path, attributes: Sequence[str]) -> Faces:
    """All faces of a folder, in either layout, with some of their attributes.

    Raises:
        DataError: if a file is missing, damaged, outside of the folder, or not as published.

    Warns:
        UserWarning: if images lie in the folder that the table does not name.
    """
    folder = _first_of(root, _IMAGE_PLACES)
    shards = [] if folder else _shards(root)
    if shards:
        return _Shards.read(shards, attributes)
    table = _first_of(root, _TABLE_PLACES)
    if folder is None or table is None:
        _refuse(root, IMAGES if folder is None else TABLE)
    return _Files.read(folder, table, attributes)


@dataclass(frozen=True, eq=False)
class _Files(Faces):
    """The public layout: a folder of images, and a table."""

    folder: Path
    place: str
    names: list[str]
    present: np.ndarray
    found: dict[str, os.DirEntry]

    @classmethod
    def read(cls, folder: Path, table: Path, attributes: Sequence[str]) -> "_Files":
        said = read_attributes(table, attributes)
        found = _found_in(folder, table, said.names)
        return cls(folder, f"table: {table}", said.names, said.present, found)

    def images(self, rows: np.ndarray, image_size: int, channels: Literal[1, 3]) -> ImageSource:
        names = [self.names[row] for row in rows]
        sizes = [_size_of(self.folder, self.found[name]) for name in names]
        return ImageFiles(
            folder=self.folder, names=names, sizes=sizes, image_size=image_size, channels=channels
        )


@dataclass(frozen=True, eq=False)
class _Shards(Faces):
    """Parquet files of one folder, read one after the other."""

    folder: Path
    place: str
    present: np.ndarray
    files: list[str]
    sizes: list[int]
    num_rows: list[int]

    @classmethod
    def read(cls, shards: Sequence[os.DirEntry], attributes: Sequence[str]) -> "_Shards":
        folder = Path(shards[0].path).parent
        sizes, present = [], []
        for shard in shards:
            sizes.append(_size_of(folder, shard))
            path = Path(shard.path)
            with opened_parquet(path) as file:
                check_images(file, path)
                present.append(read_signs(file, path, attributes))
        names, num_rows = [shard.name for shard in shards], [len(part) for part in present]
        return cls(folder, str(folder), np.concatenate(present), names, sizes, num_rows)

    def images(self, rows: np.ndarray, image_size: int, channels: Literal[1, 3]) -> ImageSource:
        return ParquetImages(
            folder=self.folder,
            files=self.files,
            sizes=self.sizes,
            num_rows=self.num_rows,
            rows=rows.tolist(),
            image_size=image_size,
            channels=channels,
        )


def _first_of(root: Path, places: Sequence[str]) -> Path | None:
    return next((root / place for place in places if (root / place).exists()), None)


def _shards(root: Path) -> list[os.DirEntry]:
    """The Parquet files of a folder or its `data`, by name.

    Raises:
        DataError: if one of a series is missing.
    """
    for place in _PARQUET_PLACES:
        if not (root / place).is_dir():
            continue
        found = [
            entry
            for entry in os.scandir(root / place)
            if entry.name.endswith(".parquet")
            and not entry.name.startswith(".")
            and entry.name != PARQUET_TABLE
        ]
        if found:
            _check_series(root / place, {entry.name for entry in found})
            return sorted(found, key=lambda entry: entry.name)
    return []


def _check_series(folder: Path, names: set[str]) -> None:
    """Of files such as `train-00000-of-00019.parquet`, all must be there."""
    series = {match.group(1, 3, 4, 5) for match in map(_OF_SERIES.fullmatch, names) if match}
    missing = [
        f"{start}{index:0{len(total)}d}{of}{total}{end}"
        for start, of, total, end in sorted(series)
        for index in range(min(int(total), 100_000))
    ]
    missing = [name for name in missing if name not in names]
    if missing:
        what = f"Parquet files are not in {folder}"
        raise DataError(f"{listed(missing, what)}: the download is partial; bring them too")


def _refuse(root: Path, what: str) -> NoReturn:
    places = _IMAGE_PLACES if what == IMAGES else _TABLE_PLACES
    zipped = [str(root / f"{place}.zip") for place in places]
    hint = next((f": unpack {name}" for name in zipped if os.path.exists(name)), "")
    where = "there is no such folder" if not root.is_dir() else f"it holds no {what}"
    raise DataError(
        f"world.path: {root} must be the folder with {IMAGES} and {TABLE}, or with Parquet files "
        f"that hold the images, but {where}{hint}"
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
        warnings.warn(listed(extra, what), stacklevel=5)
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
