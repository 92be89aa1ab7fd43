"""Optimisers by name, in each framework's convention, and their numbers.

`optax.sgd`, momentum and nesterov are Keras' and PyTorch's too; PyTorch's Adam is optax's. Where
the frameworks differ, the name says whose it is.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from approx.tasks.data import check_number
from approx.tasks.values import meant
from approx.training.keras import adam_keras, adamw_keras
from approx.training.quasi_newton import bfgs, lbfgs
from approx.training.rules import GRADIENT
from approx.training.second_order import Method, lm

# The first of each pair is called as factory(learning_rate, **numbers); the second has its numbers
# with their defaults.
OPTIMIZERS: dict[str, tuple[Callable, dict[str, int | float]]] = {
    "sgd": (optax.sgd, {}),
    "momentum": (optax.sgd, {"momentum": 0.9}),
    "nesterov": (partial(optax.sgd, nesterov=True), {"momentum": 0.9}),
    "adam": (optax.adam, {"b1": 0.9, "b2": 0.999, "eps": 1e-8}),  # PyTorch's
    "adam_keras": (adam_keras, {"b1": 0.9, "b2": 0.999, "eps": 1e-7}),
    # PyTorch's
    "adamw": (optax.adamw, {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "weight_decay": 0.01}),
    "adamw_keras": (adamw_keras, {"b1": 0.9, "b2": 0.999, "eps": 1e-7, "weight_decay": 0.004}),
    "rmsprop_keras": (optax.rmsprop, {"decay": 0.9, "eps": 1e-7}),
    # PyTorch's
    "rmsprop": (partial(optax.rmsprop, eps_in_sqrt=False), {"decay": 0.99, "eps": 1e-8}),
}
# These numbers are shares, at least 0 and below 1; the other numbers are at least 0.
RANGES = dict.fromkeys(("b1", "b2", "momentum", "decay"), (0, 1))


def arguments(factory: Callable) -> dict[str, int | float]:
    """A function's arguments with their defaults."""
    signature = inspect.signature(factory)
    return {name: argument.default for name, argument in signature.parameters.items()}


# Rules that find their own step lengths. The first of each pair is called as factory(**numbers).
METHODS: dict[str, tuple[Callable[..., Method], dict[str, int | float]]] = {
    "lm": (lm, arguments(lm)),
    "bfgs": (bfgs, arguments(bfgs)),
    "lbfgs": (lbfgs, arguments(lbfgs)),
}
# A number of a method must lie between these two, and be neither, or else the method never moves.
BOUNDS: dict[str, tuple[float, float]] = {
    "mu": (0, np.inf),
    "mu_inc": (1, np.inf),
    "mu_dec": (0, 1),
    "stepredn": (0, 1),
}
KNOWN = OPTIMIZERS | METHODS
SCHEDULES = ("cosine", "linear")


def defaults(optimizer: Any) -> dict[str, int | float]:
    """A named optimiser's numbers as its framework has them; none for a user's own."""
    if not isinstance(optimizer, str):
        return {}
    return KNOWN[optimizer][1]


def wants(optimizer: Any) -> str:
    """What an optimiser wants of the data, before any of its numbers is known; see `Rule.wants`."""
    if isinstance(optimizer, str) and optimizer in METHODS:
        factory, numbers = METHODS[optimizer]
        return factory(**numbers).wants
    return GRADIENT


def default_rate(optimizer: Any) -> float | None:
    """The learning rate where none is said; None for a rule that finds its own step lengths."""
    if wants(optimizer) == GRADIENT:
        return 1e-3
    return None


def numbers(optimizer: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of an optimiser: its floats, and the floats and arrays among the options."""
    found = {name: value for name, value in defaults(optimizer).items() if is_float(value)}
    for name, value in options.items():
        if name in found or is_float(value):
            found[name] = value
    return found


def is_float(value: Any) -> bool:
    """Whether an option is a number that can be swept; ints, bools, strings, functions are not."""
    return isinstance(value, float | np.floating | np.ndarray | jax.Array)


def is_transformation(optimizer: Any) -> bool:
    """Whether this is a finished optax transformation rather than a name or a factory."""
    init, update = getattr(optimizer, "init", None), getattr(optimizer, "update", None)
    return callable(init) and callable(update)


def check(
    optimizer: Any, learning_rate: Any, options: Mapping[str, Any], schedule: str | Callable | None
) -> None:
    """Refuse what cannot become an optimiser.

    Args:
        optimizer: see `Recipe`.
        learning_rate: see `Recipe`.
        options: see `Recipe`.
        schedule: see `Recipe`.

    Raises:
        ValueError: an unknown optimiser, schedule, or option of a named optimiser; a learning rate
            in two places.
        TypeError: a learning rate that is no number.

    """
    if is_transformation(optimizer):
        if learning_rate is not None or options or schedule is not None:
            raise ValueError(
                "a finished optax transformation carries its own numbers: give learning_rate=None "
                "and no options or schedule with it, or give its factory (optimizer=optax.adam) so "
                "that its numbers can be swept"
            )
        return
    if wants(optimizer) != GRADIENT:
        if learning_rate is not None or schedule is not None:
            raise ValueError(
                f"{optimizer!r} finds its own step lengths: leave learning_rate and schedule out, "
                "or say learning_rate=None where dataclasses.replace carries over another "
                "optimizer's"
            )
        check_options(optimizer, options)
        return
    check_rate(optimizer, learning_rate)
    if not callable(optimizer) and optimizer not in OPTIMIZERS:
        raise ValueError(
            f"unknown optimizer {optimizer!r}; there is: {', '.join(KNOWN)}, or any optax factory"
            f"{meant(optimizer, KNOWN)}"
        )
    if isinstance(optimizer, str):
        check_options(optimizer, options)
    if not (schedule is None or callable(schedule) or schedule in SCHEDULES):
        raise ValueError(
            f"unknown schedule {schedule!r}; there is: {', '.join(SCHEDULES)}, "
            "or a function step -> factor"
        )


def check_rate(optimizer: Any, learning_rate: Any) -> None:
    """Refuse a schedule in place of a learning rate, and none.

    Raises:
        ValueError: no learning rate.
        TypeError: a schedule.
    """
    if callable(learning_rate):
        raise TypeError(
            "learning_rate is a number; an optax schedule goes into learning_rate=1.0, schedule=it"
        )
    if learning_rate is None:
        raise ValueError(f"optimizer {optimizer!r} needs a learning_rate")


def check_options(optimizer: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a named optimiser does not have, or that are no number.

    Raises:
        ValueError: an unknown option, or a number out of its range.
        TypeError: no number.
    """
    known = KNOWN[optimizer][1]
    for name, value in options.items():
        if name not in known:
            there_is = ", ".join(known) or "none besides the learning rate"
            raise ValueError(f"{optimizer!r} has no option {name!r}; it has: {there_is}")
        if isinstance(value, bool | str) or np.ndim(value):
            raise TypeError(f"option {name!r} is {value!r}; it must be one number")
        is_count = isinstance(value, int | np.integer) and value >= 1
        if isinstance(known[name], int) and not is_count:
            raise ValueError(
                f"option {name!r} is {value!r}; it must be a whole number of at least 1"
            )
        if optimizer in OPTIMIZERS:
            least, most = RANGES.get(name, (0, np.inf))
            what = f"option {name!r} of {optimizer!r}"
            check_number(what, value, least, most, below=name in RANGES)
        check_bounds(optimizer, name, value)


def check_bounds(optimizer: str, name: str, value: Any) -> None:
    """Refuse a number that is not finite, or with which a method would never move.

    Raises:
        ValueError: with the two bounds.
    """
    low, high = BOUNDS.get(name, (-np.inf, np.inf))
    if isinstance(value, float | int) and not low < value < high:
        raise ValueError(
            f"option {name!r} of {optimizer!r} is {value!r}; it must lie between {low} and {high}"
        )


def make(
    optimizer: Any,
    learning_rate: Any,
    options: Mapping[str, Any],
    schedule: str | Callable | None,
    steps: int,
) -> optax.GradientTransformation:
    """The optax transformation of a recipe's optimiser.

    The learning rate at a step is `learning_rate * schedule(step)`: "cosine" falls as `(1 + cos(pi
    t / steps)) / 2` (Loshchilov and Hutter 2017), "linear" as `1 - t / steps`.

    Args:
        optimizer: see `Recipe`; none of `METHODS`.
        learning_rate: see `Recipe`.
        options: see `Recipe`.
        schedule: see `Recipe`.
        steps: of the whole training.

    Raises:
        TypeError: if a factory gives something that is no optax transformation.

    """
    if is_transformation(optimizer):
        return optimizer
    rate = learning_rate
    if schedule is not None:
        rate = scheduled(learning_rate, schedule, steps)
    factory = OPTIMIZERS[optimizer][0] if isinstance(optimizer, str) else optimizer
    made = factory(rate, **defaults(optimizer) | dict(options))
    if not is_transformation(made):
        raise TypeError(
            f"optimizer {factory!r} gave {made!r}, which is no optax transformation (init, update)"
        )
    return made


def scheduled(learning_rate: Any, schedule: str | Callable, steps: int) -> Callable:
    """The learning rate as a function of the number of steps made."""
    named = {
        "cosine": optax.cosine_decay_schedule(1.0, steps),
        "linear": optax.linear_schedule(1.0, 0.0, steps),
    }
    factor = schedule if callable(schedule) else named[schedule]

    def rate(count):
        # An int64 in float64: optax divides the count, and JAX divides an int32 in float32.
        return learning_rate * factor(jnp.asarray(count, int))

    return rate
