"""Polynomials, Fourier series and splines: functions that are linear in their coefficients.

All of them see inputs that are scaled so that the training rows go from -1 to 1, and are fitted by
least squares. `polynomial`, `fourier` and `spline` take as many coefficients as the budget allows.
The same names with `_cv` take as many of them as predict best the rows that are left out.
"""

from collections.abc import Callable
from itertools import combinations, combinations_with_replacement, product
from math import comb
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from scipy.interpolate import BSpline

from approx.classical.problems import CannotFitError, Fitted, Problem
from approx.classical.smoothing import first_least, left_out, solve

MOST_SIZES = 40  # sizes of a basis among which `_cv` chooses
MOST_NUMBERS = 10_000_000  # in the table of terms by rows
CUBIC = 3


class Basis(NamedTuple):
    """Functions of the scaled inputs.

    Attributes:
        features: a function of scaled inputs (m, i) that gives (m, terms).
        terms: how many functions there are.
        name: the basis in words, such as "degree 4".
    """

    features: Callable[[np.ndarray], np.ndarray]
    terms: int
    name: str


Family = Callable[[Problem, int], list[Basis]]  # all bases of at most so many terms, growing


# ---- polynomials ---------------------------------------------------------------------------------


def polynomials(problem: Problem, most: int) -> list[Basis]:
    """Chebyshev polynomials of each total degree: `C(i + d, d)` products of degree d at most."""
    found = []
    degree = 0
    while comb(problem.inputs + degree, degree) <= most:
        found.append(polynomials_of_degree(problem.inputs, degree))
        degree += 1
    return found


def polynomials_of_degree(inputs: int, degree: int) -> Basis:
    """All products of Chebyshev polynomials of the inputs whose degrees sum to at most `degree`."""
    monomials = [
        which
        for total in range(degree + 1)
        for which in combinations_with_replacement(range(inputs), total)
    ]

    def features(u):
        values = chebyshev(u, degree)
        made = np.ones((len(u), len(monomials)))
        for place, which in enumerate(monomials):
            for one in set(which):
                made[:, place] *= values[:, one, which.count(one)]
        return made

    kind = "degree" if inputs == 1 else "total degree"
    return Basis(features, len(monomials), f"{kind} {degree}")


def chebyshev(u: np.ndarray, degree: int) -> np.ndarray:
    """`T_0 ... T_degree` of every number, (m, i, degree + 1)."""
    return chebvander(u, degree)


# ---- Fourier series ------------------------------------------------------------------------------


def series(problem: Problem, most: int) -> list[Basis]:
    """Trigonometric polynomials whose period is the training range, of each degree.

    They are cosines and sines of `π k u`, with whole numbers k for each input whose absolute values
    sum to at most the degree.
    """
    found = []
    degree = 0
    while lattice_points(problem.inputs, degree) <= most:
        found.append(series_of_degree(problem.inputs, degree))
        degree += 1
    return found


def lattice_points(inputs: int, degree: int) -> int:
    """How many vectors of whole numbers have absolute values that sum to at most `degree`."""
    return sum(
        2**used * comb(inputs, used) * comb(degree, used) for used in range(min(inputs, degree) + 1)
    )


def series_of_degree(inputs: int, degree: int) -> Basis:
    """The constant, and a cosine and a sine of every frequency up to its sign."""
    frequencies = np.pi * np.array(frequencies_of_degree(inputs, degree), float)
    frequencies = frequencies.reshape(-1, inputs)

    def features(u):
        phase = u @ frequencies.T
        return np.hstack([np.ones((len(u), 1)), np.cos(phase), np.sin(phase)])

    kind = "degree" if inputs == 1 else "total degree"
    return Basis(features, 1 + 2 * len(frequencies), f"{kind} {degree}")


def frequencies_of_degree(inputs: int, degree: int) -> list[tuple[int, ...]]:
    """One of k and -k for all whole vectors k whose absolute values sum to at most `degree`."""
    found = []
    for used in range(1, min(inputs, degree) + 1):
        for places in combinations(range(inputs), used):
            for sizes in product(range(1, degree + 1), repeat=used):
                if sum(sizes) <= degree:
                    found += signed(inputs, places, sizes)
    return found


def signed(inputs: int, places: tuple, sizes: tuple) -> list[tuple[int, ...]]:
    """Vectors with these absolute values at these places, the first of them positive."""
    found = []
    for signs in product((1, -1), repeat=len(sizes) - 1):
        vector = [0] * inputs
        for place, size, sign in zip(places, sizes, (1, *signs), strict=True):
            vector[place] = sign * size
        found.append(tuple(vector))
    return found


# ---- splines -------------------------------------------------------------------------------------


def splines(problem: Problem, most: int) -> list[Basis]:
    """Splines of each number of coefficients: up to four a polynomial, then cubic with knots.

    The knots are no fitted numbers: they lie so that each piece has equally many of the distinct
    training inputs. Outside the range the first and the last piece go on.

    Raises:
        CannotFitError: several inputs.
    """
    if problem.inputs > 1:
        raise CannotFitError(f"A spline here has one input, and there are {problem.inputs}.")
    distinct = np.unique(problem.scaled(problem.x)[:, 0])
    return [spline_of(distinct, terms) for terms in range(1, min(most, len(distinct)) + 1)]


def spline_of(distinct: np.ndarray, terms: int) -> Basis:
    """B-splines of so many coefficients on the range of the distinct scaled inputs."""
    degree = min(CUBIC, terms - 1)
    inner = terms - degree - 1
    places = np.arange(1, inner + 1) * (len(distinct) - 1) / (inner + 1)
    knots = np.interp(places, np.arange(len(distinct)), distinct)
    ends = distinct[0], distinct[-1]
    if ends[0] == ends[1]:
        ends = -1.0, 1.0
    first = np.full(degree + 1, ends[0])
    last = np.full(degree + 1, ends[1])
    knots = np.concatenate([first, knots, last])

    def features(u):
        return BSpline(knots, np.eye(terms), degree, extrapolate=True)(u[:, 0])

    return Basis(features, terms, f"degree {degree}, {inner} knots inside")


# ---- fits ----------------------------------------------------------------------------------------


def allowed(problem: Problem, family: Family) -> list[Basis]:
    """The bases of a family within the budget; with one input also within the number of rows.

    The table of terms by rows has at most `MOST_NUMBERS` numbers.
    """
    most = min(problem.terms(), max(1, MOST_NUMBERS // len(problem.x)))
    if problem.inputs == 1:
        most = min(most, len(np.unique(problem.x)))
    return family(problem, most)


def full(problem: Problem, family: Family) -> Fitted:
    """The largest basis within the budget."""
    return fitted(problem, allowed(problem, family)[-1])


def chosen(problem: Problem, family: Family) -> Fitted:
    """The basis within the budget whose error on rows left out is least (`smoothing.left_out`)."""
    bases = allowed(problem, family)
    if len(bases) > MOST_SIZES:
        shares = np.geomspace(1, len(bases), MOST_SIZES)
        bases = [bases[place] for place in sorted({round(share) - 1 for share in shares})]
    u = problem.scaled(problem.x)
    errors = [left_out(basis.features(u), problem.y) for basis in bases]
    best = bases[first_least(errors, problem.y)]
    found = fitted(problem, best)
    return found._replace(chosen=f"{found.chosen}, by leaving one row out")


def fitted(problem: Problem, basis: Basis) -> Fitted:
    """The least squares of a basis."""
    features = basis.features(problem.scaled(problem.x))
    coefficients = solve(features, problem.y)
    note = ""
    if basis.terms > len(problem.x):
        note = (
            f"There are {basis.terms} terms for {len(problem.x)} rows: of the coefficients without "
            "an error these have the least norm."
        )

    def predict(x):
        return basis.features(problem.scaled(x)) @ coefficients

    return Fitted(predict, basis.terms * problem.outputs, basis.name, note)


def constant(problem: Problem) -> Fitted:
    """The mean of the training targets."""
    mean = problem.y.mean(0)
    return Fitted(lambda x: np.broadcast_to(mean, (len(x), problem.outputs)), problem.outputs)


def polynomial(problem: Problem) -> Fitted:
    """The polynomial of the highest total degree within the budget."""
    return full(problem, polynomials)


def polynomial_cv(problem: Problem) -> Fitted:
    """The polynomial of the total degree that leaving one row out chooses."""
    return chosen(problem, polynomials)


def fourier(problem: Problem) -> Fitted:
    """The Fourier series of the highest degree within the budget."""
    return full(problem, series)


def fourier_cv(problem: Problem) -> Fitted:
    """The Fourier series of the degree that leaving one row out chooses."""
    return chosen(problem, series)


def spline(problem: Problem) -> Fitted:
    """The cubic spline with as many knots as the budget allows."""
    return full(problem, splines)


def spline_cv(problem: Problem) -> Fitted:
    """The spline with as many knots as leaving one row out chooses."""
    return chosen(problem, splines)
