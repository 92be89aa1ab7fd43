"""How an explorer lays out settings, and which seeds succeed at each position of its slider."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from approx import stats
from approx.plot.series import name_value
from approx.stats.endings import LEARNED
from approx.stats.labels import final

NEVER = 255  # the code of a seed that succeeds at no position of the slider
MOST_POSITIONS = 240  # of the slider: with NEVER their numbers have room in a byte
PER_DECADE = 20  # positions of the slider in a decade of a loss
DIGITS = 3  # significant digits of a position
AT_ONCE = 16  # positions that are judged in one call, so that memory stays small
MOST_KINDS = 256  # the numbers of so many kinds have room in a byte


class Layout(NamedTuple):
    """How the settings of a result are laid out.

    Attributes:
        sizes: all dimensions but seeds and what belongs to one training, with their sizes; the last
            one is the fastest.
        on_map: the number that goes upwards on the map and the one that goes to the right; empty
            without a map.
        names: of what is chosen from a list, such as "adam, width 8": the other dimensions where
            there is a map, and all of them where there is none. A single "" if nothing is chosen.
    """

    sizes: dict[str, int]
    on_map: tuple[str, ...]
    names: list[str]

    @property
    def settings(self) -> int:
        """The number of settings."""
        return int(np.prod([*self.sizes.values(), 1]))

    def flat(self, values: xr.DataArray, *own: str) -> np.ndarray:
        """Values over (setting, *own), repeated where all settings share them."""
        bare = values.reset_coords(drop=True)
        missing = {dim: n for dim, n in self.sizes.items() if dim not in bare.dims}
        whole = bare.expand_dims(missing).transpose(*self.sizes, *own).values
        return whole.reshape(self.settings, *whole.shape[len(self.sizes) :])


def laid_out(value: xr.DataArray) -> Layout:
    """The layout of what is judged, an array over settings and seeds.

    The last two dimensions that hold numbers in increasing order are the map's. Axes of seeds, such
    as "init_seed", are none of these.
    """
    dims = [str(dim) for dim in value.dims if dim != "seed"]
    on_map: list[str] = [dim for dim in dims if is_axis(value, dim)][-2:]
    if len(on_map) < 2:
        on_map = []
    others = [dim for dim in dims if dim not in on_map]
    order = [*others, *on_map]
    sizes = {dim: value.sizes[dim] for dim in order}
    return Layout(sizes, tuple(on_map), names_of(value, others))


def is_axis(value: xr.DataArray, dim: str) -> bool:
    """Whether a dimension holds two or more numbers in increasing order that are no seeds."""
    if dim not in value.coords or dim.endswith("_seed") or value.sizes[dim] < 2:
        return False
    there = value[dim].values
    if not np.issubdtype(there.dtype, np.number):
        return False
    return bool((np.diff(there.astype(float)) > 0).all())


def names_of(value: xr.DataArray, dims: Sequence[str]) -> list[str]:
    """The names of all combinations of some dimensions, the last one fastest."""
    names = [""]
    for dim in dims:
        labels = range(value.sizes[dim])
        if dim in value.coords:
            labels = value[dim].values.tolist()
        written = [name_value(dim, label) for label in labels]
        names = [", ".join(filter(None, (one, two))) for one in names for two in written]
    return names


# ---- the slider ----------------------------------------------------------------------------------


class Slider(NamedTuple):
    """The positions of the slider, from the strictest threshold to the laxest.

    Attributes:
        positions: the thresholds.
        first: the number of the position that the page begins with.
        limit: "below" or "above".
    """

    positions: np.ndarray
    first: int
    limit: str


def slider_of(values: np.ndarray, of: str, below: float | None, above: float | None) -> Slider:
    """Thresholds over the range of the values, among them the one that was given.

    They lie evenly on a logarithmic scale for a loss, and on a linear one for an accuracy and where
    values are not positive.
    """
    limit, given = threshold_of(below, above)
    finite = values[np.isfinite(values)].astype(float)
    if "accuracy" in of:
        positions = np.linspace(0, 1, 201)
    elif finite.size and (finite < 0).any():
        positions = np.linspace(finite.min(), finite.max(), 201)
    else:
        positive = finite[finite > 0]
        positions = decades(positive) if positive.size else np.array([given])
    texts = {f"{each:.{DIGITS}g}" for each in positions.tolist()}
    ordered = np.unique([*map(float, texts), given])
    if limit == "above":
        ordered = ordered[::-1]
    first = int(np.flatnonzero(ordered == given)[0])
    return Slider(ordered, first, limit)


def threshold_of(below: float | None, above: float | None) -> tuple[str, float]:
    """Which limit was given, and the threshold."""
    if below is not None:
        return "below", float(below)
    assert above is not None  # `stats.success` has refused it
    return "above", float(above)


def decades(positive: np.ndarray) -> np.ndarray:
    """Thresholds from below the least value to above the greatest, even in their logarithms."""
    low = np.floor(PER_DECADE * np.log10(positive.min())) / PER_DECADE
    high = np.ceil(PER_DECADE * np.log10(positive.max())) / PER_DECADE
    many = round(PER_DECADE * (high - low)) + 1
    return np.logspace(low, high, min(many, MOST_POSITIONS - 1))


def codes_of(value: xr.DataArray, slider: Slider, layout: Layout) -> np.ndarray:
    """The number of the first position at which each seed succeeds, (setting, seed); or NEVER.

    `stats.success` decides at each position, so the page counts the same seeds as it does. A seed
    that succeeds at a position does so at all laxer ones, so the number of the first is the number
    of those at which it fails.
    """
    of = str(value.name)
    judged = value.to_dataset(name=of)
    failures = np.zeros((layout.settings, value.sizes["seed"]), int)
    for begin in range(0, len(slider.positions), AT_ONCE):
        positions = slider.positions[begin : begin + AT_ONCE]
        thresholds: Any = {slider.limit: xr.DataArray(positions, dims="position_")}
        hits = stats.success(judged, of=of, **thresholds)
        fails = (~hits.hit).sum("position_")
        failures += layout.flat(fails, "seed")
    never = failures == len(slider.positions)
    return np.where(never, NEVER, failures).astype(np.uint8)


# ---- what became of the seeds --------------------------------------------------------------------


class Became(NamedTuple):
    """What became of the seeds if they did not succeed.

    Attributes:
        kinds: all names, "learned" first.
        codes: (setting, seed) the number of each seed's name.
        note: what one must know, or why there are no names.
    """

    kinds: list[str]
    codes: np.ndarray
    note: str


def became_of(runs: xr.Dataset, hits: xr.Dataset, layout: Layout) -> Became:
    """What `stats.endings` says of each seed at the threshold that was given.

    Of the seeds that succeed there it says what they would be if no seed had succeeded, because the
    slider may make failures of them.
    """
    if "loss" not in runs:
        nothing = np.zeros((layout.settings, runs.sizes["seed"]), np.uint8)
        return Became([LEARNED], nothing, "There is no training loss to tell failures apart by.")
    found = stats.endings(runs, hits)
    nobody = stats.endings(runs, hits.copy(data={"hit": np.zeros_like(hits.hit.values)}))
    kind = xr.where(found.kind == LEARNED, nobody.kind, found.kind)
    names = layout.flat(kind, "seed").astype(str)
    there = set(np.unique(names).tolist())
    kinds = [name for name in dict.fromkeys([*found.kinds, *nobody.kinds]) if name in there]
    kinds = [LEARNED, *kinds]
    if len(kinds) > MOST_KINDS:
        raise ValueError(
            f"there are {len(kinds)} kinds of endings, and an explorer has room for {MOST_KINDS}: "
            "give it a part of the settings"
        )
    codes = np.zeros(names.shape, np.uint8)
    for number, name in enumerate(kinds):
        codes[names == name] = number
    return Became(kinds, codes, str(found.attrs.get("note", "")))


# ---- texts ---------------------------------------------------------------------------------------


def axis_texts(value: xr.DataArray, dim: str) -> list[str]:
    """The values of an axis as the page writes them: with as few digits as tell them apart."""
    numbers = value[dim].values.tolist()
    for digits in range(DIGITS, 17):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(texts):
            return texts
    return list(map(str, numbers))


def judged_values(runs: xr.Dataset, of: str) -> xr.DataArray:
    """What is judged at the last record, over settings and seeds."""
    return final(runs, of).rename(of)
