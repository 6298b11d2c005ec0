"""CelebA's table of attributes, as published in text or as Parquet: a row an image."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conceptspace.data.labelled import DataError
from conceptspace.data.readers.parquet import opened_parquet, read_signs, read_words

TABLE, PARQUET_TABLE = "list_attr_celeba.txt", "list_attr_celeba.parquet"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.jpe?g")
_SIGNS = {"-1", "1"}


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
        table: as text, the number of images, a line of attribute names, and a line an image: its
            file name and 1 or -1 for each attribute. As Parquet (.parquet), one column of text, the
            file names, and a column an attribute: booleans, 1 and -1, or 1 and 0.
        wanted: attributes by name.

    Raises:
        DataError: if it is not like that; the message names the line, or the row and the column.
    """
    found = (_from_parquet if table.suffix == ".parquet" else _from_text)(table, wanted)
    name, num = Counter(found.names).most_common(1)[0] if found.names else ("", 0)
    if num > 1:
        raise DataError(f"{table} names {name} twice: download it again")
    return found


def _from_parquet(table: Path, wanted: Sequence[str]) -> Attributes:
    with opened_parquet(table) as file:
        from pyarrow import types

        present = read_signs(file, table, wanted)
        text = [
            field.name
            for field in file.schema_arrow
            if types.is_string(field.type) or types.is_large_string(field.type)
        ]
        if len(text) != 1:
            raise DataError(
                f"{table} must have one column of text, the file names, not {len(text)} "
                f"({', '.join(text) or 'all are numbers'}): take the others out"
            )
        names = read_words(file, table, text[0])
    for number, name in enumerate(names, start=1):
        _check_name(f"{table}, row {number}", name)
    return Attributes(names, present)


def _from_text(table: Path, wanted: Sequence[str]) -> Attributes:
    names, rows = [], []
    try:
        with open(table, encoding="utf-8-sig") as lines:
            num, known = _header(table, lines.readline(), lines.readline(), wanted)
            columns = [known.index(attribute) for attribute in wanted]
            for number, line in enumerate(lines, start=3):
                if line.isspace():
                    continue
                name, *signs = line.split()
                if len(signs) != len(known) or not _SIGNS.issuperset(signs):
                    _refuse_row(table, number, name, signs, known)
                _check_name(f"{table}, line {number}", name)
                names.append(name)
                rows.append([signs[column] == "1" for column in columns])
    except UnicodeDecodeError as error:
        raise DataError(f"{table} is not text ({error.reason}): download it again") from None
    if len(names) != num:
        raise DataError(
            f"{table}, line 1: it says {num} images, but {len(names)} lines follow the header: the "
            "download is partial or was changed; download it again, or correct the number"
        )
    return Attributes(names, np.array(rows, dtype=bool).reshape(num, len(wanted)))


def _check_name(where: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DataError(
            f"{where}: {name[:80]!r} must be the name of a .jpg file in img_align_celeba, without "
            "a path: download the table again"
        )


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
