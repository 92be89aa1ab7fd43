"""Fit logistic curves between two levels to counts of successes, many tables at once."""

from typing import NamedTuple

import numpy as np
import scipy

ENOUGH = 1e-5  # a step of a logit at which it ends; intervals of 64 seeds are a tenth wide and more
SMALL = 1e-4  # the step of the difference quotients
LENGTHS = np.array([0.0, 0.03, 0.1, 0.3, 0.6, 1.0])  # shares of a step that are tried
LONGEST = 3  # logits in one step
FLATTEST = 1e-3  # least slope


class Cells(NamedTuple):
    """The cells that curves are fitted to, and the levels that the curves lead between.

    Attributes:
        z: (cells,), the axis, centered and in units of the median gap.
        n: (cells,), numbers of seeds.
        levels: (tables, 2), or (1, 2) for all tables, the rates before and after.
    """

    z: np.ndarray
    n: np.ndarray
    levels: np.ndarray


def logistic(
    cells: Cells, successes: np.ndarray, rounds: int = 30
) -> tuple[np.ndarray, np.ndarray]:
    """Fit `p = l + (r - l) / (1 + exp(-a - b z))` between levels l and r, with b > 0.

    Fisher's scoring on the likelihood with Jeffreys' prior `|information|^(1/2)`. Of several
    lengths of a step it takes the one after which this is largest.

    Args:
        cells: where and between which levels.
        successes: (tables, cells), each row a table to be fitted by itself.
        rounds: the largest number of steps.

    Returns:
        Intercepts a and slopes b, each (tables,).
    """
    tables = np.arange(len(successes))
    lengths = LENGTHS[:, None]
    a = np.zeros(len(successes))
    b = np.full(len(successes), 0.5)
    likelihood_here = _penalised_likelihood(a, b, cells, successes)
    for _ in range(rounds):
        step = _scoring_step(a, b, cells, successes)
        tried_a = a + lengths * step[0]
        tried_b = b + lengths * step[1]
        tried_b = np.maximum(tried_b, FLATTEST)

        # The best length for each table; at the first, 0, the likelihood is known
        likelihood_there = _penalised_likelihood(tried_a[1:], tried_b[1:], cells, successes)
        likelihood = np.concatenate([likelihood_here[None], likelihood_there])
        best = np.nanargmax(likelihood, 0)
        a = tried_a[best, tables]
        b = tried_b[best, tables]
        likelihood_here = likelihood[best, tables]

        taken = lengths[best, 0] * step
        moved = np.abs(taken).max()
        if moved < ENOUGH:
            break
    return a, b


def _scoring_step(a: np.ndarray, b: np.ndarray, cells: Cells, successes: np.ndarray) -> np.ndarray:
    """The step of Fisher's scoring from (a, b), shape (2, tables), of at most three logits."""
    # The score: derivatives of the penalised likelihood by a and by b
    curve = _curve(a, b, cells)
    variance = np.maximum(curve.p * (1 - curve.p), 1e-12)
    left = (successes - cells.n * curve.p) / variance
    left = left * curve.slope
    by_a = left.sum(-1)
    by_a = by_a + _slope_of_prior(a, b, cells, SMALL, 0.0)
    by_b = (left * cells.z).sum(-1)
    by_b = by_b + _slope_of_prior(a, b, cells, 0.0, SMALL)

    # The inverse of the information, times the score
    (s0, s1, s2), determinant = _information(curve, cells)
    step_a = s2 * by_a - s1 * by_b
    step_b = s0 * by_b - s1 * by_a
    step = np.stack([step_a, step_b]) / determinant

    # A shorter one of the same direction, if it is too long
    largest = np.abs(step).max(0)
    largest = np.maximum(largest, 1e-300)
    step *= np.minimum(1, LONGEST / largest)
    return step


def _slope_of_prior(
    a: np.ndarray, b: np.ndarray, cells: Cells, by_a: float, by_b: float
) -> np.ndarray:
    """The derivative of the logarithm of Jeffreys' prior, as a difference quotient."""
    _, above = _information(_curve(a + by_a, b + by_b, cells), cells)
    _, below = _information(_curve(a - by_a, b - by_b, cells), cells)
    difference = np.log(above) - np.log(below)
    # Two steps of SMALL lie between, and the prior is a square root
    return difference / (4 * SMALL)


def _penalised_likelihood(
    a: np.ndarray, b: np.ndarray, cells: Cells, successes: np.ndarray
) -> np.ndarray:
    """The logarithm of the likelihood times Jeffreys' prior, in the shape of a and b."""
    # The binomial likelihood; rates of 0 and 1 have no finite logarithm
    curve = _curve(a, b, cells)
    p = np.clip(curve.p, 1e-12, 1 - 1e-12)
    failures = cells.n - successes
    of_successes = successes * np.log(p)
    of_failures = failures * np.log1p(-p)
    likelihood = (of_successes + of_failures).sum(-1)

    # The prior is the root of the determinant
    _, determinant = _information(curve, cells)
    return likelihood + np.log(determinant) / 2


class _Curve(NamedTuple):
    """Logistic curves in every cell, each (..., tables, cells).

    Attributes:
        p: the rate.
        slope: its derivative by a.
    """

    p: np.ndarray
    slope: np.ndarray


def _curve(a: np.ndarray, b: np.ndarray, cells: Cells) -> _Curve:
    """The curves of a and b (..., tables)."""
    before = cells.levels[:, :1]
    after = cells.levels[:, 1:]
    # How far the curve has come from the one level to the other, from 0 to 1
    share = scipy.special.expit(a[..., None] + b[..., None] * cells.z)
    way = (after - before) * share
    return _Curve(before + way, way * (1 - share))


def rate_of(a: np.ndarray, b: np.ndarray, cells: Cells) -> np.ndarray:
    """The rate p in every cell, (..., tables, cells), from a and b (..., tables)."""
    return _curve(a, b, cells).p


def _information(curve: _Curve, cells: Cells) -> tuple[tuple, np.ndarray]:
    """Fisher's information: its three different entries, and its determinant, each (..., tables).

    With weights w, the entries are the sums over the cells of w, w z and w z².
    """
    variance = np.maximum(curve.p * (1 - curve.p), 1e-300)
    w = cells.n * curve.slope**2 / variance

    z = cells.z
    s0 = w.sum(-1)
    s1 = (w * z).sum(-1)
    s2 = (w * z * z).sum(-1)
    determinant = s0 * s2 - s1 * s1
    # Positive, so that it has a logarithm
    return (s0, s1, s2), np.maximum(determinant, 1e-100)
