"""Numbers of courses and tutorials: CS231n, micrograd, Nielsen's book, and PyTorch's own."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from verdicts import Entry, Exact, Run, Source

import approx as ap

# ---- CS231n --------------------------------------------------------------------------------------

CS231N = Source(
    "Andrej Karpathy",
    2015,
    "CS231n, Convolutional Neural Networks for Visual Recognition: notes",
    "Putting it together: Minimal Neural Network Case Study",
    "https://cs231n.github.io/neural-networks-case-study/",
)
DECAY = 1e-3


@register_dataclass
@dataclass(frozen=True, kw_only=True)
class Spirals(ap.tasks.Task):
    """Three spirals of 100 points, whose angles have noise with the deviation 0.2."""

    loss: Any = field(default="cross_entropy", metadata=ap.tasks.STATIC)
    classes: int | None = field(default=3, metadata=ap.tasks.STATIC)
    tested = False

    def rows(self, key, noise_key):
        """Points (300, 2) and labels (300,)."""
        del key
        labels = jnp.repeat(jnp.arange(3), 100)
        share = jnp.tile(jnp.linspace(0, 1, 100), 3)
        angle = 4 * (labels + share) + 0.2 * jax.random.normal(noise_key, (300,))
        return jnp.stack([share * jnp.sin(angle), share * jnp.cos(angle)], 1), labels

    def points(self):
        """The rows of one seed."""
        x, labels = self.rows(None, jax.random.key(0))
        return ap.tasks.Points(x, labels, jnp.zeros(300))


def cs231n(widths: tuple[int, ...], steps: int, printed: int, seeds: int) -> dict[str, np.ndarray]:
    """Loss with penalty before the step that follows `printed`, and accuracy at the end."""
    small = (ap.models.initializer("normal", sd=0.01), "zeros")
    recipe = ap.Recipe(
        model=ap.MLP(widths, "relu", outputs=3, initializer=small),
        optimizer="sgd",
        learning_rate=1.0,
        l2=DECAY / 2,
        steps=steps,
        records=sorted({0, printed, printed + 1, steps}),
    )
    runs = ap.run(Spirals(), recipe, seeds=seeds, keep=(), progress=False)
    loss = runs.batch_loss.sel(step=printed + 1).values
    return {"loss": loss, "accuracy": runs.accuracy.values[:, -1]}


# ---- micrograd -----------------------------------------------------------------------------------


def falling(step: Any) -> Any:
    """`1 - 0.9 k / 100`."""
    return 1 - 0.9 * step / 100


def micrograd() -> dict[str, np.ndarray]:
    """Losses with penalty before the 51st and the 100th step, and accuracies there."""
    recipe = ap.Recipe(
        model=ap.MLP(
            (16, 16),
            "relu",
            initializer=(ap.models.initializer("between", low=-1.0, high=1.0), "zeros"),
        ),
        optimizer="sgd",
        learning_rate=1.0,
        schedule=falling,
        l2=1e-4,
        l2_on="all",
        steps=100,
        records=range(101),
    )
    task = ap.tasks.moons(size=100, noise=0.1, loss="hinge")
    runs = ap.run(task, recipe, seeds=512, keep=(), progress=False)
    found = {}
    for step in (50, 99):
        found[f"loss {step}"] = runs.batch_loss.sel(step=step + 1).values
        found[f"accuracy {step}"] = runs.accuracy.sel(step=step).values
    return found


# ---- Nielsen -------------------------------------------------------------------------------------


def nielsen() -> dict[str, float]:
    """The output of one sigmoid unit before and after 300 steps, from two starts."""
    task = ap.given(np.array([[1.0]]), np.array([[0.0]]), loss="half_squared_error")
    model = ap.MLP((), output_activation="sigmoid")
    recipe = ap.Recipe(
        model=model, optimizer="sgd", learning_rate=0.15, steps=300, records=(0, 150, 300)
    )
    found = {}
    for name, (w, b) in {"first": (0.6, 0.9), "second": (2.0, 2.0)}.items():
        start = [{"w": jnp.full((1, 1), w), "b": jnp.full((1,), b)}]
        options = {"keep": ("prediction",), "keep_at": (0, 150, 300), "init_params": start}
        runs = ap.run(task, recipe, seeds=1, lanes=1, progress=False, **options)
        before, _, after = runs.prediction.values.ravel()
        found |= {f"{name} before": float(before), f"{name} after": float(after)}
    return found


# ---- PyTorch -------------------------------------------------------------------------------------


def tutorial(title: str, read: str = "") -> Source:
    """One page of PyTorch's tutorial "Learning PyTorch with Examples"."""
    return Source(
        "the PyTorch developers",
        2024,
        "Learning PyTorch with Examples",
        title,
        "https://docs.pytorch.org/tutorials/beginner/pytorch_with_examples.html",
        read,
    )


CUBIC = (
    "sin x at 2,000 points of [-π, π] by a polynomial of degree three: a linear layer of x, x² and "
    "x³, whose squared errors are summed, and 2,000 steps of the rate 1e-6. Losses are printed "
    "before the steps 100 and 2,000."
)


def cubic(initializer: Any) -> dict[str, np.ndarray]:
    """Sums of squares before two steps, for 1,024 seeds."""
    x = np.linspace(-np.pi, np.pi, 2_000)
    task = ap.given(x[:, None] ** np.arange(1, 4), np.sin(x))
    recipe = ap.Recipe(
        model=ap.MLP((), initializer=initializer),
        optimizer="sgd",
        learning_rate=1e-6,
        reduction="sum",
        steps=2_000,
        records=(0, 99, 1_999, 2_000),
    )
    runs = ap.run(task, recipe, seeds=1_024, keep=(), progress=False)
    return {f"{step}": 2_000 * runs.loss.sel(step=step).values for step in (99, 1_999)}


def cubic_again(initializer: Any) -> dict[str, np.ndarray]:
    """The same, with the early loss of a later version of the page."""
    found = cubic(initializer)
    return found | {"99 again": found["99"]}


# ---- all of them ---------------------------------------------------------------------------------

ENTRIES = {
    "cs231n_linear": Entry(
        "A linear classifier on three spirals",
        CS231N,
        "300 points on three spirals. A softmax classifier with weights from N(0, 0.01²) is "
        "trained for 200 steps of the rate 1 on all rows, with the penalty ½ 0.001 Σ w².",
        "Every seed draws its own points. The loss is that of the last line that is printed, "
        "iteration 190, with the penalty in it.",
        {
            "loss": Run("loss before step 191", 0.786302, 5e-7),
            "accuracy": Run("share of rows that are right", 0.49, 5e-3),
        },
        partial(cs231n, (), 200, 190, 1_024),
        reason=(
            "The loss is a little higher, and the share of right rows a little lower, than nearly "
            "all draws of such points give: the page had an unusual draw, or drew otherwise."
        ),
        cheap=True,
    ),
    "cs231n_net": Entry(
        "A hundred relu units on three spirals",
        CS231N,
        "The same with one hidden layer of 100 relu units and 10,000 steps.",
        "Every seed draws its own points.",
        {
            "loss": Run("loss before step 9,001", 0.245292, 5e-7),
            "accuracy": Run("share of rows that are right", 0.98, 5e-3),
        },
        partial(cs231n, (100,), 10_000, 9_000, 48),
    ),
    "micrograd": Entry(
        "micrograd's demonstration on two moons",
        Source(
            "Andrej Karpathy",
            2020,
            "micrograd",
            "demo.ipynb",
            "https://github.com/karpathy/micrograd",
        ),
        "100 points on two half circles with noise 0.1, and a 2-16-16-1 network of relus with "
        "weights from U(-1, 1) and biases of 0. The hinge loss and the penalty 1e-4 Σ p² over all "
        "parameters are descended for 100 steps of the rate 1 - 0.9 k / 100.",
        "Every seed draws the noise of its own points.",
        {
            "loss 50": Run("loss before step 51", 0.09875114765619622, 5e-9),
            "accuracy 50": Run("share of rows that are right there", 0.96, 1e-6),
            "loss 99": Run("loss before step 100", 0.010978370135492717, 5e-9),
            "accuracy 99": Run("share of rows that are right there", 1.0, 1e-6),
        },
        micrograd,
        cheap=True,
    ),
    "nielsen": Entry(
        "One sigmoid unit that is badly wrong",
        Source(
            "Michael Nielsen",
            2015,
            "Neural Networks and Deep Learning",
            "chapter 3, the cross-entropy cost function",
            "http://neuralnetworksanddeeplearning.com/chap3.html",
            "a copy of the chapter",
        ),
        "A sigmoid unit learns to turn 1 into 0: cost ½ a², rate 0.15, 300 epochs, from the weight "
        "0.6 and the bias 0.9, and from 2 and 2.",
        "The number of epochs is that of the figure's axis.",
        {
            "first before": Exact("output at the first start", 0.82, 5e-3),
            "first after": Exact("output after 300 epochs", 0.09, 5e-3),
            "second before": Exact("output at the second start", 0.98, 5e-3),
        },
        nielsen,
        cheap=True,
    ),
    "pytorch_nn": Entry(
        "PyTorch: a polynomial for the sine, by nn.Linear",
        tutorial("PyTorch: nn"),
        CUBIC,
        "The page has been built several times, with other random numbers: 240.86 and 9.028 stand "
        "in one version of the page, 1204.70 in another.",
        {
            "99": Run("loss before step 100", 240.86277770996094, 5e-4),
            "99 again": Run("the same in another version of the page", 1204.69580078125, 5e-4),
            "1999": Run("loss before step 2,000", 9.028006553649902, 5e-6),
        },
        partial(cubic_again, "pytorch"),
    ),
    "pytorch_tensors": Entry(
        "PyTorch: a polynomial for the sine, from N(0, 1)",
        tutorial("PyTorch: Tensors", "a copy of the page in a collection of texts"),
        CUBIC + " All four numbers start from N(0, 1).",
        "Nothing.",
        {
            "99": Run("loss before step 100", 463.81201171875, 5e-4),
            "1999": Run("loss before step 2,000", 9.045997619628906, 5e-6),
        },
        partial(cubic, ("normal", "normal")),
        cheap=True,
    ),
}
