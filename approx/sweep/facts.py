"""What is known of a task and a recipe before anything is computed: shapes, sizes, record steps."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import PyTree

from approx.sweep import hosts, inspection
from approx.tasks import Task
from approx.training import checks
from approx.training.recipes import Recipe, record_steps, rule, settled
from approx.training.rules import Optax


class Facts(NamedTuple):
    """What is known of a task and a recipe from their shapes. Made by `find`, once for each recipe.

    Shapes are `jax.ShapeDtypeStruct`s, which have `shape`, `size` and `dtype`.

    Attributes:
        task, recipe: that these are the facts of. A number that is swept has its first value. The
            recipe's length is in steps.
        inputs: shape of the training inputs, (n, i).
        targets: shape of the training targets, (n, o), or (n,) for labels.
        points: shapes of the test points, a `Points`.
        params: shapes of one network's parameters, in the model's own nesting.
        outputs: how many outputs the model has.
        recorded: the steps after which a record is made, increasing.
        plain: whether the optimiser needs no more than the gradient, its state and the parameters.
        obstacle: why a user's own function is slow in the form "lanes", or "" (see `inspection`).

    """

    task: Task
    recipe: Recipe
    inputs: Any
    targets: Any
    points: Any
    params: PyTree
    outputs: int
    recorded: np.ndarray
    plain: bool
    obstacle: str

    @property
    def rows(self) -> int:
        """How many rows each network is trained on."""
        return self.inputs.shape[0]

    @property
    def rows_in_step(self) -> int:
        """How many of the training rows one step uses."""
        if self.recipe.batch_size is None:
            return self.rows
        return min(self.recipe.batch_size, self.rows)

    @property
    def parameters(self) -> int:
        """How many numbers one network has."""
        return sum(leaf.size for leaf in jax.tree.leaves(self.params))


class Entry(NamedTuple):
    """One recipe of a request, with the task that it learns.

    Attributes:
        label: the recipe's; None if the request has a single recipe, which needs no label.
        facts: of its task and recipe, in which each swept number has its first value.
        swept: the full name of each swept number, such as "task.noise" for "noise".

    """

    label: Any
    facts: Facts
    swept: dict[str, str]

    @property
    def prefix(self) -> str:
        """What stands before everything that is printed about this recipe."""
        return "" if self.label is None else f"{self.label}: "


MOST_KNOWN = 1000  # recipes whose shapes are remembered; then all are forgotten
_known: dict[Any, tuple[checks.Shapes, bool, str]] = {}


def find(task: Task, recipe: Recipe) -> Facts:
    """Find the facts of a task and a recipe, and refuse the two if they do not fit.

    Raises:
        ValueError: as `training.checks.check`.

    """
    with x64(recipe):
        recipe = settled(recipe, task)
        shapes, plain, obstacle = shapes_of(task, recipe)
        return Facts(
            task,
            recipe,
            shapes.inputs,
            shapes.targets,
            shapes.points,
            shapes.params,
            shapes.outputs.shape[1],
            record_steps(recipe),
            plain,
            obstacle,
        )


def shapes_of(task: Task, recipe: Recipe) -> tuple[checks.Shapes, bool, str]:
    """The shapes of a task and a recipe that fit; `Facts.plain` and `Facts.obstacle`.

    They follow from the structure, the shapes of the arrays, and what the user's functions read.
    They are remembered by these. What depends on values is checked every time.
    """
    leaves, tree = jax.tree.flatten((task, recipe))
    host = hosts.fingerprint(hosts.static_parts(tree))
    kinds = tuple((np.shape(leaf), getattr(leaf, "dtype", type(leaf))) for leaf in leaves)
    key = tree, kinds, host
    try:
        known = _known.get(key)
    except TypeError:  # something static has no hash
        return newly_found(task, recipe)
    if known is not None:
        checks.check_values(task, recipe, known[0])
        return known
    if len(_known) >= MOST_KNOWN:
        _known.clear()
    _known[key] = newly_found(task, recipe)
    return _known[key]


def newly_found(task: Task, recipe: Recipe) -> tuple[checks.Shapes, bool, str]:
    """What `shapes_of` gives, if it is not known yet."""
    shapes = checks.check(task, recipe)
    plain = is_plain(recipe, shapes.params)
    return shapes, plain, inspection.obstacle(task, recipe, shapes)


def is_plain(recipe: Recipe, params: PyTree) -> bool:
    """Whether the optimiser needs no more than the gradient, its state and the parameters.

    A line search needs more: it evaluates the loss itself.
    """
    chosen = rule(recipe)
    return not isinstance(chosen, Optax) or chosen.is_plain(params)


def x64(recipe: Recipe):
    """The context in which JAX has 64-bit numbers exactly if the recipe wants them."""
    return jax.enable_x64(recipe.dtype == "float64")
