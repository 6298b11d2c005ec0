"""Arrays of images and labels in one file: NumPy's `.npz`, or HDF5."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.readers.table import indices, word

LABELS = "labels"
"""The array with a column for each concept, where a concept has no array of its own."""
_HDF5 = (".h5", ".hdf5")
_PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".npy", ".joblib")
_UNLIKELY_RATIO, _LARGE_BYTES = 200, 2**30
# A zip that unpacks to over a gigabyte and two hundred times its size is no archive of images.


class ArraysWorld(LabelledWorld):
    """Images and labels in a file of arrays."""

    kind: Literal["arrays"] = "arrays"
    path: str = Field(min_length=1)
    """An .npz, .h5 or .hdf5 file."""
    concepts: dict[str, tuple[str, ...]] = Field(min_length=1)
    """The concepts, and the values of each in the order of their index."""
    images: str = "images"
    """The array with the images, (num, height, width) or (num, height, width, channel)."""

    @property
    def space(self) -> ConceptSpace:
        return ConceptSpace.named(**self.concepts)

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read the file; see `read_arrays`."""
        return read_arrays(self.path, concepts=self.concepts, images=self.images)


def read_arrays(
    path: Path | str, *, concepts: Mapping[str, Sequence[str]], images: str = "images"
) -> LabelledImages:
    """Read images and labels from a file of arrays.

    A concept's labels are the array of its name (num,), or else its column of the array `labels`
    (num, concept). They are words or numbers that are among its values, or, where its values are
    words, whole numbers: the values' indices. Arrays `masks` (num, height, width) and `groups`
    (num,) are taken along if they are there.

    Args:
        path: an .npz, .h5 or .hdf5 file.
        concepts: the concepts, and the values of each in the order of their index.
        images: the array with the images: bytes, or values in [0, 1].

    Raises:
        DataError: if the file is missing, damaged, of another kind, or lacks an array, or an array
            is not what it should be. Pickles and arrays of objects are refused: they can run code.
    """
    path = Path(path)
    with _opened(path) as arrays:
        pixels = _as_bytes(_grey_or_colour(arrays(images), images), images)
        labels = _labels(arrays, concepts, len(pixels), path)
        masks, groups = (
            arrays(name) if name in arrays.names else None for name in ("masks", "groups")
        )
    values = indices(labels, concepts, str(path))
    space = ConceptSpace.named(**concepts)
    masks = None if masks is None else masks.astype(bool)
    groups = None if groups is None else groups.astype(np.int64)
    try:
        return LabelledImages(pixels, values, space, masks, groups)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


class _Arrays:
    """The arrays of a file, each read when it is asked for."""

    def __init__(self, path: Path, file: Any, names: Sequence[str]) -> None:
        self.path, self.file, self.names = path, file, list(names)

    def __call__(self, name: str) -> np.ndarray:
        if name not in self.names:
            known = ", ".join(self.names)
            raise DataError(f"{self.path} has no array {name!r}; it has {known or 'none'}")
        try:
            return self.read(name)
        except DataError:
            raise
        except ValueError as error:
            if "Object arrays" in str(error):
                raise DataError(_objects(self.path, name)) from None
            raise DataError(f"{self.path}: array {name!r} is damaged ({error})") from error
        except (OSError, EOFError, zipfile.BadZipFile, RuntimeError) as error:
            raise DataError(f"{self.path}: array {name!r} is damaged ({error})") from error

    def read(self, name: str) -> np.ndarray:
        """The whole array."""
        found = self.file[name]
        if not isinstance(found, np.ndarray):  # NumPy hands out what is no array as bytes
            raise DataError(f"{self.path}: {name!r} is no array")
        return found


class _Hdf5(_Arrays):
    def read(self, name: str) -> np.ndarray:
        import h5py

        found = self.file.get(name, getlink=True)
        dataset = self.file[name] if isinstance(found, h5py.HardLink) else None
        outside = dataset is None or (
            isinstance(dataset, h5py.Dataset) and (dataset.is_virtual or dataset.external)
        )
        if outside:
            raise DataError(f"{self.path}: array {name!r} is a link to another place: copy it here")
        if not isinstance(dataset, h5py.Dataset):
            raise DataError(f"{self.path}: {name!r} is no array")
        if h5py.check_string_dtype(dataset.dtype):
            return np.asarray(dataset.asstr()[...], dtype=str)
        if dataset.dtype.hasobject:
            raise DataError(_objects(self.path, name))
        return dataset[...]


@contextmanager
def _opened(path: Path) -> Iterator[_Arrays]:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        raise DataError(
            f"path: {path} is not read, since such files can hold pickles, which run code: save "
            "the arrays with np.savez(..., images=..., labels=...)"
        )
    if suffix not in (".npz", *_HDF5):
        raise DataError(f"path: {path} must be an .npz, .h5 or .hdf5 file")
    if not path.is_file():
        raise DataError(f"path: there is no file {path}")
    if suffix == ".npz":
        with _opened_zip(path) as arrays:
            yield arrays
        return
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"path: {path} is damaged or no HDF5 file ({error})") from error
    with file:
        yield _Hdf5(path, file, list(file))


@contextmanager
def _opened_zip(path: Path) -> Iterator[_Arrays]:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > max(_LARGE_BYTES, _UNLIKELY_RATIO * path.stat().st_size):
            raise DataError(
                f"path: {path} would unpack to {unpacked / 1e9:.1f} GB, over {_UNLIKELY_RATIO} "
                "times its size, which no images do: save the arrays with np.savez"
            )
        file = np.load(path, allow_pickle=False)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"path: {path} is damaged or no .npz file ({error})") from error
    with file:
        yield _Arrays(path, file, file.files)


def _objects(path: Path, name: str) -> str:
    return (
        f"{path}: array {name!r} holds Python objects, which are not read, since they can run "
        f"code: save numbers or text, such as {name}=np.asarray({name}, dtype=str)"
    )


def _labels(
    arrays: _Arrays, concepts: Mapping[str, Sequence[str]], num: int, path: Path
) -> dict[str, np.ndarray]:
    """Of each concept, the word of each image."""
    found = {}
    for index, (name, values) in enumerate(concepts.items()):
        if name in arrays.names:
            column = arrays(name)
        else:
            table = arrays(LABELS)
            table = table[:, None] if table.ndim == 1 else table
            if table.ndim != 2 or table.shape[1] != len(concepts):
                raise DataError(
                    f"{path}: array {LABELS!r} must be (num, concept), with {len(concepts)} "
                    f"concepts, not {table.shape}"
                )
            column = table[:, index]
        if column.shape != (num,):
            raise DataError(
                f"{path}: the labels of {name!r} must hold one for each of the {num} images, not "
                f"{column.shape}"
            )
        found[name] = _words(column, values)
    return found


def _words(column: np.ndarray, values: Sequence[str]) -> np.ndarray:
    """Labels as words; numbers stand for the words at their index, unless words are numbers."""
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8")
    if column.dtype.kind == "f" and (column == np.floor(column)).all():
        column = column.astype(np.int64)
    if column.dtype.kind in "iub" and not any(value.lstrip("-").isdecimal() for value in values):
        known = np.asarray([word(value) for value in values])
        column = column.astype(np.int64)
        if len(column) and column.min() >= 0 and column.max() < len(known):
            return known[column]
    return np.array([word(cell) for cell in column.tolist()], dtype=str)


def _grey_or_colour(images: np.ndarray, name: str) -> np.ndarray:
    if images.ndim == 3:
        return images[..., None]
    if images.ndim == 4 and images.shape[3] in (1, 3):
        return images
    hint = ""
    if images.ndim == 4 and images.shape[1] in (1, 3):
        hint = "; move the channel to the end with np.moveaxis(images, 1, 3)"
    raise DataError(
        f"images: array {name!r} must be (num, height, width) or (num, height, width, channel) "
        f"with 1 or 3 channels, not {images.shape}{hint}"
    )


def _as_bytes(images: np.ndarray, name: str) -> np.ndarray:
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind == "f":
        if not np.isfinite(images).all():
            raise DataError(f"images: array {name!r} holds NaN or infinity")
        if images.size == 0 or (images.min() >= 0 and images.max() <= 1):
            return (images * 255).round().astype(np.uint8)
        ends = f"{images.min():g} to {images.max():g}"
    else:
        ends = f"{images.dtype}"
    raise DataError(f"images: array {name!r} must be bytes, or values in [0, 1], not {ends}")
