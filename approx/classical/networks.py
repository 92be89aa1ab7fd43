"""What a network could do without training: random features, and its own linearisation."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from approx import models
from approx.classical.problems import CannotFitError, Fitted, Problem
from approx.classical.smoothing import first_least, left_out, solve
from approx.models import scalings
from approx.sweep import hosts

STEEPNESS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # of the random tanh units, in scaled inputs
MOST_SLOPES = 20_000_000  # numbers in the Jacobian


# ---- random features -----------------------------------------------------------------------------


def random_features(problem: Problem) -> Fitted:
    """A hidden layer of random tanh units, whose output layer is solved for by least squares.

    Unit j is `tanh(s d_j · (u - c_j))` of the scaled inputs u, with a random direction d_j of
    length 1, a center c_j that is uniform on [-1, 1] in each input, and one steepness s for all,
    which leaving one row out chooses. The output layer's weights and biases are counted, the random
    numbers are not (Y.-H. Pao, G.-H. Park and D. J. Sobajic, Neurocomputing 6, 1994; A. Rahimi and
    B. Recht, NeurIPS 2008).
    """
    units = min(problem.terms(), max(1, MOST_SLOPES // len(problem.x))) - 1
    rng = np.random.default_rng(problem.seed)
    directions = rng.normal(size=(units, problem.inputs))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    centers = rng.uniform(-1, 1, (units, problem.inputs))
    offsets = (directions * centers).sum(1)

    def features(u, steepness):
        hidden = np.tanh(steepness * (u @ directions.T - offsets))
        return np.hstack([np.ones((len(u), 1)), hidden])

    u = problem.scaled(problem.x)
    errors = [left_out(features(u, steepness), problem.y) for steepness in STEEPNESS]
    chosen = STEEPNESS[first_least(errors, problem.y)]
    coefficients = solve(features(u, chosen), problem.y)

    def predict(x):
        return features(problem.scaled(x), chosen) @ coefficients

    how = "by leaving one row out"
    if min(errors) == np.inf:
        how = "the first, as there are not enough rows to leave one out"
    said = f"{units} tanh units, steepness {chosen:g}, {how}"
    return Fitted(predict, (units + 1) * problem.outputs, said, drawn=True)


# ---- the network linearised at its first parameters ----------------------------------------------


class Linearised(NamedTuple):
    """A network at its first parameters.

    Attributes:
        outputs: a function of inputs (m, i) that gives the network's outputs (m, o).
        slopes: a function of inputs (m, i) that gives their Jacobian (m, o, p).
        along: a function of inputs (m, i) and a direction (p,) that gives the Jacobian times the
            direction (m, o), without the Jacobian.
        parameters: p.
    """

    outputs: Callable[[np.ndarray], np.ndarray]
    slopes: Callable[[np.ndarray], np.ndarray]
    along: Callable[[np.ndarray, np.ndarray], np.ndarray]
    parameters: int


def linearised_at_start(problem: Problem) -> Linearised:
    """The network with the weights from which a run of this seed starts, in float64.

    Raises:
        CannotFitError: no model, or one with running averages.
    """
    if problem.model is None:
        raise CannotFitError("It needs a network: give model=.")
    init, _ = models.functions(problem.model)
    first = init(problem.keys.init, jnp.asarray(problem.x, jnp.float32))
    if scalings.mixes_rows(problem.model, first):
        raise CannotFitError("The network has running averages, which have no slopes.")
    start = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), first)
    # A function of the user's may read another value than in an earlier call
    said = hosts.fingerprint(problem.model)
    of_rows, slopes_of_rows, along_rows = compiled_for(Same(problem.model), said)
    return Linearised(
        lambda x: in_double(of_rows, start, x),
        lambda x: in_double(slopes_of_rows, start, x),
        lambda x, direction: in_double(along_rows, start, x, direction),
        sum(leaf.size for leaf in jax.tree.leaves(start)),
    )


class Same:
    """A value that is equal to itself only, whether or not it can be hashed."""

    def __init__(self, value: Any):
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=16)
def compiled_for(model: Same, said: str) -> tuple[Callable, Callable, Callable]:
    """Compile a model's outputs, their Jacobian, and the Jacobian's product with a direction.

    Each function takes parameters and rows, and the last one also a direction. All seeds of one
    model share the three functions, as long as `said`, the fingerprint of the model, stays.
    """
    del said
    _, apply = models.functions(model.value)

    def of_row(params, row):
        return apply(params, row[None])[0]

    def slopes_of_row(params, row):
        start, unravel = ravel_pytree(params)
        return jax.jacobian(lambda vector: of_row(unravel(vector), row))(start)

    def along_row(params, row, direction):
        start, unravel = ravel_pytree(params)
        return jax.jvp(lambda vector: of_row(unravel(vector), row), (start,), (direction,))[1]

    return (
        jax.jit(jax.vmap(of_row, (None, 0))),
        jax.jit(jax.vmap(slopes_of_row, (None, 0))),
        jax.jit(jax.vmap(along_row, (None, 0, None))),
    )


def in_double(function: Callable, *arguments: Any) -> np.ndarray:
    """What a function of JAX gives in float64."""
    with jax.enable_x64(True):
        return np.asarray(function(*jax.tree.map(jnp.asarray, arguments)))


def tangent(problem: Problem) -> Fitted:
    """Regression with the network's own neural tangent kernel, at its first parameters.

    `f(x) = K(x, X) K⁺ y` with `K(x, x') = J(x) J(x')ᵀ` and the Jacobian J of the outputs by the
    parameters (A. Jacot, F. Gabriel and C. Hongler, NeurIPS 2018). There is no ridge: it is the
    least squares `f(x) = J(x) J⁺ y` of least norm, in which singular values below `eps max(n o, p)`
    of the largest count as 0.
    """
    return regression(problem, from_start=False)


def linearised(problem: Problem) -> Fitted:
    """The network linearised at its first parameters, and fitted by least squares.

    `f(x) = f_0(x) + J(x) J⁺ (y - f_0)`: where gradient descent on the linearised network's squared
    error ends, if it could go on for ever (J. Lee and others, NeurIPS 2019). It is `tangent` with
    the network's first outputs f_0 added and subtracted.
    """
    return regression(problem, from_start=True)


def regression(problem: Problem, from_start: bool) -> Fitted:
    """Least squares by the network's Jacobian.

    Raises:
        CannotFitError: see `linearised_at_start`; a Jacobian that is too large.
    """
    network = linearised_at_start(problem)
    check_size(problem.y, network)
    slopes = network.slopes(problem.x).reshape(problem.y.size, -1)
    before = np.zeros_like(problem.y)
    if from_start:
        before = network.outputs(problem.x)
    moved = solve(slopes, (problem.y - before).reshape(-1, 1))[:, 0]

    def predict(x):
        change = network.along(x, moved)
        if from_start:
            return network.outputs(x) + change
        return change

    said = "at the seed's first parameters, no ridge"
    return Fitted(predict, network.parameters, said, drawn=True)


def check_size(y: np.ndarray, network: Linearised) -> None:
    """Refuse a Jacobian that is too large.

    Raises:
        CannotFitError: with its size.
    """
    numbers = y.size * network.parameters
    if numbers > MOST_SLOPES:
        raise CannotFitError(
            f"The Jacobian would have {numbers:,} numbers, of {y.size:,} targets by "
            f"{network.parameters:,} parameters; at most {MOST_SLOPES:,} are computed."
        )


def count_parameters(model: Any, inputs: int, outputs: int, rows: int = 2) -> int:
    """How many parameters a network has that are trained.

    Args:
        model: any.
        inputs: columns of the task's inputs.
        outputs: numbers that the task's loss wants for each row.
        rows: how many training rows there are, which may be the first centres of an `RBF`.

    Raises:
        ValueError: another number of outputs; a model that needs more rows.
    """
    init, apply = models.functions(model)
    x = jax.ShapeDtypeStruct((rows, inputs), jnp.float32)
    params = jax.eval_shape(init, jax.random.key(0), x)
    two = jax.ShapeDtypeStruct((2, inputs), jnp.float32)
    found = jax.eval_shape(apply, params, two).shape
    if found != (2, outputs):
        raise ValueError(
            f"the model gives outputs of the shape {found} for 2 rows; this task wants "
            f"{(2, outputs)}"
        )
    return sum(leaf.size for leaf in jax.tree.leaves(models.trained(params)))
