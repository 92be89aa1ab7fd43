"""What became of the seeds of a study's rows, and the effects of its factors."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import xarray as xr

from approx.stats.asymptotes import shares
from approx.stats.effects import effects
from approx.stats.factorials import crossed
from approx.stats.outcomes import endings
from approx.stats.rates import reading
from approx.study.declaration import Declaration
from approx.study.levels import level_of_one
from approx.study.lines import mean_known
from approx.study.plateaus import known_plateaus
from approx.study.samples import Sample, Samples


def ending_lines(study: Declaration, one: Sample, name: str) -> list[dict[str, Any]]:
    """How many seeds of a row ended in each way, those ways left out that no seed took."""
    found = endings(
        one.runs,
        reading(one.hits[name], study.when),
        plateaus_of(study, one),
        tolerance=study.tolerance,
        fits=fits_of(study, one),
    )
    counted = shares(found, level=level_of_one(study, one.label))
    lines = []
    for kind in counted.kind.values.tolist():
        here = counted.sel(kind=kind)
        if not int(here.successes):
            continue
        lines.append(
            {
                "label": one.label,
                "ending": kind,
                "n": int(here.n),
                "seeds": int(here.successes),
                "rate": float(here.rate),
                "low": float(here.low),
                "high": float(here.high),
                "idle_units": mean_known(one.idle[found.kind.values == kind]),
            }
        )
    return lines


def plateaus_of(study: Declaration, one: Sample) -> Mapping[str, float]:
    """The training losses at which a row may stay, by name."""
    if callable(study.plateaus):
        return study.plateaus(one.row.label)
    if study.plateaus is not None:
        return study.plateaus
    return known_plateaus(one.row.task, recipe=one.row.recipe)


def fits_of(study: Declaration, one: Sample) -> float | None:
    """The training loss at or below which a row's training data count as fitted."""
    if callable(study.fits):
        return study.fits(one.row.label)
    return study.fits


def effects_table(study: Declaration, samples: Samples, name: str) -> pd.DataFrame:
    """What each level of each factor changes, averaged over the others; empty without factors.

    Levels of which no combination is trained are left out.
    """
    cells = {one.row.levels: one for one in samples.values() if one.row.levels}
    if not study.factors or not cells:
        return pd.DataFrame()
    hits = {levels: one.hits[name] for levels, one in cells.items() if one.group == "cell"}
    seeds = min(each.sizes["seed"] for each in hits.values())
    same: dict[tuple[Hashable, ...], xr.DataArray | xr.Dataset] = {}
    for its_levels, each in hits.items():
        same[its_levels] = each.isel(seed=slice(seeds))
    levels = {factor: list(its) for factor, its in study.factors.items()}
    table = crossed(same, levels, study.when)
    labels = [one.label for one in cells.values()]
    found = effects(table, interactions=True, level=level_of_one(study, *labels))
    frame = found.to_dataframe().reset_index()
    return frame[frame.cells > 0]
