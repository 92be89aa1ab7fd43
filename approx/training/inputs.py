"""What one network is shown: its streams of random numbers, its rows, and the rows of each step."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import Array, Key

from approx.numerics.products import ONE, Over
from approx.tasks import Points, Task
from approx.training import sampling
from approx.training.recipes import Recipe


class Keys(NamedTuple):
    """One named stream of randomness each, so that one can be frozen while the others vary."""

    init: Key[Array, "..."]
    data: Key[Array, "..."]
    order: Key[Array, "..."]
    dropout: Key[Array, "..."]
    noise: Key[Array, "..."]


class Data(NamedTuple):
    """What a network is shown and where it is judged: training rows, validation rows or None,
    points, and which of them lie inside the training range (1) or outside (0).
    """

    rows: tuple[Array, Array]
    validation: tuple[Array, Array] | None
    points: tuple[Array, Array]
    inside: Array


def as_keys(key: Key[Array, ""] | Keys) -> Keys:
    """A seed's `Keys`, from its key or as they are."""
    if isinstance(key, Keys):
        return key
    if not hasattr(key, "dtype"):
        raise TypeError(f"the key is {key!r}; make one with jax.random.key(0)")
    return streams(
        key if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else random.wrap_key_data(key)
    )


def as_dtype(y: Array, recipe: Recipe) -> Array:
    """Targets in the recipe's dtype; labels as they are."""
    return y if jnp.issubdtype(y.dtype, jnp.integer) else y.astype(recipe.dtype)


def prepare(keys: Keys, task: Task, recipe: Recipe) -> Data:
    """A seed's data, in the recipe's dtype."""
    rows, validation = task.split(keys.data, keys.noise)
    x_test, y_test, distance = map(jnp.asarray, Points(*task.points()))
    cast = lambda pair: (pair[0].astype(recipe.dtype), as_dtype(pair[1], recipe))  # noqa: E731
    inside = (distance <= 0).astype(recipe.dtype)
    return Data(
        cast(rows), None if validation is None else cast(validation), cast((x_test, y_test)), inside
    )


def streams(key: Key[Array, ""]) -> Keys:
    """A seed's streams: `fold_in(key, n)` for the n-th."""
    return Keys(*(random.fold_in(key, n) for n in range(len(Keys._fields))))


def batch(
    keys: Keys, step: Any, rows: tuple[Array, Array], task: Task, recipe: Recipe, over: Over = ONE
) -> tuple:
    """The rows of one step: x, y, their weights or None, and which of x and y are meant, or None
    for all.
    """
    if recipe.batches == "stream":
        fresh = lambda data, noise, task: task.fresh(  # noqa: E731
            random.fold_in(data, step), random.fold_in(noise, step), recipe.batch_size
        )
        x, y = over.each(fresh)(keys.data, keys.noise, task)
        return x.astype(recipe.dtype), as_dtype(y, recipe), None, None
    if recipe.batch_size is None:
        return *rows, None, None
    size, n = recipe.batch_size, rows[0].shape[0]
    index, weights = sampling.batch(recipe.batches, keys.order, step, size, n)
    # Else XLA:CPU computes it anew, and without vectors, in every gather
    index = lax.optimization_barrier(index)
    return *rows, weights, index
