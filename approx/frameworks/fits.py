"""What the arguments of a framework's `fit` become: a task, and the batches of a recipe."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import jax.numpy as jnp
import numpy as np

from approx import tasks
from approx.tasks import data
from approx.tasks import values as data_values
from approx.tasks.values import meant
from approx.training import optimizers
from approx.training.recipes import Recipe

# Numbers that leave their part of an optimiser out when they are 0
OFF_AT_ZERO = ("momentum", "dampening", "weight_decay", "rate_decay")


@dataclass(frozen=True)
class Constant:
    """An initialiser that gives the same array for every seed: the weights of a user's own object.

    Attributes:
        values: the array as nested tuples.
    """

    values: tuple[Any, ...]

    def __call__(self, key: Any, shape: Sequence[int], dtype: Any) -> Any:
        """The array; the key is not needed.

        Raises:
            ValueError: another shape than is wanted.
        """
        del key
        found = np.array(self.values)
        if found.shape != tuple(shape):
            raise ValueError(f"the given weights have shape {found.shape}, not {tuple(shape)}")
        return jnp.asarray(found, dtype)


@dataclass(frozen=True)
class Table:
    """A schedule: factors on the learning rate, one for each epoch or so.

    Attributes:
        factors: one after the other; the last one stays.
        every: steps for which each holds.
    """

    factors: tuple[float, ...]
    every: int = 1

    def __call__(self, step: Any) -> Any:
        """The factor at a step."""
        place = jnp.minimum(step // self.every, len(self.factors) - 1)
        return jnp.asarray(self.factors)[place]


def shortest(value: Any) -> float:
    """A number that a framework keeps in float32, with as few digits as tell it from others."""
    single = np.float32(value)
    if float(single) != float(value):
        return float(value)
    return float(np.format_float_positional(single))


def given_options(optimizer: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that change nothing.

    These are momenta and decays of 0, and what our optimiser of that name has anyway.

    Args:
        optimizer: its name here.
        options: by our names.
    """
    ours = optimizers.defaults(optimizer)
    kept = {}
    for name, value in options.items():
        if name in OFF_AT_ZERO and value == 0 and ours[name] in (None, 0):
            continue
        if value is not None and value != ours[name]:
            kept[name] = value
    return kept


def constant(array: Any) -> Constant:
    """A `Constant` of an array or of nested lists."""
    return Constant(nested(np.asarray(array, np.float64).tolist()))


def nested(values: Any) -> Any:
    """Nested lists as nested tuples, which can be hashed."""
    if isinstance(values, list):
        return tuple(nested(each) for each in values)
    return values


def task_of(
    x: Any,
    y: Any,
    *,
    loss: Any,
    correct: Any = None,
    validation: float = 0.0,
    validation_data: Any = None,
    hold_out: str = "last",
    test: Any = None,
) -> tasks.Task:
    """Rows and a loss as a task.

    Args:
        x: training inputs, (n,) or (n, i).
        y: training targets, or labels.
        loss: of the task.
        correct: of the task.
        validation: share of the rows kept for validation.
        validation_data: rows (x, y) for validation in place of such a share.
        hold_out: which rows are kept.
        test: rows (x, y) for the test loss; None for none.

    Raises:
        TypeError: a share that is no number.
        ValueError: both a share and rows for validation; something else than pairs of arrays;
            validation rows that have other columns.
    """
    x, y = as_array(x), as_array(y, "y")
    if not isinstance(validation, Real):
        raise TypeError(f"validation_split is {validation!r}; it must be a share in [0, 1)")
    if validation_data is not None:
        if validation:
            raise ValueError(
                f"validation_split={validation} and validation_data both say what is kept for "
                "validation; give one of them"
            )
        held_x, held_y = pair("validation_data", validation_data)
        check_alike("validation_data", held_x, held_y, x, y)
        count = len(x) + len(held_x)
        # A share that is half a row less keeps exactly these rows, whatever the rounding
        validation = (len(held_x) - 0.5) / count
        x, y = np.concatenate([x, held_x]), np.concatenate([y, held_y])
    tested: tuple[Any, ...] = () if test is None else pair("test", test)
    options: dict[str, Any] = {"validation": validation, "hold_out": hold_out, "correct": correct}
    return tasks.given(x, y, *tested, loss=loss, **options)


def check_alike(name: str, x: np.ndarray, y: np.ndarray, like_x: Any, like_y: Any) -> None:
    """Refuse further rows whose columns are not those of the training rows, or that do not pair.

    Raises:
        ValueError: with both shapes.
    """
    if len(x) != len(y):
        raise ValueError(f"{name} has {len(x)} rows of inputs and {len(y)} of targets")
    for part, found, like in (("inputs", x, like_x), ("targets", y, like_y)):
        if found.shape[1:] != like.shape[1:]:
            raise ValueError(
                f"the {part} of {name} have shape {found.shape}, and those of the training rows "
                f"{like.shape}; all columns must be the same"
            )


def converted(rows: Mapping[str, Any], convert: Callable[[Any], Any]) -> dict[str, Any]:
    """Options of `task_of` whose targets have gone through what the training targets went through.

    Args:
        rows: the options; "validation_data" and "test" are pairs (x, y) or None.
        convert: turns targets into those of the task.
    """
    found = dict(rows)
    for name in ("validation_data", "test"):
        if found.get(name) is not None:
            x, y = pair(name, found[name])
            found[name] = x, convert(y)
    return found


def check_start(start: str) -> None:
    """Refuse another word than the two there are.

    Raises:
        ValueError: with the word.
    """
    if start not in ("drawn", "as given"):
        raise ValueError(f'start is {start!r}; there is: "drawn", "as given"')


def as_array(values: Any, name: str = "x") -> np.ndarray:
    """Arrays and tensors as arrays.

    Args:
        values: whatever a user gave.
        name: of the values, for errors.

    Raises:
        TypeError: no array, such as None, a dictionary or a sparse matrix.
        ValueError: masked values, rows of unequal length, no row.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    found = data_values.as_array(name, values)
    if not found.ndim:
        kind = type(values).__name__
        raise TypeError(f"{name} is a {kind}; give an array with one entry for each row")
    if not len(found):
        raise ValueError(f"{name} has no rows")
    return found


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        ValueError: with the name and the value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")


def check_epochs(fit: Mapping[str, Any]) -> None:
    """Refuse a length or a batch that is none, before anything is computed from them.

    Args:
        fit: `epochs`, and `batch_size`, which may be None.

    Raises:
        ValueError: with the name and the value.
    """
    check_count("epochs", fit.get("epochs", 1))
    if fit.get("batch_size") is not None:
        check_count("batch_size", fit["batch_size"])


def check_columns(name: str, wanted: int, given: int, giver: str) -> None:
    """Refuse a layer whose weights take another number of inputs than it is given.

    Args:
        name: of the layer.
        wanted: inputs that its weights take.
        given: numbers that a row has there.
        giver: where they come from, such as "x".

    Raises:
        ValueError: with both numbers.
    """
    if wanted != given:
        raise ValueError(f"{name} takes {wanted} inputs, and {giver} gives {given}")


def check_fresh(name: str, arrays: Iterable[Any], start: str) -> None:
    """Refuse to start from a normalisation that has been trained: only a fresh one can be made.

    Raises:
        ValueError: arrays that are neither all 0 nor all 1.
    """
    if start == "as given" and any(set(np.ravel(each)) - {0.0, 1.0} for each in arrays):
        raise ValueError(
            f'{name} has been trained, and start="as given" cannot give its averages and scales; '
            "hand over a model that has not been trained"
        )


# What the fit of a framework takes and a recipe has no word for
NO_WORDS = {
    "sample_weight": "all rows count alike here",
    "class_weight": "all classes count alike here",
    "steps_per_epoch": "an epoch shows every row once here; give epochs",
    "initial_epoch": "a training begins with the first epoch here",
    "validation_batch_size": "all validation rows are judged at once here",
}


def recipe_fields(framework: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Further fields of a recipe, as they were given to a framework's `question`.

    `verbose` is dropped, as it changes nothing in the training.

    Raises:
        TypeError: a name that no recipe has.
    """
    ours = [field.name for field in dataclasses.fields(Recipe) if field.init]
    found = {name: value for name, value in given.items() if name != "verbose"}
    for name in found:
        if name not in ours:
            advice = f"besides its own it takes the fields of a Recipe{meant(name, ours)}"
            why = NO_WORDS.get(name, advice)
            raise TypeError(f"{framework}.question has no argument {name!r}: {why}")
    return found


def trained_rows(task: Any) -> int:
    """How many rows are trained on: those that are not kept for validation."""
    return data.kept_rows(len(task.x), task.validation)


def pair(name: str, given: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets as arrays.

    Raises:
        ValueError: no pair; with a third part, the weights of the rows, it says so.
    """
    if not isinstance(given, tuple | list) or len(given) != 2:
        parts = type(given).__name__
        if isinstance(given, tuple | list):
            parts = f"{parts} of {len(given)} parts"
        raise ValueError(
            f"{name} is a {parts}; it must be a pair of arrays (x, y), without weights of rows"
        )
    return as_array(given[0], f"x of {name}"), as_array(given[1], f"y of {name}")


def steps_of_epoch(rows: int, size: int | None, drop_last: bool = False) -> int:
    """How many batches an epoch has."""
    if size is None or size >= rows:
        return 1
    return rows // size if drop_last else -(-rows // size)


def batches(size: int | None, rows: int, shuffle: bool, drop_last: bool = False) -> dict[str, Any]:
    """The batches of a recipe: `batch_size` and `batches`.

    A batch of all rows is no batch here, as its order changes nothing but roundings.

    Args:
        size: rows of a batch; None for all.
        rows: that are trained on.
        shuffle: whether the rows are shuffled in every epoch.
        drop_last: whether a last batch that is not full is left out.

    Raises:
        ValueError: batches that are never full, all left out; a size that is no whole number.
    """
    if size is not None:
        check_count("batch_size", size)
    if drop_last and size is not None and size > rows:
        raise ValueError(f"batch_size={size} with drop_last leaves out all {rows} rows")
    if size is None or size >= rows:
        return {"batch_size": None}
    chosen = {"batch_size": int(size), "batches": "epoch" if shuffle else "order"}
    return chosen | ({"drop_last": True} if drop_last and rows % size else {})


def known(
    what: str, name: Any, table: Mapping[str, Any], nearest: Mapping[str, str], framework: str
) -> Any:
    """What a table says for a name.

    Args:
        what: such as "the layer".
        name: in the words of the framework.
        table: what there is.
        nearest: for names that are not in the table, what comes nearest.
        framework: for the error.

    Raises:
        ValueError: the name is not in the table; it says what comes nearest.
    """
    if name in table:
        return table[name]
    close = f"; nearest is {nearest[name]}" if name in nearest else meant(name, table)
    raise ValueError(
        f"{what} {name!r} of {framework} cannot be translated{close}. "
        f"There is: {', '.join(map(str, table))}"
    )


def refuse(what: str, said: Mapping[str, Any], neutral: Mapping[str, Any], remedy: str) -> None:
    """Refuse options whose values are not those that change nothing.

    Args:
        what: that has the options.
        said: the options.
        neutral: the values that change nothing; an option that is not said changes nothing.
        remedy: what could be done.

    Raises:
        ValueError: with the option and its value.
    """
    for name, value in neutral.items():
        if said.get(name, value) != value and said.get(name) is not None:
            raise ValueError(f"{what} has {name}={said[name]!r}, which is not supported; {remedy}")


def sentences(*notes: str | Iterable[str]) -> tuple[str, ...]:
    """Notes in one tuple; empty ones are left out."""
    found: list[str] = []
    for note in notes:
        found += [note] if isinstance(note, str) else list(note)
    return tuple(note for note in found if note)
