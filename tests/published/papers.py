"""Numbers of papers: arithmetic units, initialisers, capacity, and deep linear networks."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from verdicts import Entry, Exact, Mean, Share, Source

import approx as ap

# ---- arithmetic units ----------------------------------------------------------------------------

EVERY = 1_000
BOUNDS = {"nau": (-1.0, 1.0), "nmu": (0.0, 1.0)}
MADSEN = Source(
    "Andreas Madsen and Alexander Rosenberg Johansen",
    2020,
    "Neural Arithmetic Units (ICLR)",
    "table 1; details from experiments/simple_function_static.py and export/simple_mul.r",
    "https://github.com/AndreasMadsen/stable-nalu",
)
SETUP = (
    "t = (x1 + x2)(x1 + x2 + x3 + x4), two layers with two hidden units. In every iteration 128 "
    "fresh rows are drawn from U[1, 2], and Adam with the rate 0.001 descends the mean squared "
    "error, 200,000 times. A training succeeds if its error on U[2, 6] is below that of the right "
    "weights moved by 1e-5, at that 1,000th iteration at which the error on U[1, 2] is lowest."
)
POINTS = (
    "Both errors are measured at 1,000 points in place of 10,000, and the threshold at 1,000,000 "
    "points of our own. The first iteration below the threshold is a multiple of 1,000, as there."
)


def two_sums(x: Any) -> Any:
    """`(x1 + x2)(x1 + x2 + x3 + x4)`."""
    return (x[:, 0] + x[:, 1]) * x.sum(1)


def threshold(off: float = 1e-5, size: int = 1_000_000) -> float:
    """The extrapolation error of the right weights of the first layer, moved by `off`."""
    x = np.random.default_rng(0).uniform(2, 6, (size, 4))
    right = np.array([[1.0, 1, 0, 0], [1, 1, 1, 1]])
    moved = x @ np.where(right == 1, 1 - off, off).T
    return float(np.mean((moved.prod(1) - two_sums(x)) ** 2))


def clipped(cells: tuple[str, ...], learning_rate: Any) -> optax.GradientTransformation:
    """Adam, after which the weights of addition and multiplication units are clipped."""

    def project(updates, params):
        layers = []
        for cell, moved, layer in zip(cells, updates["layers"], params["layers"], strict=True):
            after = jnp.clip(layer["w"] + moved["w"], *BOUNDS[cell])
            layers.append({"w": after - layer["w"]})
        return {"layers": layers}

    return optax.chain(optax.adam(learning_rate), optax.stateless(project))


def arithmetic(cells: tuple[str, ...], steps: int, seeds: int) -> dict[str, np.ndarray]:
    """Which trainings of two layers succeed, and when those did first."""
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.uniform(1, 2, (1_000, 4)), rng.uniform(2, 6, (1_000, 4))])
    task = ap.drawn(two_sums, [(1.0, 2.0)] * 4, rows=128, x_test=points)
    bounded = all(cell in BOUNDS for cell in cells)
    recipe = ap.Recipe(
        model=ap.models.Arithmetic(cells, (2,)),
        optimizer=partial(clipped, cells) if bounded else "adam",
        learning_rate=1e-3,
        steps=steps,
        batch_size=128,
        batches="stream",
        records=range(0, steps + 1, EVERY),
    )
    runs = ap.run(task, recipe, seeds=seeds, keep=(), progress=False)
    inside, outside = runs.test_loss.values, runs.outside_loss.values
    below = outside < threshold()
    best = np.where(np.isnan(inside), np.inf, inside).argmin(1)
    solved = below[np.arange(len(below)), best]
    return {"solved": solved, "first": runs.step.values[below.argmax(1)][solved]}


def of_arithmetic(
    name: str, cells: tuple[str, ...], rate: float, mean: float, half: float, steps: int
) -> Entry:
    """The entry of one row of the table."""
    text = "mean iteration at which those that succeed first do"
    return Entry(
        f"{name} multiplies two sums",
        MADSEN,
        SETUP,
        f"{POINTS} We make {steps:,} iterations, with 64 seeds.",
        {
            "solved": Share("trainings that succeed", rate, 100),
            "first": Mean(text, mean, half / 1.96, wide=mean / 4),
        },
        partial(arithmetic, cells, steps, 64),
    )


# ---- first weights -------------------------------------------------------------------------------

WIDTH, LAYERS = 512, 6


def through(model: ap.MLP, activation: Callable, seed: int, columns: int) -> list[np.ndarray]:
    """The inputs of the units of every layer, for 256 rows of U[-1, 1] without biases."""
    key = jax.random.key(seed)
    x = jax.random.uniform(key, (256, columns), minval=-1.0)
    found = []
    for layer in model.init(jax.random.fold_in(key, 1), x)[:-1]:
        z = x @ layer["w"]
        found.append(np.asarray(z))
        x = activation(z)
    return found


def siren() -> dict[str, np.ndarray]:
    """Variances of the inputs and of the outputs of sines, in the second and the last layer."""
    model = ap.models.SIREN((WIDTH,) * LAYERS, frequency=30.0)
    found: dict[str, list[float]] = {"in 2": [], "in 6": [], "out 6": []}
    for seed in range(32):
        layers = through(model, lambda z: jnp.sin(30 * z), seed, 2)
        found["in 2"].append((30 * layers[1]).var())
        found["in 6"].append((30 * layers[5]).var())
        found["out 6"].append(np.sin(30 * layers[5]).var())
    return {name: np.array(values) for name, values in found.items()}


def ratios(initializer: str, activation: Callable) -> np.ndarray:
    """By which factor the mean square of a layer's inputs grows, layer by layer, for 32 seeds."""
    model = ap.MLP((WIDTH,) * LAYERS, "linear", initializer=initializer)
    found = []
    for seed in range(32):
        squares = [float(np.mean(z**2)) for z in through(model, activation, seed, WIDTH)]
        found.append((squares[-1] / squares[0]) ** (1 / (LAYERS - 1)))
    return np.array(found)


def variances() -> dict[str, np.ndarray]:
    """Factors of a layer with common first weights, and with those of He et al. for relus."""
    return {
        "common": ratios("pytorch", lambda z: z),
        "he": ratios("he", lambda z: jnp.maximum(z, 0)),
    }


# ---- capacity ------------------------------------------------------------------------------------

DIMENSION = 10


def wendel(points: int, dimension: int = DIMENSION) -> float:
    """`2^(1 - N) Σ_{k < d} C(N - 1, k)`, the probability that N points can be separated."""
    return sum(math.comb(points - 1, k) for k in range(dimension)) / 2 ** (points - 1)


def separated(points: int) -> np.ndarray:
    """For which of 1,000 seeds a linear unit without bias separates random points.

    A label at random is a sign at random of a point, so that all labels may be 1.
    """

    def normal(key, n):
        return jax.random.normal(key, (n, DIMENSION))

    task = ap.drawn(lambda x: jnp.ones(len(x)), normal, rows=points, loss="squared_hinge")
    model = ap.MLP((), bias=False)
    recipe = ap.Recipe(model=model, optimizer="lbfgs", steps=1_000, dtype="float64")
    runs = ap.run(task, recipe, seeds=1_000, keep=(), progress=False)
    return runs.accuracy.max("step").values == 1


def capacity() -> dict[str, np.ndarray]:
    """Three numbers of points in ten dimensions."""
    return {f"{n}": separated(n) for n in (15, 20, 25)}


# ---- deep linear networks ------------------------------------------------------------------------

SLOW, AT_FIRST = 1e-3, 1e-3


def course(time: float) -> float:
    """`u(t) = s e^(2 s t) / (e^(2 s t) - 1 + s / u(0))` with s = 1, t in steps times the rate."""
    grown = math.exp(2 * time)
    return grown / (grown - 1 + 1 / AT_FIRST)


def deep_linear() -> dict[str, float]:
    """The product of both weights of a 1-1-1 linear network, at three times."""
    task = ap.given(np.array([[1.0]]), np.array([[1.0]]), loss="half_squared_error")
    model = ap.MLP((1,), "linear", bias=False)
    start = [{"w": jnp.full((1, 1), math.sqrt(AT_FIRST))}] * 2
    recipe = ap.Recipe(
        model=model,
        optimizer="sgd",
        learning_rate=SLOW,
        steps=5_000,
        records=(0, 2_000, 3_500, 5_000),
        dtype="float64",
    )
    options = {"keep": ("prediction",), "keep_at": (2_000, 3_500, 5_000), "init_params": start}
    runs = ap.run(task, recipe, seeds=1, lanes=1, progress=False, **options)
    values = runs.prediction.values.ravel()
    return dict(zip(("2000", "3500", "5000"), map(float, values), strict=True))


# ---- all of them ---------------------------------------------------------------------------------

ENTRIES = {
    "nmu": of_arithmetic("An NMU", ("nau", "nmu"), 0.94, 14_000, 215, 20_000),
    "nac": of_arithmetic("A multiplying NAC", ("nac", "nac_product"), 0.13, 59_000, 7_200, 200_000),
    "nalu": of_arithmetic("A NALU", ("nalu", "nalu"), 0.26, 78_000, 7_400, 200_000),
    "siren": Entry(
        "A SIREN's first weights keep the variance through all layers",
        Source(
            "Vincent Sitzmann, Julien Martel, Alexander Bergman, David Lindell, Gordon Wetzstein",
            2020,
            "Implicit Neural Representations with Periodic Activation Functions (NeurIPS)",
            "section 3.2 and theorem 1.8 of the supplement",
            "https://arxiv.org/abs/2006.09661",
            "a description of the theorem in another text",
        ),
        "Layers of n inputs with weights from U(±√(6 / n)), whose outputs are sines: the inputs of "
        "a sine are normal with variance 1, and its outputs have the arcsine distribution, whose "
        "variance is 1/2, in the limit of many units.",
        "Six layers of 512 units, 256 rows of two inputs from U[-1, 1], and the frequency 30. The "
        "theorem has no biases, so they are left out.",
        {
            "in 2": Mean("variance of the inputs of the sines of layer 2", 1.0, 0.0, wide=0.05),
            "in 6": Mean("variance of the inputs of the sines of layer 6", 1.0, 0.0, wide=0.05),
            "out 6": Mean("variance of the outputs of layer 6", 0.5, 0.0, wide=0.05),
        },
        siren,
        reason=(
            "The sine of a number from N(0, 1) has the variance (1 - e⁻²) / 2 = 0.432 and not the "
            "1/2 of the arcsine distribution, so that every layer passes on less than it gets. The "
            "variance v of the inputs goes to the solution of v = 1 - e^(-2 v), which is 0.797."
        ),
        cheap=True,
    ),
    "variances": Entry(
        "Common first weights lose two thirds of the variance in each layer, those of He none",
        Source(
            "Xavier Glorot and Yoshua Bengio; Kaiming He, Xiangyu Zhang, Shaoqing Ren and Jian Sun",
            2010,
            "Understanding the difficulty of training deep feedforward neural networks (AISTATS); "
            "Delving Deep into Rectifiers (2015)",
            "equations 1 and 15; equation 10",
            "https://proceedings.mlr.press/v9/glorot10a.html",
            "the formulas as textbooks give them",
        ),
        "n var(W) = 1/3 for weights from U(±1 / √n), in linear layers; ½ n var(W) = 1 for weights "
        "from N(0, 2 / n) before relus.",
        "Six layers of 512 units, 256 rows of U[-1, 1]. The factor of a layer is the fifth root of "
        "that between layers 1 and 6.",
        {
            "common": Mean("factor of a linear layer with U(±1 / √n)", 1 / 3, 0.0, wide=0.05),
            "he": Mean("factor of a layer of relus with N(0, 2 / n)", 1.0, 0.0, wide=0.05),
        },
        variances,
        cheap=True,
    ),
    "capacity": Entry(
        "A linear unit separates twice as many points as it has weights, half of the time",
        Source(
            "Thomas M. Cover",
            1965,
            "Geometrical and Statistical Properties of Systems of Linear Inequalities with "
            "Applications in Pattern Recognition (IEEE Transactions on Electronic Computers EC-14)",
            "theorem 1",
            "https://doi.org/10.1109/PGEC.1965.264137",
            "the abstract, and the formula in an encyclopedia",
        ),
        "N points in general position in d dimensions with labels at random are separable by a "
        "hyperplane through 0 with the probability 2^(1 - N) Σ_{k < d} C(N - 1, k).",
        "d = 10, points from a normal distribution. Separable is what L-BFGS separates within "
        "1,000 evaluations of the squared hinge loss, in float64.",
        {
            f"{n}": Share(f"separable sets of {n} points in 10 dimensions", wendel(n))
            for n in (15, 20, 25)
        },
        capacity,
        cheap=True,
    ),
    "deep_linear": Entry(
        "A linear network with a hidden unit learns along a sigmoid",
        Source(
            "Andrew Saxe, James McClelland and Surya Ganguli",
            2014,
            "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks "
            "(ICLR)",
            "section 1.1",
            "https://arxiv.org/abs/1312.6120",
            "the formula in notes on the paper",
        ),
        "u(t) = s e^(2 s t / τ) / (e^(2 s t / τ) - 1 + s / u(0)) for the product u of two equal "
        "weights, one input and the target s.",
        "s = 1, u(0) = 0.001, and steps of the rate 0.001 in place of a flow; the tolerance of "
        "0.005 is for that.",
        {
            f"{n}": Exact(f"u after {n} steps", course(n * SLOW), 5e-3)
            for n in (2_000, 3_500, 5_000)
        },
        deep_linear,
        cheap=True,
    ),
}
