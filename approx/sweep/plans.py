"""A sweep laid out and checked: which trainings there are, and what each block of them is given."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from jax import random
from jaxtyping import Array, Key, PyTree

from approx.sweep import blocks, hosts, parameters
from approx.sweep.blocks import Inputs, Structure
from approx.sweep.choice import choose_form, choose_lanes
from approx.sweep.numbers import axis, numbers, qualify, setting
from approx.tasks import Task, shortened
from approx.training import steps
from approx.training.checks import check
from approx.training.inputs import Keys
from approx.training.loop import KEEPABLE, Keep, Trace
from approx.training.recipes import MOST_RECORDS, Recipe, is_number, is_whole, record_steps

# Names of variables, coordinates and dimensions of a result or of a chunk of it, which neither a
# metric nor a swept number can take.
RESERVED = {
    *Trace._fields,
    *(f"{stream}_seed" for stream in Keys._fields),
    "evaluations",
    "stopped",
    "recipe",
    "seed",
    "step",
    "kept_step",
    "point",
    "input",
    "output",
    "x_test",
    "y_test",
    "distance",
    "training",
    "training_numbers",
    "training_streams",
    "training_params",
    "number",
    "stream",
}
MOST_VALUES, MOST_CELLS, MOST_LANES = 10**5, 4 * 10**6, 2**20
MANY_ROWS = 10**7  # of training
# Of the tables of streams and of numbers while they are made
BYTES_PER_ROW, BYTES_PER_CELL = 70, 250


class Plan(NamedTuple):
    """One recipe's trainings, checked: training j has cell j // len(streams) of the grid and row j
    % len(streams).

    The rows of `streams` are every combination of the crossed streams' seeds, and within each all
    of `seeds`.
    """

    task: Task
    recipe: Recipe
    grid: dict[str, np.ndarray]
    cross: dict[str, np.ndarray]
    seeds: np.ndarray
    streams: np.ndarray
    freeze: dict[str, int]
    numbers: np.ndarray
    structure: Structure
    arrays: tuple[Any, ...]
    root: Key[Array, ""]
    lanes: int
    init_params: PyTree

    @property
    def trainings(self) -> int:
        """How many there are."""
        return len(self.numbers) * len(self.streams)

    @property
    def axes(self) -> dict[str, np.ndarray]:
        """The named axes of the trainings: swept numbers, crossed streams, seeds."""
        return (
            self.grid
            | {f"{name}_seed": values for name, values in self.cross.items()}
            | {"seed": self.seeds}
        )


def make_plan(
    task: Task,
    recipe: Recipe,
    *,
    seeds,
    lanes,
    form,
    key,
    freeze,
    cross,
    init_params,
    grid,
    keep: Keep,
) -> Plan:
    """Check one recipe's trainings, and lay them out."""
    if not isinstance(task, Task):
        raise TypeError(
            f"the task is {shortened(task)}; make one with ap.task(f, x, x_test) or take one from ap.tasks"
        )
    if not isinstance(recipe, Recipe):
        raise TypeError(
            f"the recipe is {shortened(recipe)}; make one with ap.Recipe(model=..., optimizer=..., steps=...)"
        )
    check_size(seeds, cross, grid, lanes)
    axes = {name: axis(name, values) for name, values in grid.items()}
    full = [qualify(name, task, recipe) for name in axes]
    check_names(axes, keep)
    if len(set(full)) < len(full):
        raise TypeError(f"the grid names one number twice: {', '.join(axes)}")
    its_task, its_recipe, structure, arrays, numbers = lay_out(
        task, recipe, dict(zip(full, axes.values(), strict=True)), keep
    )
    seeds = check_seeds(seeds)
    with x64(its_recipe):
        check(its_task, its_recipe)
        lanes = choose_lanes(its_task, its_recipe, form) if lanes is None else lanes
        if not (is_whole(lanes) and lanes >= 1):
            raise ValueError(f"lanes is {lanes!r}; it must be a whole number of at least 1")
        check_kept_steps(its_recipe, keep)
        check_block(its_task, its_recipe, int(lanes))
        host = hosts.fingerprint(static_parts(structure.tree), keep.metrics)
        structure = structure._replace(
            form=choose_form(form, its_task, its_recipe, lanes), host=host
        )
        params = check_params(its_task, its_recipe, init_params, seeds, keep)
        # A copy: JAX remembers numpy arrays that some jit closed over, in that jit's precision.
        shared = tuple(jnp.asarray(np.array(array)) for array in arrays)
    root, table = root_key(key), numbers.astype(its_recipe.dtype)
    frozen = check_freeze(freeze)
    crossed = check_cross(cross, frozen, axes)
    if (count := len(seeds) * math.prod(map(len, crossed.values()))) > 10**8:
        raise ValueError(f"cross makes {count:,} combinations with the seeds; at most 10^8 at once")
    streams = stream_seeds(seeds, frozen, crossed)
    return Plan(
        its_task,
        its_recipe,
        axes,
        crossed,
        seeds,
        streams,
        frozen,
        table,
        structure,
        shared,
        root,
        int(lanes),
        params,
    )


def check_names(axes: Mapping[str, Any], keep: Keep) -> None:
    """Refuse names of swept numbers and of metrics that would be one in a result.

    A metric that gives an array has the dimensions NAME_0, NAME_1, ...

    Raises:
        ValueError: naming the name, and what else has it.
    """
    metrics = [name for name, _ in keep.metrics]
    for name in axes:
        if name in RESERVED or re.fullmatch(r"params(\W.*)?", name):
            raise ValueError(
                f"the swept number {name!r} has a name that every result uses for something else: sweep it as "
                f'"task.{name}", "model.{name}" or whatever it is of'
            )
        if name in metrics:
            raise ValueError(
                f"metric {name!r} has the name of a swept number; it needs a name of its own"
            )
    for name in (*metrics, *axes):
        of = re.sub(r"_\d+$", "", name)
        if of != name and of in metrics:
            raise ValueError(
                f"{name!r} would be a dimension of the metric {of!r} too: it needs another name"
            )


def check_size(seeds: Any, cross: Any, grid: Mapping[str, Any], lanes: Any) -> None:
    """Refuse more trainings than can be laid out, before anything of that size is made.

    Raises:
        ValueError: an axis, a grid, a block or a sweep that is too long, with the numbers and a
            remedy.
        MemoryError: a table of trainings that does not fit.
    """
    axes = {name: len(values) for name, values in grid.items() if hasattr(values, "__len__")}
    for name, length in axes.items():
        if length > MOST_VALUES:
            raise ValueError(
                f"{name!r} has {length:,} values; at most {MOST_VALUES:,}: take fewer, or several calls"
            )
    cells = math.prod(axes.values())
    if cells > MOST_CELLS:
        sizes = " x ".join(f"{length:,}" for length in axes.values())
        raise ValueError(
            f"the grid has {sizes} = {cells:,} cells; at most {MOST_CELLS:,}: a coarser grid, or parts"
        )
    if is_whole(lanes) and lanes > MOST_LANES:
        raise ValueError(f"lanes is {lanes:,}; at most {MOST_LANES:,} trainings make a block")
    each = cross.values() if isinstance(cross, Mapping) else ()
    rows = length_of(seeds) * math.prod(map(length_of, each))
    if rows * cells > 10**10:
        raise ValueError(
            f"{rows:,} seeds x {cells:,} cells are {rows * cells:,} trainings; at most 10^10 at once"
        )
    needed, free = BYTES_PER_ROW * rows + BYTES_PER_CELL * cells, psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"the table of {rows:,} seeds and {cells:,} cells alone takes {needed / 1e9:,.1f} GB, and "
            f"{free / 1e9:,.1f} GB are free: several calls, seeds=range(0, 10**6) and so on, into one folder (out=)"
        )


def check_block(task: Task, recipe: Recipe, lanes: int) -> None:
    """Refuse networks, points or batches so large that one block of them does not fit, from their
    shapes.

    Raises:
        MemoryError: with the numbers and a remedy.
    """
    state: Any = jax.eval_shape(lambda: steps.init(random.key(0), task, recipe))
    points = jax.eval_shape(lambda: tuple(task.points()))
    parameters = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    judged = sum(leaf.size for leaf in jax.tree.leaves(points))
    batch = recipe.batch_size if recipe.batches == "stream" else 0
    rows = training_rows(task) if recipe.batches != "stream" else 0
    # One for each row, at least; of fewer the compiled block says exactly
    outputs = rows if rows > MANY_ROWS else 0
    numbers = lanes * (parameters + (batch or 0) + outputs) + judged
    needed, free = numbers * jnp.dtype(recipe.dtype).itemsize, psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{lanes} lanes of {parameters:,} parameters, {rows:,} training rows, batches of {batch or 0:,} fresh rows "
            f"and {judged:,} numbers of test points need {needed / 1e9:,.1f} GB or more, and {free / 1e9:,.1f} GB are "
            "free: narrower layers, fewer rows or points, smaller batches, or lanes=1"
        )


def training_rows(task: Task) -> int:
    """How many rows a seed is trained on."""
    key = random.key(0)
    return jax.eval_shape(lambda: task.split(key, key)[0][0]).shape[0]


def length_of(seeds: Any) -> int:
    """How many seeds are asked for, without making them."""
    if is_whole(seeds):
        return max(int(seeds), 1)
    return len(seeds) if hasattr(seeds, "__len__") else 1


def static_parts(tree: Any) -> list[Any]:
    """The classes of a pytree's nodes and what is static in them: a task and a recipe without
    numbers and arrays.
    """
    inner = [part for child in tree.children() for part in static_parts(child)]
    return [tree.node_data(), *inner]


def lay_out(task: Task, recipe: Recipe, axes: dict[str, np.ndarray], keep: Keep):
    """Task and recipe with the first value of each axis, their structure and arrays, and every
    cell's numbers.

    Each value of each axis is set once, which checks it and shows its column in the table; cells
    only combine columns.
    """
    first = {name: float(values[0]) for name, values in axes.items()}
    its_task, its_recipe = setting(task, recipe, first)
    for leaf in jax.tree.leaves((its_task, its_recipe)):
        if not is_number(leaf):
            raise TypeError(
                f"{type(task).__name__} is not a registered dataclass, or has a {type(leaf).__name__} for a number: "
                "decorate it with @jax.tree_util.register_dataclass and @dataclass(frozen=True, kw_only=True), and "
                "mark structure as field(metadata={'static': True})"
            )
    structure, row, arrays = blocks.flatten(its_task, its_recipe, keep, "vmap")
    table = np.tile(np.asarray(row, np.float64), (*map(len, axes.values()), 1))
    for position, (name, values) in enumerate(axes.items()):
        for index, value in enumerate(values.tolist()):
            other, changed, _ = blocks.flatten(
                *setting(task, recipe, first | {name: value}), keep, "vmap"
            )
            if other != structure:
                raise TypeError(
                    f"{name}={value} changes the program: run a dictionary of recipes instead"
                )
            columns = np.flatnonzero(np.asarray(changed) != row)
            table.swapaxes(0, position)[index][..., columns] = np.asarray(changed)[columns]
    if not np.isfinite(table).all():
        raise ValueError(
            f"a number of task or recipe is not finite: {numbers(its_task, its_recipe)}"
        )
    return its_task, its_recipe, structure, arrays, table.reshape(-1, len(row))


def root_key(key: Any) -> Key[Array, ""]:
    """The root, from a whole number or from a key, new style or old."""
    if is_whole(key):
        if not 0 <= key < 2**32:
            raise ValueError(f"key is {key}; a root lies between 0 and 2^32 - 1")
        return random.key(int(key), impl="threefry2x32")
    if not hasattr(key, "dtype"):
        raise TypeError(f"key is {key!r}; it must be a whole number, or jax.random.key(...)")
    return random.wrap_key_data(
        random.key_data(key) if jnp.issubdtype(key.dtype, jax.dtypes.prng_key) else key
    )


def check_seeds(seeds: Any) -> np.ndarray:
    """Seeds as a vector of distinct whole numbers from 0 to 2^32 - 1."""
    if is_whole(seeds):
        if not 1 <= seeds <= 10**8:
            raise ValueError(f"seeds is {seeds}; it must be between 1 and 10^8 at once")
        return np.arange(seeds)
    array = np.asarray(seeds)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(f"seeds is {seeds!r}; it must be a whole number, or a list of them")
    if array.min() < 0 or array.max() >= 2**32:
        raise ValueError(
            f"seeds must lie between 0 and 2^32 - 1; they go from {array.min()} to {array.max()}"
        )
    unique, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"seed {unique[counts > 1][0]} is repeated: it would count twice")
    return array.astype(np.int64)


def check_freeze(freeze: Sequence[str] | Mapping[str, int]) -> dict[str, int]:
    """The seed that each frozen stream is held at."""
    if isinstance(freeze, str):
        raise TypeError(f"freeze is {freeze!r}; write a tuple of streams: freeze=({freeze!r},)")
    frozen = dict(freeze) if isinstance(freeze, Mapping) else dict.fromkeys(freeze, 0)
    for name, seed in frozen.items():
        if name not in Keys._fields:
            raise ValueError(f"cannot freeze {name!r}; the streams are: {', '.join(Keys._fields)}")
        if not (is_whole(seed) and 0 <= seed < 2**32):
            raise ValueError(
                f"{name!r} is frozen at seed {seed!r}; it must be a whole number from 0 to 2^32 - 1"
            )
    return {name: int(seed) for name, seed in frozen.items()}


def check_cross(
    cross: Mapping[str, Any] | None, frozen: Mapping[str, int], grid
) -> dict[str, np.ndarray]:
    """The seeds that each crossed stream takes."""
    if not isinstance(cross, Mapping | None):
        raise TypeError(
            f"cross is {cross!r}; write streams and their seeds: cross={{'init': 16, 'data': 16}}"
        )
    crossed = {}
    for name, seeds in (cross or {}).items():
        if name not in Keys._fields:
            raise ValueError(f"cannot cross {name!r}; the streams are: {', '.join(Keys._fields)}")
        if name in frozen:
            raise ValueError(f"{name!r} is both frozen and crossed")
        if f"{name}_seed" in grid:
            raise ValueError(
                f"the crossed stream {name!r} needs the name '{name}_seed', which a swept number has"
            )
        crossed[name] = check_seeds(seeds)
    return crossed


def stream_seeds(
    seeds: np.ndarray, frozen: Mapping[str, int], crossed: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The seed of every stream of every training, (crossed seeds x seeds, streams); a frozen
    stream's is the same.
    """
    *outer, inner = np.meshgrid(*crossed.values(), seeds, indexing="ij")
    streams = np.repeat(inner.reshape(-1, 1), len(Keys._fields), 1)
    for name, values in (
        *frozen.items(),
        *zip(crossed, (table.ravel() for table in outer), strict=True),
    ):
        streams[:, Keys._fields.index(name)] = values
    return streams.astype(np.uint32)


def check_keep(
    keep: Sequence[str], keep_at: Sequence[int], metrics: Mapping[str, Callable] | None
) -> Keep:
    """What to keep, checked."""
    if isinstance(keep, str):
        raise TypeError(f"keep is {keep!r}; write a tuple: keep=({keep!r},)")
    for name in keep:
        if name not in KEEPABLE:
            raise ValueError(
                f"cannot keep {name!r}; there is: {', '.join(KEEPABLE)}; or write a function for metrics="
            )
    for name, function in (metrics or {}).items():
        if (
            not isinstance(name, str)
            or name in RESERVED
            or name.startswith("params")
            or not callable(function)
        ):
            raise ValueError(
                f"metric {name!r} must be a function(params, predict) under a name of its own"
            )
        if not storable(name):
            raise ValueError(
                f"metric {name!r} has a name that a file cannot hold: use letters, digits and underscores"
            )
    if not hasattr(keep_at, "__len__") or isinstance(keep_at, str):
        raise TypeError(
            f"keep_at is {shortened(keep_at)}; write a tuple of record steps: keep_at=(0, 100)"
        )
    if len(keep_at) > MOST_RECORDS:
        raise ValueError(
            f"keep_at has {len(keep_at):,} steps; at most {MOST_RECORDS:,}, which is also most records"
        )
    if not all(map(is_whole, keep_at)):
        raise ValueError(f"keep_at is {shortened(keep_at)}; it must be whole numbers")
    return Keep(tuple(sorted(set(keep))), tuple(map(int, keep_at)), tuple((metrics or {}).items()))


def storable(name: str) -> bool:
    """Whether netCDF and HDF5 can hold a variable of this name: printed, without slashes, no blank
    at an end.
    """
    plain = name.isprintable() and "/" not in name and name.strip() == name
    return (
        plain
        and name not in ("", ".", "..")
        and not name.startswith(("_nc4_", "_Netcdf4", "phony_dim_"))
    )


def check_kept_steps(recipe: Recipe, keep: Keep) -> None:
    """Refuse steps to keep that have no record."""
    records = record_steps(recipe).tolist()
    if missing := [step for step in keep.at if step not in records]:
        raise ValueError(
            f"keep_at={missing[0]} is no record step; write records=(..., {missing[0]}, ...) in the recipe"
        )
    if list(keep.at) != sorted(set(keep.at)):
        raise ValueError(f"keep_at must be increasing steps, not {keep.at}")


def check_params(
    task: Task, recipe: Recipe, given: PyTree, seeds: np.ndarray, keep: Keep
) -> PyTree:
    """Parameters to start from with an axis of seeds (or of length 1) first, or None."""
    one: Any = jax.eval_shape(lambda: steps.init(random.key(0), task, recipe).params)
    if "params" in keep.what:
        parameters.skeleton(one)
    if given is None:
        return None
    theirs, ours = str(jax.tree.structure(given)), str(jax.tree.structure(one))
    if theirs != ours:
        raise ValueError(f"init_params do not fit the model: {theirs} for {ours}")
    given = jax.tree.map(lambda p: np.asarray(p, recipe.dtype), given)
    shapes = [
        (g.shape, o.shape)
        for g, o in zip(jax.tree.leaves(given), jax.tree.leaves(one), strict=True)
    ]
    if all(g == o for g, o in shapes):
        return jax.tree.map(lambda p: p[None], given)
    if all(g == (len(seeds), *o) for g, o in shapes):
        return given
    raise ValueError(
        f"init_params have shapes {[g for g, _ in shapes]}; one network's are {[o for _, o in shapes]}, "
        f"with an axis of {len(seeds)} seeds before them if each seed has its own"
    )


def blocks_of(plan: Plan, trainings: np.ndarray) -> list[np.ndarray]:
    """Numbers of trainings dealt into blocks, in order; the last may be short."""
    return [trainings[begin : begin + plan.lanes] for begin in range(0, len(trainings), plan.lanes)]


def inputs(plan: Plan, trainings: np.ndarray) -> Inputs:
    """What a block of these trainings is given; the last one pads it."""
    padded = np.pad(trainings, (0, plan.lanes - len(trainings)), "edge")
    cell, row = np.divmod(padded, len(plan.streams))
    params = jax.tree.map(lambda p: p[row % len(plan.seeds) % len(p)], plan.init_params)
    return Inputs(plan.root, plan.streams[row], plan.numbers[cell], plan.arrays, params)


def cell_inputs(plan: Plan) -> Inputs:
    """Every cell of the grid once, with the first seed; the task's points depend on its numbers
    only.
    """
    swept = {qualify(name, plan.task, plan.recipe): name for name in plan.grid}
    shape = [len(values) for values in plan.grid.values()]
    cells = plan.numbers.reshape(*shape, -1)
    for position, full in enumerate(swept):
        if not full.startswith("task."):
            cells = cells.take([0], position)
    streams = np.repeat(plan.streams[:1], cells[..., 0].size, 0)
    return Inputs(plan.root, streams, cells.reshape(-1, plan.numbers.shape[1]), plan.arrays)


def x64(recipe: Recipe):
    """The context in which JAX has 64-bit numbers exactly if the recipe wants them."""
    return jax.enable_x64(recipe.dtype == "float64")
