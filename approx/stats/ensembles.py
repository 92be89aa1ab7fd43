"""Several seeds together: the best of them, and the error of the mean of their outputs.

Shape letters in this file: c cells of settings, n seeds, g groups of m seeds, k test points, o
outputs.
"""

from collections.abc import Sequence

import numpy as np
import scipy
import xarray as xr

from approx.stats.ensemble_errors import LOSSES, Judged, of_size
from approx.stats.kept import judged as with_targets
from approx.stats.kept import predictions
from approx.stats.labels import final, require_dims, worst_value

STATISTICS = ("mean", "median")


# ---- the best seeds ------------------------------------------------------------------------------


def best_seeds(
    runs: xr.Dataset, k: int, of: str = "validation_loss", biased: bool = False
) -> xr.Dataset:
    """The k best seeds of every cell, by a variable at the last record.

    Seeds that were chosen are no sample of all seeds: a rate over them says nothing of the recipe.
    So the result has a dimension `rank` instead of `seed`, which statistics of seeds refuse. And
    whoever chooses by test points cannot judge by them any more, as the best value of several is
    good by luck too: choose by validation rows, and judge by test points.

    Args:
        runs: variables over (..., seed, step), or (..., seed) after `pick`.
        k: how many, from 1 to the number of seeds.
        of: the variable: lowest is best, and highest of an accuracy. nan is the worst value, and of
            equal seeds the earlier one is better.
        biased: whether a variable of test points may choose nevertheless.

    Returns:
        All variables over (..., rank, ...), rank 1 being the best, with the coordinate `seed`
        (..., rank). It goes into `ensemble`, which then takes the m best.

    Raises:
        ValueError: k out of range, no such variable, a variable of test points.

    Example:
        >>> stats.best_seeds(runs, 5).test_loss.isel(step=-1)
    """
    if of.startswith(("test_", "outside_")) and not biased:
        raise ValueError(
            f"of={of!r} would choose seeds by the test points, by which they could then not be "
            "judged: keep rows for validation (validation=0.2 in the task) and choose of="
            '"validation_loss", or say biased=True'
        )
    require_dims(runs, ["seed"])
    n = runs.sizes["seed"]
    whole = isinstance(k, int | np.integer) and not isinstance(k, bool)
    if not whole or not 1 <= k <= n:
        raise ValueError(f"k is {k}; it must be a whole number from 1 to the {n} seeds there are")
    value = final(runs, of)
    require_dims(value, ["seed"])
    order = value.copy(data=_order(value.values, of, value.get_axis_num("seed")))
    order = order.isel(seed=slice(k)).drop_vars("seed").rename(seed="rank")
    chosen = runs.isel(seed=order.reset_coords(drop=True).astype(int))
    return chosen.assign_coords(rank=np.arange(1, k + 1)).assign_attrs(chosen_by=of)


def _order(values: np.ndarray, of: str, axis: int = -1) -> np.ndarray:
    """Places from the best value to the worst along an axis; nan is last, ties stay in order."""
    worst = worst_value(of, None)
    filled = np.where(np.isnan(values), worst, values)
    if worst < 0:  # more is better
        filled = -filled
    return np.argsort(filled, axis, kind="stable")


# ---- ensembles -----------------------------------------------------------------------------------


# A public verb: two arguments say what is asked, the others are options of judging it
def ensemble(
    runs: xr.Dataset,
    sizes: Sequence[int] | None = None,
    *,
    loss: str | None = None,
    among: int | None = None,
    by: str = "validation_loss",
    statistic: str = "mean",
    level: float = 0.95,
) -> xr.Dataset:
    """The error of the mean of m networks' outputs, against m, inside and outside the range.

    Of numbers the outputs are averaged, and the loss is the squared error. For every group of
    networks f_i with mean f the ambiguity decomposition holds at every point (A. Krogh and J.
    Vedelsby, NIPS 7, 1995): `(f - y)² = mean_i (f_i - y)² - mean_i (f_i - f)²`. So an ensemble is
    never worse than its members on average, and is better by their ambiguity. Of classes the
    probabilities are averaged (softmax of the outputs, or the sigmoid of a single one), and the
    loss is the share of points that are wrong.

    The seeds are dealt into disjoint groups in their order, g = n // m of them for ensembles of m.
    The interval is that of the groups, which are independent: of a mean, Student's with g - 1
    degrees of freedom (for "wrong", that of `mean_interval`); of a median, by order statistics. It
    is from 0 to infinity where there is one group, and where all groups agree to the last bit. The
    mean squared error itself is the mean over all C(n, m) groups, disjoint or not, in closed form:
    `(f - y)² + s² (1/m - 1/n)` with the mean f and the unbiased variance s² of all seeds. This
    varies at most as much as the mean over disjoint groups (W. Hoeffding, 1948).

    Args:
        runs: with predictions over (..., seed, point, output), kept at the last record; or what
            `best_seeds` returned: then there is a single group, of the m best.
        sizes: numbers m of networks, each from 1 to the number of seeds (or to `among`) and once;
            None is 1, 2, 4 and 8, as far as there are so many.
        loss: "squared"; "wrong", the share of wrong points, or "log", minus the logarithm of the
            right class's mean probability. By default "squared" of numbers and "wrong" of labels.
        among: if given, the seeds are dealt into groups of so many, and the m best of each group
            are the ensemble.
        by: the variable at the last record that says which are the best; not one of test points.
        statistic: "mean" or "median" over the groups.
        level: probability of covering.

    Returns:
        Over (..., where, size), `where` being "inside" and "outside" as far as there are such
        points: `error`, `low`, `high`; `member_error`, the mean error of the members; and
        `ambiguity`, their mean squared distance from their mean (of "squared" only). Over
        (..., size): `n`, the number of groups. Over (..., point, output): `prediction`, the mean
        output of all seeds, and `spread`, their standard deviation. A network that diverged makes
        the error of its ensembles infinite.

    Raises:
        ValueError: no predictions or no test points; sizes out of range; targets that do not fit
            the loss; an unknown loss or statistic.

    Example:
        >>> plot.ensemble(stats.ensemble(runs, sizes=[1, 2, 4, 8, 16]))
    """
    _check_words(statistic, loss)
    kept = predictions(runs)
    dim = "rank" if "rank" in kept.dims else "seed"
    require_dims(kept, [dim, "point", "output"])
    runs = with_targets(runs)
    judged, cells = _judged(runs, predictions(runs), dim, loss)
    sizes = _checked_sizes(sizes, judged.outputs.shape[1], among)
    order = _groups_order(runs, dim, cells, among, by)
    regions = _regions(runs)
    columns = []
    counts = []
    for m in sizes:
        groups = _dealt(judged.outputs.shape[:2], m, among, order, ranked=dim == "rank")
        counts.append(groups.shape[1])
        columns.append(of_size(judged, groups, regions, statistic, level, _free(among, dim)))
    found = _labelled(columns, cells, regions, sizes)
    found["n"] = ("size", np.array(counts))
    found["prediction"] = kept.mean(dim)
    found["spread"] = kept.std(dim, ddof=1)
    found.attrs = {"loss": judged.loss, "statistic": statistic, "level": level}
    found.attrs["seeds"] = kept.sizes[dim]
    if among is not None:
        found.attrs |= {"among": among, "by": by}
    return found


def _free(among: int | None, dim: str) -> bool:
    """Whether any m of the seeds are an ensemble, so that all groups of m can be averaged over."""
    return among is None and dim == "seed"


def _check_words(statistic: str, loss: str | None) -> None:
    """Raise a ValueError for an unknown statistic or loss."""
    if statistic not in STATISTICS:
        raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}; got {statistic!r}")
    if loss is not None and loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}; got {loss!r}")


def _checked_sizes(sizes: Sequence[int] | None, n: int, among: int | None) -> list[int]:
    """The sizes as whole numbers.

    Raises:
        ValueError: none, one that is out of range, or one twice.
    """
    if among is not None and not 1 <= among <= n:
        raise ValueError(f"among is {among}; it must be from 1 to the {n} seeds there are")
    most = n if among is None else among
    if sizes is None:
        return [m for m in (1, 2, 4, 8) if m <= most]
    found = np.atleast_1d(np.asarray(sizes))
    whole = found.dtype.kind in "iu" and found.size
    if not whole or found.min() < 1 or found.max() > most:
        raise ValueError(
            f"sizes are whole numbers from 1 to {most}, the seeds to choose from; got {sizes!r}"
        )
    if len(set(found.tolist())) < found.size:
        raise ValueError(f"sizes are {sizes!r}; give each of them once")
    return found.tolist()


# ---- what is judged ------------------------------------------------------------------------------


def _judged(
    runs: xr.Dataset, kept: xr.DataArray, dim: str, loss: str | None
) -> tuple[Judged, xr.DataArray]:
    """The outputs and the targets as plain arrays, and a labelled array over the cells.

    Raises:
        ValueError: there are no targets, or none that fit the loss.
    """
    if "test_loss" not in runs and "outside_loss" not in runs:
        raise ValueError("an ensemble is judged at test points, and this task has none")
    if "y_test" not in runs.coords:
        raise ValueError(
            "an ensemble is judged against y_test, which these runs lack: take one recipe"
        )
    others = [name for name in kept.dims if name not in (dim, "point", "output")]
    cells = xr.zeros_like(kept.isel({dim: 0, "point": 0, "output": 0}, drop=True))
    cells = cells.transpose(*others)
    outputs = kept.transpose(*others, dim, "point", "output").values.astype(float)
    y = runs.y_test.broadcast_like(cells) if others else runs.y_test
    y = y.transpose(*others, "point", ...)
    targets = y.values.reshape(-1, *y.shape[len(others) :])
    outputs = outputs.reshape(-1, *outputs.shape[len(others) :])
    chosen = loss or ("wrong" if targets.ndim == 2 else "squared")
    if chosen == "squared":
        if targets.ndim == 2:
            raise ValueError('loss="squared" is of numbers, and the targets are labels of classes')
        return Judged(outputs, targets.astype(float), chosen), cells
    return Judged(_probabilities(outputs), _labels(targets, outputs.shape[-1]), chosen), cells


def _probabilities(outputs: np.ndarray) -> np.ndarray:
    """Probabilities of the classes (..., o); of a single output those of 0 and of 1 (..., 2)."""
    if outputs.shape[-1] > 1:
        return scipy.special.softmax(outputs, -1)
    one = scipy.special.expit(outputs)
    return np.concatenate([1 - one, one], -1)


def _labels(targets: np.ndarray, outputs: int) -> np.ndarray:
    """Targets as labels (c, k).

    Raises:
        ValueError: several columns of numbers, or numbers other than 0 and 1.
    """
    if targets.ndim == 2:
        return targets.astype(int)
    values = targets[..., 0]
    if targets.shape[-1] > 1 or outputs > 1 or not np.isin(values, (0, 1)).all():
        raise ValueError(
            'loss="wrong" and loss="log" are of classes: of labels, or of one column of 0 and 1'
        )
    return values.astype(int)


def _regions(runs: xr.Dataset) -> dict[str, np.ndarray]:
    """Which points (k,) are inside the training range, and which are outside.

    Raises:
        ValueError: this differs between the cells.
    """
    distance = runs.distance
    if distance.ndim > 1:
        others = [name for name in distance.dims if name != "point"]
        away = distance > 0
        if bool((away.any(others) != away.all(others)).any()):
            raise ValueError("the cells have different points outside: take one cell with .sel()")
        distance = distance.max(others)
    outside = distance.values > 0
    found = {"inside": ~outside, "outside": outside}
    return {name: points for name, points in found.items() if points.any()}


# ---- groups of seeds -----------------------------------------------------------------------------


def _groups_order(
    runs: xr.Dataset, dim: str, cells: xr.DataArray, among: int | None, by: str
) -> np.ndarray | None:
    """With `among`, the value (c, n) by which the best of a group are found; lowest is best.

    Raises:
        ValueError: a variable of test points; seeds that are chosen already.
    """
    if among is None:
        return None
    if dim == "rank":
        raise ValueError("these seeds are chosen already: give among= with the runs of all seeds")
    if by.startswith(("test_", "outside_")):
        raise ValueError(
            f"by={by!r} would choose by the test points that judge: choose by validation rows"
        )
    value = final(runs, by).transpose(*cells.dims, "seed").values
    value = value.reshape(-1, value.shape[-1]).astype(float)
    worst = worst_value(by, None)
    filled = np.where(np.isnan(value), worst, value)
    return -filled if worst < 0 else filled


def _dealt(
    shape: tuple[int, ...], m: int, among: int | None, order: np.ndarray | None, ranked: bool
) -> np.ndarray:
    """Which seeds the groups have, (c, g, m).

    Args:
        shape: (c, n).
        m: seeds of an ensemble.
        among: seeds to choose them from, or None for any m.
        order: what they are chosen by, lowest first (c, n).
        ranked: whether the seeds are chosen and sorted already; then there is one group.
    """
    cells, n = shape
    if order is None:
        count = 1 if ranked else n // m
        groups = np.arange(count * m).reshape(count, m)
        return np.broadcast_to(groups, (cells, count, m))
    length = among or n
    count = n // length
    values = order[:, : count * length].reshape(cells, count, length)
    best = np.argsort(values, -1, kind="stable")[..., :m]
    return best + length * np.arange(count)[None, :, None]


def _labelled(
    columns: list[dict[str, np.ndarray]],
    cells: xr.DataArray,
    regions: dict[str, np.ndarray],
    sizes: list[int],
) -> xr.Dataset:
    """The results of all sizes over (..., where, size)."""
    found = {}
    for name in columns[0]:
        values = np.stack([column[name] for column in columns], -1)
        shape = (*cells.shape, len(regions), len(sizes))
        found[name] = ((*cells.dims, "where", "size"), values.reshape(shape))
    coordinates = {"where": list(regions), "size": sizes}
    own = {name: cells[name].variable for name in cells.dims if name in cells.coords}
    return xr.Dataset(found, coords=coordinates | own)
