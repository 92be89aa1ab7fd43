"""Adapters: any model, of the catalogue or of a user, as a pair `(init, apply)`."""

import inspect
from collections.abc import Callable
from typing import Any

from jaxtyping import Array, PyTree


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

    A key means training. The module's call is told of it by its argument `train`, `training` or
    `deterministic`. A module without such an argument may ask `self.has_rng("dropout")`.

    Raises:
        ValueError: collections besides the parameters, which training would have to update.
    """
    taken = inspect.signature(type(module).__call__).parameters

    def mode(training: bool) -> dict[str, bool]:
        said = {"train": training, "training": training, "deterministic": not training}
        return {name: value for name, value in said.items() if name in taken}

    def init(key, x):
        variables = module.init(key, x, **mode(False))
        if extra := set(variables) - {"params"}:
            raise ValueError(
                f"flax collections {sorted(extra)} are not supported: only 'params' are trained"
            )
        return variables

    def apply(params, x, key=None):
        rngs = None if key is None else {"dropout": key}
        return module.apply(params, x, rngs=rngs, **mode(key is not None))

    return init, apply
