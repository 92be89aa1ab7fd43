"""Whether a task and a recipe fit, found from shapes alone, before anything is computed."""

import warnings
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import psutil
from jax import random
from jax.interpreters import partial_eval
from jaxtyping import PyTree

from approx import models
from approx.models import scalings
from approx.tasks import Given, Points, Task, losses
from approx.training import stopping
from approx.training.network_checks import check_network_loss
from approx.training.network_losses import residual_count
from approx.training.recipes import Recipe, rule, settled
from approx.training.rules import GRADIENT, SQUARES


class Shapes(NamedTuple):
    """The shapes and types that `check` found, as `jax.eval_shape` gives them.

    Attributes:
        inputs: of the training rows, (n, i).
        targets: of the training rows, (n, o), or (n,) for labels.
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

    Args:
        task: what to learn.
        recipe: how to learn it.

    Returns:
        The shapes that the check was made from.

    Raises:
        ValueError: naming the shapes and the remedy.
        MemoryError: matrices of a method of second order that do not fit into memory.

    """
    check_dtype(task, recipe)
    recipe = settled(recipe, task)
    key = random.key(0)
    x, y = jax.eval_shape(lambda: task.split(key, key)[0])
    points: Any = jax.eval_shape(lambda: Points(*task.points()))
    check_data(x, y, points, task)
    check_batch(task, recipe, x)
    model_init, apply = models.functions(recipe.model)
    params = jax.eval_shape(model_init, key, x)
    outputs = jax.eval_shape(apply, params, x)
    if isinstance(task.loss, losses.OfNetwork):
        check_network_loss(task, recipe, Shapes(x, y, points, params, outputs))
    elif task.loss == "cross_entropy":
        check_logits(task, outputs, x, y)
    elif outputs.ndim != 2 or outputs.shape[0] != x.shape[0] or outputs.shape != y.shape:
        raise wrong_outputs(outputs, y.shape)
    warn_of_widths(recipe.model, x.shape[1], outputs.shape[1])
    if not isinstance(task.loss, losses.OfNetwork):
        check_rowwise(task, outputs, y)
    stopping.check(task, recipe, outputs, y)
    if scalings.mixes_rows(recipe.model, params):
        check_averages(recipe, x)
    in_order = isinstance(params, list | tuple)
    if recipe.penalised and recipe.l2_on == "hidden" and not in_order:
        kind = type(params).__name__
        raise ValueError(
            'l2_on="hidden" needs parameters in the order of the layers, a list; this model has a '
            f"{kind}"
        )
    shapes = Shapes(x, y, points, params, outputs)
    check_values(task, recipe, shapes)
    jax.eval_shape(rule(recipe).init, params)
    return shapes


def check_values(task: Task, recipe: Recipe, shapes: Shapes) -> None:
    """Refuse what depends on more than shapes: on the data's values, or on the memory there is.

    Raises:
        ValueError, MemoryError: with the remedy.
    """
    check_dtype(task, recipe)
    if rule(recipe).wants != GRADIENT:
        check_method(task, recipe, shapes.params, shapes.inputs, shapes.targets)


def check_dtype(task: Task, recipe: Recipe) -> None:
    """Refuse float64 where JAX does not have it, and data that the dtype cannot hold.

    Raises:
        ValueError: with the remedy.
    """
    if recipe.dtype == "float64" and not jax.config.jax_enable_x64:
        raise ValueError(
            'dtype="float64" needs `with jax.enable_x64(True):` around the call '
            "(run does it by itself)"
        )
    if isinstance(task, Given):
        task.check_precision(recipe.dtype)


def check_data(x: Any, y: Any, points: Any, task: Task) -> None:
    """Refuse training rows and test points whose shapes do not fit.

    Raises:
        ValueError: with the shapes.
    """
    x_test, y_test, distance = points
    if x.ndim != 2 or x.shape[1:] != x_test.shape[1:]:
        raise ValueError(
            "the task's inputs are (n, i) and its test points (k, i); they are "
            f"{x.shape} and {x_test.shape}"
        )
    rows_fit = y.shape[:1] == x.shape[:1] and y_test.shape[:1] == x_test.shape[:1]
    if not rows_fit or distance.shape != x_test.shape[:1]:
        raise ValueError(
            f"rows do not fit: inputs {x.shape} and targets {y.shape}; test points "
            f"{x_test.shape}, their targets {y_test.shape} and distances {distance.shape}"
        )
    if y.shape[1:] != y_test.shape[1:] and not isinstance(task.loss, losses.OfNetwork):
        raise ValueError(
            f"training targets {y.shape} and those of the test points {y_test.shape} differ in "
            "their columns"
        )


def check_batch(task: Task, recipe: Recipe, x: Any) -> None:
    """Refuse batches of more rows than there are, and a stream from a task that has none.

    Raises:
        ValueError: with the number of rows.
    """
    if recipe.batches == "stream":
        key = random.key(0)
        jax.eval_shape(lambda: task.fresh(key, key, recipe.batch_size or 1))
    elif recipe.batch_size is not None and recipe.batch_size > x.shape[0]:
        raise ValueError(
            f"batch_size={recipe.batch_size} is more than the {x.shape[0]} training rows; "
            "None is all of them"
        )


def warn_of_widths(model: Any, inputs: int, outputs: int) -> None:
    """Warn where the widths look as if they counted the inputs and the outputs too."""
    core = scalings.core(model)
    widths: tuple[int, ...] = getattr(core, "widths", ())
    if len(widths) < 3 or (widths[0], widths[-1]) != (inputs, outputs):
        return
    layers = "-".join(map(str, (inputs, *widths, outputs)))
    meant = "-".join(map(str, widths))
    warnings.warn(
        f"widths={widths} are hidden widths only, so that this network is {layers}; for {meant} "
        f"say widths={widths[1:-1]}",
        stacklevel=3,
    )


def check_averages(recipe: Recipe, x: Any) -> None:
    """Refuse what batch normalisation cannot take: some partial batches, rules without batches.

    A partial batch is padded to the full size. A module of flax cannot be told which rows are
    padding, and a single row has no variance.

    Raises:
        ValueError: with the rows and the batch size.
    """
    size = recipe.batch_size
    partial = 0
    if recipe.batches in ("epoch", "once", "order") and size and not recipe.drop_last:
        partial = x.shape[0] % size
    core = scalings.core(recipe.model)
    if partial and not models.takes_weights(core):
        raise ValueError(
            f"the batch normalisation of a module needs batches of one size: batch_size={size} "
            f"leaves a partial batch of the {x.shape[0]} rows; take a divisor, drop_last=True, or "
            "an ap.models.Chain"
        )
    unbiased = any(getattr(layer, "unbiased", False) for layer in getattr(core, "layers", ()))
    if partial == 1 and unbiased:
        raise ValueError(
            f"batch_size={size} leaves a last batch of one of the {x.shape[0]} rows, which has no "
            "variance: PyTorch refuses it too; take another batch_size, or drop_last=True"
        )
    if rule(recipe).wants != GRADIENT:
        raise ValueError(
            f"{recipe.optimizer!r} cannot train a network with batch normalisation, whose loss "
            "depends on the batch; take an optimiser of first order"
        )


def check_logits(task: Task, outputs: Any, x: Any, y: Any) -> None:
    """Refuse outputs and labels that cross-entropy cannot take.

    Raises:
        ValueError: with the shapes.
    """
    if outputs.ndim != 2 or outputs.shape[0] != x.shape[0]:
        raise wrong_outputs(outputs, f"({x.shape[0]}, classes)")
    if task.classes not in (None, outputs.shape[1]):
        raise ValueError(
            f"the model has {outputs.shape[1]} outputs, the task {task.classes} classes; "
            "see MLP(outputs=...)"
        )
    if y.ndim != 1 or not jnp.issubdtype(y.dtype, jnp.integer):
        raise ValueError(
            f"cross_entropy takes integer labels (n,); the task's targets are {y.dtype}{y.shape}"
        )


def wrong_outputs(outputs: Any, wanted: Any) -> ValueError:
    """The error of a model whose outputs have another shape than the task's targets."""
    return ValueError(
        f"the model's outputs have shape {outputs.shape}, the task's targets {wanted}; "
        "see MLP(outputs=...)"
    )


def check_rowwise(task: Task, outputs: Any, y: Any) -> None:
    """Refuse a loss, or a function `correct`, that does not give one value for each row.

    Raises:
        ValueError: with the shape that it gives.
    """
    rows = outputs.shape[:1]
    of_rows = jax.eval_shape(losses.find(task.loss), outputs, y)
    if of_rows.shape != rows:
        raise ValueError(
            f"a loss gives one value per row, shape {rows}; {task.loss!r} gives {of_rows.shape}"
        )
    if task.correct is None:
        return
    right = jax.eval_shape(task.correct, outputs, y)
    if right.shape != rows:
        raise ValueError(
            f"correct gives one value per row, shape {rows}; the task's gives {right.shape}"
        )


# ---- methods of second order ---------------------------------------------------------------------


def check_method(task: Task, recipe: Recipe, params: PyTree, x: Any, y: Any) -> None:
    """Refuse a task or a model that a method of second order cannot take.

    Raises:
        ValueError: no sum of squares for "lm"; a model that draws random numbers in training.
        MemoryError: matrices of one network that do not fit, naming the bytes.
    """
    name = recipe.optimizer
    if rule(recipe).wants == SQUARES:
        check_squares(task, name)
    if is_random(recipe, params, x):
        raise ValueError(
            f"{name!r} needs the same loss at every step, and dropout changes it: "
            "give the model dropout=None"
        )
    residuals = y.size
    if isinstance(task.loss, losses.OfNetwork):
        residuals = residual_count(task, recipe, params, (x, y))
    check_memory(recipe, sum(leaf.size for leaf in jax.tree.leaves(params)), residuals)


def check_squares(task: Task, optimizer: Any) -> None:
    """Refuse a loss that is no sum of squares.

    Raises:
        ValueError: with the losses that are.
    """
    if isinstance(task.loss, losses.OfNetwork):
        if task.loss.squared:
            return
        raise ValueError(
            f"{optimizer!r} needs residuals, whose squares are the loss: give them as "
            'ap.losses.of_network(residuals=...), or take optimizer="bfgs" or "lbfgs"'
        )
    if not (isinstance(task.loss, str) and task.loss in losses.RESIDUALS):
        raise ValueError(
            f"{optimizer!r} needs a sum of squares ({', '.join(losses.RESIDUALS)}), and the task's "
            f"loss is {task.loss!r}: give the task one of these, or take "
            'optimizer="bfgs" or "lbfgs"'
        )


def is_random(recipe: Recipe, params: PyTree, x: Any) -> bool:
    """Whether the outputs of the recipe's model in training depend on the key."""
    apply = models.functions(recipe.model)[1]

    def outputs(key, params, x):
        return apply(params, x, key=key)

    program = jax.make_jaxpr(outputs)(random.key(0), params, x).jaxpr
    used = partial_eval.dce_jaxpr(program, [True] * len(program.outvars))[1]
    return used[0]


def check_memory(recipe: Recipe, p: int, m: int) -> None:
    """Refuse a method of second order whose matrices of p parameters, m residuals do not fit.

    Raises:
        MemoryError: with the bytes of one network, and those that are free.
    """
    name, kept = recipe.optimizer, f"matrix of {p:,} by {p:,} parameters"
    if name == "lm":
        order = p if recipe.l2 is not None else min(m, p)
        numbers = m * p + 3 * order**2
        kept = f"Jacobian of {m:,} residuals by {p:,} parameters"
    elif name == "bfgs":
        numbers = 3 * p**2
    else:
        numbers = 2 * recipe.options.get("memory_size", 10) * p
    needed = numbers * jnp.dtype(recipe.dtype).itemsize
    free = psutil.virtual_memory().available
    if needed > free:
        raise MemoryError(
            f"{name!r} keeps a {kept}: {needed / 1e9:,.1f} GB a network, and {free / 1e9:,.1f} GB "
            'are free; optimizer="lbfgs" keeps a few vectors instead'
        )
