"""Parquet files a piece at a time: columns that say yes or no, and columns of encoded images.

pyarrow, of the extra `data`, is loaded on first use.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from conceptspace.data.labelled import DataError

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

IMAGE = "image"
"""The column with the images, as hubs of data sets write it."""
_AGAIN = "download it again"
_BUFFER = 2**20  # bytes; without one a column of a whole row group is read at once
_BATCH = 128  # images


@contextmanager
def opened_parquet(path: Path) -> Iterator["ParquetFile"]:
    """A Parquet file with at least one row.

    Raises:
        DataError: if pyarrow is not installed, or the file is empty, partial, damaged or of another
            kind, be it noticed while it is read from.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"reading {path} needs pyarrow: pip install 'conceptspace[data]'"
        ) from error
    try:
        with parquet.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            if not file.metadata.num_rows:
                raise DataError(f"{path} has no rows: {_AGAIN}")
            yield file
    except DataError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        problem = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DataError(
            f"{path} is partial, damaged or no Parquet file ({problem}): {_AGAIN}"
        ) from error


def read_signs(file: "ParquetFile", path: Path, columns: Sequence[str]) -> np.ndarray:
    """Whether something is so, of each row: bool (row, column).

    Args:
        file: the opened file.
        path: where it is, for messages.
        columns: each holds booleans, or whole numbers: 1 for yes, and either -1 or 0 for no.

    Raises:
        DataError: if a column is missing or holds anything else; it names column and row.
    """
    for column in columns:
        _check_there(file, path, column)
    table = file.read(columns=list(columns), use_threads=False)
    return np.stack([_signs(table.column(column), path, column) for column in columns], axis=1)


def read_words(file: "ParquetFile", path: Path, column: str) -> list[str]:
    """A column of text, without gaps.

    Raises:
        DataError: if there is a gap; it names the row.
    """
    found = file.read(columns=[column], use_threads=False).column(column)
    _check_no_gap(found, path, column)
    return found.to_pylist()


def check_images(file: "ParquetFile", path: Path) -> None:
    """Refuse a file without a column of encoded images.

    Raises:
        DataError: saying what the column should be.
    """
    from pyarrow import types

    _check_there(file, path, IMAGE)
    kind = file.schema_arrow.field(IMAGE).type
    if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        kind = kind.field("bytes").type
    if not (types.is_binary(kind) or types.is_large_binary(kind)):
        raise DataError(
            f"{path}: column {IMAGE!r} must hold encoded images, as bytes or in a field 'bytes', "
            f"not {str(kind)[:80]}"
        )


def images_in(path: Path, rows: np.ndarray) -> Iterator[tuple[str, BytesIO]]:
    """Encoded images of a file, each with a name for messages; pieces without any are left out.

    Args:
        path: the file, with a column of images.
        rows: those that are wanted (num,), counted from 0 and rising.

    Raises:
        DataError: if the file is damaged, or a row holds no image.
    """
    num_found = 0
    with opened_parquet(path) as file:
        check_images(file, path)
        for start, column in _batches(file, rows):
            for row in _within(rows, start, len(column)):
                yield f"{path}, row {row + 1}", BytesIO(_image(column[row - start], path, row))
                num_found += 1
    if num_found < len(rows):
        raise DataError(f"{path} holds fewer rows than it says: {_AGAIN}")


def _batches(file: "ParquetFile", rows: np.ndarray) -> Iterator[tuple[int, Any]]:
    """Pieces of the column of images with their first row, up to the last that is wanted."""
    nested = f"{IMAGE}.bytes" in (
        file.metadata.schema.column(i).path for i in range(file.metadata.num_columns)
    )
    start = 0
    for group in range(file.num_row_groups):
        num = file.metadata.row_group(group).num_rows
        first, wanted = start, _within(rows, start, num)
        start += num
        if not len(wanted):
            continue
        for batch in file.iter_batches(
            _BATCH, [group], [f"{IMAGE}.bytes" if nested else IMAGE], use_threads=False
        ):
            yield first, batch.column(0)
            first += len(batch)
            if first > wanted[-1]:
                break


def _within(rows: np.ndarray, start: int, num: int) -> np.ndarray:
    low, high = np.searchsorted(rows, (start, start + num))
    return rows[low:high]


def _image(cell: Any, path: Path, row: int) -> bytes:
    found = cell.as_py()
    found = found["bytes"] if isinstance(found, dict) else found
    if not found:
        raise DataError(
            f"{path}, row {row + 1}: column {IMAGE!r} holds no bytes: the file must hold the "
            "images themselves, not where they are"
        )
    return found


def _check_there(file: "ParquetFile", path: Path, column: str) -> None:
    names = file.schema_arrow.names
    if names.count(column) != 1:
        problem = "has no" if column not in names else "has twice the"
        raise DataError(f"{path} {problem} column {column!r}; it has {', '.join(names)[:2000]}")


def _check_no_gap(found: Any, path: Path, column: str) -> None:
    if found.null_count:
        row = int(np.flatnonzero(found.is_null().to_numpy())[0])
        raise DataError(f"{path}, row {row + 1}: column {column!r} is empty (null): {_AGAIN}")


def _signs(found: Any, path: Path, column: str) -> np.ndarray:
    from pyarrow import types

    _check_no_gap(found, path, column)
    if types.is_boolean(found.type):
        return found.to_numpy()
    if not types.is_integer(found.type):
        raise DataError(
            f"{path}: column {column!r} must hold booleans or whole numbers, not {found.type}"
        )
    numbers = found.to_numpy()
    no = -1 if (numbers == -1).any() else 0
    wrong = np.flatnonzero((numbers != 1) & (numbers != no))
    if wrong.size:
        beside = " beside -1" if no == -1 else ""
        raise DataError(
            f"{path}, row {wrong[0] + 1}: column {column!r} must hold 1 and -1, or 1 and 0, not "
            f"{numbers[wrong[0]]}{beside}"
        )
    return numbers == 1
