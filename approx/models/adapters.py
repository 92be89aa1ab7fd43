"""Adapters: any model, of the catalogue or of a user, as a pair `(init, apply)`."""

import inspect
from collections.abc import Callable
from typing import Any

from jaxtyping import Array, PyTree

STATISTICS = "batch_stats"  # flax's name of the collection of running averages


def functions(model: Any) -> tuple[Callable[..., PyTree], Callable[..., Array]]:
    """Any model's `init(key, x)` and `apply(params, x, key=None)`.

    Raises:
        TypeError: something that is not a model.
    """
    pair: Any = getattr(model, "init", None), getattr(model, "apply", None)
    if isinstance(model, tuple):
        pair = model
    if len(pair) != 2 or not all(map(callable, pair)):
        raise TypeError(
            f"{model!r} is no model: it needs init(key, x) and apply(params, x), "
            "as flax.linen modules have"
        )
    init, apply = pair
    taken = inspect.signature(apply).parameters
    if "key" in taken:
        return init, apply
    if "rngs" in taken:
        return flax_functions(model)
    return init, lambda params, x, key=None: apply(params, x)


def flax_functions(module: Any) -> tuple[Callable[..., PyTree], Callable[..., Array]]:
    """The `init` and `apply` of a flax.linen module.

    A key means training. The module's call is told of it by its argument `train`, `training`,
    `deterministic` or `use_running_average`. A module without such an argument may ask
    `self.has_rng("dropout")`.

    Raises:
        ValueError: collections besides the parameters and the running averages "batch_stats"; such
            averages in a module that is not told of training.
    """

    def mode(training: bool) -> dict[str, bool]:
        return mode_of(module, training)

    def init(key, x):
        variables = module.init(key, x, **mode(False))
        if extra := set(variables) - {"params", STATISTICS}:
            raise ValueError(
                f"flax collections {sorted(extra)} are not supported: 'params' are trained, and "
                f"{STATISTICS!r} are averaged"
            )
        if STATISTICS in variables and not mode(True):
            raise ValueError(
                f"the module has {STATISTICS!r}, and is not told whether it trains: give its call "
                "an argument `train`, and its BatchNorm use_running_average=not train"
            )
        return variables

    def apply(params, x, key=None):
        if key is not None and has_averages(params):
            return mutated(module, params, x, key)[0]
        rngs = None if key is None else {"dropout": key}
        return module.apply(params, x, rngs=rngs, **mode(key is not None))

    return init, apply


def mode_of(module: Any, training: bool) -> dict[str, bool]:
    """The arguments by which a flax module's call is told whether this is training."""
    taken = inspect.signature(type(module).__call__).parameters
    said = {"train": training, "training": training, "deterministic": not training}
    said["use_running_average"] = not training
    return {name: value for name, value in said.items() if name in taken}


def mutated(module: Any, params: Any, x: Array, key: Any) -> tuple[Array, Any]:
    """Outputs of a flax module in training, and its running averages afterwards."""
    rngs = {"dropout": key}
    outputs, changed = module.apply(
        params, x, rngs=rngs, mutable=[STATISTICS], **mode_of(module, True)
    )
    return outputs, changed[STATISTICS]


def has_averages(params: Any) -> bool:
    """Whether parameters have running averages beside them, which no optimiser moves."""
    return isinstance(params, dict) and set(params) == {"params", STATISTICS}


def trained(params: Any) -> Any:
    """The parameters without running averages."""
    return params["params"] if has_averages(params) else params


def takes_weights(model: Any) -> bool:
    """Whether a model can be told which rows of a batch count, as one with a `BatchNorm` must."""
    _, apply = functions(model)
    return "weights" in inspect.signature(apply).parameters


def outputs(model: Any, params: Any, x: Array, key: Any = None, weights: Any = None) -> Array:
    """Outputs (n, o) of a model at x (n, i).

    Args:
        model: any.
        params: its parameters.
        x: inputs.
        key: for dropout, as in training; None where the network is judged.
        weights: of the rows, 0 or 1, for a model that `takes_weights`; None is 1 for all.
    """
    _, apply = functions(model)
    if weights is not None and takes_weights(model):
        return apply(params, x, key=key, weights=weights)
    return apply(params, x, key=key)


def averages(model: Any, params: Any, x: Array, key: Any, weights: Any = None) -> Any:
    """The running averages of a model after a batch with the inputs x (n, i).

    Args:
        model: whose parameters `has_averages`.
        params: before the step.
        x: inputs of the batch.
        key: of the step, as the model's `apply` is given it in training.
        weights: of the rows, 0 or 1; None is 1 for all.
    """
    if hasattr(model, "averages"):
        told = (weights,) if weights is not None and takes_weights(model) else ()
        return model.averages(params, x, key, *told)
    return mutated(model, params, x, key)[1]
