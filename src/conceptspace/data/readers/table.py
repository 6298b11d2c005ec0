"""Tables that say what images show: CSV or Parquet, one column a concept, numbers or words."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.labelled import DataError

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_PARQUET = (".parquet", ".pq")


def read_table(path: Path | str, columns: Sequence[str]) -> dict[str, np.ndarray]:
    """The columns asked for, every cell as a word: `1.0` is the word `1`.

    Args:
        path: a .csv or .tsv file with a header line, or a .parquet file.
        columns: their names.

    Returns:
        Column name to its words, text (row,).

    Raises:
        DataError: if there is no such file, it is damaged, has no row, or lacks a column.
    """
    frame = _frame(Path(path))
    names = [str(name) for name in frame.columns]
    for column in columns:
        if names.count(column) != 1:
            problem = "has no column" if column not in names else "has two columns"
            raise DataError(f"table: {path} {problem} {column!r}; it has {', '.join(names)}")
    if not len(frame):
        raise DataError(f"table: {path} has a header and no rows")
    return {
        column: np.array([word(cell) for cell in frame.iloc[:, names.index(column)]], dtype=str)
        for column in columns
    }


def word(cell: object) -> str:
    """A cell as a word, without spaces around it; whole numbers without their point."""
    text = str(cell).strip()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else text


def concepts_in(path: Path | str, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The concepts that columns of a table are, each with its values in order.

    Args:
        path: the table.
        columns: one a concept.

    Raises:
        DataError: if the table cannot be read.
        ValueError: if a column holds one value alone, or too many to be classes.
    """
    space = ConceptSpace.from_columns(read_table(path, columns))
    return {concept.name: concept.labels for concept in space.concepts}


def indices(
    words: Mapping[str, np.ndarray], concepts: Mapping[str, Sequence[str]], source: str
) -> np.ndarray:
    """The value index of each concept in each row, int64 (row, concept).

    Args:
        words: of each concept, the word in each row.
        concepts: of each concept, its values in order.
        source: where the words are from, for messages.

    Raises:
        DataError: if a row holds a word that is no value; it names the row and the values.
    """
    found = []
    for name, values in concepts.items():
        known = [word(value) for value in values]
        column = np.full(len(words[name]), -1, dtype=np.int64)
        for index, value in enumerate(known):
            column[words[name] == value] = index
        if (unknown := np.flatnonzero(column < 0)).size:
            row = unknown[0]
            said = repr(str(words[name][row])) if words[name][row] else "nothing"
            raise DataError(
                f"{source}: row {row + 1} says {said} for {name!r}, which is none of "
                f"{', '.join(known)} ({len(unknown)} such rows): name it among the values of "
                "concepts, or take these rows out"
            )
        found.append(column)
    return np.stack(found, axis=1)


def column_names(path: Path | str) -> list[str]:
    """The names of a table's columns, as they stand.

    Raises:
        DataError: if the table cannot be read.
    """
    return [str(name) for name in _frame(Path(path)).columns]


def _frame(path: Path):
    if not path.is_file():
        raise DataError(f"table: there is no file {path}")
    return _parquet(path) if path.suffix in _PARQUET else _text(path)


def _text(path: Path):
    import pandas

    if path.suffix not in _SEPARATORS:
        known = ", ".join((*_SEPARATORS, *_PARQUET))
        raise DataError(f"table: {path} must be one of {known}, not {path.suffix or 'without end'}")
    try:
        # Without a header, since pandas would rename a column that is there twice.
        frame = pandas.read_csv(
            path, sep=_SEPARATORS[path.suffix], dtype=str, keep_default_na=False, header=None,
            encoding="utf-8-sig",
        )  # fmt: skip
    except pandas.errors.EmptyDataError:
        raise DataError(f"table: {path} is empty") from None
    except (pandas.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"table: {path} is no table of text ({_first_line(error)})") from error
    frame.columns = [name.strip() for name in frame.iloc[0]]
    return frame.iloc[1:]


def _parquet(path: Path):
    import pandas

    try:
        return pandas.read_parquet(path, engine="pyarrow")
    except ImportError as error:
        raise DataError(
            f"table: reading {path} needs pyarrow: pip install 'conceptspace[data]'"
        ) from error
    except Exception as error:  # pyarrow has errors of many kinds for a damaged file
        raise DataError(f"table: {path} is damaged ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
