"""Functions of several variables on a box: rows on a grid or drawn per seed, and where judged."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from approx.tasks.catalogue.entries import check_count
from approx.tasks.data import Task, check_number
from approx.tasks.drawn import drawn
from approx.tasks.own import given
from approx.tasks.values import as_numbers, shortened

OF_TEST = 1_789  # numpy's seed of drawn test points, which are the same for all seeds


class OnBox(NamedTuple):
    """A function of several variables, and the box that its rows come from by default.

    Attributes:
        f: of inputs (n, i), elementwise over rows, on jax arrays.
        box: (low, high) of each input.
        size: number of rows by default.
        reach: by default, see `task`.
    """

    f: Callable
    box: tuple[tuple[float, float], ...]
    size: int = 256
    reach: float = 1.0

    def task(
        self,
        *,
        range: Any = None,
        size: int | None = None,
        inputs: str = "uniform",
        noise: ArrayLike | None = None,
        reach: Any = None,
        test_size: int = 1_681,
        **options: Any,
    ) -> Task:
        """The task.

        Args:
            range: the box: (low, high) for all inputs, or a pair for each; or one number, half the
                width of a box around 0.
            size: number of rows. Of a grid it is a power, such as 16² for two inputs.
            inputs: "uniform", drawn from the box per seed, or "grid", equispaced with both ends.
            noise: standard deviation of normal noise on the training targets.
            reach: the test points lie in the box widened by that factor about its middle; those
                outside the box count for `outside_loss`.
            test_size: number of test points: of two inputs the nearest square below it, on a grid;
                of more, drawn once.
            options: `loss`, `correct`, `validation`, `hold_out` of `Task`.

        Raises:
            ValueError: an interval out of order, a size that no grid has, a reach below 1.
        """
        box = self.box if range is None else as_box(range, len(self.box))
        size = check_count("size", self.size if size is None else size)
        count = check_count("test_size", test_size)
        reach = self.reach if reach is None else reach
        check_number("reach", reach)
        if not reach >= 1:
            raise ValueError(f"reach is {reach}; it must be at least 1, the box itself")
        x_test = judged_points(widened(box, reach), count)
        if inputs == "uniform":
            return drawn(self.f, list(box), size, x_test, noise=noise, **options)
        if inputs != "grid":
            raise ValueError(f"inputs is 'grid' or 'uniform', not {shortened(inputs)}")
        x = lattice(box, side_of(size, len(box)))
        options = {"distance": "box"} | options
        return given(x, self.of(x), x_test, self.of(x_test), noise=noise, **options)

    def of(self, x: np.ndarray) -> np.ndarray:
        """The function in float64."""
        with jax.enable_x64(True):
            return np.asarray(self.f(jnp.asarray(x, jnp.float64)))


def as_box(ends: Any, inputs: int) -> tuple[tuple[float, float], ...]:
    """An interval for each input, from one for all or half its width.

    Raises:
        TypeError: what are no numbers.
        ValueError: another number of intervals, ends that are not finite or out of order.
    """
    numbers = as_numbers("range", ends)
    if numbers.ndim == 0:
        numbers = np.asarray([-numbers, numbers])
    if numbers.shape == (2,):
        numbers = np.broadcast_to(numbers, (inputs, 2))
    if numbers.shape != (inputs, 2):
        raise ValueError(
            f"range is {shortened(ends)}; it must be one pair (low, high), or {inputs} of them"
        )
    for low, high in numbers:
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError(
                f"range has the interval ({low:g}, {high:g}); it must be finite, with low below "
                "high"
            )
    return tuple((float(low), float(high)) for low, high in numbers)


def widened(box: Sequence[tuple[float, float]], reach: Any) -> list[tuple[float, float]]:
    """The box, `reach` times as wide about its middle."""
    wide = []
    for low, high in box:
        middle, half = (low + high) / 2, reach * (high - low) / 2
        wide.append((middle - half, middle + half) if reach > 1 else (low, high))
    return wide


def side_of(size: int, inputs: int) -> int:
    """How many points a grid of so many points has along each input.

    Raises:
        ValueError: a size that is no such power, with the nearest ones.
    """
    side = max(round(size ** (1 / inputs)), 2)
    if side**inputs == size:
        return side
    raise ValueError(
        f"size is {size}; a grid of {inputs} inputs has k^{inputs} rows, k at least 2, such as "
        f"{side**inputs}"
    )


def lattice(box: Sequence[tuple[float, float]], side: int) -> np.ndarray:
    """An equispaced grid with both ends, (side^i, i)."""
    axes = [np.linspace(low, high, side) for low, high in box]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


def judged_points(box: Sequence[tuple[float, float]], count: int) -> np.ndarray:
    """A square grid in the plane; in more dimensions, points that are drawn once."""
    if len(box) == 2:
        return lattice(box, max(int(count**0.5), 2))
    low, high = np.asarray(box).T
    return np.random.default_rng(OF_TEST).uniform(low, high, (count, len(box)))
