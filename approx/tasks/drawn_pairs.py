"""Rows whose inputs and targets every seed draws together, such as points of noisy classes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float

from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, Points, Task, noisy
from approx.tasks.values import check_finite

# The test points are drawn from this key, so that all seeds are judged at the same points.
OF_TEST = 2_718
TEST_SIZE = 1_000
OF_LABELS = ("cross_entropy",)  # the losses of integer labels (n,)


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class DrawnPairs(Task):
    """Inputs and targets that every seed draws together. Made by `drawn`, which checks it.

    Attributes:
        draw: the distribution: (key, n) -> inputs (n,) or (n, i), and targets (n,) or (n, o), or
            integer labels (n,) for `loss="cross_entropy"`.
        x_test: inputs of the test points (k, i), the same for all seeds.
        y_test: their targets (k, o), or labels (k,).
        distance: of the test points to the training range (k,): 0, as they are drawn as rows are.
        rows_each: how many training rows a seed draws.
        noise: standard deviation of normal noise on the training targets; None for none.

    """

    draw: Any
    x_test: Float[ArrayLike, "k i"]
    y_test: ArrayLike
    distance: Float[ArrayLike, " k"]
    rows_each: int = field(default=256, metadata=STATIC)
    noise: ArrayLike | None = None

    def rows(self, key, noise_key):
        """One seed's training rows."""
        return self.fresh(key, noise_key, self.rows_each)

    def fresh(self, key, noise_key, size):
        """Rows that nobody has seen, for `batches="stream"`."""
        x, y = self.draw(key, size)
        x, y = both_as_columns(x, y, self.loss)
        return x, noisy(y, self.noise, noise_key)

    def points(self):
        """The test points."""
        return Points(
            jnp.asarray(self.x_test), jnp.asarray(self.y_test), jnp.asarray(self.distance)
        )


def as_columns(x: Array) -> Array:
    """Values as (n, i); a vector becomes one column."""
    x = jnp.asarray(x)
    if x.ndim == 1:
        return x[:, None]
    return x


def both_as_columns(x: Array, y: Array, loss: Any) -> tuple[Array, Array]:
    """Inputs (n, i), and targets (n, o) of the same type; labels stay as they are, (n,)."""
    x = as_columns(x)
    if loss in OF_LABELS:
        return x, jnp.asarray(y)
    return x, as_columns(y).astype(x.dtype)


def drawn_pairs(draw: Callable, rows: int, noise: ArrayLike | None, **options) -> DrawnPairs:
    """A task of rows that are drawn with their targets; `drawn` makes it.

    1,000 test points are drawn from the same distribution.

    Args:
        draw: see `DrawnPairs`.
        rows: how many training rows a seed draws.
        noise: standard deviation of normal noise on the training targets.
        options: those of `Task`.

    Raises:
        ValueError: another number of rows than was asked for, or values that are not finite.
    """
    check_pair(draw)
    with jax.enable_x64(False):
        x, y = draw(jax.random.key(OF_TEST), TEST_SIZE)
        x_test, y_test = both_as_columns(x, y, options.get("loss", "mse"))
    check_finite("the inputs of the test points", np.asarray(x_test))
    check_finite("the targets of the test points", np.asarray(y_test))
    return DrawnPairs(
        draw=draw,
        x_test=np.asarray(x_test),
        y_test=np.asarray(y_test),
        distance=np.zeros(TEST_SIZE),
        rows_each=rows,
        noise=noise,
        **options,
    )


def check_pair(draw: Callable) -> None:
    """Refuse what are no inputs and targets of two rows, where two rows are asked for.

    Raises:
        ValueError: with the shapes.
    """
    shapes = [jnp.shape(part) for part in jax.eval_shape(lambda: draw(jax.random.key(0), 2))]
    if len(shapes) == 2 and all(shape[:1] == (2,) for shape in shapes):
        return
    raise ValueError(
        f"inputs(key, 2) gives arrays of shapes {shapes}; it must give two rows of inputs, (2,) or "
        "(2, i), and their targets, (2,) or (2, o)"
    )
