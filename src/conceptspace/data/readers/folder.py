"""A folder of images, and a table that says what each shows."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np
from pydantic import Field

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError, LabelledImages, ReadingProgress
from conceptspace.data.labelled_world import LabelledWorld
from conceptspace.data.readers.table import indices, read_table

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 64_000_000
"""Of an image file. A small file may claim to be far larger, and fill the memory."""
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
# Not all that Pillow knows: some formats are handed to other programs.
_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".webp", ".tif", ".tiff")
_NAMED = 3  # problems that a message names; the others are counted


class FolderWorld(LabelledWorld):
    """Images in a folder, labelled by a table."""

    kind: Literal["folder"] = "folder"
    path: str = Field(min_length=1)
    """The folder with the images."""
    table: str = Field(min_length=1)
    """CSV or Parquet file: a row an image."""
    concepts: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Columns of the table, and the values of each in the order of their index."""
    file_column: str = "file"
    """The column with each image's name, from the folder on."""

    @property
    def space(self) -> ConceptSpace:
        return ConceptSpace.named(**self.concepts)

    def read(self, progress: ReadingProgress | None = None) -> LabelledImages:
        """Read all images that the table names; see `read_folder`."""
        return read_folder(
            self.path,
            self.table,
            concepts=self.concepts,
            file_column=self.file_column,
            image_size=self.image_size,
            channels=self.channels,
            progress=progress,
        )


def read_folder(
    path: Path | str,
    table: Path | str,
    *,
    concepts: Mapping[str, Sequence[str]],
    image_size: int,
    file_column: str = "file",
    channels: Literal[1, 3] = 3,
    progress: ReadingProgress | None = None,
) -> LabelledImages:
    """Read a folder of images with a table of concepts.

    Whole images are brought to `image_size`, without cropping. What is transparent becomes white.

    Args:
        path: the folder.
        table: CSV, TSV or Parquet file, a row an image.
        concepts: columns of the table, and the values of each in the order of their index.
        image_size: height and width in pixels.
        file_column: the column with each image's name, from the folder on.
        channels: 3 for colour, 1 for grey.
        progress: called with the number of images read and the number in all.

    Returns:
        The images in the order of the table.

    Raises:
        DataError: if the table does not fit, names a file twice or one outside of the folder, a
            file is missing, damaged or too large; the message names it.

    Warns:
        UserWarning: if images lie in the folder that the table does not name.
    """
    root = Path(path)
    if not root.is_dir():
        hint = ": unpack it first" if root.is_file() else ""
        raise DataError(f"path: there is no folder {root}{hint}")
    columns = read_table(table, [file_column, *concepts])
    values = indices(columns, concepts, f"table: {table}")
    files = _files(root, columns[file_column].tolist(), table)
    images = np.empty((len(files), image_size, image_size, channels), dtype=np.uint8)
    problems = []
    for row, file in enumerate(files):
        try:
            images[row] = read_image(file, image_size, channels)
        except DataError as error:
            problems.append(str(error))
        if progress is not None:
            progress(row + 1, len(files))
    if problems:
        raise DataError(listed(problems, f"of {len(files)} images cannot be read"))
    return LabelledImages(images, values, ConceptSpace.named(**concepts))


def read_image(
    file: Path | BinaryIO, image_size: int, channels: Literal[1, 3], name: str | None = None
) -> np.ndarray:
    """One image (height, width, channel) uint8, brought to size.

    Args:
        file: the encoded image.
        image_size: height and width in pixels.
        channels: 3 for colour, 1 for grey.
        name: of the image in messages; the path of its file by default.

    Raises:
        DataError: if it is no image, damaged, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    name = name or str(file)
    try:
        with warnings.catch_warnings():
            # Pillow's own warning of large images; the check below refuses them.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                _check_size(name, opened.width * opened.height)
                opened.load()
                shown = ImageOps.exif_transpose(opened)
                plain = _without_transparency(name, shown)
    except UnidentifiedImageError:
        raise DataError(f"{name} is no image of a known format ({', '.join(_FORMATS)})") from None
    except Image.DecompressionBombError:
        raise DataError(_too_large(name)) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} is damaged or cut short ({error})") from error
    resized = plain.convert("RGB" if channels == 3 else "L").resize(
        (image_size, image_size), Image.Resampling.BILINEAR
    )
    return np.asarray(resized, dtype=np.uint8).reshape(image_size, image_size, channels)


def _without_transparency(name: str, image: "Image") -> "Image":
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        raise DataError(f"{name} has more than 8 bits a channel: save it with 8")
    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    white = Image.new("RGBA", seen.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, seen)


def _check_size(name: str, pixels: int) -> None:
    if pixels > MOST_PIXELS:
        raise DataError(_too_large(name))


def _too_large(name: str) -> str:
    return f"{name} has more than {MOST_PIXELS // 1_000_000} million pixels: make it smaller first"


def _files(root: Path, names: list[str], table: Path | str) -> list[Path]:
    """Where the images are.

    Raises:
        DataError: if a name is there twice, leads out of the folder, or leads to no file.
    """
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"table: {table} names the file {twice!r} twice")
    files = [inside(root, name) for name in names]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise DataError(listed(missing, f"of {len(files)} images of {table} are missing"))
    known = set(files)
    extra = [
        found
        for found in root.rglob("*")
        if found.suffix.lower() in _ENDINGS and found not in known
    ]
    if extra:
        message = f"images in {root} are not in {table} and are left out"
        warnings.warn(listed(sorted(map(str, extra)), message), stacklevel=4)
    return files


def inside(root: Path, name: str) -> Path:
    """A file of a folder by its name in a table.

    Raises:
        DataError: if the name leads out of the folder, be it by a link.
    """
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    leaves = posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts
    if not name or leaves:
        raise DataError(f"table: {name!r} must be the name of a file in {root}, without '..'")
    file = root / posix
    if not file.resolve().is_relative_to(root.resolve()):
        raise DataError(f"table: {name!r} is a link that leads out of {root}: put the file there")
    return file


def listed(items: Sequence[str], what: str) -> str:
    """How many there are, what is wrong with them, and the first few."""
    more = f"; and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return f"{len(items)} {what}: {'; '.join(items[:_NAMED])}{more}"
