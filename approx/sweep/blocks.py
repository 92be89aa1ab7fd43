"""The compiled block: `lanes` trainings as one program. The only place where an axis of trainings
is put around one.

A block's lanes are independent trainings, each with its own seed per stream and its own value of
every number, swept or not. The same program runs every block of a sweep, so a training's bits
depend on neither its company nor its place.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Key, PyTree, UInt32

from approx.numerics import products
from approx.tasks import Points, Task
from approx.training import loop as training
from approx.training.inputs import Data, Keys
from approx.training.inputs import prepare as prepare_data
from approx.training.loop import Keep, Trace
from approx.training.recipes import Recipe
from approx.training.steps import State


class Structure(NamedTuple):
    """What a block's program depends on besides shapes: hashable and compared by value.

    Attributes:
        tree: of (task, recipe).
        scalar: which of its leaves are numbers, given per lane; the others are arrays, shared by
            all lanes.
        keep: see `Keep`.
        form: "vmap", "columns" or "lanes" (see `lanes`).
        host: `hosts.fingerprint` of a user's functions: JAX remembers what it traced by the
            functions' identity only.
    """

    tree: Any
    scalar: tuple[bool, ...]
    keep: Keep
    form: str = "vmap"
    host: str = ""

    @property
    def axis(self) -> int:
        """Where the lanes are in State and Trace: first, or last."""
        return -1 if self.form == "lanes" else 0


class Inputs(NamedTuple):
    """What a block of trainings is given.

    Attributes:
        root: the root key. seeds: (lanes, streams). numbers: (lanes, number). arrays: the task's,
            shared by all lanes.
        params: None, or parameters to start from, with an axis of lanes first.

    """

    root: Key[Array, ""]
    seeds: Any
    numbers: Any
    arrays: tuple[Any, ...]
    params: PyTree = None


def flatten(
    task: Task, recipe: Recipe, keep: Keep, form: str
) -> tuple[Structure, list[float], tuple[np.ndarray, ...]]:
    """Structure, numbers and arrays of a task and a recipe."""
    leaves, tree = jax.tree.flatten((task, recipe))
    scalar = tuple(np.ndim(leaf) == 0 for leaf in leaves)
    numbers = [float(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if is_scalar]
    arrays = tuple(
        np.asarray(leaf) for leaf, is_scalar in zip(leaves, scalar, strict=True) if not is_scalar
    )
    return Structure(tree, scalar, keep, form), numbers, arrays


def unflatten(structure: Structure, numbers: Any, arrays: tuple[Any, ...]) -> tuple[Task, Recipe]:
    """Task and recipe of one lane; or of all, if every number is a vector of the lanes'."""
    number, array = iter(numbers), iter(arrays)
    leaves = [next(number) if is_scalar else next(array) for is_scalar in structure.scalar]
    return jax.tree.unflatten(structure.tree, leaves)


def keys(root: Key[Array, ""], seeds: UInt32[Array, " streams"]) -> Keys:
    """A lane's streams, each that of its own seed: `streams(fold_in(root, seed))`."""
    return Keys(
        *(random.fold_in(random.fold_in(root, seeds[n]), n) for n in range(len(Keys._fields)))
    )


def start(structure: Structure, inputs: Inputs) -> tuple[State, Trace]:
    """`training.start` on every lane."""

    def one(seeds, numbers, params):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        return training.start(keys(inputs.root, seeds), task, recipe, structure.keep, params)

    return jax.vmap(one, out_axes=structure.axis)(inputs.seeds, inputs.numbers, inputs.params)


def advance(
    structure: Structure, carry: tuple[State, Trace], inputs: Inputs, begin: Array, end: Array
):
    """`training.advance` on every lane, for the same steps."""

    def prepare(seeds, numbers):
        return prepare_data(keys(inputs.root, seeds), *unflatten(structure, numbers, inputs.arrays))

    def one(carry, seeds, numbers, rows):
        (task, recipe), data = unflatten(structure, numbers, inputs.arrays), prepare(seeds, numbers)
        data = data if rows is None else data._replace(rows=rows)
        over = products.COLUMNS if structure.form == "columns" else products.ONE
        return training.loop(
            carry, keys(inputs.root, seeds), data, task, recipe, (begin, end), structure.keep, over
        )

    task, recipe = unflatten(structure, inputs.numbers.T, inputs.arrays)
    if structure.form != "lanes":
        rows = jax.vmap(prepare)(inputs.seeds, inputs.numbers).rows
        own = structure.form == "vmap" and recipe.batch_size is None and rows[0][0].size <= OWN_ROWS
        return jax.vmap(one)(carry, inputs.seeds, inputs.numbers, rows if own else None)

    data = products.last(prepare, inputs.seeds, inputs.numbers)
    streams = jax.vmap(lambda seeds: keys(inputs.root, seeds))(inputs.seeds)
    return training.loop(
        carry, streams, data, task, recipe, (begin, end), structure.keep, products.LANES
    )


def look(structure: Structure, inputs: Inputs) -> tuple[Data, Points, Array]:
    """What `run` checks and describes on the host: the first lane's data, every lane's points, and
    which are finite.
    """

    def one(seeds, numbers):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        data = prepare_data(keys(inputs.root, seeds), task, recipe)
        finite = jnp.stack([jnp.isfinite(values).all() for values in jax.tree.leaves(data)]).all()
        return data, Points(*map(jnp.asarray, task.points())), finite

    def rest(seeds, numbers):
        _, points, finite = one(seeds, numbers)
        return points, finite

    return one(inputs.seeds[0], inputs.numbers[0])[0], *jax.vmap(rest)(inputs.seeds, inputs.numbers)


# Numbers of x up to which vmap gives each network a copy of the rows that all see in every step.
# XLA:CPU makes products of shared rows from transposed weights: 84 x 84 weights, 80 rows, 24.2 us a
# step, with copies 17.7; 784 x 64 weights, 32 rows 89 and 68, 128 rows 186 and 192, 1,000 rows
# 1,216 and 1,540.
OWN_ROWS = 2**16
