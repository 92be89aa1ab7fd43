"""What an experiment without a study writes: its trainings, its rates and its judged claims."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

import approx as ap


def write(
    name: str,
    runs: Mapping[str, xr.Dataset],
    rates: pd.DataFrame,
    claims: tuple[str, Sequence[Any]],
    folders: tuple[Path, Path],
) -> None:
    """Write everything, and print the table of claims.

    Args:
        name: of the experiment, with which every file begins.
        runs: the trainings by their label; each gets a file of its own.
        rates: the table of rates.
        claims: their source in words, and the claims with their data, as `stats.claims` takes them.
        folders: where trainings go, and where tables go; they are made if they are missing.
    """
    results, summaries = folders
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for label, each in runs.items():
        ap.save(each, results / f"{name}_{label}.nc")
    judged = ap.stats.claims(*claims)
    tables = {"rates": rates, "verdicts": judged.to_dataframe().reset_index()}
    for kind, table in tables.items():
        path = summaries / f"{name}_{kind}.csv"
        table.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")
    print(path, ap.stats.claims_table(judged), sep="\n")


def rated(hits: xr.Dataset, name: str = "rate") -> dict[str, float]:
    """The number of seeds, the rate of success and its exact 95% interval, as cells of a table.

    Args:
        hits: what `stats.success` returned, of one setting.
        name: of the column of rates; those of the interval end in "_low" and "_high".
    """
    rate = ap.stats.rate(hits, interval="exact")
    ends = {f"{name}_low": float(rate.low), f"{name}_high": float(rate.high)}
    return {"n": int(rate.n), name: float(rate.rate)} | ends


def middle(values: xr.DataArray) -> float:
    """The median of one setting's values over its seeds; one that diverged is the worst."""
    return float(ap.stats.order_quantiles(values.values))
