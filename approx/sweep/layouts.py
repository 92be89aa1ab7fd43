"""The three forms of a block's program: which tasks and recipes can take them, and which are fast.

In the form "lanes" the networks are the last axis of every array, as they are in the lanes of a
processor's vector unit. `vmap` turns each product of two small matrices into a kernel and two
transposing copies. In "lanes" every formula works on all networks at once, and takes the rows one
by one, so that everything between a row's inputs and its share of the gradient stays in registers.
In the form "columns" the rows of one network are the last axis. `numerics/products.py` holds the
formulas of both; this file says when they are used, and with which compiler options.
"""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp

from approx import models
from approx.models import scalings
from approx.sweep.facts import Facts
from approx.tasks import losses
from approx.training.recipes import Recipe, rule
from approx.training.rules import GRADIENT, SQUARES

# Multiply-and-add along a last axis wants the widest vectors, and is 2 to 5 times slower with XLA's
# newest fusions. For columns these fusions' products and sums are the best there is, and the other
# fusions cost a sixth of the time (P4).
OPTIONS: dict[str, dict[str, Any]] = {
    "lanes": {"xla_cpu_prefer_vector_width": 512, "xla_cpu_experimental_ynn_fusion_type": ""},
    "columns": {
        "xla_cpu_prefer_vector_width": 512,
        "xla_cpu_experimental_ynn_fusion_type": ",".join(
            ("LIBRARY_FUSION_TYPE_DOT", "LIBRARY_FUSION_TYPE_REDUCE")
        ),
    },
    "vmap": {},
}
WIDEST = 32  # units of the widest layer for which lanes are faster, see `suits`
LARGEST = 500  # weights of the largest layer, see `suits` and `columns_suit`
LARGEST_MATRIX = 32  # parameters for which lanes are faster with Levenberg-Marquardt, see `suits`


def possible(facts: Facts) -> bool:
    """Whether the form "lanes" can be taken: every formula accepts a further axis of networks.

    The formulas of approx do, and JAX vectorises a user's own activation, loss and accuracy over
    that axis. A user's own model takes the form "vmap".
    """
    task, recipe = facts.task, facts.recipe
    own_arrays = any(jnp.ndim(leaf) for leaf in jax.tree.leaves(task))
    fresh_from_arrays = recipe.batches == "stream" and own_arrays
    own_model = type(scalings.core(recipe.model)) not in models.IN_LANES
    if isinstance(task.loss, losses.OfNetwork) and (facts.obstacle or needs_whole_batch(facts)):
        return False
    return facts.plain and not own_model and not fresh_from_arrays


def needs_whole_batch(facts: Facts) -> bool:
    """Whether a loss that sees the network is asked for more than sums over rows.

    That is so with dropout, with a rule of what is correct, and with Levenberg-Marquardt.
    """
    if not isinstance(facts.task.loss, losses.OfNetwork):
        return False
    model = scalings.core(facts.recipe.model)
    more = facts.task.correct is not None or getattr(model, "dropout", None) is not None
    return more or rule(facts.recipe).wants == SQUARES


def suits(recipe: Recipe, lanes: int, inputs: int) -> bool:
    """Whether lanes are the fastest form on a CPU: small layers, and lanes enough to fill vectors.

    Measured on one core with AVX-512, 32 lanes, ns per seed and step: 1-w-w-1 tanh, w = 16, 536
    against vmap's 1,884; w = 32, 2,754 against 3,127; w = 40, 18,925 against 4,132, as XLA then
    keeps a layer's products in memory. 1-8-o, cross entropy: o = 32, 2,577 against 6,044; o = 40,
    11,001 against 6,056. Of few products, 1-100-1 relu, 1,127 against 2,328, 3-40-3 2,890 against
    5,711; but 64-1, 744 against 355. Likewise the normal equations of Levenberg-Marquardt, 50 rows,
    us per seed and trial: 31 parameters, 2.0 against 3.4; 37, 14 against 7.8.

    Args:
        recipe: whose model is one of `models.IN_LANES`, scaled or not.
        lanes: networks of a block.
        inputs: how many the network has.

    """
    if lanes < 8:
        return False
    model = scalings.core(recipe.model)
    if not isinstance(model, models.MLP):
        return others_suit(recipe, model, inputs)
    sizes = (inputs, *model.widths, model.outputs)
    layers = [*itertools.pairwise(sizes)]
    if recipe.optimizer == "lm":
        parameters = sum(map(math.prod, layers)) + model.bias * sum(sizes[1:])
        return parameters <= LARGEST_MATRIX
    return max(inputs, model.outputs) <= WIDEST and all(map(is_small, layers))


def others_suit(recipe: Recipe, model: Any, inputs: int) -> bool:
    """Whether lanes are the fastest form for another network than an `MLP`.

    Args:
        recipe: how it is trained.
        model: the network, without scalings.
        inputs: how many it has.
    """
    layers = model.products(inputs)
    if recipe.optimizer == "lm":
        return sum(map(math.prod, layers)) <= LARGEST_MATRIX
    return max(inputs, model.outputs) <= WIDEST and all(map(is_small, layers))


def is_small(layer: tuple[int, int]) -> bool:
    """Whether a layer's products stay in registers."""
    few_products = min(layer) <= 3 and math.prod(layer) <= LARGEST
    return max(layer) <= WIDEST or few_products


def columns_possible(facts: Facts) -> bool:
    """Whether the form "columns" can be taken: the formulas accept one network with its rows last.

    That takes all rows in every step, no scaling of the model, no dropout, and no method of second
    order.
    """
    task, recipe = facts.task, facts.recipe
    all_rows = recipe.batch_size is None and recipe.batches != "stream"
    return (
        all_rows
        and type(recipe.model) is models.MLP
        and recipe.model.dropout is None
        and isinstance(task.loss, str)
        and rule(recipe).wants == GRADIENT
        and possible(facts)
    )


def columns_suit(recipe: Recipe, rows: tuple[int, ...]) -> bool:
    """Whether columns are faster than `vmap` on a CPU: some dozens of units and of rows.

    Measured on one core with AVX-512, 4 lanes, us per seed and step: 84-84, 32 rows 7.8 against
    8.5, 80 rows 15.6 against 17.7; 32-32-32-1, 16 rows 5.5 against 5.3, 64 rows 7.8 against 9.7,
    256 rows 22 against 29; 1-100-100-1, 256 rows 119 against 137; 784-64-10, 128 rows 162 against
    186; 64-256-256-8, 64 rows 298 against 228.

    Args:
        recipe: whose model is an `MLP`.
        rows: shape of the training inputs, (n, i).

    """
    count, inputs = rows
    sizes = (inputs, *recipe.model.widths, recipe.model.outputs)
    largest = max(map(math.prod, itertools.pairwise(sizes)))
    enough_rows = 64 <= count <= 2**16 // inputs
    return enough_rows and LARGEST < largest <= 2**15


def number(parameters: int, matrix: bool = False) -> int:
    """Lanes of a block by default, on a CPU.

    A block's parameters, gradients and moments then stay in the caches. Measured on P1, P3 (31 and
    7 parameters, 64 lanes against 32: 46 and 70 ns against 48 and 75), P2 (97 parameters: 1,750 ns
    against 1,250), and with vmap on P4 (7,140 parameters: 4 lanes come within 2% of the best
    number) and P5 (314,000: 2 lanes 3.31 ms, 4 lanes 3.45, 1 lane 4.1).

    Args:
        parameters: of one network.
        matrix: whether each network has a matrix of parameters by parameters. Then the lanes have
            2^15 numbers of such matrices together, but there are 16 lanes at least (7 parameters,
            64 lanes; 31, 32; 49 and 97, 16: all within 10% of the best), as long as 16 lanes have
            no more than 2^25 numbers.

    """
    if matrix:
        most = max(16, 2**15 // parameters**2)
        if most * parameters**2 > 2**25:
            most = max(1, 2**25 // parameters**2)
        return min(64, 2 ** int(math.log2(most)))
    for most_parameters, lanes in ((64, 64), (5_000, 32), (100_000, 4)):
        if parameters <= most_parameters:
            return lanes
    return 2
