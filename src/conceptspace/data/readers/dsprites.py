"""dSprites in its published file: white shapes on black (Matthey et al. 2017).

The file is `dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz`. One of its arrays, `metadata`, is a
pickle, which could run code: it is never opened. The images are unpacked a block at a time, since
all of them take 3 GB.
"""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import numpy as np

from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.readers.factorial import FactorialWorld, Factors, brought_to, check_table

FACTORS: Factors = {
    "color": ("white",),
    "shape": ("square", "ellipse", "heart"),
    "scale": ("0.5", "0.6", "0.7", "0.8", "0.9", "1"),
    "orientation": tuple(map(str, range(40))),
    "posX": tuple(map(str, range(32))),
    "posY": tuple(map(str, range(32))),
}
"""In the order of the file. Orientations are 40ths of a turn and more; places go from left to right
and from top to bottom."""
_IMAGES, _TABLE = "imgs", "latents_classes"
_SIDE = 64
_BLOCK = 1024
_MOST_IMAGES = 4_000_000  # the published file has 737 280; a forged header may say anything
_AGAIN = "download dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz again"


class DSpritesWorld(FactorialWorld):
    """Chosen values of some factors of dSprites, the others free.

    Example:
        >>> world = DSpritesWorld(
        ...     path="dsprites.npz",
        ...     concepts={"shape": ("square", "heart"), "scale": ("1", "0.5")},
        ... )
        >>> world.space.describe("11")
        'heart 0.5'
    """

    kind: Literal["dsprites"] = "dsprites"
    channels: Literal[1, 3] = 1

    @classmethod
    def factors(cls) -> Factors:
        return FACTORS

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read the chosen images of the file.

        Raises:
            DataError: if the file is missing, partial, or not as published.
        """
        path = Path(self.path)
        with _opened(path) as archive:
            table = _read_table(archive, path)
            rows, values = self.chosen_rows(table)
            images = _read_images(archive, path, len(table), rows, progress)
        images = brought_to(images, self.image_size, self.channels)
        return LabelledImages(images, values, self.space)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise DataError(f"path: there is no file {path}; it must be the published .npz")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(
            f"path: {path} is partial, damaged or no .npz ({error}): {_AGAIN}"
        ) from None


@contextmanager
def _array(
    archive: zipfile.ZipFile, path: Path, name: str
) -> Iterator[tuple[IO[bytes], tuple[int, ...], np.dtype]]:
    """The data of an array, at their start, with its shape and type."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise DataError(f"path: {path} holds no array {name!r}: is it the published file?")
    with archive.open(member) as file:
        try:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                header = np.lib.format.read_array_header_2_0
            shape, in_fortran_order, dtype = header(file)
        except ValueError as error:
            raise DataError(f"path: {path}: array {name!r} is damaged ({error})") from None
        if dtype.hasobject:
            raise DataError(
                f"path: {path}: array {name!r} holds pickled objects, which are not read, since "
                f"they can run code: {_AGAIN}"
            )
        if in_fortran_order or not shape or shape[0] > _MOST_IMAGES:
            raise DataError(f"path: {path}: array {name!r} is not as published: {_AGAIN}")
        yield file, shape, dtype


def _read_table(archive: zipfile.ZipFile, path: Path) -> np.ndarray:
    """The index of each factor's value in each image, (image, factor)."""
    with _array(archive, path, _TABLE) as (file, shape, dtype):
        check_table(path, _TABLE, shape, shape[0], len(FACTORS))
        if dtype.kind not in "iu":
            raise DataError(f"path: {path}: array {_TABLE!r} must hold integers, not {dtype}")
        table = np.frombuffer(_exactly(file, shape, dtype, path), dtype).reshape(shape)
    for column, (factor, words) in enumerate(FACTORS.items()):
        if len(table) and not 0 <= table[:, column].min() <= table[:, column].max() < len(words):
            raise DataError(
                f"path: {path}: array {_TABLE!r} has values of {factor} outside of 0 to "
                f"{len(words) - 1}: {_AGAIN}"
            )
    return table


def _read_images(
    archive: zipfile.ZipFile,
    path: Path,
    num: int,
    rows: np.ndarray,
    progress: ReadingProgress | None,
) -> np.ndarray:
    """These images, uint8 (row, height, width, 1); `rows` are in order."""
    kept = np.empty((len(rows), _SIDE, _SIDE, 1), dtype=np.uint8)
    with _array(archive, path, _IMAGES) as (file, shape, dtype):
        if shape != (num, _SIDE, _SIDE) or dtype != np.uint8:
            raise DataError(
                f"path: {path}: array {_IMAGES!r} must be bytes ({num}, {_SIDE}, {_SIDE}), not "
                f"{dtype} {shape}: {_AGAIN}"
            )
        # Packed data cannot be skipped; but nothing is unpacked beyond the last row asked for.
        for start in range(0, int(rows[-1]) + 1, _BLOCK):
            size = min(_BLOCK, num - start)
            data = _exactly(file, (size, _SIDE, _SIDE), dtype, path)
            first, last = np.searchsorted(rows, (start, start + size))
            block = np.frombuffer(data, np.uint8).reshape(size, _SIDE, _SIDE, 1)
            kept[first:last] = block[rows[first:last] - start]
            if progress is not None:
                progress(int(last), len(rows))
    if kept.max() > 1:
        raise DataError(
            f"path: {path}: array {_IMAGES!r} must hold 0 and 1, not {kept.max()}: {_AGAIN}"
        )
    return kept * np.uint8(255)


def _exactly(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype, path: Path) -> bytes:
    wanted = int(np.prod(shape)) * dtype.itemsize
    data = file.read(wanted)
    if len(data) < wanted:
        raise DataError(f"path: {path} ends too early: {_AGAIN}")
    return data
