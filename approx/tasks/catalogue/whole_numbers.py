"""Whole numbers, parity and arithmetic: what a network must compute exactly to be right."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Array

from approx.tasks.catalogue.boxes import as_box
from approx.tasks.catalogue.entries import check_count, entered
from approx.tasks.data import Task, check_number
from approx.tasks.drawn import drawn
from approx.tasks.own import Given, given
from approx.tasks.values import meant, shortened

# ---- one whole number ----------------------------------------------------------------------------


def whole_range(range: Any, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """The whole numbers of an interval, and those of `reach` intervals of that length after it too.

    Raises:
        ValueError: ends that are not whole or out of order.
    """
    pair = range if isinstance(range, tuple | list) else (0, range)
    whole = all(isinstance(end, int | np.integer) and not isinstance(end, bool) for end in pair)
    if len(pair) != 2 or not whole or not pair[0] < pair[1]:
        raise ValueError(f"range is {shortened(range)}; it is (low, high), whole, low below high")
    low, high = map(int, pair)
    reach = check_count("reach", reach)
    numbers = np.arange(low, high + 1)
    count = len(numbers) * reach
    if max(abs(low), abs(low + count)) > 2**24:
        raise ValueError(f"range is {pair} with reach={reach}; float32 counts to 2^24 only")
    return numbers.astype(float), low + np.arange(count).astype(float)


@entered("`x mod 3`", "the whole numbers from 0 to 20", "a common question about periodicity")
def modulo(*, divisor: int = 3, range: Any = (0, 20), reach: int = 3, **options: Any) -> Given:
    """`x mod divisor` of whole numbers, from 0 to divisor - 1.

    The test points are the training rows and as many whole numbers after them as make `reach` times
    the range; those after it count for `outside_loss`.

    Args:
        divisor: a whole number of at least 2.
        range: first and last whole number of the training rows.
        reach: how many times the rows the test points are.
        options: of `given`. With `loss="cross_entropy"` the remainders are labels.

    Raises:
        ValueError: a divisor below 2, a range that is not whole.

    Example:
        `modulo(divisor=7, range=(0, 99))`
    """
    divisor = check_count("divisor", divisor, least=2)
    x, x_test = whole_range(range, reach)
    options = {"distance": "box"} | options
    return given(x, x % divisor, x_test, x_test % divisor, **options)


@entered("1 if x is even, else 0", "the whole numbers from 0 to 20", "a common first question")
def even(*, range: Any = (0, 20), reach: int = 3, **options: Any) -> Given:
    """Whether a whole number is even: 1 if it is, and 0 if it is odd.

    Args:
        range: first and last whole number of the training rows.
        reach: see `modulo`.
        options: of `given`; the loss is "binary_cross_entropy" by default.

    Raises:
        ValueError: a range that is not whole.

    Example:
        `even(range=(0, 99))`
    """
    x, x_test = whole_range(range, reach)
    options = {"distance": "box", "loss": "binary_cross_entropy"} | options
    return given(x, 1 - x % 2, x_test, 1 - x_test % 2, **options)


# ---- parity --------------------------------------------------------------------------------------


@entered("1 if an odd number of n bits is 1", "all 2^n rows, n = 4", "Minsky and Papert 1969")
def parity(n: int = 4, *, signs: bool = False, **options: Any) -> Given:
    """Whether an odd number of n bits is 1, on all 2^n rows; n = 2 is exclusive or.

    Args:
        n: number of inputs, at most 16.
        signs: whether inputs are -1 and 1, instead of 0 and 1.
        options: of `given`; the loss is "binary_cross_entropy" by default. There are no test
            points: all rows are trained on, unless `validation` keeps some of them.

    Raises:
        ValueError: an n that is not from 1 to 16.

    Example:
        `parity(3)`; `parity(8, validation=0.25, hold_out="random")`
    """
    n = check_count("n", n, most=16)
    bits = (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) & 1
    x = 2.0 * bits - 1 if signs else bits.astype(float)
    options = {"loss": "binary_cross_entropy"} | options
    return given(x, bits.sum(1) % 2, **options)


# ---- arithmetic ----------------------------------------------------------------------------------

OPERATIONS: dict[str, Callable[[Array, Array], Array]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}


def of_subsets(x: Array, operation: str, size: int, overlap: int) -> Array:
    """The operation on the sums of two subsets of the inputs."""
    begin = size - overlap
    a, b = x[:, :size].sum(1), x[:, begin : begin + size].sum(1)
    return OPERATIONS[operation](a, b)


def checked_subsets(inputs: int, subset: Any, overlap: Any) -> tuple[int, int]:
    """How many inputs each subset has, and how many are in both.

    Raises:
        TypeError, ValueError: shares out of range, subsets that do not fit.
    """
    check_number("subset", subset, 0, 1)
    check_number("overlap", overlap, 0, 1)
    # A share such as 0.29 of 100 is 29, though its product is rounded to less
    size = math.floor(subset * inputs + 1e-9)
    shared = math.floor(overlap * size + 1e-9)
    if size < 1 or 2 * size - shared > inputs:
        raise ValueError(
            f"two subsets of {subset:g} of {inputs} inputs, {overlap:g} of each shared, have "
            f"{size} inputs each and {2 * size - shared} together; they need 1 at least, and "
            f"{inputs} at most together"
        )
    return size, shared


@entered(
    "`a + b`, `a - b`, `a b` or `a / b` of two sums of inputs",
    "256 drawn from [1, 2]^100, judged on [2, 6]^100 too",
    "Madsen and Johansen 2020 (extrapolation of arithmetic)",
)
def arithmetic(
    operation: str = "mul",
    *,
    inputs: int = 100,
    subset: Any = 0.25,
    overlap: Any = 0.5,
    range: Any = (1.0, 2.0),
    extrapolation: Any = (2.0, 6.0),
    size: int = 256,
    test_size: int = 1_000,
    **options: Any,
) -> Task:
    """An operation on two sums of inputs, judged inside its range and where it must extrapolate.

    The target is `a + b`, `a - b`, `a b` or `a / b`, where a is the sum of one subset of the
    inputs and b that of another one. The first `subset` of the inputs make a. The inputs of b are
    as many, and begin so that `overlap` of them are in both. Madsen and Johansen 2020 draw where
    the subsets begin; to a network whose first weights are drawn alike for all inputs it makes no
    difference. `test_loss` is over drawn test points of the range, and `outside_loss` over as many
    of the range of extrapolation.

    Args:
        operation: "add", "sub", "mul" or "div".
        inputs: how many.
        subset: share of the inputs that each sum has.
        overlap: share of a subset that is in both.
        range: (low, high) of the inputs that are trained on.
        extrapolation: (low, high) of the inputs beyond; it must not overlap with the range.
        size: number of rows that a seed draws. With `Recipe(batches="stream")`, as in the paper,
            every step draws fresh ones.
        test_size: number of test points in each of the two ranges.
        options: of `drawn`.

    Raises:
        TypeError, ValueError: an unknown operation, subsets that do not fit, ranges that overlap,
            a division by what can be 0.

    Example:
        `arithmetic("mul")`; `arithmetic("add", inputs=2, subset=0.5, overlap=0.0)` is x + y
    """
    if operation not in OPERATIONS:
        raise ValueError(
            f"unknown operation {operation!r}; there is: {', '.join(OPERATIONS)}"
            f"{meant(operation, OPERATIONS)}"
        )
    inputs = check_count("inputs", inputs, most=10_000)
    count = check_count("test_size", test_size)
    within, shared = checked_subsets(inputs, subset, overlap)
    near, far = as_box(range, 1)[0], as_box(extrapolation, 1)[0]
    if far[0] < near[1] and near[0] < far[1]:
        raise ValueError(
            f"extrapolation {far} overlaps with range {near}; its inputs must lie beyond"
        )
    if operation == "div" and any(low <= 0 <= high for low, high in (near, far)):
        raise ValueError(f"a / b is not finite where b can be 0, as in {near} or {far}")
    rng = np.random.default_rng(1_618)
    tested = [rng.uniform(low, high, (count, inputs)) for low, high in (near, far)]
    f = partial(of_subsets, operation=operation, size=within, overlap=shared)
    return drawn(f, [near] * inputs, size, np.concatenate(tested), **options)


@entered(
    "`(a + b) mod p` of two one-hot numbers, p = 97",
    "half of all p² pairs",
    "Power et al. 2022; Nanda et al. 2023 with p = 113",
)
def modular_addition(
    p: int = 97, *, train_share: Any = 0.5, split: int = 0, **options: Any
) -> Given:
    """`(a + b) mod p` as a class, from a and b as rows of p zeros and ones each.

    All p² pairs are shared out once between training rows and test points, the same for all seeds.
    A network has 2 p inputs and p outputs.

    Args:
        p: the modulus, from 2 to 200.
        train_share: share of the pairs that is trained on.
        split: numpy's seed that shares them out.
        options: of `given`; the loss is "cross_entropy" by default.

    Raises:
        TypeError, ValueError: a modulus out of range, a share that leaves one part empty.

    Example:
        `modular_addition(23, train_share=0.4)`
    """
    p = check_count("p", p, 2, 200)
    check_number("train_share", train_share)
    trained = round(train_share * p * p)
    if not 0 < trained < p * p:
        raise ValueError(
            f"train_share is {train_share}; of {p * p} pairs it must leave some to train on and "
            "some to judge by"
        )
    order = np.random.default_rng(check_count("split", split, least=0)).permutation(p * p)
    a, b = np.divmod(order, p)
    ones = np.eye(p)
    x, y = np.concatenate([ones[a], ones[b]], 1), (a + b) % p
    options = {"loss": "cross_entropy"} | options
    if options["loss"] == "cross_entropy":
        options = {"classes": p} | options
    return given(x[:trained], y[:trained], x[trained:], y[trained:], **options)
