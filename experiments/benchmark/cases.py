"""The benchmark's cases, P1 to P7: tasks and recipes, and how many steps take some seconds."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import approx as ap


class Case(NamedTuple):
    """One benchmark case.

    Attributes:
        about: network, data and step, for the table.
        task: for `ap.run`.
        recipe: for `ap.run`; its number of steps does not matter.
        seeds: networks in a comparison.
        ns: rough nanoseconds per seed and step by form; they decide how many steps are timed,
            nothing else.
        forms: of the program that are worth timing.
        flops: per seed and step, where the limit is the processor's peak; 0 where it is a C
            program.
        limited: whether there is a limit at all.
    """

    about: str
    task: ap.Task
    recipe: ap.Recipe
    seeds: int
    ns: Mapping[str, float]
    forms: tuple[str, ...] = ("lanes", "vmap")
    flops: float = 0
    limited: bool = True


def parabola(size: int) -> ap.Task:
    """P2's rows: x²/25 on [-10, 10]."""
    x, x_test = np.linspace(-10, 10, size), np.linspace(-20, 20, 401)
    return ap.task(lambda x: x**2 / 25, x=x, x_test=x_test)


def interval(size: int) -> ap.Task:
    """P3's rows: whether x lies between -0.5 and 0.7."""

    def inside(x):
        return ((x > -0.5) & (x < 0.7)).astype(float)

    x, x_test = np.linspace(-2, 2, size), np.linspace(-4, 4, 401)
    return ap.task(inside, x=x, x_test=x_test, loss="binary_cross_entropy")


def linear_map() -> ap.Task:
    """P4's rows: normal inputs, and a random linear map of them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 84))
    return ap.given(x, x @ rng.normal(size=(84, 84)) / 84, loss="mse")


def labelled() -> ap.Task:
    """P5's rows: normal inputs, and random labels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 200))
    return ap.given(x, rng.integers(0, 256, 256), loss="cross_entropy")


def square_cases() -> dict[str, Case]:
    """P1: x² with ten tanh units."""
    tanh = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", learning_rate=1e-3)
    ns = {"naive": 550, "vmap": 400, "lanes": 25}
    return {"P1": Case("1-10-1 tanh, 21 points, SGD", ap.tasks.square(), tanh, 512, ns)}


def variants(
    name: str,
    about: str,
    fixed: str,
    tasks: tuple[ap.Task, ap.Task],
    whole: ap.Recipe,
    size: int,
    ns,
) -> dict[str, Case]:
    """A case of drawn batches, the same on one fixed batch, and with whole epochs shuffled.

    Args:
        name: of the case.
        about: the case in words.
        fixed: the case on one batch in words.
        tasks: all rows, and one batch of them.
        whole: the recipe on all rows.
        size: rows of a batch.
        ns: rough nanoseconds per seed and step.
    """
    rows, batch = tasks
    drawn = replace(whole, batch_size=size, batches="replacement")
    shuffled = replace(whole, batch_size=size, batches="epoch")
    return {
        name: Case(about, rows, drawn, 512, ns),
        f"{name} fix": Case(fixed, batch, replace(whole, batch_size=None), 512, ns),
        f"{name} epoch": Case("the same, epochs shuffled", rows, shuffled, 512, ns),
    }


def parabola_cases() -> dict[str, Case]:
    """P2: x² with two layers of eight relu units, decay and batches."""
    relu = ap.Recipe(model=ap.MLP((8, 8), "relu"), learning_rate=1e-3, l2=1e-4, l2_on="all")
    tasks = parabola(8000), parabola(256)
    ns = {"naive": 5e3, "vmap": 4e3, "lanes": 700}
    about, fixed = "1-8-8-1 relu, L2, 256 of 8,000, Adam", "the same on one batch of 256"
    return variants("P2", about, fixed, tasks, relu, 256, ns)


def interval_cases() -> dict[str, Case]:
    """P3: one interval with two sigmoids and batches."""
    sigmoid = ap.Recipe(model=ap.MLP((2,), "sigmoid"), learning_rate=0.1)
    tasks = interval(300), interval(32)
    ns = {"naive": 450, "vmap": 300, "lanes": 35}
    about, fixed = "1-2-1 sigmoid, 32 of 300, Adam", "the same on one batch of 32"
    return variants("P3", about, fixed, tasks, sigmoid, 32, ns)


def dense_cases() -> dict[str, Case]:
    """P4, a linear map of 84 columns, and P5, a classifier of 256 classes."""
    linear = ap.Recipe(model=ap.MLP((), outputs=84), optimizer="sgd", learning_rate=1e-2)
    softmax = ap.Recipe(model=ap.MLP((256, 512), "relu", outputs=256), learning_rate=1e-3)
    first = 200 * 256
    weights = first + 256 * 512 + 512 * 256
    return {
        "P4": Case(
            about="84-84 linear, batch 80, SGD",
            task=linear_map(),
            recipe=linear,
            seeds=64,
            ns={"naive": 12e3, "vmap": 12e3, "columns": 1e4},
            forms=("columns", "vmap"),
            flops=4 * 80 * 84 * 84,
        ),
        "P5": Case(
            about="200-256-512-256 softmax, batch 256, Adam",
            task=labelled(),
            recipe=softmax,
            seeds=16,
            ns={"naive": 2.6e6, "vmap": 2.6e6},
            forms=("vmap",),
            flops=2 * 256 * (3 * weights - first),
        ),
    }


def product(size: int) -> ap.Task:
    """The rows of P6 and P7: x y for points drawn once from the square of side 2."""
    x = np.random.default_rng(0).uniform(-1, 1, (size, 2))
    return ap.given(x, x[:, :1] * x[:, 1:])


def product_cases() -> dict[str, Case]:
    """P6, two inputs, and P7, a Kolmogorov-Arnold network on the same rows."""
    relu = ap.Recipe(model=ap.MLP((16,), "relu"), learning_rate=1e-3)
    tasks = product(1_000), product(32)
    ns = {"naive": 5e3, "vmap": 5e3, "lanes": 300}
    about, fixed = "2-16-1 relu, 32 of 1,000, Adam", "the same on one batch of 32"
    cases = variants("P6", about, fixed, tasks, relu, 32, ns)

    edges = replace(cases["P6"].recipe, model=ap.models.KAN((5,), grid=3, spline_scale=False))
    about, ns = "KAN of [2, 5, 1], 32 of 1,000, Adam", {"naive": 5e4, "vmap": 5e4, "lanes": 1e4}
    return cases | {"P7": Case(about, tasks[0], edges, 512, ns, limited=False)}


CASES = square_cases() | parabola_cases() | interval_cases() | dense_cases() | product_cases()


def steps_for(seconds: float, ns: float, seeds: int, least: int = 10) -> int:
    """How many steps take about so many seconds, to two digits.

    Args:
        seconds: of all steps of all seeds.
        ns: nanoseconds per seed and step.
        seeds: how many networks.
        least: at least so many steps.
    """
    steps = seconds * 1e9 / ns / seeds
    digits = math.floor(math.log10(max(steps, 1)))
    return max(least, int(round(steps, 1 - digits)))
