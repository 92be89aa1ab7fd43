"""The rule by which `stats.asymptote` names what a function does far out.

Everything here is about functions of one distance: `r` (m,) holds increasing distances from the
center, and every row of `f` (rows, m) the values of one function there. The rule is written down in
the docstring of `stats.asymptote`; its numbers below are conventions, which
tests/test_extrapolation.py checks on constructed functions.
"""

import numpy as np

from approx.stats.far_fits import (
    exponential_basis,
    fit_and_halves,
    is_line,
    is_periodic,
    power_basis,
)

KINDS = (
    "constant",
    "linear",
    "periodic",
    "linear + periodic",
    "power",
    "exponential",
    "diverged",
    "undecided",
)
NUMBERS = ("level", "slope", "period", "exponent", "growth")

LEAST_POINTS = 16
EXPONENTS = np.linspace(-4, 8, 601)
GROWTHS = np.linspace(-40, 40, 801)
ROUNDING = 1e-9  # of a parameter


class Verdicts:
    """The class and the numbers of every row, as far as they are found.

    Attributes:
        kind: (rows,), strings of `KINDS`.
        numbers: one array (rows,) for each name of `NUMBERS`, nan where it does not apply.
        is_open: (rows,), which rows no statement of the rule has held for yet.
    """

    def __init__(self, rows: int):
        longest = max(map(len, KINDS))
        self.kind = np.full(rows, "undecided", f"<U{longest}")
        self.numbers = {name: np.full(rows, np.nan) for name in NUMBERS}
        self.is_open = np.ones(rows, bool)

    def waiting(self) -> np.ndarray:
        """Indices of the rows that are still open."""
        return np.flatnonzero(self.is_open)

    def settle(
        self, index: np.ndarray, holds: np.ndarray, kind: str, **numbers: np.ndarray
    ) -> None:
        """Give the rows `index[holds]` a class and its numbers, and close them.

        Args:
            index: indices of some rows.
            holds: as long as `index`: for which of them the statement holds.
            kind: the class.
            numbers: the numbers that belong to the class, as long as `index`.
        """
        chosen = index[holds]
        self.kind[chosen] = kind
        self.is_open[chosen] = False
        for name, values in numbers.items():
            self.numbers[name][chosen] = values[holds]


def classify(r: np.ndarray, f: np.ndarray, scale: np.ndarray, tol: float) -> tuple[np.ndarray, ...]:
    """Apply the rule of `stats.asymptote` to every row.

    Args:
        r: (m,), increasing distances.
        f: (rows, m), values.
        scale: (rows,), the unit of height.
        tol: the tolerance.

    Returns:
        The class and then the numbers in the order of `NUMBERS`, each (rows,).
    """
    # Statement 1
    found = Verdicts(len(f))
    finite = np.isfinite(f).all(-1)
    found.settle(found.waiting(), ~finite, "diverged")

    # Statement 2, or else the others; a row that none of them settles stays undecided
    if len(r) >= LEAST_POINTS and r[-1] > r[0]:
        settle_constants(found, r, f, scale, tol)
        settle_lines(found, r, f, tol)
        settle_growth(found, r, f, tol)
        settle_waves(found, r, f, tol)
        settle_waves_about_lines(found, r, f, tol)
    return found.kind, *found.numbers.values()


# ---- the statements of the rule ------------------------------------------------------------------


def is_outer(r: np.ndarray, share: float) -> np.ndarray:
    """Which points are among the outer `share` of the depth, such as the outer half."""
    depth = r[-1] - r[0]
    return r - r[0] >= depth * (1 - share)


def settle_constants(
    found: Verdicts, r: np.ndarray, f: np.ndarray, scale: np.ndarray, tol: float
) -> None:
    """Statement 3: the outer half of the function keeps its height."""
    index = found.waiting()
    values = f[index][:, is_outer(r, 1 / 2)]
    range_of_values = np.ptp(values, axis=-1)
    holds = range_of_values <= tol * scale[index]
    level = values.mean(-1)
    found.settle(index, holds, "constant", level=level)


def settle_lines(found: Verdicts, r: np.ndarray, f: np.ndarray, tol: float) -> None:
    """Statement 4: the outer half of the function is a line."""
    index = found.waiting()
    outer = is_outer(r, 1 / 2)
    values = f[index][:, outer]
    holds, slope = is_line(r[outer], values, tol)
    found.settle(index, holds, "linear", slope=slope)


def settle_growth(found: Verdicts, r: np.ndarray, f: np.ndarray, tol: float) -> None:
    """Statement 5: the outer three quarters are a power or an exponential; both is undecided."""
    index = found.waiting()
    outer = is_outer(r, 3 / 4)
    unit = r[outer] / r[-1]
    values = f[index][:, outer]

    p, is_power = _power_of(unit, values, tol)
    g, is_exponential = _growth_of(unit, values, tol)

    # Only growth counts, and no power that is nearly a line
    is_growing = (p >= 0.2) & (p <= 7.5) & (abs(p - 1) >= 0.1)
    holds = is_power & ~is_exponential & is_growing
    found.settle(index, holds, "power", exponent=p)

    holds = is_exponential & ~is_power & (g > 0)
    growth = g / r[-1]
    found.settle(index, holds, "exponential", growth=growth)

    found.settle(index, is_power & is_exponential, "undecided")


def _power_of(r: np.ndarray, f: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """The exponents of the rows of f, and which are powers: the two halves agree on it."""
    p, p1, p2, is_near = fit_and_halves(r, f, power_basis, EXPONENTS, tol)
    is_same = abs(p1 - p2) <= 10 * tol + ROUNDING
    return p, is_near & is_same


def _growth_of(r: np.ndarray, f: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """The growths of the rows of f, and which are exponentials: the two halves agree on it."""
    g, g1, g2, is_near = fit_and_halves(r, f, exponential_basis, GROWTHS, tol)
    allowed = 10 * tol * np.maximum(abs(g1), abs(g2))
    is_same = abs(g1 - g2) <= allowed + ROUNDING
    return g, is_near & is_same


def settle_waves(found: Verdicts, r: np.ndarray, f: np.ndarray, tol: float) -> None:
    """Statement 6: the function repeats itself."""
    index = found.waiting()
    holds, period, _ = is_periodic(r, f[index], 0, tol)
    found.settle(index, holds, "periodic", period=period)


def settle_waves_about_lines(found: Verdicts, r: np.ndarray, f: np.ndarray, tol: float) -> None:
    """Statement 6: what a line leaves of the function repeats itself."""
    index = found.waiting()
    holds, period, slope = is_periodic(r, f[index], 1, tol)
    found.settle(index, holds, "linear + periodic", period=period, slope=slope)
