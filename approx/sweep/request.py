"""Everything that a call of `run` asks for, made and checked once, and passed on as one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import jax
from jaxtyping import PyTree

from approx.late_imports import xarray as xr
from approx.sweep import checks, facts, limits, numbers, options, slips
from approx.sweep.facts import Entry
from approx.tasks import Task, shortened
from approx.training.loop import KEEP, Keep
from approx.training.recipes import Recipe, is_number


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """Every argument of `run`, under the same name. A new option of `run` is one more field here.

    `checked` puts the options into their plain form, which everybody else is given:
    `dataclasses.replace(request, seeds=...)` asks for other seeds without checking all again.

    Attributes:
        task, recipe: as given; the plain form of both is `entries`.
        seeds: a vector.
        key: the root key's own numbers (`options.check_key`).
        freeze: {stream: seed}. cross: {stream: a vector of seeds}.
        keep, keep_at, metrics: as given; the plain form of the three is `keeping`.
        grid: {name: a vector of values}.
        entries: the recipes.
        labelled: whether the recipes have labels, so that the result has an axis `recipe`.
        keeping: what each training keeps.
        unfolded: {name: values} of the axes that the recipes are laid out on, the last one fastest;
            {} leaves them on one axis `recipe`.

    """

    task: Any
    recipe: Any
    seeds: Any = 64
    lanes: int | None = None
    form: str | None = None
    key: Any = 0
    freeze: Any = ()
    cross: Any = None
    keep: Sequence[str] = ("prediction",)
    keep_at: Sequence[int] = ()
    metrics: Mapping[str, Callable] | None = None
    init_params: PyTree = None
    threads: int | None = None
    segment: int | None = None
    compiler_options: Mapping[str, Any] | None = None
    until: Callable[[xr.Dataset], bool] | None = None
    progress: bool = True
    out: str | Path | None = None
    executor: Executor | str | None = None
    accept: bool = False
    grid: Mapping[str, Any] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    labelled: bool = False
    keeping: Keep = KEEP
    unfolded: Mapping[str, Any] = field(default_factory=dict)


# Names of the options of `run`: the fields above but the task, the recipe and those that are made
OPTIONS = [each.name for each in fields(Request)][2:-5]


def checked(request: Request) -> Request:
    """The same request in its plain form, if it can be met; nothing is computed for this.

    Raises:
        TypeError, ValueError: an option that cannot be, recipes that do not fit their task, or that
            cannot share one result; with the value and the remedy.
        MemoryError: more trainings than a table of them could hold.

    """
    options.check_until(request.until)
    if request.executor is not None and request.out is None:
        raise ValueError("an executor computes chunks into a folder: say out=")
    for name in ("lanes", "segment", "threads"):
        options.check_count(name, getattr(request, name))
    labelled = isinstance(request.recipe, Mapping)
    recipes = named_recipes(request.task, request.recipe)
    limits.check_size(request.seeds, request.cross, request.grid, request.lanes)
    keeping = options.check_keep(request.keep, request.keep_at, request.metrics)
    entries = tuple(make_entry(*each, request.grid) for each in recipes)
    grid = {name: numbers.axis(name, values) for name, values in request.grid.items()}
    options.check_names([*grid, *own_axes(request)], keeping)
    for entry in entries:
        options.check_kept_steps(keeping, entry.facts.recorded)
        options.check_output_losses(keeping, entry.facts.task)
    checks.check_alike(entries, keeping)
    frozen = options.check_freeze(request.freeze)
    return replace(
        request,
        seeds=options.check_seeds(request.seeds),
        key=options.check_key(request.key),
        freeze=frozen,
        cross=options.check_cross(request.cross, frozen, grid),
        grid=grid,
        entries=entries,
        labelled=labelled,
        keeping=keeping,
    )


def own_axes(request: Request) -> list[str]:
    """Names of the axes that the recipes are laid out on, besides `recipe`."""
    return [name for name in request.unfolded if name != "recipe"]


def named_recipes(task: Any, recipe: Any) -> list[tuple[Any, Task, Recipe]]:
    """A label, a task and a recipe for each recipe that is asked for.

    Raises:
        TypeError, ValueError: what is no task, no recipe, or no label.

    """
    if not isinstance(recipe, Mapping):
        check_nouns(task, recipe)
        return [(None, task, recipe)]
    found = []
    for label, given in zip(options.check_labels(recipe), recipe.values(), strict=True):
        its_task, its_recipe = given if isinstance(given, tuple) else (task, given)
        check_nouns(its_task, its_recipe)
        found.append((label, its_task, its_recipe))
    return found


def check_nouns(task: Any, recipe: Any) -> None:
    """Refuse what is no task or no recipe."""
    if not isinstance(task, Task):
        raise TypeError(
            f"the task is {shortened(task)}; make one with ap.data(x, y) of rows that you have, "
            "or with ap.task(f, x, x_test) of a function, or take one from ap.tasks"
        )
    if not isinstance(recipe, Recipe):
        raise TypeError(
            f"the recipe is {shortened(recipe)}; "
            "make one with ap.Recipe(model=..., optimizer=..., steps=...)"
        )


def make_entry(label: Any, task: Task, recipe: Recipe, grid: Mapping[str, Any]) -> Entry:
    """A recipe and its task with the first value of every swept number, checked, and their facts.

    Raises:
        TypeError: a name that cannot be swept, or one number under two names; a task that JAX does
            not know.
        ValueError: a task and a recipe that do not fit.

    """
    check_slips(task, recipe, grid)
    swept = {name: numbers.qualify(name, task, recipe) for name in grid}
    if len(set(swept.values())) < len(swept):
        raise TypeError(f"the grid names one number twice: {', '.join(swept)}")
    first = {}
    for name, values in grid.items():
        axis = numbers.axis(name, values)
        first[swept[name]] = float(axis[0])
    its_task, its_recipe = numbers.setting(task, recipe, first)
    check_leaves(jax.tree.leaves((its_task, its_recipe)), type(task).__name__)
    return Entry(label, facts.find(its_task, its_recipe), swept)


def check_slips(task: Task, recipe: Recipe, grid: Mapping[str, Any]) -> None:
    """Refuse an argument that is neither an option nor a number, with what was probably meant."""
    known = numbers.numbers(task, recipe)
    for name, value in grid.items():
        if not numbers.meanings(name, known):
            sweepable = numbers.shortest_names(known)
            raise TypeError(slips.advice(name, value, task, recipe, OPTIONS, sweepable))


def check_leaves(leaves: Iterable[Any], name: str) -> None:
    """Refuse a task whose leaves, as JAX sees them, are not numbers and arrays.

    Raises:
        TypeError: saying how to make a task that JAX knows.

    """
    for leaf in leaves:
        if not is_number(leaf):
            raise TypeError(
                f"{name} is not a registered dataclass, or has a {type(leaf).__name__} for a "
                "number: decorate it with @jax.tree_util.register_dataclass and "
                "@dataclass(frozen=True, kw_only=True), and mark structure as "
                "field(metadata={'static': True})"
            )
