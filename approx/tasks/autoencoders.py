"""Data to be reproduced: the identity."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike

from approx.tasks.data import STATIC, Points, Task, check_whole

# What the two data sets of the thread are: distribution, shared or not, offset, scale, rows,
# columns. Only A's mean and standard deviation are known; B is the answers' U[0, 1), and C is B
# with 5 columns.
KINDS: dict[str, tuple[str, bool, float, float, int, int]] = {
    "A": ("normal", True, 1.1090579, 0.0012380764, 139_336, 84),
    "B": ("uniform", False, 0.0, 1.0, 99_999, 84),
    "C": ("uniform", False, 0.0, 1.0, 99_999, 5),
}


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Identity(Task):
    """Independent noise to be reproduced: targets are the inputs, `offset + scale z`, z from N(0,
    1) or U[0, 1).

    The points of judgement are further rows, drawn once, alike for all seeds.

    Attributes:
        distribution: "normal" or "uniform", of z.
        shared: whether all seeds see one data set, or each its own.
        offset, scale: numbers.
        size: number of rows, with the validation rows. dim: of columns.
        test_size: number of points of judgement.

    """

    distribution: str = field(default="uniform", metadata=STATIC)
    shared: bool = field(default=False, metadata=STATIC)
    offset: ArrayLike = 0.0
    scale: ArrayLike = 1.0
    size: int = field(default=1000, metadata=STATIC)
    dim: int = field(default=84, metadata=STATIC)
    test_size: int = field(default=400, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        check_whole(self, "size", "dim", "test_size")
        if self.distribution not in ("normal", "uniform"):
            raise ValueError(f"distribution is 'normal' or 'uniform', not {self.distribution!r}")

    def draw(self, key, size: int) -> Array:
        """Rows of the distribution."""
        z = jax.random.normal if self.distribution == "normal" else jax.random.uniform
        return jnp.asarray(self.offset + self.scale * z(key, (size, self.dim)))

    def rows(self, key, noise_key):
        """A seed's rows, or those of all."""
        x = self.draw(jax.random.key(0) if self.shared else key, self.size)
        return x, x

    def fresh(self, key, noise_key, size):
        """Further rows of the distribution."""
        x = self.draw(key, size)
        return x, x

    def points(self):
        """Rows of a key of their own."""
        x = self.draw(jax.random.key(1), self.test_size)
        return Points(x, x, jnp.zeros(self.test_size))


def identity(
    kind: str = "A", *, size: int | None = None, dim: int | None = None, **options
) -> Identity:
    """A data set on which a linear autoencoder was said not to learn the identity.

    Args:
        kind: "A", N(1.1090579, 0.0012380764²), 139,336 rows of 84 columns, one data set for all
            seeds; "B", U[0, 1), 99,999 rows of 84 columns, drawn per seed; "C", as B with 5
            columns.
        size: other number of rows. dim: other number of columns.
        options: fields of `Identity`; `validation` is 0.3 by default, the last rows.

    Raises:
        ValueError: an unknown kind.

    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; there is: {', '.join(KINDS)}")
    distribution, shared, offset, scale, rows, columns = KINDS[kind]
    chosen: dict[str, Any] = {
        "distribution": distribution,
        "shared": shared,
        "offset": offset,
        "scale": scale,
    }
    chosen |= {
        "size": rows if size is None else size,
        "dim": columns if dim is None else dim,
        "validation": 0.3,
    }
    return Identity(**chosen | options)
