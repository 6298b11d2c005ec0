"""Where the images of a cache come from: files of a folder, or rows of Parquet files.

A source can be written as JSON and made again from it, as several processes read from it at once.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from conceptspace.data.readers.parquet import images_in

_VERSION = 1  # of how images are read; another makes other fingerprints


@dataclass(frozen=True, kw_only=True)
class ImageSource(ABC):
    """Encoded images in an order, and what they are brought to.

    Attributes:
        folder: where they are.
        image_size: height and width that images are brought to.
        channels: 3 for colour, 1 for grey.
    """

    folder: Path
    image_size: int
    channels: Literal[1, 3]

    @abstractmethod
    def __len__(self) -> int:
        """How many images there are."""

    @abstractmethod
    def identity(self) -> list[Sequence[Any]]:
        """What changes with any image, as far as it can be told without reading them all."""

    @abstractmethod
    def encoded(self, first: int, last: int) -> Iterator[tuple[str, Path | BytesIO]]:
        """The images from `first` to before `last`: a name for messages, and what to decode.

        Raises:
            DataError: if what holds them is damaged.
        """

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self), self.image_size, self.image_size, self.channels)

    def fingerprint(self) -> str:
        """A text that changes with any setting and with what `identity` is."""
        found = hashlib.sha256(repr((_VERSION, self.image_size, self.channels)).encode())
        found.update(json.dumps([list(part) for part in self.identity()]).encode())
        return found.hexdigest()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder.absolute()), "kind": type(self).__name__}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "ImageSource":
        kinds = {kind.__name__: kind for kind in (ImageFiles, ParquetImages)}
        settings = {name: value for name, value in content.items() if name != "kind"}
        return kinds[content["kind"]](**{**settings, "folder": Path(settings["folder"])})


@dataclass(frozen=True, kw_only=True)
class ImageFiles(ImageSource):
    """Files of a folder.

    Attributes:
        names: of the files, in order.
        sizes: bytes of each file.
    """

    names: Sequence[str]
    sizes: Sequence[int]

    def __len__(self) -> int:
        return len(self.names)

    def identity(self) -> list[Sequence[Any]]:
        return [self.names, self.sizes]

    def encoded(self, first: int, last: int) -> Iterator[tuple[str, Path | BytesIO]]:
        for name in self.names[first:last]:
            yield str(self.folder / name), self.folder / name


@dataclass(frozen=True, kw_only=True)
class ParquetImages(ImageSource):
    """Rows of Parquet files that hold images.

    Attributes:
        files: names of the Parquet files, in order.
        sizes: bytes of each of them.
        num_rows: of each of them.
        rows: those that are wanted, rising, counted through all files.
    """

    files: Sequence[str]
    sizes: Sequence[int]
    num_rows: Sequence[int]
    rows: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    def identity(self) -> list[Sequence[Any]]:
        return [self.files, self.sizes, self.num_rows, self.rows]

    def encoded(self, first: int, last: int) -> Iterator[tuple[str, Path | BytesIO]]:
        rows, start = np.asarray(self.rows[first:last]), 0
        for name, num in zip(self.files, self.num_rows):
            low, high = np.searchsorted(rows, (start, start + num))
            if low < high:
                yield from images_in(self.folder / name, rows[low:high] - start)
            start += num
