"""Optimisers of optax that do something else than their name or their learning rate promises.

Each was found by experiment with optax 0.2.8; tests/test_optimizers.py repeats the experiments, so
that a new optax which behaves is noticed.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import optax

CLIMBS = (
    "optax.adadelta() without a learning rate adds its step instead of taking it off, so that the "
    "loss climbs; give optax.adadelta(1.0), or optimizer='adadelta' with learning_rate=1.0"
)
SHARED_NOISE = (
    "optax.noisy_sgd draws its noise from one key that all networks share, so that the seeds are "
    "not independent of each other; small batches (batch_size=1) are noise of each network's own"
)
LATE = (
    "optax.rprop moves along the gradient of the call before; optimizer='rprop' moves along this "
    "one's, as PyTorch's and Igel and Hüsken's iRPROP- do"
)
NO_RATE = (
    "optax.contrib.cocob makes the same steps at every learning rate: a rate that is given or "
    "swept changes nothing"
)


def inner_functions(function: Any) -> Iterator[Any]:
    """A function and all functions that it closes over, as a chain does over its parts."""
    known: list[Any] = []
    waiting = [function]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, tuple | list):
            waiting += thing
        elif callable(thing) and not any(thing is each for each in known):
            known.append(thing)
            yield thing
            cells = getattr(thing, "__closure__", None) or ()
            waiting += [cell.cell_contents for cell in cells]


def parts(transformation: Any) -> set[str]:
    """Which functions of optax a transformation is made of, such as "scale_by_adadelta"."""
    names = set()
    for function in inner_functions(transformation.update):
        if str(getattr(function, "__module__", "")).startswith("optax"):
            names.add(function.__qualname__.partition(".")[0])
    return names


def check_finished(transformation: Any) -> None:
    """Refuse a finished transformation that climbs, or whose noise all networks share.

    Raises:
        ValueError: with the remedy.
    """
    made_of = parts(transformation)
    if "scale_by_adadelta" in made_of and not made_of & {"scale", "scale_by_schedule"}:
        raise ValueError(CLIMBS)
    if "add_noise" in made_of:
        raise ValueError(SHARED_NOISE)
    if "scale_by_rprop" in made_of:
        warnings.warn(LATE, stacklevel=2)


def check_factory(factory: Any, learning_rate: Any) -> None:
    """Refuse a factory of optax that misleads, or warn of it.

    Raises:
        ValueError: noise that all networks share, or no learning rate for adadelta.
    """
    if factory is optax.noisy_sgd:
        raise ValueError(SHARED_NOISE)
    if factory is optax.adadelta and learning_rate is None:
        raise ValueError(CLIMBS)
    if factory is optax.rprop:
        warnings.warn(LATE, stacklevel=2)
    if factory is optax.contrib.cocob:
        warnings.warn(NO_RATE, stacklevel=2)
