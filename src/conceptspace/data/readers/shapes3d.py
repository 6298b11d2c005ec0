"""Shapes3D in its published file: a solid in a room (Burgess and Kim 2018).

The file is `3dshapes.h5`. Only blocks with images that are asked for are read.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.readers.factorial import FactorialWorld, Factors, brought_to, check_table

_HUES = tuple(f"{hue / 10:g}" for hue in range(10))

FACTORS: Factors = {
    "floor_hue": _HUES,
    "wall_hue": _HUES,
    "object_hue": _HUES,
    "scale": tuple(map(str, range(8))),
    "shape": ("cube", "cylinder", "sphere", "capsule"),
    "orientation": tuple(map(str, range(15))),
}
"""In the order of the file. Hues are shares of the colour circle, from red; scales go from small to
large, orientations from left to right."""
_VALUES = {
    "floor_hue": np.arange(10) / 10,
    "wall_hue": np.arange(10) / 10,
    "object_hue": np.arange(10) / 10,
    "scale": np.linspace(0.75, 1.25, 8),
    "shape": np.arange(4),
    "orientation": np.linspace(-30, 30, 15),
}
"""The numbers that stand in the file for them."""
_IMAGES, _TABLE = "images", "labels"
_SIDE = 64
_BLOCK = 1024
_ROUNDING = 1e-3
_AGAIN = "download 3dshapes.h5 again"


class Shapes3DWorld(FactorialWorld):
    """Chosen values of some factors of Shapes3D, the others free.

    Example:
        >>> world = Shapes3DWorld(
        ...     path="3dshapes.h5",
        ...     concepts={"object_hue": ("0", "0.6"), "shape": ("cube", "sphere")},
        ... )
        >>> world.space.describe("11")
        '0.6 sphere'
    """

    kind: Literal["shapes3d"] = "shapes3d"

    @classmethod
    def factors(cls) -> Factors:
        return FACTORS

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read the chosen images of the file.

        Raises:
            DataError: if the file is missing, partial, or not as published.
        """
        import h5py

        path = Path(self.path)
        if not path.is_file():
            raise DataError(f"path: there is no file {path}; it must be the published .h5")
        try:
            with h5py.File(path, "r") as file:
                pixels = _dataset(file, path, _IMAGES)
                table = _read_table(_dataset(file, path, _TABLE), path, len(pixels))
                _check_images(pixels, path)
                rows, values = self.chosen_rows(table)
                images = _read_images(pixels, rows, progress)
        except OSError as error:
            raise DataError(
                f"path: {path} is partial, damaged or no HDF5 ({error}): {_AGAIN}"
            ) from None
        images = brought_to(images, self.image_size, self.channels)
        return LabelledImages(images, values, self.space)


def _dataset(file: Any, path: Path, name: str) -> Any:
    """An array of the file, and none that a link leads out of it for."""
    import h5py

    if name not in file:
        raise DataError(f"path: {path} holds no array {name!r}: is it the published file?")
    found = file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise DataError(f"path: {path}: {name!r} is a link or no array: {_AGAIN}")
    return found


def _check_images(pixels: Any, path: Path) -> None:
    if pixels.shape[1:] != (_SIDE, _SIDE, 3) or pixels.dtype != np.uint8:
        raise DataError(
            f"path: {path}: array {_IMAGES!r} must be bytes (image, {_SIDE}, {_SIDE}, 3), not "
            f"{pixels.dtype} {pixels.shape}: {_AGAIN}"
        )


def _read_table(labels: Any, path: Path, num: int) -> np.ndarray:
    """The index of each factor's value in each image, (image, factor)."""
    check_table(path, _TABLE, labels.shape, num, len(FACTORS))
    if labels.dtype.kind not in "fiu":
        raise DataError(f"path: {path}: array {_TABLE!r} must hold numbers, not {labels.dtype}")
    given = labels[...]
    table = np.empty(given.shape, dtype=np.int64)
    for column, (factor, values) in enumerate(_VALUES.items()):
        distance = np.abs(given[:, column, None] - values)
        table[:, column] = distance.argmin(axis=1)
        wrong = ~(distance.min(axis=1) <= _ROUNDING)  # so that NaN is wrong
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"path: {path}: array {_TABLE!r}, row {row}, says {given[row, column]:g} for "
                f"{factor}, which is none of {', '.join(f'{value:g}' for value in values)}: "
                f"{_AGAIN}"
            )
    return table


def _read_images(pixels: Any, rows: np.ndarray, progress: ReadingProgress | None) -> np.ndarray:
    """These images, uint8 (row, height, width, channel); `rows` are in order."""
    kept = np.empty((len(rows), _SIDE, _SIDE, 3), dtype=np.uint8)
    for start in range(0, len(pixels), _BLOCK):
        first, last = np.searchsorted(rows, (start, start + _BLOCK))
        if first == last:
            continue
        low, high = int(rows[first]), int(rows[last - 1]) + 1
        # A range is read many times faster than its rows one by one.
        kept[first:last] = pixels[low:high][rows[first:last] - low]
        if progress is not None:
            progress(int(last), len(rows))
    return kept
