"""The benchmark's cases, P1 to P7: tasks and recipes, and how a benchmark's seconds become steps."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

import approx as ap
from experiments.benchmark.kan import kan


class Case(NamedTuple):
    """One benchmark case.

    Attributes:
        about: network, data and step, for the table.
        task, recipe: for `ap.run`; `recipe.steps` does not matter.
        seeds: of the comparison.
        ns: rough nanoseconds per seed and step by form; decides how many steps are timed, nothing
            else.
        forms: of the program that are worth timing.
        flops: per seed and step, where the limit is the processor's peak; 0 where it is a C
            program.
    """

    about: str
    task: ap.Task
    recipe: ap.Recipe
    seeds: int
    ns: Mapping[str, float]
    forms: tuple[str, ...] = ("lanes", "vmap")
    flops: float = 0


def parabola(size: int) -> ap.Task:
    """P2's rows: x²/25 on [-10, 10]."""
    return ap.task(
        lambda x: x**2 / 25, x=np.linspace(-10, 10, size), x_test=np.linspace(-20, 20, 401)
    )


def interval(size: int) -> ap.Task:
    """P3's rows: whether x lies between -0.5 and 0.7."""
    inside = lambda x: ((x > -0.5) & (x < 0.7)).astype(float)  # noqa: E731
    x_test = np.linspace(-4, 4, 401)
    return ap.task(inside, x=np.linspace(-2, 2, size), x_test=x_test, loss="binary_cross_entropy")


def dense(rows: int, inputs: int, outputs: int, loss: str) -> ap.Task:
    """P4's and P5's rows: normal inputs, and a random linear map of them, or random labels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, inputs))
    y = (
        rng.integers(0, outputs, rows)
        if loss == "cross_entropy"
        else x @ rng.normal(size=(inputs, outputs)) / inputs
    )
    return ap.given(x, y, loss=loss)


def make_cases() -> dict[str, Case]:
    """P1 to P5; P2 and P3 also with a fixed batch ("fix"), and with whole epochs shuffled
    ("epoch").
    """
    relu = ap.Recipe(model=ap.MLP((8, 8), "relu"), learning_rate=1e-3, l2=1e-4, l2_on="all")
    sigmoid = ap.Recipe(model=ap.MLP((2,), "sigmoid"), learning_rate=0.1)
    tanh = ap.Recipe(model=ap.MLP((10,), "tanh"), optimizer="sgd", learning_rate=1e-3)
    linear = ap.Recipe(model=ap.MLP((), outputs=84), optimizer="sgd", learning_rate=1e-2)
    softmax = ap.Recipe(model=ap.MLP((256, 512), "relu", outputs=256), learning_rate=1e-3)
    n1, n2, n3 = (
        {"naive": 550, "vmap": 400, "lanes": 25},
        {"naive": 5e3, "vmap": 4e3, "lanes": 700},
        {"naive": 450, "vmap": 300, "lanes": 35},
    )
    one = lambda recipe: replace(recipe, batch_size=None)  # noqa: E731
    drawn = lambda recipe, size, batches: replace(recipe, batch_size=size, batches=batches)  # noqa: E731
    wide = 200 * 256 + 256 * 512 + 512 * 256
    return {
        "P1": Case("1-10-1 tanh, 21 points, SGD", ap.tasks.square(), tanh, 512, n1),
        "P2": Case("1-8-8-1 relu, L2, 256 of 8,000, Adam", parabola(8000), drawn(relu, 256, "replacement"), 512, n2),
        "P2 fix": Case("the same on one batch of 256", parabola(256), one(relu), 512, n2),
        "P2 epoch": Case("the same, epochs shuffled", parabola(8000), drawn(relu, 256, "epoch"), 512, n2),
        "P3": Case("1-2-1 sigmoid, 32 of 300, Adam", interval(300), drawn(sigmoid, 32, "replacement"), 512, n3),
        "P3 fix": Case("the same on one batch of 32", interval(32), one(sigmoid), 512, n3),
        "P3 epoch": Case("the same, epochs shuffled", interval(300), drawn(sigmoid, 32, "epoch"), 512, n3),
        "P4": Case("84-84 linear, batch 80, SGD", dense(80, 84, 84, "mse"), linear, 64,
                   {"naive": 12e3, "vmap": 12e3, "columns": 1e4}, ("columns", "vmap"), 4 * 80 * 84 * 84),
        "P5": Case("200-256-512-256 softmax, batch 256, Adam", dense(256, 200, 256, "cross_entropy"), softmax, 16,
                   {"naive": 2.6e6, "vmap": 2.6e6}, ("vmap",), 2 * 256 * (3 * wide - 200 * 256)),
    }  # fmt: skip


def product() -> ap.Task:
    """The rows of P6 and P7: x y for 1,000 points drawn once from the square of side 2."""
    x = np.random.default_rng(0).uniform(-1, 1, (1_000, 2))
    return ap.given(x, x[:, :1] * x[:, 1:])


def make_wider_cases() -> dict[str, Case]:
    """P6 and P7, two inputs; they have no C limit, so only accelerators are measured on them."""
    rough = {"naive": 5e3, "vmap": 5e3, "lanes": 1e3}
    relu = ap.Recipe(
        model=ap.MLP((16,), "relu"), learning_rate=1e-3, batch_size=32, batches="replacement"
    )
    edges = replace(relu, model=kan((2, 5, 1)))
    return {
        "P6": Case("2-16-1 relu, 32 of 1,000, Adam", product(), relu, 512, rough),
        "P7": Case("KAN of [2, 5, 1], 32 of 1,000, Adam", product(), edges, 512, rough, ("vmap",)),
    }


CASES = make_cases()
WIDER_CASES = make_wider_cases()


def steps_for(seconds: float, ns: float, seeds: int, least: int = 10) -> int:
    """How many steps take about so many seconds, to two digits."""
    steps = seconds * 1e9 / ns / seeds
    return max(least, round(steps, 1 - math.floor(math.log10(max(steps, 1)))).__int__())
