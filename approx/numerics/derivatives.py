"""Derivatives of a network in its inputs: by column, the whole Jacobian, and the Laplacian.

All are found in forward mode, one pass for each column of the inputs and each order, and can be
differentiated again in the network's parameters.

Shape letters: n rows, i inputs, o outputs.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array


def derivative(
    network: Callable[[Array], Array], x: Any, column: int = 0, order: int = 1
) -> tuple[Array, ...]:
    """A network's values and their derivatives in one column of the inputs: `(f, ∂f, ..., ∂^k f)`.

    The value of a row must depend on that row alone, as it does for every network without batch
    normalisation, and for every elementwise function.

    Args:
        network: a function of points (n, i) that gives (n, o).
        x: the points (n, i).
        column: the input in which is differentiated, from 0 on.
        order: k, the highest order, at least 1.

    Returns:
        k + 1 arrays (n, o): the values, the first derivatives in units of f per unit of x, and so
        on up to the k-th.

    Raises:
        ValueError: points that are not (n, i); a column that there is not; an order below 1.

    Example:
        `u, du, ddu = ap.derivative(jnp.sin, x, order=2)` are the sine, the cosine and the
        negative sine of x.
    """
    x = as_points(x)
    check_column(column, x.shape[1])
    if not isinstance(order, int | np.integer) or isinstance(order, bool) or order < 1:
        raise ValueError(f"order is {order!r}; it must be a whole number of at least 1")
    along = unit(x, column)

    def orders(function: Callable, k: int) -> Callable:
        """A function that gives the k-th derivative and all lower ones, the highest last."""
        if k == 0:
            return lambda x: (function(x),)
        lower = orders(function, k - 1)

        def up_to(x: Array) -> tuple[Array, ...]:
            values, slopes = jax.jvp(lower, (x,), (along,))
            return (*values, slopes[-1])

        return up_to

    return orders(network, int(order))(x)


def jacobian(network: Callable[[Array], Array], x: Any) -> tuple[Array, Array]:
    """A network's values and all their first derivatives: `(f_o, ∂f_o / ∂x_i)`.

    Args:
        network: as in `derivative`.
        x: the points (n, i).

    Returns:
        The values (n, o), and the derivatives (n, o, i) in units of f per unit of x.

    Raises:
        ValueError: points that are not (n, i).

    Example:
        `u, slopes = ap.jacobian(network, batch.x)`; with one output `slopes[:, 0]` is the gradient.
    """
    x = as_points(x)
    columns = [derivative(network, x, column) for column in range(x.shape[1])]
    return columns[0][0], jnp.stack([slope for _, slope in columns], -1)


def laplacian(network: Callable[[Array], Array], x: Any) -> tuple[Array, Array]:
    """A network's values and their Laplacian: `(f, Σ_i ∂²f / ∂x_i²)`.

    Args:
        network: as in `derivative`.
        x: the points (n, i).

    Returns:
        The values and the Laplacian, both (n, o).

    Raises:
        ValueError: points that are not (n, i).

    Example:
        `u, curvature = ap.laplacian(network, batch.x)`
    """
    x = as_points(x)
    columns = [derivative(network, x, column, order=2) for column in range(x.shape[1])]
    total = columns[0][2]
    for _, _, second in columns[1:]:
        total = total + second
    return columns[0][0], total


def as_points(x: Any) -> Array:
    """Points as an array (n, i).

    Raises:
        ValueError: another number of axes, or no columns.
    """
    x = jnp.asarray(x)
    if x.ndim != 2 or not x.shape[1]:
        raise ValueError(f"x has shape {x.shape}; points have one row each, (n, i)")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(float)
    return x


def check_column(column: int, columns: int) -> None:
    """Refuse a column that the points do not have.

    Raises:
        ValueError: with the column.
    """
    whole = isinstance(column, int | np.integer) and not isinstance(column, bool)
    if not whole or not 0 <= column < columns:
        raise ValueError(
            f"column is {column!r}; the points have {columns} columns, numbered from 0 to "
            f"{columns - 1}"
        )


def unit(x: Array, column: int) -> Array:
    """The direction (n, i) in which only one column grows, by 1 in each row."""
    direction = (np.arange(x.shape[1]) == column).astype(x.dtype)
    return jnp.broadcast_to(direction, x.shape)
