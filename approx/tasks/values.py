"""Numbers that a user gives: turned into arrays of float64 or labels, or refused with the value
that is wrong.
"""

import warnings
from collections.abc import Mapping, Sequence, Set
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
    """A value for a message or a repr: arrays and long lists by their shape, all else cut to
    `length` characters.
    """
    if np.ndim(value) and isinstance(value, np.ndarray | jax.Array):
        return f"<{value.dtype} array of shape {value.shape}>"
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) > length:
        return f"<{type(value).__name__} of {len(value)}>"
    text = repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."


def as_numbers(name: str, values: Any) -> np.ndarray:
    """A copy of the values in float64, or an error that names what they are instead of real
    numbers.

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
    """The values as numpy sees them, or an error where numpy would drop a mask, a unit, or the
    whole meaning.
    """
    if isinstance(values, Mapping | Set):
        raise TypeError(
            f"{name} is a {type(values).__name__}; it must be an array or a list of numbers"
        )
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse {type(values).__name__}; give {name}.toarray()")
    dates = getattr(getattr(values, "dtype", None), "kind", "") in ("m", "M")
    for unit in ("unit", "units"):
        if hasattr(type(values), unit) and not dates:
            raise TypeError(
                f"{name} has the unit {getattr(values, unit)}; give its plain numbers in one unit"
            )
    masked = (
        np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else np.zeros(0, bool)
    )
    if masked.any():
        place = tuple(np.argwhere(masked)[0])
        raise ValueError(
            f"{position(name, place)} is masked; leave its row out, or give it a value"
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        lengths = sorted({np.size(row) for row in values})
        raise ValueError(f"{name} has rows of unequal length: {lengths[:5]}") from error


def check_whole_numbers(name: str, given: np.ndarray, numbers: np.ndarray) -> None:
    """Refuse whole numbers that float64 rounds, those beyond 2^53."""
    for place in np.argwhere(np.abs(numbers) >= 2.0**53):
        exact, rounded = int(given[tuple(place)]), int(numbers[tuple(place)])
        if exact != rounded:
            raise ValueError(
                f"{position(name, tuple(place))} is {exact}, which float64 rounds to {rounded}"
            )


def position(name: str, place: Any) -> str:
    """`x[3, 0]` of ("x", (3, 0))."""
    return f"{name}[{', '.join(map(str, place))}]"


def as_rows(name: str, x: Any) -> np.ndarray:
    """Inputs as a finite (n, i) array, a copy; a vector becomes one column.

    Raises:
        TypeError, ValueError: see `as_numbers`; another number of axes, no rows, values that are
            not finite.

    """
    x = as_numbers(name, x)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or not x.size:
        raise ValueError(
            f"{name} has shape {x.shape}; it must be (rows,) or (rows, inputs) and not empty"
        )
    check_finite(name, x)
    return x


def as_targets(name: str, y: Any, labels: bool) -> np.ndarray:
    """Targets as a finite (n, o) array, or as integer labels (n,).

    Raises:
        TypeError, ValueError: as for `as_rows`; labels that are not whole numbers from 0 on in one
            vector.

    """
    if not labels:
        return as_rows(name, y)
    given = as_array(name, y)
    if given.dtype.kind not in "iufO":
        raise ValueError(
            f"{name} are labels for cross_entropy: whole numbers 0, 1, ..., not of type {given.dtype}"
        )
    y = as_numbers(name, y)
    check_finite(name, y)
    if y.ndim != 1 or not y.size or not np.array_equal(y, np.round(y)) or y.min() < 0:
        shown: Sequence = y[:3].tolist() if y.ndim == 1 else [f"shape {y.shape}"]
        raise ValueError(
            f"{name} are labels for cross_entropy: whole numbers 0, 1, ... in one vector, not {shown}"
        )
    if y.max() > LARGEST_LABEL:
        raise ValueError(f"{name} has the label {int(y.max())}; labels go up to {LARGEST_LABEL}")
    return y.astype(np.int32)


def check_finite(name: str, values: ArrayLike) -> None:
    """Refuse nan and infinities, naming the first.

    Raises:
        ValueError: with the position and the value.

    """
    bad = np.argwhere(~np.isfinite(np.asarray(values)))
    if len(bad):
        value = np.asarray(values)[tuple(bad[0])]
        raise ValueError(f"{position(name, bad[0])} is {value}; data must be finite")


def held_as(values: np.ndarray, dtype: str) -> np.ndarray:
    """Values as a training of that dtype holds them: rounded, and 0 where XLA flushes subnormal
    numbers to zero.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(dtype)
    return np.where(np.abs(rounded) < np.finfo(dtype).tiny, 0, rounded).astype(np.float64)


def check_precision(name: str, values: np.ndarray, dtype: str) -> None:
    """Refuse columns that a dtype cannot tell from a constant, or from 0; warn where it rounds them
    coarsely.

    The rounding error is measured as a share of the column's spread (largest minus smallest), or of
    its largest absolute value where the column is constant. A share of 1/2 is refused: neighbouring
    values then fall together.

    Raises:
        ValueError: naming the value, what it becomes, and the remedy.

    """
    held = held_as(values, dtype)
    spread = np.ptp(values, 0)
    scale = np.where(spread > 0, spread, np.abs(values).max(0))
    share = np.abs(held - values) / np.where(scale > 0, scale, 1)
    constant = (spread > 0) & (np.ptp(held, 0) == 0)
    worst = np.unravel_index(np.argmax(share), share.shape)
    column = worst[-1]
    what = f"{position(name, worst)} is {values[worst]:.17g}, which {dtype} holds as {held[worst]:.17g}"
    remedy = "subtract the mean and divide by the spread first"
    remedy += "" if dtype == "float64" else ', or take Recipe(dtype="float64")'
    if constant.any() or share[worst] >= 0.5:
        raise ValueError(f"{what}: column {column} of {name} loses what it says; {remedy}")
    if share[worst] > COARSEST:
        warnings.warn(
            f"{what}: {share[worst]:.1%} of the spread of column {column}; {remedy}", stacklevel=4
        )


def warn_of_tail(
    held: np.ndarray, trained: np.ndarray, points: np.ndarray, distance: ArrayLike
) -> None:
    """Warn where all validation rows lie beyond the training rows in some column: they were the end
    of sorted rows.

    Args:
        held: inputs of the validation rows (m, i). trained: of the training rows (n, i).
        points: inputs of the test points (k, i). distance: of those points (k,).

    """
    low, high = trained.min(0), trained.max(0)
    beyond = (held.min(0) > high) | (held.max(0) < low)
    if not beyond.any():
        return
    column = int(np.argmax(beyond))
    outside = (points[:, column] < low[column]) | (points[:, column] > high[column])
    inside = int((outside & (np.asarray(distance) <= 0)).sum())
    judged = (
        f"; {inside} test points beyond these rows count as inside (distance 0)" if inside else ""
    )
    warnings.warn(
        f"the validation rows are the end of sorted rows: input {column} goes from {held[:, column].min():g} to "
        f"{held[:, column].max():g} in them, and from {low[column]:g} to {high[column]:g} in the rows trained on"
        f'{judged}. hold_out="random" draws them from all rows',
        stacklevel=4,
    )
