"""Whether a user's own functions are fast when many networks are the last axis of every array.

JAX can vectorise any function over a last axis, so the numbers are right in any case. Operations
that work number by number, and sums over an axis, keep the last axis last. Others, such as products
of matrices, move it to the front and back, which takes longer than the form "vmap" does.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jax

from approx import models
from approx.models import scalings
from approx.sweep import hosts
from approx.tasks import Task, losses
from approx.training.recipes import Recipe

# JAX's names of the operations that keep the last axis last
QUICK_NAMES = """
    abs acos acosh add add_any and asin asinh atan atan2 atanh broadcast_in_dim cbrt
    ceil clamp convert_element_type copy cos cosh custom_jvp_call custom_vjp_call
    custom_vjp_call_jaxpr div eq erf erf_inv erfc exp exp2 expm1 floor ge gt
    integer_pow is_finite jit le log log1p logistic lt max min mul ne neg nextafter
    not optimization_barrier or pjit pow reduce_and reduce_max reduce_min reduce_or
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
    return ""


def own_functions(
    task: Task, recipe: Recipe, shapes: Any
) -> Iterator[tuple[str, Callable, tuple[Any, ...]]]:
    """The user's own activation, loss and rule of what is correct, with arguments to try."""
    model = scalings.core(recipe.model)
    if isinstance(model, models.MLP):
        hidden = jax.ShapeDtypeStruct((4, 3), shapes.outputs.dtype)
        for activation in dict.fromkeys((*model.activations, model.output_activation)):
            if callable(activation):
                yield "the activation", activation, (hidden,)
    given = shapes.outputs, shapes.targets
    if callable(task.loss) and not isinstance(task.loss, OWN):
        yield "the loss", task.loss, given
    if task.correct not in (None, *losses.RULES):
        yield "what is correct", task.correct, given


def operations(program: Any) -> Iterator[str]:
    """JAX's names of the operations of a program, those of inner programs too."""
    for equation in program.eqns:
        yield equation.primitive.name
        for inner in hosts.inner_programs(equation.params):
            yield from operations(inner)
