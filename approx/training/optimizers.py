"""Optimisers by name, in each framework's convention, and their numbers.

A name without a suffix is PyTorch's, whose Adam and SGD are optax's too. Where another framework
has another formula, epsilon or default, a suffix says whose it is. docs/optimizers.md has them all
in a table.
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
from approx.training import guards, keras, keras_extras, online, pytorch, resilient
from approx.training import pytorch_lbfgs as torch_lbfgs
from approx.training.quasi_newton import bfgs, lbfgs
from approx.training.rules import GRADIENT
from approx.training.second_order import Method, lm

__all__ = [
    "KNOWN",
    "METHODS",
    "OPTIMIZERS",
    "SCHEDULES",
    "default_rate",
    "defaults",
    "make",
    "numbers",
    "takes_all_rows",
]

Number = int | float | bool | None


def arguments(factory: Callable) -> dict[str, Number]:
    """A function's arguments with their defaults, without those that have none."""
    found = {}
    for name, argument in inspect.signature(factory).parameters.items():
        if argument.default is not argument.empty:
            found[name] = argument.default
    return found


def numbers_of(factory: Callable, **defaults: Number) -> tuple[Callable, dict[str, Number]]:
    """A factory, and its numbers besides the learning rate; `defaults` replace its own."""
    return factory, arguments(factory) | defaults


def of_keras(factory: Callable, **defaults: Number) -> tuple[Callable, dict[str, Number]]:
    """An optimiser of Keras with what every optimiser of Keras can do besides; see `Extras`."""
    own = numbers_of(factory, **defaults)[1]
    return keras_extras.extended(factory), own | keras_extras.Extras()._asdict()


# The first of each pair is called as factory(learning_rate, **numbers); the second has its numbers
# with their defaults. A number that is None is not in the program.
OPTIMIZERS: dict[str, tuple[Callable, dict[str, Number]]] = {
    "sgd": numbers_of(pytorch.sgd),
    "momentum": (optax.sgd, {"momentum": 0.9}),
    "nesterov": (partial(optax.sgd, nesterov=True), {"momentum": 0.9}),
    "sgd_keras": of_keras(keras.sgd),
    "sgd_sklearn": (partial(keras.sgd, nesterov=True), {"momentum": 0.9}),
    "momentum_weka": (keras.sgd, {"momentum": 0.2}),
    "momentum_brainjs": numbers_of(online.momentum_brainjs),
    "gdm_neurolab": numbers_of(online.gdm),
    "gda_neurolab": numbers_of(online.gda),
    "gdx_neurolab": numbers_of(online.gdx),
    "adam": numbers_of(pytorch.adam),
    "adam_keras": of_keras(keras.adam),
    "adam_sklearn": (keras.adam, {"b1": 0.9, "b2": 0.999, "eps": 1e-8}),
    "adamw": numbers_of(pytorch.adamw),
    "adamw_keras": (
        keras_extras.adamw,
        of_keras(keras.adam)[1] | {"weight_decay": 0.004},
    ),
    "rmsprop": numbers_of(pytorch.rmsprop),
    "rmsprop_keras": of_keras(keras.rmsprop),
    "adagrad": numbers_of(pytorch.adagrad),
    "adagrad_keras": of_keras(keras.adagrad),
    "adadelta": numbers_of(pytorch.adadelta),
    "adadelta_keras": of_keras(keras.adadelta),
    "adamax": numbers_of(pytorch.adamax),
    "adamax_keras": of_keras(keras.adamax),
    "nadam": numbers_of(pytorch.nadam),
    "nadam_keras": of_keras(keras.nadam),
    "radam": numbers_of(pytorch.radam),
    "ftrl_keras": of_keras(keras.ftrl),
    "lion_keras": of_keras(keras.lion),
    "lamb_keras": of_keras(keras.lamb),
    "adafactor_keras": of_keras(keras.adafactor),
    "asgd": numbers_of(pytorch.asgd),
    "lbfgs_torch": numbers_of(torch_lbfgs.lbfgs),
    "rprop": numbers_of(resilient.rprop),
    "rprop_plus": numbers_of(resilient.rprop_plus),
    "rprop_minus": numbers_of(resilient.rprop_minus),
    "irprop_plus": numbers_of(resilient.irprop_plus),
    "irprop_minus": numbers_of(resilient.rprop),
    "rprop_fann": numbers_of(resilient.rprop_fann),
    "rprop_opencv": numbers_of(resilient.rprop_opencv),
    "rprop_neurolab": numbers_of(resilient.rprop_neurolab),
}
# These numbers are shares, at least 0 and below 1; those that may be negative have no bound; the
# other numbers are at least 0.
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("b1", "b2", "momentum", "decay", "rho", "ema_momentum"), (0, 1)),
    **dict.fromkeys(("rate_power", "b2_decay"), (-np.inf, np.inf)),
}
# Options that are whole numbers, though their default is None
COUNTS = ("ema_every",)
# Optimisers with a learning rate that need the same loss in every step, that of all rows
WHOLE = ("lbfgs_torch",)
# The learning rate where none is said, if it is not 1e-3: that of the framework
RATES = {
    "sgd_keras": 0.01,
    "momentum_weka": 0.3,
    "momentum_brainjs": 0.3,
    "gdm_neurolab": 0.01,
    "gda_neurolab": 0.01,
    "gdx_neurolab": 0.01,
    "adagrad": 0.01,
    "adadelta": 1.0,
    "adamax": 2e-3,
    "nadam": 2e-3,
    "asgd": 0.01,
    "lbfgs_torch": 1.0,
    "rprop": 0.01,
    "rprop_plus": 0.1,
    "rprop_minus": 0.1,
    "irprop_plus": 0.1,
    "irprop_minus": 0.1,
    "rprop_fann": 0.1,
    "rprop_opencv": 0.1,
    "rprop_neurolab": 0.07,
}


# Rules that find their own step lengths. The first of each pair is called as factory(**numbers).
METHODS: dict[str, tuple[Callable[..., Method], dict[str, Number]]] = {
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


def defaults(optimizer: Any) -> dict[str, Number]:
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


def takes_all_rows(optimizer: Any) -> bool:
    """Whether an optimiser needs all rows in every step."""
    return wants(optimizer) != GRADIENT or optimizer in WHOLE


def default_rate(optimizer: Any) -> float | None:
    """The learning rate where none is said; None for a rule that finds its own step lengths."""
    if wants(optimizer) != GRADIENT:
        return None
    if isinstance(optimizer, str):
        return RATES.get(optimizer, 1e-3)
    return 1e-3


def numbers(optimizer: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of an optimiser: its floats, and the floats and arrays among the options."""
    known = defaults(optimizer)
    found = {name: value for name, value in known.items() if is_float(value)}
    for name, value in options.items():
        left_out = name in known and known[name] is None and name not in COUNTS
        if (name in found or left_out or is_float(value)) and value is not None:
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
        guards.check_finished(optimizer)
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
    guards.check_factory(optimizer, learning_rate)
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
        if value is None and known[name] is None:
            continue
        if isinstance(known[name], bool):
            check_switch(name, value)
            continue
        if value is None or isinstance(value, bool | str) or np.ndim(value):
            raise TypeError(f"option {name!r} is {value!r}; it must be one number")
        if name in COUNTS or isinstance(known[name], int):
            check_count(name, value)
        if optimizer in OPTIMIZERS:
            least, most = RANGES.get(name, (0, np.inf))
            what = f"option {name!r} of {optimizer!r}"
            check_number(what, value, least, most, below=name in RANGES)
        check_bounds(optimizer, name, value)


def check_switch(name: str, value: Any) -> None:
    """Refuse what is neither True nor False.

    Raises:
        TypeError: with the value.
    """
    if not isinstance(value, bool):
        raise TypeError(f"option {name!r} is {value!r}; it must be True or False")


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        ValueError: with the value.
    """
    if not (isinstance(value, int | np.integer) and value >= 1):
        raise ValueError(f"option {name!r} is {value!r}; it must be a whole number of at least 1")


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
