"""What the classical methods reach on a task, with as many parameters as a network."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy
import xarray as xr
from jaxtyping import Array, Key

from approx.classical.encoding import Encoding
from approx.classical.methods import METHODS, checked
from approx.classical.networks import count_parameters
from approx.classical.problems import (
    CannotFitError,
    Fitted,
    Problem,
    Rows,
    encoding_for,
    problem_of,
    rows_of,
)
from approx.sweep.options import check_key, check_seeds, root_key
from approx.tasks import Task, losses
from approx.training.evaluation import is_correct

PARAMETERS = 31  # of ten tanh units with one input and one output
CHUNK = 4_096  # rows that are predicted at once
ABOUT = {
    "loss": "loss on the training rows",
    "test_loss": "loss at the test points of distance 0",
    "outside_loss": "loss at the test points outside the training range",
    "accuracy": "share of the training rows that are correct",
    "test_accuracy": "share of the test points of distance 0 that are correct",
    "outside_accuracy": "share of the test points outside the training range that are correct",
    "parameters": "numbers that were fitted; training rows that were kept, where counts is 'rows'",
    "chosen": "what was chosen on the training rows, or drawn",
    "note": "why there is no error, or what must be known of it",
    "counts": "what `parameters` counts: fitted numbers, kept rows, or the network's parameters",
    "says": "what the method is",
}
ERRORS = tuple(ABOUT)[:6]


def references(
    task: Task,
    parameters: int | None = None,
    *,
    model: Any = None,
    seeds: int | Sequence[int] = 0,
    methods: Sequence[str] | None = None,
    key: int | Key[Array, ""] = 0,
    dtype: str = "float32",
    most_rows: int | None = None,
) -> xr.Dataset:
    """What classical methods with as many parameters reach on a task, on the rows of a network.

    Each method is fitted in float64 to the training rows of a seed, validation rows left out, and
    judged where a network is, by the task's own loss. What a method must choose (a degree, a width,
    a ridge) is chosen on the training rows. `print(ap.classical.table(found))` shows the result,
    and `ap.plot.references(found, runs)` draws it against networks. The page "What is no network
    needed for?" (docs/references.md) says what each method does and where it is from.

    Args:
        task: any task.
        parameters: the most numbers that a method may fit; those of `model` if left out, or 31,
            those of ten tanh units with one input and one output.
        model: a network, for the methods "tangent" and "linearised".
        seeds: how many seeds, or a list of them: seed s has the training rows of the seed s of
            `ap.run`, and its first weights. 0 is the seed 0 alone, without a dimension `seed`.
        methods: names of `ap.classical.METHODS`; if left out, all that can be had.
        key: the root key, as in `ap.run`.
        dtype: "float32" or "float64", of the run whose rows these are: rows are drawn and rounded
            as there.
        most_rows: the most rows that a method keeps which has no budget of parameters; if left out,
            10,000 for neighbours and forests, 1,000 for kernel ridge regression, and 400 for
            Gaussian processes.

    Returns:
        Over (reference,), or (reference, seed): `loss`, `test_loss` and `outside_loss`, accuracies
        where the task has them, `parameters`, `chosen` and `note`, named as in the result of
        `ap.run`. An error is nan only where `note` says why. `counts` and `says` are over
        (reference,).

    Raises:
        ImportError: scikit-learn is needed and missing.
        TypeError: something that is no task.
        ValueError: an unknown method, fewer than one parameter, a model whose outputs do not fit
            the task, training rows that are not finite, a task without targets.

    Example:
        >>> found = ap.references(ap.tasks.square(), model=ap.MLP((10,), "tanh"))
        >>> found.test_loss.sel(reference="polynomial_cv")
    """
    if not isinstance(task, Task):
        raise TypeError(f"task is {task!r}; it must be a task, such as ap.tasks.square()")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}; it must be 'float32' or 'float64'")
    for name, value in (("parameters", parameters), ("most_rows", most_rows)):
        check_at_least_one(name, value)
    names = checked(methods, model)
    alone = isinstance(seeds, int | np.integer) and not isinstance(seeds, bool) and seeds == 0
    numbers = [0] if alone else check_seeds(seeds).tolist()
    root = root_key(check_key(key))
    first = rows_of(task, root, numbers[0], dtype)
    check_targets(task, first)
    encoding = encoding_for(task, first)
    if model is not None:
        outputs = encoding.encode(first.y[:1]).shape[1]
        counted = count_parameters(model, first.x.shape[1], outputs, len(first.x))
        parameters = counted if parameters is None else parameters
    budget = PARAMETERS if parameters is None else int(parameters)
    found: list[list[dict[str, Any]]] = []
    before: list[Any] = [None] * len(names)
    for seed in numbers:
        rows = first if seed == numbers[0] else rows_of(task, root, seed, dtype)
        problem = problem_of(rows, encoding, budget, seed, most_rows, model)
        same = all(map(np.array_equal, rows[:2], first[:2]))
        for place, name in enumerate(names):
            if not same or before[place] is None or before[place]["drawn"]:
                before[place] = judged(name, problem, rows, task, encoding)
        found.append(list(before))
    about = {
        "task": repr(task),
        "loss": str(task.loss),
        "budget": budget,
        "model": "" if model is None else repr(model),
        "dtype": dtype,
        "targets": encoding.words,
        "data": fingerprint_of(first),
        "versions": versions(),
    }
    return dataset(found, names, None if alone else numbers, about)


def check_at_least_one(name: str, value: Any) -> None:
    """Refuse what is neither None nor a whole number of at least 1.

    Raises:
        ValueError: with the value.
    """
    if value is None:
        return
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or value < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of at least 1")


# ---- one method on one seed's rows ---------------------------------------------------------------


def judged(
    name: str, problem: Problem, rows: Rows, task: Task, encoding: Encoding
) -> dict[str, Any]:
    """All that the result says of a method on one seed's rows, by the names of its variables."""
    try:
        fitted = METHODS[name].fit(problem)
    except CannotFitError as reason:
        missing: dict[str, Any] = dict.fromkeys(ERRORS, np.nan)
        return missing | {"parameters": 0, "chosen": "", "note": str(reason), "drawn": False}
    found = errors_of(fitted, rows, task, encoding)
    note = fitted.note
    not_finite = [name for name in ERRORS if np.isinf(found.get(name, 0.0))]
    if not_finite:
        note = f"{note} It is infinite at some points of {', '.join(not_finite)}.".strip()
    return found | {
        "parameters": fitted.parameters,
        "chosen": fitted.chosen,
        "note": note,
        "drawn": fitted.drawn,
    }


def check_targets(task: Task, rows: Rows) -> None:
    """Refuse rows that have no targets, or other ones than the test points, such as slopes.

    Raises:
        ValueError: with the shapes.
    """
    if rows.y.shape[1:] == (0,):
        raise ValueError(
            "the task has no targets, which references are fitted to: give it a known solution, as "
            "the function of ap.drawn"
        )
    if task.tested and len(rows.y_test) and rows.y.shape[1:] != rows.y_test.shape[1:]:
        raise ValueError(
            f"the training targets {rows.y.shape} have other columns than those of the test points "
            f"{rows.y_test.shape}, and references are fitted to the first and judged by the second"
        )


def errors_of(fitted: Fitted, rows: Rows, task: Task, encoding: Encoding) -> dict[str, float]:
    """Losses and accuracies on the training rows, and at the test points inside and outside.

    A loss that is not a number, as of a rational function at its pole, is inf.
    """
    inside = rows.distance <= 0
    parts = {"": (rows.x, rows.y)}
    if task.tested:
        parts["test_"] = (rows.x_test[inside], rows.y_test[inside])
        parts["outside_"] = (rows.x_test[~inside], rows.y_test[~inside])
    found = {}
    for prefix, (x, y) in parts.items():
        if not len(x):
            continue
        outputs = encoding.decode(predicted(fitted, x))
        with jax.enable_x64(True):
            of_rows = losses.find(task.loss)(jnp.asarray(outputs), jnp.asarray(y))
            right = is_correct(jnp.asarray(outputs), jnp.asarray(y), task)
        loss = float(np.asarray(of_rows, np.float64).mean())
        found[prefix + "loss"] = np.inf if np.isnan(loss) else loss
        if right is not None:
            found[prefix + "accuracy"] = float(np.asarray(right).mean())
    return found


def predicted(fitted: Fitted, x: np.ndarray) -> np.ndarray:
    """Predictions (m, o), some thousand rows at a time."""
    starts = range(0, len(x), CHUNK)
    return np.concatenate([fitted.predict(x[start : start + CHUNK]) for start in starts])


# ---- the result ----------------------------------------------------------------------------------


def dataset(
    found: list[list[dict[str, Any]]],
    names: Sequence[str],
    seeds: Sequence[int] | None,
    about: Mapping[str, Any],
) -> xr.Dataset:
    """The result on named axes; errors that the task has for no method are left out.

    Args:
        found: what `judged` gave, for each seed a list over methods.
        names: of the methods.
        seeds: the seeds, or None for a result without that dimension.
        about: attributes.
    """
    there = {key for row in found for one in row for key, value in one.items() if is_there(value)}
    variables = {}
    for name in (*ERRORS, "parameters", "chosen", "note"):
        if name in ERRORS and name not in there:
            continue
        missing = np.nan if name in ERRORS else ""
        table = [[one.get(name, missing) for one in row] for row in found]
        values = np.array(table).T
        variables[name] = (("reference", "seed"), values, {"long_name": ABOUT[name]})
    made = xr.Dataset(variables, {"reference": list(names), "seed": list(seeds or [0])})
    for name in ("counts", "says"):
        words = [getattr(METHODS[method], name) for method in names]
        made[name] = ("reference", words, {"long_name": ABOUT[name]})
    made.attrs = dict(about)
    if seeds is None:
        return made.isel(seed=0, drop=True)
    return made


def is_there(value: Any) -> bool:
    """Whether a value is something else than nan."""
    return not (isinstance(value, float) and np.isnan(value))


def fingerprint_of(rows: Rows) -> str:
    """A sha256 of the first seed's rows and of the test points."""
    digest = hashlib.sha256()
    for array in rows[:5]:
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array, np.float64).tobytes())
    return digest.hexdigest()


def versions() -> str:
    """The versions of the libraries that fit."""
    found = {"numpy": np.__version__, "scipy": scipy.__version__, "jax": jax.__version__}
    try:
        import sklearn
    except ImportError:
        pass
    else:
        found["scikit-learn"] = sklearn.__version__
    return ", ".join(f"{name} {version}" for name, version in found.items())
