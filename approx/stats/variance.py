"""Where the spread over seeds comes from: variance components of crossed sources of randomness.

A factor is one source of randomness, such as the initial weights; its levels are the seeds drawn.
Each effect belongs to a subset of the factors, its source: a tuple of positions such as (0, 1).
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import scipy
import xarray as xr

from approx.stats.intervals import check_level
from approx.stats.labels import final, require_dims

SCALES = ("log", "linear", "rank")
COLUMNS = ("share", "low", "high", "total", "total_low", "total_high", "component")

Subset = tuple[int, ...]


def variance_components(
    runs: xr.Dataset,
    of: str = "test_loss",
    over: Sequence[str] | None = None,
    scale: str = "log",
    level: float = 0.95,
    resamples: int = 4000,
    rng: int = 0,
    kurtosis: float = 6.0,
) -> xr.Dataset:
    """Split the variance over seeds into the shares of each source of randomness.

    The model is one of random effects in a fully crossed table, with one training per cell: `y =
    mean + sum over subsets u of the factors of an effect with variance s2(u)`; the interaction of
    all factors holds whatever else differs. The mean squares of the analysis of variance have the
    expectations `E MS(u) = sum over v containing u of s2(v) prod over j not in v of n(j)`; solving
    them gives the components, of which negative ones count as 0 (S. Searle, G. Casella, C.
    McCulloch, Variance Components, 1992, chapter 4).

    The intervals are generalised confidence intervals (S. Weerahandi, JASA 88, 1993): the same
    solution with every expectation drawn as `MS * df / chi2(df)`, which holds for normal effects.
    The mean square of effects with an excess kurtosis k varies 1 + k / 2 times as much (to first
    order in the number of levels), as if it had that many times fewer degrees of freedom, so `df`
    is divided by that. The default of 6, the excess kurtosis of exponential effects, covers these
    and normal ones. Measured coverage of the nominal 95% of n x n tables at n = 3, 5, 10, 20 (400
    samples each): at least 97% for exponential and for normal effects; with `kurtosis=0` 72 to 96%
    and 92 to 97%. Fewer than some ten levels leave most shares possible; then the intervals say so,
    up to [0, 1].

    Args:
        runs: made with `cross={"init": 16, "data": 16}`, for example; variables over (..., *over,
            step?).
        of: the variable, at its last record.
        over: the crossed dimensions; by default "seed" and all whose names end in "_seed", where
            longer than 1.
        scale: "log" takes log10 first, as losses spread over decades; "linear" takes the values;
            "rank" takes their ranks among all trainings of a cell of the grid, where what diverged
            is worst and shares the last rank.
        level: probability of covering.
        resamples: draws of the generalised intervals.
        rng: seed of these draws.
        kurtosis: the largest excess kurtosis of the effects that the intervals allow for: 0 for
            normal effects.

    Returns:
        `share`, `low`, `high` (of `share`), `total` (the share of all that a factor takes part in),
        `total_low`, `total_high`, `component` (in squared units of the scale) over (..., source);
        sources are named "init", "data", "init x data", ...; `n` trainings. Shares are nan where
        nothing varies.

    Raises:
        ValueError: the kurtosis is negative, there are fewer than two factors of two levels, a
            dimension is missing, or values are not finite (on scales other than "rank") or not
            positive (on "log").

    Example:
        runs = ap.run(task, recipe, cross={"init": 16, "data": 16})
        stats.variance_components(runs).share.sel(source="init")
    """
    check_level(level)
    _check_options(scale, kurtosis)
    values = final(runs, of)
    factors = _factors(values, over, of)
    values = _without_single_seeds(values)
    subsets = _subsets(len(factors))
    allowance = 1 + kurtosis / 2

    def split(table: np.ndarray) -> tuple[np.ndarray, ...]:
        scaled = _scaled(table, len(factors), scale, of)
        return _split(scaled, subsets, level, resamples, rng, allowance)

    parts = xr.apply_ufunc(
        split,
        values,
        input_core_dims=[factors],
        output_core_dims=[["source"]] * len(COLUMNS) + [[]],
    )
    result = xr.Dataset(dict(zip((*COLUMNS, "n"), parts, strict=True)))
    names = [name.removesuffix("_seed") for name in factors]
    sources = []
    for subset in subsets:
        sources.append(" x ".join(names[j] for j in subset))
    result["source"] = sources
    result.attrs = {
        "of": of,
        "scale": scale,
        "level": level,
        "factors": factors,
        "kurtosis": kurtosis,
    }
    return result


def _check_options(scale: str, kurtosis: float) -> None:
    """Raise a ValueError for an unknown scale, or a kurtosis below 0."""
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}")
    if not kurtosis >= 0:
        raise ValueError(
            f"kurtosis is {kurtosis}; the excess kurtosis to allow for must be at least 0"
        )


def _factors(values: xr.DataArray, over: Sequence[str] | None, of: str) -> list[str]:
    """The dimensions that are crossed.

    Raises:
        ValueError: one is missing, or they are fewer than two with two levels.
    """
    if over is None:
        over = _dims_of_seeds(values)
    require_dims(values, over)
    factors = [name for name in over if values.sizes[name] > 1]
    _check_two_factors(factors, of)
    return factors


def _check_two_factors(factors: list[str], of: str) -> None:
    """Raise a ValueError if there are fewer than two factors, of which one splits nothing."""
    if len(factors) < 2:
        raise ValueError(
            f"a variance split needs two crossed factors of two or more levels, and {of!r} has "
            f"{factors}: run with cross={{'init': 16, 'data': 16}}"
        )


def _dims_of_seeds(values: xr.DataArray) -> list[str]:
    """The dimensions of seeds, such as `seed` and `init_seed`."""
    dims = [str(dim) for dim in values.dims]
    return [name for name in dims if name.split("_")[-1] == "seed"]


def _without_single_seeds(values: xr.DataArray) -> xr.DataArray:
    """The values without dimensions of seeds that have one seed only."""
    seeds = [dim for dim in values.dims if str(dim).endswith("seed")]
    single = [dim for dim in seeds if values.sizes[dim] == 1]
    return values.squeeze(single, drop=True)


def _subsets(factors: int) -> list[Subset]:
    """All subsets of so many factors but the empty one, the smaller ones first."""
    found: list[Subset] = []
    for size in range(1, factors + 1):
        found += combinations(range(factors), size)
    return found


def _scaled(table: np.ndarray, factors: int, scale: str, of: str) -> np.ndarray:
    """The table (..., *levels) on the scale on which variances are split.

    Raises:
        ValueError: it holds values that are not on that scale.
    """
    table = np.asarray(table, float)
    if scale == "rank":
        return _ranks(table, factors)
    _check_finite(table, of)
    if scale == "linear":
        return table
    _check_positive(table, of)
    return np.log10(table)


def _ranks(table: np.ndarray, factors: int) -> np.ndarray:
    """The rank of each training among all trainings of its setting; nan is the largest."""
    grid = table.shape[: table.ndim - factors]
    filled = np.where(np.isnan(table), np.inf, table)
    trainings = filled.reshape(*grid, -1)
    return scipy.stats.rankdata(trainings, axis=-1).reshape(table.shape)


def _check_finite(table: np.ndarray, of: str) -> None:
    """Raise a ValueError if a value is infinite or nan."""
    bad = ~np.isfinite(table)
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {bad.size} values of {of!r} are not finite, so their variance is not: "
            "use scale='rank', or split a success (0 or 1) with scale='linear'"
        )


def _check_positive(table: np.ndarray, of: str) -> None:
    """Raise a ValueError if a value has no logarithm."""
    if (table <= 0).any():
        raise ValueError(
            f"{(table <= 0).sum()} values of {of!r} are not positive: use scale='linear' or 'rank'"
        )


def _split(
    table: np.ndarray,
    subsets: list[Subset],
    level: float,
    resamples: int,
    rng: int,
    allowance: float,
) -> tuple[np.ndarray, ...]:
    """Split one scaled table.

    Args:
        table: (..., *levels).
        subsets: all sources.
        level: probability of covering.
        resamples: draws of the generalised intervals.
        rng: seed of these draws.
        allowance: what the degrees of freedom are divided by.

    Returns:
        The arrays of `COLUMNS`, each (..., source), and the number of trainings (...).
    """
    factors = len(subsets[-1])  # the last source is the interaction of all
    grid = table.shape[:-factors]
    levels = table.shape[-factors:]

    # The components that solve for the mean squares
    squares, freedom = mean_squares(table, subsets)
    solve = components_matrix(levels, subsets)
    component = squares @ solve.T
    share, total = _shares(component, subsets)

    # The same solution for mean squares (..., resamples, source) whose expectations are drawn
    freedom = freedom / allowance
    generator = np.random.default_rng(rng)
    drawn = generator.chisquare(freedom, (resamples, len(freedom)))
    expected = squares[..., None, :] * freedom / drawn
    drawn_share, drawn_total = _shares(expected @ solve.T, subsets)
    low, high = _middle_of(drawn_share, level)
    total_low, total_high = _middle_of(drawn_total, level)

    n = np.full(grid, np.prod(levels))
    return share, low, high, total, total_low, total_high, component, n


def _shares(component: np.ndarray, subsets: list[Subset]) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the components (..., source) in their sum, and of all that contain a source."""
    contained = [[set(u) <= set(v) for v in subsets] for u in subsets]
    contains = np.array(contained, float)
    positive = np.maximum(component, 0)
    whole = positive.sum(-1, keepdims=True)

    # If nothing varies, 0 / 0 is nan, as documented
    with np.errstate(invalid="ignore"):
        share = positive / whole
        total = positive @ contains.T / whole
    return share, total


def _middle_of(drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the middle share `level` of draws (..., resamples, source)."""
    tail = (1 - level) / 2
    low = np.quantile(drawn, tail, axis=-2)
    high = np.quantile(drawn, 1 - tail, axis=-2)
    return low, high


def mean_squares(table: np.ndarray, subsets: list[Subset]) -> tuple[np.ndarray, np.ndarray]:
    """Analyse the variance of a crossed table.

    The effect of a subset u is what remains of the means over all other factors once the effects of
    u's own subsets are taken away; its sum of squares is taken over the whole table.

    Args:
        table: (..., *levels), one axis for each factor at the end.
        subsets: all subsets of the factors but the empty one, the smaller ones first.

    Returns:
        Mean squares (..., source) and degrees of freedom (source,).
    """
    factors = len(subsets[-1])  # the last source is the interaction of all
    levels = table.shape[-factors:]
    first = table.ndim - factors  # the axis of the first factor
    axes = tuple(range(first, table.ndim))
    effects: dict[Subset, np.ndarray] = {(): table.mean(axes, keepdims=True)}

    squares, freedom = [], []
    for subset in subsets:
        # What is left of the means over the other factors
        others = [j for j in range(factors) if j not in subset]
        effect = table
        if others:
            other_axes = tuple(first + j for j in others)
            effect = table.mean(other_axes, keepdims=True)
        for size in range(len(subset)):
            for smaller in combinations(subset, size):
                effect = effect - effects[smaller]
        effects[subset] = effect

        # Each value of the effect stands for as many cells as the other factors have combinations
        repeats = np.prod([levels[j] for j in others])
        df = np.prod([levels[j] - 1 for j in subset])
        sum_of_squares = (effect**2).sum(axes) * repeats
        squares.append(sum_of_squares / df)
        freedom.append(df)
    return np.stack(squares, -1), np.array(freedom, float)


def components_matrix(levels: Sequence[int], subsets: list[Subset]) -> np.ndarray:
    """The matrix (source, source) that turns mean squares into variance components.

    It is the inverse of the matrix of the expectations, see `variance_components`.
    """
    sources = len(subsets)
    expectations = np.zeros((sources, sources))
    for row, u in enumerate(subsets):
        for column, v in enumerate(subsets):
            if not set(u) <= set(v):
                continue
            # The mean square of u holds the component of v so many times
            others = [n for j, n in enumerate(levels) if j not in v]
            expectations[row, column] = np.prod(others)
    return np.linalg.inv(expectations)
