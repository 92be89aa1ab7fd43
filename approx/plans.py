"""A sweep laid out and checked: which trainings there are, and what each block of them is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import random
from jaxtyping import Array, Key, PyTree

from approx import blocks, parameters, sweeps, training
from approx import lanes as fast
from approx.blocks import Inputs, Structure
from approx.recipes import Recipe, check, is_whole, record_steps
from approx.tasks import Task
from approx.training import KEEPABLE, Keep, Keys, Trace

LANES_ACCELERATOR = 4096  # not measured yet


class Plan(NamedTuple):
    """One recipe's trainings, checked: training j has cell j // seeds of the grid and seed j % seeds."""

    task: Task
    recipe: Recipe
    grid: dict[str, np.ndarray]
    seeds: np.ndarray
    streams: np.ndarray
    numbers: np.ndarray
    structure: Structure
    arrays: tuple[Any, ...]
    root: Key[Array, ""]
    lanes: int
    init_params: PyTree

    @property
    def trainings(self) -> int:
        """How many there are."""
        return len(self.numbers) * len(self.seeds)


def make_plan(task: Task, recipe: Recipe, *, seeds, lanes, form, key, freeze, init_params, grid, keep: Keep) -> Plan:
    """Check one recipe's trainings, and lay them out."""
    if not isinstance(task, Task):
        raise TypeError(f"the task is {task!r}; make one with ap.task(f, x, x_test) or take one from ap.tasks")
    if not isinstance(recipe, Recipe):
        raise TypeError(f"the recipe is {recipe!r}; make one with ap.Recipe(model=..., optimizer=..., steps=...)")
    axes = {name: sweeps.axis(name, values) for name, values in grid.items()}
    full = [sweeps.qualify(name, task, recipe) for name in axes]
    if len(set(full)) < len(full):
        raise TypeError(f"the grid names one number twice: {', '.join(axes)}")
    cells = np.stack([m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")], -1) if axes else np.zeros((1, 0))
    numbers = []
    for cell in cells:
        its_task, its_recipe = sweeps.setting(task, recipe, dict(zip(full, map(float, cell), strict=True)))
        structure, row, arrays = blocks.flatten(its_task, its_recipe, keep, "vmap")
        numbers.append(row)
    if not np.isfinite(numbers).all():
        raise ValueError(f"a number of task or recipe is not finite: {sweeps.numbers(its_task, its_recipe)}")
    seeds = check_seeds(seeds)
    with x64(its_recipe):
        check(its_task, its_recipe)
        lanes = default_lanes(its_task, its_recipe) if lanes is None else lanes
        if not (is_whole(lanes) and lanes >= 1):
            raise ValueError(f"lanes is {lanes!r}; it must be a whole number of at least 1")
        check_kept_steps(its_recipe, keep)
        structure = structure._replace(form=choose_form(form, its_task, its_recipe, lanes))
        params = check_params(its_task, its_recipe, init_params, seeds, keep)
        shared = tuple(jax.numpy.asarray(array) for array in arrays)
    root = random.key(key, impl="threefry2x32") if is_whole(key) else random.wrap_key_data(key_data(key))
    table = np.asarray(numbers, its_recipe.dtype)
    streams = stream_seeds(seeds, freeze)
    return Plan(its_task, its_recipe, axes, seeds, streams, table, structure, shared, root, lanes, params)


def default_lanes(task: Task, recipe: Recipe) -> int:
    """How many trainings make a block: by the model's size on a CPU, enough to fill an accelerator elsewhere."""
    if jax.local_devices()[0].platform != "cpu":
        return LANES_ACCELERATOR
    state: Any = jax.eval_shape(lambda: training.init(random.key(0), task, recipe))
    return fast.number(sum(leaf.size for leaf in jax.tree.leaves(state.params)))


def choose_form(form: str | None, task: Task, recipe: Recipe, lanes: int) -> str:
    """The form asked for if it can be had, or the faster one.

    Raises:
        ValueError: an unknown form, or lanes for what is not the catalogue's.
    """
    if form not in (None, "vmap", "lanes"):
        raise ValueError(f"unknown form {form!r}; there is: vmap, lanes, or None to choose the faster")
    possible = fast.possible(task, recipe)
    if form == "lanes" and not possible:
        raise ValueError('form="lanes" needs a model, activation, loss and accuracy of the catalogue; use form="vmap"')
    if form is not None:
        return form
    inputs = jax.eval_shape(task.points).x.shape[1]
    platform = jax.local_devices()[0].platform
    return "lanes" if possible and fast.suits(task, recipe, lanes, inputs, platform) else "vmap"


def key_data(key: Any) -> Array:
    """The words of a key, new style or old."""
    return random.key_data(key) if jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key) else key


def check_seeds(seeds: Any) -> np.ndarray:
    """Seeds as a vector of distinct whole numbers from 0 to 2^32 - 1."""
    if is_whole(seeds):
        if seeds < 1:
            raise ValueError(f"seeds is {seeds}; it must be at least 1")
        return np.arange(seeds)
    array = np.asarray(seeds)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(f"seeds is {seeds!r}; it must be a whole number, or a list of them")
    if array.min() < 0 or array.max() >= 2**32:
        raise ValueError(f"seeds must lie between 0 and 2^32 - 1; they go from {array.min()} to {array.max()}")
    unique, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise ValueError(f"seed {unique[counts > 1][0]} is repeated: it would count twice")
    return array.astype(np.int64)


def stream_seeds(seeds: np.ndarray, freeze: Sequence[str] | Mapping[str, int]) -> np.ndarray:
    """The seed of every stream of every training, (seeds, streams); a frozen stream's is the same for all."""
    if isinstance(freeze, str):
        raise TypeError(f"freeze is {freeze!r}; write a tuple of streams: freeze=({freeze!r},)")
    frozen = dict(freeze) if isinstance(freeze, Mapping) else dict.fromkeys(freeze, 0)
    streams = np.repeat(seeds[:, None], len(Keys._fields), 1)
    for name, seed in frozen.items():
        if name not in Keys._fields:
            raise ValueError(f"cannot freeze {name!r}; the streams are: {', '.join(Keys._fields)}")
        streams[:, Keys._fields.index(name)] = check_seeds([seed])[0]
    return streams.astype(np.uint32)


def check_keep(keep: Sequence[str], keep_at: Sequence[int], metrics: Mapping[str, Callable] | None) -> Keep:
    """What to keep, checked."""
    if isinstance(keep, str):
        raise TypeError(f"keep is {keep!r}; write a tuple: keep=({keep!r},)")
    for name in keep:
        if name not in KEEPABLE:
            raise ValueError(f"cannot keep {name!r}; there is: {', '.join(KEEPABLE)}; or write a function for metrics=")
    for name, function in (metrics or {}).items():
        if name in Trace._fields or not callable(function):
            raise ValueError(f"metric {name!r} must be a function(params, predict) under a name of its own")
    return Keep(tuple(sorted(set(keep))), tuple(int(step) for step in keep_at), tuple((metrics or {}).items()))


def check_kept_steps(recipe: Recipe, keep: Keep) -> None:
    """Refuse steps to keep that have no record."""
    records = record_steps(recipe).tolist()
    if missing := [step for step in keep.at if step not in records]:
        raise ValueError(
            f"keep_at={missing[0]} is no record step; write records=(..., {missing[0]}, ...) in the recipe"
        )
    if list(keep.at) != sorted(set(keep.at)):
        raise ValueError(f"keep_at must be increasing steps, not {keep.at}")


def check_params(task: Task, recipe: Recipe, given: PyTree, seeds: np.ndarray, keep: Keep) -> PyTree:
    """Parameters to start from with an axis of seeds (or of length 1) first, or None."""
    one: Any = jax.eval_shape(lambda: training.init(random.key(0), task, recipe).params)
    if "params" in keep.what:
        parameters.skeleton(one)
    if given is None:
        return None
    theirs, ours = str(jax.tree.structure(given)), str(jax.tree.structure(one))
    if theirs != ours:
        raise ValueError(f"init_params do not fit the model: {theirs} for {ours}")
    given = jax.tree.map(lambda p: np.asarray(p, recipe.dtype), given)
    shapes = [(g.shape, o.shape) for g, o in zip(jax.tree.leaves(given), jax.tree.leaves(one), strict=True)]
    if all(g == o for g, o in shapes):
        return jax.tree.map(lambda p: p[None], given)
    if all(g == (len(seeds), *o) for g, o in shapes):
        return given
    raise ValueError(
        f"init_params have shapes {[g for g, _ in shapes]}; one network's are {[o for _, o in shapes]}, "
        f"with an axis of {len(seeds)} seeds before them if each seed has its own"
    )


def inputs(plan: Plan, index: int) -> Inputs:
    """What block `index` is given; the last training pads the last block."""
    training_number = np.minimum(np.arange(index * plan.lanes, (index + 1) * plan.lanes), plan.trainings - 1)
    seed = training_number % len(plan.seeds)
    params = jax.tree.map(lambda p: p[seed % len(p)], plan.init_params)
    return Inputs(plan.root, plan.streams[seed], plan.numbers[training_number // len(plan.seeds)], plan.arrays, params)


def cell_inputs(plan: Plan) -> Inputs:
    """Every cell of the grid once, with the first seed; the task's points depend on its numbers only."""
    swept = {sweeps.qualify(name, plan.task, plan.recipe): name for name in plan.grid}
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
