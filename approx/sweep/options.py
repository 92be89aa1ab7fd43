"""What each option of `run` may be: a check for each, which gives the option in its plain form."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Key

from approx.tasks import Task, shortened
from approx.tasks.outputs import check_separate
from approx.training.inputs import Keys
from approx.training.loop import KEEPABLE, Keep, Trace
from approx.training.recorded_steps import MOST_RECORDS, is_whole

# Names of variables, coordinates and dimensions of a result or of a part of it on disk. Neither a
# metric nor a swept number can have one of them.
RESERVED = {
    *Trace._fields,
    *(f"{stream}_seed" for stream in Keys._fields),
    "evaluations",
    "stopped",
    "recipe",
    "seed",
    "step",
    "kept_step",
    "point",
    "input",
    "output",
    "x_test",
    "y_test",
    "distance",
    "role",
    "training",
    "training_numbers",
    "training_streams",
    "training_params",
    "number",
    "stream",
}
MOST_SEEDS = 10**8  # at once, alone or with all combinations of crossed streams


def check_until(until: Any) -> None:
    """Refuse a rule for stopping that cannot be asked."""
    if until is not None and not callable(until):
        raise TypeError(
            f"until is {until!r}; it must be a function of the result so far "
            "that says True or False"
        )


def check_count(name: str, value: Any) -> None:
    """Refuse a number of threads, steps or networks below 1; None leaves the choice to `run`."""
    if value is not None and not (is_whole(value) and value >= 1):
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")


def check_labels(labels: Iterable[Any]) -> list[Any]:
    """Labels that an axis of a result can have: strings, or numbers.

    Raises:
        TypeError: labels that are neither all strings nor all numbers.
        ValueError: no label; two labels that read the same.

    """
    plain = [label.item() if isinstance(label, np.generic) else label for label in labels]
    if not plain:
        raise ValueError("no recipes: the dictionary is empty")
    words = [isinstance(label, str) for label in plain]
    numbers = [isinstance(label, int | float) and not isinstance(label, bool) for label in plain]
    for label, word, number in zip(plain, words, numbers, strict=True):
        if not (word or number):
            raise TypeError(f"the recipe's label {label!r} must be a string or a number")
    read = [str(label) for label in plain]
    twice = [label for label in read if read.count(label) > 1]
    if twice:
        raise ValueError(f"two recipes' labels read the same: {twice[0]!r} twice")
    if not (all(words) or all(numbers)):
        raise TypeError(f"the recipes' labels {plain} must be all strings or all numbers")
    return plain


def check_seeds(seeds: Any) -> np.ndarray:
    """Seeds as a vector of distinct whole numbers from 0 to 2^32 - 1.

    Args:
        seeds: how many (0, 1, ...), or which.

    """
    if is_whole(seeds):
        if not 1 <= seeds <= MOST_SEEDS:
            raise ValueError(f"seeds is {seeds}; it must be between 1 and 10^8 at once")
        return np.arange(seeds)
    array = np.asarray(seeds)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(f"seeds is {seeds!r}; it must be a whole number, or a list of them")
    if array.min() < 0 or array.max() >= 2**32:
        raise ValueError(
            f"seeds must lie between 0 and 2^32 - 1; they go from {array.min()} to {array.max()}"
        )
    unique, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"seed {unique[counts > 1][0]} is repeated: it would count twice")
    return array.astype(np.int64)


def check_key(key: Any) -> np.ndarray:
    """The root key's own numbers, from a whole number or from a key of JAX, new style or old."""
    if is_whole(key):
        if not 0 <= key < 2**32:
            raise ValueError(f"key is {key}; a root lies between 0 and 2^32 - 1")
        return np.asarray(random.key_data(random.key(int(key), impl="threefry2x32")))
    if not hasattr(key, "dtype"):
        raise TypeError(f"key is {key!r}; it must be a whole number, or jax.random.key(...)")
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        return np.asarray(random.key_data(key))
    return np.asarray(key)


def root_key(numbers: Any) -> Key[Array, ""]:
    """The root key that has these numbers (`check_key`)."""
    return random.wrap_key_data(numbers)


def check_freeze(freeze: Sequence[str] | Mapping[str, int]) -> dict[str, int]:
    """The seed that each frozen stream is held at."""
    if isinstance(freeze, str):
        raise TypeError(f"freeze is {freeze!r}; write a tuple of streams: freeze=({freeze!r},)")
    frozen = dict(freeze) if isinstance(freeze, Mapping) else dict.fromkeys(freeze, 0)
    for name, seed in frozen.items():
        if name not in Keys._fields:
            raise ValueError(f"cannot freeze {name!r}; the streams are: {', '.join(Keys._fields)}")
        if not (is_whole(seed) and 0 <= seed < 2**32):
            raise ValueError(
                f"{name!r} is frozen at seed {seed!r}; it must be a whole number from 0 to 2^32 - 1"
            )
    return {name: int(seed) for name, seed in frozen.items()}


def check_cross(
    cross: Mapping[str, Any] | None, frozen: Iterable[str], grid: Iterable[str]
) -> dict[str, np.ndarray]:
    """The seeds that each crossed stream takes.

    Args:
        cross: {stream: how many seeds, or which}, or None.
        frozen: names of the streams that are frozen.
        grid: names of the numbers that are swept.

    """
    if cross is None:
        return {}
    if not isinstance(cross, Mapping):
        raise TypeError(
            f"cross is {cross!r}; write streams and their seeds: cross={{'init': 16, 'data': 16}}"
        )
    crossed = {}
    for name, seeds in cross.items():
        if name not in Keys._fields:
            raise ValueError(f"cannot cross {name!r}; the streams are: {', '.join(Keys._fields)}")
        if name in frozen:
            raise ValueError(f"{name!r} is both frozen and crossed")
        if f"{name}_seed" in grid:
            raise ValueError(
                f"the crossed stream {name!r} needs the name '{name}_seed', "
                "which a swept number has"
            )
        crossed[name] = check_seeds(seeds)
    return crossed


def check_keep(
    keep: Sequence[str], keep_at: Sequence[int], metrics: Mapping[str, Callable] | None
) -> Keep:
    """What each training keeps, as the training loop takes it."""
    if isinstance(keep, str):
        raise TypeError(f"keep is {keep!r}; write a tuple: keep=({keep!r},)")
    for name in keep:
        if name not in KEEPABLE:
            raise ValueError(
                f"cannot keep {name!r}; there is: {', '.join(KEEPABLE)}; "
                "or write a function for metrics="
            )
    metrics = metrics or {}
    for name, function in metrics.items():
        check_metric(name, function)
    check_keep_at(keep_at)
    return Keep(tuple(sorted(set(keep))), tuple(map(int, keep_at)), tuple(metrics.items()))


def check_metric(name: Any, function: Any) -> None:
    """Refuse a metric that is no function, or whose name is taken or cannot be stored."""
    taken = not isinstance(name, str) or name in RESERVED or name.startswith(("params", "state_"))
    if taken or not callable(function):
        raise ValueError(
            f"metric {name!r} must be a function(params, predict) under a name of its own"
        )
    if not storable(name):
        raise ValueError(
            f"metric {name!r} has a name that a file cannot hold: "
            "use letters, digits and underscores"
        )


def storable(name: str) -> bool:
    """Whether netCDF and HDF5 can hold a variable of this name.

    They want characters that print, no slash, and no blank at either end.
    """
    if not name.isprintable() or "/" in name or name.strip() != name:
        return False
    of_theirs = name.startswith(("_nc4_", "_Netcdf4", "phony_dim_"))
    return name not in ("", ".", "..") and not of_theirs


def check_keep_at(keep_at: Any) -> None:
    """Refuse what is no sequence of whole numbers for the steps to keep."""
    if not hasattr(keep_at, "__len__") or isinstance(keep_at, str):
        raise TypeError(
            f"keep_at is {shortened(keep_at)}; write a tuple of record steps: keep_at=(0, 100)"
        )
    if len(keep_at) > MOST_RECORDS:
        raise ValueError(
            f"keep_at has {len(keep_at):,} steps; at most {MOST_RECORDS:,}, "
            "which is also most records"
        )
    if not all(map(is_whole, keep_at)):
        raise ValueError(f"keep_at is {shortened(keep_at)}; it must be whole numbers")


def check_kept_steps(keep: Keep, recorded: np.ndarray) -> None:
    """Refuse steps to keep that have no record, or are not in increasing order."""
    missing = [step for step in keep.at if step not in recorded]
    if missing:
        raise ValueError(
            f"keep_at={missing[0]} is no record step; "
            f"write records=(..., {missing[0]}, ...) in the recipe"
        )
    if list(keep.at) != sorted(set(keep.at)):
        raise ValueError(f"keep_at must be increasing steps, not {keep.at}")


def check_output_losses(keep: Keep, task: Task) -> None:
    """Refuse to keep the loss of each output where outputs have none by themselves."""
    if "output_loss" in keep.what:
        check_separate(task.loss)


def check_names(swept: Iterable[str], keep: Keep) -> None:
    """Refuse names of swept numbers and of metrics that would be one name in a result.

    A metric NAME that gives an array has the dimensions NAME_0, NAME_1, ...

    Raises:
        ValueError: naming the name, and what else has it.

    """
    metrics = [name for name, _ in keep.metrics]
    for name in swept:
        if name in RESERVED or re.fullmatch(r"params(\W.*)?|state_\d+", name):
            raise ValueError(
                f"the swept number {name!r} has a name that every result uses for something else: "
                f'sweep it as "task.{name}", "model.{name}" or whatever it is of'
            )
        if name in metrics:
            raise ValueError(
                f"metric {name!r} has the name of a swept number; it needs a name of its own"
            )
    for name in (*metrics, *swept):
        of = re.sub(r"_\d+$", "", name)
        if of != name and of in metrics:
            raise ValueError(
                f"{name!r} would be a dimension of the metric {of!r} too: it needs another name"
            )
