"""What one network is shown: its streams of random numbers, its rows, and the rows of each step."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random
from jaxtyping import Array, Key

from approx.numerics.products import ONE, Batching
from approx.tasks import Points, Task
from approx.training import sampling
from approx.training.recipes import Recipe


class Keys(NamedTuple):
    """A seed's streams of random numbers, so that one can be frozen while the others vary.

    Attributes:
        init: for the first weights.
        data: for rows that a task draws, and for the choice of validation rows.
        order: for the rows of each batch.
        dropout: for the units that drop out.
        noise: for the noise on the training targets.
    """

    init: Key[Array, "..."]
    data: Key[Array, "..."]
    order: Key[Array, "..."]
    dropout: Key[Array, "..."]
    noise: Key[Array, "..."]


class Data(NamedTuple):
    """What a network is shown and where it is judged.

    Attributes:
        rows: training inputs and targets.
        validation: validation inputs and targets, or None.
        points: inputs of the test points, and the targets of the first of them: the last ones may
            have none.
        inside: for each test point with a target, 1 inside the training range and 0 outside.
    """

    rows: tuple[Array, Array]
    validation: tuple[Array, Array] | None
    points: tuple[Array, Array]
    inside: Array


class Batch(NamedTuple):
    """The rows of one step.

    Attributes:
        x: inputs, of the batch or of all rows.
        y: targets, likewise.
        weights: 1 for a row that counts and 0 for one that pads a partial batch; None if all count.
        which: the numbers of the batch's rows in x and y; None if the batch is all of x and y.
    """

    x: Array
    y: Array
    weights: Array | None = None
    which: Array | None = None


def as_keys(key: Key[Array, ""] | Keys) -> Keys:
    """A seed's `Keys`, from its key or as they are.

    Raises:
        TypeError: no key.
    """
    if isinstance(key, Keys):
        return key
    if not hasattr(key, "dtype"):
        raise TypeError(f"the key is {key!r}; make one with jax.random.key(0)")
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = random.wrap_key_data(key)
    return streams(key)


def as_dtype(y: Array, recipe: Recipe) -> Array:
    """Targets in the recipe's dtype; labels as they are."""
    if jnp.issubdtype(y.dtype, jnp.integer):
        return y
    return y.astype(recipe.dtype)


def prepare(keys: Keys, task: Task, recipe: Recipe) -> Data:
    """A seed's data, in the recipe's dtype."""

    def cast(x, y):
        return x.astype(recipe.dtype), as_dtype(y, recipe)

    rows, validation = task.split(keys.data, keys.noise)
    x_test, y_test, distance = map(jnp.asarray, Points(*task.points()))
    if task.unjudged:  # the last points have no target
        judged = len(x_test) - task.unjudged
        y_test, distance = y_test[:judged], distance[:judged]
    inside = (distance <= 0).astype(recipe.dtype)
    rows = cast(*rows)
    if validation is not None:
        validation = cast(*validation)
    return Data(rows, validation, cast(x_test, y_test), inside)


def streams(key: Key[Array, ""]) -> Keys:
    """A seed's streams: `fold_in(key, n)` for the n-th."""
    return Keys(*(random.fold_in(key, n) for n in range(len(Keys._fields))))


def batch(
    keys: Keys,
    step: Any,
    rows: tuple[Array, Array],
    task: Task,
    recipe: Recipe,
    batching: Batching = ONE,
) -> Batch:
    """The rows of one step.

    Args:
        keys: the seed's streams.
        step: number of the step, from 0 on.
        rows: all training rows.
        task: gives fresh rows for `batches="stream"`.
        recipe: says which batches.
        batching: see `Batching`.
    """
    if recipe.batches == "stream":

        def fresh(data, noise, task):
            data, noise = random.fold_in(data, step), random.fold_in(noise, step)
            return task.fresh(data, noise, recipe.batch_size)

        x, y = batching.each(fresh)(keys.data, keys.noise, task)
        return Batch(x.astype(recipe.dtype), as_dtype(y, recipe))
    if recipe.batch_size is None:
        return Batch(*rows)
    n = rows[0].shape[0]
    index, weights = sampling.batch(
        recipe.batches, keys.order, step, recipe.batch_size, n, recipe.drop_last
    )
    # XLA:CPU would compute the index anew in every gather, and without vectors
    index = lax.optimization_barrier(index)
    return Batch(*rows, weights, index)
