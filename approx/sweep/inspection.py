"""Whether a user's own functions are fast when many networks are the last axis of every array.

JAX can vectorise any function over a last axis, so the numbers are right in any case. Operations
that work number by number, and sums over an axis, keep the last axis last. Others, such as products
of matrices, move it to the front and back, which takes longer than the form "vmap" does.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core

from approx import models
from approx.models import scalings
from approx.numerics import lanes
from approx.sweep import hosts
from approx.tasks import Task, losses
from approx.training import network_checks, network_losses
from approx.training.recipes import Recipe

# JAX's names of the operations that keep the last axis last
QUICK_NAMES = """
    abs acos acosh add add_any and asin asinh atan atan2 atanh broadcast_in_dim cbrt
    ceil clamp convert_element_type copy cos cosh custom_jvp_call custom_vjp_call
    div eq erf erf_inv erfc eval_jaxpr exp exp2 expm1 floor ge gt integer_pow
    is_finite jit le log log1p logistic lt max min mul ne neg nextafter not
    optimization_barrier or pow reduce_and reduce_max reduce_min reduce_or
    reduce_prod reduce_sum rem round rsqrt select_n sign sin sinh slice sqrt square
    squeeze stop_gradient sub tan tanh xor
"""
QUICK = frozenset(QUICK_NAMES.split())
OWN = losses.ScaledError | losses.Numbered  # losses of approx that are no names


def obstacle(task: Task, recipe: Recipe, shapes: Any) -> str:
    """Which of the user's functions does not suit lanes and why, in words; "" if all suit them.

    Args:
        task: what to learn.
        recipe: how to learn it.
        shapes: that `training.checks.check` found.
    """
    for what, function, arguments in own_functions(task, recipe, shapes):
        program = jax.make_jaxpr(function)(*arguments).jaxpr
        slow = sorted(set(operations(program)) - QUICK)
        if slow:
            return f"{what} uses {', '.join(slow)}"
    if isinstance(task.loss, losses.OfNetwork) and is_known(recipe):
        return obstacle_of_network(task, recipe, shapes)
    return ""


def is_known(recipe: Recipe) -> bool:
    """Whether the model is one of those that can take the form "lanes", scaled or not."""
    return type(scalings.core(recipe.model)) in models.IN_LANES


def obstacle_of_network(task: Task, recipe: Recipe, shapes: Any) -> str:
    """Why a loss that sees the network cannot be computed row by row in lanes, in words; or "".

    Args:
        task: whose loss it is.
        recipe: says which model.
        shapes: that `training.checks.check` found.
    """
    count = shapes.inputs.shape[0]
    try:
        program, found = terms_of_rows(task, recipe, shapes, count)
        more, _ = terms_of_rows(task, recipe, shapes, count + 1)
        _, of_one = terms_of_rows(task, recipe, shapes, 1)
    except (TypeError, ValueError):  # as JAX says where shapes do not fit
        return "the loss is written for its number of rows"
    if any(values.shape != (count,) for values in found):
        return "the loss has no value for each row"
    alone = all(values.shape == (1,) for values in of_one)
    if not alone or constants(program) != constants(more):
        return "the loss is written for its number of rows"
    others = len(program.jaxpr.invars) - 2
    mixed = lanes.mixed_rows(program, [lanes.OF_ROWS] * 2 + [lanes.FREE] * others, count)
    if mixed:
        return f"the loss may mix rows by {mixed}"
    slow = sorted(set(operations(program.jaxpr)) - QUICK - lanes.QUICK)
    return f"the loss uses {', '.join(slow)}" if slow else ""


def terms_of_rows(task: Task, recipe: Recipe, shapes: Any, count: int) -> tuple[Any, list[Any]]:
    """The program of those terms of a loss that depend on the rows, and the terms' shapes.

    Args:
        task: whose loss sees the network.
        recipe: says which model.
        shapes: that `training.checks.check` found.
        count: how many rows the loss is shown.
    """
    loss: Any = task.loss
    params, (x, y, _) = network_checks.shown(task, recipe, shapes, count)
    of_rows = network_losses.dependent(task, recipe, params, (x, y, None))
    numbers = {name: jax.ShapeDtypeStruct((), recipe.dtype) for name in task.numbers}

    def terms(x: Any, y: Any, params: Any, numbers: Any) -> Any:
        found = network_losses.terms(params, (x, y, None), numbers, loss, recipe)
        return [values for name, values in found.items() if of_rows[name]]

    return jax.make_jaxpr(terms, return_shape=True)(x, y, params, numbers)


def constants(program: Any) -> list[Any]:
    """The arrays of a closed program, and the single numbers that stand in it, in order."""
    return [np.asarray(value).tobytes() for value in program.consts] + literals(program.jaxpr)


def literals(program: Any) -> list[Any]:
    """The single numbers that stand in a program and the programs inside it, in order."""
    found: list[Any] = []
    for equation in program.eqns:
        for name in equation.invars:
            if isinstance(name, core.Literal):
                found.append(repr(name.val))
        for inner in hosts.inner_programs(equation.params):
            found += literals(inner)
    return found


def own_functions(
    task: Task, recipe: Recipe, shapes: Any
) -> Iterator[tuple[str, Callable, tuple[Any, ...]]]:
    """The user's own activation, loss and rule of what is correct, with arguments to try."""
    model = scalings.core(recipe.model)
    chosen: tuple = ()
    if isinstance(model, models.MLP):
        chosen = (*model.activations, model.output_activation)
    elif type(model) in models.IN_LANES:
        chosen = model.functions
    hidden = jax.ShapeDtypeStruct((4, 3), shapes.outputs.dtype)
    for activation in dict.fromkeys(chosen):
        if callable(activation):
            yield "the activation", activation, (hidden,)
    given = shapes.outputs, shapes.targets
    if callable(task.loss) and not isinstance(task.loss, OWN | losses.OfNetwork):
        yield "the loss", task.loss, given
    if task.correct not in (None, *losses.RULES):
        yield "what is correct", task.correct, given


def operations(program: Any) -> Iterator[str]:
    """JAX's names of the operations of a program, those of inner programs too."""
    for equation in program.eqns:
        yield equation.primitive.name
        for inner in hosts.inner_programs(equation.params):
            yield from operations(inner)
