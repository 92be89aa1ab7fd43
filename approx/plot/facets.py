"""Maps over more than two swept numbers: a panel for each value of a third, and of a fourth."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from approx.plot.keys import map_key
from approx.plot.landscapes import field, finite_limits, landscape
from approx.plot.regions import kinds_there, regions
from approx.plot.series import check_made, name_value


def facets(
    data: xr.Dataset,
    draw: Callable[..., Axes] = landscape,
    *,
    col: str,
    row: str | None = None,
    columns: int = 3,
    panels: np.ndarray | Sequence[Axes] | None = None,
    titles: Sequence[str] | None = None,
    key: bool = True,
    **options,
) -> np.ndarray:
    """Maps over more than two swept numbers, with the same colours and one key below them.

    There is a map for each value of a third number, and of a fourth.

    Args:
        data: what `draw` takes, over two dimensions and `col`, and `row` if there is one.
        draw: `landscape`, `field` or `regions`.
        col: the dimension whose values lie side by side; without `row` they go on in the next line
            after `columns`.
        row: the dimension whose values lie below each other.
        columns: panels in a line, without `row`.
        panels: axes to draw on, as many as there are values; those of a new figure if left out.
        titles: the messages of the panels; the values of `col` and `row` if left out.
        key: whether to draw one key for all panels, as `map_key` does. Without it the notes stay
            above the panels, so that `map_key` can draw a key for these and further maps.
        **options: of `draw`. A dataset or array among them that has the dimension `col` or `row` is
            cut to each panel's part.

    Returns:
        The axes, lines and columns of them; those that nothing was drawn on are taken away.

    Raises:
        ValueError: not two dimensions beside `col` and `row`; other than as many panels; what
            `draw` refuses.
    """
    check_made(data, [], "plot.facets", "stats.rate(hits), col=...")
    dims = [col] if row is None else [row, col]
    _check_dims(data, dims)
    places = [
        dict(zip(dims, place, strict=True))
        for place in product(*(range(data.sizes[dim]) for dim in dims))
    ]
    wide = min(columns, data.sizes[col]) if row is None else data.sizes[col]
    if panels is None:
        panels = _new_panels(len(places), wide)
    else:
        panels = np.asarray(panels)
        if panels.size != len(places):
            raise ValueError(f"{panels.size} panels for {len(places)} values of {' x '.join(dims)}")
    drawn = panels.ravel()[: len(places)].tolist()
    rest = panels.ravel()[len(places) :]
    for ax in rest:
        ax.remove()
    options |= _shared(data, draw, options)
    for number, (ax, place) in enumerate(zip(drawn, places, strict=True)):
        one = data.isel(place)
        title = titles[number] if titles is not None else _title(one, dims)
        own = {name: _part(value, place) for name, value in options.items()}
        bar = drawn if ax is drawn[-1] else False
        draw(one, ax=ax, title=title, bar=bar, **own)
    if key:
        map_key(drawn)
    _label_outer_axes(drawn, wide)
    return panels


def _check_dims(data: xr.Dataset, dims: Sequence[str]) -> None:
    """Raise a ValueError if the data lack a dimension that the panels are for."""
    missing = [dim for dim in dims if dim not in data.dims]
    if missing:
        there = ", ".join(map(str, data.dims))
        raise ValueError(f"{missing[0]!r} is no dimension of the data; it has {there}")


def _label_outer_axes(drawn: Sequence[Axes], wide: int) -> None:
    """Label the axes on the left and at the bottom only, in rows of `wide` panels."""
    for ax in drawn:
        ax.label_outer()
    for ax in drawn[-wide:]:  # the last of each column, those above an empty place too
        ax.tick_params(labelbottom=True)
        ax.set_xlabel(drawn[-1].get_xlabel())


def _new_panels(many: int, wide: int) -> np.ndarray:
    """Axes of a new figure, with room for that many maps, so many in a line."""
    high = -(-many // wide)
    size = (min(7.0, 0.8 + 2.3 * wide), 0.6 + 2.2 * high)
    shared: dict[str, Any] = {"sharex": True, "sharey": True, "layout": "constrained"}
    return plt.subplots(high, wide, squeeze=False, figsize=size, **shared)[1]


def _title(one: xr.Dataset, dims: Sequence[str]) -> str:
    """The values that a panel is for, as its title."""
    return ", ".join(name_value(dim, one[dim].item()) for dim in dims if dim in one.coords)


def _shared(data: xr.Dataset, draw: Callable, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that give all panels the same colours."""
    if draw is field:
        values = data[options["of"]].values.astype(float)
        return {"limits": options.get("limits") or finite_limits(values, options.get("log"))}
    if draw is regions:
        return {"named": options.get("named") or kinds_there(data)}
    return {}


def _part(value: Any, place: Mapping[str, int]) -> Any:
    """A panel's part of an option."""
    if isinstance(value, xr.Dataset | xr.DataArray):
        return value.isel(place, missing_dims="ignore")
    return value
