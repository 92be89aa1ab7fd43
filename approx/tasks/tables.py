"""Tables that a user gives: arrays, lists, and the labelled tables of pandas and xarray.

No package of tables is imported here. A table is known by what it has: columns, an index, dims.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from approx.tasks.values import as_array, as_numbers, as_rows, shortened


class Table(NamedTuple):
    """Rows of a table, as numpy sees them.

    Attributes:
        values: (n, i), or (n,) of a single vector.
        columns: the names of the columns; None where the table has none.
        index: the names of the rows, as pandas has them; None where the table has none.
    """

    values: np.ndarray
    columns: tuple[Any, ...] | None
    index: Any


def read(name: str, given: Any) -> Table:
    """A table from an array, a list, a DataFrame, a Series, a DataArray or a Dataset.

    Args:
        name: of the table, for errors.
        given: what a user gave.

    Raises:
        TypeError: something that is no table; see `values.as_array`.
        ValueError: two columns of one name; variables of a Dataset that are no columns.
    """
    if isinstance(given, np.ndarray | list | tuple):
        return Table(as_array(name, given), None, None)
    if hasattr(given, "data_vars"):
        return of_dataset(name, given)
    if hasattr(given, "dims") and hasattr(given, "coords"):
        return of_dataarray(given)
    if hasattr(given, "columns"):
        return of_frame(name, given)
    columns = None
    index = getattr(given, "index", None)
    if hasattr(given, "name"):  # a Series
        columns = (given.name,)
    return Table(as_array(name, given), columns, index)


def of_frame(name: str, frame: Any) -> Table:
    """The table of a DataFrame, of pandas or of another package that has columns by name."""
    columns = tuple(frame.columns)
    check_once(name, columns)
    if hasattr(frame, "iloc"):
        parts = [frame.iloc[:, place] for place in range(len(columns))]
    else:
        parts = [frame[column] for column in columns]
    return Table(side_by_side(name, parts), columns, getattr(frame, "index", None))


def of_dataset(name: str, given: Any) -> Table:
    """The table of an xarray Dataset, whose variables are the columns.

    Raises:
        ValueError: variables over other dimensions than one that all share.
    """
    columns = tuple(given.data_vars)
    dims = {given[column].dims for column in columns}
    if len(dims) != 1 or len(next(iter(dims))) != 1:
        raise ValueError(
            f"{name} is a Dataset whose variables have the dimensions {sorted(dims)}; each is a "
            "column, over one dimension that all share"
        )
    ((rows,),) = dims
    parts = [given[column].values for column in columns]
    return Table(side_by_side(name, parts), columns, given.indexes.get(rows))


def of_dataarray(given: Any) -> Table:
    """The table of an xarray DataArray: its first dimension is the rows'."""
    columns = None
    if given.ndim == 1 and given.name is not None:
        columns = (given.name,)
    if given.ndim == 2 and given.dims[1] in given.coords:
        columns = tuple(given[given.dims[1]].values.tolist())
    index = given.indexes.get(given.dims[0]) if given.ndim else None
    return Table(given.values, columns, index)


def side_by_side(name: str, parts: Sequence[Any]) -> np.ndarray:
    """Columns as one array (n, i); of objects where some of them are no numbers."""
    arrays = [as_array(name, part) for part in parts]
    if not arrays:
        raise ValueError(f"{name} has no columns")
    if all(array.dtype.kind in "biuf" for array in arrays):
        return np.column_stack([array.astype(np.float64) for array in arrays])
    table = np.empty((len(arrays[0]), len(arrays)), object)
    for place, array in enumerate(arrays):
        table[:, place] = array
    return table


def check_once(name: str, columns: Sequence[Any]) -> None:
    """Refuse two columns of one name.

    Raises:
        ValueError: with the name.
    """
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise ValueError(f"{name} has {columns.count(twice[0])} columns named {twice[0]!r}")


def numbers(name: str, table: Table) -> np.ndarray:
    """The table as a finite array (n, i) of float64.

    Args:
        name: of the table, for errors.
        table: the rows.

    Raises:
        TypeError: a column of words, dates or complex numbers, with the column's name.
        ValueError: missing values; see `values.as_rows`.
    """
    values = table.values
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.dtype.kind in "biuf":
        return as_rows(name, values)
    columns = []
    for place in range(values.shape[1]):
        called = column_name(name, table, place)
        column = values[:, place]
        check_words(called, column, name)
        columns.append(as_numbers(called, as_plain(column)))
    return as_rows(name, np.column_stack(columns))


def as_plain(column: np.ndarray) -> np.ndarray:
    """A column of objects in numpy's own type for them, and missing values as nan."""
    if column.dtype.kind != "O":
        return column
    return np.array([np.nan if is_missing(value) else value for value in column.tolist()])


def column_name(name: str, table: Table, place: int) -> str:
    """How an error calls a column: `X['age']`, or `column 3 of X`."""
    if table.columns is None:
        return f"column {place} of {name}"
    return f"{name}[{table.columns[place]!r}]"


def check_words(called: str, column: np.ndarray, name: str) -> None:
    """Refuse a column of words.

    Raises:
        TypeError: with the first word, and how to write words as numbers.
    """
    words = [value for value in column.tolist() if isinstance(value, str | bytes)]
    if words:
        raise TypeError(
            f"{called} holds words, such as {shortened(words[0])}; a network takes numbers. Write "
            "the words as one column of zeros and ones for each (one-hot): "
            f"pandas.get_dummies({name})"
        )


def is_missing(value: Any) -> bool:
    """Whether a value is None, nan, or pandas' NA or NaT: what does not equal itself."""
    if value is None:
        return True
    try:
        return not bool(value == value)  # nan differs from itself
    except TypeError:  # NA is neither equal nor different
        return True


# ---- two tables that belong together -------------------------------------------------------------


def in_order(name: str, table: Table, of: str, first: Table) -> Table:
    """The table with its columns in the order of the first one's.

    Args:
        name: of the table, for errors.
        table: whose columns are ordered by name, where both tables have names.
        of: name of the first table.
        first: the table whose order counts.

    Raises:
        ValueError: columns that only one of the two has.
    """
    if table.columns is None or first.columns is None or table.values.ndim != 2:
        return table
    check_once(name, table.columns)
    missing = [column for column in first.columns if column not in table.columns]
    further = [column for column in table.columns if column not in first.columns]
    if missing or further:
        said = []
        if missing:
            said.append(f"{name} lacks {shortened(missing)}")
        if further:
            said.append(f"only {name} has {shortened(further)}")
        raise ValueError(f"{of} and {name} have different columns: {'; '.join(said)}")
    places = [table.columns.index(column) for column in first.columns]
    return Table(table.values[:, places], first.columns, table.index)


def check_aligned(name: str, x: Table, of: str, y: Table) -> None:
    """Refuse inputs and targets whose rows have other names, or stand in another order.

    Raises:
        ValueError: with both, and the remedy.
    """
    both = hasattr(x.index, "equals") and hasattr(y.index, "equals")
    if not both or len(x.index) != len(y.index) or x.index.equals(y.index):
        return
    differ = np.flatnonzero(np.asarray(x.index) != np.asarray(y.index))
    row = int(differ[0]) if differ.size else 0
    raise ValueError(
        f"{name} and {of} do not have their rows in one order: row {row} is {x.index[row]!r} in "
        f"{name} and {y.index[row]!r} in {of}. Give {of}.loc[{name}.index], or plain arrays"
    )


def text_names(columns: tuple[Any, ...] | None) -> tuple[str, ...] | None:
    """The names of columns if all of them are words; None otherwise."""
    if columns is None or not all(isinstance(column, str) and column for column in columns):
        return None
    return columns
