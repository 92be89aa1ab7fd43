"""A sweep laid out: which trainings there are, and what each block of them is given."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key, PyTree

from approx.sweep import blocks, hosts, limits, options, parameters
from approx.sweep.blocks import Inputs, Structure
from approx.sweep.choice import choose_form, choose_lanes, lanes_of_form
from approx.sweep.facts import Entry, Facts, x64
from approx.sweep.numbers import nested, numbers, setting
from approx.sweep.options import MOST_SEEDS
from approx.sweep.request import Request
from approx.tasks import Task
from approx.training.inputs import Keys
from approx.training.loop import Keep
from approx.training.recipes import Recipe


class Plan(NamedTuple):
    """All trainings of one recipe.

    Training j has cell `j // len(streams)` of the grid and row `j % len(streams)` of the streams.

    Attributes:
        entry: the recipe, its task, and what is known of them.
        grid: {name: values} of the swept numbers.
        cross: {stream: its seeds} of the crossed streams.
        seeds: of the streams that are neither crossed nor frozen.
        streams: (rows, streams), the seed of each stream of randomness. The rows are every
            combination of the crossed streams' seeds, and within each combination all of `seeds`.
        freeze: {stream: its seed} of the frozen streams.
        numbers: (cells, numbers), every number of task and recipe in every cell of the grid.
        structure: what the block's program is compiled for.
        arrays: the task's arrays.
        root: the root key.
        lanes: how many trainings make a block.
        init_params: None, or parameters to start from, with an axis of seeds (or of length 1)
            first.

    """

    entry: Entry
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
    def facts(self) -> Facts:
        """What is known of the task and the recipe."""
        return self.entry.facts

    @property
    def task(self) -> Task:
        """The task, with the first value of each swept number."""
        return self.entry.facts.task

    @property
    def recipe(self) -> Recipe:
        """The recipe, with the first value of each swept number."""
        return self.entry.facts.recipe

    @property
    def trainings(self) -> int:
        """How many there are."""
        return len(self.numbers) * len(self.streams)

    @property
    def axes(self) -> dict[str, np.ndarray]:
        """The named axes of the trainings: swept numbers, crossed streams, seeds."""
        crossed = {f"{name}_seed": values for name, values in self.cross.items()}
        return self.grid | crossed | {"seed": self.seeds}


def make_plans(request: Request) -> list[Plan]:
    """Lay out the trainings of every recipe of a checked request."""
    return [make_plan(request, entry) for entry in request.entries]


def make_plan(request: Request, entry: Entry) -> Plan:
    """Lay out the trainings of one recipe of a checked request.

    Raises:
        TypeError, ValueError: a value of an axis that a task or a recipe refuses; a form that they
            cannot take; parameters to start from that do not fit.
        MemoryError: a block that does not fit.

    """
    facts, keep = entry.facts, request.keeping
    count = len(request.seeds) * math.prod(map(len, request.cross.values()))
    if count > MOST_SEEDS:
        raise ValueError(f"cross makes {count:,} combinations with the seeds; at most 10^8 at once")
    structure, arrays, table = lay_out(entry, request.grid, keep)
    with x64(facts.recipe):
        lanes = request.lanes
        if lanes is None:
            lanes = choose_lanes(facts, request.form)
        form = choose_form(request.form, facts, lanes)
        lanes = lanes_of_form(form, int(lanes), request.lanes is not None)
        limits.check_block(facts, lanes)
        limits.warn_of_idle_lanes(lanes, count * len(table))
        structure = structure._replace(
            form=form,
            host=hosts.fingerprint(hosts.static_parts(structure.tree), keep.metrics),
        )
        params = check_params(facts, request.init_params, request.seeds, keep)
        # A copy: JAX remembers numpy arrays that some jit closed over, in that jit's precision.
        shared = tuple(jnp.asarray(np.array(array)) for array in arrays)
    return Plan(
        entry,
        dict(request.grid),
        request.cross,
        request.seeds,
        stream_seeds(request.seeds, request.freeze, request.cross),
        request.freeze,
        table.astype(facts.recipe.dtype),
        structure,
        shared,
        options.root_key(request.key),
        lanes,
        params,
    )


# ---- the table of numbers ------------------------------------------------------------------------


def lay_out(
    entry: Entry, grid: Mapping[str, np.ndarray], keep: Keep
) -> tuple[Structure, tuple[np.ndarray, ...], np.ndarray]:
    """The structure and the arrays of task and recipe, and the numbers of every cell.

    Each axis fills its own columns of the table; the other columns are the same in every cell.

    Returns:
        Structure, arrays, and numbers (cells, numbers) in float64.

    Raises:
        TypeError, ValueError: a value that a task, a model or a recipe refuses, that is not finite,
            or that changes the program.

    """
    facts = entry.facts
    structure, row, arrays = blocks.flatten(facts.task, facts.recipe, keep, "vmap")
    shape = [len(values) for values in grid.values()]
    table = np.tile(np.asarray(row, np.float64), (*shape, 1))
    for position, (name, values) in enumerate(grid.items()):
        cells = table.swapaxes(position, -2)  # a view, in which this axis is the last of the cells
        for column, filling in columns_of(facts, name, entry.swept[name], values):
            cells[..., column] = filling
    if not np.isfinite(table).all():
        known = numbers(facts.task, facts.recipe)
        raise ValueError(f"a number of task or recipe is not finite: {known}")
    return structure, arrays, table.reshape(math.prod(shape), len(row))


def columns_of(
    facts: Facts, name: str, full: str, values: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Which columns of the table of numbers a swept number fills, and with what.

    A value is checked by making the task or the recipe with it. What the classes of approx refuse
    lies outside a range, so that of many values the least and the largest are enough. Another
    class may refuse any value, or compute further numbers from it: then each value is tried.

    Args:
        facts: of the task and the recipe.
        name: of the number, as the user wrote it. full: its full name.
        values: of its axis.

    """
    if len(values) > 2 and has_ranges(facts, full):
        ends = np.array([values.min(), values.max()])
        rows = rows_with(facts, name, full, ends)
        changed = np.flatnonzero(rows[0] != rows[1])
        alone = len(changed) == 1
        if alone and np.array_equal(rows[:, changed[0]], ends):
            yield int(changed[0]), values
            return
    rows = rows_with(facts, name, full, values)
    for column in np.flatnonzero((rows != rows[0]).any(0)):
        yield int(column), rows[:, column]


def has_ranges(facts: Facts, full: str) -> bool:
    """Whether a number belongs to a class of approx, whose checks of a number are ranges."""
    owners: list[Any] = [facts.recipe]
    if full.startswith("task."):
        owners = [facts.task]
    elif full.startswith("model."):
        owners = nested(facts.recipe.model)
    return all(type(owner).__module__.startswith("approx.") for owner in owners)


def rows_with(facts: Facts, name: str, full: str, values: np.ndarray) -> np.ndarray:
    """All numbers of task and recipe with each of these values of one of them: (values, numbers).

    Raises:
        TypeError: a value that changes the program.

    """
    structure, _, _ = blocks.flatten(facts.task, facts.recipe, Keep(), "vmap")
    rows = []
    for value in values.tolist():
        changed = setting(facts.task, facts.recipe, {full: value})
        other, row, _ = blocks.flatten(*changed, Keep(), "vmap")
        if other != structure:
            raise TypeError(
                f"{name}={value} changes the program: run a dictionary of recipes instead"
            )
        rows.append(row)
    return np.array(rows, np.float64)


# ---- seeds and parameters ------------------------------------------------------------------------


def stream_seeds(
    seeds: np.ndarray, frozen: Mapping[str, int], crossed: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The seed of every stream of every training: (crossed seeds x seeds, streams).

    Args:
        seeds: of the streams that are neither frozen nor crossed.
        frozen: {stream: its only seed}.
        crossed: {stream: its seeds}.

    """
    *outer, inner = np.meshgrid(*crossed.values(), seeds, indexing="ij")
    columns: dict[str, Any] = dict(frozen)
    for name, table in zip(crossed, outer, strict=True):
        columns[name] = table.ravel()
    # In one sweep through memory: of 10^8 seeds, a stack of the columns takes ten times as long
    found = np.empty((inner.size, len(Keys._fields)), np.uint32)
    found[:] = inner.reshape(-1, 1)
    for name, values in columns.items():
        found[:, Keys._fields.index(name)] = values
    return found


def check_params(facts: Facts, given: PyTree, seeds: np.ndarray, keep: Keep) -> PyTree:
    """Parameters to start from with an axis of seeds (or of length 1) first, or None.

    Raises:
        ValueError: parameters that are to be kept and cannot be, or that do not fit the model.

    """
    one = facts.params
    if "params" in keep.what:
        parameters.skeleton(one)
    if given is None:
        return None
    theirs, ours = str(jax.tree.structure(given)), str(jax.tree.structure(one))
    if theirs != ours:
        raise ValueError(f"init_params do not fit the model: {theirs} for {ours}")
    given = jax.tree.map(lambda p: np.asarray(p, facts.recipe.dtype), given)
    shapes = [leaf.shape for leaf in jax.tree.leaves(given)]
    wanted = [leaf.shape for leaf in jax.tree.leaves(one)]
    if shapes == wanted:
        return jax.tree.map(lambda p: p[None], given)
    if shapes == [(len(seeds), *shape) for shape in wanted]:
        return given
    raise ValueError(
        f"init_params have shapes {shapes}; one network's are {wanted}, with an axis of "
        f"{len(seeds)} seeds before them if each seed has its own"
    )


# ---- blocks --------------------------------------------------------------------------------------


def blocks_of(plan: Plan, trainings: np.ndarray) -> list[np.ndarray]:
    """Numbers of trainings dealt into blocks, in order; the last may be short."""
    return [trainings[begin : begin + plan.lanes] for begin in range(0, len(trainings), plan.lanes)]


def start_rows(plan: Plan, rows: np.ndarray) -> np.ndarray:
    """Which of the parameters to start from the trainings of some rows of `plan.streams` have."""
    given = jax.tree.leaves(plan.init_params)
    many = len(given[0]) if given else 1
    return rows % len(plan.seeds) % many


def inputs(plan: Plan, trainings: np.ndarray) -> Inputs:
    """What a block of these trainings is given; the last training is repeated to fill the block."""
    missing = plan.lanes - len(trainings)
    padded = np.pad(trainings, (0, missing), "edge")
    cell, row = np.divmod(padded, len(plan.streams))
    start = start_rows(plan, row)
    return Inputs(
        plan.root,
        plan.streams[row],
        plan.numbers[cell],
        plan.arrays,
        jax.tree.map(lambda p: p[start], plan.init_params),
    )


def cell_inputs(plan: Plan) -> Inputs:
    """What decides the test points: the cells of the grid that differ in a number of the task.

    Every such cell is there once, with the seeds of the first training.
    """
    shape = [len(values) for values in plan.grid.values()]
    count = plan.numbers.shape[1]
    cells = plan.numbers.reshape(*shape, count)
    for position, name in enumerate(plan.grid):
        if not plan.entry.swept[name].startswith("task."):
            cells = cells.take([0], position)
    numbers_of_cells = cells.reshape(math.prod(cells.shape[:-1]), count)
    streams = np.repeat(plan.streams[:1], len(numbers_of_cells), 0)
    return Inputs(plan.root, streams, numbers_of_cells, plan.arrays)
