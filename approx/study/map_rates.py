"""The rates of a map in a small file: how many seeds of each cell succeeded, and how many diverged.

Rates and intervals follow from these whole numbers, so that a map can be drawn without trainings.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from approx.disk.files import UnreadableError, make_folder, open_netcdf, write_netcdf
from approx.disk.seals import DamagedError
from approx.stats.rates import RATE_NAMES, share_of

FORMAT = 1  # of the file; a newer one is refused
FACTS = ("fingerprint", "versions")  # attributes that the rates of a map in memory do not have
REMEDY = "take a copy of it, or run the experiment that writes it again"


def save_rates(rates: xr.Dataset, runs: xr.Dataset, path: str | Path) -> Path:
    """Write the rates of a map to a small file, of which `load_rates` makes them again.

    The same trainings give the same bytes.

    Args:
        rates: what `Map.rates` returned of the trainings.
        runs: the trainings, of which it is counted how many diverged.
        path: the file. Its folder is made if the folder around that exists.

    Returns:
        The path of the file.

    Example:
        >>> study.save_rates(one.rates(runs), runs, Path("map_identity_sgd_rates.nc"))
    """
    finite = xr.apply_ufunc(np.isfinite, runs["loss"].isel(step=-1, drop=True))
    counted = {"successes": rates["successes"], "diverged": (~finite).sum("seed")}
    n = runs.sizes["seed"]
    found = xr.Dataset({name: _smallest(array, n) for name, array in counted.items()})
    found.attrs = {
        "approx_rates_format": FORMAT,
        "n": n,
        "rates": json.dumps(rates.attrs),
        "fingerprint": runs.attrs["fingerprint"],
        "versions": json.dumps(_versions(json.loads(runs.attrs["provenance"]))),
    }
    path = Path(path)
    make_folder(path.parent)
    write_netcdf(path, found)
    return path


def load_rates(path: str | Path) -> xr.Dataset:
    """Read the rates of a map that `save_rates` wrote. Every byte of the file is checked.

    Args:
        path: the file.

    Returns:
        What `Map.rates` returned of the trainings, bit for bit; and in each cell `diverged`, how
        many of its seeds did. `attrs` has the `fingerprint` of the trainings too, and as JSON the
        `versions` of the packages that computed them.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, holds something else, or has a newer format.

    Example:
        >>> rates = study.load_rates(Path("experiments/summaries/map_identity_sgd_rates.nc"))
        >>> plot.landscape(rates, diverged=rates.diverged / rates.n)
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"no rates at {path}: run the experiment that writes them first")
    try:
        with open_netcdf(path) as (opened, sealed):
            found = opened.load()
    except UnreadableError as error:
        raise UnreadableError(f"{path} is no map's rates: it cannot be read as netCDF") from error
    except DamagedError as error:
        raise DamagedError(f"{error}: {REMEDY}") from None
    _check(path, found, sealed)
    n = int(found.attrs["n"])
    about = json.loads(found.attrs["rates"])
    successes = found["successes"].astype(int)
    numbers = share_of(successes.values, n, about["level"], about["interval"])
    made = {
        name: successes.copy(data=values) for name, values in zip(RATE_NAMES, numbers, strict=True)
    }
    made["diverged"] = found["diverged"].astype(int)
    facts = {name: found.attrs[name] for name in FACTS}
    return xr.Dataset(made, attrs=about | facts)


def _versions(provenance: Mapping[str, Any]) -> dict[str, str]:
    """The packages that computed a result; of several recipes, those that computed the first."""
    while "versions" not in provenance:
        provenance = next(iter(provenance["recipes"].values()))
    return provenance["versions"]


def _smallest(counts: xr.DataArray, most: int) -> xr.DataArray:
    """Counts of at most so many as the shortest whole numbers that hold them."""
    return counts.astype(np.min_scalar_type(most))


def _check(path: Path, found: xr.Dataset, sealed: bool) -> None:
    """Refuse a file that holds something else, that is newer, or that has lost its checksum."""
    written = found.attrs.get("approx_rates_format")
    if written is None:
        raise ValueError(f"{path} is no map's rates: save_rates did not write it")
    if written > FORMAT:
        raise ValueError(
            f"{path} has format {written}; this version of approx reads up to {FORMAT}: "
            "update approx"
        )
    if not sealed:
        raise DamagedError(f"{path} is damaged, the checksum at its end is missing: {REMEDY}")
