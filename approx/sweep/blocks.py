"""The block: many independent trainings as one program, which JAX compiles once for a sweep.

A training in a block is called a lane. Each lane has a seed of its own for every stream of
randomness, and a value of its own for every number, swept or not. The same program runs every block
of a sweep, so the bits of a training depend neither on the other lanes nor on its place among them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import random
from jaxtyping import Array, Key, PyTree, UInt32

from approx import models
from approx.models import draws, scalings
from approx.numerics import products
from approx.sweep import hosts
from approx.tasks import Points, Task
from approx.training import loop as training
from approx.training.inputs import Data, Keys
from approx.training.inputs import prepare as prepare_data
from approx.training.loop import Keep, Trace
from approx.training.recipes import Recipe
from approx.training.steps import State

# If all rows are used in every step, vmap gives each network a copy of them, up to so many numbers
# of x. XLA:CPU makes products of shared rows from transposed weights: 84 x 84 weights, 80 rows,
# 24.2 us a step, with copies 17.7; 784 x 64 weights, 32 rows 89 and 68, 128 rows 186 and 192, 1,000
# rows 1,216 and 1,540.
OWN_ROWS = 2**16


class Structure(NamedTuple):
    """What decides a block's program. Two blocks of the same shapes share one if these are equal.

    Attributes:
        tree: the nesting of (task, recipe), without its numbers and arrays.
        scalar: for each leaf of that nesting, whether it is a number, of which each lane has its
            own; the other leaves are arrays, which all lanes share.
        keep: what each training keeps.
        form: "vmap", "columns" or "lanes" (see `layouts`).
        host: `hosts.fingerprint` of the user's functions. JAX tells functions apart by their
            identity alone, and would not notice that a value which they read has changed.

    """

    tree: Any
    scalar: tuple[bool, ...]
    keep: Keep
    form: str = "vmap"
    host: str = ""

    @property
    def axis(self) -> int:
        """Which axis of the arrays of State and Trace the lanes are: the first, or the last."""
        return -1 if self.form == "lanes" else 0


class Inputs(NamedTuple):
    """What a block of trainings is given.

    Attributes:
        root: the root key.
        seeds: (lanes, streams), the seed of each stream of randomness.
        numbers: (lanes, numbers), every number of task and recipe.
        arrays: the task's arrays, which all lanes share.
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
    scalar, numbers, arrays = [], [], []
    for leaf in leaves:
        scalar.append(np.ndim(leaf) == 0)
        if scalar[-1]:
            numbers.append(float(leaf))
        else:
            arrays.append(np.asarray(leaf))
    return Structure(tree, tuple(scalar), keep, form), numbers, tuple(arrays)


def unflatten(structure: Structure, numbers: Any, arrays: tuple[Any, ...]) -> tuple[Task, Recipe]:
    """Task and recipe of one lane; of all lanes at once, if every number is a vector of theirs."""
    return joined(structure, numbers, arrays)


def joined(structure: Any, numbers: Any, arrays: tuple[Any, ...]) -> Any:
    """Put numbers and arrays back into the nesting from which `flatten` took them.

    Args:
        structure: a `Structure`, or another tuple with its fields `tree` and `scalar`.
        numbers: in the order of the leaves. arrays: likewise.
    """
    number, array = iter(numbers), iter(arrays)
    leaves = [next(number) if is_scalar else next(array) for is_scalar in structure.scalar]
    return jax.tree.unflatten(structure.tree, leaves)


def keys(root: Key[Array, ""], seeds: UInt32[Array, " streams"]) -> Keys:
    """A lane's streams of randomness: the n-th is `fold_in(fold_in(root, seeds[n]), n)`."""
    streams = range(len(Keys._fields))
    return Keys(*(random.fold_in(random.fold_in(root, seeds[n]), n) for n in streams))


def start(structure: Structure, inputs: Inputs, bits: Array | None = None) -> tuple[State, Trace]:
    """`training.start` on every lane.

    Args:
        structure: of the trainings.
        inputs: of the block.
        bits: (lanes, numbers) that the models' random numbers are made of (see `models.draws`), or
            None: then the program draws them itself.
    """

    def one(seeds, numbers, params, bits):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        streams = keys(inputs.root, seeds)
        source = None if bits is None else draws.BitSource(bits)
        return training.start(streams, task, recipe, structure.keep, params, source, checked=True)

    given = inputs.seeds, inputs.numbers, inputs.params, bits
    return jax.vmap(one, out_axes=structure.axis)(*given)


# Numbers of a network that are drawn by the shared program, which hashes three times for each. Of
# more, that takes longer than is saved: 314,000 made P5 a third slower in runs of 60 steps.
MOST_DRAWN = 1024
MOST_TABLES = 64  # that are remembered; then all are forgotten
_tables: dict[Any, np.ndarray | None] = {}  # by structure and the shapes of the arrays


def table_of(structure: Structure, inputs: Inputs) -> np.ndarray | None:
    """Where the random numbers of the first parameters come from (see `draws.table_of`).

    None if the program of the start draws them, as it does for a user's own model and for a large
    one.
    """
    if inputs.params is not None or not draws.is_plain(inputs.root):
        return None
    key = structure, tuple(np.shape(array) for array in inputs.arrays)
    if len(_tables) >= MOST_TABLES:
        _tables.clear()
    if key not in _tables:
        _tables[key] = made_table(structure, inputs)
    return _tables[key]


def made_table(structure: Structure, inputs: Inputs) -> np.ndarray | None:
    """`table_of`, if it is not known yet."""
    task, recipe = unflatten(structure, inputs.numbers[0], inputs.arrays)
    core = scalings.core(recipe.model)
    if not (isinstance(core, models.MLP) or type(core) in models.IN_LANES):
        return None
    requests = draws.Requests()
    first_params, _ = models.functions(recipe.model)
    key = random.key(0)
    try:
        jax.eval_shape(lambda: first_params(requests, task.split(key, key)[0][0]))
    except draws.OwnKeyNeededError:
        return None
    count = sum(request.numbers for request in requests.made)
    if not 0 < count <= MOST_DRAWN:
        return None
    return draws.table_of(requests.made)


def draw(
    wide: bool, root: Key[Array, ""], seeds: UInt32[Array, "lanes streams"], table: Array
) -> Array:
    """The bits of a block's first parameters, for `start`: (lanes, numbers).

    Args:
        wide: whether numbers have 64 bits.
        root: the root key.
        seeds: of each lane's streams.
        table: where each number comes from, see `draws.table_of`.
    """
    words = jax.vmap(lambda seeds: random.key_data(keys(root, seeds).init))(seeds)
    return draws.draw(words, table, wide)


def advance(
    structure: Structure, carry: tuple[State, Trace], inputs: Inputs, begin: Array, end: Array
):
    """`training.advance` on every lane, for the same steps."""

    def prepare(seeds, numbers):
        return prepare_data(keys(inputs.root, seeds), *unflatten(structure, numbers, inputs.arrays))

    def one(carry, seeds, numbers, rows):
        task, recipe = unflatten(structure, numbers, inputs.arrays)
        data = prepare(seeds, numbers)
        if rows is not None:
            data = data._replace(rows=rows)
        over = products.COLUMNS if structure.form == "columns" else products.ONE
        return training.loop(
            carry, keys(inputs.root, seeds), data, task, recipe, (begin, end), structure.keep, over
        )

    task, recipe = unflatten(structure, inputs.numbers.T, inputs.arrays)  # of all lanes at once
    if structure.form == "lanes":
        data = products.last(prepare, inputs.seeds, inputs.numbers)
        streams = jax.vmap(lambda seeds: keys(inputs.root, seeds))(inputs.seeds)
        return training.loop(
            carry, streams, data, task, recipe, (begin, end), structure.keep, products.LANES
        )
    rows = jax.vmap(prepare)(inputs.seeds, inputs.numbers).rows
    every_row = structure.form == "vmap" and recipe.batch_size is None
    if not (every_row and rows[0][0].size <= OWN_ROWS):
        rows = None
    return jax.vmap(one)(carry, inputs.seeds, inputs.numbers, rows)


class OfTask(NamedTuple):
    """Two calls of `look` on equal shapes share a compiled program if these fields are equal.

    Of the recipe only the dtype is among them, so that all recipes of a task share the program.

    Attributes:
        tree, scalar: as in `Structure`, of the task alone.
        dtype: of the recipe.
        host: `hosts.fingerprint` of the task's functions.

    """

    tree: Any
    scalar: tuple[bool, ...]
    dtype: str
    host: str


def of_task(structure: Structure, inputs: Inputs) -> tuple[OfTask, Inputs]:
    """Make the arguments of `look` from those of `advance`: nothing of the recipe but its dtype."""
    tree, _ = structure.tree.children()
    scalar = structure.scalar[: tree.num_leaves]
    numbers = sum(scalar)
    arrays = len(scalar) - numbers
    dtype = str(np.dtype(inputs.numbers.dtype))
    host = hosts.fingerprint(hosts.static_parts(tree))
    first = inputs._replace(numbers=inputs.numbers[:, :numbers], arrays=inputs.arrays[:arrays])
    return OfTask(tree, scalar, dtype, host), first


def look(structure: OfTask, inputs: Inputs) -> tuple[Data, Points, Array]:
    """What `run` checks before it trains, and describes in a result.

    Returns:
        The first lane's data; the test points of every lane, with an axis of lanes first; and
        whether all data of each lane are finite, (lanes,).

    """
    recipe = Recipe(dtype=structure.dtype)

    def one(seeds, numbers):
        task = joined(structure, numbers, inputs.arrays)
        data = prepare_data(keys(inputs.root, seeds), task, recipe)
        finite = jnp.stack([jnp.isfinite(values).all() for values in jax.tree.leaves(data)]).all()
        return data, Points(*map(jnp.asarray, task.points())), finite

    def rest(seeds, numbers):
        _, points, finite = one(seeds, numbers)
        return points, finite

    return one(inputs.seeds[0], inputs.numbers[0])[0], *jax.vmap(rest)(inputs.seeds, inputs.numbers)
