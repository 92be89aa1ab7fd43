"""A function whose inputs every seed draws for itself: from an interval, a box, a distribution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, ArrayLike, Float, Key

from approx.tasks import losses
from approx.tasks.arguments import spelled, translated
from approx.tasks.data import STATIC, Points, Task, noisy
from approx.tasks.drawn_pairs import OF_TEST, TEST_SIZE, DrawnPairs, as_columns, drawn_pairs
from approx.tasks.own import OPTIONS, box_distance
from approx.tasks.values import as_numbers, as_rows, check_finite, shortened


@register_dataclass
@dataclass(frozen=True)
class Uniform:
    """The uniform distribution on a box, without an end at 0.

    `jax.random.uniform` gives a multiple of 2^-23 in [0, 1), or of 2^-52 in float64, so that one of
    8 million draws is 0. A function such as log is infinite there, and a stream of rows draws that
    often. Such a draw becomes half the smallest other one; all others stay as they are.
    At another end, such as 1, the sum may still round to the end itself.

    Attributes:
        low: the lower end of each input.
        high: the upper end of each input.
    """

    low: tuple[ArrayLike, ...]
    high: tuple[ArrayLike, ...]

    def __call__(self, key: Key[Array, ""], n: int) -> Float[Array, "n i"]:
        """n rows of the box."""
        low, high = jnp.stack(self.low), jnp.stack(self.high)
        share = jax.random.uniform(key, (n, len(self.low)))
        half_spacing = jnp.finfo(share.dtype).eps / 2
        share = jnp.maximum(share, half_spacing)
        return low + (high - low) * share


@register_dataclass
@dataclass(frozen=True)
class Own:
    """A distribution of a user's own; the function is structure and not a number.

    Attributes:
        function: (key, n) -> rows (n,) or (n, i).
    """

    function: Callable = field(metadata=STATIC)

    def __call__(self, key: Key[Array, ""], n: int) -> Any:
        """n rows: inputs, or inputs and targets."""
        return self.function(key, n)


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Drawn(Task):
    """A function of inputs that every seed draws for itself. Made by `drawn`, which checks it.

    Attributes:
        f: the function, of jax arrays; None for a task whose loss sees the network and needs none.
        draw: the distribution of the inputs: a `Uniform`, or an `Own`, each (key, n) -> rows.
        rows_each: how many training rows a seed draws.
        flat: whether f takes a vector (n,) in place of one column (n, 1).
        x_test: inputs of the test points (k, i), the same for all seeds.
        distance: of the test points to the training range (k,), in units of x; 0 is inside it.
        noise: standard deviation of normal noise on the training targets; None for none.

    """

    f: Callable | None = field(metadata=STATIC)
    draw: Any
    x_test: Float[ArrayLike, "k i"]
    distance: Float[ArrayLike, " k"]
    rows_each: int = field(default=256, metadata=STATIC)
    flat: bool = field(default=False, metadata=STATIC)
    noise: ArrayLike | None = None

    @property
    def tested(self):
        """Whether there is a function, such as a known solution, that outputs are compared with."""
        return self.f is not None

    def targets(self, x: Float[Array, "n i"]) -> Array:
        """The noise-free targets (n, o), or labels (n,), at inputs; (n, 0) without a function."""
        if self.f is None:
            return jnp.zeros((x.shape[0], 0), x.dtype)
        y = jnp.asarray(self.f(x[:, 0] if self.flat else x))
        if self.loss == "cross_entropy" or y.ndim == 2:
            return y
        return y[:, None]

    def rows(self, key, noise_key):
        """One seed's training rows."""
        return self.fresh(key, noise_key, self.rows_each)

    def fresh(self, key, noise_key, size):
        """Rows that nobody has seen, for `batches="stream"`."""
        x = as_columns(self.draw(key, size))
        return x, noisy(self.targets(x), self.noise, noise_key)

    def points(self):
        """The test points, with targets without noise."""
        x = jnp.asarray(self.x_test)
        return Points(x, self.targets(x), jnp.asarray(self.distance))


def drawn(
    f: Callable | None,
    inputs: Sequence | Callable,
    rows: int = 256,
    x_test: Any = None,
    *,
    noise: ArrayLike | None = None,
    **options,
) -> Drawn | DrawnPairs:
    """A function as a task, with inputs that every seed draws for itself.

    `Recipe(batches="stream", batch_size=...)` draws fresh rows for every step instead.

    Args:
        f: the function, written with `jax.numpy`. It is called with inputs (n,) if there is one
            input, and (n, i) if there are several; it gives targets (n,) or (n, o), or integer
            labels (n,) for `loss="cross_entropy"`. None is for a loss that sees the network
            (`losses.of_network`) and needs no targets: there is no test loss then, and predictions
            are at the test points. None is also for `inputs` that draw the targets too.
        inputs: the distribution of the inputs: a pair (low, high) for one input that is uniform on
            that interval; a list of such pairs, one for each input, for a box; or a function
            (key, n) -> rows (n,) or (n, i), written with `jax.numpy` and `jax.random`. With f=None
            such a function may return inputs and targets together, as noisy classes need them.
        rows: how many training rows a seed draws.
        x_test: inputs of the test points, (k,) or (k, i), the same for all seeds. Those outside the
            interval or the box count for `outside_loss`. Left out, 1,000 points are drawn from the
            same distribution.
        noise: standard deviation of normal noise on the training targets.
        options: `loss`, `correct`, `validation`, `hold_out`, `classes` of `Task`.

    Raises:
        TypeError: a function that JAX cannot trace; inputs that are no distribution.
        ValueError: no function, with a loss that needs targets; an interval whose ends are not
            finite or out of order; targets of another
            number of rows, or that are not finite at the test points.

    Example:
        `drawn(jnp.log, (0.01, 1.0), rows=50)`; `drawn(lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2)`

    """
    options = translated("drawn", options, OPTIONS)
    if not (isinstance(rows, int | np.integer) and 1 <= rows < 2**31):
        raise ValueError(f"rows is {shortened(rows)}; it must be a whole number of at least 1")
    draw = distribution(inputs)
    two_rows = traced(lambda key: draw(key, 2), jax.random.key(0), "inputs")
    if isinstance(two_rows, tuple):
        check_no_function(f, x_test)
        return drawn_pairs(draw, rows, noise, **options)
    shape = two_rows.shape
    if len(shape) not in (1, 2) or shape[0] != 2:
        raise ValueError(
            f"inputs(key, 2) gives an array of shape {shape}; it must give two rows, (2,) or (2, i)"
        )
    columns = shape[1] if len(shape) == 2 else 1
    flat = columns == 1
    if x_test is None:
        with jax.enable_x64(False):
            x_test = as_columns(draw(jax.random.key(OF_TEST), TEST_SIZE))
        distance = np.zeros(TEST_SIZE)
    else:
        x_test = as_rows("x_test", x_test)
        distance = distance_to(draw, x_test)
    x_test = as_rows("x_test", x_test)
    check_function(f, noise, options.get("loss", "mse"))
    if x_test.shape[1] != columns:
        raise ValueError(f"x_test has {x_test.shape[1]} columns, and the inputs have {columns}")
    if f is not None:
        check_targets(f, x_test, flat, options.get("loss"))
    return Drawn(
        f=f,
        draw=draw,
        rows_each=rows,
        flat=flat,
        x_test=x_test,
        distance=distance,
        noise=noise,
        **options,
    )


def check_no_function(f: Any, x_test: Any) -> None:
    """Refuse a second source of targets, and test points that have none.

    Raises:
        ValueError: a function of inputs, or test points.
    """
    if f is not None:
        raise ValueError(
            "inputs(key, n) returns two arrays, inputs and targets, and f gives targets too: give "
            "None as f, or return the inputs only"
        )
    if x_test is not None:
        raise ValueError(
            "x_test has no targets where inputs(key, n) draws them: leave it out, and 1,000 test "
            "points are drawn from the same distribution"
        )


def check_function(f: Any, noise: Any, loss: Any) -> None:
    """Refuse what is no function, or none where the loss or the noise needs targets.

    Raises:
        TypeError: neither a function nor None.
        ValueError: None, with a loss of outputs and targets, or with noise on targets.
    """
    if callable(f):
        return
    if f is not None:
        raise TypeError(f"f is {shortened(f)}; it must be a function of jax arrays, or None")
    if not isinstance(loss, losses.OfNetwork):
        raise ValueError(
            f"f is None, and the loss {loss!r} compares outputs with targets: give the function, "
            "or a loss that sees the network, loss=ap.losses.of_network(...)"
        )
    if noise is not None:
        raise ValueError(f"noise={noise} is added to targets, and with f=None there are none")


def distribution(inputs: Any) -> Callable:
    """The distribution that a user means; see `drawn`.

    Raises:
        TypeError: neither an interval, nor a list of intervals, nor a function.
        ValueError: an interval whose ends are not finite or out of order.
    """
    if callable(inputs):
        return Own(inputs)
    expected = (
        f"inputs is {shortened(inputs)}; it must be an interval (low, high), a list of intervals "
        "[(low, high), ...], or a function (key, n) -> rows"
    )
    if isinstance(inputs, str) or not isinstance(inputs, Sequence | np.ndarray):
        raise TypeError(expected)
    try:
        ends = as_numbers("inputs", inputs)
    except (TypeError, ValueError) as error:
        raise TypeError(expected) from error
    if ends.shape == (2,):
        ends = ends[None]
    if ends.ndim != 2 or ends.shape[1] != 2 or not len(ends):
        raise TypeError(expected)
    check_finite("inputs", ends)
    for low, high in ends:
        if not low < high:
            raise ValueError(f"inputs has the interval ({low:g}, {high:g}); low must be below high")
    return Uniform(tuple(ends[:, 0].tolist()), tuple(ends[:, 1].tolist()))


def distance_to(draw: Callable, x_test: np.ndarray) -> np.ndarray:
    """Distance of test points to the box of the inputs; 0 where the distribution is a function."""
    if not isinstance(draw, Uniform):
        return np.zeros(len(x_test))
    corners = np.asarray([draw.low, draw.high], np.float64)
    if x_test.shape[1] != corners.shape[1]:
        return np.zeros(len(x_test))  # another error says why
    return box_distance(corners, x_test)


def traced(function: Callable, argument: Any, what: str) -> Any:
    """Shape and dtype of what a function gives, found without computing anything.

    Raises:
        TypeError: a function that JAX cannot trace.
    """
    try:
        return jax.eval_shape(function, argument)
    except (jax.errors.TracerArrayConversionError, jax.errors.ConcretizationTypeError) as error:
        raise TypeError(
            f"{what} must be written with jax.numpy: every seed draws its own rows inside a "
            "compiled program, where numpy functions and Python's `if` see no numbers"
        ) from error


def check_targets(f: Callable, x_test: np.ndarray, flat: bool, loss: Any) -> None:
    """Refuse a function whose targets cannot be compared with outputs.

    Raises:
        TypeError: a function that JAX cannot trace.
        ValueError: another number of rows, too many axes, or values that are not finite.
    """
    x = x_test[:, 0] if flat else x_test
    shape = traced(lambda x: jnp.asarray(f(x)), jnp.asarray(x), "f").shape
    labels = loss in ("cross_entropy", losses.cross_entropy)
    axes = (1,) if labels else (1, 2)
    if len(shape) not in axes or shape[0] != len(x):
        wanted = f"({len(x)},)"
        if not labels:
            wanted += f" or ({len(x)}, outputs)"
        raise ValueError(
            f"f gives targets of shape {shape} for {len(x)} rows; they must be {wanted}"
        )
    check_finite("f(x_test)", np.asarray(f(jnp.asarray(x))))
