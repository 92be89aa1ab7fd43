"""Losses that see the network: functions of the network itself, and not only of its outputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jaxtyping import Array


class Seen(NamedTuple):
    """The rows that a loss of the network is shown.

    Attributes:
        x: inputs (n, i).
        y: targets (n, o), or labels (n,); (n, 0) for a task without targets.
        weights: of the rows, 1 for a row that counts and 0 for one that fills up the last batch of
            an epoch; None if all count. Values for each row are weighted by the training.
        numbers: the task's numbers by name (`Task.numbers`), which can be swept.
    """

    x: Array
    y: Array
    weights: Array | None
    numbers: dict[str, Any]


@dataclass(frozen=True)
class OfNetwork:
    """A loss that sees the network; made by `of_network`.

    Attributes:
        function: from `(network, batch)` to the loss or its terms, or to the residuals of these.
        test: the loss of outputs and targets by which test points are judged.
        squared: whether the function gives residuals, whose squares are the loss.
    """

    function: Callable[[Callable, Seen], Any]
    test: str | Callable = "mse"
    squared: bool = False

    def __call__(self, network: Callable, batch: Seen) -> dict[str, Any]:
        """The terms of the loss by name; a single one without a name has the name ""."""
        found = self.function(network, batch)
        if isinstance(found, Mapping):
            return dict(found)
        return {"": found}


def of_network(
    loss: Any = None,
    *,
    residuals: Any = None,
    test: Any = "mse",
) -> OfNetwork:
    """A training loss of the network itself: of its derivatives, or of its values elsewhere.

    The function is called as `loss(network, batch)`, with JAX's arrays of one network. `network` is
    the network with its present parameters, and in training with its dropout: a function of points
    (n, i) that gives outputs (n, o). It may be called several times, at any points, and may be
    differentiated (`ap.derivative`, `ap.jacobian`, `ap.laplacian`). `batch` has the rows: `batch.x`
    (n, i), `batch.y` (n, o), and the task's numbers by name, `batch.numbers`.

    The function gives the loss of each row (n,); or one number; or terms of the loss by name, such
    as `{"equation": (n,), "start": ()}`. What is minimised is the sum of the terms, each of which
    is the mean over its first axis: `Σ_t mean_k t_k`. A term with a name is recorded as
    `loss_NAME`, over all training rows. A value for a row must depend on that row of the batch
    alone.

    Given as `residuals=`, the function gives residuals r instead of losses, and a residual may have
    several columns, (n, r). The term is then `mean_k Σ_r r²`, and "lm" can train it.

    Args:
        loss: the function.
        residuals: in place of `loss`, the function that gives residuals.
        test: the loss of `test_loss`, `outside_loss`: a name of `losses.LOSSES`, or a function
            (outputs, targets) -> (k,). It compares the outputs with the task's targets at the test
            points, such as a known solution. A task without test points does not use it.

    Raises:
        TypeError: neither or both of `loss` and `residuals`; something that is no function.
        ValueError: an unknown name of a loss, or one of labels.

    Example:
        >>> def loss(network, batch):  # u' = -u, u(0) = 1
        ...     u, du = ap.derivative(network, batch.x)
        ...     start = network(jnp.zeros((1, 1))) - 1
        ...     return {"equation": (du + u)[:, 0] ** 2, "start": (start ** 2)[0, 0]}
        >>> decay = ap.drawn(lambda x: jnp.exp(-x), (0.0, 5.0), loss=ap.losses.of_network(loss))

    The method of such losses is that of Lagaris, Likas and Fotiadis (1998) and of Raissi,
    Perdikaris and Karniadakis (2019), who call it physics-informed.
    """
    if (loss is None) == (residuals is None):
        raise TypeError(
            "of_network takes one function: a loss (network, batch), or residuals=, "
            "whose squares are the loss"
        )
    function: Any = residuals if loss is None else loss
    if not callable(function):
        raise TypeError(f"the loss is {function!r}; it must be a function (network, batch)")
    if not (isinstance(test, str) or callable(test)) or isinstance(test, OfNetwork):
        raise TypeError(
            f"test is {test!r}; it must be a name of a loss, or a function (outputs, targets)"
        )
    return OfNetwork(function, test, residuals is not None)
