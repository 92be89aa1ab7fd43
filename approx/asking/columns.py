"""Tables of data in files: columns by name, as numbers or as classes."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from approx.stats.csv_files import read_csv

MOST_CLASSES = 20  # different texts of a target beyond are no classes
SHOWN = 5  # rows that an error names


def read(path: Path) -> pd.DataFrame:
    """A table from a file with the names of its columns in the first line.

    Columns are separated by commas; or by semicolons or tabs, where the first line has no comma.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an empty file, names without rows, or a file that is no such table.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}{close_file(path)}")
    try:
        frame = read_csv(path, sep=separator(path), skipinitialspace=True)
    except pd.errors.EmptyDataError:
        raise ValueError(
            f"{path} is empty; it must have the names of its columns in the first line, and a row "
            "of numbers in each other line"
        ) from None
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a table: {str(error).strip()}") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    if not len(frame):
        raise ValueError(
            f"{path} has the columns {', '.join(frame.columns)}, and no row of numbers"
        )
    return frame


def close_file(path: Path) -> str:
    """What a file was probably meant, as the end of a sentence; "" if unclear."""
    there = [each.name for each in path.parent.glob("*") if each.is_file()]
    close = get_close_matches(path.name, there, 1)
    return f"; did you mean {close[0]}?" if close else ""


def separator(path: Path) -> str:
    """What separates the columns of a file."""
    with path.open(errors="replace") as file:
        first = file.readline()
    if "," in first:
        return ","
    if ";" in first:
        return ";"
    return "\t" if "\t" in first else ","


# ---- columns by name -----------------------------------------------------------------------------


def require(frame: pd.DataFrame, name: str, what: str) -> None:
    """Refuse a column that there is not.

    Raises:
        ValueError: with what was probably meant, and all columns.
    """
    if name in frame.columns:
        return
    there = list(frame.columns)
    close = get_close_matches(name, there, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    if all(map(is_a_number, there)):
        hint = "; the first line seems to hold numbers: put the names of the columns above it"
    raise ValueError(
        f"there is no column {name!r} for the {what}{hint} (columns: {', '.join(there)})"
    )


def is_a_number(text: str) -> bool:
    """Whether a text can be read as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def input_names(frame: pd.DataFrame, target: str, inputs: Sequence[str]) -> list[str]:
    """The names of the columns that are inputs: those named, or all but the target.

    Raises:
        ValueError: a column that there is not, or twice; the target among the inputs; no inputs.
    """
    for name in inputs:
        require(frame, name, "inputs")
    if target in inputs:
        raise ValueError(f"the column {target!r} is the target and an input; it can be only one")
    if len(set(inputs)) < len(inputs):
        raise ValueError(f"an input is named twice: {', '.join(inputs)}")
    names = list(inputs) or [name for name in frame.columns if name != target]
    if not names:
        raise ValueError(f"there is no column besides the target {target!r} to learn it from")
    return names


# ---- numbers and classes -------------------------------------------------------------------------


def numbers(column: pd.Series, what: str) -> np.ndarray:
    """A column as numbers.

    Args:
        column: of the table.
        what: "input" or "target", for errors.

    Raises:
        ValueError: text, missing values or infinite ones, with their rows.
    """
    name = f"the {what} {column.name!r}"
    check_missing(column, name)
    values = pd.to_numeric(column, errors="coerce")
    words = values.isna()
    if words.any():
        row = int(np.flatnonzero(words)[0])
        remedy = "name the columns of numbers with --inputs"
        if what == "target":
            remedy = "correct it, or leave its row out"
        raise ValueError(
            f"{name} holds text: {str(column.iloc[row])!r} in row {row + 1}, where numbers are "
            f"needed; {remedy}"
        )
    found = values.to_numpy(float)
    infinite = np.flatnonzero(np.isinf(found))
    if infinite.size:
        raise ValueError(f"{name} is infinite in {rows_in_words(infinite)}; leave these rows out")
    return found


def check_missing(column: pd.Series, name: str) -> None:
    """Refuse a column in which values are missing.

    Raises:
        ValueError: with their rows.
    """
    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise ValueError(
            f"{name} has no value in {rows_in_words(missing)}; fill them in, or leave the rows out"
        )


def rows_in_words(places: np.ndarray) -> str:
    """Rows by their numbers from 1, the first below the names of the columns; of many a few."""
    shown = ", ".join(str(place + 1) for place in places[:SHOWN])
    more = len(places) - SHOWN
    if more > 0:
        shown += f" and {more} more"
    return f"row{'s' * (len(places) > 1)} {shown} (row 1 is the first below the names)"


def is_text(column: pd.Series) -> bool:
    """Whether a column holds words rather than numbers with a slip among them."""
    if is_numeric_dtype(column) or is_bool_dtype(column):
        return False
    present = column.dropna()
    read = pd.to_numeric(present, errors="coerce")
    return bool(read.isna().mean() > 0.5)


def classes(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A column as labels 0, 1, ..., and the names of the classes in their order.

    Raises:
        ValueError: missing values; a single class; so many that they can be no classes.
    """
    name = f"the target {column.name!r}"
    check_missing(column, name)
    found, labels = np.unique(column.to_numpy(), return_inverse=True)
    if len(found) < 2:
        raise ValueError(f"{name} is {str(found[0])!r} in all rows; classes are two at least")
    if len(found) > MOST_CLASSES or 2 * len(found) > len(column):
        raise ValueError(
            f"{name} has {len(found)} different values in {len(column)} rows, which are too many "
            f"for classes (at most {MOST_CLASSES}, with two rows each)"
        )
    return labels.ravel(), [str(value) for value in found]
