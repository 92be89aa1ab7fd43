"""What networks of two inputs say over a grid of the plane: their outputs, and their classes."""

import json
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx.stats.kept import predictions
from approx.stats.labels import without_kept_step
from approx.stats.values import quantiles

MIDDLE, LOW, HIGH = 0.5, 0.05, 0.95  # the quantiles of `surface`


class Grid(NamedTuple):
    """A grid of the plane.

    Attributes:
        points: numbers of its points among those of a result, (rows, columns): rows upwards.
        names: of the vertical input and of the horizontal one.
        axes: the values of the vertical input and of the horizontal one, increasing.
    """

    points: np.ndarray
    names: tuple[str, str]
    axes: tuple[np.ndarray, np.ndarray]

    def over(self, values: xr.DataArray) -> xr.DataArray:
        """Values over (..., point) as values over (..., vertical, horizontal)."""
        rows, columns = self.points.shape
        taken = values.isel(point=xr.DataArray(self.points.ravel(), dims="cell_"))
        taken = without_kept_step(taken).drop_vars(POINTS, errors="ignore")
        others = [dim for dim in taken.dims if dim != "cell_"]
        ordered = taken.transpose(*others, "cell_")
        shaped = ordered.values.reshape(*ordered.shape[:-1], rows, columns)
        coords: dict[Any, Any] = {dim: taken[dim] for dim in others if dim in taken.coords}
        coords |= dict(zip(self.names, self.axes, strict=True))
        return xr.DataArray(shaped, coords, (*others, *self.names))


POINTS = ["x_test", "y_test", "distance", "role"]


def grid_of(runs: xr.Dataset) -> Grid:
    """The grid that the points of a result are: those without targets, if there are any.

    Raises:
        ValueError: other than two inputs; points that differ between settings, or that are no grid.
    """
    x = runs.x_test
    if x.sizes.get("input") != 2 or x.ndim != 2:
        raise ValueError(
            f"a plane has two inputs, and x_test has the sizes {dict(x.sizes)}: select one setting "
            "of a task of two inputs"
        )
    chosen = np.arange(x.sizes["point"])
    if "role" in runs.coords:
        chosen = np.flatnonzero(runs.role.values == "at")
    places = x.transpose("point", "input").values[chosen]
    first, column = np.unique(places[:, 0], return_inverse=True)
    second, row = np.unique(places[:, 1], return_inverse=True)
    points = np.full((len(second), len(first)), -1)
    points[row, column] = chosen
    if points.size != len(chosen) or (points < 0).any():
        raise ValueError(
            f"the {len(chosen)} points are no grid of the plane: run the task with a grid, as in "
            "ap.data(x, y, at=ap.tasks.mesh((-2, -2), (2, 2)))"
        )
    horizontal, vertical = "x1", "x2"
    if "input" in runs.coords:
        horizontal, vertical = map(str, runs.input.values)
    return Grid(points, (vertical, horizontal), (second, first))


def surface(runs: xr.Dataset, output: int = 0) -> xr.Dataset:
    """The outputs of networks of two inputs over a grid of the plane: their quantiles over seeds.

    The quantiles are those of `quantiles`: values of seeds, where nan counts as infinite.

    Args:
        runs: `prediction` over (seed, point, output), at points that are a grid
            (`ap.tasks.mesh`).
        output: the number of the output.

    Returns:
        `median`, `low` and `high` (the 5 and 95% quantiles over seeds) and `n`, over (second input,
        first input), named as the inputs are, or "x2" and "x1".

    Raises:
        ValueError: no predictions, other than two inputs, points that are no grid.

    Example:
        plot.field(stats.surface(runs), "median")
    """
    predictions(runs)
    check_one_setting(runs)
    grid = grid_of(runs)
    one = runs[["prediction"]].isel(output=output, drop=True)
    found = quantiles(one, of="prediction", q=(LOW, MIDDLE, HIGH)).prediction
    shaped = grid.over(found)
    named = {}
    for name, q in (("median", MIDDLE), ("low", LOW), ("high", HIGH)):
        named[name] = shaped.sel(quantile=q, drop=True)
    made = xr.Dataset(named)
    return made.assign(n=xr.full_like(made["median"], runs.sizes["seed"], int))


def decisions(runs: xr.Dataset, above: float | None = None) -> xr.Dataset:
    """Which share of the seeds names each class, over a grid of the plane.

    A network of several outputs names the class of its largest output. One of a single output names
    the second class where the output is above a threshold, and the first class elsewhere. A network
    whose outputs are not finite names no class; it counts in `n`.

    Args:
        runs: `prediction` over (seed, point, output), at points that are a grid
            (`ap.tasks.mesh`).
        above: the threshold of a single output: 0 for logits, 0.5 for probabilities. For tasks of
            `ap.data` it follows from the loss.

    Returns:
        `share` over (class, second input, first input), and `n` over the grid. The inputs are named
        as they are in the result, or "x1" and "x2".

    Raises:
        ValueError: no predictions, other than two inputs, points that are no grid, a single output
            whose threshold is not known, several outputs that are no classes.

    Example:
        stats.decisions(runs).share.sel({"class": "spam"})
    """
    f = predictions(runs)
    check_one_setting(runs)
    grid = grid_of(runs)
    outputs = f.transpose("seed", "point", "output").values
    named = chosen_class(outputs, rule_of(runs, above))
    names = class_names(runs, max(2, outputs.shape[-1]))
    shares = np.stack([(named == number).mean(0) for number in range(len(names))])
    share = grid.over(xr.DataArray(shares, {"class": names}, ("class", "point")))
    n = xr.full_like(share.isel({"class": 0}, drop=True), f.sizes["seed"], int)
    return xr.Dataset({"share": share, "n": n})


def check_one_setting(runs: xr.Dataset) -> None:
    """Refuse predictions over more than seeds, points and outputs.

    Raises:
        ValueError: naming the other dimensions.
    """
    others = [str(dim) for dim in runs.prediction.dims if dim not in ("seed", "point", "output")]
    if others:
        raise ValueError(
            f"the predictions are over {', '.join(others)} too: select one of each, as in "
            f"runs.isel({others[0]}=0)"
        )


def rule_of(runs: xr.Dataset, above: float | None) -> float | None:
    """The threshold of a single output; None where the largest of several outputs names the class.

    Raises:
        ValueError: a threshold that is not known, or that several outputs cannot have.
    """
    outputs = runs.sizes["output"]
    noted = decision_noted(runs)
    if outputs > 1 and not noted:
        raise ValueError(
            f"it is not known that the {outputs} outputs are those of classes: make the task by "
            "ap.data, with a loss of classes such as cross_entropy"
        )
    if outputs > 1:
        if above is not None or noted.startswith("above"):
            raise ValueError(
                f"there are {outputs} outputs, each with a threshold of its own: select one, as in "
                "runs.isel(output=[0])"
            )
        return None
    if above is not None:
        return above
    if not noted.startswith("above"):
        raise ValueError(
            "above= is needed: the output of the second class is above 0 for logits, and above "
            "0.5 for probabilities"
        )
    return float(noted.removeprefix("above"))


def decision_noted(runs: xr.Dataset) -> str:
    """How the outputs name a class, as the task noted it; "largest" for labels, else ""."""
    if "y_test" not in runs.coords:
        return ""
    if "decision" in runs.y_test.attrs:
        return str(runs.y_test.attrs["decision"])
    is_label = np.issubdtype(runs.y_test.dtype, np.integer)
    return "largest" if is_label and runs.sizes["output"] > 1 else ""


def chosen_class(outputs: np.ndarray, above: float | None) -> np.ndarray:
    """The number of the class that each network names at each point; -1 for none.

    Args:
        outputs: (seed, point, output).
        above: the threshold of a single output, or None for the largest of several.
    """
    if above is None:
        named = outputs.argmax(-1)
    else:
        named = (outputs[..., 0] > above).astype(int)
    return np.where(np.isfinite(outputs).all(-1), named, -1)


def class_names(runs: xr.Dataset, count: int) -> list[str]:
    """The names of the classes; 0, 1, ... where they have none."""
    if "y_test" in runs.coords and "classes" in runs.y_test.attrs:
        return [str(name) for name in json.loads(runs.y_test.attrs["classes"])]
    return [str(number) for number in range(count)]
