"""Numbers in the manuals of programs: SNNS, Torch, brain.js and Flux."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from verdicts import Entry, Exact, Run, Source

import approx as ap

# ---- SNNS ----------------------------------------------------------------------------------------

EPOCHS = 50
CORNERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([[0.0], [1], [1], [0]])
# The weights and biases of xor_untrained.net
FROM_INPUTS, OF_HIDDEN = (0.49629, 0.77465), 0.18108
SHORTCUTS, FROM_HIDDEN, OF_RESULT = (-0.64018, -0.80468), 0.07288, -0.95604
# SNNS prints sums of squares of the epochs 1, 6, ..., 46 and 50
BACKPROP = (1.48720, 1.35070, 1.21259, 1.11305, 1.06212, 1.02845, 1.02740)
MOMENTUM = (1.50424, 1.15013, 1.14990, 1.14882, 1.14758, 1.13513, 1.11948)
PRINTED = (1, 6, 11, 16, 21, 41, 50)
# Half a unit of the last digit, and a whole one because the first weights have five digits too
ROUNDING = 1.5e-5


def snns(file: str) -> Source:
    """A file of the examples of SNNS 4.3."""
    return Source(
        "Andreas Zell and others",
        1995,
        "SNNS, the Stuttgart Neural Network Simulator, version 4.3",
        f"examples/{file}",
        "https://github.com/mwri/snns",
    )


def flat(z: Any, more: float) -> Any:
    """A sigmoid whose derivative is larger by `more`: flat spot elimination (Fahlman 1988)."""
    return jax.nn.sigmoid(z) + more * (z - jax.lax.stop_gradient(z))


def with_shortcuts(more: float = 0.0) -> tuple[Any, Any]:
    """A network of two inputs, one hidden unit and one output that sees the inputs too."""

    def init(key, x):
        del key, x
        hidden = {"w": jnp.array(FROM_INPUTS)[:, None], "b": jnp.array([OF_HIDDEN])}
        w = jnp.array([*SHORTCUTS, FROM_HIDDEN])[:, None]
        return [hidden, {"w": w, "b": jnp.array([OF_RESULT])}]

    def apply(params, x):
        hidden, result = params
        h = flat(x @ hidden["w"] + hidden["b"], more)
        return flat(jnp.concatenate([x, h], 1) @ result["w"] + result["b"], more)

    return init, apply


def sums_of_squares(task: ap.tasks.Task, recipe: ap.Recipe, rows: int, seeds: int) -> np.ndarray:
    """`Σ e²` over the rows of an epoch, each before the step that it makes, (seed, epoch)."""
    runs = ap.run(task, recipe, seeds=seeds, keep=(), progress=False)
    return 2 * rows * runs.batch_loss.values[:, 1:]


def online(model: Any, rate: float, momentum: float, rows: int) -> ap.Recipe:
    """Rows one by one, in their order, with a record after every epoch."""
    return ap.Recipe(
        model=model,
        optimizer="sgd",
        learning_rate=rate,
        options={"momentum": momentum},
        steps=EPOCHS * rows,
        batch_size=1,
        batches="order",
        records=range(0, EPOCHS * rows + 1, rows),
    )


def in_whole(model: Any) -> ap.Recipe:
    """Rprop with the first step 0.2 and the longest step 2, which is SNNS' own."""
    return ap.Recipe(
        model=model,
        optimizer="rprop",
        learning_rate=0.2,
        options={"longest": 2.0},
        steps=EPOCHS,
        records=range(EPOCHS + 1),
    )


def snns_xor() -> dict[str, float]:
    """Sums of squares of three trainings from the weights that SNNS brings along."""
    task = ap.given(CORNERS, XOR, loss="half_squared_error")
    recipes = {
        "backprop": online(with_shortcuts(), 0.2, 0.0, 4),
        "momentum": online(with_shortcuts(0.1), 0.8, 0.6, 4),
        "momentum, 0": online(with_shortcuts(), 0.8, 0.6, 4),
        "rprop": in_whole(with_shortcuts()),
    }
    found = {}
    for name, recipe in recipes.items():
        sums = sums_of_squares(task, recipe, 4, 1)[0]
        found |= {f"{name} {epoch}": float(sums[epoch - 1]) for epoch in PRINTED}
    return found


def snns_encoder() -> dict[str, np.ndarray]:
    """Sums of squares in the last of 50 epochs, from weights and biases of U(-1, 1)."""
    task = ap.given(np.eye(8), np.eye(8), loss="half_squared_error")
    shape = {"widths": (3,), "activation": "sigmoid", "outputs": 8, "initializer": "uniform"}
    sigmoids = ap.MLP(**shape, output_activation="sigmoid")
    flattened = ap.MLP(
        **shape | {"activation": partial(flat, more=0.1)}, output_activation=partial(flat, more=0.1)
    )
    recipes = {
        "backprop": online(sigmoids, 2.0, 0.0, 8),
        "momentum": online(flattened, 0.8, 0.6, 8),
        "rprop": in_whole(sigmoids),
    }
    return {name: sums_of_squares(task, each, 8, 512)[:, -1] for name, each in recipes.items()}


def exact(name: str, values: tuple[float, ...], epochs: Any = PRINTED) -> dict[str, Exact]:
    """The sums of squares that SNNS prints for one learning function."""
    found = {}
    for epoch, value in zip(PRINTED, values, strict=True):
        if epoch in epochs:
            found[f"{name} {epoch}"] = Exact(f"{name}: Σ e² of epoch {epoch}", value, ROUNDING)
    return found


SOME = (1, 21, 50)
WITHOUT = exact("momentum, 0", MOMENTUM)


# ---- Torch ---------------------------------------------------------------------------------------

CORNER_POINTS = np.array([[0.5, 0.5], [0.5, -0.5], [-0.5, 0.5], [-0.5, -0.5]])
TORCH = Source(
    "Ronan Collobert, Koray Kavukcuoglu, Clément Farabet and others",
    2016,
    "torch/nn, the manual",
    "doc/training.md",
    "https://github.com/torch/nn",
)
CORNER_NAMES = ("++", "+-", "-+", "--")


def unlike(x: Any) -> Any:
    """1 where both inputs have unlike signs, else -1."""
    return jnp.where(x[:, 0] * x[:, 1] > 0, -1.0, 1.0)


def pairs_of_normals(key: Any, n: int) -> Any:
    """Rows of two normal numbers."""
    return jax.random.normal(key, (n, 2))


def torch_outputs(**how: Any) -> dict[str, np.ndarray]:
    """The outputs at four points, for 512 seeds."""
    task = ap.drawn(unlike, pairs_of_normals, rows=100, x_test=CORNER_POINTS)
    recipe = ap.Recipe(
        model=ap.MLP((20,), "tanh"), optimizer="sgd", learning_rate=0.01, batch_size=1, **how
    )
    runs = ap.run(task, recipe, seeds=512, progress=False)
    outputs = runs.prediction.values[..., 0]
    return {name: outputs[:, n] for n, name in enumerate(CORNER_NAMES)}


def torch_numbers(values: tuple[float, ...]) -> dict[str, Run]:
    """What the manual prints for the four points."""
    texts = [f"output at ({a:g}, {b:g})" for a, b in CORNER_POINTS]
    rows = zip(CORNER_NAMES, texts, values, strict=True)
    return {name: Run(text, value, 5e-5) for name, text, value in rows}


# ---- brain.js ------------------------------------------------------------------------------------


def brainjs() -> dict[str, np.ndarray]:
    """The output at (1, 0) of brain.js' network with all its defaults, for 256 seeds."""
    question = ap.frameworks.brainjs.question(CORNERS, XOR)
    runs = ap.run(*question, seeds=256, progress=False)
    return {"output": runs.prediction.values[:, 2, 0]}


# ---- Flux ----------------------------------------------------------------------------------------


def unlike_halves(x: Any) -> Any:
    """0 where exactly one input is above one half, else 1."""
    above = x > 0.5
    return jnp.where(above[:, 0] != above[:, 1], 0, 1)


def flux() -> dict[str, np.ndarray]:
    """Shares of right rows after 1,000 epochs, for 160 seeds."""
    layers = ap.models
    model = layers.Chain(
        [
            layers.Dense(3, "tanh"),
            layers.BatchNorm(momentum=0.9, epsilon=1e-5, unbiased=True),
            layers.Dense(2),
        ]
    )
    task = ap.drawn(unlike_halves, [(0.0, 1.0)] * 2, rows=1_000, loss="cross_entropy")
    recipe = ap.Recipe(
        model=model, optimizer="adam", learning_rate=0.01, batch_size=64, epochs=1_000, records=5
    )
    runs = ap.run(task, recipe, seeds=160, keep=(), progress=False)
    return {"accuracy": runs.accuracy.values[:, -1]}


# ---- all of them ---------------------------------------------------------------------------------

ENTRIES = {
    "snns_xor": Entry(
        "Exclusive or from given weights, epoch by epoch",
        snns("xor.chk, examples/xor_untrained.net"),
        "A sigmoid network of two inputs, one hidden unit, and an output that also sees inputs, "
        "from given weights. Rows come one by one in their order. Backpropagation has the rate "
        "0.2; with momentum the rate is 0.8, the momentum 0.6, and 0.1 is added to every "
        "derivative of a sigmoid. Rprop begins with steps of 0.2.",
        "The error of a row is ½ e². Rprop's longest step is 2, as in SNNS' program. In the rows "
        '"momentum, 0" nothing is added to derivatives.',
        exact("backprop", BACKPROP)
        | exact("momentum", MOMENTUM, SOME)
        | WITHOUT
        | exact("rprop", BACKPROP, SOME),
        snns_xor,
        reason=(
            "The file prints numbers that are not those of its own settings. With momentum they "
            "are those without the 0.1, digit for digit. The column of Rprop is that of plain "
            "backpropagation, to one unit of the last digit."
        ),
        afterwards=tuple(WITHOUT),
        cheap=True,
    ),
    "snns_encoder": Entry(
        "The 8-3-8 encoder after 50 epochs",
        snns("encoder.chk"),
        "A sigmoid network learns to copy eight patterns of a single 1 through three units, with "
        "backpropagation (rate 2), with momentum (rate 0.8, momentum 0.6, 0.1 added to "
        "derivatives), and with Rprop (first step 0.2). Printed is Σ e² of epoch 50.",
        "SNNS starts from one network that it brings along; here every seed draws weights and "
        "biases from U(-1, 1), as SNNS does by default.",
        {
            "backprop": Run("backpropagation: Σ e² of epoch 50", 4.26193, ROUNDING),
            "momentum": Run("with momentum: Σ e² of epoch 50", 3.11198, ROUNDING),
            "rprop": Run("Rprop: Σ e² of epoch 50", 0.00293, ROUNDING),
        },
        snns_encoder,
        cheap=True,
    ),
    "torch_rows": Entry(
        "Torch: unlike signs from 100 rows",
        TORCH,
        "100 rows of two normal numbers, of which the target is 1 if their signs differ and else "
        "-1. A 2-20-1 network of tanh units, squared error, rate 0.01, 25 passes row by row.",
        "The rows are shuffled once, before the first pass. First weights and biases are "
        "U(±1 / √inputs), as Torch's.",
        torch_numbers((-0.3490, 1.0561, 0.8640, -0.2941)),
        partial(torch_outputs, epochs=25, batches="once"),
        cheap=True,
    ),
    "torch_stream": Entry(
        "Torch: unlike signs from 2,500 fresh rows",
        TORCH,
        "The same network and rate, with 2,500 rows of which each is seen once.",
        "As above.",
        torch_numbers((-0.6140, 0.8878, 0.8548, -0.5498)),
        partial(torch_outputs, steps=2_500, batches="stream"),
    ),
    "brainjs": Entry(
        "brain.js: exclusive or with all defaults",
        Source(
            "Heather Arthur and others",
            2017,
            "brain.js, README",
            "section Examples",
            "https://github.com/BrainJS/brain.js",
        ),
        "The network of brain.js with all its defaults is trained on the four rows of exclusive "
        "or, and asked for its output at (1, 0).",
        "Defaults are those of version 1.6.1: three hidden units, rate 0.3, momentum 0.1, an end "
        "at an error of 0.005.",
        {"output": Run("output at (1, 0)", 0.987, 5e-4)},
        brainjs,
        reason=(
            "README shows an output of an earlier version. An error of 0.005, at which today's "
            "defaults end the training, is reached with outputs near 0.93."
        ),
    ),
    "flux": Entry(
        "Flux: exclusive or of halves in one minute",
        Source(
            "Michael Innes and others",
            2023,
            "Flux.jl, documentation",
            "A Neural Network in One Minute",
            "https://fluxml.ai/Flux.jl/stable/guide/models/quickstart/",
        ),
        "1,000 rows of U(0, 1)², whose class is whether exactly one number is above one half. "
        "Three tanh units, batch normalisation, two outputs with a softmax; Adam with the rate "
        "0.01, batches of 64, 1,000 epochs.",
        "Flux' first weights are Glorot's uniform ones with biases of 0; its running averages "
        "keep 0.9 and take the variance over n - 1; its epsilon is 1e-5.",
        {"accuracy": Run("share of rows that are right", 0.94, 5e-3)},
        flux,
    ),
}
