"""Optimisers by name, in each framework's convention; what optax lacks stands here.

`optax.sgd`, momentum and nesterov are Keras' and PyTorch's too; PyTorch's Adam is optax's. Where
the frameworks differ, the name says whose it is.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, PyTree, ScalarLike

from approx.tasks.data import check_number
from approx.training.second_order import BOUNDS, METHODS, Method


class AdamState(NamedTuple):
    """Steps taken, and the running means of the gradients and of their squares."""

    steps: Array
    mu: PyTree
    nu: PyTree


def scale_by_adam_keras(b1: ScalarLike = 0.9, b2: ScalarLike = 0.999, eps: ScalarLike = 1e-7):
    """Keras' Adam: `m sqrt(1 - b2^t) / (1 - b1^t) / (sqrt(v) + eps)`.

    Epsilon is added after the bias correction went into the rate (Kingma and Ba 2015, the "more
    efficient order" of section 2; keras/src/optimizers/adam.py), so it is not optax.adam(eps=1e-7),
    which corrects v before the root.
    """

    def init(params):
        zeros = jax.tree.map(jnp.zeros_like, params)
        return AdamState(jnp.zeros((), jnp.int32), zeros, zeros)

    def update(gradients, state, params=None):
        del params
        count = state.steps + 1
        mu = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, state.mu, gradients)
        nu = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g**2, state.nu, gradients)
        factor = jnp.sqrt(1 - b2**count) / (1 - b1**count)
        return jax.tree.map(lambda m, v: factor * m / (jnp.sqrt(v) + eps), mu, nu), AdamState(
            count, mu, nu
        )

    return optax.GradientTransformation(init, update)


def adam_keras(learning_rate, b1=0.9, b2=0.999, eps=1e-7):
    """Keras' Adam; see `scale_by_adam_keras`."""
    return optax.chain(
        scale_by_adam_keras(b1, b2, eps), optax.scale_by_learning_rate(learning_rate)
    )


def adamw_keras(learning_rate, b1=0.9, b2=0.999, eps=1e-7, weight_decay=0.004):
    """Keras' AdamW: its Adam, and `learning_rate * weight_decay * w` off every parameter."""
    return optax.chain(
        scale_by_adam_keras(b1, b2, eps),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


# name -> (factory(learning_rate, **numbers), its numbers with their defaults)
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
# Shares of what was; the others are at least 0
RANGES = dict.fromkeys(("b1", "b2", "momentum", "decay"), (0, 1))
KNOWN = OPTIMIZERS | METHODS  # a method's factory takes no learning rate
SCHEDULES = ("cosine", "linear")


def defaults(optimizer: Any) -> dict[str, int | float]:
    """A named optimiser's numbers as its framework has them; none for a user's own."""
    return KNOWN[optimizer][1] if isinstance(optimizer, str) else {}


def is_method(optimizer: Any) -> bool:
    """Whether this is the name of a method that has no learning rate and takes all rows at every
    step.
    """
    return isinstance(optimizer, str) and optimizer in METHODS


def default_rate(optimizer: Any) -> float | None:
    """The learning rate where none is said."""
    return None if is_method(optimizer) else 1e-3


def numbers(optimizer: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The optimiser's numbers: a named one's floats, and the floats and arrays among the options of
    a user's own.
    """
    known = {name: value for name, value in defaults(optimizer).items() if is_float(value)}
    return known | {
        name: value for name, value in options.items() if name in known or is_float(value)
    }


def is_float(value: Any) -> bool:
    """Whether an own optimiser's option is a number (a leaf); ints, bools, strings and functions
    are structure.
    """
    return isinstance(value, float | np.floating | np.ndarray | jax.Array)


def is_transformation(optimizer: Any) -> bool:
    """Whether this is a finished optax transformation rather than a name or a factory."""
    return callable(getattr(optimizer, "init", None)) and callable(
        getattr(optimizer, "update", None)
    )


def check(
    optimizer: Any, learning_rate: Any, options: Mapping[str, Any], schedule: str | Callable | None
) -> None:
    """Refuse what cannot become an optimiser.

    Raises:
        ValueError: an unknown optimiser, schedule, or option of a named optimiser; a learning rate
            in two places.
        TypeError: a learning rate that is no number.

    """
    if is_transformation(optimizer):
        if learning_rate is not None or options or schedule is not None:
            raise ValueError(
                "a finished optax transformation carries its own numbers: give learning_rate=None and no options or "
                "schedule with it, or give its factory (optimizer=optax.adam) so that its numbers can be swept"
            )
        return
    if is_method(optimizer):
        if learning_rate is not None or schedule is not None:
            raise ValueError(
                f"{optimizer!r} finds its own step lengths: leave learning_rate and schedule out, or say "
                "learning_rate=None where dataclasses.replace carries over another optimizer's"
            )
        return check_options(optimizer, options)
    if callable(learning_rate):
        raise TypeError(
            "learning_rate is a number; an optax schedule goes into learning_rate=1.0, schedule=it"
        )
    if learning_rate is None:
        raise ValueError(f"optimizer {optimizer!r} needs a learning_rate")
    if not callable(optimizer) and optimizer not in OPTIMIZERS:
        raise ValueError(
            f"unknown optimizer {optimizer!r}; there is: {', '.join(KNOWN)}, or any optax factory"
        )
    if isinstance(optimizer, str):
        check_options(optimizer, options)
    if not (schedule is None or callable(schedule) or schedule in SCHEDULES):
        raise ValueError(
            f"unknown schedule {schedule!r}; there is: {', '.join(SCHEDULES)}, or a function step -> factor"
        )


def check_options(optimizer: str, options: Mapping[str, Any]) -> None:
    """Refuse options that a named optimiser does not have, or that are no number."""
    known = KNOWN[optimizer][1]
    for name, value in options.items():
        if name not in known:
            there_is = ", ".join(known) or "none besides the learning rate"
            raise ValueError(f"{optimizer!r} has no option {name!r}; it has: {there_is}")
        if isinstance(value, bool | str) or np.ndim(value):
            raise TypeError(f"option {name!r} is {value!r}; it must be one number")
        if isinstance(known[name], int) and not (
            isinstance(value, int | np.integer) and value >= 1
        ):
            raise ValueError(
                f"option {name!r} is {value!r}; it must be a whole number of at least 1"
            )
        if optimizer not in METHODS:
            least, most = RANGES.get(name, (0, np.inf))
            check_number(
                f"option {name!r} of {optimizer!r}", value, least, most, below=name in RANGES
            )
        low, high = (
            BOUNDS.get(name, (-np.inf, np.inf)) if optimizer in METHODS else (-np.inf, np.inf)
        )
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
) -> optax.GradientTransformation | Method:
    """The optax transformation, or the method of second order.

    The learning rate at a step is `learning_rate * schedule(step)`: "cosine" falls as `(1 + cos(pi
    t / steps)) / 2` (Loshchilov and Hutter 2017), "linear" as `1 - t / steps`.

    Raises:
        TypeError: if a factory gives something that is no optax transformation.

    """
    if is_transformation(optimizer):
        return optimizer
    if is_method(optimizer):
        return METHODS[optimizer][0](**defaults(optimizer) | dict(options))
    rate = learning_rate
    if schedule is not None:
        named = {
            "cosine": optax.cosine_decay_schedule(1.0, steps),
            "linear": optax.linear_schedule(1.0, 0.0, steps),
        }
        factor = schedule if callable(schedule) else named[schedule]
        # An int64 in float64: optax divides the count, and JAX divides an int32 in float32.
        rate = lambda count: learning_rate * factor(jnp.asarray(count, int))  # noqa: E731
    factory = OPTIMIZERS[optimizer][0] if isinstance(optimizer, str) else optimizer
    made = factory(rate, **defaults(optimizer) | dict(options))
    if not is_transformation(made):
        raise TypeError(
            f"optimizer {factory!r} gave {made!r}, which is no optax transformation (init, update)"
        )
    return made
