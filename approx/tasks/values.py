"""Numbers that a user gives: turned into arrays, or refused with the value that is wrong.

Inputs and targets become arrays of float64, labels arrays of int32.
"""

import difflib
import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from numbers import Real
from typing import Any

import jax
import numpy as np
from jaxtyping import ArrayLike

COARSEST = 1e-3  # a rounding error of this share of a column's spread gets a warning
LARGEST_LABEL = 2**31 - 1  # labels are int32
WRONG_KINDS = {
    "c": "complex numbers; give their real and imaginary parts as two columns",
    "M": "dates; give numbers, such as days since the first",
    "m": "time differences; give numbers, such as seconds",
    "U": "words; give numbers",
    "S": "bytes; give numbers",
    "V": "records; give one column of numbers for each field",
}


def shortened(value: Any, length: int = 60) -> str:
    """A value for a message or a repr.

    Arrays and long lists are shown by their shape, everything else is cut to `length` characters.
    """
    if isinstance(value, np.ndarray | jax.Array) and value.ndim:
        return f"<{value.dtype} array of shape {value.shape}>"
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list and len(value) > length:
        return f"<{type(value).__name__} of {len(value)}>"
    text = repr(value)
    if len(text) <= length:
        return text
    return text[: length - 3] + "..."


# Keras' and PyTorch's names of what has another name here
ELSEWHERE = {
    "sparse_categorical_crossentropy": "cross_entropy",
    "crossentropyloss": "cross_entropy",
    "trainlm": "lm",
}


def meant(name: Any, known: Iterable[str]) -> str:
    """The known name that a wrong one is probably a slip for, as the end of a sentence; or ""."""
    known = [each for each in known if isinstance(each, str)]
    lower = str(name).lower()
    if ELSEWHERE.get(lower) in known:
        return f"; here it is called {ELSEWHERE[lower]!r}"
    close = difflib.get_close_matches(lower, known, 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def known_name(name: Any, known: Iterable[str], other_names: Mapping[str, str]) -> Any:
    """The name here of what frameworks call otherwise; what is neither is given back as it is."""
    if isinstance(name, str) and name not in known:
        return other_names.get(name, name)
    return name


def as_numbers(name: str, values: Any) -> np.ndarray:
    """A copy of the values in float64.

    Args:
        name: of the values, for errors.
        values: whatever a user gave.

    Raises:
        TypeError: complex numbers, dates, words, sparse matrices, quantities with units,
            dictionaries, sets.
        ValueError: masked or missing values, rows of unequal length, whole numbers that float64
            cannot hold.

    """
    found = as_array(name, values)
    kind = found.dtype.kind
    if kind in WRONG_KINDS:
        raise TypeError(f"{name} holds {WRONG_KINDS[kind]} (they are of type {found.dtype})")
    if kind == "O":
        for place, value in np.ndenumerate(found):
            if not isinstance(value, Real):
                raise TypeError(
                    f"{position(name, place)} is {shortened(value)}; data must be real numbers"
                )
    numbers = found.astype(np.float64)
    if kind in "iu":
        check_whole_numbers(name, found, numbers)
    return numbers


def as_array(name: str, values: Any) -> np.ndarray:
    """The values as numpy sees them.

    Raises:
        TypeError: a dictionary, a set, a sparse matrix or a quantity with a unit, whose meaning
            numpy would drop.
        ValueError: masked values, or rows of unequal length.
    """
    if isinstance(values, Mapping | Set):
        raise TypeError(
            f"{name} is a {type(values).__name__}; it must be an array or a list of numbers"
        )
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse {type(values).__name__}; give {name}.toarray()")
    check_unit(name, values)
    if isinstance(values, np.ma.MaskedArray):
        check_mask(name, np.ma.getmaskarray(values))
    try:
        return np.asarray(values)
    except ValueError as error:
        lengths = sorted({np.size(row) for row in values})
        raise ValueError(f"{name} has rows of unequal length: {lengths[:5]}") from error


def check_unit(name: str, values: Any) -> None:
    """Refuse a quantity with a unit, but for dates, which have an error of their own.

    Raises:
        TypeError: with the unit.
    """
    kind = getattr(getattr(values, "dtype", None), "kind", "")
    if kind in ("m", "M"):
        return
    for unit in ("unit", "units"):
        if hasattr(type(values), unit):
            raise TypeError(
                f"{name} has the unit {getattr(values, unit)}; give its plain numbers in one unit"
            )


def check_mask(name: str, mask: np.ndarray) -> None:
    """Refuse masked values.

    Raises:
        ValueError: with the position of the first.
    """
    if mask.any():
        place = tuple(np.argwhere(mask)[0])
        raise ValueError(
            f"{position(name, place)} is masked; leave its row out, or give it a value"
        )


def check_whole_numbers(name: str, given: np.ndarray, numbers: np.ndarray) -> None:
    """Refuse whole numbers beyond 2^53 that float64 rounds.

    Raises:
        ValueError: with the first such number, and what it becomes.
    """
    for where in np.argwhere(np.abs(numbers) >= 2.0**53):
        place = tuple(where)
        exact, rounded = int(given[place]), int(numbers[place])
        if exact != rounded:
            raise ValueError(
                f"{position(name, place)} is {exact}, which float64 rounds to {rounded}"
            )


def position(name: str, place: Any) -> str:
    """`x[3, 0]` of ("x", (3, 0))."""
    return f"{name}[{', '.join(map(str, place))}]"


def as_rows(name: str, x: Any) -> np.ndarray:
    """Inputs as a finite (n, i) array, a copy; a vector becomes one column.

    Raises:
        TypeError: see `as_numbers`.
        ValueError: see `as_numbers`; another number of axes, no rows, values that are not finite.

    """
    x = as_numbers(name, x)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2 or not x.size:
        raise ValueError(
            f"{name} has shape {x.shape}; it must be (rows,) or (rows, inputs) and not empty"
        )
    check_finite(name, x)
    return x


def as_targets(name: str, y: Any, labels: bool) -> np.ndarray:
    """Targets as a finite (n, o) array, or as integer labels (n,).

    Args:
        name: of the targets, for errors.
        y: what a user gave.
        labels: whether they are labels, for cross-entropy.

    Raises:
        TypeError: see `as_numbers`.
        ValueError: see `as_rows`; labels that are not whole numbers from 0 on in one vector.

    """
    if not labels:
        return as_rows(name, y)
    given = as_array(name, y)
    if given.dtype.kind not in "iufO":
        raise ValueError(
            f"{name} are labels for cross_entropy: whole numbers 0, 1, ..., "
            f"not of type {given.dtype}"
        )
    y = as_numbers(name, y)
    check_finite(name, y)
    if y.ndim != 1 or not y.size or not np.array_equal(y, np.round(y)) or y.min() < 0:
        raise ValueError(
            f"{name} are labels for cross_entropy: whole numbers 0, 1, ... in one vector, "
            f"not {no_labels(y)}"
        )
    if y.max() > LARGEST_LABEL:
        raise ValueError(f"{name} has the label {int(y.max())}; labels go up to {LARGEST_LABEL}")
    return y.astype(np.int32)


def no_labels(y: np.ndarray) -> str:
    """Values that are no labels: the first of them, or their shape and what it is good for."""
    if y.ndim == 1:
        return str(y[:3].tolist())
    advice = ""
    if y.ndim == 2 and y.shape[1] > 1:
        advice = "; for a column of shares for each class take loss='soft_cross_entropy'"
    return f"an array of shape {y.shape}{advice}"


def check_finite(name: str, values: ArrayLike) -> None:
    """Refuse nan and infinities, naming the first.

    Raises:
        ValueError: with the position and the value.

    """
    array = np.asarray(values)
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        place = tuple(bad[0])
        raise ValueError(f"{position(name, place)} is {array[place]}; data must be finite")


def held_as(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values as a training of that dtype holds them.

    They are rounded, and subnormal numbers are 0, as XLA flushes them to zero.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(dtype)
    return np.where(np.abs(rounded) < np.finfo(dtype).tiny, 0, rounded).astype(np.float64)


def check_precision(name: str, values: np.ndarray, dtype: str) -> None:
    """Refuse columns that a dtype cannot tell from a constant, or from 0; warn of coarse rounding.

    The rounding error is measured as a share of the column's spread (largest minus smallest), or of
    its largest absolute value where the column is constant. A share of 1/2 is refused: neighbouring
    values then fall together. A share above `COARSEST` gets a warning.

    Args:
        name: of the values, for errors.
        values: rows (n, i).
        dtype: "float32" or "float64".

    Raises:
        ValueError: naming the value, what it becomes, and the remedy.

    """
    held = held_as(values, dtype)
    spread = np.ptp(values, 0)
    largest = np.abs(values).max(0)
    scale = np.where(spread > 0, spread, largest)
    error = np.abs(held - values)
    share = error / np.where(scale > 0, scale, 1)
    held_spread = np.ptp(held, 0)
    constant = (spread > 0) & (held_spread == 0)
    worst = np.unravel_index(np.argmax(share), share.shape)
    column = worst[-1]
    given, kept = f"{values[worst]:.17g}", f"{held[worst]:.17g}"
    what = f"{position(name, worst)} is {given}, which {dtype} holds as {kept}"
    remedy = "subtract the mean and divide by the spread first"
    if dtype != "float64":
        remedy += ', or take Recipe(dtype="float64")'
    if constant.any() or share[worst] >= 0.5:
        raise ValueError(f"{what}: column {column} of {name} loses what it says; {remedy}")
    if share[worst] > COARSEST:
        warnings.warn(
            f"{what}: {share[worst]:.1%} of the spread of column {column}; {remedy}", stacklevel=4
        )


def warn_of_tail(
    held: np.ndarray, trained: np.ndarray, points: np.ndarray, distance: ArrayLike
) -> None:
    """Warn where all validation rows lie beyond the training rows in some column.

    The rows were sorted then, and the validation rows are their end.

    Args:
        held: inputs of the validation rows (m, i).
        trained: inputs of the training rows (n, i).
        points: inputs of the test points (k, i).
        distance: of those points (k,).

    """
    low, high = trained.min(0), trained.max(0)
    above, below = held.min(0) > high, held.max(0) < low
    beyond = above | below
    if not beyond.any():
        return
    column = int(np.argmax(beyond))
    values = points[:, column]
    outside = (values < low[column]) | (values > high[column])
    counted_inside = np.asarray(distance) <= 0
    inside = int((outside & counted_inside).sum())
    judged = ""
    if inside:
        judged = f"; {inside} test points beyond these rows count as inside (distance 0)"
    least, most = held[:, column].min(), held[:, column].max()
    warnings.warn(
        f"the validation rows are the end of sorted rows: input {column} goes from {least:g} to "
        f"{most:g} in them, and from {low[column]:g} to {high[column]:g} in the rows trained on"
        f'{judged}. hold_out="random" draws them from all rows',
        stacklevel=4,
    )
