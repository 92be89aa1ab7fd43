"""Rational functions by the AAA algorithm."""

import warnings

import numpy as np
from scipy.interpolate import AAA

from approx.classical.problems import CannotFitError, Fitted, Problem


def rational(problem: Problem) -> Fitted:
    """A rational function of one input for each output, by the AAA algorithm.

    AAA (Y. Nakatsukasa, O. Sète and L. N. Trefethen, SIAM J. Sci. Comput. 40, 2018;
    `scipy.interpolate.AAA`) takes m of the training rows as support points, which it interpolates,
    and chooses weights for the least linearised error on the others. The result is a rational
    function of type (m - 1, m - 1), which 2 m - 1 numbers decide: these are counted. It stops
    earlier where the error is rounding. Rows with the same input are joined to their mean.

    Raises:
        CannotFitError: several inputs; a budget below one number for each output.
    """
    if problem.inputs > 1:
        raise CannotFitError(
            f"AAA finds rational functions of one input, and there are {problem.inputs}."
        )
    u, group = np.unique(problem.scaled(problem.x)[:, 0], return_inverse=True)
    count = np.bincount(group)
    most = min(problem.terms(), len(u))
    support = (most + 1) // 2
    parts = []
    for output in range(problem.outputs):
        y = np.bincount(group, problem.y[:, output]) / count
        parts.append(approximant(u, y, support))
    degrees = [len(part.support_points) - 1 for part in parts]

    def predict(x):
        scaled = problem.scaled(x)[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = [part(scaled) for part in parts]
        return np.stack(values, 1)

    types = ", ".join(f"({degree}, {degree})" for degree in sorted(set(degrees)))
    parameters = sum(2 * degree + 1 for degree in degrees)
    return Fitted(predict, parameters, f"type {types}", poles_between(parts))


def approximant(u: np.ndarray, y: np.ndarray, support: int) -> AAA:
    """The approximant with at most so many support points."""
    with warnings.catch_warnings():
        # AAA warns where the budget ends it, which is what is asked for
        warnings.simplefilter("ignore", RuntimeWarning)
        return AAA(u, y, max_terms=support)


def poles_between(parts: list[AAA]) -> str:
    """A sentence that counts the real poles inside the training range, if there are any."""
    count = 0
    for part in parts:
        poles = np.asarray(part.poles())
        is_real = np.abs(poles.imag) < 1e-12 * np.maximum(1, np.abs(poles))
        count += int((is_real & (np.abs(poles.real) <= 1)).sum())
    if not count:
        return ""
    noun = "a pole" if count == 1 else f"{count} poles"
    return f"It has {noun} between the training rows."
