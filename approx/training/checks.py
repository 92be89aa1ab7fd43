"""Whether a task and a recipe fit, found from shapes alone, before anything is computed."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import psutil
from jax import random
from jax.interpreters import partial_eval
from jaxtyping import PyTree

from approx import models
from approx.tasks import Given, Points, Task, losses
from approx.training import optimizers
from approx.training.recipes import Recipe, optimizer


class Shapes(NamedTuple):
    """The shapes and types that `check` found, as `jax.eval_shape` gives them.

    Attributes:
        inputs, targets: of the training rows, (n, i) and (n, o), or (n,) for labels.
        points: of the test points.
        params: of the parameters, in the model's own nesting.
        outputs: of the model, (n, o).

    """

    inputs: Any
    targets: Any
    points: Points
    params: PyTree
    outputs: Any


def check(task: Task, recipe: Recipe) -> Shapes:
    """Refuse a task and a recipe that do not fit, from shapes alone, before anything is computed.

    Returns:
        The shapes that the check was made from.

    Raises:
        ValueError: naming the shapes and the remedy.

    """
    if recipe.dtype == "float64" and not jax.config.jax_enable_x64:
        raise ValueError(
            'dtype="float64" needs `with jax.enable_x64(True):` around the call (run does it by itself)'
        )
    if isinstance(task, Given):
        task.check_precision(recipe.dtype)
    key = random.key(0)
    x, y = jax.eval_shape(lambda: task.split(key, key)[0])
    points = jax.eval_shape(lambda: Points(*task.points()))
    x_test, y_test, distance = points
    if x.ndim != 2 or x.shape[1:] != x_test.shape[1:]:
        raise ValueError(
            f"the task's inputs are (n, i) and its test points (k, i); they are {x.shape} and {x_test.shape}"
        )
    if (
        y.shape[:1] != x.shape[:1]
        or y_test.shape[:1] != x_test.shape[:1]
        or distance.shape != x_test.shape[:1]
    ):
        raise ValueError(
            f"rows do not fit: inputs {x.shape} and targets {y.shape}; "
            f"test points {x_test.shape}, their targets {y_test.shape} and distances {distance.shape}"
        )
    if y.shape[1:] != y_test.shape[1:]:
        raise ValueError(
            f"training targets {y.shape} and those of the test points {y_test.shape} differ in their columns"
        )
    if recipe.batches == "stream":
        jax.eval_shape(lambda: task.fresh(key, key, recipe.batch_size or 1))
    elif recipe.batch_size is not None and recipe.batch_size > x.shape[0]:
        raise ValueError(
            f"batch_size={recipe.batch_size} is more than the {x.shape[0]} training rows; None is all of them"
        )
    model_init, apply = models.functions(recipe.model)
    params = jax.eval_shape(model_init, key, x)
    outputs = jax.eval_shape(apply, params, x)
    labels = task.loss == "cross_entropy"
    if (
        outputs.ndim != 2
        or outputs.shape[0] != x.shape[0]
        or (not labels and outputs.shape != y.shape)
    ):
        wanted = f"({x.shape[0]}, classes)" if labels else y.shape
        raise ValueError(
            f"the model's outputs have shape {outputs.shape}, the task's targets {wanted}; see MLP(outputs=...)"
        )
    if labels and task.classes not in (None, outputs.shape[1]):
        raise ValueError(
            f"the model has {outputs.shape[1]} outputs, the task {task.classes} classes; see MLP(outputs=...)"
        )
    if labels and (y.ndim != 1 or not jnp.issubdtype(y.dtype, jnp.integer)):
        raise ValueError(
            f"cross_entropy takes integer labels (n,); the task's targets are {y.dtype}{y.shape}"
        )
    rowwise = jax.eval_shape(losses.find(task.loss), outputs, y)
    if rowwise.shape != x.shape[:1]:
        raise ValueError(
            f"a loss gives one value per row, shape {x.shape[:1]}; {task.loss!r} gives {rowwise.shape}"
        )
    if (
        task.correct is not None
        and (right := jax.eval_shape(task.correct, outputs, y)).shape != x.shape[:1]
    ):
        raise ValueError(
            f"correct gives one value per row, shape {x.shape[:1]}; the task's gives {right.shape}"
        )
    if recipe.l2 is not None and recipe.l2_on == "hidden" and not isinstance(params, list | tuple):
        kind = type(params).__name__
        raise ValueError(
            f'l2_on="hidden" needs parameters in the order of the layers, a list; this model has a {kind}'
        )
    if optimizers.is_method(recipe.optimizer):
        check_method(task, recipe, params, x, y)
    jax.eval_shape(optimizer(recipe).init, params)
    return Shapes(x, y, points, params, outputs)


def check_method(task: Task, recipe: Recipe, params: PyTree, x: Any, y: Any) -> None:
    """Refuse a task or a model that a method of second order cannot take.

    Raises:
        ValueError: no sum of squares for "lm"; a model that draws random numbers in training.
        MemoryError: matrices of one network that do not fit, naming the bytes.
    """
    name = recipe.optimizer
    if name == "lm" and not (isinstance(task.loss, str) and task.loss in losses.RESIDUALS):
        raise ValueError(
            f'"lm" needs a sum of squares ({", ".join(losses.RESIDUALS)}), and the task\'s loss is {task.loss!r}: '
            'give the task one of these, or take optimizer="bfgs" or "lbfgs"'
        )
    apply = models.functions(recipe.model)[1]
    program = jax.make_jaxpr(lambda key, params, x: apply(params, x, key=key))(
        random.key(0), params, x
    ).jaxpr
    # The outputs depend on the key
    if partial_eval.dce_jaxpr(program, [True] * len(program.outvars))[1][0]:
        raise ValueError(
            f"{name!r} needs the same loss at every step, and dropout changes it: give the model dropout=None"
        )
    p, m = sum(leaf.size for leaf in jax.tree.leaves(params)), y.size
    q = p if recipe.l2 is not None else min(m, p)
    numbers = {"lm": m * p + 3 * q**2, "bfgs": 3 * p**2}.get(
        name, 2 * recipe.options.get("memory_size", 10) * p
    )
    needed = numbers * jnp.dtype(recipe.dtype).itemsize
    if needed > (free := psutil.virtual_memory().available):
        what = (
            f"Jacobian of {m:,} residuals by {p:,} parameters"
            if name == "lm"
            else f"matrix of {p:,} by {p:,} parameters"
        )
        raise MemoryError(
            f"{name!r} keeps a {what} {p:,} parameters: {needed / 1e9:,.1f} GB a network, and {free / 1e9:,.1f} GB are "
            'free; optimizer="lbfgs" keeps a few vectors instead'
        )
