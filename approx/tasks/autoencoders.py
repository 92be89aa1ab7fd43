"""Data to be reproduced: the identity."""

from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike

from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, Points, Task, check_whole

# The data sets of the thread: distribution, whether all seeds share the rows, offset, scale, rows
# and columns. Of A only the mean and the standard deviation are known; B is U[0, 1), as in the
# answers, and C is B with 5 columns.
KINDS: dict[str, tuple[str, bool, float, float, int, int]] = {
    "A": ("normal", True, 1.1090579, 0.0012380764, 139_336, 84),
    "B": ("uniform", False, 0.0, 1.0, 99_999, 84),
    "C": ("uniform", False, 0.0, 1.0, 99_999, 5),
}


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Identity(Task):
    """Independent noise to be reproduced: inputs and targets are both `offset + scale z`.

    The test points are further rows, drawn once and the same for all seeds.

    Attributes:
        distribution: of z, "normal" for N(0, 1) or "uniform" for U[0, 1).
        shared: whether all seeds see one data set, or each its own.
        offset: added to all numbers.
        scale: factor on z.
        size: number of rows, validation rows included.
        dim: number of columns.
        test_size: number of test points.

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
        if self.distribution == "normal":
            z = jax.random.normal(key, (size, self.dim))
        else:
            z = jax.random.uniform(key, (size, self.dim))
        return jnp.asarray(self.offset + self.scale * z)

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
        size: number of rows; None for the kind's.
        dim: number of columns; None for the kind's.
        options: fields of `Identity`; `validation` is 0.3 by default, the last rows.

    Raises:
        ValueError: an unknown kind.

    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; there is: {', '.join(KINDS)}")
    names = ("distribution", "shared", "offset", "scale", "size", "dim")
    chosen: dict[str, Any] = dict(zip(names, KINDS[kind], strict=True))
    chosen["validation"] = 0.3
    if size is not None:
        chosen["size"] = size
    if dim is not None:
        chosen["dim"] = dim
    return Identity(**chosen | options)
