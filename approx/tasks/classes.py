"""Classes to tell apart: the interval, the waveform and the clusters."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import ArrayLike

from approx.tasks import losses
from approx.tasks.arguments import spelled
from approx.tasks.data import STATIC, Points, Task, check_number, check_whole
from approx.tasks.own import Given, given

CLUSTERS = Path(__file__).with_name("clusters.npz")  # made by tests/recorded/clusters.py


def interval(
    *, loss: str | Callable = "binary_cross_entropy", standardise: bool = False, **options
) -> Given:
    """One bump: 1 from 11 to 20, and 0 from 0 to 10 and from 21 to 30.

    The rows are 100 equispaced points of each of the three parts, ends included. The test points
    are the multiples of 1/4 from -30 to 60, three times the range; the target outside is 0. Points
    strictly between 10 and 11 or between 20 and 21 are left out, as no row says on which side of
    the edge they lie.

    Args:
        loss: "binary_cross_entropy" and "brier" take logits. With "mse" and "half_squared_error",
            on the targets 0 and 1 themselves, an output is correct on its target's side of one
            half.
        standardise: inputs as `(x - mean) / sd` of the 300 rows, sd the population's (divided by
            300), which is what scikit-learn's StandardScaler takes; the points and their distances
            are then in these units too.
        options: `correct`, `validation`, `hold_out`, `noise`, `distance`; see `given`.

    """
    parts = (0, 10), (11, 20), (21, 30)
    x = np.concatenate([np.linspace(low, high, 100) for low, high in parts])
    x_test = np.arange(-120, 241) / 4
    first_edge = (x_test > 10) & (x_test < 11)
    second_edge = (x_test > 20) & (x_test < 21)
    x_test = x_test[~(first_edge | second_edge)]
    y = np.repeat([0.0, 1.0, 0.0], 100)
    in_bump = (x_test >= 11) & (x_test <= 20)
    y_test = in_bump.astype(float)
    center, scale = 0.0, 1.0
    if standardise:
        center, scale = x.mean(), x.std()
    if loss in ("mse", "half_squared_error"):
        options = {"correct": losses.same_half} | options
    options = {"distance": "box"} | options
    return given((x - center) / scale, y, (x_test - center) / scale, y_test, loss=loss, **options)


@spelled
@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Waveform(Task):
    """Flat noisy signals, to be told apart by their level.

    Every entry of a signal of class c is drawn from `N(spread c / (classes - 1), sd²)`. The
    training rows, on which losses and accuracies are recorded, are one of each class, drawn per
    seed; with `batches="stream"` every batch is a fresh draw. The test points are drawn once and
    are the same for all seeds.

    Attributes:
        classes: how many.
        dim: length of a signal.
        spread: level of the last class; that of the first is 0.
        sd: standard deviation of every entry of a signal.
        draw: of a batch, "each" for every class equally often and in order, or "random" for classes
            drawn uniformly.
        test_rows: test points per class.

    """

    loss: str | Callable = field(default="cross_entropy", metadata=STATIC)
    classes: int = field(default=32, metadata=STATIC)
    dim: int = field(default=200, metadata=STATIC)
    spread: ArrayLike = 1.0
    sd: ArrayLike = 1e-4
    draw: str = field(default="each", metadata=STATIC)
    test_rows: int = field(default=4, metadata=STATIC)

    def __post_init__(self):
        super().__post_init__()
        check_whole(self, "dim", "test_rows")
        check_number("spread", self.spread)
        if self.draw not in ("each", "random"):
            raise ValueError(f"draw is 'each' or 'random', not {self.draw!r}")

    def signals(self, key, labels):
        """A signal of every label."""
        highest = self.classes - 1
        level = self.spread * labels[:, None] / highest
        z = jax.random.normal(key, (labels.shape[0], self.dim))
        return level + self.sd * z, labels

    def rows(self, key, noise_key):
        """One row of each class."""
        return self.signals(key, jnp.arange(self.classes))

    def fresh(self, key, noise_key, size):
        """As many rows of each class in order, or rows of classes drawn at random.

        Raises:
            ValueError: `draw="each"` with a batch size that is no multiple of the classes.

        """
        if self.draw == "each":
            if size % self.classes:
                raise ValueError(
                    f"batch_size={size} is no multiple of {self.classes} classes, "
                    "of which each has a row"
                )
            return self.signals(key, jnp.arange(size) % self.classes)
        row_key, label_key = jax.random.split(key)
        labels = jax.random.randint(label_key, (size,), 0, self.classes)
        return self.signals(row_key, labels)

    def points(self):
        """`test_rows` rows of each class, from a key of their own."""
        key = jax.random.key(0)
        labels = jnp.arange(self.test_rows * self.classes) % self.classes
        x, y = self.signals(key, labels)
        return Points(x, y, jnp.zeros(y.shape))


def waveform(
    classes: int = 32, dim: int = 200, spread: ArrayLike | None = None, **options
) -> Waveform:
    """Signals of a level, as a thread set them up: class c of K is N(c / 255, 1e-4²), whatever K.

    Args:
        classes: K, at least 2.
        dim: length of a signal.
        spread: level of the last class; by default the thread's (K - 1) / 255. With 1.0 the levels
            are spread evenly over [0, 1].
        options: fields of `Waveform`.

    """
    if spread is None:
        spread = (classes - 1) / 255
    return Waveform(classes=classes, dim=dim, spread=spread, **options)


def clusters(*, loss: str | Callable = "half_squared_error", **options) -> Given:
    """Four clusters in five dimensions, as a thread drew them.

    There are 8,000 training rows and 2,000 test points. They are
    `make_classification(n_samples=10000, n_features=5, n_classes=4, n_clusters_per_class=1,
    random_state=1)` of scikit-learn, split by its `train_test_split(test_size=0.2,
    random_state=1)`, in its order. All test points count as inside the training range (distance 0):
    they come from the same distribution.

    Args:
        loss: "cross_entropy" on labels, or another on vectors of zeros and one 1, where a row is
            correct whose largest output is the label's.
        options: `correct`, `validation`, `noise`; see `given`.

    """
    with np.load(CLUSTERS) as kept:
        x, y, x_test, y_test = (kept[name] for name in ("x", "y", "x_test", "y_test"))
    if loss == "cross_entropy":
        options = {"classes": 4} | options
    else:
        options = {"correct": losses.same_largest} | options
        y, y_test = np.eye(4)[y], np.eye(4)[y_test]
    return given(x, y, x_test, y_test, loss=loss, **options)
