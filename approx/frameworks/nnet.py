"""R's `nnet(...)` as a task and a recipe: by a formula and data, or by x and y."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.tasks import losses
from approx.training.recipes import Recipe

TRIALS = 3  # evaluations of the loss for each iteration that `maxit` allows


class Rows(NamedTuple):
    """What a call shows the network.

    Attributes:
        x: inputs (n, i).
        y: targets (n, o).
        levels: of a factor; None for numbers.
    """

    x: np.ndarray
    y: np.ndarray
    levels: tuple[str, ...] | None = None


def question(  # noqa: PLR0913 (the arguments of nnet)
    x: Any,
    y: Any = None,
    *,
    size: int,
    linout: bool = False,
    entropy: bool = False,
    softmax: bool = False,
    skip: bool = False,
    Wts: Any = None,
    rang: float = 0.7,
    decay: float = 0.0,
    maxit: int = 100,
    abstol: float = 1e-4,
    reltol: float = 1e-8,
    test: Any = None,
    **recipe: Any,
) -> Question:
    """A call `nnet(formula, data, size=...)` or `nnet(x, y, size=...)` of R.

    Args:
        x: a formula such as "y ~ x1 + x2" or "y ~ .", or inputs (n, i).
        y: with a formula the data, a mapping or a data frame of columns; else targets (n, o). A
            response of words is a factor: two levels mean `entropy`, more mean `softmax`.
        size: hidden units.
        linout: linear outputs; R's default is logistic outputs, also for numbers.
        entropy: descend the cross-entropy of logistic outputs.
        softmax: descend the cross-entropy of a softmax.
        skip: must be False: connections that skip the hidden layer are not supported.
        Wts: start weights in nnet's order (for each hidden unit its bias and its weights, then the
            same for each output); None draws them.
        rang: weights and biases are drawn from `U(-rang, rang)`.
        decay: adds `decay Σ w²` over weights and biases.
        maxit: iterations at most.
        abstol: the training ends when the sum is below this, whatever the size of the targets.
        reltol: it ends when a step changes the sum by less than this share.
        test: rows (x, y) for the test loss; None for none.
        recipe: further fields of the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is per row; nnet's
        `value` is its sum over the rows, with the decay.

    Raises:
        ValueError: an option that cannot be translated, a formula of anything but sums of
            columns.

    Example:
        >>> ap.run(*ap.frameworks.nnet.question("y ~ x", {"x": x, "y": y}, size=10), seeds=64)

    """
    if skip:
        raise ValueError("skip=True is not supported; leave it out, or give more units (size)")
    if linout + entropy + softmax > 1:
        raise ValueError("linout, entropy and softmax exclude each other; give one of them")
    if isinstance(x, str):
        found = of_formula(x, y)
    else:
        found = Rows(*printed.rows(x, y))
    if found.levels is not None:
        entropy, softmax = len(found.levels) == 2, len(found.levels) > 2
    n, outputs = found.y.shape
    (width,) = printed.widths("size", size)
    initializer: Any = "uniform"
    if Wts is not None:
        initializer, rang = start(Wts, (found.x.shape[1], width, outputs)), 1.0
    model = models.MLP(
        (width,),
        "sigmoid",
        outputs,
        initializer=initializer,
        init_scale=float(rang),
        output_activation=None if linout or entropy or softmax else "sigmoid",
    )
    loss, correct = kind(entropy, softmax)
    fields: dict[str, Any] = {
        "model": model,
        "optimizer": "bfgs",
        "options": {"abstol": abstol, "reltol": reltol, "maxit": float(maxit)},
        "l2": decay / n if decay else None,
        "l2_on": "all",
        "steps": TRIALS * max(maxit, 10),
        "dtype": "float64",
    }
    task = fits.task_of(found.x, found.y, loss=loss, correct=correct, test=test)
    return Question(task, Recipe(**fields | recipe), notes(entropy, softmax))


def kind(entropy: bool, softmax: bool) -> tuple[Any, Any]:
    """The loss of a row, and what is correct."""
    if softmax:
        return softmax_divergence, losses.same_largest
    if entropy:
        return logistic_divergence, losses.same_side
    return printed.SquaresOf(), None


def own_entropy(targets: printed.Values) -> printed.Values:
    """`t log t` of targets t, and 0 for t = 0: the least that a cross-entropy can be, negated."""
    positive = jnp.where(targets > 0, targets, 1)
    return targets * jnp.log(positive)


def logistic_divergence(logits: printed.Values, targets: printed.Values):
    """nnet's entropy: `Σ_o t log(t / p) + (1 - t) log((1 - t) / (1 - p))`, 0 at p = t."""
    least = own_entropy(targets) + own_entropy(1 - targets)
    cross = losses.softplus(logits) - targets * logits
    return (cross + least).sum(1)


def softmax_divergence(logits: printed.Values, targets: printed.Values):
    """nnet's softmax: `Σ_o t log(t / p)`, 0 at p = t."""
    shifted = logits - logits.max(1, keepdims=True)
    normal = jnp.log(jnp.exp(shifted).sum(1, keepdims=True))
    return (own_entropy(targets) - targets * (shifted - normal)).sum(1)


def start(weights: Any, sizes: tuple[int, int, int]) -> list[Any]:
    """nnet's vector of weights as initialisers of the two layers.

    Raises:
        ValueError: another number of weights.
    """
    flat = np.asarray(weights, np.float64).ravel()
    i, h, o = sizes
    wanted = (i + 1) * h + (h + 1) * o
    if len(flat) != wanted:
        raise ValueError(
            f"Wts has {len(flat)} numbers; a {i}-{h}-{o} network has {wanted} weights, in nnet's "
            "order"
        )
    first = flat[: (i + 1) * h].reshape(h, i + 1)
    second = flat[(i + 1) * h :].reshape(o, h + 1)
    return [(fits.constant(part[:, 1:].T), fits.constant(part[:, 0])) for part in (first, second)]


def of_formula(formula: str, data: Any) -> Rows:
    """The rows of a formula: sums of columns on the right, one column on the left.

    Raises:
        TypeError: data that are no columns by name.
        ValueError: a formula with anything else.
    """
    left, tilde, right = (part.strip() for part in formula.partition("~"))
    if not (tilde and left and right):
        raise ValueError(f'the formula is {formula!r}; it must be like "y ~ x1 + x2" or "y ~ ."')
    if not isinstance(data, Mapping) and not hasattr(data, "columns"):
        raise TypeError(
            f"data is a {type(data).__name__}; give a mapping or a data frame of columns"
        )
    names = [*data.keys()]
    chosen = [each for each in names if each != left]
    if right != ".":
        chosen = [part.strip() for part in right.split("+")]
    for name in (left, *chosen):
        if name not in names:
            raise ValueError(
                f"the formula {formula!r} has {name!r}, and the data have the columns "
                f"{', '.join(map(str, names))}; transform columns before, and name them"
            )
    x = np.column_stack([np.asarray(data[name], np.float64) for name in chosen])
    response = np.asarray(data[left])
    if response.dtype.kind in "iuf":
        return Rows(*printed.rows(x, response))
    levels = sorted(set(map(str, response)))
    words = np.array([levels.index(str(each)) for each in response])
    one_hot = np.eye(len(levels))[words]
    y = one_hot[:, 1:] if len(levels) == 2 else one_hot
    return Rows(*printed.rows(x, y), tuple(levels))


def notes(entropy: bool, softmax: bool) -> tuple[str, ...]:
    """What is reported otherwise."""
    found = (
        "nnet's `value` is the sum over rows, with the decay; the loss here is per row, without it."
    )
    if entropy or softmax:
        return found, "Predictions are logits: nnet gives their logistic function or softmax."
    return (found,)


CONVENTIONS = Conventions(
    "R nnet",
    "7.3-18 (R 4.2.2)",
    {
        "first weights": "U(-0.7, 0.7), rang.",
        "first biases": "U(-0.7, 0.7).",
        "activations": "logistic; outputs logistic too unless linout.",
        "loss that is descended": "sum of squares over rows and outputs, plus decay times all w².",
        "loss that is reported": "the same sum, with the decay.",
        "optimiser": "BFGS with backtracking (vmmin).",
        "batches": "all rows.",
        "scaling": "none.",
        "stopping": "100 iterations, sum below 1e-4 (absolute), or relative change below 1e-8.",
        "precision": "float64.",
    },
    "three iterations, ends and 2,000 starts were recorded with R (tests/recorded/words).",
)
