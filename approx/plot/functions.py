"""The panel of learned functions of one variable."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx import stats
from approx.plot.learning import SINGLE, SINGLES, bands, only_seeds
from approx.plot.scales import corner, shade_shown
from approx.plot.series import axes, check_made, label_ends
from approx.stats.kept import predictions


def check_one_input(runs: xr.Dataset) -> None:
    """Refuse functions of several variables, whose points do not lie on one line.

    Raises:
        ValueError: saying what draws them.
    """
    inputs = runs.x_test.sizes.get("input", 1)
    if inputs > 1:
        raise ValueError(
            f"plot.fan draws functions of one input, and these have {inputs}. Over the distance to "
            'the training range draw plot.extrapolation({"label": stats.error_by_distance(runs)}); '
            "over a grid of the plane, as in ap.data(x, y, at=ap.tasks.mesh(...)), draw "
            'plot.boundary(runs) of classes and plot.field(stats.surface(runs), "median") of '
            "numbers; along one line, run a task whose test points have one input"
        )


def check_targets(runs: xr.Dataset) -> None:
    """Refuse targets that are not of the same kind as the outputs.

    Raises:
        ValueError: saying what they are, and what to do.
    """
    if "y_test" not in runs.coords:
        raise ValueError(
            "there are no targets at the test points, since some recipes have labels and others "
            "numbers: run them one by one to draw them"
        )
    if "output" not in runs.y_test.dims:
        raise ValueError(
            "the targets are labels of classes, and the outputs are one number for each class: "
            "they have no axis in common. Judge them by an accuracy, as in "
            'stats.success(runs, above=0.9, of="test_accuracy")'
        )


def fan(
    runs: xr.Dataset,
    ax: Axes | None = None,
    title: str | None = None,
    *,
    between: Sequence[float] | None = None,
    singles: int = SINGLES,
    output: int = 0,
    names: bool = True,
) -> Axes:
    """Learned functions of one variable: quantile bands over seeds, a few seeds, and the target.

    The range of the training rows is shaded. Points without targets (`at=` of `ap.data`) are among
    those where the functions are drawn, and the target is drawn at the others.

    Args:
        runs: predictions over (seed, point, output), at points with one input.
        ax: axes to draw on.
        title: the message of the panel.
        between: limits of x; all test points if left out.
        singles: how many seeds to draw as thin lines, the first ones.
        output: which output.
        names: whether to name the target and the median, and to write the number of seeds.

    Raises:
        ValueError: several inputs, other dimensions, labels as targets, no predictions, or those
            of another step than was picked.
    """
    check_made(runs, [], "plot.fan", "runs")
    predictions(runs)
    only_seeds(runs, "prediction", "point", "output")
    check_one_input(runs)
    check_targets(runs)
    ax = axes(ax, title)
    here = _points_between(runs, between).isel(output=output)
    x = here.x_test.isel(input=0).values
    y = here.y_test.values
    judged = np.ones(len(x), bool)
    if "role" in here.coords:  # the other points have no target
        judged = here.role.values != "at"
    found = stats.quantiles(here, of="prediction").prediction
    quantiles = found.transpose("quantile", "point").values
    shown = x[here.distance.values == 0]
    if shown.size:
        shade_shown(ax, shown.min(), shown.max())
    bands(ax, x, quantiles)
    for seed in range(min(singles, runs.sizes["seed"])):
        ax.plot(
            x,
            here.prediction.isel(seed=seed),
            **SINGLE,
        )
    ends = [(quantiles[2], "median", "C0")]
    if judged.any():
        _draw_target(ax, x[judged], y[judged])
        ends.insert(0, (y[judged], "target", "k"))
    ax.set(xlim=(x.min(), x.max()), xlabel="x", ylabel="f(x)")
    if names:
        corner(ax, runs.sizes["seed"])
        label_ends(ax, ends)
    return ax


def _draw_target(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the target as a dashed line, and limit the vertical axis to it with a margin."""
    ax.plot(
        x,
        y,
        color="k",
        ls=(0, (3, 2)),
        lw=0.9,
    )
    pad = 0.1 * np.ptp(y) or 0.1  # of a constant target too
    ax.set_ylim(y.min() - 2 * pad, y.max() + pad)


def _points_between(runs: xr.Dataset, between: Sequence[float] | None) -> xr.Dataset:
    """The test points between two values of x, from left to right."""
    runs = runs.isel(point=np.argsort(runs.x_test.isel(input=0).values))
    if between is None:
        return runs
    x = runs.x_test.isel(input=0).values
    first, last = between
    return runs.isel(point=np.flatnonzero((x >= first) & (x <= last)))
